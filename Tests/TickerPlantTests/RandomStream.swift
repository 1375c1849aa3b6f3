// A feed that nobody should send: all message types, right and wrong ones mixed. Few instruments, prices and
// numbers, so that everything meets everything. The same generator gives the same stream.

import FeedProtocols
import MarketData

struct RandomStream {
  var random: SeededGenerator
  /// Out of 100 messages about orders, how many are wrong on purpose.
  var wrongPercent: Int
  /// Whether a new day may begin inside the feed.
  var hasNewDays = true
  private var orders: [UInt64] = []
  private var matches: [UInt64] = []
  private var nextOrder: UInt64 = 1
  private var nextMatch: UInt64 = 1
  private var time: UInt64 = clock(8, 59)
  private let codes = ["7203", "9984", "130A", "6758"].compactMap { InstrumentCode($0) }

  init(_ random: SeededGenerator, wrongPercent: Int = 12) {
    self.random = random
    self.wrongPercent = wrongPercent
  }

  private mutating func wrong() -> Bool { random.chance(wrongPercent) }

  private mutating func pick() -> Int { random.below(codes.count) }

  private mutating func header(_ instrument: Int) -> ITCHHeader {
    if wrong(), random.chance(4) { time = time &- random.next() % second }
    time += random.chance(3) ? UInt64(random.below(90)) * second : random.next() % 50_000_000
    let locate = wrong() ? random.below(7) : instrument + 1
    return ITCHHeader(locate: UInt16(locate), tracking: 0, timestamp: time & 0xffff_ffff_ffff)
  }

  private mutating func price() -> Price {
    if wrong(), random.chance(10) {
      return Price(units: [0, 1, 4_294_967_295, 4_294_967_294][random.below(4)])
    }
    return Price(units: 1_000_000 + Int64(random.below(14)) * 5_000)
  }

  private mutating func shares() -> UInt32 {
    if wrong(), random.chance(40) { return [0, .max, 1][random.below(3)] }
    return UInt32(1 + random.below(8)) * 100
  }

  private mutating func oldOrder() -> OrderReference {
    if wrong() || orders.isEmpty {
      return OrderReference(random.chance(50) ? random.next() : UInt64(random.below(40)))
    }
    // Mostly young ones: old ones are often gone.
    let back = random.chance(70) ? random.below(min(60, orders.count)) : random.below(orders.count)
    return OrderReference(orders[orders.count - 1 - back])
  }

  private mutating func newOrder() -> OrderReference {
    if wrong(), let some = orders.last, random.chance(50) {
      return OrderReference(some &- UInt64(random.below(20)))
    }
    nextOrder += 1
    orders.append(nextOrder)
    return OrderReference(nextOrder)
  }

  private mutating func match() -> MatchNumber {
    if wrong(), random.chance(20) { return MatchNumber(nextMatch) }
    nextMatch += 1
    matches.append(nextMatch)
    return MatchNumber(nextMatch)
  }

  private mutating func code() -> ITCHCode { ITCHCode(UInt8(truncatingIfNeeded: random.next())) }
  private mutating func side() -> Side { random.chance(50) ? .buy : .sell }

  private mutating func stock(_ instrument: Int) -> InstrumentCode {
    wrong() && random.chance(20) ? codes[pick()] : codes[instrument]
  }

  /// The next message, without length.
  mutating func next() -> [UInt8] {
    var writer = ByteWriter(capacity: 64)
    message(random.below(1000)).encode(into: &writer)
    var bytes = writer.bytes
    if wrong(), random.chance(12) {
      switch random.below(4) {
      case 0: bytes.removeLast(1 + random.below(bytes.count))
      case 1: bytes += random.bytes(1 + random.below(5))
      case 2: bytes = random.bytes(random.below(60))
      default: bytes[random.below(bytes.count)] ^= UInt8(1 << random.below(8))
      }
    }
    return bytes
  }

  private mutating func message(_ choice: Int) -> any ITCHPayload {
    let i = pick()
    switch choice {
    case 0..<420:
      return AddOrder(
        header: header(i), reference: newOrder(), side: side(), shares: shares(), stock: stock(i),
        price: price())
    case ..<450:
      return AddOrderAttributed(
        header: header(i), reference: newOrder(), side: side(), shares: shares(), stock: stock(i),
        price: price(),
        attribution: "KBT1")
    case ..<600: return OrderDelete(header: header(i), reference: oldOrder())
    case ..<680: return OrderCancel(header: header(i), reference: oldOrder(), cancelledShares: shares())
    case ..<770:
      return OrderReplace(
        header: header(i), originalReference: oldOrder(),
        newReference: random.chance(3) ? oldOrder() : newOrder(),
        shares: shares(), price: price())
    case ..<860:
      return OrderExecuted(header: header(i), reference: oldOrder(), executedShares: shares(), match: match())
    case ..<890:
      return OrderExecutedWithPrice(
        header: header(i), reference: oldOrder(), executedShares: shares(), match: match(),
        printable: random.chance(50) ? "Y" : "N", executionPrice: price())
    case ..<910:
      return NonCrossTrade(
        header: header(i), reference: oldOrder(), side: side(), shares: shares(), stock: stock(i),
        price: price(),
        match: match())
    case ..<930:
      let number = matches.isEmpty || wrong() ? random.next() : matches[random.below(matches.count)]
      return BrokenTrade(header: header(i), match: MatchNumber(number))
    default: return rare(i, choice)
    }
  }

  private mutating func rare(_ i: Int, _ choice: Int) -> any ITCHPayload {
    switch choice {
    case ..<940:
      return CrossTrade(
        header: header(i), shares: random.chance(10) ? 1 << 41 : UInt64(random.below(4)) * 100,
        stock: stock(i),
        crossPrice: price(), match: match(), crossType: ["O", "C", "H", "I", "?"][random.below(5)])
    case ..<948:
      let event: ITCHCode = ["O", "S", "Q", "M", "E", "C", "x"][
        random.chance(92) || !hasNewDays ? 1 + random.below(6) : 0]
      return SystemEvent(header: header(i), event: event)
    case ..<954:
      return StockDirectory(
        header: header(i), stock: stock(i), marketCategory: "Q", financialStatus: "N", roundLotSize: shares(),
        roundLotsOnly: "N", issueClassification: "C", issueSubType: 0, authenticity: "P",
        shortSaleThreshold: "N",
        ipoFlag: "N", luldReferencePriceTier: "1", etpFlag: "N", etpLeverageFactor: 0, inverseIndicator: "N")
    case ..<960:
      return StockTradingAction(
        header: header(i), stock: stock(i), tradingState: ["H", "P", "Q", "T"][random.below(4)],
        reserved: " ",
        reason: ["", "LNCH", "ITAY", "SPBD"][random.below(4)])
    case ..<965: return RegSHORestriction(header: header(i), stock: stock(i), action: code())
    case ..<968:
      return MarketParticipantPosition(
        header: header(i), participant: "KBT1", stock: stock(i), primaryMarketMaker: "Y", mode: "N",
        state: "A")
    case ..<970: return CircuitBreakerLevels(header: header(i), level1: random.next(), level2: 2, level3: 3)
    case ..<972: return CircuitBreakerStatus(header: header(i), breachedLevel: code())
    case ..<974:
      return QuotingPeriodUpdate(
        header: header(i), stock: stock(i), releaseTimeSeconds: 1, qualifier: code(), price: price())
    case ..<978:
      return AuctionCollar(
        header: header(i), stock: stock(i), referencePrice: price(), upperPrice: price(), lowerPrice: price(),
        extensionCount: 0)
    case ..<982:
      return OperationalHalt(
        header: header(i), stock: stock(i), marketCode: "Q", action: ["H", "T"][random.below(2)])
    case ..<990:
      return NetOrderImbalance(
        header: header(i), pairedShares: random.next(), imbalanceShares: 5, direction: code(),
        stock: stock(i),
        farPrice: price(), nearPrice: price(), referencePrice: price(), crossType: code(), priceVariation: " "
      )
    case ..<995: return RetailPriceImprovement(header: header(i), stock: stock(i), interest: code())
    default:
      return DirectListingPriceDiscovery(
        header: header(i), stock: stock(i), openEligibility: "Y", minimumAllowablePrice: price(),
        maximumAllowablePrice: price(), nearExecutionPrice: price(), nearExecutionTimeNanoseconds: 1,
        lowerPriceRangeCollar: price(), upperPriceRangeCollar: price())
    }
  }
}
