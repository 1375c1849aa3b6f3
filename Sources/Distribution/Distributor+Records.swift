// Records in: what the plants say goes into the images, and marks the lanes that carry it.

import MarketData
import TickerPlant

extension Distributor {
  /// Takes a batch of a market's records. Where its last message goes on in the next batch (`continues`), nothing of
  /// the market is shown until that has come (Distributor+Incomplete); other markets go on. `more`: another batch is there already; clients are sent what has gathered after
  /// the last one, or when it becomes much.
  public func consume(
    market tag: Int, records: UnsafeRawBufferPointer, continues: Bool = false, more: Bool = false, now: UInt64
  ) {
    guard markets.indices.contains(tag) else { return }
    let market = markets[tag]
    var cursor = UpdateCursor(records)
    var lastSequence = incomplete.contains(tag) ? market.lastRecord : UInt64.max
    var taken: UInt64 = 0
    while cursor.next() {
      let header = cursor.header
      if header.sequence != lastSequence {
        if !incomplete.isEmpty { complete(tag) }
        if immediateDirty { flushImmediate(now: now) }
        lastSequence = header.sequence
      }
      taken &+= 1
      take(cursor, header, tag, market)
    }
    counters.records &+= taken
    market.lastRecord = lastSequence
    if continues {
      incomplete.insert(tag)
      return
    }
    if !incomplete.isEmpty { complete(tag) }
    if immediateDirty { flushImmediate(now: now) }
    if more, outbox.bytes.count < Self.gatheredBytes { return }
    flushTouched(now: now)
    retryWaiting(now: now)
  }

  @inline(__always)
  private func take(_ cursor: UpdateCursor, _ header: UpdateHeader, _ tag: Int, _ market: MarketImage) {
    if header.kind == UpdateKind.source.rawValue { return takeSource(cursor.payload(), header, tag) }
    if header.kind == UpdateKind.instrument.rawValue { return addInstrument(cursor.payload(), header, tag) }
    let local = Int(header.instrument)
    guard local < market.instruments.count else { return }
    let index = Int(market.instruments[local])
    let image = images + index
    if header.sequence > market.sequence { market.sequence = header.sequence }
    market.time = header.time
    image.pointee.receivedAt = header.receivedAt
    switch UpdateKind(rawValue: header.kind) {
    case .level:
      let level: LevelPayload = cursor.payload()
      takeLevel(level, side: header.flags, header, index)
    case .top:
      let top: TopPayload = cursor.payload()
      quoteChanged(index, image.pointee.take(top), header)
    case .trade:
      let record: TradeRecord = cursor.payload()
      takeTrade(record, header, index)
    case .facts:
      let facts: FactsPayload = cursor.payload()
      let mask = image.pointee.take(facts)
      quoteChanged(index, mask, header)
      if mask & QuoteField.standing != 0 { standingChanged(index, mask, header) }
    case .bar:
      takeBar(cursor.payload(), closed: header.flags & 1 != 0, header, index)
    case .stamps: image.pointee.take(cursor.payload(as: StampsPayload.self))
    case .cleared:
      image.pointee.begin(sequence: header.sequence, time: header.time, epoch: market.epochNumber)
      note(heard: header, index)
      for lane in lanes { mark(lane, index, Lane.snapshotBit) }
    case .daily, .source, .instrument, nil: break
    }
  }

  @inline(__always)
  private func mark(_ lane: Lane, _ index: Int, _ mask: UInt64, first: Int = 0) {
    lane.mark(index, mask, first: first)
    if lane.key.interval == 0 { immediateDirty = true }
  }

  @inline(__always)
  private func quoteChanged(_ index: Int, _ mask: UInt64, _ header: UpdateHeader) {
    guard mask != 0 else { return }
    let image = images + index
    image.pointee.quoteSequence = header.sequence
    image.pointee.quoteTime = header.time
    let mask = mask | QuoteField.time.bit
    var rest = mask
    while rest != 0 {
      image.pointee.fieldSequence[rest.trailingZeroBitCount] = header.sequence
      rest &= rest - 1
    }
    for lane in lanesByChannel[StreamChannel.quotes.rawValue] { mark(lane, index, mask) }
  }

  /// The trading state or the base price changed: quotes have been marked already.
  private func standingChanged(_ index: Int, _ mask: UInt64, _ header: UpdateHeader) {
    bookChanged(index, header)
    var fields: UInt64 = 0
    if mask & QuoteField.state.bit != 0 { fields |= BookField.state }
    if mask & ~QuoteField.state.bit & QuoteField.standing != 0 { fields |= BookField.reference }
    for lane in lanesByChannel[StreamChannel.books.rawValue] { mark(lane, index, fields) }
    for channel in [StreamChannel.trades, .bars] {
      for lane in lanesByChannel[channel.rawValue] { mark(lane, index, Lane.stateBit, first: .max) }
    }
  }

  @inline(__always)
  private func bookChanged(_ index: Int, _ header: UpdateHeader) {
    images[index].bookSequence = header.sequence
    images[index].bookTime = header.time
  }

  @inline(__always)
  private func takeLevel(_ level: LevelPayload, side: UInt8, _ header: UpdateHeader, _ index: Int) {
    let image = images + index
    let depth: Int
    if side == Side.buy.rawValue {
      guard let change = image.pointee.bids.set(price: level.price, size: level.size, orders: level.orders)
      else { return }
      image.pointee.bidTotal = image.pointee.bidTotal &+ level.size &- change.sizeBefore
      depth = change.depth
    } else {
      guard let change = image.pointee.asks.set(price: level.price, size: level.size, orders: level.orders)
      else { return }
      image.pointee.askTotal = image.pointee.askTotal &+ level.size &- change.sizeBefore
      depth = change.depth
    }
    bookChanged(index, header)
    let isBuy = side == Side.buy.rawValue
    for lane in lanesByChannel[StreamChannel.books.rawValue] {
      if depth < lane.key.levels {
        mark(lane, index, isBuy ? BookField.bids : BookField.asks)
      } else {
        mark(lane, index, isBuy ? BookField.bidTotal : BookField.askTotal)
      }
    }
  }

  private func takeTrade(_ record: TradeRecord, _ header: UpdateHeader, _ index: Int) {
    let image = images + index
    let number = image.pointee.trades.total
    // A trade told again after a restore keeps its own number; a break has that of the message that broke it.
    let isRepeat = header.flags & TradePayload.repeatFlag != 0
    if record.trade.broken != 0, !isRepeat {
      image.pointee.trades.markBroken(tradeSequence: record.trade.tradeSequence)
    }
    let sequence = isRepeat ? record.trade.tradeSequence : header.sequence
    image.pointee.trades.append(
      TradeItem(trade: record.trade, sequence: sequence, time: header.time, receivedAt: header.receivedAt))
    image.pointee.tradeSequence = max(image.pointee.tradeSequence, sequence)
    quoteChanged(index, image.pointee.take(record.statistics), header)
    for lane in lanesByChannel[StreamChannel.trades.rawValue] { mark(lane, index, 1, first: number) }
  }

  private func takeBar(_ bar: BarPayload, closed: Bool, _ header: UpdateHeader, _ index: Int) {
    let image = images + index
    let number = image.pointee.closedCount
    image.pointee.barSequence = header.sequence
    image.pointee.bar = bar
    image.pointee.barClosed = closed
    if closed { image.pointee.close(bar, sequence: header.sequence) }
    for lane in lanesByChannel[StreamChannel.bars.rawValue] { mark(lane, index, 1, first: number) }
  }

  private func takeSource(_ source: SourcePayload, _ header: UpdateHeader, _ tag: Int) {
    let state = SourceState(rawValue: UInt8(truncatingIfNeeded: source.state)) ?? .silent
    let date = CalendarDate(daysSince1970: Int(source.date))
    let (wasStale, stateBefore) = (markets[tag].isStale, markets[tag].state)
    if markets[tag].epochOrdinal != source.epochOrdinal || markets[tag].date != date {
      markets[tag].epochOrdinal = source.epochOrdinal
      markets[tag].date = date
      let offset = markets[tag].description.utcOffsetSeconds(date)
      markets[tag].stamp = JSONWriter.DayStamp(TradingDay(date: date, utcOffsetSeconds: offset))
      let session = source.session
      let epoch = session.isEmpty ? date.description : session + "." + date.description
      if markets[tag].epoch != epoch { markets[tag].epochNumber += 1 }
      markets[tag].epoch = epoch
      markets[tag].sequence = header.sequence
    }
    markets[tag].sequence = max(markets[tag].sequence, header.sequence)
    markets[tag].time = header.time
    markets[tag].state = state
    markets[tag].gap = (source.gapFrom, source.gapThrough)
    // A source that was silent and now has a gap is stale for another reason: that is told too.
    guard wasStale != markets[tag].isStale || (wasStale && state != stateBefore) else { return }
    if !wasStale { markets[tag].staleSince = header.time }
    for local in markets[tag].instruments {
      images[Int(local)].fieldSequence[QuoteField.stale.rawValue] = header.sequence
      for lane in lanes { mark(lane, Int(local), Lane.staleBit, first: .max) }
    }
  }

  private func addInstrument(_ facts: FactsPayload, _ header: UpdateHeader, _ tag: Int) {
    let local = Int(header.instrument)
    if local < markets[tag].instruments.count {
      // Announced again: the plant began anew, and knows it under the same number.
      let index = Int(markets[tag].instruments[local])
      if images[index].facts.code == facts.code {
        images[index].begin(
          sequence: header.sequence, time: header.time, epoch: markets[tag].epochNumber)
        note(heard: header, index)
        _ = images[index].take(facts)
        for lane in lanes { mark(lane, index, Lane.snapshotBit) }
        return
      }
    }
    let market = markets[tag].description.market
    let full = "\(facts.code).\(market)"
    let index: Int
    if let known = byName[full], known >= 0 {
      index = Int(known)
      images[index].begin(sequence: header.sequence, time: header.time, epoch: markets[tag].epochNumber)
      images[index].local = local
      note(heard: header, index)
      _ = images[index].take(facts)
      for lane in lanes { mark(lane, index, Lane.snapshotBit) }
    } else {
      index = imageCount
      if imageCount == imageCapacity { growImages() }
      (images + imageCount).initialize(to: InstrumentImage(facts: facts, market: tag, local: local))
      images[index].begin(at: header.sequence, time: header.time)
      images[index].epochNumber = markets[tag].epochNumber
      note(heard: header, index)
      imageCount += 1
      byName[full] = Int32(index)
      let code = facts.code.description
      for lane in lanes { lane.grow(to: imageCount) }
      if let holder = byName[code], holder >= 0 {
        // From now on the other one is named with its market: who has it must hear that.
        for lane in lanes { mark(lane, Int(holder), Lane.snapshotBit) }
      }
      byName[code] = byName[code] == nil ? Int32(index) : -2
      for lane in lanes where !lane.everyone.isEmpty { mark(lane, index, Lane.snapshotBit) }
    }
    while markets[tag].instruments.count <= local { markets[tag].instruments.append(Int32(index)) }
    markets[tag].instruments[local] = Int32(index)
  }

  private func growImages() {
    let bigger = UnsafeMutablePointer<InstrumentImage>.allocate(capacity: imageCapacity * 2)
    bigger.moveInitialize(from: images, count: imageCount)
    images.deallocate()
    images = bigger
    imageCapacity *= 2
  }
}
