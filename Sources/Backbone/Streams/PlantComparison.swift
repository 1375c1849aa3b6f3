// Plants of one market compare what they said: beats carry the sum over the last full window of messages; where two sums
// of one window differ, the other plant is asked for the sums by instrument and message, and the difference is named,
// alarmed and healed. Memory is bounded: the newest windows of each plant, the newest differences.
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

  private struct Window: Equatable {
    var start: UInt64
    var sum: UInt64
  }

  private static let kept = 16
  private static let mostDifferences = 100
  private static let equalsToClear = 8

  private var epoch: EpochKey?
  private var own: [Window] = []
  private var others: [String: [Window]] = [:]
  private var asked: Set<String> = []
  private var equalInARow: [String: Int] = [:]
  private var listed: UInt64?
  /// Found, newest last; those with a plant are over when so many windows in a row were equal.
  private(set) var differences: [PlantDifference] = []
  /// Windows found equal.
  private(set) var equal: UInt64 = 0

  /// The plant's own last full window.
  mutating func take(own start: UInt64, sum: UInt64, epoch: EpochKey) -> [Step] {
    if self.epoch != epoch {
      self.epoch = epoch
      own = []
      others = [:]
      asked = []
      equalInARow = [:]
      listed = nil
    }
    guard start > 0 || sum != 0, own.last?.start != start else { return [] }
    own.append(Window(start: start, sum: sum))
    if own.count > Self.kept { own.removeFirst() }
    return others.keys.flatMap { compare($0) }
  }

  /// The windows that are over and have not been listed yet, of those that are still kept: at most `most`.
  mutating func unlisted(through last: UInt64, length: UInt64, most: Int = 7) -> [UInt64] {
    defer { listed = last }
    guard let listed, listed < last, length > 0 else { return [last] }
    return (1...most).reversed().compactMap { back in
      let distance = UInt64(back - 1) * length
      return last >= distance && last - distance > listed ? last - distance : nil
    }
  }

  /// Another plant's.
  mutating func take(_ node: String, start: UInt64, sum: UInt64, epoch: EpochKey) -> [Step] {
    guard epoch == self.epoch, start > 0 || sum != 0, others[node]?.last?.start != start else { return [] }
    others[node, default: []].append(Window(start: start, sum: sum))
    if others[node]?.count ?? 0 > Self.kept { others[node]?.removeFirst() }
    return compare(node)
  }

  private mutating func compare(_ node: String) -> [Step] {
    var steps: [Step] = []
    others[node]?.removeAll { theirs in
      guard let mine = own.first(where: { $0.start == theirs.start }) else { return false }
      if mine.sum == theirs.sum {
        equal += 1
        equalInARow[node, default: 0] += 1
        if equalInARow[node, default: 0] >= Self.equalsToClear { differences.removeAll { $0.node == node } }
      } else if asked.insert("\(node) \(theirs.start)").inserted {
        equalInARow[node] = 0
        steps.append(.ask(node: node, windowStart: theirs.start))
      }
      return true
    }
    return steps
  }

  /// The other plant's sums have come: what differs; nil where nothing does.
  mutating func take(_ node: String, theirs: WindowSummary, own mine: WindowSummary?, wall: UInt64)
    -> PlantDifference?
  {
    guard let epoch, let difference = mine?.difference(from: theirs) else { return nil }
    let found = PlantDifference(
      node: node, epoch: epoch.name.description, difference: difference, foundAt: wall)
    differences.append(found)
    if differences.count > Self.mostDifferences { differences.removeFirst() }
    return found
  }
}
