// length (ModSecurity reference manual): the number of bytes, in decimal.

extension Transformation {
  static let length = Transformation("length") { value, arena in
    arena.rewrite(value, capacity: 20) { out in
      var left = value.count
      var divisor = 1
      while left / divisor >= 10 { divisor *= 10 }
      while divisor > 0 {
        out.put(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: left / divisor))
        left %= divisor
        divisor /= 10
      }
    }
  }
}
