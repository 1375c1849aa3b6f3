// parityZero7bit (ModSecurity reference manual): the top bit of each byte is cleared.

extension Transformation {
  static let parityZero7bit = Transformation("parityZero7bit", triggers: .high) { value, arena in
    parity(value, arena) { $0 & 0x7F }
  }

  @inline(__always)
  static func parity(_ value: ByteView, _ arena: Arena, _ convert: (UInt8) -> UInt8) -> ByteView {
    arena.rewrite(value, capacity: value.count) { out in
      for byte in value.buffer { out.put(convert(byte)) }
    }
  }
}
