// How books, trades, bars and instruments look in JSON, the same for REST and stream (docs/STREAM.md).

import MarketData
import TickerPlant

/// Fields of the books channel that changed.
enum BookField {
  static let bids: UInt64 = 1
  static let bidTotal: UInt64 = 2
  static let asks: UInt64 = 4
  static let askTotal: UInt64 = 8
  static let state: UInt64 = 16
  static let reference: UInt64 = 32
  static let all: UInt64 = 63
}

extension JSONWriter {
  /// `,"name":value` for each field of the book in `mask`.
  mutating func bookFields(_ image: InstrumentImage, mask: UInt64, levels: Int, market: MarketImage) {
    raw(",\"time\":")
    if image.bookSequence == 0 { raw("null") } else { market.stamp.write(image.bookTime, into: &self) }
    if mask & BookField.state != 0 {
      raw(",\"state\":")
      tradingState(image.facts.state)
    }
    if mask & BookField.reference != 0 {
      quoteFields(image, mask: QuoteField.reference.bit | QuoteField.referenceDate.bit, market: market)
    }
    if mask & BookField.bids != 0 {
      raw(",\"bids\":")
      side(image.bids, levels)
    }
    if mask & BookField.asks != 0 {
      raw(",\"asks\":")
      side(image.asks, levels)
    }
    if mask & (BookField.bidTotal | BookField.bids) != 0 {
      raw(",\"bid_total\":")
      integer(image.bidTotal)
      raw(",\"under\":")
      integer(image.bidTotal &- Self.shown(image.bids, levels))
    }
    if mask & (BookField.askTotal | BookField.asks) != 0 {
      raw(",\"ask_total\":")
      integer(image.askTotal)
      raw(",\"over\":")
      integer(image.askTotal &- Self.shown(image.asks, levels))
    }
  }

  /// How things stand with an instrument, for who has its trades or bars alone: the time of the source's newest
  /// message, the trading state, and the base price, which stands for the price while there is no trade.
  mutating func standingFields(_ image: InstrumentImage, market: MarketImage) {
    raw(",\"time\":")
    newestTime(market)
    raw(",\"state\":")
    tradingState(image.facts.state)
    quoteFields(image, mask: QuoteField.reference.bit | QuoteField.referenceDate.bit, market: market)
  }

  /// Exchange time of the source's newest message.
  mutating func newestTime(_ market: MarketImage) {
    if market.epoch.isEmpty { raw("null") } else { market.stamp.write(market.time, into: &self) }
  }

  static func shown(_ table: LevelTable, _ levels: Int) -> UInt64 {
    var total: UInt64 = 0
    for depth in 0..<min(levels, table.count) { total &+= table.level(depth)?.size ?? 0 }
    return total
  }

  private mutating func side(_ table: LevelTable, _ levels: Int) {
    byte(0x5b)
    for depth in 0..<min(levels, table.count) {
      guard let level = table.level(depth) else { break }
      if depth > 0 { byte(0x2c) }
      raw("{\"price\":")
      decimal(UInt64(level.price))
      raw(",\"size\":")
      integer(level.size)
      raw(",\"orders\":")
      integer(UInt64(level.orders))
      byte(0x7d)
    }
    byte(0x5d)
  }

  /// A trade's own fields, the first without a comma before it.
  mutating func tradeFields(_ item: TradeItem, market: MarketImage) {
    let trade = item.trade
    raw("\"time\":")
    market.stamp.write(trade.tradeTime, into: &self)
    raw(",\"price\":")
    price(trade.price)
    raw(",\"size\":")
    integer(trade.size)
    raw(",\"match\":")
    integer(trade.match)
    switch trade.aggressor {
    case 0: raw(",\"side\":\"buy\"")
    case 1: raw(",\"side\":\"sell\"")
    default: raw(",\"side\":null")
    }
    raw(",\"kind\":")
    tradeKind(trade.kind)
    raw(",\"direction\":")
    direction(Int64(trade.direction))
    raw(",\"broken\":")
    boolean(trade.broken != 0)
    if trade.broken != 0, trade.tradeSequence != item.sequence {
      raw(",\"broke\":")
      integer(trade.tradeSequence)
    }
  }

  /// A trade's type.
  public mutating func tradeKind(_ kind: UInt8) {
    switch TradeKind(rawValue: kind) {
    case .trade, nil: raw("\"trade\"")
    case .hidden: raw("\"hidden\"")
    case .openingCross: raw("\"open\"")
    case .closingCross: raw("\"close\"")
    case .haltCross: raw("\"halt_cross\"")
    case .ipoCross: raw("\"ipo_cross\"")
    case .intradayCross: raw("\"intraday_cross\"")
    }
  }

  /// A bar's own fields, the first without a comma before it.
  mutating func barFields(_ bar: BarPayload, closed: Bool, market: MarketImage) {
    raw("\"interval\":\"1m\",\"start\":")
    if bar.startSeconds == .max {
      raw("null")
    } else {
      market.stamp.write(UInt64(bar.startSeconds) * 1_000_000_000, into: &self)
    }
    raw(",\"open\":")
    price(bar.open)
    raw(",\"high\":")
    price(bar.high)
    raw(",\"low\":")
    price(bar.low)
    raw(",\"close\":")
    price(bar.close)
    raw(",\"volume\":")
    integer(bar.volume)
    raw(",\"turnover\":")
    decimal(bar.turnover)
    raw(",\"trades\":")
    integer(UInt64(bar.trades))
    raw(",\"closed\":")
    boolean(closed)
  }

  mutating func name(_ line: ReferenceData.Instrument?) {
    guard let name = line?.name else { return raw("null") }
    raw("{\"ja\":")
    string(name.ja)
    raw(",\"en\":")
    string(name.en)
    byte(0x7d)
  }

  /// A whole Instrument object.
  mutating func instrument(_ image: InstrumentImage, market: MarketImage) {
    let line = market.lines[image.facts.code]
    raw("{\"code\":")
    code(image.facts.code)
    raw(",\"market\":")
    string(market.description.market)
    raw(",\"instrument\":")
    string("\(image.facts.code).\(market.description.market)")
    raw(",\"name\":")
    name(line)
    raw(",\"currency\":")
    if let currency = market.description.reference?.currency { string(currency) } else { raw("null") }
    raw(",\"lot\":")
    if image.facts.lot == 0 { raw("null") } else { integer(UInt64(image.facts.lot)) }
    quoteFields(
      image,
      mask: QuoteField.reference.bit | QuoteField.referenceDate.bit | QuoteField.limitUp.bit
        | QuoteField.limitDown.bit, market: market)
    raw(",\"tick_table\":")
    if let table = line?.tickTable { string(table) } else { raw("null") }
    raw(",\"simulated\":")
    boolean(market.description.reference?.simulated ?? false)
    raw(",\"time_zone\":")
    string(market.description.timeZone)
    byte(0x7d)
  }
}
