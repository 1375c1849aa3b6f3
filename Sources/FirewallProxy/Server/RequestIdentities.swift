// Request ids: 128 bits as 32 hexadecimal digits, rising with time, so that logs sorted by id are sorted by time.
//
// 48 bits of milliseconds since 1970, then 80 random bits from a generator that each loop seeds for itself.
// Owner: one event loop.

import NIOCore

struct RequestID: Equatable {
  var high: UInt64 = 0
  var low: UInt64 = 0

  @inline(__always)
  func write(to place: UnsafeMutableRawBufferPointer) {
    Self.hex(high, place, 0)
    Self.hex(low, place, 16)
  }

  private static func hex(_ value: UInt64, _ place: UnsafeMutableRawBufferPointer, _ at: Int) {
    for index in 0..<16 {
      let digit = UInt8(truncatingIfNeeded: value >> UInt64(60 - index * 4) & 15)
      place[at + index] = digit < 10 ? digit &+ UInt8(ascii: "0") : digit &- 10 &+ UInt8(ascii: "a")
    }
  }

  func write(to out: inout ByteBuffer) {
    out.writeWithUnsafeMutableBytes(minimumWritableBytes: 32) {
      write(to: $0)
      return 32
    }
  }

  var text: String {
    String(unsafeUninitializedCapacity: 32) {
      write(to: UnsafeMutableRawBufferPointer($0))
      return 32
    }
  }
}

/// xoshiro256** (Blackman and Vigna), seeded through SplitMix64.
struct RandomBits {
  private var state: (UInt64, UInt64, UInt64, UInt64)

  init(seed: UInt64) {
    var mix = seed
    func next() -> UInt64 {
      mix &+= 0x9e37_79b9_7f4a_7c15
      var z = mix
      z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
      return z ^ z >> 31
    }
    state = (next(), next(), next(), next() | 1)
  }

  mutating func next() -> UInt64 {
    func rotate(_ value: UInt64, _ by: UInt64) -> UInt64 { value << by | value >> (64 - by) }
    let result = rotate(state.1 &* 5, 7) &* 9
    let shifted = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= shifted
    state.3 = rotate(state.3, 45)
    return result
  }

  /// - Parameter wall: nanoseconds since 1970.
  mutating func id(wall: Int64) -> RequestID {
    let milliseconds = UInt64(truncatingIfNeeded: wall / 1_000_000)
    return RequestID(high: milliseconds << 16 | next() & 0xffff, low: next())
  }
}
