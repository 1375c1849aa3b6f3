// The fan-out of one event loop: takes the plants' records into its images, marks lanes, and at each flush encodes
// what changed once a lane and copies it to who wants it.
// Owner: one event loop; not Sendable. Pure: time comes in, frames go out through `ClientTransport`.
// Cost: proportional to changed instruments × their subscribers; clients without news aren't visited.

import MarketData
import TickerPlant

/// See the head of this file.
public final class Distributor {
  var markets: [MarketImage]
  /// All instruments of all markets, by the image's own index. Grows; never shrinks.
  var images: UnsafeMutablePointer<InstrumentImage>
  var imageCount = 0
  private var imageCapacity = 1024
  /// `CODE` and `CODE.MARKET` → index; -2 where a code is in several markets.
  var byName: [String: Int32] = [:]
  var lanes: [Lane] = []
  var lanesByChannel: [[Lane]] = Array(repeating: [], count: StreamChannel.allCases.count)
  private var immediate: [Lane] = []
  private var lastBucket: [Int32: UInt64] = [:]
  var clients: [UInt64: Client] = [:]
  private var nextClientID: UInt64 = 1
  private var touched: [Client] = []
  private var waiting: [UInt64: Client] = [:]
  var pendingResumes: [PendingResume] = []
  private var nextHousekeeping: UInt64 = 0
  var scratch = JSONWriter(capacity: 1 << 16)
  /// Whether every client must get its frame at the end of the present batch.
  private var immediateDirty = false

  /// Milliseconds between heartbeats to a client that gets nothing else.
  public var heartbeatMilliseconds: UInt64 = 5_000
  /// Bytes after which a frame is sent and another begun: well below what clients take by default.
  static let frameBytes = 256 << 10

  /// What the loop counted.
  public struct Counters: Sendable {
    /// Records taken from rings.
    public var records: UInt64 = 0
    /// Events encoded, once each however many clients get them.
    public var encoded: UInt64 = 0
    /// Events copied into clients' frames.
    public var delivered: UInt64 = 0
    /// Values replaced by newer ones before a client took them.
    public var conflated: UInt64 = 0
    /// Frames sent.
    public var frames: UInt64 = 0
    /// Clients dropped because they took nothing.
    public var stuck: UInt64 = 0
  }

  /// What the loop counted.
  public internal(set) var counters = Counters()

  /// A fan-out over markets; a record's tag is the index of its market here.
  public init(markets: [MarketDescription]) {
    self.markets = markets.map(MarketImage.init)
    images = .allocate(capacity: imageCapacity)
  }

  deinit {
    for index in 0..<imageCount { images[index].deallocate() }
    images.deinitialize(count: imageCount)
    images.deallocate()
  }

  /// True while a client wants every update: then the loop must be woken for each batch.
  public var wantsImmediate: Bool { immediate.contains { $0.members > 0 } }

  /// Clients connected.
  public var clientCount: Int { clients.count }

  // MARK: - Records in

  /// Takes a batch of a market's records.
  public func consume(market tag: Int, records: UnsafeRawBufferPointer, now: UInt64) {
    guard markets.indices.contains(tag) else { return }
    var cursor = UpdateCursor(records)
    var lastSequence = UInt64.max
    while cursor.next() {
      let header = cursor.header
      if header.sequence != lastSequence {
        if immediateDirty { flushImmediate(now: now) }
        lastSequence = header.sequence
      }
      counters.records &+= 1
      take(cursor, header, tag)
    }
    if immediateDirty { flushImmediate(now: now) }
    flushTouched(now: now)
    if !pendingResumes.isEmpty { retryResumes(now: now) }
  }

  @inline(__always)
  private func take(_ cursor: UpdateCursor, _ header: UpdateHeader, _ tag: Int) {
    if header.kind == UpdateKind.source.rawValue { return takeSource(cursor.payload(), header, tag) }
    if header.kind == UpdateKind.instrument.rawValue { return addInstrument(cursor.payload(), header, tag) }
    let local = Int(header.instrument)
    guard local < markets[tag].instruments.count else { return }
    let index = Int(markets[tag].instruments[local])
    let image = images + index
    if header.sequence > markets[tag].sequence { markets[tag].sequence = header.sequence }
    markets[tag].time = header.time
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
      if mask & QuoteField.state.bit != 0 {
        bookChanged(index, header)
        for lane in lanesByChannel[StreamChannel.books.rawValue] { mark(lane, index, BookField.state) }
      }
    case .bar:
      takeBar(cursor.payload(), closed: header.flags & 1 != 0, header, index)
    case .cleared:
      image.pointee.clear()
      for field in 0..<QuoteField.allCases.count { image.pointee.fieldSequence[field] = header.sequence }
      image.pointee.quoteSequence = header.sequence
      image.pointee.bookSequence = header.sequence
      image.pointee.tradeSequence = header.sequence
      image.pointee.barSequence = header.sequence
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
      guard let change = image.pointee.bids.set(price: level.price, size: level.size, orders: level.orders) else { return }
      image.pointee.bidTotal = image.pointee.bidTotal &+ level.size &- change.sizeBefore
      depth = change.depth
    } else {
      guard let change = image.pointee.asks.set(price: level.price, size: level.size, orders: level.orders) else { return }
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
    if record.trade.broken != 0 { image.pointee.trades.markBroken(tradeSequence: record.trade.tradeSequence) }
    image.pointee.trades.append(
      TradeItem(
        trade: record.trade, sequence: header.sequence, time: header.time, receivedAt: header.receivedAt))
    image.pointee.tradeSequence = header.sequence
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
    let wasStale = markets[tag].isStale
    if markets[tag].epochOrdinal != source.epochOrdinal || markets[tag].date != date {
      markets[tag].epochOrdinal = source.epochOrdinal
      markets[tag].date = date
      let offset = markets[tag].description.utcOffsetSeconds(date)
      markets[tag].stamp = JSONWriter.DayStamp(TradingDay(date: date, utcOffsetSeconds: offset))
      let session = source.session
      markets[tag].epoch = session.isEmpty ? date.description : session + "." + date.description
      markets[tag].sequence = header.sequence
    }
    markets[tag].sequence = max(markets[tag].sequence, header.sequence)
    markets[tag].time = header.time
    markets[tag].state = state
    markets[tag].gap = (source.gapFrom, source.gapThrough)
    guard wasStale != markets[tag].isStale else { return }
    if markets[tag].isStale { markets[tag].staleSince = header.time }
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
        images[index].clear()
        _ = images[index].take(facts)
        for field in 0..<QuoteField.allCases.count { images[index].fieldSequence[field] = header.sequence }
        images[index].quoteSequence = header.sequence
        images[index].quoteTime = header.time
        for lane in lanes { mark(lane, index, Lane.snapshotBit) }
        return
      }
    }
    let market = markets[tag].description.market
    let full = "\(facts.code).\(market)"
    let index: Int
    if let known = byName[full], known >= 0 {
      index = Int(known)
      images[index].clear()
      images[index].local = local
      _ = images[index].take(facts)
      for lane in lanes { mark(lane, index, Lane.snapshotBit) }
    } else {
      index = imageCount
      if imageCount == imageCapacity { growImages() }
      (images + imageCount).initialize(to: InstrumentImage(facts: facts, market: tag, local: local))
      imageCount += 1
      byName[full] = Int32(index)
      let code = facts.code.description
      byName[code] = byName[code] == nil ? Int32(index) : -2
      for lane in lanes { lane.grow(to: imageCount) }
      for lane in lanes where !lane.everyone.isEmpty { mark(lane, index, Lane.snapshotBit) }
    }
    for field in 0..<QuoteField.allCases.count { images[index].fieldSequence[field] = header.sequence }
    images[index].quoteSequence = header.sequence
    images[index].quoteTime = header.time
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

  // MARK: - Frames out

  private func flushImmediate(now: UInt64) {
    immediateDirty = false
    for lane in immediate { flush(lane, now: now) }
  }

  /// The flush clock: call it every 10 ms.
  public func tick(now: UInt64) {
    for lane in lanes where lane.key.interval > 0 && !lane.dirty.isEmpty {
      let bucket = now / lane.key.interval
      if lastBucket[lane.id] != bucket {
        lastBucket[lane.id] = bucket
        flush(lane, now: now)
      }
    }
    flushTouched(now: now)
    for client in waiting.values { serveBacklog(client, now: now) }
    if !pendingResumes.isEmpty { retryResumes(now: now) }
    if now >= nextHousekeeping {
      nextHousekeeping = now + 1_000
      housekeeping(now: now)
    }
  }

  /// Encodes what a lane gathered and copies it to its subscribers.
  func flush(_ lane: Lane, now: UInt64) {
    guard !lane.dirty.isEmpty else { return }
    if lane.dirty.count > 1 {
      // In the order of their sequence: a client that loses its line between two frames can resume.
      lane.dirty.sort { sequence(of: Int($0), in: lane.key.channel) < sequence(of: Int($1), in: lane.key.channel) }
    }
    for entry in lane.dirty {
      let index = Int(entry)
      let mask = lane.masks[index]
      let from = lane.from[index]
      lane.masks[index] = 0
      scratch.removeAll()
      let events = encode(lane.key, index, mask: mask, from: from)
      guard events > 0 else { continue }
      counters.encoded &+= UInt64(events)
      for client in lane.subscribers[index] { deliver(client, lane, index, mask, from, events, now) }
      for client in lane.everyone { deliver(client, lane, index, mask, from, events, now) }
    }
    lane.dirty.removeAll(keepingCapacity: true)
  }

  @inline(__always)
  private func deliver(
    _ client: Client, _ lane: Lane, _ index: Int, _ mask: UInt64, _ from: Int, _ events: Int, _ now: UInt64
  ) {
    guard client.isClear else {
      postpone(client, lane, index, mask, from, now)
      return
    }
    client.append(scratch.bytes)
    client.events += events - 1
    counters.delivered &+= UInt64(events)
    if client.frame.count >= Self.frameBytes {
      send(client, now)
    } else if !client.touched {
      client.touched = true
      touched.append(client)
    }
  }

  /// The transport is full: remembers what changed instead of queueing it.
  private func postpone(_ client: Client, _ lane: Lane, _ index: Int, _ mask: UInt64, _ from: Int, _ now: UInt64) {
    if client.backlog.isEmpty {
      client.backlogSince = now
      waiting[client.id] = client
    }
    let key = Client.BacklogKey(lane: lane.id, instrument: Int32(truncatingIfNeeded: index))
    let packed = lane.key.channel == .quotes || lane.key.channel == .books ? mask : Self.pack(mask, from)
    if let old = client.backlog[key] {
      client.conflated &+= 1
      counters.conflated &+= 1
      client.backlog[key] =
        lane.key.channel == .quotes || lane.key.channel == .books ? old | packed : Self.merge(old, packed)
    } else {
      client.backlog[key] = packed
    }
  }

  private static let numberMask: UInt64 = (1 << 48) - 1

  /// For trades and bars: flags, and the number of the first item not sent.
  private static func pack(_ mask: UInt64, _ from: Int) -> UInt64 {
    (mask & (Lane.snapshotBit | Lane.staleBit)) | (mask & 1) << 60 | min(UInt64(clamping: from), numberMask)
  }

  private static func merge(_ a: UInt64, _ b: UInt64) -> UInt64 {
    ((a | b) & ~numberMask) | min(a & numberMask, b & numberMask)
  }

  /// Sends what waited for a client, if its transport takes it now.
  public func serveBacklog(_ client: Client, now: UInt64) {
    guard client.transport != nil, !client.isSending else { return }
    guard client.transport?.canTakeMore ?? false else {
      if now &- client.backlogSince > client.limits.stuckMilliseconds {
        counters.stuck &+= 1
        client.transport?.close(code: 4001, reason: "too slow: nothing was taken for \(client.limits.stuckMilliseconds / 1000) s; reconnect and resume")
        remove(client)
      }
      return
    }
    let entries = client.backlog.sorted {
      sequence(of: Int($0.key.instrument), in: lanes[Int($0.key.lane)].key.channel)
        < sequence(of: Int($1.key.instrument), in: lanes[Int($1.key.lane)].key.channel)
    }
    var left = entries[...]
    while let (key, packed) = left.first {
      guard client.transport?.canTakeMore ?? false else { break }
      left = left.dropFirst()
      client.backlog[key] = nil
      let lane = lanes[Int(key.lane)]
      scratch.removeAll()
      let simple = lane.key.channel == .quotes || lane.key.channel == .books
      let mask = simple ? packed : (packed & (Lane.snapshotBit | Lane.staleBit)) | (packed >> 60 & 1)
      let number = packed & Self.numberMask
      let events = encode(
        lane.key, Int(key.instrument), mask: mask, from: number == Self.numberMask ? .max : Int(number))
      guard events > 0 else { continue }
      client.append(scratch.bytes)
      client.events += events - 1
      counters.delivered &+= UInt64(events)
      if client.frame.count >= Self.frameBytes { send(client, now) }
    }
    if client.events > 0 { send(client, now) }
    if client.backlog.isEmpty { waiting[client.id] = nil } else { client.backlogSince = now }
  }

  func send(_ client: Client, _ now: UInt64) {
    counters.frames &+= 1
    client.flush(now: now)
  }

  private func flushTouched(now: UInt64) {
    guard !touched.isEmpty else { return }
    for client in touched where client.touched { send(client, now) }
    touched.removeAll(keepingCapacity: true)
  }

  func sequence(of index: Int, in channel: StreamChannel) -> UInt64 {
    switch channel {
    case .quotes: images[index].quoteSequence
    case .books: images[index].bookSequence
    case .trades: images[index].tradeSequence
    case .bars: images[index].barSequence
    }
  }

  // MARK: - Lanes and clients

  func lane(for key: LaneKey) -> Lane {
    if let lane = lanesByChannel[key.channel.rawValue].first(where: { $0.key == key }) { return lane }
    let lane = Lane(id: Int32(lanes.count), key: key, instruments: imageCount)
    lanes.append(lane)
    lanesByChannel[key.channel.rawValue].append(lane)
    if key.interval == 0 { immediate.append(lane) }
    return lane
  }

  /// Takes a connection in.
  public func add(transport: any ClientTransport, limits: ClientLimits, now: UInt64) -> Client {
    let client = Client(id: nextClientID, transport: transport, limits: limits, now: now)
    nextClientID += 1
    clients[client.id] = client
    return client
  }

  /// Forgets a connection and all it wanted.
  public func remove(_ client: Client) {
    guard clients.removeValue(forKey: client.id) != nil else { return }
    for channel in StreamChannel.allCases { removeAll(client, channel) }
    waiting[client.id] = nil
    client.backlog = [:]
    client.touched = false
    pendingResumes.removeAll { $0.client === client }
    client.transport = nil
  }

  private func housekeeping(now: UInt64) {
    for client in clients.values where now &- client.lastSent >= heartbeatMilliseconds {
      guard client.isClear else { continue }
      scratch.removeAll()
      heartbeat(into: &scratch)
      client.append(scratch.bytes)
      send(client, now)
    }
  }

  /// Tells every client that this server ends soon.
  public func announceMove(inMilliseconds: Int, reason: String, now: UInt64) {
    scratch.removeAll()
    scratch.raw("{\"type\":\"move\",\"in_ms\":")
    scratch.integer(UInt64(max(0, inMilliseconds)))
    scratch.raw(",\"reason\":")
    scratch.string(reason)
    scratch.raw("}")
    for client in clients.values {
      client.append(scratch.bytes)
      send(client, now)
    }
  }

  /// Ends every connection.
  public func closeAll(code: UInt16, reason: String) {
    for client in Array(clients.values) {
      client.transport?.close(code: code, reason: reason)
      remove(client)
    }
  }
}
