// What people do: orders around the value they believe in, changed, reduced and withdrawn again and again.
// Quotes that the value has left behind are withdrawn or hit; the number of live orders tends to its target;
// executions tend to their share of the messages. Every event is at least one message.

import FeedProtocols
import MarketData

extension SimulatedMarket {
  /// One event of continuous trading.
  mutating func tradingOrder(_ i: Int, _ now: UInt64, _ writer: inout ByteWriter) {
    updateValue(i, now)
    let book = books.books[i]
    guard book.live > 1 else { return addWhileTrading(i, now, &writer) }
    let dice = random.uniform()
    let replaces = aggression + 0.073
    let reduces = replaces + 0.021
    if dice < aggression {
      takeSomething(i, now, &writer)
    } else if dice < replaces {
      replace(i, now, mayCross: false, &writer)
    } else if dice < reduces {
      reduce(i, now, &writer)
    } else if dice < reduces + 0.0015, book.hasBid, book.hasAsk {
      tradeHidden(i, now, &writer)
    } else if random.chance(additions(i)) {
      addWhileTrading(i, now, &writer)
    } else {
      delete(i, now, &writer)
    }
  }

  /// One event while orders gather.
  mutating func gatheringOrder(_ i: Int, _ now: UInt64, _ writer: inout ByteWriter) {
    updateValue(i, now)
    let dice = random.uniform()
    if books.books[i].live > 1, dice < 0.06 {
      replace(i, now, mayCross: true, &writer)
    } else if books.books[i].live > 1, dice < 0.075 {
      reduce(i, now, &writer)
    } else if random.chance(additions(i)) {
      let side = chooseSide(i)
      let scale = issues[i].sizeScale * (issues[i].phase == .closingCall ? 2 : 1.3)
      rest(i, side, gatheringLevel(i, side), sizes.draw(&random, scale: scale), now, &writer)
    } else {
      delete(i, now, &writer)
    }
  }

  /// Probability that the number of orders grows rather than shrinks.
  private func additions(_ i: Int) -> Double {
    let fill = Double(books.books[i].live) / Double(issues[i].targetOrders)
    return min(max(0.515 + 0.7 * (1 - fill), 0.03), 0.98)
  }

  /// The thinner side gets more; at a limit one side has nearly all.
  private mutating func chooseSide(_ i: Int) -> Side {
    let book = books.books[i]
    let top = Double(issues[i].ladder.count - 1)
    var buys =
      0.5 + 0.45 * Double(book.sellOrders - book.buyOrders) / Double(book.live + 4) + 0.05 * issues[i].lean
    if issues[i].value >= top { buys = 0.94 } else if issues[i].value <= 0 { buys = 0.06 }
    return random.chance(buys) ? .buy : .sell
  }

  /// A price on `side` around the value: half the spread away, or deeper.
  private mutating func usualLevel(_ i: Int, _ side: Side) -> Int {
    let top = Double(issues[i].ladder.count - 1)
    let value = min(max(issues[i].value, -1), top + 1)
    let distance =
      random.chance(0.34) ? 0 : (0.6 * issues[i].depth * random.heavyTail() + random.uniform()).rounded(.down)
    let position =
      side == .buy
      ? (value - issues[i].spread / 2).rounded(.down) - distance
      : (value + issues[i].spread / 2).rounded(.up) + distance
    if position < 0 || position > top {
      // Beyond a limit there is nothing: rather anywhere between.
      let near = Int(min(max(value, 0), top))
      return side == .buy ? (near > 0 ? random.below(near + 1) : 0) : near + random.below(Int(top) - near + 1)
    }
    return Int(position)
  }

  /// A price before an auction: some pay whatever it costs, some a little more than the value.
  private mutating func gatheringLevel(_ i: Int, _ side: Side) -> Int {
    let issue = issues[i]
    let top = issue.ladder.count - 1
    let dice = random.uniform()
    if dice < 0.03, issue.phase == .preOpen { return side == .buy ? top : 0 }
    guard dice < 0.14 else { return usualLevel(i, side) }
    let more = (1 + issue.depth * 0.25) * random.exponential()
    let position = side == .buy ? issue.value + more : issue.value - more
    return Int(min(max(position.rounded(), 0), Double(top)))
  }

  /// A new order that rests; one that would cross takes, or stops before the other side.
  private mutating func addWhileTrading(_ i: Int, _ now: UInt64, _ writer: inout ByteWriter) {
    let side = chooseSide(i)
    let wanted = usualLevel(i, side)
    let shares = sizes.draw(&random, scale: issues[i].sizeScale)
    let book = books.books[i]
    let crosses = side == .buy ? wanted >= book.bestAsk : wanted <= book.bestBid
    guard crosses else { return rest(i, side, wanted, shares, now, &writer) }
    if random.chance(0.06) {
      return trade(i, side, limit: wanted, shares: shares, rests: true, now, &writer)
    }
    let beside = side == .buy ? book.bestAsk - 1 : book.bestBid + 1
    if beside < 0 || beside >= issues[i].ladder.count || random.chance(0.75) {
      // The other side notices first.
      withdraw(i, side == .buy ? .sell : .buy, now, &writer)
    } else {
      rest(i, side, beside, shares, now, &writer)
    }
  }

  /// An order that takes liquidity: mostly part of the best price, sometimes more.
  private mutating func takeSomething(_ i: Int, _ now: UInt64, _ writer: inout ByteWriter) {
    let book = books.books[i]
    let middle = Double(book.bestBid + book.bestAsk) / 2
    let off = min(max((issues[i].value - middle) / (issues[i].spread + 0.5), -1), 1)
    var side: Side = random.chance(0.5 + 0.35 * off + 0.1 * issues[i].lean) ? .buy : .sell
    if side == .buy ? !book.hasAsk : !book.hasBid { side = side.opposite }
    let best = side == .buy ? book.bestAsk : book.bestBid
    let standing = books.level(i, side.opposite, best).shares
    var shares = sizes.draw(&random, scale: issues[i].sizeScale)
    var limit = best
    let dice = random.uniform()
    if dice < 0.6 {
      shares = min(shares, standing)
    } else if dice < 0.85 {
      shares = min(standing, shares &* 4)
    } else {
      shares = shares &* 3
      let reach = Int(issues[i].spread) + random.below(3)
      limit = side == .buy ? min(best + reach, issues[i].ladder.count - 1) : max(best - reach, 0)
    }
    trade(i, side, limit: limit, shares: shares, rests: random.chance(0.5), now, &writer)
  }

  /// A live order, rather one near the other side.
  private mutating func chooseOrder(_ i: Int) -> OrderSlot {
    let live = books.books[i].live
    let first = books.slot(i, listed: random.below(live))
    guard random.chance(0.6) else { return first }
    let second = books.slot(i, listed: random.below(live))
    let value = Int(issues[i].value)
    let one = abs(books.order(i, first).level - value)
    let two = abs(books.order(i, second).level - value)
    return one <= two ? first : second
  }

  /// Withdraws an order: one that the value has left behind, if there is one.
  private mutating func delete(_ i: Int, _ now: UInt64, _ writer: inout ByteWriter) {
    let book = books.books[i]
    guard book.live > 0 else { return rest(i, .buy, usualLevel(i, .buy), Listing.lot, now, &writer) }
    if issues[i].phase == .trading, random.chance(0.85) {
      if book.hasAsk, Double(book.bestAsk) < issues[i].value { return withdraw(i, .sell, now, &writer) }
      if book.hasBid, Double(book.bestBid) > issues[i].value { return withdraw(i, .buy, now, &writer) }
    }
    let slot = chooseOrder(i)
    composer.delete(header(i, now), UInt64(books.order(i, slot).reference), &writer)
    books.remove(i, slot)
  }

  /// Withdraws the oldest order of a side's best price; the side isn't empty.
  private mutating func withdraw(_ i: Int, _ side: Side, _ now: UInt64, _ writer: inout ByteWriter) {
    let best = side == .buy ? books.books[i].bestBid : books.books[i].bestAsk
    let slot = books.level(i, side, best).head
    composer.delete(header(i, now), UInt64(books.order(i, slot).reference), &writer)
    books.remove(i, slot)
  }

  /// Takes some lots off an order; an order of one lot goes as a whole.
  private mutating func reduce(_ i: Int, _ now: UInt64, _ writer: inout ByteWriter) {
    var slot = chooseOrder(i)
    for _ in 0..<3 where books.order(i, slot).shares <= Listing.lot { slot = chooseOrder(i) }
    let order = books.order(i, slot)
    let lots = Int(order.shares / Listing.lot)
    guard lots > 1 else {
      composer.delete(header(i, now), UInt64(order.reference), &writer)
      return books.remove(i, slot)
    }
    let shares = UInt32(1 + random.below(lots - 1)) * Listing.lot
    composer.cancel(header(i, now), UInt64(order.reference), shares, &writer)
    books.reduce(i, slot, by: shares)
  }

  /// Changes an order's price or size; it goes to the end of its queue, with a new reference.
  private mutating func replace(_ i: Int, _ now: UInt64, mayCross: Bool, _ writer: inout ByteWriter) {
    let slot = chooseOrder(i)
    let order = books.order(i, slot)
    let side = order.side
    var level = mayCross && random.chance(0.3) ? gatheringLevel(i, side) : usualLevel(i, side)
    if !mayCross {
      let book = books.books[i]
      level = side == .buy ? min(level, book.bestAsk - 1) : max(level, book.bestBid + 1)
      if level < 0 || level >= issues[i].ladder.count { level = order.level }
    }
    let shares = random.chance(0.7) ? order.shares : sizes.draw(&random, scale: issues[i].sizeScale)
    let reference = composer.replace(
      header(i, now), UInt64(order.reference), shares, issues[i].ladder.price(level), &writer)
    books.remove(i, slot)
    books.insert(i, side, level: level, shares: shares, reference: reference)
  }

  /// A trade with an order nobody sees, between the best prices.
  private mutating func tradeHidden(_ i: Int, _ now: UInt64, _ writer: inout ByteWriter) {
    let book = books.books[i]
    let level = book.bestBid + random.below(book.bestAsk - book.bestBid + 1)
    guard issues[i].specialRange().contains(level) else { return delete(i, now, &writer) }
    composer.hiddenTrade(
      header(i, now), issues[i].code, sizes.draw(&random, scale: issues[i].sizeScale),
      issues[i].ladder.price(level), &writer)
    traded(i, at: level, now, &writer)
    issues[i].referenceLevel = level
  }
}
