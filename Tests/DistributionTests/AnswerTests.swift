import Distribution
import FeedProtocols
import Foundation
import MarketData
import Testing
import TickerPlant

@Suite struct AnswerTests {
  private let stock = Stock("7203")

  @Test func averagesAndChangesAreRoundedAsDocumented() {
    var reference = ReferenceData(market: "XTKS")
    var line = ReferenceData.Instrument(code: "7203")
    line.name = LocalizedName(ja: "トヨタ", en: "Toyota")
    line.reference = Price("8")
    line.referenceDate = CalendarDate("2026-11-19")
    line.limitUp = Price("9")
    line.limitDown = Price("7")
    reference.instruments = [line]
    var feed = MixedFeed.all[0]
    feed.reference = reference
    let world = World(feeds: [feed])
    world.apply(stock.add(1, .buy, 1, "1"))
    var quote = world.quote("7203")
    for key in [
      "vwap", "last", "change", "change_percent", "at_limit", "open", "direction", "ask", "ask_size",
    ] {
      #expect(quote[key] is NSNull, "\(key)")
    }
    #expect(quote["reference"] as? Double == 8 && quote["reference_date"] as? String == "2026-11-19")
    #expect((quote["name"] as? [String: String])?["ja"] == "トヨタ")
    // 8.0001 × 1 + 8 × 1 = 16.0001: the average 8.00005 is rounded half up.
    world.apply(stock.hidden(1, "8.0001"), stock.hidden(1, "8"))
    #expect(world.quote("7203")["vwap"] as? Double == 8.0001)
    #expect(world.quote("7203")["turnover"] as? Double == 16.0001)
    for (price, percent, limit) in [
      ("7", -12.5, "down"), ("9", 12.5, "up"), ("8.0004", 0.01, nil), ("7.9996", -0.01, nil),
    ] {
      // 0.0004 of 8 is 0.005 %: rounded half away from zero.
      world.apply(stock.hidden(1, price))
      quote = world.quote("7203")
      #expect(quote["change_percent"] as? Double == percent, "\(price)")
      #expect(quote["at_limit"] as? String == limit, "\(price)")
    }
    #expect(quote["change"] as? Double == -0.0004 && quote["direction"] as? String == "down")
  }

  @Test func whatIsBeyondTheLevelsShownIsUnderAndOver() {
    let world = World()
    for number in 1...9 as ClosedRange<UInt64> {
      world.apply(
        stock.add(number, .buy, 100 * UInt32(number), "\(10 - number)"),
        stock.add(20 + number, .sell, 10, "\(10 + number)"))
    }
    let book = world.book("7203", levels: 3)
    #expect((book["bids"] as? [[String: Any]])?.map { $0["price"] as? Int } == [9, 8, 7])
    #expect((book["asks"] as? [[String: Any]])?.map { $0["price"] as? Int } == [11, 12, 13])
    #expect(book["bid_total"] as? Int == 4_500 && book["under"] as? Int == 3_900)
    #expect(book["ask_total"] as? Int == 90 && book["over"] as? Int == 60)
  }

  @Test func aBrokenTradeIsMarkedInTheListAndToldOnce() {
    let world = World()
    world.apply(stock.hidden(1, "10", match: 1), stock.hidden(1, "11", match: 2))
    let client = StreamClient(world)
    client.subscribe("t", "trades", ["7203"])
    world.apply(stock.broken(1))
    client.readAll()
    #expect(world.trades("7203").map { $0["broken"] as? Bool } == [false, true])
    #expect(client.difference("trades", "7203") == nil)
    #expect(client.views["trades/7203"]?.received == 1)
  }

  @Test func aFreshFanOutAnswersAsOneThatSawEverything() throws {
    for round in 0..<4 {
      var random = generator("fresh", round: round)
      let world = World()
      world.feed(0, 100 + random.below(1_200))
      let fresh = World()
      try fresh.sources[0].plant.restore(world.sources[0].plant.snapshot())
      fresh.deliver()
      // And one that is told the present state by a plant that goes on.
      let image = World.fanOut(["XTKS"], MixedFeed.all)
      world.sources[0].plant.emitAll(announcing: 0)
      image.consume(market: 0, records: world.sources[0].plant.updates.bytes, now: 1)
      world.sources[0].plant.updates.removeAll()
      #expect(image.instrumentCount == world.distributor.instrumentCount)
      let clients = [StreamClient(world), StreamClient(fresh)]
      for channel in ["quotes", "books", "trades", "bars"] {
        for client in clients {
          client.subscribe(channel, channel, world.names)
          client.readAll()
        }
        for name in world.names {
          let told = clients.map { $0.views["\(channel)/\(name)"]?.fields["seq"] as? NSNumber }
          #expect(told[0] == told[1], "\(seedNote) round \(round): number of \(name) in \(channel)")
        }
      }
      for name in world.names {
        for (kind, found, wanted) in [
          ("quote", fresh.quote(name), world.quote(name)),
          ("book", fresh.book(name, levels: 50), world.book(name, levels: 50)),
        ] {
          let fault = difference(found, wanted)
          #expect(fault == nil, "\(seedNote) round \(round): \(kind) of \(name)")
        }
        let trades = (fresh.trades(name), world.trades(name))
        #expect(trades.0.count == trades.1.count)
        for (one, two) in zip(trades.0, trades.1) {
          let fault = difference(one, two)
          #expect(fault == nil, "\(seedNote) round \(round): trade of \(name)")
        }
      }
    }
  }

  @Test func aTagChangesWithItsAnswerAndOnlyThen() {
    let world = World()
    world.apply(stock.add(1, .buy, 100, "10"))
    let tags = { (world.distributor.quoteTag(of: 0), world.distributor.bookTag(of: 0, levels: 10)) }
    let first = tags()
    world.apply(stock.add(2, .buy, 100, "9"))
    #expect(tags().0 == first.0 && tags().1 != first.1)
    world.apply(stock.add(3, .buy, 100, "11"))
    #expect(tags().0 != first.0)
    let second = tags()
    world.sources[0].plant.setSourceState(.silent)
    world.deliver()
    #expect(tags().0 != second.0 && tags().1 != second.1)
  }

  @Test func searchFindsCodesAndNamesWhateverTheWidth() {
    let world = World()
    world.feed(0, 100)
    let all = world.distributor.search("")
    #expect(all.count == world.distributor.instrumentCount)
    for index in all {
      let code = world.distributor.identity(of: index).code.description
      #expect(world.distributor.search(code.lowercased()).contains(index))
      #expect(world.distributor.search("\(code).xtks").contains(index))
      let wide = String(
        String.UnicodeScalarView(code.unicodeScalars.map { Unicode.Scalar($0.value + 0xfee0) ?? $0 }))
      #expect(world.distributor.search(wide).contains(index))
    }
    #expect(world.distributor.search("no such thing").isEmpty)
  }

  @Test func theBooksTimeIsOfTheNewDay() {
    let world = World()
    world.apply(stock.add(1, .buy, 100, "10", at: clock(15, 30)))
    world.sources[0].plant.beginEpoch(session: "S", date: world.sources[0].plant.date.nextWeekday)
    world.deliver()
    #expect(world.book("7203")["time"] as? String != "2026-11-23T15:30:00.000000000+09:00")
  }
}
