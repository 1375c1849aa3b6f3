// Rows between the ring and the database: flat structs, decoded from the plant's records.
// Owner: the writer thread. Bound: what the rings held while the database can be written; where it can't, `limit`
// rows: what comes beyond is counted in `lost`.
// Names of instruments and epochs are few and never dropped: rows that follow need them.

import MarketData
import TickerPlant

/// A trade, by the name of its message.
struct TradeRow: BitwiseCopyable {
  var instrument: Int64
  var epoch: Int64
  var trade: TradePayload
  /// The message that took it back; 0 = none or not known.
  var brokenBy: UInt64
  /// Start of the trade's minute, seconds since 1970.
  var minuteStart: Int64
  /// It comes from a healed gap, and is right where another row of its name is not.
  var replaces = false
}

/// The best quote after a message.
struct QuoteRow: BitwiseCopyable {
  var instrument: Int64
  var epoch: Int64
  var sequence: UInt64
  var time: UInt64
  var top: TopPayload
  /// As of a trade.
  var replaces = false
}

/// A bar; of the day where `start` is a date.
struct BarRow: BitwiseCopyable {
  var instrument: Int64
  var epoch: Int64
  var sequence: UInt64
  /// Seconds since 1970 (a minute's bar) or days since 1970 (a day's).
  var start: Int64
  var open: Int64
  var high: Int64
  var low: Int64
  var close: Int64
  var volume: UInt64
  var turnover: UInt64
  var trades: UInt64
  var closed: Bool
  /// As of a trade.
  var replaces = false
}

/// An instrument that the database doesn't know yet.
struct InstrumentRow {
  var id: Int64
  var market: Int64
  var code: InstrumentCode
}

/// An epoch that the database doesn't know yet, or whose ticks were pruned and come again.
struct EpochRow {
  var id: Int64
  var market: Int64
  var date: CalendarDate
  var session: String
}

struct PendingRows {
  var instruments: [InstrumentRow] = []
  var epochs: [EpochRow] = []
  var trades: [TradeRow] = []
  var breaks: [TradeRow] = []
  var quotes: [QuoteRow] = []
  var minuteBars: [BarRow] = []
  var dailyBars: [BarRow] = []
  /// Rows that found no room.
  var lost: UInt64 = 0
  /// Whether the limit holds: rows wait for a database that can't be written.
  var isLimited = false
  let limit: Int

  init(limit: Int) { self.limit = max(1, limit) }

  /// Rows that wait; names don't count.
  var count: Int { trades.count + breaks.count + quotes.count + minuteBars.count + dailyBars.count }

  var isEmpty: Bool { count == 0 && instruments.isEmpty && epochs.isEmpty }

  /// Whether there is room for one more; counts it lost where not.
  mutating func hasRoom() -> Bool {
    if !isLimited || count < limit { return true }
    lost += 1
    return false
  }

  /// Adds a quote; the last one of a message is the one that counts.
  mutating func add(_ row: QuoteRow) {
    if let last = quotes.last, last.sequence == row.sequence, last.instrument == row.instrument,
      last.epoch == row.epoch
    {
      quotes[quotes.count - 1] = row
    } else if hasRoom() {
      quotes.append(row)
    }
  }

  mutating func removeAll() {
    instruments.removeAll(keepingCapacity: true)
    epochs.removeAll(keepingCapacity: true)
    trades.removeAll(keepingCapacity: true)
    breaks.removeAll(keepingCapacity: true)
    quotes.removeAll(keepingCapacity: true)
    minuteBars.removeAll(keepingCapacity: true)
    dailyBars.removeAll(keepingCapacity: true)
  }
}
