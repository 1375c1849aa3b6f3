// Itayose (板寄せ): one price for all orders of a crossed book. It is the price at which most shares match; of
// several such, where least is left over; of several such, the one nearest to the reference price.
// Invariant: afterwards the book is not crossed, and both sides have executed the same number of shares.

import MarketData

/// What an auction would do.
struct AuctionResult: Sendable {
  /// Number of the price.
  var level: Int
  /// Shares that match.
  var paired: UInt64
  /// Buy shares at that price or better, and sell shares.
  var buying: UInt64
  var selling: UInt64
}

extension OrderBooks {
  /// The auction's price with the orders as they are; nil where no orders cross.
  func auction(_ i: Int, reference: Int) -> AuctionResult? {
    let book = books[i]
    guard book.hasBid, book.hasAsk, book.isCrossed else { return nil }
    var buying: UInt64 = 0
    for number in book.bestAsk...book.bestBid { buying += UInt64(level(i, .buy, number).shares) }
    var selling: UInt64 = 0
    var best = AuctionResult(level: book.bestAsk, paired: 0, buying: 0, selling: 0)
    for number in book.bestAsk...book.bestBid {
      selling += UInt64(level(i, .sell, number).shares)
      let paired = min(buying, selling)
      let better: Bool
      if paired != best.paired {
        better = paired > best.paired
      } else {
        let left = max(buying, selling) - paired
        let bestLeft = max(best.buying, best.selling) - best.paired
        better = left != bestLeft ? left < bestLeft : abs(number - reference) < abs(best.level - reference)
      }
      if better { best = AuctionResult(level: number, paired: paired, buying: buying, selling: selling) }
      buying -= UInt64(level(i, .buy, number).shares)
    }
    return best
  }

  /// What would match at a given price.
  func figures(_ i: Int, at number: Int) -> AuctionResult {
    let book = books[i]
    var buying: UInt64 = 0
    var selling: UInt64 = 0
    if book.hasBid && book.bestBid >= number {
      for other in number...book.bestBid { buying += UInt64(level(i, .buy, other).shares) }
    }
    if book.hasAsk && book.bestAsk <= number {
      for other in book.bestAsk...number { selling += UInt64(level(i, .sell, other).shares) }
    }
    return AuctionResult(level: number, paired: min(buying, selling), buying: buying, selling: selling)
  }
}
