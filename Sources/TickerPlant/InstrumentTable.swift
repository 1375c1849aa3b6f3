// Everything the plant knows of each instrument, in flat arrays; index = order of first appearance.
// What each order touches (the books, the codes) stands apart from what only trades and announcements touch.
// Owner: the plant.

import CHardware
import MarketData

/// One instrument's state but for its book.
struct InstrumentState: BitwiseCopyable {
  var statistics = StatisticsPayload()
  var bar = BarPayload()
  var facts: FactsPayload
  /// What the feed said, before reasons and phases are taken into account (ITCH `H`); 0 = nothing yet.
  var rawState: UInt8 = 0
  var rawReason: UInt32 = 0
  var operationalHalt = false
  /// Index of the newest trade in the log; -1 = none.
  var lastTrade: Int32 = -1
  /// Messages that could not be applied.
  var faults: UInt32 = 0

  init(code: InstrumentCode) { facts = FactsPayload(code: code) }
}

/// Which instrument a locate code means.
private struct Location: BitwiseCopyable {
  var code: UInt64
  var index: UInt32
  var isBound: UInt32
}

struct InstrumentTable: ~Copyable {
  private(set) var states: UnsafeMutablePointer<InstrumentState>
  /// The order books; a book's index is its instrument's.
  var books: BookTable
  private var capacity: Int
  private(set) var count = 0
  private var byCode: [UInt64: Int32] = [:]
  /// By locate, as far as locates have been bound.
  private var locations: UnsafeMutablePointer<Location>
  private var locationCapacity = 256

  init(expected: Int) {
    capacity = max(64, expected)
    states = .allocate(capacity: capacity)
    books = BookTable(instruments: expected)
    locations = TableMemory.allocate(Location.self, capacity: locationCapacity)
  }

  deinit {
    states.deallocate()
    TableMemory.deallocate(locations, capacity: locationCapacity)
  }

  /// Index of the instrument with that locate; -1 = not seen.
  @inline(__always)
  func index(ofLocate locate: UInt16) -> Int {
    guard locate < locationCapacity else { return -1 }
    let location = locations[Int(locate)]
    return location.isBound == 0 ? -1 : Int(location.index)
  }

  /// The same for prefetching: some instrument's where there is none with that locate.
  @inline(__always)
  func likelyIndex(ofLocate locate: UInt16) -> Int {
    Int(truncatingIfNeeded: locations[Int(locate) & (locationCapacity &- 1)].index)
  }

  /// Index of the instrument with that code, by locate where that is right. -1 = not seen.
  @inline(__always)
  func index(ofLocate locate: UInt16, code: InstrumentCode) -> Int {
    if locate < locationCapacity {
      let location = locations[Int(locate)]
      if location.code == code.rawValue, location.isBound != 0 { return Int(location.index) }
    }
    return Self.index(of: code, in: byCode)
  }

  /// Takes the dictionary and not the table: else the compiler copies the whole table before each search by locate.
  @inline(never)
  private static func index(of code: InstrumentCode, in byCode: [UInt64: Int32]) -> Int {
    Int(byCode[code.rawValue] ?? -1)
  }

  /// Starts loading what a trade changes.
  @inline(__always)
  func prefetchTrading(_ index: Int) {
    let state = UnsafeRawPointer(states + index)
    for line in 0..<4 { kabuto_prefetch(state + line &* 64) }
  }

  func index(ofCode code: InstrumentCode) -> Int { Self.index(of: code, in: byCode) }

  /// Adds an instrument; the caller has looked for it.
  mutating func add(code: InstrumentCode) -> Int {
    if count == capacity {
      let bigger = UnsafeMutablePointer<InstrumentState>.allocate(capacity: capacity * 2)
      bigger.moveInitialize(from: states, count: count)
      states.deallocate()
      states = bigger
      capacity *= 2
    }
    (states + count).initialize(to: InstrumentState(code: code))
    books.append()
    byCode[code.rawValue] = Int32(count)
    count += 1
    return count - 1
  }

  mutating func bind(locate: UInt16, to index: Int) {
    if locate >= locationCapacity {
      var wanted = locationCapacity
      while locate >= wanted { wanted *= 2 }
      TableMemory.resize(&locations, count: locationCapacity, from: locationCapacity, to: wanted)
      locationCapacity = wanted
    }
    locations[Int(locate)] = Location(
      code: states[index].facts.code.rawValue, index: UInt32(index), isBound: 1)
  }

  /// Locates are the day's: a new day assigns them anew.
  func forgetLocates() {
    locations.update(repeating: Location(code: 0, index: 0, isBound: 0), count: locationCapacity)
  }

  /// Indices in the order of their codes: the same on every node, whatever came first.
  func sortedIndices() -> [Int] { (0..<count).sorted { states[$0].facts.code < states[$1].facts.code } }

  /// (locate, index) of all that are bound.
  func bindings() -> [(UInt16, Int)] {
    (0..<locationCapacity).compactMap { locate in
      let index = index(ofLocate: UInt16(locate))
      return index >= 0 ? (UInt16(locate), index) : nil
    }
  }
}
