// Everything the plant knows of each instrument, in one flat array; index = order of first appearance.
// Owner: the plant.

import MarketData

/// One instrument's state. Plain data and two level tables over manual memory.
struct InstrumentState {
  var bids = LevelTable(side: .buy)
  var asks = LevelTable(side: .sell)
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

struct InstrumentTable: ~Copyable {
  private(set) var states: UnsafeMutablePointer<InstrumentState>
  private var capacity: Int
  private(set) var count = 0
  private var byCode: [UInt64: Int32] = [:]
  /// Locate → index; -1 = not seen.
  private let byLocate: UnsafeMutablePointer<Int32>

  init(expected: Int) {
    capacity = max(64, expected)
    states = .allocate(capacity: capacity)
    byLocate = .allocate(capacity: 65_536)
    byLocate.initialize(repeating: -1, count: 65_536)
  }

  deinit {
    for index in 0..<count {
      states[index].bids.deallocate()
      states[index].asks.deallocate()
    }
    states.deallocate()
    byLocate.deallocate()
  }

  @inline(__always)
  func index(ofLocate locate: UInt16) -> Int { Int(byLocate[Int(locate)]) }

  /// Index of the instrument with that code, by locate where that is right. -1 = not seen.
  @inline(__always)
  func index(ofLocate locate: UInt16, code: InstrumentCode) -> Int {
    let index = Int(byLocate[Int(locate)])
    if index >= 0, states[index].facts.code == code { return index }
    return self.index(ofCode: code)
  }

  func index(ofCode code: InstrumentCode) -> Int { Int(byCode[code.rawValue] ?? -1) }

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
    byCode[code.rawValue] = Int32(count)
    count += 1
    return count - 1
  }

  func bind(locate: UInt16, to index: Int) { byLocate[Int(locate)] = Int32(index) }

  /// Locates are the day's: a new day assigns them anew.
  func forgetLocates() { byLocate.update(repeating: -1, count: 65_536) }

  /// Indices in the order of their codes: the same on every node, whatever came first.
  func sortedIndices() -> [Int] { (0..<count).sorted { states[$0].facts.code < states[$1].facts.code } }

  /// (locate, index) of all that are bound.
  func bindings() -> [(UInt16, Int)] {
    (0..<65_536).compactMap { byLocate[$0] >= 0 ? (UInt16($0), Int(byLocate[$0])) : nil }
  }
}
