// What the link emulator is told, a line each, and what it answers:
//   add NAME NAMESPACE NAMESPACE          both ends: files of the namespaces; the device is NAME in both
//   set NAME both|forth|back KEY=VALUE…   delay, jitter (ns), loss, hole (of a million), rate (bits a second),
//                                         queue (bytes), cut (0 or 1)
//   watch PORT…                           bytes to or from these ports are counted apart
//   stats                                 answers one line of JSON
// Each is answered by "ok" or "error REASON". Pure.

/// See the head of this file.
enum LinkCommand: Sendable, Equatable {
  enum Direction: String, Sendable { case both, forth, back }
  enum Key: String, Sendable { case delay, jitter, loss, hole, rate, queue, cut }
  /// A setting and its new value.
  struct Change: Sendable, Equatable {
    var key: Key
    var value: UInt64
    init(_ key: Key, _ value: UInt64) {
      self.key = key
      self.value = value
    }
  }

  case add(name: String, from: String, to: String)
  case set(name: String, Direction, [Change])
  case watch([UInt16])
  case stats

  /// Why a line is none of these.
  struct Fault: Error, Sendable, Equatable { var reason: String }

  init(line: String) throws(Fault) {
    let words = line.split(separator: " ").map(String.init)
    switch words.first {
    case "add" where words.count == 4: self = .add(name: words[1], from: words[2], to: words[3])
    case "set" where words.count >= 4:
      guard let direction = Direction(rawValue: words[2]) else {
        throw Fault(reason: "\"\(words[2])\" found; wanted both, forth or back")
      }
      var changes: [Change] = []
      for word in words.dropFirst(3) {
        let parts = word.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, let key = Key(rawValue: String(parts[0])), let value = UInt64(parts[1]),
          value <= key.most
        else {
          throw Fault(
            reason: "\"\(word)\" found; wanted delay, jitter, loss, hole, rate, queue or cut = a number")
        }
        changes.append(Change(key, value))
      }
      self = .set(name: words[1], direction, changes)
    case "watch":
      let ports = words.dropFirst().compactMap { UInt16($0) }
      guard ports.count == words.count - 1 else { throw Fault(reason: "wanted ports") }
      self = .watch(ports)
    case "stats" where words.count == 1: self = .stats
    default: throw Fault(reason: "\"\(line.prefix(80))\" found; wanted add, set, watch or stats")
    }
  }

  /// As it is sent.
  var line: String {
    switch self {
    case .add(let name, let from, let to): "add \(name) \(from) \(to)"
    case .set(let name, let direction, let changes):
      "set \(name) \(direction.rawValue) "
        + changes.map { "\($0.key.rawValue)=\($0.value)" }.joined(separator: " ")
    case .watch(let ports): (["watch"] + ports.map(String.init)).joined(separator: " ")
    case .stats: "stats"
    }
  }
}

extension LinkCommand.Key {
  /// The largest value that means something.
  var most: UInt64 {
    switch self {
    case .delay, .jitter: 10_000_000_000
    case .loss, .hole: 1_000_000
    case .rate: 1_000_000_000_000
    case .queue: 1 << 30
    case .cut: 1
    }
  }
}

extension LinkSettings {
  /// Takes a new value.
  mutating func apply(_ change: LinkCommand.Change) {
    switch change.key {
    case .delay: delayNanoseconds = change.value
    case .jitter: jitterNanoseconds = change.value
    case .loss: lossPerMillion = UInt32(change.value)
    case .hole: holePerMillion = UInt32(change.value)
    case .rate: bitsPerSecond = change.value
    case .queue: queueBytes = change.value
    case .cut: isCut = change.value == 1
    }
  }
}

/// What a direction of a line did.
struct LinkCounts: Sendable, Equatable, Codable {
  var frames: UInt64 = 0
  var bytes: UInt64 = 0
  /// Of them to or from the watched ports.
  var watchedFrames: UInt64 = 0
  var watchedBytes: UInt64 = 0
  /// Not delivered, by `LinkModel.Reason`.
  var cut: UInt64 = 0
  var hole: UInt64 = 0
  var loss: UInt64 = 0
  var queue: UInt64 = 0
  /// Frames that the device at the end would not take.
  var refused: UInt64 = 0
  init() {}

  mutating func drop(_ reason: LinkModel.Reason) {
    switch reason {
    case .cut: cut += 1
    case .hole: hole += 1
    case .loss: loss += 1
    case .queue: queue += 1
    }
  }
}

/// The emulator's answer to `stats`.
struct LinkStatistics: Sendable, Equatable, Codable {
  struct Line: Sendable, Equatable, Codable {
    var name: String
    var forth: LinkCounts
    var back: LinkCounts
  }
  var lines: [Line]
  /// How much later than due frames left, microseconds: median, of a hundred the worst but one, the worst.
  var lateP50: Double
  var lateP99: Double
  var lateMax: Double
}
