import MarketData
import Testing

@testable import ExchangeSimulator

@Suite struct AuctionTests {
  private func books(_ buys: [(Int, UInt32)], _ sells: [(Int, UInt32)]) -> OrderBooks {
    var books = OrderBooks(sizes: [(levels: 20, orders: 200)])
    var reference: UInt64 = 0
    for (level, shares) in buys {
      reference += 1
      books.insert(0, .buy, level: level, shares: shares, reference: reference)
    }
    for (level, shares) in sells {
      reference += 1
      books.insert(0, .sell, level: level, shares: shares, reference: reference)
    }
    return books
  }

  @Test func mostSharesDecide() {
    let result = books([(12, 300), (11, 200), (9, 500)], [(8, 100), (10, 300), (11, 200)]).auction(
      0, reference: 5)
    #expect(result?.level == 11)
    #expect(result?.paired == 500)
  }

  @Test func leastLeftOverDecidesAmongEqualVolumes() {
    // From 5 to 7 a hundred shares match; at 6 and 7 two hundred buys are left, at 5 five hundred.
    let result = books([(7, 300), (5, 300)], [(5, 100)]).auction(0, reference: 0)
    #expect(result?.level == 6)
    #expect(result?.buying == 300)
  }

  @Test func nearestToTheReferenceDecidesAtLast() {
    let crossed = books([(15, 100)], [(5, 100)])
    #expect(crossed.auction(0, reference: 9)?.level == 9)
    #expect(crossed.auction(0, reference: 0)?.level == 5)
    #expect(crossed.auction(0, reference: 19)?.level == 15)
  }

  @Test func nothingMatchesWithoutACross() {
    #expect(books([(4, 100)], [(5, 100)]).auction(0, reference: 4) == nil)
    #expect(books([(4, 100)], []).auction(0, reference: 4) == nil)
  }

  @Test func everyPriceConsideredByHandAgrees() {
    var random = RandomSource(seed: 42)
    for _ in 0..<300 {
      func draw() -> [(Int, UInt32)] {
        (0..<1 + random.below(8)).map { _ in (random.below(20), UInt32(1 + random.below(5))) }
      }
      let buys = draw()
      let sells = draw()
      let reference = random.below(20)
      let result = books(buys, sells).auction(0, reference: reference)
      var best: (paired: Int, left: Int, far: Int, level: Int)?
      for level in 0..<20 {
        let buying = buys.filter { $0.0 >= level }.reduce(0) { $0 + Int($1.1) }
        let selling = sells.filter { $0.0 <= level }.reduce(0) { $0 + Int($1.1) }
        let now = (min(buying, selling), abs(buying - selling), abs(level - reference), level)
        guard now.0 > 0 else { continue }
        if let old = best, (-old.paired, old.left, old.far) <= (-now.0, now.1, now.2) { continue }
        best = now
      }
      #expect(result?.level == best?.level)
      #expect(result.map { Int($0.paired) } == best?.paired)
    }
  }
}
