// urlDecodeUni (ModSecurity reference manual): as urlDecode, and %uHHHH of Microsoft's servers.
//
// With a map of Unicode to a code page (SecUnicodeMapFile) a character becomes what the map says. Without one, or where
// the map is silent: its low byte, full-width forms (FF01 to FF5E) made ASCII; as libmodsecurity 3.0.9.

extension Transformation {
  static let urlDecodeUni = urlDecodeUni(nil)

  /// With the map of SecUnicodeMapFile.
  static func urlDecodeUni(_ map: UnicodeMap?) -> Transformation {
    percentDecoding("urlDecodeUni") { value, index in
      guard index < value.count, value.start[index] | 0x20 == UInt8(ascii: "u"),
        let high = value.hexPair(at: index + 1), let low = value.hexPair(at: index + 3)
      else { return nil }
      let character = UInt16(high) << 8 | UInt16(low)
      return (map?[character] ?? (high == 0xFF ? fullWidthToASCII(low) : low), 5)
    }
  }
}
