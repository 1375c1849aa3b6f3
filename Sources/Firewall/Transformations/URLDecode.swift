// urlDecode (RFC 3986, section 2.1, and the + of HTML forms; ModSecurity reference manual). What isn't %HH stays.

extension Transformation {
  static let urlDecode = percentDecoding("urlDecode") { _, _ in nil }

  /// `%HH` and `+`, and what `other` makes of a percent sign that begins something else: it is given the value and the
  /// place behind the sign, and gives the byte and how many more it has read.
  static func percentDecoding(
    _ name: String, other: @escaping @Sendable (_ value: ByteView, _ index: Int) -> (byte: UInt8, read: Int)?
  ) -> Transformation {
    Transformation(name, triggers: [.percent, .plus]) { value, arena in
      let isEscape = { (byte: UInt8) in byte == UInt8(ascii: "%") || byte == UInt8(ascii: "+") }
      var next = value.first(where: isEscape)
      guard next < value.count else { return value }
      return arena.rewrite(value, capacity: value.count) { out in
        var index = 0
        while next < value.count {
          out.put(value[index..<next])
          index = next + 1
          if value.start[next] == UInt8(ascii: "+") {
            out.put(0x20)
          } else if let byte = value.hexPair(at: index) {
            out.put(byte)
            index += 2
          } else if let (byte, read) = other(value, index) {
            out.put(byte)
            index += read
          } else {
            out.put(UInt8(ascii: "%"))
          }
          next = value.first(from: index, where: isEscape)
        }
        out.put(value.dropFirst(index))
      }
    }
  }
}
