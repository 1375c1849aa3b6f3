// What a consumer of records holds at the end: books, best quotes, facts, figures, the newest trades, by code.

import MarketData
import TickerPlant

final class MarketView: @unchecked Sendable {
  struct Level: Equatable {
    var size: UInt64
    var orders: UInt32
  }

  struct Instrument: Equatable {
    var bids: [UInt32: Level] = [:]
    var asks: [UInt32: Level] = [:]
    var top = TopPayload()
    var facts = FactsPayload(code: InstrumentCode(0))
    var statistics = StatisticsPayload()
    var bar = BarPayload()
    /// By the number of the trade; the newest twenty.
    var trades: [UInt64: Int64] = [:]
  }

  private(set) var instruments: [InstrumentCode: Instrument] = [:]
  private(set) var state = SourceState.recovering
  private(set) var sequence: UInt64 = 0
  private(set) var epoch: UInt64 = 0
  /// What must not be: numbers that go back, instruments that nobody announced.
  private(set) var faults: [String] = []
  private var codes: [Int: InstrumentCode] = [:]
  /// Instruments that are listed alone.
  private(set) var unheard: Set<InstrumentCode> = []
  /// Numbers rise by instrument only.
  var isSelective = false

  /// Where two views differ, briefly.
  func difference(from other: MarketView) -> String? {
    for code in Set(instruments.keys).union(other.instruments.keys) {
      guard let mine = instruments[code], let theirs = other.instruments[code] else {
        return "\(code) is missing"
      }
      if mine == theirs { continue }
      var parts: [String] = []
      if mine.bids != theirs.bids || mine.asks != theirs.asks { parts.append("levels") }
      if mine.top != theirs.top { parts.append("top \(mine.top) \(theirs.top)") }
      if mine.facts != theirs.facts { parts.append("facts \(mine.facts) \(theirs.facts)") }
      if mine.statistics != theirs.statistics { parts.append("figures") }
      if mine.bar != theirs.bar { parts.append("bar \(mine.bar) \(theirs.bar)") }
      if mine.trades != theirs.trades { parts.append("trades \(mine.trades.count) \(theirs.trades.count)") }
      return "\(code): " + parts.joined(separator: ", ")
    }
    return nil
  }

  private func note(_ code: InstrumentCode, _ header: UpdateHeader) {
    if header.flags & UpdateKind.unheardFlag == 0 { unheard.remove(code) } else { unheard.insert(code) }
  }

  func drain(_ ring: UpdateRing) { ring.drain { _, records in take(records) } }

  func take(_ records: UnsafeRawBufferPointer) {
    var cursor = UpdateCursor(records)
    while cursor.next() {
      let header = cursor.header
      if cursor.kind == .source {
        let source = cursor.payload(as: SourcePayload.self)
        state = SourceState(rawValue: UInt8(source.state)) ?? .silent
        if source.epochOrdinal != epoch {
          epoch = source.epochOrdinal
          sequence = header.sequence
        }
        sequence = max(sequence, header.sequence)
        continue
      }
      if header.sequence < sequence, !isSelective { faults.append("\(header.sequence) after \(sequence)") }
      sequence = max(sequence, header.sequence)
      let number = Int(header.instrument)
      if cursor.kind == .instrument {
        let facts = cursor.payload(as: FactsPayload.self)
        codes[number] = facts.code
        note(facts.code, header)
        instruments[facts.code] = Instrument()
        instruments[facts.code]?.facts = facts
        continue
      }
      guard let code = codes[number], var instrument = instruments[code] else {
        faults.append("instrument \(number) is not known")
        continue
      }
      if cursor.kind == .cleared { note(code, header) }
      change(&instrument, cursor)
      instruments[code] = instrument
    }
  }

  private func change(_ instrument: inout Instrument, _ cursor: UpdateCursor) {
    switch cursor.kind {
    case .level:
      let level = cursor.payload(as: LevelPayload.self)
      let value = level.size == 0 ? nil : Level(size: level.size, orders: level.orders)
      if cursor.header.flags == Side.buy.rawValue {
        instrument.bids[level.price] = value
      } else {
        instrument.asks[level.price] = value
      }
    case .top: instrument.top = cursor.payload(as: TopPayload.self)
    case .facts: instrument.facts = cursor.payload(as: FactsPayload.self)
    case .bar:
      // A minute that is over isn't the current one any more.
      instrument.bar = cursor.header.flags == 1 ? BarPayload() : cursor.payload(as: BarPayload.self)
    case .daily: instrument.statistics = cursor.payload(as: StatisticsPayload.self)
    case .trade:
      let record = cursor.payload(as: TradeRecord.self)
      instrument.statistics = record.statistics
      instrument.trades[record.trade.tradeSequence] = record.trade.broken == 1 ? nil : record.trade.price
      if instrument.trades.count > 20, let oldest = instrument.trades.keys.min() {
        instrument.trades[oldest] = nil
      }
    case .cleared:
      let facts = instrument.facts
      instrument = Instrument()
      instrument.facts = facts
    case .source, .instrument, .stamps, nil: break
    }
  }
}
