// Addresses of IPv4 (dotted decimal, RFC 6943, 3.1.1 strict form) and IPv6 (RFC 4291, section 2.2), read from bytes.

/// An address, as 128 bits; one of IPv4 in its last 32.
struct IPAddress: Hashable, Sendable {
  let isIPv6: Bool
  let high: UInt64
  let low: UInt64

  /// Nil where `text` is no address. As `inet_pton`: nothing before or after, no zone.
  init?(_ text: ByteView) {
    if text.firstIndex(of: UInt8(ascii: ":")) == nil {
      guard let address = IPAddress.ipv4(text) else { return nil }
      isIPv6 = false
      high = 0
      low = UInt64(address)
    } else {
      guard let (high, low) = IPAddress.ipv6(text) else { return nil }
      isIPv6 = true
      self.high = high
      self.low = low
    }
  }

  private static func ipv4(_ text: ByteView) -> UInt32? {
    var address: UInt32 = 0
    var parts = 0
    var index = 0
    while parts < 4 {
      if parts > 0 {
        guard index < text.count, text.start[index] == UInt8(ascii: ".") else { return nil }
        index += 1
      }
      let first = index
      var number: UInt32 = 0
      while index < text.count, text.start[index].isDigit, index - first < 3 {
        number = number * 10 + UInt32(text.start[index] & 15)
        index += 1
      }
      // No leading zero: some read it as octal.
      guard index > first, number < 256, index - first == 1 || text.start[first] != UInt8(ascii: "0") else {
        return nil
      }
      address = address << 8 | number
      parts += 1
    }
    return index == text.count ? address : nil
  }

  private static func ipv6(_ text: ByteView) -> (UInt64, UInt64)? {
    // The groups before and after ::, each part as one number of up to 128 bits.
    var groups: (high: UInt64, low: UInt64) = (0, 0)
    var count = 0
    var gap: Int?
    var index = 0
    let colon = UInt8(ascii: ":")
    if text.count >= 2, text.start[0] == colon, text.start[1] == colon {
      gap = 0
      index = 2
    }
    while index < text.count {
      let rest = text.dropFirst(index)
      let end = rest.firstIndex(of: colon) ?? rest.count
      if end == rest.count, rest.firstIndex(of: UInt8(ascii: ".")) != nil {
        guard count <= 6, let tail = ipv4(rest) else { return nil }
        push(UInt64(tail >> 16), &groups)
        push(UInt64(tail & 0xFFFF), &groups)
        count += 2
        index = text.count
        break
      }
      guard count < 8, end > 0, end <= 4 else { return nil }
      var group: UInt64 = 0
      for offset in 0..<end {
        let digit = rest.start[offset].hexDigit
        guard digit < 16 else { return nil }
        group = group << 4 | UInt64(digit)
      }
      push(group, &groups)
      count += 1
      index += end
      guard index < text.count else { break }
      index += 1
      // A colon at the end belongs to a gap.
      guard index < text.count else { return nil }
      if text.start[index] == colon {
        guard gap == nil else { return nil }
        gap = count
        index += 1
      }
    }
    guard let gap else { return count == 8 ? groups : nil }
    guard count < 8 else { return nil }
    return spread(groups, count: count, gap: gap)
  }

  private static func push(_ group: UInt64, _ groups: inout (high: UInt64, low: UInt64)) {
    groups = (groups.high << 16 | groups.low >> 48, groups.low << 16 | group)
  }

  /// Moves the groups before the gap to the front.
  private static func spread(
    _ groups: (high: UInt64, low: UInt64), count: Int, gap: Int
  ) -> (UInt64, UInt64) {
    var all: [UInt64] = []
    var left = groups
    for _ in 0..<count {
      all.insert(left.low & 0xFFFF, at: 0)
      left = (left.high >> 16, left.low >> 16 | left.high << 48)
    }
    all.insert(contentsOf: repeatElement(0, count: 8 - count), at: gap)
    var result: (high: UInt64, low: UInt64) = (0, 0)
    for group in all { push(group, &result) }
    return result
  }
}

/// A network: the addresses that share its first bits.
struct IPNetwork: Hashable, Sendable {
  let first: IPAddress
  let highMask: UInt64
  let lowMask: UInt64

  /// Reads `10.0.0.0/8` or a single address.
  init?(_ text: ByteView) {
    let slash = text.firstIndex(of: UInt8(ascii: "/"))
    guard let address = IPAddress(text.prefix(slash ?? text.count)) else { return nil }
    let width = address.isIPv6 ? 128 : 32
    var bits = width
    if let slash {
      let digits = text.dropFirst(slash + 1)
      guard !digits.isEmpty, digits.count <= 3, digits.buffer.allSatisfy(\.isDigit) else { return nil }
      bits = Int(digits.number)
      guard bits <= width else { return nil }
    }
    first = address
    // Of IPv4 the upper 96 bits are always the same.
    let prefix = bits + 128 - width
    highMask = prefix >= 64 ? .max : ~(UInt64.max >> UInt64(prefix))
    lowMask = prefix <= 64 ? 0 : prefix >= 128 ? .max : ~(UInt64.max >> UInt64(prefix - 64))
  }

  func contains(_ address: IPAddress) -> Bool {
    address.isIPv6 == first.isIPv6 && (address.high ^ first.high) & highMask == 0
      && (address.low ^ first.low) & lowMask == 0
  }
}
