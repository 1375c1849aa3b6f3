// Trades, quotes and bars of one instrument, by key. Runs on a reader connection of its own (on the writer's where
// the database is in memory), so that reading never waits for writing.

import GRDB
public import MarketData
import TickerPlant

extension PriceStore {
  /// Most rows that one call gives.
  public static var largestLimit: Int { 10_000 }

  /// An instrument's trades, newest first.
  /// - Parameters:
  ///   - before: only trades older than this one; nil = from the newest.
  ///   - limit: at most so many, up to `largestLimit`.
  public func trades(
    market: Int, code: InstrumentCode, before: TradeCursor? = nil, limit: Int
  ) async throws(StoreError) -> [StoredTrade] {
    try await ticks(
      market: market, code: code, before: before, limit: limit,
      columns: "sequence, time, price, size, match, kind, aggressor, direction, broken, broken_by",
      table: "trade"
    ) { row, epoch in
      let sequence: Int64 = row[0]
      let time: Int64 = row[1]
      let size: Int64 = row[3]
      let match: Int64 = row[4]
      let aggressor: UInt8 = row[6]
      let direction: Int = row[7]
      let brokenBy: Int64 = row[9]
      return StoredTrade(
        cursor: TradeCursor(date: epoch.day.date, epoch: epoch.id, sequence: UInt64(bitPattern: sequence)),
        epoch: epoch.name, day: epoch.day, timeOfDay: UInt64(bitPattern: time), price: Price(units: row[2]),
        size: UInt64(bitPattern: size), match: MatchNumber(UInt64(bitPattern: match)),
        kind: TradeKind(rawValue: row[5]) ?? .trade, aggressor: Side(rawValue: aggressor),
        direction: direction == 2 ? nil : direction, broken: row[8],
        brokenBy: brokenBy == 0 ? nil : UInt64(bitPattern: brokenBy))
    }
  }

  /// An instrument's changes of the best quote, newest first; parameters as of `trades`.
  public func quotes(
    market: Int, code: InstrumentCode, before: TradeCursor? = nil, limit: Int
  ) async throws(StoreError) -> [StoredQuote] {
    try await ticks(
      market: market, code: code, before: before, limit: limit,
      columns: "sequence, time, bid, bid_size, bid_orders, ask, ask_size, ask_orders", table: "quote"
    ) { row, epoch in
      let sequence: Int64 = row[0]
      let time: Int64 = row[1]
      let bidSize: Int64 = row[3]
      let askSize: Int64 = row[6]
      var top = TopPayload()
      top.bid = row[2] ?? noPrice
      top.bidSize = UInt64(bitPattern: bidSize)
      top.bidOrders = row[4]
      top.ask = row[5] ?? noPrice
      top.askSize = UInt64(bitPattern: askSize)
      top.askOrders = row[7]
      return StoredQuote(
        cursor: TradeCursor(date: epoch.day.date, epoch: epoch.id, sequence: UInt64(bitPattern: sequence)),
        epoch: epoch.name, day: epoch.day, timeOfDay: UInt64(bitPattern: time), top: top)
    }
  }

  /// An instrument's bars, oldest first.
  /// - Parameters:
  ///   - from: first start, nanoseconds since 1970; nil = the newest `limit` bars.
  ///   - to: bars begin before it; nil = up to the newest.
  ///   - limit: at most so many, up to `largestLimit`.
  public func bars(
    market: Int, code: InstrumentCode, interval: BarInterval, from: Int64? = nil, to: Int64? = nil, limit: Int
  ) async throws(StoreError) -> [StoredBar] {
    let configuration = configuration
    let limit = max(0, min(limit, Self.largestLimit))
    let columns =
      "b.sequence, b.open, b.high, b.low, b.close, b.volume, b.turnover, b.trades, b.closed, b.epoch, b.sum"
    // Keys are seconds, or days of the exchange; a day's start is up to 14 hours from UTC midnight, so the range
    // of days is a little wider than asked and each start is compared below.
    let (table, key, unit) =
      interval == .minute
      ? ("minute_bar", "start", Int64(1_000_000_000)) : ("daily_bar", "date", 86_400_000_000_000)
    let slack: Int64 = interval == .minute ? 0 : 2
    let lowest = from.map { Self.floor($0, unit) - slack } ?? .min
    let highest = to.map { Self.floor($0, unit) + 1 + slack } ?? .max
    return try await read(market, code) { db, instrument in
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT b.\(key), e.date, e.session, \(columns) FROM \(table) b JOIN epoch e ON e.id = b.epoch
          WHERE b.instrument = ? AND b.\(key) >= ? AND b.\(key) < ? AND b.trades > 0
          ORDER BY b.\(key) \(from == nil ? "DESC" : "ASC")
          """,
        arguments: [instrument, lowest, highest])
      var bars: [StoredBar] = []
      while bars.count < limit, let row = try rows.next() {
        let position: Int64 = row[0]
        var sum = RowSum()
        sum.add(1, instrument)
        sum.add(2, position)
        sum.add(3, row, at: 12)
        for column in 3..<12 { sum.add(Int32(column + 1), row, at: column) }
        if let stored: Int64 = row[13], stored != sum.stored {
          throw DatabaseCheck.damaged("a row of \(table) (instrument \(instrument), \(key) \(position))")
        }
        let day = configuration.day(market, CalendarDate(daysSince1970: row[1]))
        let start = interval == .minute ? position &* unit : day.midnightNanoseconds
        if let from, start < from { continue }
        if let to, start >= to { continue }
        let sequence: Int64 = row[3]
        let volume: Int64 = row[8]
        let turnover: Int64 = row[9]
        let trades: Int64 = row[10]
        bars.append(
          StoredBar(
            interval: interval, day: day, start: start, epoch: EpochLine.name(row[2], day.date),
            sequence: UInt64(bitPattern: sequence), open: Price(units: row[4]), high: Price(units: row[5]),
            low: Price(units: row[6]), close: Price(units: row[7]), volume: UInt64(bitPattern: volume),
            turnover: UInt64(bitPattern: turnover), trades: UInt64(bitPattern: trades), closed: row[11]))
      }
      return from == nil ? bars.reversed() : bars
    }
  }

  // MARK: - Parts

  /// One epoch of a market.
  private struct EpochLine {
    var id: Int64
    var day: TradingDay
    var name: String

    /// As `TickerPlant.epoch`.
    static func name(_ session: String, _ date: CalendarDate) -> String {
      session.isEmpty ? date.description : session + "." + date.description
    }
  }

  /// Ticks of one table, newest first: the newest day's first, within a day the newest epoch's, within an epoch the
  /// highest sequence first.
  private func ticks<Tick: Sendable>(
    market: Int, code: InstrumentCode, before: TradeCursor?, limit: Int, columns: String, table: String,
    _ make: @escaping @Sendable (Row, EpochLine) -> Tick
  ) async throws(StoreError) -> [Tick] {
    let configuration = configuration
    let number = marketNumbers[market]
    let limit = max(0, min(limit, Self.largestLimit))
    return try await read(market, code) { db, instrument in
      let epochs = try Row.fetchAll(
        db,
        sql: """
          SELECT id, date, session FROM epoch WHERE market = ? AND ticks_pruned = 0
            AND (date < ? OR (date = ? AND id <= ?)) ORDER BY date DESC, id DESC
          """,
        arguments: [
          number, before?.date.daysSince1970 ?? .max, before?.date.daysSince1970 ?? .max,
          before?.epoch ?? .max,
        ])
      var ticks: [Tick] = []
      // The epoch that the cursor stands in: only there the sequence counts.
      var standing = before?.epoch
      if let first = epochs.first, let date: Int = first[1], standing == .max,
        before?.date.daysSince1970 == date
      {
        standing = first[0]
      }
      for row in epochs where ticks.count < limit {
        let date = CalendarDate(daysSince1970: row[1])
        let epoch = EpochLine(
          id: row[0], day: configuration.day(market, date), name: EpochLine.name(row[2], date))
        var end = Int64.max
        if let before, epoch.id == standing { end = Int64(bitPattern: before.sequence) }
        let rows = try Row.fetchCursor(
          db,
          sql: """
            SELECT \(columns), sum FROM \(table) WHERE instrument = ? AND epoch = ? AND sequence < ?
            ORDER BY sequence DESC LIMIT ?
            """,
          arguments: [instrument, epoch.id, end, limit - ticks.count])
        while let row = try rows.next() {
          var sum = RowSum()
          sum.add(1, instrument)
          sum.add(2, epoch.id)
          for column in 0..<row.count - 1 { sum.add(Int32(column + 3), row, at: column) }
          if let stored: Int64 = row[row.count - 1], stored != sum.stored {
            throw DatabaseCheck.damaged("a row of \(table) (instrument \(instrument), epoch \(epoch.name))")
          }
          ticks.append(make(row, epoch))
        }
      }
      return ticks
    }
  }

  /// Reads with the store's number of an instrument; nothing where the store doesn't know it.
  private func read<Value: Sendable>(
    _ market: Int, _ code: InstrumentCode, _ body: @escaping @Sendable (Database, Int64) throws -> [Value]
  ) async throws(StoreError) -> [Value] {
    let number = marketNumbers[market]
    do {
      return try await database.writer.read { db in
        guard
          let instrument = try Int64.fetchOne(
            db, sql: "SELECT id FROM instrument WHERE market = ? AND code = ?",
            arguments: [number, Int64(bitPattern: code.rawValue)])
        else { return [] }
        return try body(db, instrument)
      }
    } catch {
      noteDamage(error)
      throw StoreError.reading(database.path, error)
    }
  }

  /// Damage that shows while the database is in use: told once, and the next start sets the file aside.
  func noteDamage(_ error: any Error) {
    guard let error = error as? DatabaseError, DatabaseOpening.isDamage(error) else { return }
    let text = StoreError.text(error)
    guard mailbox.isFirstDamage(text) else { return }
    DatabaseOpening.note(text, of: database.path)
    say(
      .error,
      "\(database.path): damaged (\(text)); what is damaged is not served. The next start sets the file aside and "
        + "begins a new one; the feed is played from its beginning then")
  }

  private static func floor(_ value: Int64, _ unit: Int64) -> Int64 {
    value / unit - (value % unit < 0 ? 1 : 0)
  }
}
