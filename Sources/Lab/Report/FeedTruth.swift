// The truth of a run: what the feed's own file makes of every instrument at every number. The reference client, at a
// plant that no fault reaches, says only when each number could be known, unless a judged client knew it earlier; and what
// it got is compared with the file, so that a fault of the reference is no clients' fault. Pure: frames in, changes and
// differences out.

/// See the head of this file.
struct FeedTruth {
  private(set) var feed = Truth()
  private(set) var unreadable = 0

  /// Takes what a client that gets every update of the file is sent.
  mutating func take(_ frame: some Sequence<UInt8>) {
    guard let events = FrameScanner.events(frame) else {
      unreadable += 1
      return
    }
    for event in events { feed.take(event, at: 0) }
  }

  /// What the reference has otherwise than the file, or lacks, up to the last number that it got; for people.
  func differences(of reference: Truth) -> [String] {
    var found: [String] = []
    if unreadable > 0 { found.append("\(unreadable) frames made of the file can't be read") }
    let through = reference.through
    for (kind, ours, theirs) in [
      ("quotes", feed.quotes, reference.quotes), ("trade", feed.trades, reference.trades),
    ] {
      for name in Set(ours.keys).union(theirs.keys).sorted() {
        found += Self.differences(
          "\(kind) \(name)", file: ours[name] ?? [], reference: theirs[name] ?? [],
          first: reference.first, through: through, isState: kind == "quotes")
      }
    }
    return found
  }

  private static func differences(
    _ name: String, file: [Truth.Change], reference: [Truth.Change], first: UInt64, through: UInt64,
    isState: Bool
  ) -> [String] {
    var found: [String] = []
    var state: [String: String] = [:]
    var place = 0
    for change in reference {
      while place < file.count, file[place].sequence < change.sequence {
        // Before the reference was there nothing was told to it but the state.
        if file[place].sequence > first {
          found.append("\(name) \(file[place].sequence): the reference did not get it")
        }
        if isState { state.merge(file[place].fields) { $1 } }
        place += 1
      }
      guard place < file.count, file[place].sequence == change.sequence else {
        found.append("\(name) \(change.sequence): the file has no such change")
        continue
      }
      if isState { state.merge(file[place].fields) { $1 } } else { state = file[place].fields }
      place += 1
      for (field, value) in change.fields.sorted(by: { $0.key < $1.key }) where state[field] != value {
        found.append(
          "\(name) \(change.sequence): \(field) \(value) found, \(state[field] ?? "absent") wanted")
      }
    }
    for change in file[place...] where change.sequence > first && change.sequence <= through {
      found.append("\(name) \(change.sequence): the reference did not get it")
    }
    return found
  }

  /// The file's changes up to the last number that the reference got, each with the time at which anybody had got that
  /// number: where the reference is slow, what others had already counts.
  /// - Parameter others: what the judged clients got.
  /// - Returns: and how late the reference was at worst, nanoseconds.
  func timed(by reference: Truth, or others: [Truth] = []) -> (truth: Truth, late: UInt64) {
    let own = Arrivals([reference])
    let all = Arrivals([reference] + others)
    // What was before the reference began says nothing about it.
    let late =
      own.all.filter { $0.sequence > reference.first }
      .map { $0.at - min($0.at, all.time(of: $0.sequence) ?? $0.at) }.max() ?? 0
    func timed(_ channel: [String: [Truth.Change]]) -> [String: [Truth.Change]] {
      channel.mapValues { changes in
        changes.compactMap { change in
          all.time(of: change.sequence).map {
            Truth.Change(sequence: change.sequence, at: $0, fields: change.fields)
          }
        }
      }.filter { !$0.value.isEmpty }
    }
    var truth = reference
    truth.quotes = timed(feed.quotes)
    truth.trades = timed(feed.trades)
    return (truth, late)
  }

  /// When each number was there.
  private struct Arrivals {
    /// By rising numbers; a number was there when the first message from it on was.
    private(set) var all: [(sequence: UInt64, at: UInt64)]

    init(_ records: [Truth]) {
      all = records.flatMap { [$0.quotes, $0.trades].flatMap(\.values).joined() }.map { ($0.sequence, $0.at) }
      all.sort { $0.sequence < $1.sequence }
      for place in all.indices.dropLast().reversed() { all[place].at = min(all[place].at, all[place + 1].at) }
    }

    func time(of sequence: UInt64) -> UInt64? {
      var low = 0
      var high = all.count
      while low < high {
        let middle = (low + high) / 2
        if all[middle].sequence < sequence { low = middle + 1 } else { high = middle }
      }
      return low < all.count ? all[low].at : nil
    }
  }
}
