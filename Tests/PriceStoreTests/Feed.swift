// A small market for tests: messages built by the codec, a plant, and the way of its records into a store's ring.

import FeedProtocols
import Foundation
import MarketData
import PriceStore
import Synchronization
import TickerPlant

let market = "XTKS"
let tokyo = 32_400
let firstDay = CalendarDate(daysSince1970: 20_781)  // 2026-11-24, a Tuesday
let nine: UInt64 = 32_400_000_000_000
let second: UInt64 = 1_000_000_000

func code(_ text: String) -> InstrumentCode { InstrumentCode(text) ?? InstrumentCode(0) }

/// Messages of a feed, one byte array each.
struct Script {
  var messages: [[UInt8]] = []

  mutating func add(_ message: some ITCHPayload) {
    var writer = ByteWriter()
    message.encode(into: &writer)
    messages.append(writer.bytes)
  }

  mutating func event(_ event: ITCHCode, at time: UInt64) {
    add(SystemEvent(header: ITCHHeader(locate: 0, timestamp: time), event: event))
  }

  mutating func order(
    _ reference: UInt64, _ side: Side, _ price: Int64, _ shares: UInt32 = 100, of stock: String = "7203",
    at time: UInt64
  ) {
    add(
      AddOrder(
        header: ITCHHeader(locate: locate(stock), timestamp: time), reference: OrderReference(reference),
        side: side,
        shares: shares, stock: code(stock), price: Price(price)))
  }

  mutating func execute(
    _ reference: UInt64, _ shares: UInt32, match: UInt64, of stock: String = "7203", at time: UInt64
  ) {
    add(
      OrderExecuted(
        header: ITCHHeader(locate: locate(stock), timestamp: time), reference: OrderReference(reference),
        executedShares: shares, match: MatchNumber(match)))
  }

  mutating func delete(_ reference: UInt64, of stock: String = "7203", at time: UInt64) {
    add(
      OrderDelete(
        header: ITCHHeader(locate: locate(stock), timestamp: time), reference: OrderReference(reference)))
  }

  mutating func trade(
    _ price: Int64, _ shares: UInt32, match: UInt64, of stock: String = "7203", at time: UInt64
  ) {
    add(
      NonCrossTrade(
        header: ITCHHeader(locate: locate(stock), timestamp: time), reference: OrderReference(0), side: .buy,
        shares: shares, stock: code(stock), price: Price(price), match: MatchNumber(match)))
  }

  mutating func takeBack(match: UInt64, of stock: String = "7203", at time: UInt64) {
    add(BrokenTrade(header: ITCHHeader(locate: locate(stock), timestamp: time), match: MatchNumber(match)))
  }

  private func locate(_ stock: String) -> UInt16 { UInt16(stock) ?? 1 }

  /// A day of random orders, executions, deletions, trades and broken trades of ten instruments over some minutes.
  mutating func randomDay(_ count: Int, seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var live: [(reference: UInt64, stock: String, shares: UInt32)] = []
    var matches: [(UInt64, String)] = []
    let base = UInt64(messages.count) << 20
    event("O", at: 1)
    event("Q", at: nine)
    for number in 0..<count {
      let time = nine + UInt64(number) * (7 * 60 * second) / UInt64(max(1, count))
      let stock = "\(1301 + Int.random(in: 0..<10, using: &random))"
      let name = base + UInt64(number) + 1
      switch Int.random(in: 0..<100, using: &random) {
      case 0..<50:
        let side: Side = Bool.random(using: &random) ? .buy : .sell
        let price = (side == .buy ? 990 : 1_001) + Int64.random(in: 0..<10, using: &random)
        let shares = UInt32.random(in: 1...9, using: &random) * 100
        order(name, side, price, shares, of: stock, at: time)
        live.append((name, stock, shares))
      case 50..<75 where !live.isEmpty:
        let order = live.remove(at: Int.random(in: 0..<live.count, using: &random))
        delete(order.reference, of: order.stock, at: time)
      case 75..<90 where !live.isEmpty:
        let order = live.remove(at: Int.random(in: 0..<live.count, using: &random))
        execute(order.reference, order.shares, match: name, of: order.stock, at: time)
        matches.append((name, order.stock))
      case 90..<97:
        trade(995 + Int64.random(in: 0..<10, using: &random), 100, match: name, of: stock, at: time)
        matches.append((name, stock))
      default:
        guard !matches.isEmpty else { continue }
        let (match, stock) = matches.remove(at: Int.random(in: 0..<matches.count, using: &random))
        takeBack(match: match, of: stock, at: time)
      }
    }
    event("M", at: nine + 8 * 60 * second)
    event("C", at: nine + 9 * 60 * second)
  }

  static let randomStocks = (0..<10).map { "\(1301 + $0)" }
}

/// A plant whose records go into a store's ring.
struct Line: ~Copyable {
  var plant: TickerPlant
  let store: PriceStore

  init(_ store: PriceStore, session: String = "") {
    self.store = store
    plant = TickerPlant(PlantConfiguration(market: market, session: session, date: firstDay))
  }

  /// Applies messages by their numbers from 1; `range` counts from 0.
  mutating func play(_ script: Script, _ range: Range<Int>? = nil) {
    for index in range ?? script.messages.indices {
      var framed = ByteWriter()
      framed.u16(UInt16(script.messages[index].count))
      framed.append(contentsOf: script.messages[index])
      framed.bytes.withUnsafeBytes { _ = plant.apply(framed: $0, firstSequence: UInt64(index + 1)) }
      if plant.updates.bytes.count > 32_768 { hand() }
    }
    hand()
  }

  /// Puts the plant's records into the ring, waiting where it is full.
  mutating func hand() {
    var pieces = RecordSplitter(plant.updates.bytes)
    while let piece = pieces.next() {
      while !store.ring(market: 0).write(piece.records, tag: 0) { usleep(500) }
    }
    plant.updates.removeAll()
  }

  func save() {
    store.save(
      snapshot: plant.snapshot(), market: 0, epoch: plant.epoch, date: plant.date, sequence: plant.sequence)
  }
}

/// A directory that goes away with its owner.
final class TemporaryDirectory {
  let path = NSTemporaryDirectory() + "/kabuto-store-" + UUID().uuidString
  var file: String { path + "/prices.sqlite" }
  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// What a store said.
final class Messages: Sendable {
  private let list = Mutex<[StoreMessage]>([])
  var all: [StoreMessage] { list.withLock { $0 } }
  var log: @Sendable (StoreMessage) -> Void {
    { message in self.list.withLock { $0.append(message) } }
  }
  func count(containing text: String) -> Int { all.filter { $0.text.contains(text) }.count }
}

func configuration(_ directory: String?) -> StoreConfiguration {
  var configuration = StoreConfiguration(
    directory: directory, markets: [market], utcOffsetSeconds: [{ _ in tokyo }])
  configuration.batchMilliseconds = 20
  configuration.ringBytes = 4 << 20
  return configuration
}

func openStore(_ directory: String?, log: Messages = Messages()) throws -> PriceStore {
  try PriceStore(configuration(directory), log: log.log)
}

/// All that a store has of the stocks, for comparison.
struct Contents: Equatable {
  var trades: [StoredTrade] = []
  var quotes: [StoredQuote] = []
  var minuteBars: [StoredBar] = []
  var dailyBars: [StoredBar] = []

  init(_ store: PriceStore, _ stocks: [String] = Script.randomStocks) async throws {
    for stock in stocks {
      trades += try await store.trades(market: 0, code: code(stock), limit: 10_000)
      quotes += try await store.quotes(market: 0, code: code(stock), limit: 10_000)
      minuteBars += try await store.bars(market: 0, code: code(stock), interval: .minute, limit: 10_000)
      dailyBars += try await store.bars(market: 0, code: code(stock), interval: .day, limit: 10_000)
    }
  }
}
