// urlDecodeUni (ModSecurity reference manual): as urlDecode, and %uHHHH of Microsoft's servers.
//
// With a map of Unicode to a code page (SecUnicodeMapFile) a character becomes what the map says. Without one, or where
// the map is silent: its low byte, full-width forms (FF01 to FF5E) made ASCII; as libmodsecurity 3.0.9.

extension Transformation {
  static let urlDecodeUni = urlDecodeUni(nil)

  /// With the map of SecUnicodeMapFile.
  static func urlDecodeUni(_ map: UnicodeMap?) -> Transformation {
    Transformation("urlDecodeUni", triggers: [.percent, .plus]) { value, arena in
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
          } else if index < value.count, value.start[index] | 0x20 == UInt8(ascii: "u"),
            let high = value.hexPair(at: index + 1), let low = value.hexPair(at: index + 3)
          {
            let character = UInt16(high) << 8 | UInt16(low)
            out.put(map?[character] ?? (high == 0xFF ? fullWidthToASCII(low) : low))
            index += 5
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
