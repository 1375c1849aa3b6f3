// What clients got, judged against the feed itself: what its file makes of every number, and when anybody had it first
// (FeedTruth). Pure: records in, figures out.
//
// Per instrument and channel:
//   wrong         after an update, a field that isn't what the feed had made it at that number
//   lost          what was neither delivered nor replaced by a newer value of the same field; every trade counts
//   repeated      the same number twice on one connection
//   out of order  a lower number after a higher one on one connection
//   waited        how long news that somebody had already was not there yet, at worst
// Of two connections, or of an old and a new one, the client takes each number once, as every client should: what comes
// again by another connection is neither repeated nor lost, but its values are compared with the feed's all the same.
// A wait counts where it began, and from the beginning of each later repetition that it reaches into; what is still
// waited for at the end of a repetition is said.

/// A stretch of time that is judged by itself, nanoseconds since 1970. A wait belongs to the stretch in which it began.
struct JudgedWindow: Sendable, Equatable {
  var from: UInt64
  var through: UInt64
  /// Whether it is one repetition with the stretch before it.
  var isContinuation: Bool
  init(from: UInt64, through: UInt64, isContinuation: Bool = false) {
    self.from = from
    self.through = through
    self.isContinuation = isContinuation
  }
}

/// What a client saw in one window, or in all.
struct JudgedClient: Sendable, Equatable, Codable {
  /// The longest that news waited, milliseconds.
  var waitedMilliseconds = 0.0
  /// Of which instrument, and when it came, nanoseconds since 1970.
  var waitedFor = ""
  var waitedUntil: UInt64 = 0
  /// The longest wait that was not over when the window ended, milliseconds.
  var openMilliseconds = 0.0
  /// Frames and lines of the record that could not be read.
  var unreadable = 0
  var lost = 0
  var repeated = 0
  var outOfOrder = 0
  var wrong = 0
  /// Updates taken.
  var updates = 0
  /// What came again by another connection and was passed over.
  var overlap = 0
  /// The first few that were lost or wrong, for people.
  var examples: [String] = []
  init() {}

  /// Two stretches as one.
  func joined(_ other: JudgedClient) -> JudgedClient {
    var both = waitedMilliseconds >= other.waitedMilliseconds ? self : other
    both.lost = lost + other.lost
    both.repeated = repeated + other.repeated
    both.outOfOrder = outOfOrder + other.outOfOrder
    both.wrong = wrong + other.wrong
    both.updates = updates + other.updates
    both.overlap = overlap + other.overlap
    both.unreadable = unreadable + other.unreadable
    both.openMilliseconds = max(openMilliseconds, other.openMilliseconds)
    both.examples = Array((examples + other.examples).prefix(8))
    return both
  }
}

/// See the head of this file.
struct Judge {
  /// - Parameters:
  ///   - record: lines of one client.
  ///   - truth: of the same feed.
  ///   - windows: stretches to judge by themselves, in order, without overlap.
  /// - Returns: the whole, and each window.
  static func judge(
    record: some Sequence<Substring>, truth: Truth, windows: [JudgedWindow]
  ) -> (whole: JudgedClient, windows: [JudgedClient]) {
    var judge = Judge(truth: truth, windows: windows)
    for line in record {
      guard let read = RecordLine(line) else {
        judge.count(at: judge.newest) { $0.unreadable += 1 }
        continue
      }
      guard case .frame(let at, let connection, let text) = read else { continue }
      judge.newest = max(judge.newest, at)
      if judge.began == nil { judge.began = at }
      guard let events = FrameScanner.events(text) else {
        judge.count(at: at) { $0.unreadable += 1 }
        continue
      }
      for event in events { judge.take(event, connection, at) }
    }
    judge.finish()
    return (judge.whole, judge.results)
  }

  private let truth: Truth
  private let windows: [JudgedWindow]
  private var whole = JudgedClient()
  private var results: [JudgedClient]
  private var began: UInt64?
  /// The newest frame's arrival.
  private var newest: UInt64 = 0
  /// By connection and instrument: what a client with that connection alone would show.
  private var single: [String: Follower] = [:]
  private var quotes: [String: Follower] = [:]
  private var trades: [String: TradeFollower] = [:]
  /// The last number by connection, channel and instrument.
  private var lastOnConnection: [String: UInt64] = [:]

  /// A client's state of one instrument beside the feed's.
  private struct Follower {
    var sequence: UInt64
    var state: [String: String]
    /// Whether it began with a snapshot; else only what it was told can be compared.
    var isWhole = true
    /// Changes of the truth that are in `expected`.
    var passed = 0
    var expected: [String: String] = [:]

    mutating func take(
      _ values: [String: String], _ isSnapshot: Bool, _ number: UInt64, _ changes: [Truth.Change]
    ) {
      if isSnapshot {
        state = values
        isWhole = true
      } else {
        state.merge(values) { $1 }
      }
      // A snapshot may be older than what the connection has told.
      if number < sequence {
        passed = 0
        expected = [:]
      }
      sequence = number
      while passed < changes.count, changes[passed].sequence <= number {
        expected.merge(changes[passed].fields) { $1 }
        passed += 1
      }
    }

    /// By field. What was before the reference began can't be judged.
    var differences: [Difference] {
      guard passed > 0 else { return [] }
      return expected.filter { state[$0.key] != $0.value && (isWhole || state[$0.key] != nil) }
        .map { Difference(field: $0.key, found: state[$0.key], wanted: $0.value) }
        .sorted { $0.field < $1.field }
    }
  }

  private struct Difference {
    var field: String
    var found: String?
    var wanted: String?
  }

  private struct TradeFollower {
    /// Trades up to here were before the client's time.
    var from: UInt64
    var seen: Set<UInt64>
    var sequence: UInt64
  }

  private init(truth: Truth, windows: [JudgedWindow]) {
    self.truth = truth
    self.windows = windows
    results = windows.map { _ in JudgedClient() }
  }

  // MARK: - Counting

  private mutating func count(at time: UInt64, _ change: (inout JudgedClient) -> Void) {
    change(&whole)
    if let index = windows.firstIndex(where: { $0.from <= time && time <= $0.through }) {
      change(&results[index])
    }
  }

  /// News waited.
  private mutating func wait(for name: String, since: UInt64, until: UInt64) {
    guard until > since else { return }
    func record(_ from: UInt64, _ client: inout JudgedClient) {
      let waited = Double(until - from) / 1e6
      guard waited > client.waitedMilliseconds else { return }
      client.waitedMilliseconds = waited
      client.waitedFor = name
      client.waitedUntil = until
    }
    record(since, &whole)
    var start: Int?
    for (index, window) in windows.enumerated() where window.from < until && since <= window.through {
      // It counts where it began: what is late because of a fault may come after it was mended. Who still waits when the
      // next repetition begins waits there too.
      if start != nil, window.isContinuation { continue }
      start = index
      let from = max(since, window.from)
      record(from, &results[index])
      var end = index
      while end + 1 < windows.count, windows[end + 1].isContinuation { end += 1 }
      guard until > windows[end].through else { continue }
      let open = Double(windows[end].through - from) / 1e6
      results[index].openMilliseconds = max(results[index].openMilliseconds, open)
    }
  }

  private static func note(_ text: String, _ client: inout JudgedClient) {
    if client.examples.count < 8 { client.examples.append(text) }
  }

  // MARK: - Events

  private mutating func take(_ event: StreamEvent, _ connection: Int, _ time: UInt64) {
    guard event.type == "update" || event.type == "snapshot", let sequence = event.sequence,
      event.channel == "quotes" || event.channel == "trades"
    else { return }
    if event.type == "snapshot", let epoch = truth.epoch, event.fields["epoch"] != epoch {
      count(at: time) {
        $0.wrong += 1
        Self.note("\(event.instrument): epoch \(event.fields["epoch"] ?? "none") found, \(epoch) wanted", &$0)
      }
      return
    }
    let key = "\(connection) \(event.channel) \(event.instrument)"
    if event.type == "update", let last = lastOnConnection[key] {
      if sequence == last { count(at: time) { $0.repeated += 1 } }
      if sequence < last { count(at: time) { $0.outOfOrder += 1 } }
    }
    lastOnConnection[key] = max(sequence, lastOnConnection[key] ?? 0)
    if event.channel == "quotes" {
      takeQuote(event, connection, sequence, time)
    } else {
      takeTrade(event, sequence, time)
    }
  }

  private mutating func takeQuote(_ event: StreamEvent, _ connection: Int, _ sequence: UInt64, _ time: UInt64)
  {
    let name = event.instrument
    let changes = truth.quotes[name] ?? []
    let isSnapshot = event.type == "snapshot"
    let values = Truth.values(event)
    // Differences to a state that isn't known mean nothing.
    guard isSnapshot || quotes[name] != nil else { return }
    // What this connection alone shows.
    var follower = single["\(connection) \(name)"] ?? Follower(sequence: 0, state: [:], isWhole: false)
    var differences: [Difference]
    if !isSnapshot, sequence < follower.sequence {
      // Late: its own fields, as the feed had them then.
      differences = values.compactMap { field, value in
        let wanted = Truth.value(of: field, at: sequence, in: changes)
        return wanted == nil || wanted == value ? nil : Difference(field: field, found: value, wanted: wanted)
      }.sorted { $0.field < $1.field }
    } else {
      follower.take(values, isSnapshot, sequence, changes)
      differences = follower.differences
      single["\(connection) \(name)"] = follower
    }
    // What the client shows that takes each number once.
    if let known = quotes[name], sequence <= known.sequence {
      count(at: time) { $0.overlap += 1 }
    } else {
      // The oldest news that it didn't have.
      if let known = quotes[name], let news = first(after: known.sequence, in: changes) {
        wait(for: "quotes \(name)", since: news.at, until: time)
      }
      var merged = quotes[name] ?? Follower(sequence: sequence, state: [:])
      merged.take(values, isSnapshot, sequence, changes)
      if differences.isEmpty { differences = merged.differences }
      quotes[name] = merged
      count(at: time) { $0.updates += 1 }
    }
    guard let first = differences.first else { return }
    let text =
      "\(name) \(sequence): \(first.field) \(first.found ?? "absent") found, \(first.wanted ?? "absent") wanted"
    count(at: time) {
      $0.wrong += 1
      Self.note(text, &$0)
    }
  }

  private mutating func takeTrade(_ event: StreamEvent, _ sequence: UInt64, _ time: UInt64) {
    let name = event.instrument
    var found: [(UInt64, StreamEvent)] = []
    if event.type == "update" {
      found = [(sequence, event)]
    } else {
      found = FrameScanner.objects(event.fields["trades"] ?? "[]").compactMap { trade in
        trade.sequence.map { ($0, trade) }
      }
    }
    var follower = trades[name]
    if follower == nil {
      guard event.type == "snapshot" else { return }
      let newest = found.map(\.0).max() ?? sequence
      follower = TradeFollower(from: newest, seen: [], sequence: newest)
    }
    guard var follower else { return }
    for (number, trade) in found.sorted(by: { $0.0 < $1.0 }) {
      check(trade, number, name, time)
      guard number > follower.from else { continue }
      guard follower.seen.insert(number).inserted else {
        count(at: time) { $0.overlap += 1 }
        continue
      }
      count(at: time) { $0.updates += 1 }
      if number > follower.sequence {
        if let news = first(after: follower.sequence, in: truth.trades[name]) {
          wait(for: "trades \(name)", since: news.at, until: time)
        }
        follower.sequence = number
      }
    }
    trades[name] = follower
  }

  private mutating func check(_ trade: StreamEvent, _ number: UInt64, _ name: String, _ time: UInt64) {
    let all = truth.trades[name] ?? []
    let place = number > 0 ? Self.place(after: number - 1, in: all) : 0
    guard place < all.count, all[place].sequence == number else {
      // Before the reference began nothing is known.
      guard let first = all.first, number > first.sequence else { return }
      return count(at: time) {
        $0.wrong += 1
        Self.note("trade \(name) \(number): the feed has none", &$0)
      }
    }
    for (field, value) in all[place].fields where trade.fields[field] != value {
      let found = trade.fields[field] ?? "absent"
      return count(at: time) {
        $0.wrong += 1
        Self.note("trade \(name) \(number): \(field) \(found) found, \(value) wanted", &$0)
      }
    }
  }

  // MARK: - The end

  private mutating func finish() {
    let began = began ?? 0
    // What never came was waited for as long as anybody looked.
    let end = max(truth.end, windows.last?.through ?? 0)
    for (name, changes) in truth.quotes {
      guard let last = changes.last else { continue }
      guard var follower = quotes[name] else {
        count(at: last.at) {
          $0.lost += last.fields.count
          Self.note("quotes \(name): nothing came", &$0)
        }
        if let news = changes.first(where: { $0.at > began }) {
          wait(for: "quotes \(name)", since: news.at, until: end)
        }
        continue
      }
      guard last.sequence > follower.sequence, last.at > began else { continue }
      let behind = changes[follower.passed...]
      if let news = behind.first { wait(for: "quotes \(name)", since: news.at, until: end) }
      for change in behind { follower.expected.merge(change.fields) { $1 } }
      let lost = follower.expected.filter { follower.state[$0.key] != $0.value }.count
      count(at: behind.first?.at ?? last.at) {
        $0.lost += lost
        if lost > 0 { Self.note("quotes \(name): nothing came after \(follower.sequence)", &$0) }
      }
    }
    for (name, all) in truth.trades {
      let follower = trades[name]
      for trade in all where trade.at > began {
        guard trade.sequence > follower?.from ?? 0, !(follower?.seen.contains(trade.sequence) ?? false)
        else { continue }
        count(at: trade.at) {
          $0.lost += 1
          Self.note("trade \(name) \(trade.sequence) did not come", &$0)
        }
      }
      let news = follower.map { first(after: $0.sequence, in: all) } ?? all.first { $0.at > began }
      if let news, news.at > began { wait(for: "trades \(name)", since: news.at, until: end) }
    }
  }

  private func first(after sequence: UInt64, in changes: [Truth.Change]?) -> Truth.Change? {
    guard let changes else { return nil }
    let place = Self.place(after: sequence, in: changes)
    return place < changes.count ? changes[place] : nil
  }

  /// Where the first change with a higher number is.
  static func place(after sequence: UInt64, in changes: [Truth.Change]) -> Int {
    var low = 0
    var high = changes.count
    while low < high {
      let middle = (low + high) / 2
      if changes[middle].sequence <= sequence { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
