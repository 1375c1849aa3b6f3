// Small integers for long names: market, instrument, epoch. Numbers are given here, not by the database, so that
// rows can be keyed before their transaction; the names travel in the same transaction as the first row.
// Owner: the writer thread, the only one that gives numbers.

import GRDB
import MarketData

/// Checksums of the rows that name things.
enum NameSums {
  static func market(_ id: Int64, _ name: String) -> Int64 {
    var sum = RowSum()
    sum.add(1, id)
    sum.add(2, name)
    return sum.stored
  }

  static func instrument(_ id: Int64, _ market: Int64, _ code: Int64) -> Int64 {
    var sum = RowSum()
    sum.add(1, id)
    sum.add(2, market)
    sum.add(3, code)
    return sum.stored
  }

  static func epoch(_ id: Int64, _ market: Int64, _ date: Int64, _ session: String) -> Int64 {
    var sum = RowSum()
    sum.add(1, id)
    sum.add(2, market)
    sum.add(3, date)
    sum.add(4, session)
    return sum.stored
  }
}

struct Identities {
  struct InstrumentName: Hashable {
    var market: Int64
    var code: InstrumentCode
  }
  struct EpochName: Hashable {
    var market: Int64
    var date: CalendarDate
    var session: String
  }

  /// The database's number of each market of the configuration.
  private(set) var markets: [Int64] = []
  private(set) var instruments: [InstrumentName: Int64] = [:]
  private var epochs: [EpochName: Int64] = [:]
  private var nextInstrument: Int64 = 1
  private var nextEpoch: Int64 = 1

  /// Reads what the database knows and enters the markets of the configuration.
  init(_ db: Database, markets names: [String]) throws {
    for name in names {
      if let id = try Int64.fetchOne(db, sql: "SELECT id FROM market WHERE mic = ?", arguments: [name]) {
        markets.append(id)
        continue
      }
      let id = try Int64.fetchOne(db, sql: "SELECT ifnull(max(id), 0) + 1 FROM market") ?? 1
      try db.execute(
        sql: "INSERT INTO market (id, mic, sum) VALUES (?, ?, ?)",
        arguments: [id, name, NameSums.market(id, name)])
      markets.append(id)
    }
    for row in try Row.fetchAll(db, sql: "SELECT id, market, code FROM instrument") {
      let id: Int64 = row[0]
      let code: Int64 = row[2]
      instruments[InstrumentName(market: row[1], code: InstrumentCode(UInt64(bitPattern: code)))] = id
      nextInstrument = max(nextInstrument, id + 1)
    }
    for row in try Row.fetchAll(db, sql: "SELECT id, market, date, session FROM epoch") {
      let id: Int64 = row[0]
      let date: Int = row[2]
      epochs[EpochName(market: row[1], date: CalendarDate(daysSince1970: date), session: row[3])] = id
      nextEpoch = max(nextEpoch, id + 1)
    }
  }

  /// The number of an instrument; a new name is put among the rows.
  mutating func instrument(market: Int, code: InstrumentCode, into rows: inout PendingRows) -> Int64 {
    let name = InstrumentName(market: markets[market], code: code)
    if let id = instruments[name] { return id }
    let id = nextInstrument
    nextInstrument += 1
    instruments[name] = id
    rows.instruments.append(InstrumentRow(id: id, market: name.market, code: code))
    return id
  }

  /// The ordinal of an epoch; it is put among the rows in any case, so that ticks that come again after they were
  /// pruned are known to be there.
  mutating func epoch(market: Int, date: CalendarDate, session: String, into rows: inout PendingRows) -> Int64
  {
    let name = EpochName(market: markets[market], date: date, session: session)
    let id = epochs[name] ?? nextEpoch
    if id == nextEpoch { nextEpoch += 1 }
    epochs[name] = id
    rows.epochs.append(EpochRow(id: id, market: name.market, date: date, session: session))
    return id
  }
}
