// The day's trades, in chunks that never move. Kept so that a broken trade can be taken back exactly: without the
// trade that made the high, the high is the next one's. Owner: the plant.

/// One trade of the day.
struct TradeEntry: BitwiseCopyable {
  var price: Int64
  var size: UInt64
  var match: UInt64
  var sequence: UInt64
  var time: UInt64
  /// Index of the instrument's trade before it; -1 = none.
  var previous: Int32
  var instrument: UInt32
  var kind: UInt8
  var aggressor: UInt8
  var broken: Bool
  /// As in `TradePayload.direction`, when it was made.
  var direction: Int8
}

struct TradeLog: ~Copyable {
  private static let chunkCount = 1 << 14
  private var chunks: UnsafeMutablePointer<UnsafeMutablePointer<TradeEntry>>
  private var chunkCapacity = 64
  private var allocated = 0
  private(set) var count = 0

  init() { chunks = .allocate(capacity: chunkCapacity) }

  deinit {
    for index in 0..<allocated { chunks[index].deallocate() }
    chunks.deallocate()
  }

  mutating func append(_ entry: TradeEntry) {
    if count == allocated * Self.chunkCount {
      if allocated == chunkCapacity {
        let bigger = UnsafeMutablePointer<UnsafeMutablePointer<TradeEntry>>.allocate(
          capacity: chunkCapacity * 2)
        bigger.update(from: chunks, count: allocated)
        chunks.deallocate()
        chunks = bigger
        chunkCapacity *= 2
      }
      (chunks + allocated).initialize(to: .allocate(capacity: Self.chunkCount))
      allocated += 1
    }
    (chunks[count / Self.chunkCount] + count % Self.chunkCount).initialize(to: entry)
    count += 1
  }

  subscript(index: Int) -> TradeEntry {
    get { chunks[index / Self.chunkCount][index % Self.chunkCount] }
    nonmutating set { chunks[index / Self.chunkCount][index % Self.chunkCount] = newValue }
  }

  mutating func removeAll() { count = 0 }
}
