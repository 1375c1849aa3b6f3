// Trades and bars: the newest from the loop's image, older ones from the store, joined without a gap or a double.

import Distribution
import Foundation
import MarketData
import NIOCore
import NIOHTTP1
import PriceStore
import TickerPlant

extension Router {
  // MARK: - Trades

  func trades(_ index: Int, _ request: Request, _ context: LoopContext) -> Routed {
    guard let limit = integer(request, "limit", default: 50, range: 1...1000) else {
      return .now(badParameter(request, "limit", "an integer from 1 to 1000"))
    }
    var cursor: TradeCursor?
    if let text = request.query["cursor"] {
      guard let parsed = TradeCursor(text) else {
        return .now(badParameter(request, "cursor", "the `next` of an answer"))
      }
      cursor = parsed
    }
    let distributor = context.distributor
    let (market, code) = distributor.identity(of: index)
    let (epoch, date) = distributor.epoch(of: index)
    let standing = Self.standing(index, distributor)
    var writer = JSONWriter(capacity: 1 << 14)
    writer.raw("{\"trades\":[")
    var count = 0
    var before = cursor
    // A cursor with the store's own number of an epoch came from the store, and everything after it is there.
    if cursor == nil || (cursor?.date == date && cursor?.epoch == .max) {
      let newest = distributor.writeTrades(
        index, limit: limit, before: cursor?.sequence ?? .max, into: &writer)
      count = newest.count
      if let last = newest.last {
        before = TradeCursor(date: date, epoch: cursor?.epoch ?? .max, sequence: last)
      }
      if count == limit || (store == nil && newest.isAll) || store == nil {
        finish(&writer, next: count == limit ? before : nil, standing)
        return .now(.json(writer))
      }
    }
    guard let store else {
      finish(&writer, next: nil, standing)
      return .now(.json(writer))
    }
    let head = [UInt8](writer.bytes)
    let name = distributor.fullName(of: index)
    let (already, from) = (count, before)
    return .later(
      context.eventLoop.makeFutureWithTask {
        let older = try await store.trades(market: market, code: code, before: from, limit: limit - already)
        var writer = JSONWriter(capacity: head.count + older.count * 300)
        head.withUnsafeBytes { writer.raw($0) }
        for (number, trade) in older.enumerated() {
          if already + number > 0 { writer.raw(",") }
          Self.write(trade, name, epochNow: epoch, into: &writer)
        }
        self.finish(&writer, next: already + older.count == limit ? older.last?.cursor : nil, standing)
        return Answer.json(writer)
      })
  }

  private func finish(_ writer: inout JSONWriter, next: TradeCursor?, _ standing: [UInt8]) {
    writer.raw("],\"next\":")
    if let next { writer.string(next.description) } else { writer.raw("null") }
    standing.withUnsafeBytes { writer.raw($0) }
    writer.raw("}")
  }

  /// How things stand with the instrument, as fields that follow a list.
  private static func standing(_ index: Int, _ distributor: Distributor) -> [UInt8] {
    var writer = JSONWriter(capacity: 256)
    distributor.writeStanding(index, into: &writer)
    return [UInt8](writer.bytes)
  }

  private static func write(
    _ trade: StoredTrade, _ name: (shown: String, market: String), epochNow: String,
    into writer: inout JSONWriter
  ) {
    writer.raw("{\"instrument\":")
    writer.string(name.shown)
    writer.raw(",\"market\":")
    writer.string(name.market)
    writer.raw(",\"epoch\":")
    writer.string(trade.epoch)
    writer.raw(",\"seq\":")
    writer.integer(trade.sequence)
    writer.raw(",\"time\":")
    writer.string(trade.day.text(ofNanosecondsSinceMidnight: trade.timeOfDay))
    writer.raw(",\"price\":")
    writer.price(trade.price.units)
    writer.raw(",\"size\":")
    writer.integer(trade.size)
    writer.raw(",\"match\":")
    writer.integer(trade.match.rawValue)
    writer.raw(",\"side\":")
    switch trade.aggressor {
    case .buy: writer.raw("\"buy\"")
    case .sell: writer.raw("\"sell\"")
    case nil: writer.raw("null")
    }
    writer.raw(",\"kind\":")
    writer.tradeKind(trade.kind.rawValue)
    writer.raw(",\"direction\":")
    writer.direction(trade.direction.map(Int64.init) ?? 2)
    writer.raw(",\"broken\":")
    writer.boolean(trade.broken)
    writer.raw("}")
  }

  // MARK: - Bars

  func bars(_ index: Int, _ request: Request, _ context: LoopContext) -> Routed {
    guard let interval = BarInterval(rawValue: request.query["interval"] ?? "1m") else {
      return .now(badParameter(request, "interval", "1m or 1d"))
    }
    guard let limit = integer(request, "limit", default: 500, range: 1...10_000) else {
      return .now(badParameter(request, "limit", "an integer from 1 to 10000"))
    }
    let distributor = context.distributor
    let today = distributor.day(of: index)
    var bounds: [Int64?] = []
    for name in ["from", "to"] {
      guard let text = request.query[name] else {
        bounds.append(nil)
        continue
      }
      guard let time = Self.time(text, utcOffsetSeconds: today.utcOffsetSeconds) else {
        return .now(badParameter(request, name, "a date (2026-11-24) or an RFC 3339 time"))
      }
      bounds.append(time)
    }
    let (from, to) = (bounds[0], bounds[1])
    let (market, code) = distributor.identity(of: index)
    let name = distributor.fullName(of: index)
    let epoch = distributor.epoch(of: index).epoch
    let recent =
      interval == .minute ? distributor.recentBars(index) : distributor.dayBar(index).map { [$0] } ?? []
    let newest = recent.map { ($0, today.midnightNanoseconds + Int64($0.startSeconds) * 1_000_000_000) }
      .filter { (from ?? .min) <= $0.1 && $0.1 < (to ?? .max) }
    let standing = Self.standing(index, distributor)
    guard let store else {
      var writer = JSONWriter(capacity: 4096)
      Self.writeBars(
        [], newest, interval, name, epoch, today, limit: limit, fromStart: from != nil, standing,
        into: &writer)
      return .now(.json(writer))
    }
    return .later(
      context.eventLoop.makeFutureWithTask {
        let stored = try await store.bars(
          market: market, code: code, interval: interval, from: from, to: to, limit: limit)
        var writer = JSONWriter(capacity: stored.count * 220 + 4096)
        Self.writeBars(
          stored, newest, interval, name, epoch, today, limit: limit, fromStart: from != nil, standing,
          into: &writer)
        return Answer.json(writer)
      })
  }

  private static func writeBars(
    _ stored: [StoredBar], _ newest: [(RecentBar, Int64)], _ interval: BarInterval,
    _ name: (shown: String, market: String), _ epoch: String, _ today: TradingDay, limit: Int,
    fromStart: Bool, _ standing: [UInt8],
    into writer: inout JSONWriter
  ) {
    // The image's bars are at least as new as the store's of the same start.
    // But for a minute of which a trade was taken back after it had closed: the store mends it.
    var mended: [Int64: UInt64] = [:]
    for bar in stored where bar.epoch == epoch { mended[bar.start] = bar.sequence }
    let newest = newest.filter { $0.0.trades > 0 && (mended[$0.1] ?? 0) <= $0.0.sequence }
    let starts = Set(newest.map(\.1))
    let old = stored.filter { !starts.contains($0.start) }
    let last = old.last?.start ?? .min
    let fresh = newest.filter { $0.1 > last || old.isEmpty }
    let total = old.count + fresh.count
    let skip = fromStart ? 0 : max(0, total - limit)
    let keep = fromStart ? limit : .max
    writer.raw("{\"bars\":[")
    var number = 0
    func open(_ epoch: String) {
      if number > skip { writer.raw(",") }
      writer.raw("{\"instrument\":")
      writer.string(name.shown)
      writer.raw(",\"market\":")
      writer.string(name.market)
      writer.raw(",\"epoch\":")
      writer.string(epoch)
      writer.raw(",\"interval\":")
      writer.string(interval.rawValue)
      writer.raw(",\"start\":")
    }
    for bar in old {
      defer { number += 1 }
      guard number >= skip, number < keep else { continue }
      open(bar.epoch)
      writer.string(
        bar.day.text(ofNanosecondsSinceMidnight: UInt64(max(0, bar.start - bar.day.midnightNanoseconds))))
      numbers(
        bar.open.units, bar.high.units, bar.low.units, bar.close.units, bar.volume, bar.turnover, bar.trades,
        closed: bar.closed, seq: bar.sequence, into: &writer)
    }
    for (bar, start) in fresh {
      defer { number += 1 }
      guard number >= skip, number < keep else { continue }
      open(epoch)
      writer.string(today.text(ofNanosecondsSinceMidnight: UInt64(max(0, start - today.midnightNanoseconds))))
      numbers(
        bar.open, bar.high, bar.low, bar.close, bar.volume, bar.turnover, bar.trades, closed: bar.closed,
        seq: bar.sequence, into: &writer)
    }
    writer.raw("]")
    standing.withUnsafeBytes { writer.raw($0) }
    writer.raw("}")
  }

  private static func numbers(
    _ open: Int64, _ high: Int64, _ low: Int64, _ close: Int64, _ volume: UInt64, _ turnover: UInt64,
    _ trades: UInt64, closed: Bool, seq: UInt64, into writer: inout JSONWriter
  ) {
    writer.raw(",\"seq\":")
    writer.integer(seq)
    writer.raw(",\"open\":")
    writer.price(open)
    writer.raw(",\"high\":")
    writer.price(high)
    writer.raw(",\"low\":")
    writer.price(low)
    writer.raw(",\"close\":")
    writer.price(close)
    writer.raw(",\"volume\":")
    writer.integer(volume)
    writer.raw(",\"turnover\":")
    writer.decimal(turnover)
    writer.raw(",\"trades\":")
    writer.integer(trades)
    writer.raw(",\"closed\":")
    writer.boolean(closed)
    writer.raw("}")
  }

  /// Nanoseconds since 1970 of an RFC 3339 time, or of a date's midnight at the exchange.
  static func time(_ text: String, utcOffsetSeconds: Int) -> Int64? {
    if let date = CalendarDate(text) {
      return nanoseconds(date.daysSince1970 * 86_400 - utcOffsetSeconds)
    }
    let bytes = Array(text.utf8)
    guard bytes.count >= 20, bytes[10] == 0x54 || bytes[10] == 0x74,
      let date = CalendarDate(String(decoding: bytes[..<10], as: UTF8.self)), bytes[13] == 0x3a,
      bytes[16] == 0x3a,
      let hour = number(bytes[11..<13], 0...23), let minute = number(bytes[14..<16], 0...59),
      let second = number(bytes[17..<19], 0...60)
    else { return nil }
    var position = 19
    var fraction: Int64 = 0
    if bytes[position] == 0x2e {
      position += 1
      var scale: Int64 = 100_000_000
      let start = position
      while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
        fraction += Int64(bytes[position] - 0x30) * scale
        scale /= 10
        position += 1
      }
      guard position > start, position - start <= 9 else { return nil }
    }
    guard position < bytes.count else { return nil }
    var offset = 0
    switch bytes[position] {
    case 0x5a, 0x7a: guard position + 1 == bytes.count else { return nil }
    case 0x2b, 0x2d, 0x20:
      // A plus sign that a browser's form encoding turned into a space is meant as one.
      guard position + 6 == bytes.count, bytes[position + 3] == 0x3a,
        let hours = number(bytes[position + 1..<position + 3], 0...23),
        let minutes = number(bytes[position + 4..<position + 6], 0...59)
      else { return nil }
      offset = (hours * 60 + minutes) * 60 * (bytes[position] == 0x2d ? -1 : 1)
    default: return nil
    }
    let seconds = date.daysSince1970 * 86_400 + hour * 3600 + minute * 60 + second - offset
    return nanoseconds(seconds, fraction)
  }

  /// Times beyond the years 1678 to 2261, which 64 bits can't hold, stand for "always": the nearest that can be held.
  private static func nanoseconds(_ seconds: Int, _ fraction: Int64 = 0) -> Int64 {
    let limit = Int(Int64.max / 1_000_000_000) - 1
    return Int64(max(-limit, min(seconds, limit))) * 1_000_000_000 + fraction
  }

  private static func number(_ digits: ArraySlice<UInt8>, _ range: ClosedRange<Int>) -> Int? {
    var value = 0
    for digit in digits {
      guard (0x30...0x39).contains(digit) else { return nil }
      value = value * 10 + Int(digit - 0x30)
    }
    return range.contains(value) ? value : nil
  }
}
