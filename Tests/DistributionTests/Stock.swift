// Short words for messages about one instrument.

import FeedProtocols
import MarketData

struct Stock {
  var code: InstrumentCode
  var locate: UInt16

  init(_ code: String, locate: UInt16 = 1) {
    self.code = InstrumentCode(code) ?? InstrumentCode(0)
    self.locate = locate
  }

  func header(_ time: UInt64) -> ITCHHeader { ITCHHeader(locate: locate, timestamp: time) }

  func add(_ number: UInt64, _ side: Side, _ shares: UInt32, _ price: String, at time: UInt64 = 0) -> AddOrder
  {
    AddOrder(
      header: header(time), reference: OrderReference(number), side: side, shares: shares, stock: code,
      price: Price(price) ?? Price(0))
  }
  func delete(_ number: UInt64, at time: UInt64 = 0) -> OrderDelete {
    OrderDelete(header: header(time), reference: OrderReference(number))
  }
  func hidden(_ shares: UInt32, _ price: String, match: UInt64 = 0, at time: UInt64 = 0) -> NonCrossTrade {
    NonCrossTrade(
      header: header(time), reference: OrderReference(0), side: .buy, shares: shares, stock: code,
      price: Price(price) ?? Price(0), match: MatchNumber(match))
  }
  func broken(_ match: UInt64, at time: UInt64 = 0) -> BrokenTrade {
    BrokenTrade(header: header(time), match: MatchNumber(match))
  }
}
