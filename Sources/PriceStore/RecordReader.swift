// From one plant's records to rows. Owner: the writer thread. No I/O.
//
// An image (what a plant says after a restore, or for a consumer that starts: `emitAll`) begins with `.source` and
// carries the sequence of that record: its quotes and bars are states, not changes that a message made, so its
// quotes are no ticks. No message causes both `.source` and a quote, which makes the sequence enough to tell.
// Its trades carry their own sequence numbers: they are ticks that may be here already.
// Records before the first `.source` have no name (no epoch): they are counted lost.

import MarketData
import TickerPlant

struct RecordReader {
  let market: Int
  let keepsQuotes: Bool
  /// Reads what is learned later of a gap: its rows replace those that were made without it.
  let mends: Bool
  private let day: @Sendable (CalendarDate) -> TradingDay
  /// Ordinal of the epoch; 0 = no `.source` yet.
  private var epoch: Int64 = 0
  private var date = CalendarDate(daysSince1970: 0)
  private var session = ""
  private var midnightSeconds: Int64 = 0
  /// Sequence of the newest `.source`.
  private var imageSequence: UInt64 = 0
  /// The plant's index → the store's number; 0 = not announced.
  private var instruments: [Int64] = []
  /// The bar that isn't closed yet, by the plant's index; `instrument` 0 = none.
  private var current: [BarRow] = []

  private static let noBar = BarRow(
    instrument: 0, epoch: 0, sequence: 0, start: 0, open: noPrice, high: noPrice, low: noPrice,
    close: noPrice,
    volume: 0, turnover: 0, trades: 0, closed: false)

  init(
    market: Int, keepsQuotes: Bool, mends: Bool = false, day: @escaping @Sendable (CalendarDate) -> TradingDay
  ) {
    self.market = market
    self.keepsQuotes = keepsQuotes
    self.mends = mends
    self.day = day
  }

  /// Takes whole records.
  mutating func take(
    _ bytes: UnsafeRawBufferPointer, into rows: inout PendingRows, _ identities: inout Identities
  ) {
    var cursor = UpdateCursor(bytes)
    while cursor.next() {
      let header = cursor.header
      switch cursor.kind {
      case .source: source(header, cursor.payload(), &rows, &identities)
      case .instrument: instrument(header, cursor.payload(), &rows, &identities)
      case .cleared: keepCurrent(Int(header.instrument), &rows)
      case .top:
        guard keepsQuotes, let id = named(header, &rows), header.sequence > imageSequence else { continue }
        rows.add(
          QuoteRow(
            instrument: id, epoch: epoch, sequence: header.sequence, time: header.time, top: cursor.payload(),
            replaces: mends))
      case .trade:
        guard let id = named(header, &rows) else { continue }
        trade(header, cursor.payload(), instrument: id, &rows)
      case .bar:
        guard let id = named(header, &rows) else { continue }
        bar(header, cursor.payload(), instrument: id, &rows)
      case .daily:
        guard let id = named(header, &rows), rows.hasRoom() else { continue }
        rows.dailyBars.append(daily(header, cursor.payload(), instrument: id))
      case .level, .facts, .stamps, nil: continue
      }
    }
  }

  /// The bars that aren't closed, as rows: at the end of the process.
  mutating func keepAllCurrent(_ rows: inout PendingRows) {
    for index in current.indices { keepCurrent(index, &rows) }
  }

  // MARK: - Kinds

  private mutating func source(
    _ header: UpdateHeader, _ payload: SourcePayload, _ rows: inout PendingRows,
    _ identities: inout Identities
  ) {
    imageSequence = header.sequence
    let date = CalendarDate(daysSince1970: Int(truncatingIfNeeded: payload.date))
    let session = payload.session
    guard epoch == 0 || date != self.date || session != self.session else { return }
    keepAllCurrent(&rows)
    self.date = date
    self.session = session
    epoch = identities.epoch(market: market, date: date, session: session, into: &rows)
    midnightSeconds = day(date).midnightNanoseconds / 1_000_000_000
  }

  private mutating func instrument(
    _ header: UpdateHeader, _ facts: FactsPayload, _ rows: inout PendingRows, _ identities: inout Identities
  ) {
    let index = Int(header.instrument)
    // A plant numbers its instruments from 0 without holes; anything else would be a fault of ours.
    guard index < 1 << 22 else { return }
    while instruments.count <= index {
      instruments.append(0)
      current.append(Self.noBar)
    }
    keepCurrent(index, &rows)
    instruments[index] = identities.instrument(market: market, code: facts.code, into: &rows)
  }

  private func trade(
    _ header: UpdateHeader, _ payload: TradePayload, instrument: Int64, _ rows: inout PendingRows
  ) {
    guard rows.hasRoom() else { return }
    // A break is a record of its own message; in an image a broken trade comes under its own number.
    let isBreak = payload.broken != 0
    let isRepeat = header.flags & TradePayload.repeatFlag != 0
    let brokenBy = isBreak && !isRepeat && header.sequence != payload.tradeSequence ? header.sequence : 0
    let row = TradeRow(
      instrument: instrument, epoch: epoch, trade: payload, brokenBy: brokenBy,
      minuteStart: midnightSeconds &+ Int64(payload.tradeTime / 60_000_000_000 * 60),
      replaces: mends && !isRepeat)
    if isBreak { rows.breaks.append(row) } else { rows.trades.append(row) }
  }

  private mutating func bar(
    _ header: UpdateHeader, _ payload: BarPayload, instrument: Int64, _ rows: inout PendingRows
  ) {
    let index = Int(header.instrument)
    guard payload.startSeconds != .max else {
      current[index].instrument = 0
      return
    }
    let row = BarRow(
      instrument: instrument, epoch: epoch, sequence: header.sequence,
      start: midnightSeconds &+ Int64(payload.startSeconds), open: payload.open, high: payload.high,
      low: payload.low, close: payload.close, volume: payload.volume, turnover: payload.turnover,
      trades: UInt64(payload.trades), closed: header.flags & 1 != 0, replaces: mends)
    if row.closed {
      current[index].instrument = 0
      if rows.hasRoom() { rows.minuteBars.append(row) }
    } else {
      current[index] = row
    }
  }

  private func daily(_ header: UpdateHeader, _ figures: StatisticsPayload, instrument: Int64) -> BarRow {
    BarRow(
      instrument: instrument, epoch: epoch, sequence: header.sequence, start: Int64(date.daysSince1970),
      open: figures.open, high: figures.high, low: figures.low, close: figures.last, volume: figures.volume,
      turnover: figures.turnover, trades: figures.trades, closed: true, replaces: mends)
  }

  // MARK: - Parts

  /// The store's number of the record's instrument; nil, and counted, where it can't be named.
  private func named(_ header: UpdateHeader, _ rows: inout PendingRows) -> Int64? {
    let index = Int(header.instrument)
    guard epoch != 0, index < instruments.count, instruments[index] != 0 else {
      rows.lost += 1
      return nil
    }
    return instruments[index]
  }

  private mutating func keepCurrent(_ index: Int, _ rows: inout PendingRows) {
    guard index < current.count, current[index].instrument != 0 else { return }
    if rows.hasRoom() { rows.minuteBars.append(current[index]) }
    current[index].instrument = 0
  }
}
