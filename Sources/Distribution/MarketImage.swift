// An event loop's own copy of a market: what REST answers from and what the stream encodes.
// Built from the plant's records alone; never shared between loops, so nothing is locked.

public import MarketData
import TickerPlant

/// What a loop has to know of a market beyond its feed.
public struct MarketDescription: Sendable {
  /// Market identifier code.
  public var market: String
  /// IANA name of the time zone.
  public var timeZone: String
  /// Names and the like.
  public var reference: ReferenceData?
  /// The exchange's distance to UTC on a date, seconds.
  public var utcOffsetSeconds: @Sendable (CalendarDate) -> Int
  /// Only the instruments that clients ask for come (`Distributor+Interest`).
  public var isSelective = false

  /// A description; `utcOffsetSeconds` is asked once for each day.
  public init(
    market: String, timeZone: String, reference: ReferenceData?,
    utcOffsetSeconds: @escaping @Sendable (CalendarDate) -> Int
  ) {
    self.market = market
    self.timeZone = timeZone
    self.reference = reference
    self.utcOffsetSeconds = utcOffsetSeconds
  }
}

/// A trade as the image keeps it.
struct TradeItem {
  var trade: TradePayload
  /// Sequence of the message: the trade's, or the one that broke it.
  var sequence: UInt64
  var time: UInt64
  var receivedAt: UInt64
}

/// The newest trades of an instrument, a ring.
struct TradeTail {
  static let capacity = 128
  private var items: UnsafeMutablePointer<TradeItem>?
  /// Trades ever put in since the last clearing.
  private(set) var total = 0

  mutating func append(_ item: TradeItem) {
    if items == nil { items = .allocate(capacity: Self.capacity) }
    guard let items else { return }
    (items + total % Self.capacity).initialize(to: item)
    total += 1
  }

  /// Marks the trade that a later message took back.
  func markBroken(tradeSequence: UInt64) {
    guard let items else { return }
    for number in oldest..<total where items[number % Self.capacity].trade.tradeSequence == tradeSequence {
      items[number % Self.capacity].trade.broken = 1
    }
  }

  /// Number of the oldest trade still kept.
  var oldest: Int { max(0, total - Self.capacity) }

  subscript(number: Int) -> TradeItem? {
    guard let items, number >= oldest, number < total else { return nil }
    return items[number % Self.capacity]
  }

  mutating func removeAll() { total = 0 }

  mutating func deallocate() {
    items?.deallocate()
    items = nil
    total = 0
  }
}

/// One instrument in an image.
struct InstrumentImage {
  var facts: FactsPayload
  var statistics = StatisticsPayload()
  var top = TopPayload()
  var bids = LevelTable(side: .buy)
  var asks = LevelTable(side: .sell)
  var bidTotal: UInt64 = 0
  var askTotal: UInt64 = 0
  var trades = TradeTail()
  var bar = BarPayload()
  var barClosed = true
  /// Bars that closed, the newest last; and how many ever did.
  var closedBars: (BarPayload, BarPayload, BarPayload, BarPayload) = (.init(), .init(), .init(), .init())
  var closedSequences: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
  var closedCount = 0

  var market: Int
  var local: Int
  /// Sequence at which this image began: bars that closed before it are not here.
  var startSequence: UInt64 = 0
  /// Since when nothing is heard of it because nobody wanted it, exchange time; nil = what is here is whole.
  var unheardSince: UInt64?
  /// Sequence at which it was made anew within an epoch (after a gap, from a snapshot); 0 = never.
  var rebuiltAt: UInt64 = 0
  var quoteSequence: UInt64 = 0
  var quoteTime: UInt64 = 0
  var bookSequence: UInt64 = 0
  var bookTime: UInt64 = 0
  var tradeSequence: UInt64 = 0
  var barSequence: UInt64 = 0
  var receivedAt: UInt64 = 0
  /// The market's `epochNumber` when this image began.
  var epochNumber: UInt64 = 0
  /// What was told of the epoch before the image was made anew.
  private var told = StampsPayload()
  /// What the quote and the book were then, summed: told again at the same number they must be the same.
  private var toldSums: (quote: UInt64, book: UInt64) = (0, 0)
  /// When each quote field changed last, by `QuoteField`.
  var fieldSequence = InlineArray<40, UInt64>(repeating: 0)

  init(facts: FactsPayload, market: Int, local: Int) {
    self.facts = facts
    self.market = market
    self.local = local
  }

  /// Begins anew, empty: everything changed with that message.
  mutating func begin(sequence: UInt64, time: UInt64, epoch: UInt64) {
    if epochNumber == epoch {
      told.quoteSequence = max(told.quoteSequence, quoteSequence)
      told.bookSequence = max(told.bookSequence, bookSequence)
      told.tradeSequence = max(told.tradeSequence, tradeSequence)
      told.barSequence = max(told.barSequence, barSequence)
      toldSums = sums
    } else {
      told = StampsPayload()
      epochNumber = epoch
    }
    clear()
    rebuiltAt = sequence
    begin(at: sequence, time: time)
  }

  /// Nothing is known from before that message.
  mutating func begin(at sequence: UInt64, time: UInt64) {
    startSequence = sequence
    for field in 0..<QuoteField.allCases.count { fieldSequence[field] = sequence }
    quoteSequence = sequence
    bookSequence = sequence
    tradeSequence = sequence
    barSequence = sequence
    quoteTime = time
    bookTime = time
  }

  /// Takes what the messages were that changed it last: it was told whole, at another message. Where a later one was
  /// told before, or other values at the same one (they were wrong, of a feed with a gap), what was told now is the
  /// change: numbers rise.
  mutating func take(_ stamps: StampsPayload) {
    if stamps.quoteSequence > told.quoteSequence
      || stamps.quoteSequence == told.quoteSequence && (toldSums.quote == 0 || sums.quote == toldSums.quote)
    {
      quoteSequence = stamps.quoteSequence
      quoteTime = stamps.quoteTime
    }
    if stamps.bookSequence > told.bookSequence
      || stamps.bookSequence == told.bookSequence && (toldSums.book == 0 || sums.book == toldSums.book)
    {
      bookSequence = stamps.bookSequence
      bookTime = stamps.bookTime
    }
    if stamps.tradeSequence >= told.tradeSequence { tradeSequence = stamps.tradeSequence }
    if stamps.barSequence >= told.barSequence { barSequence = stamps.barSequence }
  }

  /// Of the quote's values and of the book's levels; never 0.
  private var sums: (quote: UInt64, book: UInt64) {
    var quote: UInt64 = 0xcbf2_9ce4_8422_2325
    withUnsafeBytes(of: statistics) { for byte in $0 { quote = (quote ^ UInt64(byte)) &* 0x100_0000_01b3 } }
    withUnsafeBytes(of: top) { for byte in $0 { quote = (quote ^ UInt64(byte)) &* 0x100_0000_01b3 } }
    var book: UInt64 = 0xcbf2_9ce4_8422_2325
    func add(_ side: borrowing LevelTable) {
      for depth in 0..<side.count {
        guard let level = side.level(depth) else { continue }
        book = (book ^ UInt64(level.price)) &* 0x100_0000_01b3
        book = (book ^ level.size) &* 0x100_0000_01b3
        book = (book ^ UInt64(level.orders)) &* 0x100_0000_01b3
      }
      book = (book ^ 0xff) &* 0x100_0000_01b3
    }
    add(bids)
    add(asks)
    return (quote | 1, book | 1)
  }

  private mutating func clear() {
    statistics = StatisticsPayload()
    top = TopPayload()
    bids.removeAll()
    asks.removeAll()
    bidTotal = 0
    askTotal = 0
    trades.removeAll()
    bar = BarPayload()
    barClosed = true
    closedCount = 0
    tradeSequence = 0
    barSequence = 0
    bookSequence = 0
    quoteSequence = 0
  }

  mutating func deallocate() {
    bids.deallocate()
    asks.deallocate()
    trades.deallocate()
  }

  mutating func close(_ bar: BarPayload, sequence: UInt64) {
    closedBars = (closedBars.1, closedBars.2, closedBars.3, bar)
    closedSequences = (closedSequences.1, closedSequences.2, closedSequences.3, sequence)
    closedCount += 1
  }

  /// A closed bar by its number from 0; nil where it is no longer kept.
  func closedBar(_ number: Int) -> (bar: BarPayload, sequence: UInt64)? {
    switch closedCount - number {
    case 1: (closedBars.3, closedSequences.3)
    case 2: (closedBars.2, closedSequences.2)
    case 3: (closedBars.1, closedSequences.1)
    case 4: (closedBars.0, closedSequences.0)
    default: nil
    }
  }

  /// At a daily limit: 1 up, -1 down, 0 neither.
  var atLimit: Int {
    guard statistics.last != noPrice else { return 0 }
    if statistics.last == facts.limitUp { return 1 }
    if statistics.last == facts.limitDown { return -1 }
    return 0
  }

  /// Turnover over volume, scale 4, rounded half up; `noPrice` without volume.
  var vwap: Int64 {
    guard statistics.volume > 0 else { return noPrice }
    let (quotient, remainder) = statistics.turnover.quotientAndRemainder(dividingBy: statistics.volume)
    return Int64(clamping: quotient + (remainder >= statistics.volume - remainder ? 1 : 0))
  }

  /// Last against previous close, scale 4; `noPrice` without both.
  var change: Int64 {
    guard statistics.last != noPrice, facts.previousClose != noPrice else { return noPrice }
    return statistics.last - facts.previousClose
  }

  /// The change in 1/100 percent, rounded half away from zero; `noPrice` without both.
  var changeBasisPoints: Int64 {
    let change = change
    guard change != noPrice, facts.previousClose > 0 else { return noPrice }
    let scaled = change.magnitude.multipliedFullWidth(by: 10_000)
    let previous = UInt64(facts.previousClose)
    guard scaled.high < previous else { return noPrice }
    let (quotient, remainder) = previous.dividingFullWidth(scaled)
    let rounded = Int64(clamping: quotient + (remainder >= previous - remainder ? 1 : 0))
    return change < 0 ? -rounded : rounded
  }
}

/// A market in an image. A class, so that encoding an event doesn't copy its texts.
final class MarketImage {
  var description: MarketDescription
  var date = CalendarDate(daysSince1970: 0)
  var stamp = JSONWriter.DayStamp(TradingDay(date: CalendarDate(daysSince1970: 0), utcOffsetSeconds: 0))
  var epoch = ""
  var epochOrdinal: UInt64 = 0
  /// Rises when the epoch's name changes: a plant that began anew within an epoch has another ordinal.
  var epochNumber: UInt64 = 0
  var sequence: UInt64 = 0
  var time: UInt64 = 0
  var state = SourceState.recovering
  var staleSince: UInt64 = 0
  var gap: (from: UInt64, through: UInt64) = (0, 0)
  /// Sequence of the last record taken.
  var lastRecord = UInt64.max
  /// The plant's index → the image's.
  var instruments: [Int32] = []
  /// Reference lines by code.
  var lines: [InstrumentCode: ReferenceData.Instrument] = [:]

  init(_ description: MarketDescription) {
    self.description = description
    for line in description.reference?.instruments ?? [] {
      if let code = InstrumentCode(line.code) { lines[code] = line }
    }
  }

  /// Values may be wrong or old. A feed that has ended isn't stale: its last values are the day's.
  var isStale: Bool {
    switch state {
    case .gap, .silent, .recovering: true
    case .live: false
    // What was missing is missing still.
    case .ended: gap.through != 0
    }
  }
}
