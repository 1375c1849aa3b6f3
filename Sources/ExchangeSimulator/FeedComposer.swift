// The feed's own numbers (order references, match numbers) and the messages that carry them.
// Invariant: references rise from 1 without gap within a day, match numbers too; every message of the market
// goes through here, so that `messages` is their number.

import FeedProtocols
import MarketData

/// Writes the day's messages and counts them.
struct FeedComposer: Sendable {
  private(set) var messages = 0
  /// Messages E.
  private(set) var executions = 0
  private var reference: UInt64 = 0
  private var match: UInt64 = 0

  private static let members: [ITCHCode4] = ["KBT1", "KBT2", "KBT3", "HINO", "MARU", "SORA", "TAKE", "UMEI"]

  private mutating func append(_ message: some ITCHPayload, _ writer: inout ByteWriter) {
    writer.framed(message)
    messages += 1
  }

  private mutating func nextMatch() -> MatchNumber {
    match += 1
    return MatchNumber(match)
  }

  mutating func system(_ event: ITCHCode, at time: UInt64, _ writer: inout ByteWriter) {
    append(SystemEvent(header: ITCHHeader(locate: 0, timestamp: time), event: event), &writer)
  }

  mutating func directory(
    _ header: ITCHHeader, _ stock: InstrumentCode, category: ITCHCode, lot: UInt32, _ writer: inout ByteWriter
  ) {
    append(
      StockDirectory(
        header: header, stock: stock, marketCategory: category, financialStatus: "N", roundLotSize: lot,
        roundLotsOnly: "Y", issueClassification: "C", issueSubType: 0x5a20, authenticity: "P",
        shortSaleThreshold: "N", ipoFlag: "N", luldReferencePriceTier: " ", etpFlag: "N",
        etpLeverageFactor: 0,
        inverseIndicator: "N"), &writer)
  }

  mutating func tradingAction(
    _ header: ITCHHeader, _ stock: InstrumentCode, _ state: ITCHCode, _ reason: ITCHCode4,
    _ writer: inout ByteWriter
  ) {
    append(
      StockTradingAction(header: header, stock: stock, tradingState: state, reserved: " ", reason: reason),
      &writer)
  }

  mutating func shortSale(
    _ header: ITCHHeader, _ stock: InstrumentCode, _ action: ITCHCode, _ writer: inout ByteWriter
  ) {
    append(RegSHORestriction(header: header, stock: stock, action: action), &writer)
  }

  /// Adds an order and returns its reference; `member` nil = without attribution.
  mutating func add(
    _ header: ITCHHeader, _ stock: InstrumentCode, _ side: Side, _ shares: UInt32, _ price: Price,
    member: Int?,
    _ writer: inout ByteWriter
  ) -> UInt64 {
    reference += 1
    let reference = OrderReference(self.reference)
    if let member {
      append(
        AddOrderAttributed(
          header: header, reference: reference, side: side, shares: shares, stock: stock, price: price,
          attribution: Self.members[member & 7]), &writer)
    } else {
      append(
        AddOrder(
          header: header, reference: reference, side: side, shares: shares, stock: stock, price: price),
        &writer)
    }
    return reference.rawValue
  }

  mutating func delete(_ header: ITCHHeader, _ order: UInt64, _ writer: inout ByteWriter) {
    append(OrderDelete(header: header, reference: OrderReference(order)), &writer)
  }

  mutating func cancel(_ header: ITCHHeader, _ order: UInt64, _ shares: UInt32, _ writer: inout ByteWriter) {
    append(OrderCancel(header: header, reference: OrderReference(order), cancelledShares: shares), &writer)
  }

  /// Replaces an order and returns the new reference.
  mutating func replace(
    _ header: ITCHHeader, _ order: UInt64, _ shares: UInt32, _ price: Price, _ writer: inout ByteWriter
  ) -> UInt64 {
    reference += 1
    append(
      OrderReplace(
        header: header, originalReference: OrderReference(order), newReference: OrderReference(reference),
        shares: shares, price: price), &writer)
    return reference
  }

  mutating func execute(_ header: ITCHHeader, _ order: UInt64, _ shares: UInt32, _ writer: inout ByteWriter) {
    executions += 1
    append(
      OrderExecuted(
        header: header, reference: OrderReference(order), executedShares: shares, match: nextMatch()), &writer
    )
  }

  /// An order's part of a cross: at the cross price, not printable, as the cross itself is.
  mutating func executeInCross(
    _ header: ITCHHeader, _ order: UInt64, _ shares: UInt32, _ price: Price, _ writer: inout ByteWriter
  ) {
    append(
      OrderExecutedWithPrice(
        header: header, reference: OrderReference(order), executedShares: shares, match: nextMatch(),
        printable: "N", executionPrice: price), &writer)
  }

  mutating func cross(
    _ header: ITCHHeader, _ stock: InstrumentCode, _ shares: UInt64, _ price: Price, _ type: ITCHCode,
    _ writer: inout ByteWriter
  ) {
    append(
      CrossTrade(
        header: header, shares: shares, stock: stock, crossPrice: price, match: nextMatch(), crossType: type),
      &writer)
  }

  mutating func hiddenTrade(
    _ header: ITCHHeader, _ stock: InstrumentCode, _ shares: UInt32, _ price: Price,
    _ writer: inout ByteWriter
  ) {
    append(
      NonCrossTrade(
        header: header, reference: OrderReference(0), side: .buy, shares: shares, stock: stock, price: price,
        match: nextMatch()), &writer)
  }

  mutating func indication(_ message: NetOrderImbalance, _ writer: inout ByteWriter) {
    append(message, &writer)
  }
}
