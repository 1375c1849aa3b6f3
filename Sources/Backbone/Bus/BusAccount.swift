// The account of a bus: messages and bytes by the system that they belong to, which is the first word of a subject,
// and an optional budget for each. Prices are never dropped for a budget: exceeding theirs is a state that is shown.
//
// @unchecked Sendable: counters are atomics behind a pointer that never changes; budgets are behind a lock.

import Synchronization

/// Who shares a line.
public enum BusSystem: Int, Sendable, CaseIterable {
  /// Prices.
  case px
  /// Raw messages of feeds.
  case feed
  /// Which instruments are wanted.
  case want
  /// Heartbeats of streams.
  case beat
  /// Replays, snapshots, digests: questions.
  case ask
  /// What must last, and the engine's own subjects for it.
  case keep
  /// Nodes: heartbeats and commands.
  case node
  /// Answers to questions.
  case answer
  /// Anything else.
  case other

  /// The word.
  public var name: String { String(describing: self) }

  /// The system of a subject.
  public init(subject: UnsafeRawBufferPointer) {
    // By the first bytes: the words are few and fixed.
    func begins(_ word: StaticString) -> Bool {
      let count = word.utf8CodeUnitCount
      guard subject.count >= count else { return false }
      for index in 0..<count where subject[index] != word.utf8Start[index] { return false }
      return subject.count == count || subject[count] == 0x2E
    }
    if begins("px") {
      self = .px
    } else if begins("feed") {
      self = .feed
    } else if begins("_INBOX") || begins("_GR_") {
      self = .answer
    } else if begins("beat") {
      self = .beat
    } else if begins("want") {
      self = .want
    } else if begins("ask") {
      self = .ask
    } else if begins("keep") || begins("$JS") {
      self = .keep
    } else if begins("node") {
      self = .node
    } else {
      self = .other
    }
  }
}

/// See the head of this file.
public final class BusAccount: @unchecked Sendable {
  /// One system's figures.
  public struct Figures: Sendable, Equatable {
    /// The system's word.
    public var system: String
    /// Messages that came, and their bytes with subject.
    public var messagesIn: UInt64 = 0
    /// Bytes that came, subjects included.
    public var bytesIn: UInt64 = 0
    /// Messages that were sent.
    public var messagesOut: UInt64 = 0
    /// Bytes that were sent, subjects included.
    public var bytesOut: UInt64 = 0
    /// Messages that were not sent: no connection, or too much waits already.
    public var dropped: UInt64 = 0
    /// Messages that came and nobody took in time.
    public var lostIn: UInt64 = 0
    /// Messages beyond the budget; those of prices were sent all the same.
    public var overBudget: UInt64 = 0
    /// Bytes a second it may send; nil = as many as it likes.
    public var budget: UInt64?
    /// Its budget was exceeded within the last second.
    public var exceeds = false
  }

  private enum Field: Int, CaseIterable {
    case messagesIn, bytesIn, messagesOut, bytesOut, dropped, lostIn, overBudget
  }

  private struct Bucket {
    var perSecond: UInt64
    var bytes: Double
    var filledAt: UInt64
    var exceededAt: UInt64 = 0
  }

  private static var fields: Int { Field.allCases.count }
  private let counters: UnsafeMutablePointer<Atomic<UInt64>>
  private let hasBudgets: Bool
  private let buckets: Mutex<[BusSystem: Bucket]>

  /// An account.
  /// - Parameter budgets: bytes a second by system; a burst may be as large as one second.
  public init(budgets: [BusSystem: UInt64] = [:]) {
    let count = BusSystem.allCases.count * Self.fields
    counters = .allocate(capacity: count)
    for index in 0..<count { (counters + index).initialize(to: Atomic(0)) }
    hasBudgets = !budgets.isEmpty
    buckets = Mutex(budgets.mapValues { Bucket(perSecond: $0, bytes: Double($0), filledAt: 0) })
  }

  deinit {
    counters.deinitialize(count: BusSystem.allCases.count * Self.fields)
    counters.deallocate()
  }

  @inline(__always)
  private func add(_ value: UInt64, _ field: Field, _ system: BusSystem) {
    counters[system.rawValue * Self.fields + field.rawValue].wrappingAdd(value, ordering: .relaxed)
  }

  func countIn(_ system: BusSystem, bytes: Int) {
    add(1, .messagesIn, system)
    add(UInt64(bytes), .bytesIn, system)
  }

  func countOut(_ system: BusSystem, bytes: Int) {
    add(1, .messagesOut, system)
    add(UInt64(bytes), .bytesOut, system)
  }

  func countDropped(_ system: BusSystem) { add(1, .dropped, system) }
  func countLost(_ system: BusSystem, _ count: UInt64) { add(count, .lostIn, system) }

  /// Whether the system may send that many bytes now. Prices always may; that they exceed is counted and shown.
  func mayPublish(_ system: BusSystem, bytes: Int, at now: @autoclosure () -> UInt64) -> Bool {
    guard hasBudgets else { return true }
    let isWithin = buckets.withLock { buckets in
      guard var bucket = buckets[system] else { return true }
      let now = now()
      if bucket.filledAt > 0 {
        let elapsed = Double(now &- bucket.filledAt) / 1e9
        bucket.bytes = min(Double(bucket.perSecond), bucket.bytes + elapsed * Double(bucket.perSecond))
      }
      bucket.filledAt = now
      // What is larger than a second's worth goes when all of that is there.
      let isWithin = bucket.bytes >= min(Double(bytes), Double(bucket.perSecond))
      if isWithin || system == .px { bucket.bytes -= Double(bytes) }
      // A debt is at most a second's worth: prices have it, and it ends when the burst does.
      bucket.bytes = max(bucket.bytes, -Double(bucket.perSecond))
      if !isWithin { bucket.exceededAt = now }
      buckets[system] = bucket
      return isWithin
    }
    if !isWithin { add(1, .overBudget, system) }
    return isWithin || system == .px
  }

  /// Figures of the systems that did anything or have a budget.
  public var figures: [Figures] {
    let now = Clock.monotonic()
    let limits = buckets.withLock { $0 }
    return BusSystem.allCases.compactMap { system in
      func read(_ field: Field) -> UInt64 {
        counters[system.rawValue * Self.fields + field.rawValue].load(ordering: .relaxed)
      }
      var figures = Figures(system: system.name)
      figures.messagesIn = read(.messagesIn)
      figures.bytesIn = read(.bytesIn)
      figures.messagesOut = read(.messagesOut)
      figures.bytesOut = read(.bytesOut)
      figures.dropped = read(.dropped)
      figures.lostIn = read(.lostIn)
      figures.overBudget = read(.overBudget)
      if let bucket = limits[system] {
        figures.budget = bucket.perSecond
        figures.exceeds = bucket.exceededAt > 0 && now &- bucket.exceededAt < 1_000_000_000
      }
      let isIdle = Field.allCases.allSatisfy { read($0) == 0 }
      return isIdle && figures.budget == nil ? nil : figures
    }
  }
}
