// Captures made by hand for tests: pcap and pcapng in both byte orders, and the layers around a UDP payload.

/// Appends integers in a chosen byte order.
struct OrderedWriter {
  var little: Bool
  var bytes: [UInt8] = []

  init(little: Bool) { self.little = little }

  mutating func put<Value: FixedWidthInteger>(_ value: Value) {
    withUnsafeBytes(of: little ? value.littleEndian : value.bigEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func pad() { while bytes.count % 4 != 0 { bytes.append(0) } }
}

/// A classic capture.
func pcap(
  _ packets: [(time: UInt64, bytes: [UInt8])], link: UInt32 = 1, little: Bool = true,
  nanoseconds: Bool = false
) -> [UInt8] {
  var file = OrderedWriter(little: little)
  file.put(nanoseconds ? UInt32(0xa1b2_3c4d) : 0xa1b2_c3d4)
  file.put(UInt16(2))
  file.put(UInt16(4))
  file.put(UInt64(0))
  file.put(UInt32(65_535))
  file.put(link)
  for packet in packets {
    file.put(UInt32(packet.time / 1_000_000_000))
    file.put(UInt32(packet.time % 1_000_000_000 / (nanoseconds ? 1 : 1_000)))
    file.put(UInt32(packet.bytes.count))
    file.put(UInt32(packet.bytes.count))
    file.bytes += packet.bytes
  }
  return file.bytes
}

/// A pcapng block with its two lengths.
func block(_ type: UInt32, little: Bool, _ body: (inout OrderedWriter) -> Void) -> [UInt8] {
  var content = OrderedWriter(little: little)
  body(&content)
  content.pad()
  var block = OrderedWriter(little: little)
  block.put(type)
  block.put(UInt32(content.bytes.count + 12))
  block.bytes += content.bytes
  block.put(UInt32(content.bytes.count + 12))
  return block.bytes
}

/// Section header block.
func sectionHeader(little: Bool) -> [UInt8] {
  block(0x0a0d_0d0a, little: little) {
    $0.put(UInt32(0x1a2b_3c4d))
    $0.put(UInt16(1))
    $0.put(UInt16(0))
    $0.put(UInt64.max)
  }
}

/// Interface description block; `resolution` is the option if_tsresol, `offset` if_tsoffset.
func interface(
  link: UInt16, little: Bool, resolution: UInt8? = nil, offset: Int64? = nil, snapLength: UInt32 = 0
) -> [UInt8] {
  block(1, little: little) {
    $0.put(link)
    $0.put(UInt16(0))
    $0.put(snapLength)
    if let resolution {
      $0.put(UInt16(9))
      $0.put(UInt16(1))
      $0.bytes.append(resolution)
      $0.pad()
    }
    if let offset {
      $0.put(UInt16(14))
      $0.put(UInt16(8))
      $0.put(offset)
    }
    $0.put(UInt32(0))
  }
}

/// Enhanced packet block.
func enhancedPacket(_ bytes: [UInt8], ticks: UInt64, interface: UInt32 = 0, little: Bool) -> [UInt8] {
  block(6, little: little) {
    $0.put(interface)
    $0.put(UInt32(ticks >> 32))
    $0.put(UInt32(truncatingIfNeeded: ticks))
    $0.put(UInt32(bytes.count))
    $0.put(UInt32(bytes.count))
    $0.bytes += bytes
  }
}

/// Simple packet block.
func simplePacket(_ bytes: [UInt8], little: Bool) -> [UInt8] {
  block(3, little: little) {
    $0.put(UInt32(bytes.count))
    $0.bytes += bytes
  }
}

// MARK: - Layers

/// UDP header and payload.
func udp(_ payload: [UInt8]) -> [UInt8] {
  var bytes = OrderedWriter(little: false)
  bytes.put(UInt16(40_000))
  bytes.put(UInt16(26_477))
  bytes.put(UInt16(payload.count + 8))
  bytes.put(UInt16(0))
  return bytes.bytes + payload
}

/// IPv4 header (with `options` words of options) and what it carries.
func ipv4(_ content: [UInt8], options: Int = 0, fragment: UInt16 = 0, number: UInt8 = 17) -> [UInt8] {
  var bytes = OrderedWriter(little: false)
  bytes.put(UInt8(0x45 + options))
  bytes.put(UInt8(0))
  bytes.put(UInt16(20 + options * 4 + content.count))
  bytes.put(UInt16(0))
  bytes.put(fragment)
  bytes.put(UInt8(16))
  bytes.put(number)
  bytes.put(UInt16(0))
  bytes.put(UInt32(0x0a00_0001))
  bytes.put(UInt32(0xe936_0c6f))
  for _ in 0..<options { bytes.put(UInt32(0x0101_0101)) }
  return bytes.bytes + content
}

/// IPv6 header, an empty hop-by-hop extension if wanted, and what it carries.
func ipv6(_ content: [UInt8], hopByHop: Bool = false) -> [UInt8] {
  var bytes = OrderedWriter(little: false)
  bytes.put(UInt32(0x6000_0000))
  bytes.put(UInt16(content.count + (hopByHop ? 8 : 0)))
  bytes.put(UInt8(hopByHop ? 0 : 17))
  bytes.put(UInt8(16))
  bytes.bytes += [UInt8](repeating: 0xfe, count: 32)
  if hopByHop { bytes.bytes += [17, 0, 1, 4, 0, 0, 0, 0] }
  return bytes.bytes + content
}

/// Ethernet header with VLAN tags (their EtherTypes) and what it carries.
func ethernet(_ content: [UInt8], tags: [UInt16] = [], type: UInt16 = 0x0800) -> [UInt8] {
  var bytes = OrderedWriter(little: false)
  bytes.bytes = [UInt8](repeating: 0x02, count: 12)
  for tag in tags {
    bytes.put(tag)
    bytes.put(UInt16(141))
  }
  bytes.put(type)
  return bytes.bytes + content
}
