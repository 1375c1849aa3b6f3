// Captures: both formats, both byte orders, all link layers that are read, and what is wrong with others.

import FeedProtocols
import MarketData
import Testing

/// What a reader made of a file.
private struct Captured: Equatable {
  struct Packet: Equatable {
    var time: UInt64
    var payload: [UInt8]
  }
  var packets: [Packet] = []
  /// Faults of the file, and of packets (with offsets in the file).
  var faults: [CaptureFault] = []
}

/// Reads `file`, shown `step` more bytes at a time.
private func read(_ file: [UInt8], step: Int = .max) -> Captured {
  var result = Captured()
  var reader = CaptureReader()
  var window: [UInt8] = []
  var given = 0
  var position = 0
  for _ in 0..<(file.count + 10) * 4 {
    switch reader.next(in: window.span.bytes, at: &position, isLast: given == file.count) {
    case .packet(let packet):
      #expect(packet.range.upperBound <= window.count)
      let bytes = [UInt8](window[packet.range])
      #expect(Array(file[Int(packet.fileOffset)..<Int(packet.fileOffset) + bytes.count]) == bytes)
      do throws(CaptureFault) {
        let datagram = try Datagram(in: bytes.span.bytes, link: packet.link)
        result.packets.append(
          .init(time: packet.timestampNanoseconds, payload: [UInt8](bytes[datagram.payload])))
      } catch {
        #expect(error.offset <= UInt64(bytes.count))
        result.faults.append(CaptureFault(offset: packet.fileOffset + error.offset, reason: error.reason))
      }
    case .fault(let fault):
      #expect(!fault.description.isEmpty)
      result.faults.append(fault)
    case .needMore:
      #expect(given < file.count)
      window.removeFirst(position)
      position = 0
      let more = min(step, file.count - given)
      window += file[given..<given + more]
      given += more
    case .end: return result
    }
  }
  Issue.record("the reader doesn't come to an end")
  return result
}

private let payload = Array("Guten Tag".utf8)
private let time: UInt64 = 1_692_710_232_000_059_938

@Suite("Captures")
struct CaptureTests {
  @Test(arguments: [true, false], [true, false])
  func pcapInAnyByteOrderAndPrecision(little: Bool, nanoseconds: Bool) {
    let packet = ethernet(ipv4(udp(payload)))
    let file = pcap([(time, packet), (time + 1, packet)], little: little, nanoseconds: nanoseconds)
    let times = nanoseconds ? [time, time + 1] : [time / 1_000 * 1_000, (time + 1) / 1_000 * 1_000]
    let expected = Captured(packets: times.map { .init(time: $0, payload: payload) })
    for step in [1, 5, 64, .max] { #expect(read(file, step: step) == expected) }
  }

  @Test(arguments: [true, false])
  func pcapngWithSectionsInterfacesAndResolutions(little: Bool) {
    let other = !little
    let packet = ethernet(ipv4(udp(payload)))
    let file =
      sectionHeader(little: little) + interface(link: 1, little: little)
      + interface(link: 101, little: little, resolution: 9)
      + interface(link: 1, little: little, resolution: 0x94)  // 2^-20
      + interface(link: 1, little: little, resolution: 3, offset: 1_000)
      + enhancedPacket(packet, ticks: time / 1_000, little: little)
      + block(5, little: little) { $0.put(UInt64(0)) }
      + enhancedPacket(ipv4(udp(payload)), ticks: time, interface: 1, little: little)
      + enhancedPacket(packet, ticks: 3 << 20 | 1 << 19, interface: 2, little: little)
      + enhancedPacket(packet, ticks: 2_500, interface: 3, little: little)
      + simplePacket(packet, little: little)
      + sectionHeader(little: other) + interface(link: 101, little: other, resolution: 9)
      + enhancedPacket(ipv4(udp(payload)), ticks: 7, little: other)
    let times = [time / 1_000 * 1_000, time, 3_500_000_000, 1_002_500_000_000, 0, 7]
    let expected = Captured(packets: times.map { .init(time: $0, payload: payload) })
    for step in [1, 5, 64, .max] { #expect(read(file, step: step) == expected) }
  }

  @Test func allLinkLayers() {
    let content = ipv4(udp(payload))
    let six = ipv6(udp(payload), hopByHop: true)
    let cooked: [UInt8] = [0, 0, 0, 1, 0, 6] + [UInt8](repeating: 2, count: 8)
    let cooked2: [UInt8] = [0, 0, 0, 0, 0, 1, 0, 1, 0, 6] + [UInt8](repeating: 2, count: 8)
    let packets: [(link: UInt32, bytes: [UInt8])] = [
      (1, ethernet(content)), (1, ethernet(content, tags: [0x8100])),
      (1, ethernet(content, tags: [0x88a8, 0x8100])), (1, ethernet(six, type: 0x86dd)),
      (1, ethernet(ipv6(udp(payload)), tags: [0x8100], type: 0x86dd)),
      (1, ethernet(ipv4(udp(payload), options: 3)) + [0, 0, 0, 0]),
      (113, cooked + [0x08, 0x00] + content), (113, cooked + [0x86, 0xdd] + six),
      (276, [0x08, 0x00] + cooked2 + content), (101, content), (101, six), (228, content), (229, six),
      (0, [2, 0, 0, 0] + content), (0, [0, 0, 0, 2] + content), (108, [0, 0, 0, 24] + six),
    ]
    for packet in packets {
      let result = read(pcap([(time, packet.bytes)], link: packet.link, nanoseconds: true))
      #expect(result.faults == [] && result.packets == [.init(time: time, payload: payload)])
    }
  }

  @Test func whatIsNoWholeDatagramIsReportedWithItsPlace() {
    let first: UInt64 = 40
    func fault(_ packet: [UInt8], link: UInt32 = 1) -> CaptureFault? {
      let good = ethernet(ipv4(udp(payload)))
      let result = read(pcap([(time, packet), (time, link == 1 ? good : [])], link: link))
      if link == 1 { #expect(result.packets.count == 1) }
      return result.faults.first
    }
    #expect(fault([], link: 147) == CaptureFault(offset: first, reason: .linkType(147)))
    #expect(
      fault(ethernet([1, 2], type: 0x0806))
        == CaptureFault(offset: first + 12, reason: .networkProtocol(0x0806)))
    #expect(
      fault(ethernet(ipv4([0, 0], number: 6)))
        == CaptureFault(offset: first + 23, reason: .transportProtocol(6)))
    #expect(
      fault(ethernet(ipv4(udp(payload), fragment: 0x2000)))
        == CaptureFault(offset: first + 20, reason: .fragment(offset: 0)))
    #expect(
      fault(ethernet(ipv4(udp(payload), fragment: 3)))
        == CaptureFault(offset: first + 20, reason: .fragment(offset: 24)))
    var long = udp(payload)
    long[5] += 1
    let reason = CaptureFault.Reason.cutShort(what: "UDP datagram", found: 17, wanted: 18)
    #expect(fault(ethernet(ipv4(long))) == CaptureFault(offset: first + 38, reason: reason))
    let whole = ethernet(ipv4(udp(payload)), tags: [0x8100])
    for count in 0..<whole.count { #expect(fault(Array(whole[..<count])) != nil) }
    let six = ethernet(ipv6(udp(payload), hopByHop: true), type: 0x86dd)
    for count in 0..<six.count { #expect(fault(Array(six[..<count])) != nil) }
  }

  @Test func everyTruncationOfAFileIsReportedOnce() {
    let packet = ethernet(ipv4(udp(payload)))
    let classic = pcap([(time, packet)])
    for count in 0..<classic.count where count != 24 {
      let result = read(Array(classic[..<count]))
      #expect(result.packets.isEmpty && result.faults.count == 1)
    }
    let head = sectionHeader(little: true) + interface(link: 1, little: true)
    let blocks = head + enhancedPacket(packet, ticks: 1, little: true)
    for count in head.count + 1..<blocks.count {
      let result = read(Array(blocks[..<count]))
      #expect(result.packets.isEmpty && result.faults.map(\.offset) == [UInt64(head.count)])
    }
  }

  @Test func impossibleSizesEndTheFile() {
    var file = pcap([(time, [1])])
    file[35] = 0xff  // captured length
    let reason = CaptureFault.Reason.tooLong(
      what: "record", bytes: 0xff00_0001, limit: CaptureReader.maximumRecordBytes - 16)
    #expect(read(file).faults == [CaptureFault(offset: 32, reason: reason)])
    var blocks = sectionHeader(little: false) + interface(link: 1, little: false)
    let start = blocks.count
    blocks += enhancedPacket([1, 2, 3, 4], ticks: 1, little: false)
    var odd = blocks
    odd[start + 7] += 1
    #expect(read(odd).faults.map(\.offset) == [UInt64(start + 4)])
    var different = blocks
    different[blocks.count - 1] += 4
    #expect(read(different).faults.map(\.offset) == [UInt64(blocks.count - 4)])
    var foreign = blocks
    foreign[start + 11] = 9
    #expect(
      read(foreign).faults == [.init(offset: UInt64(start + 8), reason: .unknownInterface(9, known: 1))])
    #expect(
      read(Array("not a capture".utf8)).faults == [.init(offset: 0, reason: .notACapture(magic: 0x6e6f_7420))]
    )
  }

  @Test func resolutionsOfAllSizesAreHeldWithinSixtyFourBits() {
    for resolution in UInt8.min...UInt8.max {
      let file =
        sectionHeader(little: true) + interface(link: 101, little: true, resolution: resolution)
        + enhancedPacket(ipv4(udp(payload)), ticks: .max, little: true)
      #expect(read(file).packets.count == 1)
    }
  }
}

@Suite("Captures Fuzz")
struct CaptureFuzzTests {
  @Test func changedCapturesNeverTrapAndCutsDontMatter() {
    var random = generator("capture fuzz")
    let content = ipv4(udp(payload))
    fuzz(rounds: 1_500) {
      let little = random.next() & 1 == 0
      var file: [UInt8]
      if random.next() & 1 == 0 {
        let links: [UInt32] = [0, 1, 101, 108, 113, 229, 276]
        let link = links[Int(random.next() % UInt64(links.count))]
        file = pcap(
          [(time, ethernet(content, tags: [0x8100])), (time, ethernet(ipv6(udp(payload)), type: 0x86dd))],
          link: link, little: little)
      } else {
        file = sectionHeader(little: little) + interface(link: 1, little: little, resolution: 9)
        for _ in 0..<3 { file += enhancedPacket(ethernet(content), ticks: random.next(), little: little) }
        file += simplePacket(ethernet(content), little: little)
      }
      for _ in 0..<1 + random.next() % 5 {
        file[Int(random.next() % UInt64(file.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      file.removeLast(Int(random.next() % 20))
      let whole = read(file)
      #expect(read(file, step: 1 + Int(random.next() % 60)) == whole)
    }
  }
}
