// A lane: all subscriptions of one channel that want the same representation at the same interval. An instrument
// that changed is encoded once a flush of its lane and copied to each subscriber. Intervals are taken down to a
// few steps so that lanes are few.

import TickerPlant

/// What a lane carries.
struct LaneKey: Hashable {
  var channel: StreamChannel
  /// Milliseconds between flushes; 0 = every update.
  var interval: UInt64
  /// For books; 0 elsewhere.
  var levels: Int
  /// Adds `rx`.
  var timing: Bool
  var encoding = StreamEncoding.json
}

final class Lane {
  /// The intervals there are, milliseconds.
  static let steps: [UInt64] = [0, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000]

  /// The step at or below `interval`.
  static func step(for interval: Int) -> UInt64 {
    steps.last { $0 <= UInt64(max(0, interval)) } ?? 0
  }

  /// An instrument must be sent whole: a new epoch began, or its book was built anew.
  static let snapshotBit: UInt64 = 1 << 63
  /// The source became stale, or live again.
  static let staleBit: UInt64 = 1 << 62
  /// For trades and bars: the trading state or the base price changed, which quotes and books have as fields.
  static let stateBit: UInt64 = 1 << 61
  /// What is told of an instrument besides its values.
  static let standingBits = staleBit | stateBit
  /// What isn't a value that a sequence number names.
  static let specialBits = snapshotBit | standingBits
  /// The values themselves.
  static let valueBits = ~standingBits

  let id: Int32
  let key: LaneKey
  /// By instrument: the slots of those who want it.
  var subscribers: [[Int32]] = []
  /// The slots of those who want all.
  var everyone: [Int32] = []
  /// By instrument: what changed since the last flush. For trades and bars bit 0 alone says that something did.
  var masks: [UInt64] = []
  /// By instrument: for trades and bars, number of the first item that was not sent yet.
  var from: [Int] = []
  var dirty: [Int32] = []
  /// By instrument: values given out, but for snapshots.
  var changes: [UInt32] = []
  var members = 0

  /// What it carries is a state: the newest value replaces the older ones.
  var isState: Bool { key.channel == .quotes || key.channel == .books }

  init(id: Int32, key: LaneKey, instruments: Int) {
    self.id = id
    self.key = key
    grow(to: instruments)
  }

  func grow(to instruments: Int) {
    while subscribers.count < instruments {
      subscribers.append([])
      masks.append(0)
      from.append(0)
      changes.append(0)
    }
  }

  /// Marks an instrument; `first` is the number of the item that is new, for trades and bars.
  @inline(__always)
  func mark(_ instrument: Int, _ mask: UInt64, first: Int = 0) {
    guard !everyone.isEmpty || !subscribers[instrument].isEmpty else { return }
    if masks[instrument] == 0 {
      dirty.append(Int32(truncatingIfNeeded: instrument))
      from[instrument] = first
    } else if first < from[instrument] {
      from[instrument] = first
    }
    masks[instrument] |= mask
  }
}
