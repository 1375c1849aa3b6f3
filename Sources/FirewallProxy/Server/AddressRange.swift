// A range of addresses (CIDR), and what a client's address is worth behind proxies that are trusted.

import Glibc

/// `10.0.0.0/8`, `2001:db8::/32`, or one address.
public struct AddressRange: Sendable, Hashable {
  private let bytes: [UInt8]
  private let bits: Int

  /// Reads an address or a range; nil where it is neither.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = parts.first.flatMap({ Self.octets(String($0)) }) else { return nil }
    // What is written as IPv4 counts its bits from there.
    let offset = parts[0].contains(":") ? 0 : 96
    if parts.count == 2 {
      guard let bits = Int(parts[1]), bits >= 0, bits + offset <= 128 else { return nil }
      self.bits = bits + offset
    } else {
      bits = 128
    }
    bytes = address
  }

  func contains(_ other: [UInt8]) -> Bool {
    guard other.count == 16 else { return false }
    let whole = bits / 8
    guard bytes[..<whole].elementsEqual(other[..<whole]) else { return false }
    let rest = bits % 8
    guard rest > 0 else { return true }
    let mask = UInt8(truncatingIfNeeded: 0xff00 >> rest)
    return bytes[whole] & mask == other[whole] & mask
  }

  /// 16 bytes; IPv4 as it stands in IPv6.
  static func octets(_ address: String) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 16)
    if inet_pton(AF_INET, address, &bytes) == 1 {
      return [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] + bytes[..<4]
    }
    return inet_pton(AF_INET6, address, &bytes) == 1 ? bytes : nil
  }
}
