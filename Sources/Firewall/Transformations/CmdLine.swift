// cmdLine (ModSecurity reference manual): a command line as the shells of Windows and Unix read it.
//
// Drops \ " ' ^; turns each run of space , ; tab CR LF into one space; drops that space before / and (; lower case.

extension Transformation {
  // A / or ( alone changes nothing: it needs a blank before it.
  static let cmdLine = Transformation(
    "cmdLine",
    triggers: [.quote, .backslash, .caret, .comma, .semicolon, .whitespace, .upper]
  ) { value, arena in
    arena.rewrite(value, capacity: value.count) { out in
      var blank = false
      for byte in value.buffer {
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
}
