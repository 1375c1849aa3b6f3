// md5 (RFC 1321) and sha1 (RFC 3174; ModSecurity reference manual): the raw digest, to be followed by hexEncode.
//
// They name values here, in rules that tell one client from another; nothing secret rests on them.

extension Transformation {
  static let md5 = Transformation("md5") { value, arena in
    var state: (UInt32, UInt32, UInt32, UInt32) = (0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476)
    withBlocks(value, bigEndianLength: false) { block in
      var (a, b, c, d) = state
      for step in 0..<64 {
        let mixed: UInt32
        let word: Int
        switch step / 16 {
        case 0: (mixed, word) = (b & c | ~b & d, step)
        case 1: (mixed, word) = (d & b | ~d & c, (5 * step + 1) % 16)
        case 2: (mixed, word) = (b ^ c ^ d, (3 * step + 5) % 16)
        default: (mixed, word) = (c ^ (b | ~d), 7 * step % 16)
        }
        let input = UInt32(littleEndian: load(block, word))
        let sum = a &+ mixed &+ md5Sines[step] &+ input
        (a, d, c) = (d, c, b)
        b = b &+ rotated(sum, by: md5Shifts[step / 16 * 4 + step % 4])
      }
      state = (state.0 &+ a, state.1 &+ b, state.2 &+ c, state.3 &+ d)
    }
    return arena.build(16) { place in
      store([state.0, state.1, state.2, state.3].map(\.littleEndian), at: place)
    }
  }

  static let sha1 = Transformation("sha1") { value, arena in
    var state: (UInt32, UInt32, UInt32, UInt32, UInt32) =
      (0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0)
    var words = [UInt32](repeating: 0, count: 80)
    withBlocks(value, bigEndianLength: true) { block in
      for index in 0..<16 { words[index] = UInt32(bigEndian: load(block, index)) }
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
    return arena.build(20) { place in
      store([state.0, state.1, state.2, state.3, state.4].map(\.bigEndian), at: place)
    }
  }
}

/// The blocks of 64 bytes of a message, padded with a one, zeros and its length in bits.
private func withBlocks(_ value: ByteView, bigEndianLength: Bool, _ body: (UnsafePointer<UInt8>) -> Void) {
  let whole = value.count / 64 * 64
  for start in stride(from: 0, to: whole, by: 64) { body(value.start + start) }
  let rest = value.count - whole
  var tail = [UInt8](repeating: 0, count: rest < 56 ? 64 : 128)
  for index in 0..<rest { tail[index] = value.start[whole + index] }
  tail[rest] = 0x80
  let bits = UInt64(value.count) &* 8
  for index in 0..<8 {
    let shift = UInt64(bigEndianLength ? 7 - index : index) * 8
    tail[tail.count - 8 + index] = UInt8(truncatingIfNeeded: bits >> shift)
  }
  tail.withUnsafeBufferPointer { buffer in
    guard let base = buffer.baseAddress else { return }
    for start in stride(from: 0, to: buffer.count, by: 64) { body(base + start) }
  }
}

@inline(__always) private func load(_ block: UnsafePointer<UInt8>, _ word: Int) -> UInt32 {
  UnsafeRawPointer(block).loadUnaligned(fromByteOffset: word * 4, as: UInt32.self)
}

private func store(_ words: [UInt32], at place: UnsafeMutablePointer<UInt8>) -> Int {
  words.withUnsafeBytes { bytes in
    for (index, byte) in bytes.enumerated() { place[index] = byte }
    return bytes.count
  }
}

@inline(__always) private func rotated(_ word: UInt32, by bits: UInt32) -> UInt32 {
  word << bits | word >> (32 - bits)
}

private let md5Shifts: [UInt32] = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]

/// The integer parts of 2³² · |sin(1 … 64)| (RFC 1321, 3.4).
private let md5Sines: [UInt32] = [
  0xD76A_A478, 0xE8C7_B756, 0x2420_70DB, 0xC1BD_CEEE, 0xF57C_0FAF, 0x4787_C62A, 0xA830_4613, 0xFD46_9501,
  0x6980_98D8, 0x8B44_F7AF, 0xFFFF_5BB1, 0x895C_D7BE, 0x6B90_1122, 0xFD98_7193, 0xA679_438E, 0x49B4_0821,
  0xF61E_2562, 0xC040_B340, 0x265E_5A51, 0xE9B6_C7AA, 0xD62F_105D, 0x0244_1453, 0xD8A1_E681, 0xE7D3_FBC8,
  0x21E1_CDE6, 0xC337_07D6, 0xF4D5_0D87, 0x455A_14ED, 0xA9E3_E905, 0xFCEF_A3F8, 0x676F_02D9, 0x8D2A_4C8A,
  0xFFFA_3942, 0x8771_F681, 0x6D9D_6122, 0xFDE5_380C, 0xA4BE_EA44, 0x4BDE_CFA9, 0xF6BB_4B60, 0xBEBF_BC70,
  0x289B_7EC6, 0xEAA1_27FA, 0xD4EF_3085, 0x0488_1D05, 0xD9D4_D039, 0xE6DB_99E5, 0x1FA2_7CF8, 0xC4AC_5665,
  0xF429_2244, 0x432A_FF97, 0xAB94_23A7, 0xFC93_A039, 0x655B_59C3, 0x8F0C_CC92, 0xFFEF_F47D, 0x8584_5DD1,
  0x6FA8_7E4F, 0xFE2C_E6E0, 0xA301_4314, 0x4E08_11A1, 0xF753_7E82, 0xBD3A_F235, 0x2AD7_D2BB, 0xEB86_D391,
]
