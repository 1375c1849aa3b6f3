// parityEven7bit, parityOdd7bit, parityZero7bit (ModSecurity reference manual): the top bit of each byte becomes the
// parity of the other seven, or zero.

extension Transformation {
  static let parityEven7bit = Transformation("parityEven7bit") { value, arena in
    parity(value, arena) { $0.nonzeroBitCount & 1 == 0 ? $0 : $0 | 0x80 }
  }

  static let parityOdd7bit = Transformation("parityOdd7bit") { value, arena in
    parity(value, arena) { $0.nonzeroBitCount & 1 == 0 ? $0 | 0x80 : $0 }
  }

  static let parityZero7bit = Transformation("parityZero7bit", triggers: .high) { value, arena in
    parity(value, arena) { $0 }
  }

  @inline(__always)
  private static func parity(_ value: ByteView, _ arena: Arena, _ convert: (UInt8) -> UInt8) -> ByteView {
    arena.rewrite(value, capacity: value.count) { out in
      for byte in value.buffer { out.put(convert(byte & 0x7F)) }
    }
  }
}
