// The classic capture format: a file header of 24 bytes, then records of 16 bytes and a packet. The magic number
// tells byte order and whether fractions of a second are micro- or nanoseconds.

/// What the file header says.
struct PcapLayout: Sendable {
  var little: Bool
  var nanoseconds: Bool
  var link: LinkType
}

extension CaptureReader {
  mutating func fileHeader(in window: RawSpan, at position: inout Int, isLast: Bool) -> Step? {
    let left = window.byteCount - position
    guard left >= 24 else {
      if !isLast { return .needMore }
      return end(.truncated(what: "file header", found: left, wanted: 24), at: offset)
    }
    let magic = window.u32(position)
    let little = magic == 0xd4c3_b2a1 || magic == 0x4d3c_b2a1
    let major = window.u16(position + 4, little: little)
    guard major == 2 else {
      return end(.field("version of pcap", found: UInt64(major), wanted: "2"), at: offset + 4)
    }
    // The upper bits say whether a frame check sequence is kept: IP's own length leaves it out.
    let link = LinkType(rawValue: window.u32(position + 20, little: little) & 0x0fff_ffff)
    let nanoseconds = magic == 0xa1b2_3c4d || magic == 0x4d3c_b2a1
    state = .pcap(PcapLayout(little: little, nanoseconds: nanoseconds, link: link))
    use(24, at: &position)
    return nil
  }

  mutating func record(
    _ layout: PcapLayout, in window: RawSpan, at position: inout Int, isLast: Bool
  ) -> Step? {
    let left = window.byteCount - position
    if left == 0 { return isLast ? .end : .needMore }
    guard left >= 16 else {
      if !isLast { return .needMore }
      return end(.truncated(what: "record header", found: left, wanted: 16), at: offset)
    }
    let seconds = UInt64(window.u32(position, little: layout.little))
    let fraction = UInt64(window.u32(position + 4, little: layout.little))
    let captured = window.u32(position + 8, little: layout.little)
    let original = window.u32(position + 12, little: layout.little)
    guard captured <= UInt32(Self.maximumRecordBytes - 16) else {
      let reason = CaptureFault.Reason.tooLong(
        what: "record", bytes: captured, limit: Self.maximumRecordBytes - 16)
      return end(reason, at: offset + 8)
    }
    let count = Int(captured)
    guard left - 16 >= count else {
      if !isLast { return .needMore }
      return end(.truncated(what: "packet", found: left - 16, wanted: count), at: offset)
    }
    let time = seconds * 1_000_000_000 + fraction * (layout.nanoseconds ? 1 : 1_000)
    let packet = CapturedPacket(
      range: position + 16..<position + 16 + count, link: layout.link, timestampNanoseconds: time,
      recordOffset: offset, fileOffset: offset + 16, originalByteCount: Int(original))
    use(16 + count, at: &position)
    return .packet(packet)
  }
}
