// A rule's actions (ModSecurity reference manual, "Actions"): `id:1,phase:2,msg:'a, b',setvar:tx.x=+1,pass`.
//
// Parted by commas; a value in single quotes may hold commas, and `\'`. Also the argument of SecDefaultAction and
// SecRuleUpdateActionById. Whether an action exists is the compiler's question.

/// Reads lists of actions.
public enum ActionList {
  /// The actions of `text`; what can't be read is reported and ends the list.
  public static func parse(_ text: String, place: Place, faults: inout [RuleFault]) -> [ActionSyntax] {
    parse(ArgumentText(bytes: Array(text.utf8), line: place.line), file: place.file, faults: &faults)
  }

  static func parse(_ argument: ArgumentText, file: String, faults: inout [RuleFault]) -> [ActionSyntax] {
    var scanner = ActionScanner(bytes: argument.bytes, firstLine: argument.line, file: file)
    var actions: [ActionSyntax] = []
    while true {
      switch scanner.next() {
      case .success(let action):
        guard let action else { return actions }
        actions.append(action)
      case .failure(let fault):
        faults.append(fault)
        return actions
      }
    }
  }
}

private struct ActionScanner {
  /// With a line feed where two lines were joined.
  let bytes: [UInt8]
  let firstLine: Int
  let file: String
  var at = 0

  private var current: UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func skipSpace() { while let byte = current, Ascii.isSpace(byte) { at += 1 } }

  private func fault(at offset: Int, _ found: String, _ wanted: String) -> RuleFault {
    let line = firstLine + bytes.prefix(offset).count { $0 == Ascii.lineFeed }
    return RuleFault(place: Place(file: file, line: line), found: found, wanted: wanted)
  }

  /// The next action, nil at the end. An empty one (a comma too many) says nothing and is passed over.
  mutating func next() -> Result<ActionSyntax?, RuleFault> {
    while let byte = current, Ascii.isSpace(byte) || byte == Ascii.comma { at += 1 }
    guard current != nil else { return .success(nil) }
    let start = at
    while let byte = current, Ascii.isWord(byte) { at += 1 }
    let name = bytes[start..<at]
    skipSpace()
    guard !name.isEmpty, current == nil || current == Ascii.comma || current == Ascii.colon else {
      return .failure(
        fault(
          at: start, "`\(ArgumentText.excerpt(bytes[start...], limit: 24))` where an action should be",
          "write name or name:value with a comma between actions, and values with commas in single quotes"))
    }
    var action = ActionSyntax(name: ArgumentText.text(name))
    guard current == Ascii.colon else { return .success(action) }
    at += 1
    skipSpace()
    switch current == Ascii.quote ? quotedValue(of: action.name) : plainValue(of: action.name) {
    case .success(let value): action.argument = ArgumentText.text(value)
    case .failure(let fault): return .failure(fault)
    }
    return .success(action)
  }

  /// From an opening quote to the closing one, after which only a comma may stand.
  private mutating func quotedValue(of name: String) -> Result<[UInt8], RuleFault> {
    let start = at
    at += 1
    var value: [UInt8] = []
    while let byte = current, byte != Ascii.quote {
      if byte == Ascii.backslash, at + 1 < bytes.count {
        if bytes[at + 1] != Ascii.quote { value.append(byte) }
        value.append(bytes[at + 1])
        at += 2
      } else {
        value.append(byte)
        at += 1
      }
    }
    guard current == Ascii.quote else {
      return .failure(
        fault(
          at: start,
          "the quote at `\(name):\(ArgumentText.excerpt(bytes[start...], limit: 24))` is never closed",
          "close it with ', and write a ' inside it as \\'"))
    }
    at += 1
    let end = at
    skipSpace()
    guard current == nil || current == Ascii.comma else {
      return .failure(
        fault(
          at: at, "`\(ArgumentText.excerpt(bytes[end...], limit: 24))` after the value of `\(name)`",
          "put a comma between actions, and write a ' inside a value as \\'"))
    }
    return .success(value)
  }

  /// Up to the next comma, but `tx.x='a, b'` holds one: a quote right after = or : protects what follows, and is undone.
  private mutating func plainValue(of name: String) -> Result<[UInt8], RuleFault> {
    var value: [UInt8] = []
    while let byte = current, byte != Ascii.comma {
      if byte == Ascii.quote, value.last == Ascii.equals {
        let quote = at
        switch quotedValue(of: name) {
        case .success(let rest): return .success(value + rest)
        case .failure(let fault):
          // A quote that is part of a value, such as a list of characters, closes nothing.
          guard !bytes[(quote + 1)...].contains(Ascii.quote) else { return .failure(fault) }
          at = quote
        }
      }
      value.append(bytes[at])
      at += 1
    }
    while let last = value.last, Ascii.isSpace(last) { value.removeLast() }
    return .success(value)
  }
}
