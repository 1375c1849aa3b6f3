// A rule's list of variables (ModSecurity reference manual, "Variables"): `ARGS|!ARGS:x|&TX:'/^a|b/'|XML:/*`.
//
// Also the argument of SecRuleUpdateTargetBy… and of ctl:ruleRemoveTargetBy…. Members are parted by | or a comma, a dot
// may stand for the colon (as libmodsecurity takes it). Whether a collection exists is the compiler's question.

/// Reads lists of variables.
public enum TargetList {
  /// The members of `text`; what can't be read is reported and left out.
  public static func parse(_ text: String, place: Place, faults: inout [RuleFault]) -> [TargetSyntax] {
    parse(ArgumentText(bytes: Array(text.utf8), line: place.line), file: place.file, faults: &faults)
  }

  static func parse(_ argument: ArgumentText, file: String, faults: inout [RuleFault]) -> [TargetSyntax] {
    var scanner = TargetScanner(argument: argument, file: file)
    var targets: [TargetSyntax] = []
    while true {
      switch scanner.next() {
      case .success(let target):
        guard let target else {
          if targets.isEmpty {
            faults.append(scanner.fault("an empty list of variables", "name at least one, such as ARGS"))
          }
          return targets
        }
        targets.append(target)
      case .failure(let fault):
        faults.append(fault)
        return targets
      }
    }
  }
}

private struct TargetScanner {
  let bytes: [UInt8]
  let line: Int
  let file: String
  var at = 0
  var needsMember = false

  init(argument: ArgumentText, file: String) {
    bytes = argument.bytes.filter { $0 != Ascii.lineFeed }
    line = argument.line
    self.file = file
  }

  func fault(_ found: String, _ wanted: String) -> RuleFault {
    RuleFault(place: Place(file: file, line: line), found: found, wanted: wanted)
  }

  private var current: UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func skipBlanks() { while let byte = current, Ascii.isSpace(byte) { at += 1 } }

  private static func isSeparator(_ byte: UInt8) -> Bool { byte == Ascii.pipe || byte == Ascii.comma }

  /// The next member, nil at the end.
  mutating func next() -> Result<TargetSyntax?, RuleFault> {
    skipBlanks()
    if current == nil, !needsMember { return .success(nil) }
    let start = at
    var mode = TargetSyntax.Mode.include
    if current == Ascii.exclamation { mode = .exclude } else if current == Ascii.ampersand { mode = .count }
    if mode != .include { at += 1 }
    skipBlanks()
    let nameStart = at
    while let byte = current, Ascii.isWord(byte) { at += 1 }
    guard at > nameStart else {
      let rest = ArgumentText.excerpt(bytes[start...], limit: 24)
      return .failure(
        fault(
          rest.isEmpty
            ? "a list of variables that ends with |" : "`\(rest)` where a variable's name should be",
          "write names such as ARGS or REQUEST_HEADERS:Host, with | between them"))
    }
    let collection = ArgumentText.text(bytes[nameStart..<at])
    var selector = TargetSyntax.Selector.all
    if current == Ascii.colon || current == Ascii.dot {
      at += 1
      switch self.selector(of: collection) {
      case .success(let read): selector = read
      case .failure(let fault): return .failure(fault)
      }
    }
    skipBlanks()
    needsMember = false
    if let byte = current {
      guard TargetScanner.isSeparator(byte) else {
        return .failure(
          fault(
            "`\(ArgumentText.excerpt(bytes[at...], limit: 24))` after the variable `\(collection)`",
            "part variables with |, and put the list in double quotes if it holds blanks"))
      }
      at += 1
      needsMember = true
    }
    return .success(TargetSyntax(mode: mode, collection: collection, selector: selector))
  }

  private mutating func selector(of collection: String) -> Result<TargetSyntax.Selector, RuleFault> {
    let start = at
    let isQuoted = current == Ascii.quote
    if isQuoted { at += 1 }
    if collection.lowercased() == "xml" {
      return text(isQuoted: isQuoted, start: start, collection: collection).map { .xpath($0) }
    }
    if current == Ascii.slash, let end = regexEnd(isQuoted: isQuoted) {
      let regex = TargetScanner.undoing(Ascii.slash, bytes[(at + 1)..<end])
      at = end + (isQuoted ? 2 : 1)
      guard !regex.isEmpty else {
        return .failure(fault("an empty pattern, `\(collection)://`", "write a pattern between the slashes"))
      }
      return .success(.regex(ArgumentText.text(regex)))
    }
    if current == Ascii.slash, !isQuoted {
      return .failure(
        fault(
          "the pattern at `\(collection):\(ArgumentText.excerpt(bytes[start...], limit: 24))` is never closed",
          "end it with / (before the next | or the end), or quote a name that starts with one: '/name'"))
    }
    return text(isQuoted: isQuoted, start: start, collection: collection).map { .name($0) }
  }

  /// The slash that ends the pattern which begins at `at`: the first that isn't escaped and has the member's end behind.
  private func regexEnd(isQuoted: Bool) -> Int? {
    var index = at + 1
    while index < bytes.count {
      if bytes[index] == Ascii.backslash {
        index += 2
        continue
      }
      if bytes[index] == Ascii.slash {
        var after = index + 1
        if isQuoted {
          guard after < bytes.count, bytes[after] == Ascii.quote else {
            index += 1
            continue
          }
          after += 1
        }
        if after >= bytes.count || TargetScanner.isSeparator(bytes[after]) || Ascii.isSpace(bytes[after]) {
          return index
        }
      }
      index += 1
    }
    return nil
  }

  private mutating func text(isQuoted: Bool, start: Int, collection: String) -> Result<String, RuleFault> {
    let begin = at
    if isQuoted {
      while let byte = current, byte != Ascii.quote { at += byte == Ascii.backslash ? 2 : 1 }
      guard at < bytes.count else {
        return .failure(
          fault(
            "the quote at `\(collection):\(ArgumentText.excerpt(bytes[start...], limit: 24))` is never closed",
            "close it with '"))
      }
      let value = TargetScanner.undoing(Ascii.quote, bytes[begin..<at])
      at += 1
      return .success(ArgumentText.text(value))
    }
    while let byte = current, !TargetScanner.isSeparator(byte), !Ascii.isSpace(byte) { at += 1 }
    guard at > begin else {
      return .failure(
        fault("nothing after `\(collection):`", "name a member after the colon, or leave the colon out"))
    }
    return .success(ArgumentText.text(bytes[begin..<at]))
  }

  /// `\x` becomes `x` for this one byte; other escapes stay.
  private static func undoing(_ byte: UInt8, _ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    var index = bytes.startIndex
    while index < bytes.endIndex {
      if bytes[index] == Ascii.backslash, index + 1 < bytes.endIndex {
        if bytes[index + 1] != byte { result.append(Ascii.backslash) }
        result.append(bytes[index + 1])
        index += 2
      } else {
        result.append(bytes[index])
        index += 1
      }
    }
    return result
  }
}
