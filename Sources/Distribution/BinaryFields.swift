// The values of kabuto.binary.1 (docs/STREAM.md, Binary frames): varints (LEB128), prices as integers of 1/10,000,
// null as 0 where a value may be null. The same fields as in JSON, in the order of `QuoteField`.

import MarketData
import TickerPlant

extension JSONWriter {
  /// An unsigned integer, seven bits a byte, the lowest first.
  @inline(__always)
  mutating func varint(_ value: UInt64) {
    var rest = value
    while rest > 0x7f {
      byte(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    byte(UInt8(truncatingIfNeeded: rest))
  }

  /// A signed integer: 0, -1, 1, -2, … as 0, 1, 2, 3, …
  mutating func zigzag(_ value: Int64) { varint(Self.zigzagged(value)) }

  private static func zigzagged(_ value: Int64) -> UInt64 { UInt64(bitPattern: value << 1 ^ value >> 63) }

  /// A price, or null; also a change, a percentage or a date, which are signed.
  mutating func binaryPrice(_ units: Int64) { varint(units == .min ? 0 : Self.zigzagged(units) &+ 1) }

  /// A number that is null where `isNull`.
  private mutating func optional(_ value: UInt64, ifNot isNull: Bool) { varint(isNull ? 0 : value &+ 1) }

  mutating func binaryText(_ text: some StringProtocol) {
    varint(UInt64(text.utf8.count))
    for byte in text.utf8 { self.byte(byte) }
  }

  mutating func binaryStale(_ market: MarketImage, _ image: InstrumentImage) {
    guard market.isStale else {
      guard let since = image.unheardSince else { return byte(0) }
      byte(3)
      return varint(since)
    }
    switch market.state {
    case .gap, .ended: byte(1)
    case .silent: byte(2)
    default: byte(3)
    }
    varint(market.staleSince)
  }

  /// Time, state, base price and its date, as `standingFields`.
  mutating func binaryStanding(_ image: InstrumentImage, market: MarketImage) {
    optional(market.time, ifNot: market.epoch.isEmpty)
    byte(image.facts.state)
    binaryPrice(image.facts.reference)
    binaryPrice(image.facts.referenceDate)
  }

  /// The mask, and the fields in it.
  mutating func binaryQuote(_ image: InstrumentImage, mask: UInt64, market: MarketImage) {
    varint(mask)
    var rest = mask
    while rest != 0 {
      let bit = rest.trailingZeroBitCount
      rest &= rest - 1
      guard let field = QuoteField(rawValue: bit) else { continue }
      binaryField(field, image, market)
    }
  }

  private mutating func binaryField(_ field: QuoteField, _ image: InstrumentImage, _ market: MarketImage) {
    let s = image.statistics
    let f = image.facts
    let top = image.top
    switch field {
    case .time: optional(image.quoteTime, ifNot: image.quoteSequence == 0)
    case .state: byte(f.state)
    case .special: byte(f.special)
    case .bid: binaryPrice(top.bid)
    case .bidSize: optional(top.bidSize, ifNot: top.bid == noPrice)
    case .bidOrders: optional(UInt64(top.bidOrders), ifNot: top.bid == noPrice)
    case .ask: binaryPrice(top.ask)
    case .askSize: optional(top.askSize, ifNot: top.ask == noPrice)
    case .askOrders: optional(UInt64(top.askOrders), ifNot: top.ask == noPrice)
    case .last: binaryPrice(s.last)
    case .lastSize: optional(s.lastSize, ifNot: s.last == noPrice)
    case .lastTime: optional(s.lastTime, ifNot: s.last == noPrice)
    case .direction: byte(Self.binaryDirection(s.last == noPrice ? 2 : s.direction))
    case .open: binaryPrice(s.open)
    case .openTime: optional(s.openTime, ifNot: s.open == noPrice)
    case .high: binaryPrice(s.high)
    case .highTime: optional(s.highTime, ifNot: s.high == noPrice)
    case .low: binaryPrice(s.low)
    case .lowTime: optional(s.lowTime, ifNot: s.low == noPrice)
    case .close: binaryPrice(f.close)
    case .volume: varint(s.volume)
    case .turnover: varint(s.turnover)
    case .vwap: binaryPrice(image.vwap)
    case .trades: varint(s.trades)
    case .previousClose: binaryPrice(f.previousClose)
    case .previousDate: binaryPrice(f.previousDate)
    case .change: binaryPrice(image.change)
    case .changePercent: binaryPrice(image.changeBasisPoints)
    case .reference: binaryPrice(f.reference)
    case .referenceDate: binaryPrice(f.referenceDate)
    case .limitUp: binaryPrice(f.limitUp)
    case .limitDown: binaryPrice(f.limitDown)
    case .atLimit: byte(image.atLimit == 1 ? 1 : image.atLimit == -1 ? 2 : 0)
    case .auction: binaryAuction(f.auction)
    case .collarUpper: binaryPrice(f.collarUpper)
    case .collarLower: binaryPrice(f.collarLower)
    case .shortRestricted: byte(f.shortRestricted ? 1 : 0)
    case .suspect: byte(f.suspect ? 1 : 0)
    case .stale: binaryStale(market, image)
    }
  }

  /// 0 null, 1 up, 2 down, 3 same.
  private static func binaryDirection(_ value: Int64) -> UInt8 {
    switch value {
    case 1: 1
    case -1: 2
    case 0: 3
    default: 0
    }
  }

  private mutating func binaryAuction(_ auction: AuctionPayload) {
    switch auction.crossType {
    case 0: return byte(0)
    case UInt8(ascii: "O"): byte(1)
    case UInt8(ascii: "C"): byte(2)
    case UInt8(ascii: "A"): byte(3)
    default: byte(4)
    }
    varint(auction.paired)
    varint(auction.imbalance)
    switch auction.side {
    case UInt8(ascii: "B"): byte(0)
    case UInt8(ascii: "S"): byte(1)
    case UInt8(ascii: "N"): byte(2)
    default: byte(3)
    }
    binaryPrice(auction.far)
    binaryPrice(auction.near)
    binaryPrice(auction.price)
  }

  /// The mask (`BookField`), the time, and the fields in it.
  mutating func binaryBook(_ image: InstrumentImage, mask changed: UInt64, levels: Int) {
    var mask = changed & BookField.all
    // With a side come its sums, as in JSON.
    if mask & BookField.bids != 0 { mask |= BookField.bidTotal }
    if mask & BookField.asks != 0 { mask |= BookField.askTotal }
    varint(mask)
    optional(image.bookTime, ifNot: image.bookSequence == 0)
    if mask & BookField.state != 0 { byte(image.facts.state) }
    if mask & BookField.reference != 0 {
      binaryPrice(image.facts.reference)
      binaryPrice(image.facts.referenceDate)
    }
    if mask & BookField.bids != 0 { binarySide(image.bids, levels) }
    if mask & BookField.asks != 0 { binarySide(image.asks, levels) }
    if mask & BookField.bidTotal != 0 {
      varint(image.bidTotal)
      varint(image.bidTotal &- Self.shown(image.bids, levels))
    }
    if mask & BookField.askTotal != 0 {
      varint(image.askTotal)
      varint(image.askTotal &- Self.shown(image.asks, levels))
    }
  }

  /// Levels, best first: each price as its distance from the one before.
  private mutating func binarySide(_ table: LevelTable, _ levels: Int) {
    let count = min(levels, table.count)
    varint(UInt64(count))
    var before: Int64 = 0
    for depth in 0..<count {
      guard let level = table.level(depth) else { return }
      let price = Int64(level.price)
      zigzag(price - before)
      before = price
      varint(level.size)
      varint(UInt64(level.orders))
    }
  }

  mutating func binaryTrade(_ item: TradeItem) {
    let trade = item.trade
    let tellsBroke = trade.broken != 0 && trade.tradeSequence != item.sequence
    varint(trade.tradeTime)
    binaryPrice(trade.price)
    varint(trade.size)
    varint(trade.match)
    let side: UInt8 = trade.aggressor == 0 ? 1 : trade.aggressor == 1 ? 2 : 0
    byte(
      side | Self.binaryDirection(Int64(trade.direction)) << 2 | (trade.broken != 0 ? 16 : 0)
        | (tellsBroke ? 32 : 0))
    byte(TradeKind(rawValue: trade.kind) == nil ? 0 : trade.kind)
    if tellsBroke { varint(trade.tradeSequence) }
  }

  mutating func binaryBar(_ bar: BarPayload, closed: Bool) {
    optional(UInt64(bar.startSeconds), ifNot: bar.startSeconds == .max)
    binaryPrice(bar.open)
    binaryPrice(bar.high)
    binaryPrice(bar.low)
    binaryPrice(bar.close)
    varint(bar.volume)
    varint(bar.turnover)
    varint(UInt64(bar.trades))
    byte(closed ? 1 : 0)
  }
}
