// Records out: numbered for this consumer, announced before they are used, with the source's state between them.

import MarketData
import TickerPlant

extension StreamMerger {
  /// Gives the owner what has gathered.
  @inline(__always)
  mutating func hand(_ continues: Bool, _ deliver: Deliver) {
    if out.count > 0 || continues { deliver(out.bytes, continues) }
    out.removeAll()
  }

  /// Copies a frame's records after `position` (nil: all), with this consumer's numbers. A snapshot announces again
  /// what is known, so that it begins anew; anything else only says what it says.
  mutating func copy(_ frame: StreamFrame, after position: UInt64?, _ place: Int, isSnapshot: Bool = false) {
    let codes = frame.codeCount
    if places.count < codes { places.append(contentsOf: repeatElement(0, count: codes - places.count)) }
    for number in 0..<codes { places[number] = Int32(locals.number(of: frame.code(number))) }
    let records = frame.records
    guard let start = records.baseAddress else { return }
    let least = position.map { $0 + 1 } ?? 0
    var offset = 0
    var count: UInt64 = 0
    while offset < records.count {
      let record = start + offset
      let header = record.loadUnaligned(as: UpdateHeader.self)
      let size = Int(header.byteCount)
      offset += size
      guard header.sequence >= least else { continue }
      let number = Int(header.instrument)
      var kind = header.kind
      if places[number] < 0 {
        guard locals.count < configuration.mostInstruments else {
          counters.beyondInstruments &+= 1
          continue
        }
        places[number] = Int32(locals.add(frame.code(number)))
        seen.append(isSnapshot)
        if kind != UpdateKind.instrument.rawValue { announce(frame.code(number), header, places[number]) }
      } else if kind == UpdateKind.instrument.rawValue {
        if isSnapshot { seen[Int(places[number])] = true } else { kind = UpdateKind.facts.rawValue }
      }
      let target = out.extend(by: size)
      target.copyMemory(from: record, byteCount: size)
      target.storeBytes(of: kind, as: UInt8.self)
      target.storeBytes(of: UInt32(bitPattern: places[number]), toByteOffset: 4, as: UInt32.self)
      time = header.time
      count &+= 1
    }
    counters.records &+= count
  }

  /// An instrument of which nobody said that it is new.
  private mutating func announce(_ code: InstrumentCode, _ header: UpdateHeader, _ local: Int32) {
    append(
      UpdateHeader(
        kind: UpdateKind.instrument.rawValue, flags: 0, byteCount: 0, instrument: UInt32(bitPattern: local),
        sequence: header.sequence, time: header.time, receivedAt: header.receivedAt), FactsPayload(code: code)
    )
  }

  private mutating func append<Payload: BitwiseCopyable>(_ header: UpdateHeader, _ payload: Payload) {
    let size = RecordSizes.size(Payload.self)
    var header = header
    header.byteCount = UInt16(size)
    let target = out.extend(by: size)
    target.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    target.storeBytes(of: header, as: UpdateHeader.self)
    target.storeBytes(of: payload, toByteOffset: MemoryLayout<UpdateHeader>.size, as: Payload.self)
  }

  /// - Parameter isHeard: it is empty; else nobody says what it is (selective mode).
  mutating func appendCleared(_ local: Int, sequence: UInt64, isHeard: Bool = true) {
    let size = MemoryLayout<UpdateHeader>.size
    out.extend(by: size).storeBytes(
      of: UpdateHeader(
        kind: UpdateKind.cleared.rawValue, flags: isHeard ? 0 : UpdateKind.unheardFlag,
        byteCount: UInt16(size),
        instrument: UInt32(truncatingIfNeeded: local), sequence: sequence, time: time, receivedAt: 0),
      as: UpdateHeader.self)
  }

  mutating func appendSource(_ state: SourceState, sequence: UInt64) {
    let epoch = shownEpoch ?? EpochKey(day: 0, first: 0, second: 0)
    shownState = state
    if state == .ended { shownEnd = sequence }
    append(
      UpdateHeader(
        kind: UpdateKind.source.rawValue, flags: 0, byteCount: 0, instrument: .max, sequence: sequence,
        time: time, receivedAt: 0),
      SourcePayload(
        state: UInt64(state.rawValue), date: epoch.day, epochOrdinal: ordinal, gapFrom: shownGap.from,
        gapThrough: shownGap.through, sessionFirst: epoch.first, sessionSecond: epoch.second))
  }
}
