// The day, trading states, auctions, limits: everything that isn't an order or a trade
// (TotalView-ITCH 5.0, 1.1, 1.2, 1.6 to 1.8).

import FeedProtocols
public import MarketData

extension TickerPlant {
  mutating func applyRare(_ bytes: RawSpan) throws(ITCHError) {
    let message = try ITCHMessage(decoding: bytes)
    let stamp = ITCHHeader(reading: bytes).timestamp
    if case .systemEvent(let event) = message, event.event == "O" {
      beginMessages(stamp: stamp)
      return
    }
    advance(to: stamp)
    switch message {
    case .systemEvent(let event): systemEvent(event)
    case .stockDirectory(let m): directory(m)
    case .stockTradingAction(let m):
      let index = instrument(locate: m.header.locate, code: m.stock)
      touched = index
      instruments.states[index].rawState = m.tradingState.rawValue
      instruments.states[index].rawReason = m.reason.rawValue
      var facts = instruments.states[index].facts
      facts.special = specialQuote(reason: m.reason.rawValue, state: m.tradingState).rawValue
      if m.tradingState == "T" { facts.auction = AuctionPayload() }
      facts.state = tradingState(index).rawValue
      update(index, facts)
    case .regSHORestriction(let m):
      let index = instrument(locate: m.header.locate, code: m.stock)
      touched = index
      var facts = instruments.states[index].facts
      facts.shortRestricted = m.action == "1" || m.action == "2"
      update(index, facts)
    case .operationalHalt(let m):
      let index = instrument(locate: m.header.locate, code: m.stock)
      touched = index
      instruments.states[index].operationalHalt = m.action == "H"
      var facts = instruments.states[index].facts
      facts.state = tradingState(index).rawValue
      update(index, facts)
    case .auctionCollar(let m):
      let index = instrument(locate: m.header.locate, code: m.stock)
      touched = index
      var facts = instruments.states[index].facts
      facts.collarUpper = m.upperPrice.units
      facts.collarLower = m.lowerPrice.units
      update(index, facts)
    case .netOrderImbalance(let m):
      let index = instrument(locate: m.header.locate, code: m.stock)
      touched = index
      var facts = instruments.states[index].facts
      facts.auction = AuctionPayload(
        price: m.referencePrice.units == 0 ? noPrice : m.referencePrice.units,
        far: m.farPrice.units == 0 ? noPrice : m.farPrice.units,
        near: m.nearPrice.units == 0 ? noPrice : m.nearPrice.units, paired: m.pairedShares,
        imbalance: m.imbalanceShares, side: m.direction.rawValue, crossType: m.crossType.rawValue)
      update(index, facts)
    case .crossTrade(let m): cross(m)
    case .brokenTrade(let m): breakTrade(m)
    case .marketParticipantPosition(let m): touched = instrument(locate: m.header.locate, code: m.stock)
    case .quotingPeriodUpdate(let m): touched = instrument(locate: m.header.locate, code: m.stock)
    case .retailPriceImprovement(let m): touched = instrument(locate: m.header.locate, code: m.stock)
    case .directListingPriceDiscovery(let m): touched = instrument(locate: m.header.locate, code: m.stock)
    case .circuitBreakerLevels, .circuitBreakerStatus: break
    case .addOrder, .addOrderAttributed, .orderExecuted, .orderExecutedWithPrice, .orderCancel, .orderDelete,
      .orderReplace, .nonCrossTrade:
      break  // dispatched before
    }
  }

  /// Sets the facts and says so where something changed.
  mutating func update(_ index: Int, _ facts: FactsPayload) {
    let before = instruments.states[index].facts
    guard facts != before else { return }
    instruments.states[index].facts = facts
    // The round lot is no field of a quote; the trading state and the base price are the book's too.
    var sameLot = facts
    sameLot.lot = before.lot
    if sameLot != before { stampQuote(index) }
    if facts.state != before.state || facts.reference != before.reference
      || facts.referenceDate != before.referenceDate
    {
      stampBook(index)
    }
    emitFacts(index)
  }

  private mutating func directory(_ m: StockDirectory) {
    var index = instruments.index(ofLocate: m.header.locate, code: m.stock)
    if index < 0 { index = newInstrument(locate: m.header.locate, code: m.stock) }
    if m.header.locate != 0 { instruments.bind(locate: m.header.locate, to: index) }
    touched = index
    var facts = instruments.states[index].facts
    facts.lot = m.roundLotSize
    update(index, facts)
  }

  private mutating func systemEvent(_ m: SystemEvent) {
    switch m.event {
    case "S": setPhase(.beforeOpen)
    case "Q": setPhase(.open)
    case "M":
      setPhase(.closed)
      for index in 0..<instruments.count {
        var facts = instruments.states[index].facts
        if facts.close == noPrice { facts.close = instruments.states[index].statistics.last }
        update(index, facts)
      }
      emitDaily()
    case "E": emitDaily()
    case "C":
      emitDaily()
      sourceState = .ended
      emitSource()
    default: break
    }
  }

  private mutating func emitDaily() {
    closeBars(before: (time / 60_000_000_000 + 1) * 60_000_000_000)
    minuteEnd = 0
    for index in 0..<instruments.count where instruments.states[index].statistics.trades > 0 {
      updates.append(header(.daily, instrument: index), instruments.states[index].statistics)
    }
  }

  mutating func setPhase(_ next: MarketPhase) {
    guard phase != next else { return }
    phase = next
    for index in 0..<instruments.count {
      var facts = instruments.states[index].facts
      facts.state = tradingState(index).rawValue
      update(index, facts)
    }
  }

  /// What the feed's state, the reason and the phase of the day mean together.
  func tradingState(_ index: Int) -> TradingState {
    let state = instruments.states + index
    if state.pointee.operationalHalt { return .halted }
    switch state.pointee.rawState {
    case UInt8(ascii: "H"): return .halted
    case UInt8(ascii: "P"), UInt8(ascii: "Q"):
      switch reasonMeanings[state.pointee.rawReason] {
      case .lunchBreak: return .lunchBreak
      case .auction: return phase == .beforeOpen ? .preOpen : phase == .closed ? .closed : .auction
      case .specialBid, .specialAsk, .sequentialBid, .sequentialAsk:
        return phase == .beforeOpen ? .preOpen : .trading
      case nil:
        if phase == .beforeOpen { return .preOpen }
        return state.pointee.rawState == UInt8(ascii: "P") ? .paused : .quotation
      }
    default:
      switch phase {
      case .unknown: return .unknown
      case .beforeOpen: return .preOpen
      case .open: return .trading
      case .closed: return .closed
      }
    }
  }

  private func specialQuote(reason: UInt32, state: ITCHCode) -> SpecialQuote {
    switch reasonMeanings[reason] {
    case .specialBid: .specialBid
    case .specialAsk: .specialAsk
    case .sequentialBid: .sequentialBid
    case .sequentialAsk: .sequentialAsk
    default: .none
    }
  }

  func applyReference(_ index: Int) {
    let state = instruments.states + index
    guard let data = referenceByCode[state.pointee.facts.code] else { return }
    let dateBefore = data.referenceDate.map { Int64($0.daysSince1970) } ?? .min
    if let price = data.reference {
      state.pointee.facts.reference = price.units
      state.pointee.facts.referenceDate = dateBefore
    }
    if let price = data.previousClose ?? data.reference {
      state.pointee.facts.previousClose = price.units
      state.pointee.facts.previousDate = dateBefore
    }
    state.pointee.facts.limitUp = data.limitUp?.units ?? noPrice
    state.pointee.facts.limitDown = data.limitDown?.units ?? noPrice
    if let lot = data.lot, state.pointee.facts.lot == 0 { state.pointee.facts.lot = lot }
  }

  // MARK: - Epochs

  /// Start of messages: the first of the epoch, or of a new day in the same feed.
  private mutating func beginMessages(stamp: UInt64) {
    if sequence > 1 {
      // A new day without new numbers (a source that numbers anew calls `beginEpoch` itself): they go on.
      let number = sequence
      beginEpoch(session: session, date: date.nextWeekday)
      sequence = number
    }
    time = stamp
    minuteEnd = 0
    phase = .unknown
    // A new day's feed is whole again; catching up goes on until who does it says so.
    if sourceState != .recovering { sourceState = .live }
    emitSource()
  }

  /// Begins a new epoch: empty books, the day's figures anew, yesterday's close as previous close. The next message
  /// has sequence number 1.
  public mutating func beginEpoch(session: String, date: CalendarDate) {
    let yesterday = Int64(self.date.daysSince1970)
    let sameDay = self.date == date
    self.session = session
    self.date = date
    epochOrdinal += 1
    sequence = 0
    time = 0
    minuteEnd = 0
    phase = .unknown
    gap = (0, 0)
    sourceState = .live
    orders.removeAll()
    trades.removeAll()
    instruments.books.removeAll()
    instruments.forgetLocates()
    emitSource()
    for index in 0..<instruments.count {
      let state = instruments.states + index
      let old = state.pointee.facts
      let close = old.close != noPrice ? old.close : state.pointee.statistics.last
      var facts = FactsPayload(code: old.code)
      facts.lot = old.lot
      facts.previousClose = sameDay || close == noPrice ? old.previousClose : close
      facts.previousDate = sameDay || close == noPrice ? old.previousDate : yesterday
      facts.reference = facts.previousClose
      facts.referenceDate = facts.previousDate
      state.pointee.facts = facts
      state.pointee.statistics = StatisticsPayload()
      state.pointee.bar = BarPayload()
      state.pointee.lastTrade = -1
      state.pointee.rawState = 0
      state.pointee.rawReason = 0
      state.pointee.operationalHalt = false
      state.pointee.faults = 0
      instruments.books.stamps[index] = StampsPayload()
      // The reference file is about a day: one that was handed over for this day wins over the close.
      if reference?.date == nil || reference?.date == date { applyReference(index) }
      updates.append(header(.cleared, instrument: index))
      emitFacts(index)
    }
  }

  /// Declares messages lost: every instrument of the source may be wrong until a snapshot or a new day.
  public mutating func declareGap(from: UInt64, through: UInt64) {
    guard from <= through else { return }
    counters.lost &+= through &- from &+ 1
    gap = (from, through)
    sequence = max(sequence, through)
    sourceState = .gap
    emitSource()
  }

  /// Says that the source is silent, catching up, over, or live again. A declared gap stays one.
  public mutating func setSourceState(_ state: SourceState) {
    guard sourceState != .gap || state == .ended, sourceState != state else { return }
    sourceState = state
    emitSource()
  }
}
