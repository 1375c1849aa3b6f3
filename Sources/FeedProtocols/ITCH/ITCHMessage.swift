// One TotalView-ITCH 5.0 message of any type, and the table of all types.
// Adding a type: its struct in the family's file, and a line in each list here.
// Malformed bytes give an ITCHError; nothing here traps on what comes from outside.

/// Any message of TotalView-ITCH 5.0 (section 1).
public enum ITCHMessage: Sendable, Equatable {
  case systemEvent(SystemEvent)
  case stockDirectory(StockDirectory)
  case stockTradingAction(StockTradingAction)
  case regSHORestriction(RegSHORestriction)
  case marketParticipantPosition(MarketParticipantPosition)
  case circuitBreakerLevels(CircuitBreakerLevels)
  case circuitBreakerStatus(CircuitBreakerStatus)
  case quotingPeriodUpdate(QuotingPeriodUpdate)
  case auctionCollar(AuctionCollar)
  case operationalHalt(OperationalHalt)
  case addOrder(AddOrder)
  case addOrderAttributed(AddOrderAttributed)
  case orderExecuted(OrderExecuted)
  case orderExecutedWithPrice(OrderExecutedWithPrice)
  case orderCancel(OrderCancel)
  case orderDelete(OrderDelete)
  case orderReplace(OrderReplace)
  case nonCrossTrade(NonCrossTrade)
  case crossTrade(CrossTrade)
  case brokenTrade(BrokenTrade)
  case netOrderImbalance(NetOrderImbalance)
  case retailPriceImprovement(RetailPriceImprovement)
  case directListingPriceDiscovery(DirectListingPriceDiscovery)

  /// Decodes one message.
  /// - Parameter bytes: the message, from its type byte, without length prefix.
  /// - Throws: `ITCHError` where the type is unknown, the length is not the type's, or a field has an impossible value.
  public init(decoding bytes: RawSpan) throws(ITCHError) {
    guard bytes.byteCount > 0 else { throw ITCHError(type: 0, offset: 0, reason: .empty) }
    switch bytes.u8(0) {
    case SystemEvent.type: self = .systemEvent(try SystemEvent.checked(bytes))
    case StockDirectory.type: self = .stockDirectory(try StockDirectory.checked(bytes))
    case StockTradingAction.type: self = .stockTradingAction(try StockTradingAction.checked(bytes))
    case RegSHORestriction.type: self = .regSHORestriction(try RegSHORestriction.checked(bytes))
    case MarketParticipantPosition.type:
      self = .marketParticipantPosition(try MarketParticipantPosition.checked(bytes))
    case CircuitBreakerLevels.type: self = .circuitBreakerLevels(try CircuitBreakerLevels.checked(bytes))
    case CircuitBreakerStatus.type: self = .circuitBreakerStatus(try CircuitBreakerStatus.checked(bytes))
    case QuotingPeriodUpdate.type: self = .quotingPeriodUpdate(try QuotingPeriodUpdate.checked(bytes))
    case AuctionCollar.type: self = .auctionCollar(try AuctionCollar.checked(bytes))
    case OperationalHalt.type: self = .operationalHalt(try OperationalHalt.checked(bytes))
    case AddOrder.type: self = .addOrder(try AddOrder.checked(bytes))
    case AddOrderAttributed.type: self = .addOrderAttributed(try AddOrderAttributed.checked(bytes))
    case OrderExecuted.type: self = .orderExecuted(try OrderExecuted.checked(bytes))
    case OrderExecutedWithPrice.type:
      self = .orderExecutedWithPrice(try OrderExecutedWithPrice.checked(bytes))
    case OrderCancel.type: self = .orderCancel(try OrderCancel.checked(bytes))
    case OrderDelete.type: self = .orderDelete(try OrderDelete.checked(bytes))
    case OrderReplace.type: self = .orderReplace(try OrderReplace.checked(bytes))
    case NonCrossTrade.type: self = .nonCrossTrade(try NonCrossTrade.checked(bytes))
    case CrossTrade.type: self = .crossTrade(try CrossTrade.checked(bytes))
    case BrokenTrade.type: self = .brokenTrade(try BrokenTrade.checked(bytes))
    case NetOrderImbalance.type: self = .netOrderImbalance(try NetOrderImbalance.checked(bytes))
    case RetailPriceImprovement.type:
      self = .retailPriceImprovement(try RetailPriceImprovement.checked(bytes))
    case DirectListingPriceDiscovery.type:
      self = .directListingPriceDiscovery(try DirectListingPriceDiscovery.checked(bytes))
    case let type: throw ITCHError(type: type, offset: 0, reason: .unknownType)
    }
  }

  /// The type's own struct.
  public var payload: any ITCHPayload {
    switch self {
    case .systemEvent(let message): message
    case .stockDirectory(let message): message
    case .stockTradingAction(let message): message
    case .regSHORestriction(let message): message
    case .marketParticipantPosition(let message): message
    case .circuitBreakerLevels(let message): message
    case .circuitBreakerStatus(let message): message
    case .quotingPeriodUpdate(let message): message
    case .auctionCollar(let message): message
    case .operationalHalt(let message): message
    case .addOrder(let message): message
    case .addOrderAttributed(let message): message
    case .orderExecuted(let message): message
    case .orderExecutedWithPrice(let message): message
    case .orderCancel(let message): message
    case .orderDelete(let message): message
    case .orderReplace(let message): message
    case .nonCrossTrade(let message): message
    case .crossTrade(let message): message
    case .brokenTrade(let message): message
    case .netOrderImbalance(let message): message
    case .retailPriceImprovement(let message): message
    case .directListingPriceDiscovery(let message): message
    }
  }

  /// Appends the message's bytes, without length prefix.
  public func encode(into writer: inout ByteWriter) { payload.encode(into: &writer) }

  /// Locate code, tracking number and time.
  public var header: ITCHHeader { payload.header }
}

/// What the specification says of each type byte.
public enum ITCHMessageTable {
  /// Bytes of a message by its type byte; 0 = no such type.
  public static let byteCounts: [UInt8] = {
    var lengths = [UInt8](repeating: 0, count: 256)
    lengths[Int(SystemEvent.type)] = UInt8(SystemEvent.byteCount)
    lengths[Int(StockDirectory.type)] = UInt8(StockDirectory.byteCount)
    lengths[Int(StockTradingAction.type)] = UInt8(StockTradingAction.byteCount)
    lengths[Int(RegSHORestriction.type)] = UInt8(RegSHORestriction.byteCount)
    lengths[Int(MarketParticipantPosition.type)] = UInt8(MarketParticipantPosition.byteCount)
    lengths[Int(CircuitBreakerLevels.type)] = UInt8(CircuitBreakerLevels.byteCount)
    lengths[Int(CircuitBreakerStatus.type)] = UInt8(CircuitBreakerStatus.byteCount)
    lengths[Int(QuotingPeriodUpdate.type)] = UInt8(QuotingPeriodUpdate.byteCount)
    lengths[Int(AuctionCollar.type)] = UInt8(AuctionCollar.byteCount)
    lengths[Int(OperationalHalt.type)] = UInt8(OperationalHalt.byteCount)
    lengths[Int(AddOrder.type)] = UInt8(AddOrder.byteCount)
    lengths[Int(AddOrderAttributed.type)] = UInt8(AddOrderAttributed.byteCount)
    lengths[Int(OrderExecuted.type)] = UInt8(OrderExecuted.byteCount)
    lengths[Int(OrderExecutedWithPrice.type)] = UInt8(OrderExecutedWithPrice.byteCount)
    lengths[Int(OrderCancel.type)] = UInt8(OrderCancel.byteCount)
    lengths[Int(OrderDelete.type)] = UInt8(OrderDelete.byteCount)
    lengths[Int(OrderReplace.type)] = UInt8(OrderReplace.byteCount)
    lengths[Int(NonCrossTrade.type)] = UInt8(NonCrossTrade.byteCount)
    lengths[Int(CrossTrade.type)] = UInt8(CrossTrade.byteCount)
    lengths[Int(BrokenTrade.type)] = UInt8(BrokenTrade.byteCount)
    lengths[Int(NetOrderImbalance.type)] = UInt8(NetOrderImbalance.byteCount)
    lengths[Int(RetailPriceImprovement.type)] = UInt8(RetailPriceImprovement.byteCount)
    lengths[Int(DirectListingPriceDiscovery.type)] = UInt8(DirectListingPriceDiscovery.byteCount)
    return lengths
  }()

  /// Bytes of a message of that type, or nil where the specification has no such type.
  public static func byteCount(ofType type: UInt8) -> Int? {
    let count = Int(byteCounts[Int(type)])
    return count == 0 ? nil : count
  }

  /// The specification's title of a type, or nil.
  public static func title(ofType type: UInt8) -> String? {
    switch type {
    case SystemEvent.type: "System Event"
    case StockDirectory.type: "Stock Directory"
    case StockTradingAction.type: "Stock Trading Action"
    case RegSHORestriction.type: "Reg SHO Short Sale Price Test Restricted Indicator"
    case MarketParticipantPosition.type: "Market Participant Position"
    case CircuitBreakerLevels.type: "Market-Wide Circuit Breaker Decline Level"
    case CircuitBreakerStatus.type: "Market-Wide Circuit Breaker Status"
    case QuotingPeriodUpdate.type: "Quoting Period Update"
    case AuctionCollar.type: "Limit Up/Limit Down Auction Collar"
    case OperationalHalt.type: "Operational Halt"
    case AddOrder.type: "Add Order, No MPID Attribution"
    case AddOrderAttributed.type: "Add Order with MPID Attribution"
    case OrderExecuted.type: "Order Executed"
    case OrderExecutedWithPrice.type: "Order Executed with Price"
    case OrderCancel.type: "Order Cancel"
    case OrderDelete.type: "Order Delete"
    case OrderReplace.type: "Order Replace"
    case NonCrossTrade.type: "Trade Message (Non-Cross)"
    case CrossTrade.type: "Cross Trade"
    case BrokenTrade.type: "Broken Trade / Order Execution"
    case NetOrderImbalance.type: "Net Order Imbalance Indicator (NOII)"
    case RetailPriceImprovement.type: "Retail Price Improvement Indicator"
    case DirectListingPriceDiscovery.type: "Direct Listing with Capital Raise Price Discovery"
    default: nil
    }
  }
}
