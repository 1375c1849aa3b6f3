// The stream's events in kabuto.binary.1 (docs/STREAM.md, Binary frames): one for one those of Distributor+Events, and
// like them the same bytes for every client of the lane. An event is its length and then its bytes; instruments are
// named by a number, which snapshots (and `names`, before what a resume sends) explain.

import MarketData
import TickerPlant

/// What an event is: the low half of its first byte. The high half is the channel.
enum BinaryEvent {
  /// JSON text of one event: answers, heartbeats and what else isn't about values.
  static let text: UInt8 = 0
  static let snapshot: UInt8 = 1
  static let update: UInt8 = 2
  static let stale: UInt8 = 3
  static let fresh: UInt8 = 4
  static let state: UInt8 = 5
  /// What instruments' numbers stand for.
  static let names: UInt8 = 6
}

/// What may follow an event's content: a tag and a varint each.
enum BinaryExtra {
  static let receivedAt: UInt8 = 1
  static let conflated: UInt8 = 2
  static let dropped: UInt8 = 3
}

extension Distributor {
  /// Encodes what changed of an instrument; as `encode`.
  func encodeBinary(_ key: LaneKey, _ index: Int, mask: UInt64, from: Int) -> Int {
    let market = markets[images[index].market]
    let isTape = key.channel == .trades || key.channel == .bars
    var events = 0
    var standing = mask & Lane.standingBits
    if mask & Lane.snapshotBit != 0 {
      binarySnapshot(key, index, market)
      events = 1
      standing = isTape && (mask & Lane.staleBit != 0 || isStale(index)) ? Lane.staleBit : 0
    } else if mask & Lane.valueBits != 0 {
      switch key.channel {
      case .quotes:
        let start = openBinary(BinaryEvent.update, key.channel, index, images[index].quoteSequence)
        scratch.binaryQuote(images[index], mask: mask & Lane.valueBits, market: market)
        closeBinary(start, key, index)
        events = 1
      case .books:
        let start = openBinary(BinaryEvent.update, key.channel, index, images[index].bookSequence)
        scratch.binaryBook(images[index], mask: mask, levels: key.levels)
        closeBinary(start, key, index)
        events = 1
      case .trades: events = binaryTrades(key, index, from: from)
      case .bars: events = binaryBars(key, index, from: from)
      }
    }
    if standing & Lane.stateBit != 0 {
      let sequence = standingSequence(index, key.channel)
      let start = openBinary(BinaryEvent.state, key.channel, index, sequence)
      scratch.binaryStanding(images[index], market: market)
      scratch.prefixLength(from: start)
      events += 1
    }
    guard standing & Lane.staleBit != 0 else { return events }
    let kind = isStale(index) ? BinaryEvent.stale : BinaryEvent.fresh
    let start = openBinary(kind, key.channel, index, max(market.sequence, 1))
    if isStale(index) { scratch.binaryStale(market, images[index]) }
    scratch.prefixLength(from: start)
    return events + 1
  }

  /// Begins an event; returns where.
  private func openBinary(_ kind: UInt8, _ channel: StreamChannel, _ index: Int, _ sequence: UInt64) -> Int {
    let start = scratch.count
    scratch.byte(kind | UInt8(truncatingIfNeeded: channel.rawValue) << 4)
    scratch.varint(UInt64(index))
    scratch.varint(sequence)
    return start
  }

  /// Ends an event with values.
  private func closeBinary(_ start: Int, _ key: LaneKey, _ index: Int, told: Int = 0) {
    if changesWaiting > 1 { tellBinaryConflated(told) }
    closePlainBinary(start, key, receivedAt: images[index].receivedAt)
  }

  private func tellBinaryConflated(_ told: Int) {
    guard let count = takeConflated(told) else { return }
    scratch.byte(BinaryExtra.conflated)
    scratch.varint(count)
  }

  private func closePlainBinary(_ start: Int, _ key: LaneKey, receivedAt: UInt64) {
    if key.timing {
      scratch.byte(BinaryExtra.receivedAt)
      scratch.varint(receivedAt)
    }
    scratch.prefixLength(from: start)
  }

  private func binaryTrades(_ key: LaneKey, _ index: Int, from: Int) -> Int {
    let tail = images[index].trades
    var number = max(from, tail.oldest)
    var dropped = number - min(from, number)
    var events = 0
    while number < tail.total, let item = tail[number] {
      let start = openBinary(BinaryEvent.update, .trades, index, item.sequence)
      scratch.binaryTrade(item)
      if dropped > 0 {
        scratch.byte(BinaryExtra.dropped)
        scratch.varint(UInt64(dropped))
        if changesWaiting > 0 { conflatedNow = UInt64(dropped) }
        dropped = 0
      }
      closePlainBinary(start, key, receivedAt: item.receivedAt)
      events += 1
      number += 1
    }
    return events
  }

  private func binaryBars(_ key: LaneKey, _ index: Int, from: Int) -> Int {
    var events = 0
    let end = images[index].closedCount
    let isOpen = !images[index].barClosed
    var number = max(from, end - 4)
    while number < end, let (bar, sequence) = images[index].closedBar(number) {
      let start = openBinary(BinaryEvent.update, .bars, index, sequence)
      scratch.binaryBar(bar, closed: true)
      number += 1
      if number == end, !isOpen {
        closeBinary(start, key, index, told: events)
      } else {
        closePlainBinary(start, key, receivedAt: images[index].receivedAt)
      }
      events += 1
    }
    if isOpen {
      let start = openBinary(BinaryEvent.update, .bars, index, images[index].barSequence)
      scratch.binaryBar(images[index].bar, closed: false)
      closeBinary(start, key, index, told: events)
      events += 1
    }
    return events
  }

  private func binarySnapshot(_ key: LaneKey, _ index: Int, _ market: MarketImage) {
    let start = openBinary(BinaryEvent.snapshot, key.channel, index, sequence(of: index, in: key.channel))
    let image = images[index]
    binaryName(index, market)
    switch key.channel {
    case .quotes: scratch.binaryQuote(image, mask: QuoteField.all, market: market)
    case .books:
      scratch.binaryBook(image, mask: BookField.all, levels: key.levels)
      scratch.binaryStale(market, images[index])
    case .trades:
      scratch.binaryStanding(image, market: market)
      scratch.binaryStale(market, images[index])
      binaryTradeList(index, limit: Self.snapshotTrades)
    case .bars:
      scratch.binaryStanding(image, market: market)
      scratch.binaryStale(market, images[index])
      scratch.binaryBar(image.bar, closed: image.barClosed)
    }
    if changesWaiting > 1, key.channel != .trades { tellBinaryConflated(0) }
    scratch.prefixLength(from: start)
  }

  /// What a number stands for: name, market, epoch, the epoch's day and the exchange's distance to UTC.
  private func binaryName(_ index: Int, _ market: MarketImage) {
    let code = images[index].facts.code.description
    let market = market.description.market
    scratch.binaryText(markets.count > 1 && byName[code] == -2 ? "\(code).\(market)" : code)
    scratch.binaryText(market)
    let image = markets[images[index].market]
    scratch.binaryText(image.epoch)
    scratch.zigzag(Int64(image.date.daysSince1970))
    scratch.zigzag(Int64(image.stamp.day.utcOffsetSeconds))
  }

  private func binaryTradeList(_ index: Int, limit: Int) {
    let tail = images[index].trades
    var chosen: [TradeItem] = []
    forEachTrade(tail, limit: limit, before: .max) { chosen.append($0) }
    scratch.varint(UInt64(chosen.count))
    for item in chosen {
      scratch.varint(item.sequence)
      scratch.binaryTrade(item)
    }
  }

  /// Explains instruments' numbers to a client that gets updates without a snapshot before them.
  func tellNames(_ client: Client, _ indices: [Int32]) {
    scratch.removeAll()
    scratch.byte(BinaryEvent.names)
    scratch.varint(UInt64(indices.count))
    for index in indices {
      scratch.varint(UInt64(index))
      binaryName(Int(index), markets[images[Int(index)].market])
    }
    scratch.prefixLength(from: 0)
    put(client, post(events: 1, lane: OutboxItem.binaryAnswer), fast: false)
  }
}
