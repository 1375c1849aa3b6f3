// The ticker plant of one source: a deterministic, single-writer state machine from sequenced feed messages to
// full-depth order books and all that is derived from them.
// Owner: the source's feed thread. Pure: no clock, no I/O; what it knows of time comes in with the messages.
// Invariants: the same messages give the same state, digest and update records on every node; `sequence` never
// decreases within an epoch; no message from outside traps; no allocation per message once tables have grown.
// What can't be applied is counted, the instrument marked `suspect`, and the feed goes on.

import FeedProtocols
public import MarketData

/// How a plant begins.
public struct PlantConfiguration: Sendable {
  /// Market identifier code; also the source's name.
  public var market: String
  /// Session of the feed where it has one (MoldUDP64, SoupBinTCP); part of the epoch.
  public var session: String
  /// Day of the first message.
  public var date: CalendarDate
  /// Names, base prices, limits, meaning of reason codes.
  public var reference: ReferenceData?
  /// Live orders to make room for at the start; tables grow beyond it.
  public var expectedOrders: Int
  /// Instruments to make room for at the start.
  public var expectedInstruments: Int

  /// A configuration; sizes are hints.
  public init(
    market: String, session: String = "", date: CalendarDate, reference: ReferenceData? = nil,
    expectedOrders: Int = 1 << 16, expectedInstruments: Int = 1024
  ) {
    self.market = market
    self.session = session
    self.date = date
    self.reference = reference
    self.expectedOrders = expectedOrders
    self.expectedInstruments = expectedInstruments
  }
}

/// What a plant counted since it began.
public struct PlantCounters: BitwiseCopyable, Sendable, Equatable {
  /// Messages taken, malformed ones included.
  public var messages: UInt64 = 0
  /// Messages that are not of the specification, or not of their type's length.
  public var malformed: UInt64 = 0
  /// Messages about an order that isn't in the table.
  public var unknownOrders: UInt64 = 0
  /// Orders added under a reference that is live.
  public var duplicateOrders: UInt64 = 0
  /// Executions and cancels larger than what is left of the order, and additions of nothing.
  public var impossibleSizes: UInt64 = 0
  /// Broken trades that name no known match.
  public var unknownTrades: UInt64 = 0
  /// Messages that came again (sequence at or below the last one).
  public var repeated: UInt64 = 0
  /// Messages declared lost.
  public var lost: UInt64 = 0
  /// Trades.
  public var trades: UInt64 = 0

  /// All zero.
  public init() {}
}

/// When the market is in its day (ITCH `S`).
enum MarketPhase: UInt8 {
  case unknown = 0
  case beforeOpen
  case open
  case closed
}

/// See the head of this file.
public struct TickerPlant: ~Copyable {
  /// Market identifier code.
  public let market: String
  /// Session part of the epoch; empty where the feed has none.
  public internal(set) var session: String
  /// Day of the epoch.
  public internal(set) var date: CalendarDate
  /// Sequence number of the last message applied in this epoch; 0 = none.
  public internal(set) var sequence: UInt64 = 0
  /// Rises with each epoch in this plant's life.
  public internal(set) var epochOrdinal: UInt64 = 1
  /// How the source is.
  public internal(set) var sourceState = SourceState.live
  /// The newest declared gap, first and last lost sequence number; 0 = none.
  public internal(set) var gap: (from: UInt64, through: UInt64) = (0, 0)
  /// What was counted.
  public internal(set) var counters = PlantCounters()
  /// What has changed; the owner hands it on and empties it.
  public var updates = UpdateBuffer()
  /// Index of the instrument the last message named, directly or through its order; -1 = none.
  public internal(set) var touched = -1
  /// Exchange time of the last message, nanoseconds since midnight.
  public internal(set) var time: UInt64 = 0

  var instruments: InstrumentTable
  var orders: OrderTable
  var window = MessageWindow()
  var trades = TradeLog()
  var phase = MarketPhase.unknown
  /// What ITCH can't carry, as it was handed over last.
  public private(set) var reference: ReferenceData?
  var referenceByCode: [InstrumentCode: ReferenceData.Instrument] = [:]
  var reasonMeanings: [UInt32: ReferenceData.ReasonMeaning] = [:]
  /// Second of the day from which the next minute's bars begin.
  var minuteEnd: UInt64 = 0
  var receivedAt: UInt64 = 0

  /// A plant before its first message.
  public init(_ configuration: PlantConfiguration) {
    market = configuration.market
    session = configuration.session
    date = configuration.date
    instruments = InstrumentTable(expected: configuration.expectedInstruments)
    orders = OrderTable(expected: configuration.expectedOrders)
    if let reference = configuration.reference { setReference(reference) }
  }

  /// The epoch's name: session and day, the same on every node.
  public var epoch: String { session.isEmpty ? date.description : session + "." + date.description }

  /// Instruments seen.
  public var instrumentCount: Int { instruments.count }
  /// Live orders.
  public var liveOrders: Int { orders.count }

  /// Takes reference data: for the day that begins next, or for this one where no message came yet.
  public mutating func setReference(_ data: ReferenceData) {
    reference = data
    referenceByCode = [:]
    for instrument in data.instruments {
      if let code = InstrumentCode(instrument.code) { referenceByCode[code] = instrument }
    }
    reasonMeanings = [:]
    for (code, meaning) in data.reasons ?? [:] { reasonMeanings[ITCHCode4(code).rawValue] = meaning }
  }

  // MARK: - Time

  /// Time goes on: closes the bars of the minute that is over.
  @inline(__always)
  mutating func advance(to stamp: UInt64) {
    time = stamp
    if stamp >= minuteEnd { closeBars(before: stamp) }
  }

  // MARK: - Records

  @inline(__always)
  func header(_ kind: UpdateKind, flags: UInt8 = 0, instrument: Int) -> UpdateHeader {
    UpdateHeader(
      kind: kind.rawValue, flags: flags, byteCount: 0, instrument: UInt32(truncatingIfNeeded: instrument),
      sequence: sequence, time: time, receivedAt: receivedAt)
  }

  /// The message that is being applied changed the quote.
  @inline(__always)
  func stampQuote(_ index: Int) {
    let stamps = instruments.books.stamps + index
    stamps.pointee.quoteSequence = sequence
    stamps.pointee.quoteTime = time
  }

  /// The message that is being applied changed the book.
  @inline(__always)
  func stampBook(_ index: Int) {
    let stamps = instruments.books.stamps + index
    stamps.pointee.bookSequence = sequence
    stamps.pointee.bookTime = time
  }

  /// Says how the source is now, or how consumers are to take it meanwhile.
  mutating func emitSource(as shown: SourceState? = nil) {
    var words: (UInt64, UInt64) = (0, 0)
    withUnsafeMutableBytes(of: &words) { raw in
      for (index, byte) in session.utf8.prefix(16).enumerated() { raw[index] = byte }
    }
    updates.append(
      header(.source, instrument: Int(UInt32.max)),
      SourcePayload(
        state: UInt64((shown ?? sourceState).rawValue), date: Int64(date.daysSince1970),
        epochOrdinal: epochOrdinal,
        gapFrom: gap.from, gapThrough: gap.through, sessionFirst: words.0, sessionSecond: words.1))
  }

  mutating func emitFacts(_ index: Int) {
    updates.append(header(.facts, instrument: index), instruments.states[index].facts)
  }
}

extension TickerPlant {
  /// The plant's index of an instrument; nil where it hasn't been seen.
  public func index(of code: InstrumentCode) -> Int? {
    let index = instruments.index(ofCode: code)
    return index < 0 ? nil : index
  }

  /// Code of an instrument.
  public func code(of index: Int) -> InstrumentCode { instruments.states[index].facts.code }

  /// A price level, `depth` steps from the best; nil beyond the last.
  public func level(_ depth: Int, of index: Int, side: Side) -> PriceLevel? {
    instruments.books.level(depth, side: index * 2 + Int(side.rawValue))
  }

  /// Orders at one price in time priority, first to be matched first. Walks the whole order table: for people, not
  /// for hot paths.
  public func queue(at price: Price, of index: Int, side: Side) -> [Order] {
    var found: [Order] = []
    for slot in 0..<orders.capacity where orders.slots[slot].shares != 0 {
      let order = order(at: slot)
      if order.instrument == index, order.side == side, Int64(order.price) == price.units {
        found.append(order)
      }
    }
    // Distance from now, so that the order is right across the wrap of 32 bits.
    let now = UInt32(truncatingIfNeeded: sequence)
    return found.sorted { now &- $0.entry > now &- $1.entry }
  }

  /// The day's figures of an instrument.
  public func statistics(of index: Int) -> StatisticsPayload { instruments.states[index].statistics }

  /// The slow facts of an instrument.
  public func facts(of index: Int) -> FactsPayload { instruments.states[index].facts }

  /// The best quote of an instrument.
  public func bestQuote(of index: Int) -> TopPayload { top(of: index) }
}
