// A message of each type of TotalView-ITCH 5.0 with random values in every field.

import FeedProtocols
import MarketData

/// All type bytes of the specification.
let allTypes = Array("SRHYLVWKJhAFECXDUPQBINO".utf8)

extension SeededGenerator {
  mutating func code() -> ITCHCode { ITCHCode(UInt8(truncatingIfNeeded: next())) }
  mutating func code4() -> ITCHCode4 { ITCHCode4(UInt32(truncatingIfNeeded: next())) }
  mutating func stock() -> InstrumentCode { InstrumentCode(next()) }
  mutating func shares() -> UInt32 { UInt32(truncatingIfNeeded: next()) }
  mutating func price() -> Price { Price(units: Int64(UInt32(truncatingIfNeeded: next()))) }
  mutating func order() -> OrderReference { OrderReference(next()) }
  mutating func match() -> MatchNumber { MatchNumber(next()) }
  mutating func side() -> Side { next() & 1 == 0 ? .buy : .sell }
  mutating func header() -> ITCHHeader {
    ITCHHeader(
      locate: UInt16(truncatingIfNeeded: next()), tracking: UInt16(truncatingIfNeeded: next()),
      timestamp: next() & 0xffff_ffff_ffff)
  }

  /// A message of that type; nil for a byte that is none.
  mutating func message(ofType type: UInt8) -> ITCHMessage? {
    switch Character(UnicodeScalar(type)) {
    case "S": .systemEvent(.init(header: header(), event: code()))
    case "R": .stockDirectory(directory())
    case "H":
      .stockTradingAction(
        .init(header: header(), stock: stock(), tradingState: code(), reserved: code(), reason: code4()))
    case "Y": .regSHORestriction(.init(header: header(), stock: stock(), action: code()))
    case "L":
      .marketParticipantPosition(
        .init(
          header: header(), participant: code4(), stock: stock(), primaryMarketMaker: code(), mode: code(),
          state: code()))
    case "V": .circuitBreakerLevels(.init(header: header(), level1: next(), level2: next(), level3: next()))
    case "W": .circuitBreakerStatus(.init(header: header(), breachedLevel: code()))
    case "K":
      .quotingPeriodUpdate(
        .init(
          header: header(), stock: stock(), releaseTimeSeconds: shares(), qualifier: code(), price: price()))
    case "J":
      .auctionCollar(
        .init(
          header: header(), stock: stock(), referencePrice: price(), upperPrice: price(),
          lowerPrice: price(), extensionCount: shares()))
    case "h":
      .operationalHalt(.init(header: header(), stock: stock(), marketCode: code(), action: code()))
    default: orderMessage(ofType: type) ?? otherMessage(ofType: type)
    }
  }

  private mutating func orderMessage(ofType type: UInt8) -> ITCHMessage? {
    switch Character(UnicodeScalar(type)) {
    case "A":
      .addOrder(
        .init(
          header: header(), reference: order(), side: side(), shares: shares(), stock: stock(),
          price: price()))
    case "F":
      .addOrderAttributed(
        .init(
          header: header(), reference: order(), side: side(), shares: shares(), stock: stock(),
          price: price(), attribution: code4()))
    case "E":
      .orderExecuted(
        .init(header: header(), reference: order(), executedShares: shares(), match: match()))
    case "C":
      .orderExecutedWithPrice(
        .init(
          header: header(), reference: order(), executedShares: shares(), match: match(),
          printable: code(), executionPrice: price()))
    case "X": .orderCancel(.init(header: header(), reference: order(), cancelledShares: shares()))
    case "D": .orderDelete(.init(header: header(), reference: order()))
    case "U":
      .orderReplace(
        .init(
          header: header(), originalReference: order(), newReference: order(), shares: shares(),
          price: price()))
    default: nil
    }
  }

  private mutating func otherMessage(ofType type: UInt8) -> ITCHMessage? {
    switch Character(UnicodeScalar(type)) {
    case "P":
      .nonCrossTrade(
        .init(
          header: header(), reference: order(), side: side(), shares: shares(), stock: stock(),
          price: price(), match: match()))
    case "Q":
      .crossTrade(
        .init(
          header: header(), shares: next(), stock: stock(), crossPrice: price(), match: match(),
          crossType: code()))
    case "B": .brokenTrade(.init(header: header(), match: match()))
    case "I":
      .netOrderImbalance(
        .init(
          header: header(), pairedShares: next(), imbalanceShares: next(), direction: code(),
          stock: stock(), farPrice: price(), nearPrice: price(), referencePrice: price(),
          crossType: code(), priceVariation: code()))
    case "N": .retailPriceImprovement(.init(header: header(), stock: stock(), interest: code()))
    case "O":
      .directListingPriceDiscovery(
        .init(
          header: header(), stock: stock(), openEligibility: code(), minimumAllowablePrice: price(),
          maximumAllowablePrice: price(), nearExecutionPrice: price(), nearExecutionTimeNanoseconds: next(),
          lowerPriceRangeCollar: price(), upperPriceRangeCollar: price()))
    default: nil
    }
  }

  private mutating func directory() -> StockDirectory {
    StockDirectory(
      header: header(), stock: stock(), marketCategory: code(), financialStatus: code(),
      roundLotSize: shares(), roundLotsOnly: code(), issueClassification: code(),
      issueSubType: UInt16(truncatingIfNeeded: next()), authenticity: code(), shortSaleThreshold: code(),
      ipoFlag: code(), luldReferencePriceTier: code(), etpFlag: code(), etpLeverageFactor: shares(),
      inverseIndicator: code())
  }

  /// The bytes of a random message of a random type, without length prefix.
  mutating func messageBytes() -> [UInt8] {
    let type = allTypes[Int(next() % UInt64(allTypes.count))]
    var writer = ByteWriter()
    message(ofType: type)?.encode(into: &writer)
    return writer.bytes
  }
}

/// Messages with their two-byte lengths before them.
func framed(_ messages: [[UInt8]]) -> [UInt8] {
  messages.flatMap { [UInt8($0.count >> 8), UInt8($0.count & 0xff)] + $0 }
}

/// Messages with lengths of zero before them.
func zeroFramed(_ messages: [[UInt8]]) -> [UInt8] {
  messages.flatMap { message -> [UInt8] in [0, 0] + message }
}

/// Decodes a message, or gives the error.
func decode(_ bytes: [UInt8]) -> Result<ITCHMessage, ITCHError> {
  do throws(ITCHError) {
    return .success(try ITCHMessage(decoding: bytes.span.bytes))
  } catch {
    return .failure(error)
  }
}
