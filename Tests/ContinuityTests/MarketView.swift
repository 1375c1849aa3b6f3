// What a consumer of records knows: the naïve image that the oracle and the gateways are compared by. It also notices
// what must never happen.

import Continuity
import MarketData
import TickerPlant

/// See the head of this file.
final class MarketView {
  struct Level: Equatable {
    var size: UInt64
    var orders: UInt32
  }

  struct Instrument: Equatable {
    var bids: [UInt32: Level] = [:]
    var asks: [UInt32: Level] = [:]
    var top = TopPayload()
    var statistics = StatisticsPayload()
    var bar = BarPayload()
    var close = noPrice
    var state: UInt8 = 0
    var suspect = false
    var collar = noPrice
  }

  private(set) var codes: [InstrumentCode] = []
  private(set) var instruments: [InstrumentCode: Instrument] = [:]
  /// Trades told as new: their sequence numbers, by instrument, in order.
  private(set) var trades: [InstrumentCode: [UInt64]] = [:]
  private(set) var state: SourceState?
  private(set) var states: [SourceState] = []
  private(set) var epoch: EpochName?
  private(set) var ordinal: UInt64 = 0
  private(set) var sequence: UInt64 = 0
  /// Numbers rise by instrument only: each has a stream of its own.
  var isSelective = false
  /// Instruments of which nothing but the facts is known, and nothing is kept.
  private(set) var unheard: Set<InstrumentCode> = []
  private var sequences: [UInt32: UInt64] = [:]
  /// What must not happen, and did.
  private(set) var faults: [String] = []
  private(set) var isOpen = false
  /// How often everything began anew within an epoch.
  private(set) var restarts = 0

  func take(_ records: UnsafeRawBufferPointer, continues: Bool = false) {
    var cursor = UpdateCursor(records)
    var end = 0
    while cursor.next() {
      end += Int(cursor.header.byteCount)
      take(cursor, cursor.header)
    }
    if end != records.count { faults.append("\(records.count - end) bytes behind the last record") }
    isOpen = continues
  }

  private func take(_ cursor: UpdateCursor, _ header: UpdateHeader) {
    guard let kind = cursor.kind else { return faults.append("kind \(header.kind)") }
    if kind == .source {
      let source: SourcePayload = cursor.payload()
      let name = EpochName(session: source.session, date: CalendarDate(daysSince1970: Int(source.date)))
      if source.epochOrdinal < ordinal { faults.append("ordinal \(source.epochOrdinal) after \(ordinal)") }
      if name != epoch {
        sequence = header.sequence
        trades = [:]
        restarts = 0
      } else if source.epochOrdinal != ordinal {
        restarts += 1
        trades = [:]
      }
      epoch = name
      ordinal = source.epochOrdinal
      state = SourceState(rawValue: UInt8(truncatingIfNeeded: source.state))
      if let state, states.last != state { states.append(state) }
    } else if kind == .instrument {
      let facts: FactsPayload = cursor.payload()
      let number = Int(header.instrument)
      if number == codes.count {
        if codes.contains(facts.code) { faults.append("\(facts.code) has two numbers") }
        codes.append(facts.code)
      } else if number > codes.count || codes[number] != facts.code {
        faults.append("\(facts.code) announced as \(number) of \(codes.count)")
        return
      }
      instruments[facts.code] = Instrument()
      trades[facts.code] = []
      note(facts.code, header)
      take(facts, facts.code)
    } else {
      guard Int(header.instrument) < codes.count else {
        return faults.append("\(kind) of instrument \(header.instrument), which nobody announced")
      }
      take(kind, cursor, header, codes[Int(header.instrument)])
    }
    let last = isSelective ? sequences[header.instrument] ?? 0 : sequence
    if header.sequence < last, kind != .source, !(isSelective && kind == .cleared) {
      faults.append("\(kind) \(header.sequence) after \(last)")
    }
    if isSelective { sequences[header.instrument] = header.sequence }
    sequence = max(sequence, header.sequence)
  }

  private func note(_ code: InstrumentCode, _ header: UpdateHeader) {
    if header.flags & UpdateKind.unheardFlag == 0 {
      unheard.remove(code)
    } else {
      unheard.insert(code)
      if !isSelective { faults.append("\(code) is unheard in a whole market") }
    }
  }

  private func take(_ facts: FactsPayload, _ code: InstrumentCode) {
    guard !unheard.contains(code) else { return }
    instruments[code]?.close = facts.close
    instruments[code]?.state = facts.state
    instruments[code]?.suspect = facts.suspect
    instruments[code]?.collar = facts.collarUpper
  }

  private func take(
    _ kind: UpdateKind, _ cursor: UpdateCursor, _ header: UpdateHeader, _ code: InstrumentCode
  ) {
    if unheard.contains(code), kind != .cleared, kind != .facts {
      faults.append("\(kind) of \(code), which is unheard")
    }
    switch kind {
    case .level:
      let level: LevelPayload = cursor.payload()
      let value = level.size == 0 ? nil : Level(size: level.size, orders: level.orders)
      if header.flags == 0 {
        instruments[code]?.bids[level.price] = value
      } else {
        instruments[code]?.asks[level.price] = value
      }
    case .top: instruments[code]?.top = cursor.payload()
    case .trade:
      let record: TradeRecord = cursor.payload()
      instruments[code]?.statistics = record.statistics
      let isRepeat = header.flags & TradePayload.repeatFlag != 0
      if isRepeat {
        trades[code, default: []].append(record.trade.tradeSequence)
      } else {
        // A trade taken back has the number of the message that did so.
        if let last = trades[code]?.last, last >= header.sequence {
          faults.append("trade \(header.sequence) of \(code) after \(last)")
        }
        trades[code, default: []].append(header.sequence)
      }
    case .facts: take(cursor.payload(), code)
    case .bar: instruments[code]?.bar = cursor.payload()
    case .cleared:
      note(code, header)
      instruments[code] = Instrument()
      trades[code] = []
    case .daily, .source, .instrument, .stamps: break
    }
  }

  /// How this differs from another; nil = equal. Bars are compared while one is open, trades over the shorter tail.
  func difference(from wanted: MarketView) -> String? {
    for (code, want) in wanted.instruments {
      guard let have = instruments[code] else { return "\(code) is missing" }
      if have.bids != want.bids { return "\(code): bids \(have.bids), wanted \(want.bids)" }
      if have.asks != want.asks { return "\(code): asks \(have.asks), wanted \(want.asks)" }
      if have.top != want.top { return "\(code): top \(have.top), wanted \(want.top)" }
      if have.statistics != want.statistics { return "\(code): figures differ" }
      if have.state != want.state || have.close != want.close || have.suspect != want.suspect {
        return "\(code): state \(have.state) \(have.close), wanted \(want.state) \(want.close)"
      }
      let (ours, theirs) = (trades[code] ?? [], wanted.trades[code] ?? [])
      let count = min(ours.count, theirs.count, 20)
      if ours.suffix(count) != theirs.suffix(count) { return "\(code): trades differ" }
      if restarts == 0, ours != theirs { return "\(code): \(ours.count) trades, wanted \(theirs.count)" }
    }
    for (code, have) in instruments where wanted.instruments[code] == nil && have != Instrument() {
      return "\(code) should be empty"
    }
    return nil
  }
}
