// Reads kabuto.binary.1 as docs/STREAM.md describes it, into what JSONSerialization gives for JSON frames. Written
// from the description: it shares nothing with the encoder.

import Foundation
import MarketData

/// Of one connection.
final class BinaryDecoder {
  struct Cut: Error {}

  private struct Known {
    var name = ""
    var market = ""
    var epoch = ""
    var day = TradingDay(date: CalendarDate(daysSince1970: 0), utcOffsetSeconds: 0)
  }

  private struct Reader {
    var bytes: ArraySlice<UInt8>
    var known = Known()

    mutating func byte() throws -> Int {
      guard let first = bytes.popFirst() else { throw Cut() }
      return Int(first)
    }

    mutating func number() throws -> UInt64 {
      var value: UInt64 = 0
      for shift in stride(from: 0 as UInt64, to: 70, by: 7) {
        let next = try byte()
        value |= UInt64(next & 0x7f) << shift
        if next < 0x80 { return value }
      }
      throw Cut()
    }

    static func unfold(_ value: UInt64) -> Int64 { Int64(value >> 1) ^ -Int64(value & 1) }
    mutating func signed() throws -> Int64 { Self.unfold(try number()) }

    mutating func text() throws -> String {
      let count = Int(try number())
      guard count <= bytes.count else { throw Cut() }
      defer { bytes = bytes.dropFirst(count) }
      return String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    mutating func integer() throws -> Any { NSNumber(value: try number()) }
    mutating func count() throws -> Any {
      let value = try number()
      return value == 0 ? NSNull() : NSNumber(value: value - 1)
    }
    mutating func price(_ scale: Double = 10_000) throws -> Any {
      let value = try number()
      return value == 0 ? NSNull() : NSNumber(value: Double(Self.unfold(value - 1)) / scale)
    }
    mutating func money() throws -> Any { NSNumber(value: Double(try number()) / 10_000) }
    mutating func date() throws -> Any {
      let value = try number()
      return value == 0
        ? NSNull() : CalendarDate(daysSince1970: Int(Self.unfold(value - 1))).description as Any
    }
    mutating func stamp() throws -> String { known.day.text(ofNanosecondsSinceMidnight: try number()) }
    mutating func time(_ unit: UInt64 = 1) throws -> Any {
      let value = try number()
      return value == 0 ? NSNull() : known.day.text(ofNanosecondsSinceMidnight: (value - 1) * unit) as Any
    }
    mutating func word(_ words: [String?]) throws -> Any {
      let place = try byte()
      guard place < words.count else { throw Cut() }
      return words[place] as Any? ?? NSNull()
    }
    mutating func flag() throws -> Any { try byte() == 1 }
    mutating func stale() throws -> Any {
      let reason = try word([nil, "gap", "silent", "recovering"])
      if reason is NSNull { return reason }
      return ["since": try stamp(), "reason": reason] as [String: Any]
    }
    mutating func auction() throws -> Any {
      let type = try word([nil, "open", "close", "extended", "halt"])
      if type is NSNull { return type }
      var auction: [String: Any] = ["type": type, "paired": try integer(), "imbalance": try integer()]
      auction["side"] = try word(["buy", "sell", "none", "insufficient"])
      auction["far"] = try price()
      auction["near"] = try price()
      auction["reference"] = try price()
      auction["price"] = auction["near"] is NSNull ? auction["reference"] : auction["near"]
      return auction
    }
  }

  private static let states: [String?] = [
    "unknown", "pre_open", "auction", "trading", "break", "halted", "paused", "quotation", "closed",
  ]
  private static let directions: [String?] = [nil, "up", "down", "same"]
  private static let fields = [
    "time", "state", "special", "bid", "bid_size", "bid_orders", "ask", "ask_size", "ask_orders", "last",
    "last_size", "last_time", "direction", "open", "open_time", "high", "high_time", "low", "low_time",
    "close",
    "volume", "turnover", "vwap", "trades", "previous_close", "previous_date", "change", "change_percent",
    "reference", "reference_date", "limit_up", "limit_down", "at_limit", "auction", "collar_upper",
    "collar_lower", "short_restricted", "suspect", "stale",
  ]

  private var known: [UInt64: Known] = [:]

  func frame(_ bytes: [UInt8]) throws -> [[String: Any]] {
    var outer = Reader(bytes: bytes[...])
    var events: [[String: Any]] = []
    while !outer.bytes.isEmpty {
      let count = Int(try outer.number())
      guard count <= outer.bytes.count else { throw Cut() }
      if let event = try event(Reader(bytes: outer.bytes.prefix(count))) { events.append(event) }
      outer.bytes = outer.bytes.dropFirst(count)
    }
    return events
  }

  private func event(_ reader: Reader) throws -> [String: Any]? {
    var reader = reader
    let head = try reader.byte()
    if head == 0 { return object(Array(reader.bytes)) }
    if head == 6 {
      for _ in 0..<(try reader.number()) { try name(&reader, number: reader.number()) }
      guard reader.bytes.isEmpty else { throw Cut() }
      return nil
    }
    let number = try reader.number()
    let channel = ["quotes", "books", "trades", "bars"][head >> 4]
    var event: [String: Any] = ["channel": channel, "seq": try reader.integer()]
    event["type"] = try {
      guard (1...5).contains(head & 15) else { throw Cut() }
      return ["snapshot", "update", "stale", "fresh", "state"][head & 15 - 1]
    }()
    if head & 15 == 1 { try name(&reader, number: number) }
    guard let known = known[number] else { throw Cut() }
    reader.known = known
    event["instrument"] = known.name
    switch head & 15 {
    case 1:
      event["market"] = known.market
      event["epoch"] = known.epoch
      try snapshot(&reader, channel, &event)
    case 2: try values(&reader, channel, &event)
    case 3: event["stale"] = try reader.stale()
    case 5: try standing(&reader, &event)
    default: break
    }
    while !reader.bytes.isEmpty {
      switch (try reader.byte(), try reader.number()) {
      case (1, let value): event["rx"] = String(value)
      case (2, let value): event["conflated"] = NSNumber(value: value)
      case (3, let value): event["dropped"] = NSNumber(value: value)
      default: throw Cut()
      }
    }
    return event
  }

  private func name(_ reader: inout Reader, number: UInt64) throws {
    let (name, market, epoch) = (try reader.text(), try reader.text(), try reader.text())
    let (days, offset) = (Int(try reader.signed()), Int(try reader.signed()))
    known[number] = Known(
      name: name, market: market, epoch: epoch,
      day: TradingDay(date: CalendarDate(daysSince1970: days), utcOffsetSeconds: offset))
  }

  private func snapshot(_ r: inout Reader, _ channel: String, _ event: inout [String: Any]) throws {
    switch channel {
    case "quotes": try quote(&r, &event)
    case "books":
      try book(&r, &event)
      event["stale"] = try r.stale()
    default:
      try standing(&r, &event)
      event["stale"] = try r.stale()
      guard channel == "trades" else { return try bar(&r, &event) }
      var trades: [[String: Any]] = []
      for _ in 0..<(try r.number()) {
        var one: [String: Any] = ["seq": try r.integer()]
        for key in ["instrument", "market", "epoch"] { one[key] = event[key] }
        try trade(&r, &one)
        trades.append(one)
      }
      event["trades"] = trades
    }
  }

  private func values(_ r: inout Reader, _ channel: String, _ event: inout [String: Any]) throws {
    switch channel {
    case "quotes": try quote(&r, &event)
    case "books": try book(&r, &event)
    case "trades": try trade(&r, &event)
    default: try bar(&r, &event)
    }
  }

  private func standing(_ r: inout Reader, _ event: inout [String: Any]) throws {
    event["time"] = try r.time()
    event["state"] = try r.word(Self.states)
    event["reference"] = try r.price()
    event["reference_date"] = try r.date()
  }

  private func quote(_ r: inout Reader, _ event: inout [String: Any]) throws {
    let mask = try r.number()
    guard mask >> UInt64(Self.fields.count) == 0 else { throw Cut() }
    for (bit, field) in Self.fields.enumerated() where mask >> UInt64(bit) & 1 == 1 {
      switch field {
      case "state": event[field] = try r.word(Self.states)
      case "special":
        event[field] = try r.word([nil, "special_bid", "special_ask", "sequential_bid", "sequential_ask"])
      case "direction": event[field] = try r.word(Self.directions)
      case "at_limit": event[field] = try r.word([nil, "up", "down"])
      case "volume", "trades": event[field] = try r.integer()
      case "turnover": event[field] = try r.money()
      case "change_percent": event[field] = try r.price(100)
      case "auction": event[field] = try r.auction()
      case "stale": event[field] = try r.stale()
      case "short_restricted", "suspect": event[field] = try r.flag()
      case _ where field.hasSuffix("time"): event[field] = try r.time()
      case _ where field.hasSuffix("date"): event[field] = try r.date()
      case _ where field.hasSuffix("size") || field.hasSuffix("orders"): event[field] = try r.count()
      default: event[field] = try r.price()
      }
    }
  }

  private func book(_ r: inout Reader, _ event: inout [String: Any]) throws {
    let mask = try r.number()
    event["time"] = try r.time()
    if mask & 16 != 0 { event["state"] = try r.word(Self.states) }
    if mask & 32 != 0 {
      event["reference"] = try r.price()
      event["reference_date"] = try r.date()
    }
    for (bit, side) in [(1 as UInt64, "bids"), (4, "asks")] where mask & bit != 0 {
      var price: Int64 = 0
      var levels: [[String: Any]] = []
      for _ in 0..<(try r.number()) {
        price += try r.signed()
        levels.append([
          "price": NSNumber(value: Double(price) / 10_000), "size": try r.integer(),
          "orders": try r.integer(),
        ])
      }
      event[side] = levels
    }
    for (bit, names) in [(2 as UInt64, ["bid_total", "under"]), (8, ["ask_total", "over"])]
    where mask & bit != 0 {
      for name in names { event[name] = try r.integer() }
    }
  }

  private func trade(_ r: inout Reader, _ event: inout [String: Any]) throws {
    event["time"] = try r.stamp()
    event["price"] = try r.price()
    event["size"] = try r.integer()
    event["match"] = try r.integer()
    let flags = try r.byte()
    event["side"] = [NSNull(), "buy", "sell", NSNull()][flags & 3] as Any
    event["direction"] = Self.directions[flags >> 2 & 3] as Any? ?? NSNull()
    event["broken"] = flags & 16 != 0
    event["kind"] = try r.word([
      "trade", "hidden", "open", "close", "halt_cross", "ipo_cross", "intraday_cross",
    ])
    if flags & 32 != 0 { event["broke"] = try r.integer() }
  }

  private func bar(_ r: inout Reader, _ event: inout [String: Any]) throws {
    event["interval"] = "1m"
    event["start"] = try r.time(1_000_000_000)
    for name in ["open", "high", "low", "close"] { event[name] = try r.price() }
    event["volume"] = try r.integer()
    event["turnover"] = try r.money()
    event["trades"] = try r.integer()
    event["closed"] = try r.flag()
  }
}
