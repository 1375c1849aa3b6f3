// A simulated Tokyo-style market that speaks TotalView-ITCH 5.0: the public face, and the loop.
// Who acts next is in one heap: every issue, and the market's clock as the last participant. Nothing but the
// configuration decides what happens, and how far a call advances changes nothing of it.

public import FeedProtocols
public import MarketData

/// A deterministic market: the same configuration gives the same bytes.
public struct SimulatedMarket: Sendable {
  let configuration: SimulatorConfiguration
  let listings: [Listing]
  var random: RandomSource
  var sizes: LotSizes

  // The day.
  var date: CalendarDate
  var referenceDate: CalendarDate
  var issues: [IssueState]
  var books: OrderBooks
  var factors: MarketFactors
  var composer = FeedComposer()
  var heap: EventHeap

  /// The messages of the next moment, kept back until a call asks for that time.
  var ahead = ByteWriter()
  var aheadTime: UInt64 = 0
  var aheadMessages = 0

  // The clock.
  var systemIndex = 0
  var nextTick = DaySchedule.gathering
  /// What the whole market's intensity is multiplied with to come near the wanted number of messages.
  var pace = 1.0
  /// Messages sent before the opening.
  var messagesAtOpen = 0
  /// Share of order events that take liquidity; steered so that executions are their share of the messages.
  var aggression = 0.016

  /// The market on the morning of its first day.
  /// - Parameter configuration: must pass its own `validate()`; stops otherwise.
  public init(_ configuration: SimulatorConfiguration) {
    do {
      try configuration.validate()
    } catch {
      preconditionFailure("validate() the configuration first: \(error)")
    }
    self.configuration = configuration
    var random = RandomSource(seed: StateDigest.mix(configuration.seed ^ 0x6b61_6275_746f))
    let listings = Listing.draw(configuration.instruments, random: &random)
    self.listings = listings
    sizes = LotSizes()
    date = configuration.date
    referenceDate = configuration.date.previousWeekday
    factors = MarketFactors(random: &random)
    issues = listings.map {
      IssueState($0, base: Price(units: $0.anchor), messagesPerDay: configuration.messagesPerDay)
    }
    books = OrderBooks(sizes: [])
    heap = EventHeap(times: [])
    self.random = random
    prepareDay()
  }

  /// What the feed doesn't carry, of the current day.
  public var reference: ReferenceData { referenceData() }

  /// Time of the next message, ns since midnight; nil when the day is over.
  public var nextTimestamp: UInt64? { ahead.bytes.isEmpty ? nil : aheadTime }

  /// Appends all messages up to and including `timestamp`, each with its two-byte length.
  /// - Returns: their number.
  @discardableResult
  public mutating func advance(to timestamp: UInt64, into writer: inout ByteWriter) -> Int {
    advance(to: timestamp, limit: .max, into: &writer)
  }

  /// Appends messages up to and including `timestamp`, and stops after `limit` or a few more: what one moment
  /// brings for one instrument (an auction) is not parted.
  /// - Returns: their number.
  @discardableResult
  public mutating func advance(to timestamp: UInt64, limit: Int, into writer: inout ByteWriter) -> Int {
    guard limit > 0, !ahead.bytes.isEmpty, aheadTime <= timestamp else { return 0 }
    writer.append(contentsOf: ahead.bytes)
    ahead.bytes.removeAll(keepingCapacity: true)
    let before = composer.messages - aheadMessages
    while composer.messages - before < limit, heap.topTime <= timestamp, heap.topTime != .max {
      step(&writer)
    }
    let appended = composer.messages - before
    lookAhead()
    return appended
  }

  /// Begins the next weekday: base prices are the closes (the base prices where nothing traded), numbers begin
  /// anew. What is left of the current day is dropped.
  public mutating func beginNextDay() {
    referenceDate = date
    date = date.nextWeekday
    factors = MarketFactors(random: &random)
    for i in 0..<issues.count {
      let close = issues[i].lastLevel < 0 ? issues[i].base : issues[i].ladder.price(issues[i].lastLevel)
      let wasRestricted = issues[i].isShortRestricted
      issues[i] = IssueState(listings[i], base: close, messagesPerDay: configuration.messagesPerDay)
      issues[i].isShortRestricted = wasRestricted
    }
    prepareDay()
  }
}

extension SimulatedMarket {
  /// Lets the first in the heap act.
  private mutating func step(_ writer: inout ByteWriter) {
    let now = heap.topTime
    let who = heap.top
    if who < issues.count {
      act(who, now, &writer)
      heap.reschedule(issues[who].next)
    } else {
      heap.reschedule(tick(now, &writer))
    }
  }

  /// Runs up to the next moment that has a message, so that its time is known: not every moment has one.
  mutating func lookAhead() {
    let before = composer.messages
    var writer = ByteWriter()
    swap(&writer, &ahead)
    writer.bytes.removeAll(keepingCapacity: true)
    while writer.bytes.isEmpty, heap.topTime != .max {
      aheadTime = heap.topTime
      step(&writer)
    }
    swap(&writer, &ahead)
    aheadMessages = composer.messages - before
  }

  /// The header of an issue's message.
  func header(_ i: Int, _ now: UInt64) -> ITCHHeader {
    ITCHHeader(locate: UInt16(i + 1), timestamp: now)
  }

  /// Live orders of the whole market.
  package var liveOrders: Int { books.books.reduce(0) { $0 + $1.live } }

  /// The clock: events of the whole market, common factors, pacing. Returns the clock's next time.
  private mutating func tick(_ now: UInt64, _ writer: inout ByteWriter) -> UInt64 {
    let events = DaySchedule.systemEvents
    while systemIndex < events.count, events[systemIndex].time <= now {
      composer.system(events[systemIndex].event, at: now, &writer)
      if events[systemIndex].event == "Q" { messagesAtOpen = composer.messages }
      systemIndex += 1
    }
    if nextTick <= now {
      factors.step(random: &random)
      steer(now)
      nextTick = now + DaySchedule.second < DaySchedule.close ? now + DaySchedule.second : .max
    }
    return min(systemIndex < events.count ? events[systemIndex].time : .max, nextTick)
  }

  /// Compares what was sent with what should have been by now.
  private mutating func steer(_ now: UInt64) {
    guard now > DaySchedule.morningOpen else { return }
    let total = max(
      Double(configuration.messagesPerDay - messagesAtOpen), 0.1 * Double(configuration.messagesPerDay))
    let sent = Double(composer.messages - messagesAtOpen)
    let soon = DaySchedule.progress(at: now + DaySchedule.minute)
    let wanted = (soon - DaySchedule.progress(at: now)) * total
    if wanted > 0 { pace = min(max((soon * total - sent) / wanted, 0.15), 4) }
    let share = Double(composer.executions) / max(sent, 200)
    aggression = min(max(0.011 * (1 + 4 * (0.024 - share) / 0.024), 0.004), 0.025)
  }
}

extension CalendarDate {
  /// The last Monday to Friday before this date.
  var previousWeekday: CalendarDate {
    var date = CalendarDate(daysSince1970: daysSince1970 - 1)
    while date.weekday == 0 || date.weekday == 6 { date.daysSince1970 -= 1 }
    return date
  }
}
