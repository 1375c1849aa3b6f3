// Captures: from packet to run. What the state means stands in CaptureFeed.swift.

import FeedProtocols

extension FeedFile {
  /// The next event of the capture being read; nil at its end.
  func nextCaptured(maxMessages: Int) throws(FeedFileError) -> FeedEvent? {
    while true {
      if let event = settled(maxMessages: maxMessages) { return event }
      if let packet = capture.waiting {
        if let event = consider(packet) { return event }
        continue
      }
      let content = UnsafeRawBufferPointer(rebasing: window[..<filled])
      switch capture.reader.next(in: content.bytes, at: &place, isLast: isLast) {
      case .packet(let packet):
        if let bad = open(packet, in: content.bytes) { return .bad(bad) }
      case .fault(let fault):
        return .bad(
          BadMessage(file: currentPath, offset: fault.offset, type: nil, reason: fault.description))
      case .needMore: try fill()
      case .end: return nil
      }
    }
  }

  /// What can be said without reading on: messages of the current packet, of held packets whose turn it is, and
  /// gaps that are to be declared. Nil = read on.
  func settled(maxMessages: Int) -> FeedEvent? {
    while true {
      if let event = nextOfCurrent(maxMessages: maxMessages) { return event }
      guard let first = capture.held.first, let next = capture.next else {
        capture.flushes = false
        return nil
      }
      if first.sequence <= next {
        capture.held.removeFirst()
        takeHeld(first, next: next)
      } else if capture.flushes || capture.held.count > CaptureFeed.maximumHeld || capture.isOverdue {
        capture.next = first.sequence
        return .gap(session: sessionText, from: next, through: first.sequence - 1)
      } else {
        return nil
      }
    }
  }

  private var sessionText: String { capture.session?.description ?? "" }

  /// Finds the MoldUDP64 packet in a captured one and lets it wait; or says why there is none.
  private func open(_ captured: CapturedPacket, in content: RawSpan) -> BadMessage? {
    let bytes = content.extracting(captured.range)
    let start: Int
    do throws(CaptureFault) {
      let datagram = try Datagram(in: bytes, link: captured.link)
      start = datagram.payload.lowerBound
      let payload = bytes.extracting(datagram.payload)
      do throws(MoldUDP64Error) {
        let header = try MoldUDP64Header.validated(payload)
        if header.blockCount == 0 { heartbeatCount += 1 }
        let first = captured.range.lowerBound + start
        capture.waiting = CaptureFeed.Packet(
          range: first + MoldUDP64Header.byteCount..<first + datagram.payload.count,
          sequence: header.sequence, remaining: header.blockCount, session: header.session,
          time: captured.timestampNanoseconds,
          fileOffset: captured.fileOffset + UInt64(start + MoldUDP64Header.byteCount))
        capture.latestTime = max(capture.latestTime, captured.timestampNanoseconds)
        return nil
      } catch {
        return BadMessage(
          file: currentPath, offset: captured.fileOffset + UInt64(start + error.offset), type: nil,
          reason: error.description)
      }
    } catch {
      return BadMessage(
        file: currentPath, offset: captured.fileOffset + error.offset, type: nil,
        reason: error.description)
    }
  }

  /// Decides about the waiting packet. Nil = decided or something else comes first: ask `settled` again.
  private func consider(_ packet: CaptureFeed.Packet) -> FeedEvent? {
    if packet.session == .zero, packet.sequence == 0 {
      capture.waiting = nil
      var packet = packet
      packet.sequence = capture.nextOwn
      capture.nextOwn += UInt64(packet.remaining)
      if packet.remaining > 0 { capture.current = packet }
      return nil
    }
    if packet.session != capture.session {
      guard capture.held.isEmpty else {
        capture.flushes = true
        return nil
      }
      capture.change(to: packet.session)
      return .session(packet.session.description)
    }
    capture.waiting = nil
    let next = capture.next ?? packet.sequence
    capture.next = next
    if packet.sequence > next {
      // The same heartbeat again says nothing new.
      let known = packet.remaining == 0 && capture.held.contains { $0.sequence == packet.sequence }
      if !known { capture.hold(packet, bytes: UnsafeRawBufferPointer(window)) }
    } else {
      take(packet, next: next)
    }
    return nil
  }

  private func takeHeld(_ packet: CaptureFeed.Packet, next: UInt64) {
    var packet = packet
    packet.held.withUnsafeBytes { scratch.copyMemory(from: $0) }
    packet.held = []
    packet.inScratch = true
    take(packet, next: next)
  }

  /// Begins with a packet whose turn it is; what came already is left out.
  private func take(_ packet: CaptureFeed.Packet, next: UInt64) {
    var packet = packet
    let skipped = min(next - packet.sequence, UInt64(packet.remaining))
    duplicateCount += skipped
    guard skipped < UInt64(packet.remaining) else { return }
    let bytes = bytes(of: packet).bytes
    var place = packet.range.lowerBound
    for _ in 0..<skipped { place += 2 + Int(bytes.u16(place)) }
    packet.advance(to: place, messages: Int(skipped))
    capture.next = packet.end
    capture.current = packet
  }

  private func bytes(of packet: CaptureFeed.Packet) -> UnsafeRawBufferPointer {
    packet.inScratch ? UnsafeRawBufferPointer(scratch) : UnsafeRawBufferPointer(window)
  }

  /// A run of good messages of the current packet, or its next bad one.
  private func nextOfCurrent(maxMessages: Int) -> FeedEvent? {
    guard var packet = capture.current else { return nil }
    let bytes = bytes(of: packet)
    let span = bytes.bytes
    let most = min(max(1, maxMessages), packet.remaining)
    var place = packet.range.lowerBound
    var count = 0
    var bad: ITCHError?
    // Lengths lie within the packet: MoldUDP64Header.validated has seen them all.
    while count < most {
      let end = place + 2 + Int(span.u16(place))
      if let fault = ITCHMessageTable.fault(in: span.extracting(place + 2..<end)) {
        guard count == 0 else { break }
        bad = fault
      }
      place = end
      count += 1
      if bad != nil { break }
    }
    let range = packet.range.lowerBound..<place
    let sequence = packet.sequence
    let number = nextFileMessageNumber
    let offset = packet.fileOffset
    packet.advance(to: place, messages: count)
    capture.current = packet.remaining > 0 ? packet : nil
    nextFileMessageNumber += UInt64(count)
    if let bad {
      return .bad(
        BadMessage(
          file: currentPath, offset: offset, type: range.count > 2 ? bad.type : nil,
          reason: bad.description, sequence: sequence, fileMessageNumber: number))
    }
    return .messages(
      MessageRun(
        bytes: UnsafeRawBufferPointer(rebasing: bytes[range]), count: count, firstSequence: sequence,
        receivedAtNanoseconds: packet.time, firstFileMessageNumber: number))
  }
}

extension CaptureFeed.Packet {
  /// Moves behind `messages` messages, to the byte at `place`.
  mutating func advance(to place: Int, messages: Int) {
    fileOffset += UInt64(place - range.lowerBound)
    range = place..<range.upperBound
    sequence += UInt64(messages)
    remaining -= messages
  }
}

extension FeedFile {
  /// The first packet's time in a capture that begins with `bytes`.
  static func firstCaptureNanoseconds(in bytes: [UInt8]) -> UInt64? {
    var reader = CaptureReader()
    var position = 0
    guard CaptureReader.format(of: bytes.span.bytes) != nil else { return nil }
    while true {
      switch reader.next(in: bytes.span.bytes, at: &position, isLast: false) {
      case .packet(let packet): return packet.timestampNanoseconds
      case .fault: continue
      case .needMore, .end: return nil
      }
    }
  }
}
