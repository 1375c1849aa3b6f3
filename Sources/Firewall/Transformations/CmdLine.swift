// cmdLine (ModSecurity reference manual): a command line as the shells of Windows and Unix read it.
//
// Drops \ " ' ^; turns each run of space , ; tab CR LF into one space; drops that space before / and (; lower case.

extension Transformation {
  // A / or ( alone changes nothing: it needs a blank before it.
  static let cmdLine = Transformation(
    "cmdLine",
    triggers: [.quote, .backslash, .caret, .comma, .semicolon, .whitespace, .upper]
  ) { value, arena in
    let first = firstChange(value)
    guard first < value.count else { return value }
    return arena.rewrite(value, capacity: value.count) { out in
      out.put(value.prefix(first))
      var blank = first > 0 && value.start[first - 1] == 0x20
      for index in first..<value.count {
        let byte = value.start[index]
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "\\"), UInt8(ascii: "^"): continue
        case 0x20, UInt8(ascii: ","), UInt8(ascii: ";"), 0x09, 0x0D, 0x0A:
          if !blank { out.put(0x20) }
          blank = true
        case UInt8(ascii: "/"), UInt8(ascii: "("):
          if blank { out.back() }
          blank = false
          out.put(byte)
        default:
          blank = false
          out.put(lowercased(byte))
        }
      }
    }
  }

  /// The offset of the first byte that doesn't stay as it is.
  private static func firstChange(_ value: ByteView) -> Int {
    var index = 0
    while index < value.count {
      let byte = value.start[index]
      switch effects[Int(byte)] {
      case .changes: return index
      // A single space stays, unless it stands before / or (.
      case .space where index + 1 < value.count:
        let next = value.start[index + 1]
        if next == 0x20 || next == UInt8(ascii: "/") || next == UInt8(ascii: "(") { return index }
      default: break
      }
      index += 1
    }
    return index
  }

  private enum Effect { case stays, space, changes }

  private static let effects: [Effect] = (0..<256).map { byte in
    if byte == 0x20 { return .space }
    let changing: [UInt8] = Array("\"'\\^,;\t\r\n".utf8)
    return changing.contains(UInt8(byte)) || lowercased(UInt8(byte)) != UInt8(byte) ? .changes : .stays
  }
}
