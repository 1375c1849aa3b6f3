// sha1 (RFC 3174; ModSecurity reference manual): the raw digest, to be followed by hexEncode.
//
// It names values here, in rules that tell one client from another; nothing secret rests on it.

extension Transformation {
  static let sha1 = Transformation("sha1") { value, arena in
    var state: (UInt32, UInt32, UInt32, UInt32, UInt32) =
      (0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0)
    withDigestBlocks(value, bigEndianLength: true) { block in
      withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 80) { words in
        for index in 0..<16 { words[index] = UInt32(bigEndian: loadWord(block, index)) }
        for index in 16..<80 {
          words[index] = rotated(
            words[index - 3] ^ words[index - 8] ^ words[index - 14] ^ words[index - 16], by: 1)
        }
        var (a, b, c, d, e) = state
        for step in 0..<80 {
          let mixed: UInt32
          switch step / 20 {
          case 0: mixed = (b & c | ~b & d) &+ 0x5A82_7999
          case 1: mixed = (b ^ c ^ d) &+ 0x6ED9_EBA1
          case 2: mixed = (b & c | b & d | c & d) &+ 0x8F1B_BCDC
          default: mixed = (b ^ c ^ d) &+ 0xCA62_C1D6
          }
          let sum = rotated(a, by: 5) &+ mixed &+ e &+ words[step]
          (e, d, c, b, a) = (d, c, rotated(b, by: 30), a, sum)
        }
        state = (state.0 &+ a, state.1 &+ b, state.2 &+ c, state.3 &+ d, state.4 &+ e)
      }
    }
    return arena.build(20) { place in
      storeWord(state.0.bigEndian, 0, at: place)
      storeWord(state.1.bigEndian, 1, at: place)
      storeWord(state.2.bigEndian, 2, at: place)
      storeWord(state.3.bigEndian, 3, at: place)
      storeWord(state.4.bigEndian, 4, at: place)
      return 20
    }
  }
}
