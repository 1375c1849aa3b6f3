// Auctions as they are run: opening, after lunch, after a halt, at the close; and 特別気配, the special quote,
// which waits for the other side where the price would go too far at once.
// A cross is told as one C an order (both sides, not printable, at the cross price), then one Q with the shares.

import FeedProtocols
import MarketData

extension SimulatedMarket {
  /// Runs an auction and lets continuous trading begin, or shows a special quote where the price is too far.
  mutating func open(_ i: Int, _ now: UInt64, _ writer: inout ByteWriter) {
    updateValue(i, now)
    guard let result = books.auction(i, reference: issues[i].referenceLevel) else {
      return beginTrading(i, now, &writer)
    }
    if issues[i].specialRange().contains(result.level), !isHeld(i, result) {
      cross(i, result, ITCHCode(issues[i].crossType), now, &writer)
      beginTrading(i, now, &writer)
    } else {
      let far = result.level - issues[i].referenceLevel
      let side: Side = far != 0 ? (far > 0 ? .buy : .sell) : (result.buying > result.selling ? .buy : .sell)
      showSpecialQuote(i, side, now, &writer)
    }
  }

  private mutating func beginTrading(_ i: Int, _ now: UInt64, _ writer: inout ByteWriter) {
    say(i, now, "T", Reason.none, &writer)
    issues[i].phase = .trading
    issues[i].nextCheck = .max
    scheduleOrder(i, now)
  }

  /// At a limit with more on one side than can match, the auction waits for the close.
  private func isHeld(_ i: Int, _ result: AuctionResult) -> Bool {
    (result.level == issues[i].ladder.count - 1 && result.buying > result.selling)
      || (result.level == 0 && result.selling > result.buying)
  }

  /// Executes an auction: best prices first, then first come, first served.
  mutating func cross(
    _ i: Int, _ result: AuctionResult, _ type: ITCHCode, _ now: UInt64, _ writer: inout ByteWriter
  ) {
    let header = header(i, now)
    let price = issues[i].ladder.price(result.level)
    for side in [Side.buy, Side.sell] {
      var left = result.paired
      while left > 0 {
        let best = side == .buy ? books.books[i].bestBid : books.books[i].bestAsk
        let slot = books.level(i, side, best).head
        let order = books.order(i, slot)
        let shares = UInt32(min(UInt64(order.shares), left))
        composer.executeInCross(header, UInt64(order.reference), shares, price, &writer)
        books.reduce(i, slot, by: shares)
        left -= UInt64(shares)
      }
    }
    composer.cross(header, issues[i].code, result.paired, price, type, &writer)
    traded(i, at: result.level, now, &writer)
    issues[i].referenceLevel = result.level
  }

  /// Begins a special quote one range towards `side`.
  mutating func showSpecialQuote(_ i: Int, _ side: Side, _ now: UInt64, _ writer: inout ByteWriter) {
    issues[i].phase = .special
    issues[i].specialSide = side
    let range = issues[i].specialRange()
    issues[i].referenceLevel = side == .buy ? range.upperBound : range.lowerBound
    issues[i].nextCheck = now + 3 * DaySchedule.minute
    say(i, now, "P", side == .buy ? Reason.specialBid : Reason.specialAsk, &writer)
    indicate(i, indicationType(i), now, &writer)
    scheduleOrder(i, now)
  }

  /// Three minutes later: the auction, or the quote one range further, or trading where nothing crosses.
  mutating func stepSpecialQuote(_ i: Int, _ now: UInt64, _ writer: inout ByteWriter) {
    let range = issues[i].specialRange()
    let book = books.books[i]
    var target: Int?
    if let result = books.auction(i, reference: issues[i].referenceLevel) {
      if range.contains(result.level), !isHeld(i, result) {
        cross(i, result, ITCHCode(issues[i].crossType), now, &writer)
        return beginTrading(i, now, &writer)
      }
      target = result.level
    } else if book.hasBid, book.bestBid > range.upperBound {
      target = book.bestBid
    } else if book.hasAsk, book.bestAsk < range.lowerBound {
      target = book.bestAsk
    }
    guard let target else { return beginTrading(i, now, &writer) }
    let far = target - issues[i].referenceLevel
    if far != 0 {
      let side: Side = far > 0 ? .buy : .sell
      if side != issues[i].specialSide {
        issues[i].specialSide = side
        say(i, now, "P", side == .buy ? Reason.specialBid : Reason.specialAsk, &writer)
      }
      issues[i].referenceLevel = min(max(target, range.lowerBound), range.upperBound)
    }
    indicate(i, indicationType(i), now, &writer)
    issues[i].nextCheck = now + 3 * DaySchedule.minute
  }

  private func indicationType(_ i: Int) -> ITCHCode { issues[i].crossType == UInt8(ascii: "O") ? "O" : "H" }

  /// Says what an auction would do now; under a special quote, what matches at the quote.
  mutating func indicate(_ i: Int, _ type: ITCHCode, _ now: UInt64, _ writer: inout ByteWriter) {
    let issue = issues[i]
    let result = books.auction(i, reference: issue.referenceLevel)
    let isSpecial = issue.phase == .special
    var message = NetOrderImbalance(
      header: header(i, now), pairedShares: 0, imbalanceShares: 0, direction: "O", stock: issues[i].code,
      farPrice: Price(units: 0), nearPrice: Price(units: 0),
      referencePrice: isSpecial ? issue.ladder.price(issue.referenceLevel) : Price(units: 0), crossType: type,
      priceVariation: " ")
    if result != nil || isSpecial {
      let figures =
        isSpecial
        ? books.figures(i, at: issue.referenceLevel) : (result ?? books.figures(i, at: issue.referenceLevel))
      message.pairedShares = figures.paired
      message.imbalanceShares = max(figures.buying, figures.selling) - figures.paired
      message.direction =
        figures.buying == figures.selling ? "N" : figures.buying > figures.selling ? "B" : "S"
    }
    if let result {
      let near = issue.ladder.price(result.level)
      message.farPrice = near
      message.nearPrice = near
      if !isSpecial { message.referencePrice = near }
      message.priceVariation = Self.variation(near, from: message.referencePrice)
    }
    composer.indication(message, &writer)
  }

  /// The specification's code for the distance of the near price from the reference price.
  static func variation(_ near: Price, from reference: Price) -> ITCHCode {
    let percent = reference.units > 0 ? abs(near.units - reference.units) * 100 / reference.units : 0
    switch percent {
    case 0: return "L"
    case 1...9: return ITCHCode(UInt8(ascii: "0") + UInt8(percent))
    case 10...19: return "A"
    case 20...29: return "B"
    default: return "C"
    }
  }
}
