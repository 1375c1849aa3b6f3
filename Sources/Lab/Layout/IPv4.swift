// An IPv4 address and a network of them, as numbers.

/// An IPv4 address.
struct IPv4: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// In the host's order.
  var number: UInt32

  init(number: UInt32) { self.number = number }

  /// Four decimal numbers with dots; nil for anything else.
  init?(_ text: some StringProtocol) {
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

  static func < (one: Self, other: Self) -> Bool { one.number < other.number }

  /// The address so many places on.
  func advanced(by count: UInt32) -> IPv4 { IPv4(number: number &+ count) }

  var description: String {
    "\(number >> 24).\(number >> 16 & 255).\(number >> 8 & 255).\(number & 255)"
  }

  /// A loopback address, which every machine has for itself.
  var isLoopback: Bool { number >> 24 == 127 }

  /// Addresses with a common beginning.
  struct Network: Sendable, Hashable, CustomStringConvertible {
    var base: IPv4
    /// Bits that are common, 0 to 32.
    var length: Int

    /// The network of that length around an address.
    init(around address: IPv4, length: Int) {
      self.length = length
      base = IPv4(number: length == 0 ? 0 : address.number & (UInt32.max << UInt32(32 - length)))
    }

    func contains(_ address: IPv4) -> Bool { Network(around: address, length: length) == self }

    var description: String { "\(base)/\(length)" }
  }
}
