// Rows into tables, inside the caller's transaction. Writing the same rows again changes nothing:
// - a trade or quote that is there stays as it is;
// - a broken trade marks the stored one, or is stored as broken;
// - a bar gives way to one of the same start from a later message or epoch, never to an earlier one.
// Owner: the writer thread. Rows are taken in the order of their keys: neighbours share a page of the tree.

import GRDB
import GRDBSQLite
import MarketData
import TickerPlant

enum RowWriter {
  /// Writes all rows; gives how many were new or changed.
  static func write(_ rows: PendingRows, to db: Database) throws -> UInt64 {
    try names(rows, db)
    let before = changes(db)
    try trades(rows.trades, db)
    try quotes(rows.quotes, db)
    try bars(rows.minuteBars, table: "minute_bar", key: "start", db)
    try bars(rows.dailyBars, table: "daily_bar", key: "date", db)
    for row in rows.breaks { try breakTrade(row, db) }
    return UInt64(max(0, changes(db) - before))
  }

  private static func changes(_ db: Database) -> Int64 { Int64(db.totalChangesCount) }

  private static func names(_ rows: PendingRows, _ db: Database) throws {
    for row in rows.instruments {
      try db.execute(
        sql: "INSERT OR IGNORE INTO instrument (id, market, code, sum) VALUES (?, ?, ?, ?)",
        arguments: [
          row.id, row.market, Int64(bitPattern: row.code.rawValue),
          NameSums.instrument(row.id, row.market, Int64(bitPattern: row.code.rawValue)),
        ])
    }
    for row in rows.epochs {
      try db.execute(
        sql: """
          INSERT INTO epoch (id, market, date, session, sum) VALUES (?, ?, ?, ?, ?)
          ON CONFLICT (id) DO UPDATE SET ticks_pruned = 0
          """,
        arguments: [
          row.id, row.market, row.date.daysSince1970, row.session,
          NameSums.epoch(row.id, row.market, Int64(row.date.daysSince1970), row.session),
        ])
    }
  }

  /// Positions of rows in the order of their instruments; rows of one instrument stay in their order.
  private static func order(_ count: Int, _ instrument: (Int) -> Int64) -> [UInt64] {
    var keys = (0..<count).map { UInt64(truncatingIfNeeded: instrument($0)) << 32 | UInt64($0) }
    keys.sort()
    return keys
  }

  // MARK: - Ticks

  private static let tradeColumns = """
    trade
      (instrument, epoch, sequence, time, price, size, match, kind, aggressor, direction, broken, broken_by, sum)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    """

  private static func bind(_ row: TradeRow, to statement: inout PreparedStatement) {
    statement.bind(1, row.instrument)
    statement.bind(2, row.epoch)
    statement.bind(3, row.trade.tradeSequence)
    statement.bind(4, row.trade.tradeTime)
    statement.bind(5, row.trade.price)
    statement.bind(6, row.trade.size)
    statement.bind(7, row.trade.match)
    statement.bind(8, Int64(row.trade.kind))
    statement.bind(9, Int64(row.trade.aggressor))
    statement.bind(10, Int64(row.trade.direction))
    statement.bind(11, Int64(row.trade.broken))
    statement.bind(12, row.brokenBy)
    statement.bindSum(13)
  }

  /// Rows that are there stay, unless the new ones come from a healed gap.
  private static func insert(replacing: Bool) -> String {
    replacing ? "INSERT OR REPLACE" : "INSERT OR IGNORE"
  }

  private static func trades(_ rows: [TradeRow], _ db: Database, replacing: Bool = false) throws {
    guard !rows.isEmpty else { return }
    // A trade that was taken back stays so: the break is a message of its own.
    let sql =
      replacing
      ? """
      INSERT INTO \(tradeColumns)
      ON CONFLICT (instrument, epoch, sequence) DO UPDATE SET
        time = excluded.time, price = excluded.price, size = excluded.size, match = excluded.match,
        kind = excluded.kind, aggressor = excluded.aggressor, direction = excluded.direction,
        sum = excluded.sum
      WHERE broken = 0
      """
      : "INSERT OR IGNORE INTO " + tradeColumns
    var statement = try PreparedStatement(db, sql)
    for key in order(rows.count, { rows[$0].instrument }) {
      let row = rows[Int(key & 0xffff_ffff)]
      guard row.replaces == replacing else { continue }
      bind(row, to: &statement)
      try statement.run()
    }
    if !replacing, rows.contains(where: \.replaces) { try trades(rows, db, replacing: true) }
  }

  private static func quotes(_ rows: [QuoteRow], _ db: Database, replacing: Bool = false) throws {
    guard !rows.isEmpty else { return }
    var statement = try PreparedStatement(
      db,
      """
      \(insert(replacing: replacing)) INTO quote
        (instrument, epoch, sequence, time, bid, bid_size, bid_orders, ask, ask_size, ask_orders, sum)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """)
    for key in order(rows.count, { rows[$0].instrument }) {
      let row = rows[Int(key & 0xffff_ffff)]
      guard row.replaces == replacing else { continue }
      statement.bind(1, row.instrument)
      statement.bind(2, row.epoch)
      statement.bind(3, row.sequence)
      statement.bind(4, row.time)
      statement.bind(5, row.top.bid, absent: noPrice)
      statement.bind(6, row.top.bidSize)
      statement.bind(7, Int64(row.top.bidOrders))
      statement.bind(8, row.top.ask, absent: noPrice)
      statement.bind(9, row.top.askSize)
      statement.bind(10, Int64(row.top.askOrders))
      statement.bindSum(11)
      try statement.run()
    }
    if !replacing, rows.contains(where: \.replaces) { try quotes(rows, db, replacing: true) }
  }

  // MARK: - Bars

  private static func bars(_ rows: [BarRow], table: String, key: String, _ db: Database) throws {
    guard !rows.isEmpty else { return }
    let columns = [
      "epoch", "sequence", "open", "high", "low", "close", "volume", "turnover", "trades", "closed",
      "sum",
    ]
    var statement = try PreparedStatement(
      db,
      """
      INSERT INTO \(table) (instrument, \(key), \(columns.joined(separator: ", ")))
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (instrument, \(key)) DO UPDATE SET
        \(columns.map { "\($0) = excluded.\($0)" }.joined(separator: ", "))
      WHERE excluded.epoch > epoch OR (excluded.epoch = epoch AND excluded.sequence > sequence)
        OR (excluded.epoch = epoch AND excluded.sequence = sequence AND excluded.closed > closed)
        OR (excluded.epoch = epoch AND ?14 = 1 AND excluded.closed >= closed)
      """)
    for row in rows {
      statement.bind(1, row.instrument)
      statement.bind(2, row.start)
      statement.bind(3, row.epoch)
      statement.bind(4, row.sequence)
      statement.bind(5, row.open, absent: noPrice)
      statement.bind(6, row.high, absent: noPrice)
      statement.bind(7, row.low, absent: noPrice)
      statement.bind(8, row.close, absent: noPrice)
      statement.bind(9, row.volume)
      statement.bind(10, row.turnover)
      statement.bind(11, row.trades)
      statement.bind(12, row.closed ? 1 : Int64(0))
      statement.bindSum(13)
      // Of two closed bars of one name the one from a healed gap is right.
      statement.bindFlag(14, row.replaces)
      try statement.run()
    }
  }

  // MARK: - Trades taken back

  private static func breakTrade(_ row: TradeRow, _ db: Database) throws {
    let before = changes(db)
    // The record of a break tells the whole trade again: the row is written as a whole, with its checksum.
    var statement = try PreparedStatement(
      db,
      """
      INSERT INTO \(tradeColumns)
      ON CONFLICT (instrument, epoch, sequence) DO UPDATE SET
        time = excluded.time, price = excluded.price, size = excluded.size, match = excluded.match,
        kind = excluded.kind, aggressor = excluded.aggressor, direction = excluded.direction, broken = 1,
        broken_by = excluded.broken_by, sum = excluded.sum
      WHERE broken = 0 OR broken_by < excluded.broken_by
      """)
    bind(row, to: &statement)
    try statement.run()
    if changes(db) > before, row.brokenBy != 0 { try mendMinute(of: row, db) }
  }

  /// The plant mends the current minute; an earlier one has left it and is computed again here, from the trades
  /// that remain. Where the stored trades aren't all that the bar was made of (some were lost), it stays.
  private static func mendMinute(of row: TradeRow, _ db: Database) throws {
    let minute: UInt64 = 60_000_000_000
    let from = row.trade.tradeTime / minute * minute
    let trades = try Row.fetchAll(
      db,
      sql: """
        SELECT price, size FROM trade WHERE instrument = ? AND epoch = ? AND time >= ? AND time < ? AND broken = 0
        ORDER BY sequence
        """,
      arguments: [row.instrument, row.epoch, Int64(bitPattern: from), Int64(bitPattern: from &+ minute)])
    var bar = BarPayload()
    for trade in trades {
      let price: Int64 = trade[0]
      let size: Int64 = trade[1]
      if bar.open == noPrice { bar.open = price }
      bar.high = bar.high == noPrice ? price : max(bar.high, price)
      bar.low = bar.low == noPrice ? price : min(bar.low, price)
      bar.close = price
      bar.volume &+= UInt64(bitPattern: size)
      bar.turnover &+= UInt64(bitPattern: size &* price)
    }
    guard
      let old = try Row.fetchOne(
        db,
        sql: """
          SELECT sequence, closed FROM minute_bar WHERE instrument = ? AND start = ? AND epoch = ? AND trades = ?
          """,
        arguments: [row.instrument, row.minuteStart, row.epoch, trades.count + 1])
    else { return }
    let sequence: Int64 = old[0]
    let closed: Int64 = old[1]
    var statement = try PreparedStatement(
      db,
      """
      REPLACE INTO minute_bar
        (instrument, start, epoch, sequence, open, high, low, close, volume, turnover, trades, closed, sum)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """)
    statement.bind(1, row.instrument)
    statement.bind(2, row.minuteStart)
    statement.bind(3, row.epoch)
    statement.bind(4, max(sequence, Int64(bitPattern: row.brokenBy)))
    statement.bind(5, bar.open, absent: noPrice)
    statement.bind(6, bar.high, absent: noPrice)
    statement.bind(7, bar.low, absent: noPrice)
    statement.bind(8, bar.close, absent: noPrice)
    statement.bind(9, bar.volume)
    statement.bind(10, bar.turnover)
    statement.bind(11, Int64(trades.count))
    statement.bind(12, closed)
    statement.bindSum(13)
    try statement.run()
  }
}
