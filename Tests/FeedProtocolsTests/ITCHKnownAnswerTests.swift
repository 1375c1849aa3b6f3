// Messages laid out by hand from the tables of Nasdaq's TotalView-ITCH 5.0 specification, not by our encoder.

import FeedProtocols
import MarketData
import Testing

@Suite("ITCH known answers")
struct ITCHKnownAnswerTests {
  // Type, locate 0x0102, tracking 0x0304, time 0x05060708090a.
  static let header = "0102 0304 05060708090a"
  static let fields = ITCHHeader(locate: 0x0102, tracking: 0x0304, timestamp: 0x0506_0708_090a)
  static let apple = "4141504c20202020"

  static func stock(_ text: String) throws -> InstrumentCode { try #require(InstrumentCode(text)) }

  func expect(_ text: String, is message: ITCHMessage) throws {
    let bytes = hex(text)
    #expect(try decode(bytes).get() == message)
    var writer = ByteWriter()
    message.encode(into: &writer)
    #expect(writer.bytes == bytes)
  }

  @Test func systemEvent() throws {
    try expect("53 \(Self.header) 51", is: .systemEvent(.init(header: Self.fields, event: "Q")))
  }

  @Test func stockDirectory() throws {
    let text = "52 \(Self.header) \(Self.apple) 51 4e 00000064 4e 43 5a20 50 4e 20 31 4e 00000002 59"
    let message = StockDirectory(
      header: Self.fields, stock: try Self.stock("AAPL"), marketCategory: "Q", financialStatus: "N",
      roundLotSize: 100, roundLotsOnly: "N", issueClassification: "C", issueSubType: 0x5a20,
      authenticity: "P", shortSaleThreshold: "N", ipoFlag: " ", luldReferencePriceTier: "1", etpFlag: "N",
      etpLeverageFactor: 2, inverseIndicator: "Y")
    try expect(text, is: .stockDirectory(message))
  }

  @Test func addOrder() throws {
    let text = "41 \(Self.header) 00000000000000ff 42 00000064 \(Self.apple) 0016e360"
    let message = AddOrder(
      header: Self.fields, reference: OrderReference(255), side: .buy, shares: 100,
      stock: try Self.stock("AAPL"), price: Price(150))
    try expect(text, is: .addOrder(message))
  }

  @Test func addOrderAttributed() throws {
    let text = "46 \(Self.header) 0000000000000001 53 0000000a \(Self.apple) 00000001 55425353"
    let message = AddOrderAttributed(
      header: Self.fields, reference: OrderReference(1), side: .sell, shares: 10,
      stock: try Self.stock("AAPL"), price: Price(units: 1), attribution: "UBSS")
    try expect(text, is: .addOrderAttributed(message))
  }

  @Test func orderExecutedWithPrice() throws {
    let text = "43 \(Self.header) 0000000000000002 00000003 0000000000000004 4e 00002710"
    let message = OrderExecutedWithPrice(
      header: Self.fields, reference: OrderReference(2), executedShares: 3, match: MatchNumber(4),
      printable: "N", executionPrice: Price(1))
    try expect(text, is: .orderExecutedWithPrice(message))
  }

  @Test func reductions() throws {
    let header = Self.fields
    try expect(
      "45 \(Self.header) 0000000000000002 00000003 0000000000000004",
      is: .orderExecuted(
        .init(header: header, reference: OrderReference(2), executedShares: 3, match: MatchNumber(4))))
    try expect(
      "58 \(Self.header) 0000000000000002 00000003",
      is: .orderCancel(.init(header: header, reference: OrderReference(2), cancelledShares: 3)))
    try expect(
      "44 \(Self.header) 0000000000000002",
      is: .orderDelete(.init(header: header, reference: OrderReference(2))))
  }

  @Test func orderReplace() throws {
    let text = "55 \(Self.header) 0000000000000002 0000000000000003 00000004 ffffffff"
    let message = OrderReplace(
      header: Self.fields, originalReference: OrderReference(2), newReference: OrderReference(3), shares: 4,
      price: Price(units: 4_294_967_295))
    try expect(text, is: .orderReplace(message))
  }

  @Test func trades() throws {
    let apple = try Self.stock("AAPL")
    try expect(
      "50 \(Self.header) 0000000000000000 42 00000001 \(Self.apple) 00002711 0000000000000009",
      is: .nonCrossTrade(
        .init(
          header: Self.fields, reference: OrderReference(0), side: .buy, shares: 1, stock: apple,
          price: Price(units: 10_001), match: MatchNumber(9))))
    try expect(
      "51 \(Self.header) 0000000100000000 \(Self.apple) 00002710 0000000000000009 4f",
      is: .crossTrade(
        .init(
          header: Self.fields, shares: 1 << 32, stock: apple, crossPrice: Price(1), match: MatchNumber(9),
          crossType: "O")))
    try expect(
      "42 \(Self.header) 0000000000000009",
      is: .brokenTrade(.init(header: Self.fields, match: MatchNumber(9))))
  }

  @Test func imbalance() throws {
    let text = """
      49 \(Self.header) 0000000000000064 0000000000000005 42 \(Self.apple) 00000001 00000002 00000003 43 4c
      """
    let message = NetOrderImbalance(
      header: Self.fields, pairedShares: 100, imbalanceShares: 5, direction: "B",
      stock: try Self.stock("AAPL"), farPrice: Price(units: 1), nearPrice: Price(units: 2),
      referencePrice: Price(units: 3), crossType: "C", priceVariation: "L")
    try expect(text, is: .netOrderImbalance(message))
  }

  @Test func states() throws {
    let apple = try Self.stock("AAPL")
    try expect(
      "48 \(Self.header) \(Self.apple) 54 20 49504f31",
      is: .stockTradingAction(
        .init(header: Self.fields, stock: apple, tradingState: "T", reserved: " ", reason: "IPO1")))
    try expect(
      "4c \(Self.header) 55425353 \(Self.apple) 59 4e 41",
      is: .marketParticipantPosition(
        .init(
          header: Self.fields, participant: "UBSS", stock: apple, primaryMarketMaker: "Y", mode: "N",
          state: "A")))
    try expect(
      "68 \(Self.header) \(Self.apple) 51 48",
      is: .operationalHalt(.init(header: Self.fields, stock: apple, marketCode: "Q", action: "H")))
    try expect(
      "4b \(Self.header) \(Self.apple) 00008ca0 41 00002710",
      is: .quotingPeriodUpdate(
        .init(
          header: Self.fields, stock: apple, releaseTimeSeconds: 36_000, qualifier: "A", price: Price(1))))
  }
}
