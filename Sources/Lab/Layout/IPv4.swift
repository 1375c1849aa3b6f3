// An IPv4 address and a network of them, as numbers.

/// An IPv4 address.
public struct IPv4: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// In the host's order.
  public var number: UInt32

  public init(number: UInt32) { self.number = number }

  /// Four decimal numbers with dots; nil for anything else.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var number: UInt32 = 0
    for part in parts {
      guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        let value = UInt8(part)
      else { return nil }
      number = number << 8 | UInt32(value)
    }
    self.number = number
  }

  public static func < (one: Self, other: Self) -> Bool { one.number < other.number }

  /// The address so many places on.
  public func advanced(by count: UInt32) -> IPv4 { IPv4(number: number &+ count) }

  public var description: String {
    "\(number >> 24).\(number >> 16 & 255).\(number >> 8 & 255).\(number & 255)"
  }

  /// A loopback address, which every machine has for itself.
  public var isLoopback: Bool { number >> 24 == 127 }

  /// Addresses with a common beginning.
  public struct Network: Sendable, Hashable, CustomStringConvertible {
    public var base: IPv4
    /// Bits that are common, 0 to 32.
    public var length: Int

    /// The network of that length around an address.
    public init(around address: IPv4, length: Int) {
      self.length = length
      base = IPv4(number: length == 0 ? 0 : address.number & (UInt32.max << UInt32(32 - length)))
    }

    public func contains(_ address: IPv4) -> Bool { Network(around: address, length: length) == self }

    public var description: String { "\(base)/\(length)" }
  }
}
