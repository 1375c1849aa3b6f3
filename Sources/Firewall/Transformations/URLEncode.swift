// urlEncode (application/x-www-form-urlencoded; ModSecurity reference manual): space becomes +; letters, digits and *
// stay; all else becomes %hh, lower case.

extension Transformation {
  static let urlEncode = Transformation(
    "urlEncode", triggers: ByteClass.anything.subtracting([.upper, .lower, .digit, .star])
  ) { value, arena in
    arena.rewrite(value, capacity: value.count * 3) { out in
      for byte in value.buffer {
        if byte.isLetter || byte.isDigit || byte == UInt8(ascii: "*") {
          out.put(byte)
        } else if byte == 0x20 {
          out.put(UInt8(ascii: "+"))
        } else {
          out.put(UInt8(ascii: "%"))
          out.put(hexCharacter(byte >> 4))
          out.put(hexCharacter(byte & 15))
        }
      }
    }
  }
}
