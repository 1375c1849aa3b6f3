// A directive's words: split at blanks, unless in quotes (Apache's rule for its files, which SecLang took over).
//
// Invariant: what can't be split is reported once, with the line where the trouble begins, and gives no words.

/// How backslashes before quotes are read.
public enum Quoting: Sendable, Hashable {
  /// `\"` is a quote and every other backslash stays, as in libmodsecurity 3.
  case libmodsecurity
  /// `\\` is one backslash too, as when Apache reads the file for ModSecurity 2.
  case apache
}

/// A word of a directive, its quotes undone.
struct ArgumentText {
  /// A line feed stands where two lines were joined.
  var bytes: [UInt8]
  /// The line where it begins.
  var line: Int

  /// The word as text. The parser has seen that the line is UTF-8.
  var text: String { ArgumentText.text(bytes) }

  static func text(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: bytes.filter { $0 != Ascii.lineFeed }, as: UTF8.self)
  }

  /// A part of it for people: on one line and not too long.
  static func excerpt(_ bytes: some Collection<UInt8>, limit: Int = 48) -> String {
    var result = ""
    var count = 0
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars where scalar != "\n" {
      guard count < limit else { return result + "…" }
      if scalar.value < 0x20 || scalar.value == 0x7F || scalar == "\u{FFFD}" {
        result += "?"
      } else {
        result.unicodeScalars.append(scalar)
      }
      count += 1
    }
    return result
  }
}

extension LogicalLine {
  /// The line of the byte at `offset`.
  func line(at offset: Int) -> Int { line + text.prefix(offset).count { $0 == Ascii.lineFeed } }

  /// All words, the directive's name first.
  func arguments(file: String, quoting: Quoting, faults: inout [RuleFault]) -> [ArgumentText]? {
    var words: [ArgumentText] = []
    var at = 0
    while true {
      while at < text.count, Ascii.isSpace(text[at]) { at += 1 }
      guard at < text.count else { return words }
      let start = at
      let opening = text[at]
      guard opening == Ascii.doubleQuote || opening == Ascii.quote else {
        while at < text.count, !Ascii.isSpace(text[at]) { at += 1 }
        words.append(ArgumentText(bytes: Array(text[start..<at]), line: line(at: start)))
        continue
      }
      var word = ArgumentText(bytes: [], line: line(at: start))
      at += 1
      while at < text.count, text[at] != opening {
        if text[at] == Ascii.backslash, at + 1 < text.count {
          let next = text[at + 1]
          let isUndone = next == opening || (quoting == .apache && next == Ascii.backslash)
          if !isUndone { word.bytes.append(Ascii.backslash) }
          word.bytes.append(next)
          at += 2
        } else {
          word.bytes.append(text[at])
          at += 1
        }
      }
      let mark = opening == Ascii.quote ? "'" : "\""
      guard at < text.count else {
        faults.append(unclosed(mark: mark, start: start, line: word.line, file: file))
        return nil
      }
      at += 1
      if at < text.count, !Ascii.isSpace(text[at]) {
        faults.append(
          RuleFault(
            place: Place(file: file, line: line(at: at)),
            found: "`\(ArgumentText.excerpt(text[at...], limit: 24))` stands right after a closing \(mark)",
            wanted: "put a blank between arguments, and write a \(mark) inside one as \\\(mark)"))
        return nil
      }
      words.append(word)
    }
  }

  private func unclosed(mark: String, start: Int, line: Int, file: String) -> RuleFault {
    if let lostJoin {
      return RuleFault(
        place: Place(file: file, line: lostJoin),
        found: "blanks follow the backslash that should join this line and the next",
        wanted: "let the backslash be the last byte of the line")
    }
    return RuleFault(
      place: Place(file: file, line: line),
      found: "the quote that opens at `\(ArgumentText.excerpt(text[start...], limit: 24))` is never closed",
      wanted: "close it with \(mark), or end the line with a backslash to go on in the next")
  }
}
