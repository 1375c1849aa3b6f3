// Which instruments there are, where they are taken one by one: asked for with each epoch and from time to time, facts
// alone. Who isn't taken is announced as unheard: nothing of it but its facts is shown, and those as of the list.

import MarketData
import TickerPlant

/// The list of instruments of the epoch that is followed.
struct Listing {
  /// Of which epoch there is one; nil = none came yet.
  var epoch: EpochKey?
  /// When it came.
  var at: UInt64 = 0
  /// Who was asked, when, and as which incarnation it answers; nil: nobody is.
  var request: (stream: Int, at: UInt64)?
  /// Parts that came, checked: of one state of one publisher.
  var parts: [[UInt8]] = []
  var incarnation: UInt64 = 0
  var through: UInt64 = 0
  var byteCount = 0
  /// Streams that were asked in vain.
  var tried: [Int] = []

  /// Parts may take this much: facts of a hundred thousand instruments.
  static let mostBytes = 64 << 20
}

extension StreamMerger {
  mutating func askForList(at now: UInt64) {
    guard let epoch else { return }
    if let request = listing.request {
      let isTaken = streams[request.stream].isTaken && isHeard(streams[request.stream], at: now)
      if isTaken, now &- request.at < configuration.answerNanoseconds { return }
      failList(request.stream)
    }
    let isThere = listing.epoch == epoch && now &- listing.at < configuration.listNanoseconds
    guard !isThere else { return }
    var best: Int?
    let mustBeWhole = hasWholeStream(at: now)
    for (number, stream) in streams.enumerated() {
      guard isHeard(stream, at: now), stream.epoch == epoch, !listing.tried.contains(number) else { continue }
      if mustBeWhole, stream.hasGap { continue }
      if let known = best, streams[known].through >= stream.through { continue }
      best = number
    }
    guard let best else {
      // All were asked in vain: again.
      listing.tried.removeAll()
      return
    }
    listing.request = (best, now)
    actions.append(.list(stream: best))
  }

  private mutating func failList(_ stream: Int) {
    streams[stream].counters.unanswered &+= 1
    listing.tried.append(stream)
    listing.request = nil
    listing.parts.removeAll()
    listing.byteCount = 0
  }

  mutating func takeList(_ frame: StreamFrame, _ stream: Int, at now: UInt64, deliver: Deliver) {
    guard let request = listing.request, request.stream == stream else { return }
    let header = frame.header
    guard (try? frame.validateRecords()) != nil, header.epoch == epoch,
      Int(header.part) == listing.parts.count,
      listing.parts.isEmpty || (header.incarnation, header.through) == (listing.incarnation, listing.through),
      listing.byteCount + frame.bytes.count <= Listing.mostBytes
    else { return failList(stream) }
    (listing.incarnation, listing.through) = (header.incarnation, header.through)
    listing.parts.append([UInt8](frame.bytes))
    listing.byteCount += frame.bytes.count
    listing.request?.at = now
    guard header.flags.contains(.last) else { return }
    let parts = listing.parts
    listing = Listing(epoch: header.epoch, at: now)
    if shownEpoch != epoch { beginShowing(sequence: header.through, isWhole: false, at: now) }
    shownSequence = max(shownSequence, header.through)
    for part in parts {
      part.withUnsafeBytes { bytes in if let frame = try? StreamFrame(decoding: bytes) { list(frame) } }
    }
    // A state that is older than the list isn't shown after it.
    for place in active where coverages[place].isWanted && coverages[place].position == nil {
      coverages[place].floor = max(coverages[place].floor, shownSequence)
    }
    hand(false, deliver)
  }

  private mutating func list(_ frame: StreamFrame) {
    guard let start = frame.records.baseAddress else { return }
    var offset = 0
    while offset < frame.records.count {
      let record = start + offset
      var header = record.loadUnaligned(as: UpdateHeader.self)
      let size = Int(header.byteCount)
      offset += size
      guard header.kind == UpdateKind.instrument.rawValue else { continue }
      let code = frame.code(Int(header.instrument))
      var local = locals.number(of: code)
      if local < 0 {
        guard locals.count < configuration.mostInstruments else {
          counters.beyondInstruments &+= 1
          continue
        }
        local = locals.add(code)
        seen.append(false)
        header.flags = UpdateKind.unheardFlag
      } else {
        // Of one that is taken its own stream tells.
        let place = interest.number(of: code)
        if place >= 0, coverages[place].isWanted, coverages[place].position != nil { continue }
        header.kind = UpdateKind.facts.rawValue
        header.flags = 0
      }
      header.instrument = UInt32(truncatingIfNeeded: local)
      header.sequence = max(header.sequence, shownSequence)
      let target = out.extend(by: size)
      target.copyMemory(from: record, byteCount: size)
      target.storeBytes(of: header, as: UpdateHeader.self)
      counters.records &+= 1
    }
  }
}
