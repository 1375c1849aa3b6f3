// A digest of a state that is the same in every process, on every machine, for ever.
// Not cryptographic: it finds differences, it doesn't resist an attacker.

/// Sixty-four bits over a sequence of integers.
public struct StateDigest: Sendable, Hashable, CustomStringConvertible {
  /// The digest so far.
  @inlinable
  public var value: UInt64 { sum }
  @usableFromInline var sum: UInt64

  /// An empty digest.
  @inlinable
  public init() { self.init(value: 0x6b61_6275_746f_0001) }

  @usableFromInline
  init(value: UInt64) { sum = value }

  /// Adds an integer; order counts.
  @inlinable
  public mutating func combine(_ other: UInt64) {
    sum = Self.mix(sum ^ Self.mix(other &+ 0x9e37_79b9_7f4a_7c15)) &+ other
  }

  /// Adds an integer; order counts.
  @inlinable
  public mutating func combine(_ other: Int64) { combine(UInt64(bitPattern: other)) }

  /// Adds a text.
  public mutating func combine(_ text: String) {
    combine(UInt64(text.utf8.count))
    for byte in text.utf8 { combine(UInt64(byte)) }
  }

  /// A bijection of 64 bits that spreads every bit (the finaliser of SplitMix64).
  @inlinable
  public static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// Sixteen hexadecimal digits.
  public var description: String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
  }
}

/// A seeded generator (SplitMix64): the same numbers for the same seed, everywhere.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  @usableFromInline var state: UInt64

  /// A generator; the seed decides all that follows.
  @inlinable
  public init(seed: UInt64) { state = seed }

  /// The next 64 bits.
  @inlinable
  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    return StateDigest.mix(state)
  }
}
