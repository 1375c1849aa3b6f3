// The fields of a quote, a bit each: what changed is a mask, and an update carries just the fields in it
// (docs/STREAM.md, Quote).

import MarketData
import TickerPlant

/// A field of the quotes channel; the raw value is its bit.
enum QuoteField: Int, CaseIterable {
  case time = 0
  case state, special
  case bid, bidSize, bidOrders
  case ask, askSize, askOrders
  case last, lastSize, lastTime, direction
  case open, openTime, high, highTime, low, lowTime, close
  case volume, turnover, vwap, trades
  case previousClose, previousDate, change, changePercent
  case reference, referenceDate, limitUp, limitDown, atLimit
  case auction, collarUpper, collarLower
  case shortRestricted, suspect
  case stale

  var bit: UInt64 { 1 << UInt64(rawValue) }

  /// What `Lane.stateBit` stands for.
  static let standing: UInt64 = QuoteField.state.bit | QuoteField.reference.bit | QuoteField.referenceDate.bit

  static let all: UInt64 = (1 << UInt64(QuoteField.allCases.count)) - 1
}

extension InstrumentImage {
  /// Takes a new best quote; returns the fields that changed.
  mutating func take(_ new: TopPayload) -> UInt64 {
    var mask: UInt64 = 0
    if new.bid != top.bid { mask |= QuoteField.bid.bit }
    if new.bidSize != top.bidSize { mask |= QuoteField.bidSize.bit }
    if new.bidOrders != top.bidOrders { mask |= QuoteField.bidOrders.bit }
    if new.ask != top.ask { mask |= QuoteField.ask.bit }
    if new.askSize != top.askSize { mask |= QuoteField.askSize.bit }
    if new.askOrders != top.askOrders { mask |= QuoteField.askOrders.bit }
    top = new
    return mask
  }

  /// Takes the day's figures; returns the fields that changed.
  mutating func take(_ new: StatisticsPayload) -> UInt64 {
    let old = statistics
    let (vwapBefore, limitBefore) = (vwap, atLimit)
    statistics = new
    var mask: UInt64 = 0
    if new.last != old.last {
      mask |= QuoteField.last.bit
      if facts.previousClose != noPrice { mask |= QuoteField.change.bit | QuoteField.changePercent.bit }
    }
    if new.lastSize != old.lastSize { mask |= QuoteField.lastSize.bit }
    if new.lastTime != old.lastTime { mask |= QuoteField.lastTime.bit }
    if new.direction != old.direction { mask |= QuoteField.direction.bit }
    if new.open != old.open { mask |= QuoteField.open.bit }
    if new.openTime != old.openTime { mask |= QuoteField.openTime.bit }
    if new.high != old.high { mask |= QuoteField.high.bit }
    if new.highTime != old.highTime { mask |= QuoteField.highTime.bit }
    if new.low != old.low { mask |= QuoteField.low.bit }
    if new.lowTime != old.lowTime { mask |= QuoteField.lowTime.bit }
    if new.volume != old.volume { mask |= QuoteField.volume.bit }
    if new.turnover != old.turnover { mask |= QuoteField.turnover.bit }
    if new.trades != old.trades { mask |= QuoteField.trades.bit }
    if vwap != vwapBefore { mask |= QuoteField.vwap.bit }
    if atLimit != limitBefore { mask |= QuoteField.atLimit.bit }
    return mask
  }

  /// Takes slow facts; returns the fields that changed.
  mutating func take(_ new: FactsPayload) -> UInt64 {
    let old = facts
    let limitBefore = atLimit
    facts = new
    var mask: UInt64 = 0
    if new.state != old.state { mask |= QuoteField.state.bit }
    if new.special != old.special { mask |= QuoteField.special.bit }
    if new.close != old.close { mask |= QuoteField.close.bit }
    if new.previousClose != old.previousClose {
      mask |= QuoteField.previousClose.bit | QuoteField.change.bit | QuoteField.changePercent.bit
    }
    if new.previousDate != old.previousDate { mask |= QuoteField.previousDate.bit }
    if new.reference != old.reference { mask |= QuoteField.reference.bit }
    if new.referenceDate != old.referenceDate { mask |= QuoteField.referenceDate.bit }
    if new.limitUp != old.limitUp { mask |= QuoteField.limitUp.bit }
    if new.limitDown != old.limitDown { mask |= QuoteField.limitDown.bit }
    if atLimit != limitBefore { mask |= QuoteField.atLimit.bit }
    if new.auction != old.auction { mask |= QuoteField.auction.bit }
    if new.collarUpper != old.collarUpper { mask |= QuoteField.collarUpper.bit }
    if new.collarLower != old.collarLower { mask |= QuoteField.collarLower.bit }
    if new.shortRestricted != old.shortRestricted { mask |= QuoteField.shortRestricted.bit }
    if new.suspect != old.suspect { mask |= QuoteField.suspect.bit }
    return mask
  }
}

extension JSONWriter {
  /// `,"name":value` for each field of the quote in `mask`.
  mutating func quoteFields(_ image: InstrumentImage, mask: UInt64, market: MarketImage) {
    var rest = mask
    while rest != 0 {
      let bit = rest.trailingZeroBitCount
      rest &= rest - 1
      guard let field = QuoteField(rawValue: bit) else { continue }
      quoteField(field, image, market)
    }
  }

  private mutating func optionalTime(_ nanoseconds: UInt64, ifPrice price: Int64, _ market: MarketImage) {
    if price == noPrice { raw("null") } else { market.stamp.write(nanoseconds, into: &self) }
  }

  private mutating func optionalDate(_ days: Int64) {
    if days == .min {
      raw("null")
    } else {
      byte(0x22)
      for byte in CalendarDate(daysSince1970: Int(days)).description.utf8 { self.byte(byte) }
      byte(0x22)
    }
  }

  private mutating func quoteField(_ field: QuoteField, _ image: InstrumentImage, _ market: MarketImage) {
    let s = image.statistics
    let f = image.facts
    switch field {
    case .time:
      raw(",\"time\":")
      if image.quoteSequence == 0 { raw("null") } else { market.stamp.write(image.quoteTime, into: &self) }
    case .state:
      raw(",\"state\":")
      tradingState(f.state)
    case .special:
      raw(",\"special\":")
      switch SpecialQuote(rawValue: f.special) {
      case .specialBid: raw("\"special_bid\"")
      case .specialAsk: raw("\"special_ask\"")
      case .sequentialBid: raw("\"sequential_bid\"")
      case .sequentialAsk: raw("\"sequential_ask\"")
      case .some(.none), nil: raw("null")
      }
    case .bid:
      raw(",\"bid\":")
      price(image.top.bid)
    case .bidSize:
      raw(",\"bid_size\":")
      if image.top.bid == noPrice { raw("null") } else { integer(image.top.bidSize) }
    case .bidOrders:
      raw(",\"bid_orders\":")
      if image.top.bid == noPrice { raw("null") } else { integer(UInt64(image.top.bidOrders)) }
    case .ask:
      raw(",\"ask\":")
      price(image.top.ask)
    case .askSize:
      raw(",\"ask_size\":")
      if image.top.ask == noPrice { raw("null") } else { integer(image.top.askSize) }
    case .askOrders:
      raw(",\"ask_orders\":")
      if image.top.ask == noPrice { raw("null") } else { integer(UInt64(image.top.askOrders)) }
    case .last:
      raw(",\"last\":")
      price(s.last)
    case .lastSize:
      raw(",\"last_size\":")
      if s.last == noPrice { raw("null") } else { integer(s.lastSize) }
    case .lastTime:
      raw(",\"last_time\":")
      optionalTime(s.lastTime, ifPrice: s.last, market)
    case .direction:
      raw(",\"direction\":")
      direction(s.last == noPrice ? 2 : s.direction)
    case .open:
      raw(",\"open\":")
      price(s.open)
    case .openTime:
      raw(",\"open_time\":")
      optionalTime(s.openTime, ifPrice: s.open, market)
    case .high:
      raw(",\"high\":")
      price(s.high)
    case .highTime:
      raw(",\"high_time\":")
      optionalTime(s.highTime, ifPrice: s.high, market)
    case .low:
      raw(",\"low\":")
      price(s.low)
    case .lowTime:
      raw(",\"low_time\":")
      optionalTime(s.lowTime, ifPrice: s.low, market)
    case .close:
      raw(",\"close\":")
      price(f.close)
    case .volume:
      raw(",\"volume\":")
      integer(s.volume)
    case .turnover:
      raw(",\"turnover\":")
      decimal(s.turnover)
    case .vwap:
      raw(",\"vwap\":")
      price(image.vwap)
    case .trades:
      raw(",\"trades\":")
      integer(s.trades)
    case .previousClose:
      raw(",\"previous_close\":")
      price(f.previousClose)
    case .previousDate:
      raw(",\"previous_date\":")
      optionalDate(f.previousDate)
    case .change:
      raw(",\"change\":")
      price(image.change)
    case .changePercent:
      raw(",\"change_percent\":")
      let points = image.changeBasisPoints
      if points == noPrice { raw("null") } else { decimal(points, decimals: 2) }
    case .reference:
      raw(",\"reference\":")
      price(f.reference)
    case .referenceDate:
      raw(",\"reference_date\":")
      optionalDate(f.referenceDate)
    case .limitUp:
      raw(",\"limit_up\":")
      price(f.limitUp)
    case .limitDown:
      raw(",\"limit_down\":")
      price(f.limitDown)
    case .atLimit:
      raw(",\"at_limit\":")
      switch image.atLimit {
      case 1: raw("\"up\"")
      case -1: raw("\"down\"")
      default: raw("null")
      }
    case .auction:
      raw(",\"auction\":")
      auction(f.auction)
    case .collarUpper:
      raw(",\"collar_upper\":")
      price(f.collarUpper)
    case .collarLower:
      raw(",\"collar_lower\":")
      price(f.collarLower)
    case .shortRestricted:
      raw(",\"short_restricted\":")
      boolean(f.shortRestricted)
    case .suspect:
      raw(",\"suspect\":")
      boolean(f.suspect)
    case .stale:
      raw(",\"stale\":")
      stale(market, image)
    }
  }

  mutating func tradingState(_ raw: UInt8) {
    switch TradingState(rawValue: raw) {
    case .preOpen: self.raw("\"pre_open\"")
    case .auction: self.raw("\"auction\"")
    case .trading: self.raw("\"trading\"")
    case .lunchBreak: self.raw("\"break\"")
    case .halted: self.raw("\"halted\"")
    case .paused: self.raw("\"paused\"")
    case .quotation: self.raw("\"quotation\"")
    case .closed: self.raw("\"closed\"")
    case .unknown, nil: self.raw("\"unknown\"")
    }
  }

  /// A direction: 1 up, -1 down, 0 same, else null.
  public mutating func direction(_ value: Int64) {
    switch value {
    case 1: raw("\"up\"")
    case -1: raw("\"down\"")
    case 0: raw("\"same\"")
    default: raw("null")
    }
  }

  /// How it stands with an instrument: as with its market, or it isn't heard yet.
  mutating func stale(_ market: MarketImage, _ image: InstrumentImage) {
    guard !market.isStale, let since = image.unheardSince else { return stale(market) }
    raw("{\"since\":")
    market.stamp.write(since, into: &self)
    raw(",\"reason\":\"recovering\"}")
  }

  mutating func stale(_ market: MarketImage) {
    guard market.isStale else { return raw("null") }
    raw("{\"since\":")
    market.stamp.write(market.staleSince, into: &self)
    switch market.state {
    case .gap, .ended: raw(",\"reason\":\"gap\"}")
    case .silent: raw(",\"reason\":\"silent\"}")
    default: raw(",\"reason\":\"recovering\"}")
    }
  }

  private mutating func auction(_ auction: AuctionPayload) {
    guard auction.crossType != 0 else { return raw("null") }
    raw("{\"price\":")
    price(auction.near != noPrice ? auction.near : auction.price)
    raw(",\"paired\":")
    integer(auction.paired)
    raw(",\"imbalance\":")
    integer(auction.imbalance)
    switch auction.side {
    case UInt8(ascii: "B"): raw(",\"side\":\"buy\"")
    case UInt8(ascii: "S"): raw(",\"side\":\"sell\"")
    case UInt8(ascii: "N"): raw(",\"side\":\"none\"")
    default: raw(",\"side\":\"insufficient\"")
    }
    raw(",\"far\":")
    price(auction.far)
    raw(",\"near\":")
    price(auction.near)
    raw(",\"reference\":")
    price(auction.price)
    switch auction.crossType {
    case UInt8(ascii: "O"): raw(",\"type\":\"open\"}")
    case UInt8(ascii: "C"): raw(",\"type\":\"close\"}")
    case UInt8(ascii: "A"): raw(",\"type\":\"extended\"}")
    default: raw(",\"type\":\"halt\"}")
    }
  }
}
