// From a captured packet to the payload of its UDP datagram: link layer, VLAN tags, IPv4 or IPv6, UDP. Lengths
// are checked against what was captured, each by its own header; padding behind the datagram is left out.
// Checksums aren't looked at: captures taken on the sending host don't have them yet.

/// Where a UDP datagram's payload lies within a packet, and where it goes.
public struct Datagram: Sendable, Hashable {
  /// The payload's bytes within the packet.
  public var payload: Range<Int>
  /// UDP port it goes to.
  public var destinationPort: UInt16

  /// Finds the datagram in `packet`.
  /// - Throws: `CaptureFault` whose offset counts from the packet's first byte.
  public init(in packet: RawSpan, link: LinkType) throws(CaptureFault) {
    let (start, version) = try Self.network(in: packet, link: link)
    let transport =
      version == 4 ? try Self.ipv4(in: packet, at: start) : try Self.ipv6(in: packet, at: start)
    guard transport.count >= 8 else {
      throw Self.short("UDP header", transport.count, 8, at: transport.lowerBound)
    }
    let length = Int(packet.u16(transport.lowerBound + 4))
    guard length >= 8 else {
      throw CaptureFault(
        offset: UInt64(transport.lowerBound + 4),
        reason: .field("length of UDP", found: UInt64(length), wanted: "8 or more"))
    }
    guard length <= transport.count else {
      throw Self.short("UDP datagram", transport.count, length, at: transport.lowerBound + 4)
    }
    payload = transport.lowerBound + 8..<transport.lowerBound + length
    destinationPort = packet.u16(transport.lowerBound + 2)
  }

  private static func short(_ what: String, _ found: Int, _ wanted: Int, at offset: Int) -> CaptureFault {
    CaptureFault(offset: UInt64(offset), reason: .cutShort(what: what, found: found, wanted: wanted))
  }

  // MARK: - Link layer

  /// Where IP begins, and its version.
  private static func network(
    in packet: RawSpan, link: LinkType
  ) throws(CaptureFault) -> (start: Int, version: Int) {
    switch link {
    case .ethernet: return try typed(in: packet, typeAt: 12, next: 14, what: "Ethernet header")
    case .linuxCooked: return try typed(in: packet, typeAt: 14, next: 16, what: "Linux cooked header")
    case .linuxCooked2: return try typed(in: packet, typeAt: 0, next: 20, what: "Linux cooked header")
    case .null, .loop:
      guard packet.byteCount >= 4 else { throw short("loopback header", packet.byteCount, 4, at: 0) }
      // The family's byte order isn't told: only one reading gives a small number.
      let family = min(packet.u32(0), packet.u32(0).byteSwapped)
      switch family {
      case 2: return (4, 4)
      case 10, 24, 28, 30: return (4, 6)
      default: throw CaptureFault(offset: 0, reason: .networkProtocol(UInt16(clamping: family)))
      }
    case .raw, .ipv4, .ipv6, LinkType(rawValue: 12), LinkType(rawValue: 14):
      guard packet.byteCount >= 1 else { throw short("IP header", 0, 20, at: 0) }
      let version = Int(packet.u8(0) >> 4)
      guard version == 4 || version == 6 else {
        throw CaptureFault(
          offset: 0, reason: .field("version of IP", found: UInt64(version), wanted: "4 or 6"))
      }
      return (0, version)
    default: throw CaptureFault(offset: 0, reason: .linkType(link.rawValue))
    }
  }

  /// A header with an EtherType, which VLAN tags may follow (802.1Q, 802.1ad; at most four).
  private static func typed(
    in packet: RawSpan, typeAt: Int, next: Int, what: String
  ) throws(CaptureFault) -> (start: Int, version: Int) {
    guard packet.byteCount >= next else { throw short(what, packet.byteCount, next, at: 0) }
    var type = packet.u16(typeAt)
    var typeOffset = typeAt
    var start = next
    for _ in 0..<4 where [0x8100, 0x88a8, 0x9100, 0x9200].contains(type) {
      guard packet.byteCount >= start + 4 else {
        throw short("VLAN tag", packet.byteCount - start, 4, at: start)
      }
      typeOffset = start + 2
      type = packet.u16(typeOffset)
      start += 4
    }
    switch type {
    case 0x0800: return (start, 4)
    case 0x86dd: return (start, 6)
    default: throw CaptureFault(offset: UInt64(typeOffset), reason: .networkProtocol(type))
    }
  }

  // MARK: - IP

  private static func ipv4(in packet: RawSpan, at start: Int) throws(CaptureFault) -> Range<Int> {
    let left = packet.byteCount - start
    guard left >= 20 else { throw short("IPv4 header", left, 20, at: start) }
    let first = packet.u8(start)
    guard first >> 4 == 4 else {
      throw CaptureFault(
        offset: UInt64(start),
        reason: .field("version of IP", found: UInt64(first >> 4), wanted: "4"))
    }
    let header = Int(first & 0x0f) * 4
    guard header >= 20 else {
      throw CaptureFault(
        offset: UInt64(start),
        reason: .field("length of the IPv4 header", found: UInt64(header), wanted: "20 to 60"))
    }
    let total = Int(packet.u16(start + 2))
    guard total >= header else {
      throw CaptureFault(
        offset: UInt64(start + 2),
        reason: .field("total length of IPv4", found: UInt64(total), wanted: "\(header) or more"))
    }
    let fragment = packet.u16(start + 6)
    guard fragment & 0x3fff == 0 else {
      throw CaptureFault(
        offset: UInt64(start + 6), reason: .fragment(offset: Int(fragment & 0x1fff) * 8))
    }
    let number = packet.u8(start + 9)
    guard number == 17 else {
      throw CaptureFault(offset: UInt64(start + 9), reason: .transportProtocol(number))
    }
    guard total <= left else { throw short("IPv4 packet", left, total, at: start + 2) }
    return start + header..<start + total
  }

  private static func ipv6(in packet: RawSpan, at start: Int) throws(CaptureFault) -> Range<Int> {
    let left = packet.byteCount - start
    guard left >= 40 else { throw short("IPv6 header", left, 40, at: start) }
    let version = packet.u8(start) >> 4
    guard version == 6 else {
      throw CaptureFault(
        offset: UInt64(start), reason: .field("version of IP", found: UInt64(version), wanted: "6"))
    }
    let end = start + 40 + Int(packet.u16(start + 4))
    guard end <= packet.byteCount else {
      throw short("IPv6 packet", left, end - start, at: start + 4)
    }
    var number = packet.u8(start + 6)
    var place = start + 40
    while true {
      switch number {
      case 17: return place..<end
      case 0, 43, 60, 44, 51:  // hop-by-hop, routing, destination, fragment, authentication
        guard end - place >= 8 else { throw short("IPv6 extension", end - place, 8, at: place) }
        let units = Int(packet.u8(place + 1))
        let size = number == 44 ? 8 : number == 51 ? (units + 2) * 4 : (units + 1) * 8
        if number == 44, packet.u16(place + 2) & 0xfff9 != 0 {
          throw CaptureFault(
            offset: UInt64(place + 2), reason: .fragment(offset: Int(packet.u16(place + 2) & 0xfff8)))
        }
        number = packet.u8(place)
        guard end - place >= size else { throw short("IPv6 extension", end - place, size, at: place) }
        place += size
      default: throw CaptureFault(offset: UInt64(start + 6), reason: .transportProtocol(number))
      }
    }
  }
}
