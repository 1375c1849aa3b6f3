// pcapng: blocks of a type, a length, a body and the length again, in sections with their own byte order and
// interfaces. Read are section header, interface description, and the three blocks that carry packets;
// other blocks (names, statistics, secrets) say nothing about prices and are passed over.

/// What the blocks of a section so far say.
struct PcapNGSection: Sendable {
  /// One interface.
  struct Interface: Sendable {
    var link: LinkType
    var snapLength: UInt32
    var resolution: TimestampResolution
    var offsetSeconds: Int64
  }

  /// Most interfaces a section may describe.
  static let maximumInterfaces = 4_096

  var little = true
  var interfaces: [Interface] = []
}

/// Units of a timestamp (option if_tsresol).
struct TimestampResolution: Sendable {
  /// The option's byte: highest bit set = negative power of two, else of ten.
  var code: UInt8 = 6

  /// Nanoseconds of `ticks`, held at the highest value where that doesn't fit.
  func nanoseconds(_ ticks: UInt64) -> UInt64 {
    let exponent = UInt64(code & 0x7f)
    if code & 0x80 != 0 {
      guard exponent < 64 else { return 0 }
      let seconds = ticks >> exponent
      let fraction = ticks & ((1 << exponent) &- 1)
      let product = fraction.multipliedFullWidth(by: 1_000_000_000)
      let rest = exponent == 0 ? 0 : product.high << (64 - exponent) | product.low >> exponent
      return Self.sum(Self.product(seconds, 1_000_000_000), rest)
    }
    var power: UInt64 = 1
    for _ in 0..<(exponent > 9 ? exponent - 9 : 9 - exponent) {
      power = Self.product(power, 10)
    }
    return exponent > 9 ? ticks / power : Self.product(ticks, power)
  }

  private static func product(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let (value, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow ? .max : value
  }

  private static func sum(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let (value, overflow) = a.addingReportingOverflow(b)
    return overflow ? .max : value
  }
}

extension CaptureReader {
  /// One block; nil = passed over, come again.
  mutating func block(
    _ section: inout PcapNGSection, in window: RawSpan, at position: inout Int, isLast: Bool
  ) -> Step? {
    let left = window.byteCount - position
    if left == 0 { return isLast ? .end : .needMore }
    guard left >= 12 else {
      if !isLast { return .needMore }
      return end(.truncated(what: "block", found: left, wanted: 12), at: offset)
    }
    let isSectionHeader = window.u32(position) == 0x0a0d_0d0a
    if isSectionHeader {
      switch window.u32(position + 8) {
      case 0x1a2b_3c4d: section = PcapNGSection(little: false)
      case 0x4d3c_2b1a: section = PcapNGSection(little: true)
      case let magic:
        return end(
          .field("byte-order magic", found: UInt64(magic), wanted: "439041101 (0x1a2b3c4d)"), at: offset + 8)
      }
    }
    let type = window.u32(position, little: section.little)
    let total = window.u32(position + 4, little: section.little)
    guard total >= 12, total % 4 == 0 else {
      return end(
        .field("length of a block", found: UInt64(total), wanted: "12 or more, a multiple of 4"),
        at: offset + 4)
    }
    let carriesPacket = type == 6 || type == 3 || type == 2
    guard carriesPacket || isSectionHeader || type == 1 else {
      state = .skipping(UInt64(total), section)
      return nil
    }
    guard total <= UInt32(Self.maximumRecordBytes) else {
      return end(.tooLong(what: "block", bytes: total, limit: Self.maximumRecordBytes), at: offset + 4)
    }
    let count = Int(total)
    guard left >= count else {
      if !isLast { return .needMore }
      return end(.truncated(what: "block", found: left, wanted: count), at: offset)
    }
    let again = window.u32(position + count - 4, little: section.little)
    guard again == total else {
      return end(
        .field("second length of a block", found: UInt64(again), wanted: "\(total) as its first"),
        at: offset + UInt64(count - 4))
    }
    let body = position + 8..<position + count - 4
    let step: Step?
    switch type {
    case 1: step = interface(&section, body: window.extracting(body))
    case _ where carriesPacket: step = packet(section, type: type, body: body, in: window)
    default: step = nil
    }
    state = .pcapng(section)
    use(count, at: &position)
    return step
  }

  private func fault(_ reason: CaptureFault.Reason, at place: Int) -> Step {
    .fault(CaptureFault(offset: offset + 8 + UInt64(place), reason: reason))
  }

  private func interface(_ section: inout PcapNGSection, body: RawSpan) -> Step? {
    guard body.byteCount >= 8 else {
      return fault(.cutShort(what: "interface description", found: body.byteCount, wanted: 8), at: 0)
    }
    guard section.interfaces.count < PcapNGSection.maximumInterfaces else {
      return fault(
        .field(
          "interfaces of a section", found: UInt64(section.interfaces.count) + 1,
          wanted: "at most \(PcapNGSection.maximumInterfaces)"), at: 0)
    }
    let little = section.little
    var interface = PcapNGSection.Interface(
      link: LinkType(rawValue: UInt32(body.u16(0, little: little))),
      snapLength: body.u32(4, little: little), resolution: TimestampResolution(), offsetSeconds: 0)
    var place = 8
    while body.byteCount - place >= 4 {
      let code = body.u16(place, little: little)
      let length = Int(body.u16(place + 2, little: little))
      if code == 0 { break }
      guard body.byteCount - place - 4 >= length else {
        section.interfaces.append(interface)
        return fault(
          .cutShort(
            what: "option \(code) of an interface", found: body.byteCount - place - 4, wanted: length),
          at: place)
      }
      if code == 9, length >= 1 { interface.resolution.code = body.u8(place + 4) }
      if code == 14, length >= 8 {
        interface.offsetSeconds = Int64(bitPattern: body.u64(place + 4, little: little))
      }
      place += 4 + (length + 3) / 4 * 4
    }
    section.interfaces.append(interface)
    return nil
  }

  /// Enhanced (6), simple (3) or obsolete (2) packet block. `body` is within the window.
  private func packet(
    _ section: PcapNGSection, type: UInt32, body: Range<Int>, in window: RawSpan
  ) -> Step {
    let little = section.little
    let header = type == 3 ? 4 : 20
    guard body.count >= header else {
      return fault(.cutShort(what: "packet block", found: body.count, wanted: header), at: 0)
    }
    let start = body.lowerBound
    let number: UInt32 =
      switch type {
      case 6: window.u32(start, little: little)
      case 2: UInt32(window.u16(start, little: little))
      default: 0
      }
    guard number < UInt32(section.interfaces.count) else {
      return fault(.unknownInterface(number, known: section.interfaces.count), at: 0)
    }
    let interface = section.interfaces[Int(number)]
    let original = window.u32(start + header - 4, little: little)
    var captured = original
    var time: UInt64 = 0
    if type == 3 {
      if interface.snapLength > 0 { captured = min(captured, interface.snapLength) }
      captured = min(captured, UInt32(body.count - header))
    } else {
      captured = window.u32(start + 12, little: little)
      let ticks =
        UInt64(window.u32(start + 4, little: little)) << 32
        | UInt64(window.u32(start + 8, little: little))
      time = interface.resolution.nanoseconds(ticks)
      let shift = interface.offsetSeconds.multipliedReportingOverflow(by: 1_000_000_000)
      if !shift.overflow { time = time &+ UInt64(bitPattern: shift.partialValue) }
    }
    guard Int(captured) <= body.count - header else {
      return fault(
        .cutShort(what: "packet block", found: body.count - header, wanted: Int(captured)), at: header)
    }
    let first = start + header
    return .packet(
      CapturedPacket(
        range: first..<first + Int(captured), link: interface.link, timestampNanoseconds: time,
        recordOffset: offset, fileOffset: offset + 8 + UInt64(header), originalByteCount: Int(original)))
  }
}
