// Plants of one market compare what they said: beats carry the sums over the windows of messages that are over; where two
// sums of one window differ, the other plant is asked for the sums by instrument and message, and the difference is named,
// alarmed and healed. What could not be compared is counted. Memory is bounded: the newest windows of each plant, the newest differences.
// Owner: the publisher's thread. Pure: beats, answers and times come in, questions and findings go out.

public import Continuity
import MarketData

/// Two plants said different things of the same messages.
public struct PlantDifference: Sendable, Equatable {
  /// The other plant's node.
  public var node: String
  /// The epoch.
  public var epoch: String
  /// Where.
  public var difference: DigestDifference
  /// When it was found, nanoseconds since 1970.
  public var foundAt: UInt64
}

/// See the head of this file.
struct PlantComparison {
  /// What is to be done.
  enum Step: Equatable {
    /// Ask the node for the window's sums.
    case ask(node: String, windowStart: UInt64)
  }

  private static let kept = 4 * BeatFacts.mostWindows
  private static let mostDifferences = 100
  private static let equalsToClear = 8
  /// How long an answer is waited for.
  private static let patience: UInt64 = 2_000_000_000

  private struct Question {
    var node: String
    var start: UInt64
    var at: UInt64
  }

  /// Sequence numbers of a window.
  private let length: UInt64
  private var epoch: EpochKey?
  private var own: [DigestWindow] = []
  private var others: [String: [DigestWindow]] = [:]
  private var asked: Set<String> = []
  private var open: [Question] = []
  private var equalInARow: [String: Int] = [:]
  /// By node: the newest window that was compared.
  private var compared: [String: UInt64] = [:]
  /// Found, newest last; those with a plant are over when so many windows in a row were equal.
  private(set) var differences: [PlantDifference] = []
  /// Windows found equal.
  private(set) var equal: UInt64 = 0
  /// Windows between two that were compared with a plant, of which one of both could tell no sum (any more): it was
  /// restarted, had a gap, or was too quick for its beats.
  private(set) var passedOver: UInt64 = 0

  /// - Parameter windowBits: binary logarithm of a window's length.
  init(windowBits: Int = 12) { length = 1 << UInt64(windowBits) }

  /// The first message of the newest window of this plant that was taken; nil before the first.
  var newestOwn: UInt64? { own.last?.start }

  /// The plant's own windows that are over since `newestOwn`, oldest first.
  mutating func take(own windows: [DigestWindow], epoch: EpochKey, at now: UInt64) -> [Step] {
    if self.epoch != epoch {
      self.epoch = epoch
      own = []
      others = [:]
      asked = []
      open = []
      equalInARow = [:]
      compared = [:]
    }
    guard add(windows, to: &own) else { return [] }
    return others.keys.flatMap { compare($0, at: now) }
  }

  /// Another plant's.
  mutating func take(_ node: String, _ windows: [DigestWindow], epoch: EpochKey, at now: UInt64) -> [Step] {
    guard epoch == self.epoch, add(windows, to: &others[node, default: []]) else { return [] }
    return compare(node, at: now)
  }

  /// Adds what is new. False where nothing is.
  private func add(_ windows: [DigestWindow], to list: inout [DigestWindow]) -> Bool {
    let before = list.last?.start
    for window in windows where (window.start > 0 || window.sum != 0) {
      if let last = list.last, window.start <= last.start { continue }
      list.append(window)
    }
    if list.count > Self.kept { list.removeFirst(list.count - Self.kept) }
    return list.last?.start != before
  }

  private mutating func compare(_ node: String, at now: UInt64) -> [Step] {
    var steps: [Step] = []
    var matched: UInt64?
    for theirs in others[node] ?? [] {
      if let compared = compared[node], theirs.start <= compared { continue }
      guard let mine = own.first(where: { $0.start == theirs.start }) else { continue }
      if let before = compared[node], theirs.start > before + length {
        passedOver += (theirs.start - before) / length - 1
      }
      compared[node] = theirs.start
      matched = theirs.start
      if mine.sum == theirs.sum {
        equal += 1
        equalInARow[node, default: 0] += 1
        if equalInARow[node, default: 0] >= Self.equalsToClear { differences.removeAll { $0.node == node } }
      } else {
        equalInARow[node] = 0
        if asked.count < 10_000, asked.insert("\(node) \(theirs.start)").inserted {
          open.append(Question(node: node, start: theirs.start, at: now))
          steps.append(.ask(node: node, windowStart: theirs.start))
        }
      }
    }
    // The newest stays: by it repeated windows are known.
    if let matched {
      let newest = others[node]?.last
      others[node]?.removeAll { $0.start <= matched && $0.start != newest?.start }
    }
    return steps
  }

  /// Differences whose details nobody has any more: of the sums alone.
  mutating func unanswered(at now: UInt64, wall: UInt64) -> [PlantDifference] {
    guard let epoch, !open.isEmpty else { return [] }
    let late = open.filter { now >= $0.at &+ Self.patience }
    open.removeAll { now >= $0.at &+ Self.patience }
    return late.map { question in
      note(
        PlantDifference(
          node: question.node, epoch: epoch.name.description,
          difference: DigestDifference(
            instruments: [], windowStart: question.start, windowLength: length, sequence: nil),
          foundAt: wall))
    }
  }

  private mutating func note(_ found: PlantDifference) -> PlantDifference {
    differences.append(found)
    if differences.count > Self.mostDifferences { differences.removeFirst() }
    return found
  }

  /// The other plant's sums have come: what differs; nil where nothing does.
  mutating func take(_ node: String, theirs: WindowSummary, own mine: WindowSummary?, wall: UInt64)
    -> PlantDifference?
  {
    guard let epoch, let mine else { return nil }
    open.removeAll { $0.node == node && $0.start == theirs.start }
    guard let difference = mine.difference(from: theirs) else { return nil }
    return note(
      PlantDifference(node: node, epoch: epoch.name.description, difference: difference, foundAt: wall))
  }
}
