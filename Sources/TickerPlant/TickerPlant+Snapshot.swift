// The plant's whole state as bytes, and back; and its digest.
// A snapshot holds orders, not levels: levels follow from orders, so that they can't disagree.
// Layout: magic, version, body, StateDigest of the body (little-endian integers; never leaves this product).

import CHardware
public import MarketData

/// Why bytes are not a snapshot.
public struct SnapshotError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What was found and what was wanted, and where.
  public var description: String
  init(_ description: String) { self.description = description }
}

extension TickerPlant {
  private static var magic: UInt64 { 0x4b41_4255_544f_5331 }  // "KABUTOS1"
  /// Version 1 had no stamps: what it holds of an instrument is taken as changed when it was made.
  private static var version: UInt64 { 2 }

  /// The state as bytes, with a checksum: about 32 bytes a live order, 56 a trade of the day, 400 an instrument. One
  /// pass over the tables into memory that is asked for once: the feed stands still meanwhile.
  public func snapshot() -> [UInt8] { snapshotAndDigest().bytes }

  /// The state as bytes, and its digest: both look at each order, so they do it together.
  public func snapshotAndDigest() -> (bytes: [UInt8], digest: StateDigest) {
    let bindings = instruments.bindings()
    let capacity =
      4096 + market.utf8.count + session.utf8.count + orders.count * SnapshotWriter.bytes(Order.self)
      + trades.count * SnapshotWriter.bytes(TradeEntry.self) + bindings.count * 8
      + instruments.count
      * (SnapshotWriter.bytes(FactsPayload.self) + SnapshotWriter.bytes(StatisticsPayload.self)
        + SnapshotWriter.bytes(BarPayload.self) + SnapshotWriter.bytes(StampsPayload.self) + 40)
    var sum: UInt64 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
      var writer = SnapshotWriter(buffer)
      sum = write(bindings, to: &writer)
      count = writer.finish(magic: Self.magic, version: Self.version)
    }
    return (bytes, digest(orders: sum))
  }

  /// Returns the orders' part of the digest.
  private func write(_ bindings: [(UInt16, Int)], to writer: inout SnapshotWriter) -> UInt64 {
    writer.put(market)
    writer.put(session)
    writer.put(Int64(date.daysSince1970))
    writer.put(sequence)
    writer.put(time)
    writer.put(minuteEnd)
    writer.put(UInt64(phase.rawValue))
    writer.put(UInt64(sourceState.rawValue))
    writer.put(gap.from)
    writer.put(gap.through)
    writer.raw(counters)
    writer.put(UInt64(instruments.count))
    for index in 0..<instruments.count {
      let state = instruments.states + index
      writer.raw(state.pointee.facts)
      writer.raw(state.pointee.statistics)
      writer.raw(state.pointee.bar)
      writer.put(UInt64(state.pointee.rawState))
      writer.put(UInt64(state.pointee.rawReason))
      writer.put(UInt64(state.pointee.operationalHalt ? 1 : 0))
      writer.put(Int64(state.pointee.lastTrade))
      writer.put(UInt64(state.pointee.faults))
      writer.raw(instruments.books.stamps[index])
    }
    writer.put(UInt64(bindings.count))
    for (locate, index) in bindings { writer.put(UInt64(locate) << 32 | UInt64(index)) }
    writer.put(UInt64(orders.count))
    var sum: UInt64 = 0
    eachOrder { order, part in
      writer.raw(order)
      sum &+= part
    }
    writer.put(UInt64(trades.count))
    for index in 0..<trades.count { writer.raw(trades[index]) }
    return sum
  }

  /// Each order with its part of the digest. Levels and instruments are met by chance: they are loaded ahead.
  @inline(__always)
  private func eachOrder(_ body: (Order, UInt64) -> Void) {
    let ahead = 16
    for slot in 0..<orders.capacity {
      if slot + ahead < orders.capacity {
        let next = orders.slots[slot + ahead]
        instruments.books.prefetch(level: Int(next.level))
        kabuto_prefetch(instruments.states + Int(next.side >> 1))
      }
      guard orders.slots[slot].shares != 0 else { continue }
      let order = order(at: slot)
      var one = StateDigest()
      one.combine(order.reference)
      one.combine(UInt64(order.price) << 32 | UInt64(order.shares))
      one.combine(UInt64(order.entry) << 1 | UInt64(order.side.rawValue))
      one.combine(instruments.states[order.instrument].facts.code.rawValue)
      body(order, one.value)
    }
  }

  /// Replaces the whole state by a snapshot's. Nothing changes where an error is thrown.
  ///
  /// Records are written to `updates` that bring a consumer from nothing (or from any earlier state) to the
  /// restored state.
  /// - Throws: `SnapshotError` where the bytes are damaged, of another version, or of another market.
  public mutating func restore(_ bytes: [UInt8]) throws(SnapshotError) {
    var reader = try SnapshotReader(bytes, magic: Self.magic, versions: 1...Self.version)
    let market = try reader.text()
    guard market == self.market else {
      throw SnapshotError("snapshot of market \(market) found, of \(self.market) wanted")
    }
    let session = try reader.text()
    let days = try reader.signed()
    guard (-1_000_000...10_000_000).contains(days) else { throw SnapshotError("day \(days) is out of range") }
    let date = CalendarDate(daysSince1970: Int(days))
    let sequence = try reader.unsigned()
    let time = try reader.unsigned()
    let minuteEnd = try reader.unsigned()
    guard let phase = MarketPhase(rawValue: UInt8(truncatingIfNeeded: try reader.unsigned())),
      let sourceState = SourceState(rawValue: UInt8(truncatingIfNeeded: try reader.unsigned()))
    else { throw SnapshotError("phase or source state out of range") }
    let gap = (from: try reader.unsigned(), through: try reader.unsigned())
    let counters: PlantCounters = try reader.raw()

    let instrumentCount = Int(truncatingIfNeeded: try reader.unsigned())
    guard (0...reader.remaining / 64).contains(instrumentCount) else {
      throw SnapshotError("\(instrumentCount) instruments found, more than the bytes can hold")
    }
    var table = InstrumentTable(expected: instrumentCount)
    for _ in 0..<instrumentCount {
      let facts: FactsPayload = try reader.raw()
      guard table.index(ofCode: facts.code) < 0 else {
        throw SnapshotError("instrument \(facts.code) stands there twice")
      }
      let index = table.add(code: facts.code)
      table.states[index].facts = facts
      table.states[index].statistics = try reader.raw()
      table.states[index].bar = try reader.raw()
      table.states[index].rawState = UInt8(truncatingIfNeeded: try reader.unsigned())
      table.states[index].rawReason = UInt32(truncatingIfNeeded: try reader.unsigned())
      table.states[index].operationalHalt = try reader.unsigned() != 0
      table.states[index].lastTrade = Int32(truncatingIfNeeded: try reader.signed())
      table.states[index].faults = UInt32(truncatingIfNeeded: try reader.unsigned())
      if reader.version < 2 {
        table.books.stamps[index] = StampsPayload(at: sequence, time: time)
        continue
      }
      let stamps: StampsPayload = try reader.raw()
      guard stamps.isPossible(at: sequence) else {
        throw SnapshotError("instrument \(facts.code) changed with a message beyond \(sequence)")
      }
      table.books.stamps[index] = stamps
    }
    for _ in 0..<(try reader.unsigned()) {
      let pair = try reader.unsigned()
      let index = Int(pair & 0xffff_ffff)
      guard index < instrumentCount else { throw SnapshotError("locate of an instrument that isn't there") }
      table.bind(locate: UInt16(truncatingIfNeeded: pair >> 32), to: index)
    }
    let orderCount = Int(truncatingIfNeeded: try reader.unsigned())
    guard (0...reader.remaining / 32).contains(orderCount) else {
      throw SnapshotError("\(orderCount) orders found, more than the bytes can hold")
    }
    var orders = OrderTable(expected: max(orderCount * 2, 1 << 16))
    for _ in 0..<orderCount {
      let order: Order = try reader.raw()
      let slot = orders.place(for: order.reference)
      guard order.shares > 0, order.instrument < instrumentCount, slot >= 0 else {
        throw SnapshotError("order \(order.reference) is impossible")
      }
      let side = order.instrument * 2 + Int(order.side.rawValue)
      let level = table.books.add(side: side, price: order.price, shares: order.shares).number
      orders.fill(
        slot, reference: order.reference, shares: order.shares, side: side, entry: order.entry,
        attribution: order.attribution, level: level)
    }
    var trades = TradeLog()
    let tradeCount = Int(truncatingIfNeeded: try reader.unsigned())
    guard (0...reader.remaining / 48).contains(tradeCount) else {
      throw SnapshotError("\(tradeCount) trades found, more than the bytes can hold")
    }
    for index in 0..<tradeCount {
      let entry: TradeEntry = try reader.raw()
      guard entry.previous < index, entry.instrument < instrumentCount else {
        throw SnapshotError("trade \(index) is impossible")
      }
      trades.append(entry)
    }
    for index in 0..<instrumentCount where table.states[index].lastTrade >= tradeCount {
      throw SnapshotError("instrument \(table.states[index].facts.code) names a trade that isn't there")
    }

    // Consumers know instruments by index: what they knew must keep its number or begin anew.
    let known = instruments.count
    var sameOrder = known <= instrumentCount
    if sameOrder {
      for index in 0..<known where table.states[index].facts.code != instruments.states[index].facts.code {
        sameOrder = false
      }
    }
    self.session = session
    self.date = date
    self.sequence = sequence
    self.time = time
    self.minuteEnd = minuteEnd
    self.phase = phase
    self.sourceState = sourceState
    self.gap = gap
    self.counters = counters
    self.instruments = table
    self.orders = orders
    self.trades = trades
    epochOrdinal += 1
    emitAll(announcing: sameOrder ? known : 0)
  }

  /// Records that bring a consumer to the present state; instruments from `announcing` on are new to it. Until the
  /// last of them the source is said to be recovering: half a state is never taken for the present one.
  public mutating func emitAll(announcing: Int) {
    guard instruments.count > 0 else { return emitSource() }
    emitSource(as: .recovering)
    defer { if sourceState != .recovering { emitSource() } }
    for index in 0..<instruments.count { emitState(index, isNew: index >= announcing) }
  }

  /// Records that bring a consumer to the present state of one instrument, which is new to it.
  public mutating func emitState(of index: Int) {
    guard index >= 0, index < instruments.count else { return }
    emitState(index, isNew: true)
  }

  private mutating func emitState(_ index: Int, isNew: Bool) {
    let state = instruments.states[index]
    if isNew {
      updates.append(header(.instrument, instrument: index), state.facts)
    } else {
      updates.append(header(.cleared, instrument: index))
      emitFacts(index)
    }
    let sides = [(Side.buy, index * 2), (.sell, index * 2 + 1)]
    for (side, place) in sides {
      for depth in stride(from: instruments.books.count(side: place) - 1, through: 0, by: -1) {
        guard let level = instruments.books.level(depth, side: place) else { continue }
        updates.append(
          header(.level, flags: side.rawValue, instrument: index),
          LevelPayload(price: level.price, orders: level.orders, size: level.size))
      }
    }
    if sides.contains(where: { instruments.books.count(side: $0.1) > 0 }) {
      updates.append(header(.top, instrument: index), top(of: index))
    }
    emitTradeTail(index)
    if state.bar.startSeconds != .max { updates.append(header(.bar, instrument: index), state.bar) }
    updates.append(header(.stamps, instrument: index), instruments.books.stamps[index])
  }

  /// The newest trades of an instrument, oldest first, so that a consumer has time and sales again.
  private mutating func emitTradeTail(_ instrument: Int) {
    var chain: [Int] = []
    var index = Int(instruments.states[instrument].lastTrade)
    while index >= 0, chain.count < 50 {
      chain.append(index)
      index = Int(trades[index].previous)
    }
    let head = header(.trade, flags: TradePayload.repeatFlag, instrument: instrument)
    for index in chain.reversed() {
      let entry = trades[index]
      updates.append(
        head,
        TradeRecord(
          trade: TradePayload(
            price: entry.price, size: entry.size, match: entry.match, tradeSequence: entry.sequence,
            tradeTime: entry.time, kind: entry.kind, aggressor: entry.aggressor, broken: entry.broken ? 1 : 0,
            direction: entry.direction),
          statistics: instruments.states[instrument].statistics))
    }
  }

  /// A digest of all that the messages of this epoch made: equal wherever the same messages were applied. What
  /// comes from reference data or from arrival (names, base prices, receive times) is not part of it.
  public func digest() -> StateDigest {
    // Orders stand in the table by hash and history, so their part must not depend on the order of the walk.
    var sum: UInt64 = 0
    eachOrder { sum &+= $1 }
    return digest(orders: sum)
  }

  private func digest(orders sum: UInt64) -> StateDigest {
    var digest = StateDigest()
    digest.combine(sequence)
    digest.combine(UInt64(phase.rawValue))
    digest.combine(UInt64(orders.count))
    digest.combine(sum)
    for index in instruments.sortedIndices() {
      let state = instruments.states[index]
      digest.combine(state.facts.code.rawValue)
      for side in [index * 2, index * 2 + 1] {
        digest.combine(UInt64(instruments.books.count(side: side)))
        for depth in 0..<instruments.books.count(side: side) {
          guard let level = instruments.books.level(depth, side: side) else { continue }
          digest.combine(UInt64(level.price) << 32 | UInt64(level.orders))
          digest.combine(level.size)
        }
      }
      let figures = state.statistics
      for value in [figures.last, figures.open, figures.high, figures.low, state.facts.close] {
        digest.combine(value)
      }
      for value in [
        figures.lastSize, figures.lastTime, figures.openTime, figures.highTime, figures.lowTime,
        figures.volume,
        figures.turnover, figures.trades, UInt64(bitPattern: figures.direction),
      ] { digest.combine(value) }
      digest.combine(UInt64(state.bar.startSeconds))
      digest.combine(state.bar.close)
      digest.combine(state.bar.volume)
      digest.combine(UInt64(state.rawState) << 40 | UInt64(state.rawReason))
      digest.combine(
        UInt64(state.faults) << 3 | (state.operationalHalt ? 4 : 0) | (state.facts.shortRestricted ? 2 : 0)
          | (state.facts.suspect ? 1 : 0))
      digest.combine(state.facts.auction.price)
      digest.combine(state.facts.auction.paired)
      digest.combine(state.facts.auction.imbalance)
    }
    return digest
  }
}
