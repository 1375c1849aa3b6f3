// Continuous trading (ザラバ): an order takes what stands against it, best price first, oldest first.
// The taker isn't on the feed until it rests; each order it meets is told as an E at its own price.
// A trade too far from the last one doesn't happen: the issue changes to a special quote (特別気配), and one
// order that runs too far by itself to a sequential one (連続約定気配).

import FeedProtocols
import MarketData

/// Why an order stopped taking.
enum TakingEnd: Sendable {
  /// Filled, or nothing more within its limit.
  case done
  /// The next price is outside of the range around the last trade.
  case tooFar
  /// The order itself went through twice the range.
  case ranAway
}

extension SimulatedMarket {
  /// Takes liquidity up to `limit`; what is left is returned, not placed.
  mutating func take(
    _ i: Int, _ side: Side, limit: Int, shares: UInt32, _ now: UInt64, _ writer: inout ByteWriter
  ) -> (left: UInt32, end: TakingEnd) {
    let header = header(i, now)
    let range = issues[i].specialRange()
    let farthest = issues[i].specialRange(times: 2)
    var left = shares
    var last = -1
    var end = TakingEnd.done
    while left > 0 {
      let best = side == .buy ? books.books[i].bestAsk : books.books[i].bestBid
      if side == .buy ? (best > limit || !books.books[i].hasAsk) : (best < limit || best < 0) { break }
      if last < 0, !range.contains(best) {
        end = .tooFar
        break
      }
      if !farthest.contains(best) {
        end = .ranAway
        break
      }
      let slot = books.level(i, side.opposite, best).head
      let order = books.order(i, slot)
      let executed = min(left, order.shares)
      composer.execute(header, UInt64(order.reference), executed, &writer)
      books.reduce(i, slot, by: executed)
      left -= executed
      last = best
    }
    if last >= 0 {
      traded(i, at: last, now, &writer)
      issues[i].referenceLevel = last
      issues[i].lean = issues[i].lean * 0.9 + (side == .buy ? 0.1 : -0.1)
      // Trades say something: the value follows a little.
      let step = Double(issues[i].ladder.tick(last)) / Double(issues[i].ladder.units(last))
      issues[i].ownReturn += (side == .buy ? 0.12 : -0.12) * min(step, 0.002)
    }
    return (left, end)
  }

  /// An order that takes, then rests with what is left (`rests`), or changes the issue's state.
  mutating func trade(
    _ i: Int, _ side: Side, limit: Int, shares: UInt32, rests: Bool, _ now: UInt64, _ writer: inout ByteWriter
  ) {
    let (left, end) = take(i, side, limit: limit, shares: shares, now, &writer)
    switch end {
    case .done:
      if left > 0, rests { rest(i, side, limit, left, now, &writer) }
    case .tooFar:
      // The order stays and crosses the book: only orders that gather may do so.
      issues[i].crossType = issues[i].lastLevel < 0 ? UInt8(ascii: "O") : UInt8(ascii: "I")
      showSpecialQuote(i, side, now, &writer)
      rest(i, side, limit, left, now, &writer)
    case .ranAway:
      issues[i].phase = .sequential
      issues[i].specialSide = side
      issues[i].crossType = UInt8(ascii: "I")
      issues[i].nextCheck = now + DaySchedule.minute
      say(i, now, "P", side == .buy ? Reason.sequentialBid : Reason.sequentialAsk, &writer)
      rest(i, side, limit, left, now, &writer)
    }
  }

  /// Puts an order on the book and on the feed.
  mutating func rest(
    _ i: Int, _ side: Side, _ level: Int, _ shares: UInt32, _ now: UInt64, _ writer: inout ByteWriter
  ) {
    guard books.books[i].live < books.books[i].capacity else { return }
    let tail = books.level(i, side, level).tail
    let bits = random.bits()
    let reference = composer.add(
      header(i, now), issues[i].code, side, shares, issues[i].ladder.price(level),
      member: bits & 0xff < 12 ? Int(bits >> 32 & 7) : nil, &writer)
    books.insert(i, side, level: level, behind: tail, shares: shares, reference: reference)
  }

  /// Somebody's order is ten ranges too large.
  mutating func sweep(_ i: Int, _ side: Side, _ now: UInt64, _ writer: inout ByteWriter) {
    let range = issues[i].specialRange(times: 3)
    let limit = side == .buy ? range.upperBound : range.lowerBound
    var shares: UInt64 = UInt64(Listing.lot) * 20
    let book = books.books[i]
    if side == .buy, book.hasAsk, book.bestAsk <= limit {
      for level in book.bestAsk...limit { shares += UInt64(books.level(i, .sell, level).shares) }
    } else if side == .sell, book.hasBid, book.bestBid >= limit {
      for level in limit...book.bestBid { shares += UInt64(books.level(i, .buy, level).shares) }
    } else {
      return
    }
    trade(i, side, limit: limit, shares: UInt32(min(shares, 20_000_000)), rests: true, now, &writer)
  }

  /// Keeps what a trade changes.
  mutating func traded(_ i: Int, at level: Int, _ now: UInt64, _ writer: inout ByteWriter) {
    issues[i].lastLevel = level
    issues[i].excitement = min(issues[i].excitement + 1.2, 8)
    // Ten per cent below the base price short sales are restricted, for the rest of this day and the next.
    if !issues[i].isShortRestricted, issues[i].ladder.units(level) * 10 <= issues[i].base.units * 9 {
      issues[i].isShortRestricted = true
      composer.shortSale(header(i, now), issues[i].code, "1", &writer)
    }
  }
}
