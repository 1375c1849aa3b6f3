// The stream's events (docs/STREAM.md, Stream). `encode` writes them into `scratch`, joined by commas, and says
// how many; they're the same bytes for every client of the lane.

import MarketData
import TickerPlant

extension Distributor {
  /// Encodes what changed of an instrument.
  func encode(_ key: LaneKey, _ index: Int, mask: UInt64, from: Int) -> Int {
    let market = markets[images[index].market]
    let isTape = key.channel == .trades || key.channel == .bars
    var events = 0
    var standing = mask & Lane.standingBits
    if mask & Lane.snapshotBit != 0 {
      snapshot(key, index)
      events = 1
      // A snapshot says itself how things stand; of trades and bars stale ones are told once more, as they ever were.
      standing = isTape && (mask & Lane.staleBit != 0 || isStale(index)) ? Lane.staleBit : 0
    } else if mask & Lane.valueBits != 0 {
      switch key.channel {
      case .quotes:
        open("update", .quotes, index, sequence: images[index].quoteSequence, into: &scratch)
        scratch.quoteFields(images[index], mask: mask & Lane.valueBits, market: market)
        close(key, index)
        events = 1
      case .books:
        open("update", .books, index, sequence: images[index].bookSequence, into: &scratch)
        scratch.bookFields(images[index], mask: mask, levels: key.levels, market: market)
        close(key, index)
        events = 1
      case .trades: events = trades(key, index, from: from, market)
      case .bars: events = bars(key, index, from: from, market)
      }
    }
    if standing & Lane.stateBit != 0 {
      if events > 0 { scratch.raw(",") }
      let sequence = standingSequence(index, key.channel)
      open("state", key.channel, index, sequence: sequence, into: &scratch)
      scratch.standingFields(images[index], market: market)
      scratch.raw("}")
      events += 1
    }
    // After the updates: it has the source's number, which is never below an instrument's.
    guard standing & Lane.staleBit != 0 else { return events }
    if events > 0 { scratch.raw(",") }
    open(
      isStale(index) ? "stale" : "fresh", key.channel, index, sequence: max(market.sequence, 1),
      into: &scratch)
    if isStale(index) {
      scratch.raw(",\"stale\":")
      scratch.stale(market, images[index])
    }
    scratch.raw("}")
    return events + 1
  }

  /// The number of a `state` event: the source's, as of a stale or fresh one, so that it is never below what was told
  /// before it.
  func standingSequence(_ index: Int, _ channel: StreamChannel) -> UInt64 {
    max(
      images[index].quoteSequence, sequence(of: index, in: channel), markets[images[index].market].sequence, 1
    )
  }

  /// Ends an event with values; `told`: others of the same item that came before it.
  private func close(_ key: LaneKey, _ index: Int, told: Int = 0) {
    if changesWaiting > 1 { tellConflated(told) }
    closePlain(key, index)
  }

  private func closePlain(_ key: LaneKey, _ index: Int) {
    if key.timing {
      scratch.raw(",\"rx\":\"")
      scratch.integer(images[index].receivedAt)
      scratch.raw("\"")
    }
    scratch.raw("}")
  }

  /// Of the changes that waited for a client this event, and those before it, tell all that is told.
  private func tellConflated(_ told: Int) {
    guard let count = takeConflated(told) else { return }
    scratch.raw(",\"conflated\":")
    scratch.integer(count)
  }

  /// How many of the changes that waited for a client are told by no event; nil where all are.
  func takeConflated(_ told: Int) -> UInt64? {
    let count = changesWaiting - min(changesWaiting, UInt64(told) + 1)
    guard count > 0 else { return nil }
    conflatedNow = count
    return count
  }

  private func trades(_ key: LaneKey, _ index: Int, from: Int, _ market: MarketImage) -> Int {
    let tail = images[index].trades
    var number = max(from, tail.oldest)
    var dropped = number - min(from, number)
    var events = 0
    while number < tail.total, let item = tail[number] {
      if events > 0 { scratch.raw(",") }
      open("update", .trades, index, sequence: item.sequence, into: &scratch)
      scratch.raw(",")
      scratch.tradeFields(item, market: market)
      if dropped > 0 {
        scratch.raw(",\"dropped\":")
        scratch.integer(UInt64(dropped))
        if changesWaiting > 0 { conflatedNow = UInt64(dropped) }
        dropped = 0
      }
      if key.timing {
        scratch.raw(",\"rx\":\"")
        scratch.integer(item.receivedAt)
        scratch.raw("\"")
      }
      scratch.raw("}")
      events += 1
      number += 1
    }
    return events
  }

  private func bars(_ key: LaneKey, _ index: Int, from: Int, _ market: MarketImage) -> Int {
    var events = 0
    let end = images[index].closedCount
    let isOpen = !images[index].barClosed
    var number = max(from, end - 4)
    while number < end, let (bar, sequence) = images[index].closedBar(number) {
      if events > 0 { scratch.raw(",") }
      open("update", .bars, index, sequence: sequence, into: &scratch)
      scratch.raw(",")
      scratch.barFields(bar, closed: true, market: market)
      number += 1
      if number == end, !isOpen { close(key, index, told: events) } else { closePlain(key, index) }
      events += 1
    }
    if isOpen {
      if events > 0 { scratch.raw(",") }
      open("update", .bars, index, sequence: images[index].barSequence, into: &scratch)
      scratch.raw(",")
      scratch.barFields(images[index].bar, closed: false, market: market)
      close(key, index, told: events)
      events += 1
    }
    return events
  }

  /// `{"type":…,"channel":…,"instrument":…,"seq":…`, left open.
  private func open(
    _ type: StaticString, _ channel: StreamChannel, _ index: Int, sequence: UInt64,
    into writer: inout JSONWriter
  ) {
    writer.raw("{\"type\":\"")
    writer.raw(type)
    switch channel {
    case .quotes: writer.raw("\",\"channel\":\"quotes\",\"instrument\":")
    case .books: writer.raw("\",\"channel\":\"books\",\"instrument\":")
    case .trades: writer.raw("\",\"channel\":\"trades\",\"instrument\":")
    case .bars: writer.raw("\",\"channel\":\"bars\",\"instrument\":")
    }
    instrumentName(index, into: &writer)
    writer.raw(",\"seq\":")
    writer.integer(sequence)
  }

  /// The instrument's name in answers: its code where that is unique here, else `CODE.MARKET`.
  func instrumentName(_ index: Int, into writer: inout JSONWriter) {
    let code = images[index].facts.code
    if markets.count > 1, byName[code.description] == -2 {
      writer.string("\(code).\(markets[images[index].market].description.market)")
    } else {
      writer.code(code)
    }
  }

  /// A whole snapshot event.
  private func snapshot(_ key: LaneKey, _ index: Int) {
    writeSnapshot(key, index, into: &scratch)
    if changesWaiting > 1, key.channel != .trades { tellConflated(0) }
    scratch.raw("}")
  }

  /// A snapshot event, left open.
  private func writeSnapshot(_ key: LaneKey, _ index: Int, into writer: inout JSONWriter) {
    let image = images[index]
    let market = markets[image.market]
    open("snapshot", key.channel, index, sequence: sequence(of: index, in: key.channel), into: &writer)
    writer.raw(",\"market\":")
    writer.string(market.description.market)
    writer.raw(",\"epoch\":")
    writer.string(market.epoch)
    switch key.channel {
    case .quotes: writer.quoteFields(image, mask: QuoteField.all, market: market)
    case .books:
      writer.bookFields(image, mask: BookField.all, levels: key.levels, market: market)
      writer.raw(",\"stale\":")
      writer.stale(market, image)
    case .trades:
      writer.raw(",\"trades\":[")
      tradeList(index, limit: Self.snapshotTrades, before: .max, into: &writer)
      writer.raw("]")
      writer.standingFields(image, market: market)
      writer.raw(",\"stale\":")
      writer.stale(market, image)
    case .bars:
      writer.raw(",")
      writer.barFields(image.bar, closed: image.barClosed, market: market)
      writer.standingFields(image, market: market)
      writer.raw(",\"stale\":")
      writer.stale(market, image)
    }
  }

  /// Trades newest first, as Trade objects joined by commas; those with a sequence below `before`.
  /// Returns the sequence of the last one written, and how many.
  @discardableResult
  func tradeList(
    _ index: Int, limit: Int, before: UInt64, into writer: inout JSONWriter
  ) -> (last: UInt64?, count: Int) {
    let market = markets[images[index].market]
    var count = 0
    var last: UInt64?
    forEachTrade(images[index].trades, limit: limit, before: before) { item in
      if count > 0 { writer.raw(",") }
      writer.raw("{\"instrument\":")
      instrumentName(index, into: &writer)
      writer.raw(",\"market\":")
      writer.string(market.description.market)
      writer.raw(",\"epoch\":")
      writer.string(market.epoch)
      writer.raw(",\"seq\":")
      writer.integer(item.sequence)
      writer.raw(",")
      writer.tradeFields(item, market: market)
      writer.raw("}")
      last = item.sequence
      count += 1
    }
    return (last, count)
  }

  /// Trades of the tail, newest first; those with a sequence below `before`.
  func forEachTrade(_ tail: TradeTail, limit: Int, before: UInt64, _ body: (TradeItem) -> Void) {
    var number = tail.total - 1
    var count = 0
    while number >= tail.oldest, count < limit, let item = tail[number] {
      number -= 1
      // The report that broke a trade stands in the list as the trade's own mark.
      if item.trade.broken != 0, item.trade.tradeSequence != item.sequence { continue }
      guard item.sequence < before else { continue }
      body(item)
      count += 1
    }
  }

  func heartbeat(conflated: UInt64, into writer: inout JSONWriter) {
    writer.raw("{\"type\":\"heartbeat\",\"time\":")
    if let market = markets.first { writer.newestTime(market) } else { writer.raw("null") }
    writer.raw(",\"conflated\":")
    writer.integer(conflated)
    writer.raw(",\"sources\":[")
    var isFirst = true
    // Of a market of which half a message has come no number tells what a client has.
    for (number, market) in markets.enumerated() where !incomplete.contains(number) {
      if !isFirst { writer.raw(",") }
      isFirst = false
      writer.raw("{\"market\":")
      writer.string(market.description.market)
      writer.raw(",\"epoch\":")
      writer.string(market.epoch)
      writer.raw(",\"seq\":")
      writer.integer(market.sequence)
      writer.raw(",\"state\":")
      sourceState(market, into: &writer)
      writer.raw(",\"time\":")
      writer.newestTime(market)
      writer.raw(",\"stale\":")
      writer.stale(market)
      writer.raw("}")
    }
    writer.raw("]}")
  }

  func sourceState(_ market: MarketImage, into writer: inout JSONWriter) {
    switch market.state {
    case .live: writer.raw("\"live\"")
    case .ended: writer.raw("\"ended\"")
    case .gap, .silent, .recovering: writer.raw("\"stale\"")
    }
  }
}
