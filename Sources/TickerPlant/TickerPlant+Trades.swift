// Trades and what is made of them: last, day's figures, one-minute bars (TotalView-ITCH 5.0, 1.5).

import FeedProtocols
import MarketData

extension TickerPlant {
  /// Shares beyond this in one message are a fault: price × shares must stay within 64 bits.
  static var largestTrade: UInt64 { 1 << 31 }

  @inline(__always)
  mutating func trade(
    instrument: Int, price: Int64, size: UInt64, match: UInt64, kind: TradeKind, aggressor: UInt8
  ) {
    let state = instruments.states + instrument
    let direction: Int8
    if state.pointee.lastTrade < 0 || state.pointee.statistics.last == noPrice {
      direction = 2
    } else {
      let before = state.pointee.statistics.last
      direction = price > before ? 1 : price < before ? -1 : 0
    }
    counters.trades &+= 1
    let logIndex = Int32(truncatingIfNeeded: trades.count)
    trades.append(
      TradeEntry(
        price: price, size: size, match: match, sequence: sequence, time: time,
        previous: state.pointee.lastTrade,
        instrument: UInt32(instrument), kind: kind.rawValue, aggressor: aggressor, broken: false,
        direction: direction))
    state.pointee.lastTrade = logIndex
    state.pointee.statistics.take(
      price: price, size: size, time: time, direction: Int64(direction))
    stampTrade(instrument)
    updates.append(
      header(.trade, instrument: instrument),
      TradeRecord(
        trade: TradePayload(
          price: price, size: size, match: match, tradeSequence: sequence, tradeTime: time,
          kind: kind.rawValue,
          aggressor: aggressor, broken: 0, direction: direction),
        statistics: state.pointee.statistics))
    addToBar(instrument, price: price, size: size)
    if phase == .unknown && kind != .openingCross { setPhase(.open) }
  }

  mutating func hiddenTrade(_ message: NonCrossTrade) {
    let index = instrument(locate: message.header.locate, code: message.stock)
    touched = index
    guard message.shares > 0 else {
      counters.impossibleSizes &+= 1
      return suspect(index)
    }
    trade(
      instrument: index, price: message.price.units, size: UInt64(message.shares),
      match: message.match.rawValue,
      kind: .hidden, aggressor: 2)
  }

  mutating func cross(_ message: CrossTrade) {
    let index = instrument(locate: message.header.locate, code: message.stock)
    touched = index
    // A cross of nothing says that the auction ended without a trade (1.5.2).
    if message.shares > 0 {
      guard message.shares <= Self.largestTrade else {
        counters.impossibleSizes &+= 1
        return suspect(index)
      }
      let kind: TradeKind =
        switch message.crossType {
        case "O": .openingCross
        case "C": .closingCross
        case "H": .haltCross
        case "I": .intradayCross
        default: .intradayCross
        }
      trade(
        instrument: index, price: message.crossPrice.units, size: message.shares,
        match: message.match.rawValue,
        kind: kind, aggressor: 2)
    }
    var facts = instruments.states[index].facts
    facts.auction = AuctionPayload()
    if message.crossType == "C", message.shares > 0 { facts.close = message.crossPrice.units }
    update(index, facts)
  }

  /// Takes a trade back: the figures are computed again from the trades that remain.
  mutating func breakTrade(_ message: BrokenTrade) {
    var position = -1
    let located = instruments.index(ofLocate: message.header.locate)
    if located >= 0 {
      touched = located
      var index = Int(instruments.states[located].lastTrade)
      while index >= 0 {
        if trades[index].match == message.match.rawValue {
          position = index
          break
        }
        index = Int(trades[index].previous)
      }
    } else {
      var index = trades.count - 1
      while index >= 0 {
        if trades[index].match == message.match.rawValue {
          position = index
          break
        }
        index -= 1
      }
    }
    guard position >= 0, !trades[position].broken else {
      counters.unknownTrades &+= 1
      if located >= 0 { suspect(located) }
      return
    }
    trades[position].broken = true
    let broken = trades[position]
    let instrument = Int(broken.instrument)
    touched = instrument
    recompute(instrument)
    stampTrade(instrument)
    updates.append(
      header(.trade, instrument: instrument),
      TradeRecord(
        trade: TradePayload(
          price: broken.price, size: broken.size, match: broken.match, tradeSequence: broken.sequence,
          tradeTime: broken.time, kind: broken.kind, aggressor: broken.aggressor, broken: 1,
          direction: broken.direction),
        statistics: instruments.states[instrument].statistics))
    if instruments.states[instrument].bar.startSeconds != .max {
      instruments.books.stamps[instrument].barSequence = sequence
      updates.append(header(.bar, flags: 0, instrument: instrument), instruments.states[instrument].bar)
    }
  }

  /// The message that is being applied changed the trades, and with them the quote.
  @inline(__always)
  private func stampTrade(_ instrument: Int) {
    stampQuote(instrument)
    instruments.books.stamps[instrument].tradeSequence = sequence
  }

  private mutating func recompute(_ instrument: Int) {
    var chain: [Int] = []
    var index = Int(instruments.states[instrument].lastTrade)
    while index >= 0 {
      if !trades[index].broken { chain.append(index) }
      index = Int(trades[index].previous)
    }
    var statistics = StatisticsPayload()
    var bar = BarPayload()
    for index in chain.reversed() {
      let entry = trades[index]
      let direction: Int64 =
        statistics.last == noPrice
        ? 2 : entry.price > statistics.last ? 1 : entry.price < statistics.last ? -1 : 0
      statistics.take(price: entry.price, size: entry.size, time: entry.time, direction: direction)
      let start = UInt32(truncatingIfNeeded: entry.time / 60_000_000_000 * 60)
      if bar.startSeconds != start { bar = BarPayload() }
      bar.take(start: start, price: entry.price, size: entry.size)
    }
    // Only the current minute's bar is still the plant's; an earlier one has been handed on.
    let current = instruments.states[instrument].bar.startSeconds
    instruments.states[instrument].statistics = statistics
    if bar.startSeconds == current {
      instruments.states[instrument].bar = bar
    } else if current != .max {
      var empty = BarPayload()
      empty.startSeconds = current
      instruments.states[instrument].bar = empty
    }
  }

  // MARK: - Bars

  @inline(__always)
  private mutating func addToBar(_ instrument: Int, price: Int64, size: UInt64) {
    let start = UInt32(truncatingIfNeeded: time / 60_000_000_000 * 60)
    instruments.books.stamps[instrument].barSequence = sequence
    let state = instruments.states + instrument
    if state.pointee.bar.startSeconds != start {
      if state.pointee.bar.startSeconds != .max {
        updates.append(header(.bar, flags: 1, instrument: instrument), state.pointee.bar)
      }
      state.pointee.bar = BarPayload()
    }
    state.pointee.bar.take(start: start, price: price, size: size)
    updates.append(header(.bar, flags: 0, instrument: instrument), state.pointee.bar)
  }

  /// Closes all bars that began before the minute of `stamp`.
  mutating func closeBars(before stamp: UInt64) {
    let start = stamp / 60_000_000_000 * 60
    minuteEnd = (start + 60) * 1_000_000_000
    for index in 0..<instruments.count {
      let bar = instruments.states[index].bar
      guard bar.startSeconds != .max, UInt64(bar.startSeconds) < start else { continue }
      instruments.books.stamps[index].barSequence = sequence
      updates.append(header(.bar, flags: 1, instrument: index), bar)
      instruments.states[index].bar = BarPayload()
    }
  }
}

/// A trade and the figures after it, as one payload.
public struct TradeRecord: BitwiseCopyable, Sendable {
  /// The trade.
  public var trade: TradePayload
  /// The day's figures after it.
  public var statistics: StatisticsPayload
}

extension StatisticsPayload {
  @inline(__always)
  mutating func take(price: Int64, size: UInt64, time: UInt64, direction: Int64) {
    if open == noPrice {
      open = price
      openTime = time
    }
    if high == noPrice || price > high {
      high = price
      highTime = time
    }
    if low == noPrice || price < low {
      low = price
      lowTime = time
    }
    last = price
    lastSize = size
    lastTime = time
    self.direction = direction
    volume &+= size
    turnover &+= size &* UInt64(truncatingIfNeeded: price)
    trades &+= 1
  }
}

extension BarPayload {
  @inline(__always)
  mutating func take(start: UInt32, price: Int64, size: UInt64) {
    startSeconds = start
    if open == noPrice { open = price }
    high = high == noPrice ? price : max(high, price)
    low = low == noPrice ? price : min(low, price)
    close = price
    volume &+= size
    turnover &+= size &* UInt64(truncatingIfNeeded: price)
    trades &+= 1
  }
}
