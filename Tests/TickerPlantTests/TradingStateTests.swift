import FeedProtocols
import MarketData
import Testing

@testable import TickerPlant

@Suite struct TradingStateTests {
  private let stock = Instrument("7203")

  private func box() -> Box {
    var data = ReferenceData(market: "XTST")
    data.reasons = [
      "LNCH": .lunchBreak, "ITAY": .auction, "SPBD": .specialBid, "SPAK": .specialAsk, "SQBD": .sequentialBid,
      "SQAK": .sequentialAsk,
    ]
    return Box(reference: data)
  }

  /// Phase by its last system event ("" = none yet) × state × reason → what people call it.
  @Test(
    arguments: [
      ("", "", "", .unknown), ("S", "", "", .preOpen), ("Q", "", "", .trading), ("M", "", "", .closed),
      ("S", "T", "", .preOpen), ("Q", "T", "", .trading), ("M", "T", "", .closed),
      ("S", "H", "", .halted), ("Q", "H", "NEWS", .halted), ("M", "H", "", .halted),
      ("S", "P", "", .preOpen), ("Q", "P", "", .paused), ("M", "P", "", .paused),
      ("S", "Q", "", .preOpen), ("Q", "Q", "", .quotation),
      ("S", "Q", "ITAY", .preOpen), ("Q", "Q", "ITAY", .auction), ("Q", "P", "ITAY", .auction),
      ("Q", "P", "LNCH", .lunchBreak), ("Q", "Q", "LNCH", .lunchBreak), ("Q", "H", "LNCH", .halted),
      ("Q", "Q", "SPBD", .trading), ("S", "Q", "SPBD", .preOpen), ("Q", "Q", "SQAK", .trading),
      ("Q", "Q", "WHAT", .quotation), ("Q", "P", "WHAT", .paused), ("Q", "x", "", .trading),
    ] as [(String, String, String, TradingState)])
  func stateIsPhaseActionAndReasonTogether(event: String, action: String, reason: String, state: TradingState)
  {
    // The same whichever comes first, phase or action.
    for actionFirst in [true, false] {
      let box = box()
      box.apply(stock.add(1, .buy, 1, "1"))
      let act = {
        if let byte = action.utf8.first { box.apply(self.stock.action(ITCHCode(byte), ITCHCode4(reason))) }
      }
      if actionFirst { act() }
      if let byte = event.utf8.first { box.apply(system(ITCHCode(byte))) }
      if !actionFirst { act() }
      #expect(box.facts("7203").state == state.rawValue, "action first: \(actionFirst)")
    }
  }

  @Test(arguments: [
    ("SPBD", SpecialQuote.specialBid), ("SPAK", .specialAsk), ("SQBD", .sequentialBid),
    ("SQAK", .sequentialAsk),
    ("ITAY", .none), ("", .none),
  ])
  func specialQuotesFollowTheReason(reason: String, special: SpecialQuote) {
    let box = box()
    box.apply(system("Q"), stock.action("Q", ITCHCode4(reason)))
    #expect(box.facts("7203").special == special.rawValue)
    box.apply(stock.action("T"))
    #expect(box.facts("7203").special == SpecialQuote.none.rawValue)
    #expect(box.facts("7203").state == TradingState.trading.rawValue)
  }

  @Test func anOperationalHaltIsOverEverything() {
    let box = box()
    let halt = { (action: ITCHCode) in
      OperationalHalt(header: self.stock.header(0), stock: self.stock.code, marketCode: "Q", action: action)
    }
    box.apply(system("Q"), stock.action("T"), halt("H"))
    #expect(box.facts("7203").state == TradingState.halted.rawValue)
    box.apply(stock.action("T"))
    #expect(box.facts("7203").state == TradingState.halted.rawValue)
    box.apply(halt("T"))
    #expect(box.facts("7203").state == TradingState.trading.rawValue)
  }

  @Test func aFeedThatIsJoinedInMidDayTradesWithItsFirstTrade() {
    let box = box()
    box.apply(stock.add(1, .buy, 100, "10"))
    #expect(box.facts("7203").state == TradingState.unknown.rawValue)
    box.apply(stock.execute(1, 100))
    #expect(box.facts("7203").state == TradingState.trading.rawValue)
    let early = self.box()
    early.apply(stock.cross(100, "10", "O"))
    #expect(early.facts("7203").state == TradingState.unknown.rawValue)
  }

  @Test func auctionIndicationsAreKeptUntilTheCrossOrTheRelease() {
    let box = box()
    let indication = NetOrderImbalance(
      header: stock.header(0), pairedShares: 1_000, imbalanceShares: 300, direction: "S", stock: stock.code,
      farPrice: Price(9), nearPrice: Price(0), referencePrice: Price(10), crossType: "O", priceVariation: " ")
    box.apply(indication)
    let auction = box.facts("7203").auction
    #expect(auction.price == 100_000 && auction.far == 90_000 && auction.near == noPrice)
    #expect(auction.paired == 1_000 && auction.imbalance == 300)
    #expect(auction.side == UInt8(ascii: "S") && auction.crossType == UInt8(ascii: "O"))
    box.apply(stock.action("Q", "ITAY"))
    #expect(box.facts("7203").auction == auction)
    box.apply(stock.action("T"))
    #expect(box.facts("7203").auction == AuctionPayload())
    box.apply(indication, stock.cross(100, "10", "O"))
    #expect(box.facts("7203").auction == AuctionPayload())
  }

  @Test(arguments: [("0", false), ("1", true), ("2", true), ("?", false)])
  func theShortSaleTestFollowsItsAction(action: String, restricted: Bool) {
    let box = box()
    let tell = { (byte: UInt8) in
      RegSHORestriction(header: self.stock.header(0), stock: self.stock.code, action: ITCHCode(byte))
    }
    box.apply(tell(UInt8(ascii: "1")), tell(action.utf8.first ?? 0))
    #expect(box.facts("7203").shortRestricted == restricted)
  }

  @Test func collarsAreKeptForTheDay() {
    let box = box()
    box.apply(
      AuctionCollar(
        header: stock.header(0), stock: stock.code, referencePrice: Price(10), upperPrice: Price(11),
        lowerPrice: Price(9), extensionCount: 0))
    #expect(box.facts("7203").collarUpper == 110_000 && box.facts("7203").collarLower == 90_000)
    box.plant.beginEpoch(session: "", date: box.plant.date.nextWeekday)
    #expect(box.facts("7203").collarUpper == noPrice && box.facts("7203").collarLower == noPrice)
  }

  @Test func aFactThatDoesntChangeIsntTold() {
    let box = box()
    box.apply(system("Q"), stock.action("T"))
    _ = box.records()
    box.apply(stock.action("T"), system("Q"))
    #expect(box.records().isEmpty)
  }

  @Test func locatesAreTheDays() {
    let box = box()
    let other = Instrument("9984", locate: 1)
    box.apply(stock.add(1, .buy, 100, "10"))
    box.plant.beginEpoch(session: "", date: box.plant.date.nextWeekday)
    box.apply(framed(other.add(1, .buy, 100, "10")), sequence: 1)
    box.apply(framed(stock.delete(77)), sequence: 2)
    #expect(box.facts("9984").suspect && !box.facts("7203").suspect)
  }
}
