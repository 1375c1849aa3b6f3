// hexEncode (ModSecurity reference manual): each byte as two hexadecimal digits, lower case.

extension Transformation {
  static let hexEncode = Transformation("hexEncode") { value, arena in
    arena.rewrite(value, capacity: value.count * 2) { out in
      for byte in value.buffer {
        out.put(hexCharacter(byte >> 4))
        out.put(hexCharacter(byte & 15))
      }
    }
  }
}
