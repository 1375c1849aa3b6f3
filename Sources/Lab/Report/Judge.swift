// What clients got, judged against the feed itself: a reference client at a plant that no fault reached, in the
// exchange's own room, got every update; its record is the truth. Pure: records in, figures out.
//
// Per instrument and channel:
//   wrong         after an update, a field that isn't what the feed had made it at that number
//   lost          what was neither delivered nor replaced by a newer value of the same field; every trade counts
//   repeated      the same number twice on one connection
//   out of order  a lower number after a higher one on one connection
//   waited        how long news that the reference had already was not there yet, at worst
// Of two connections, or of an old and a new one, the client takes each number once, as every client should: what comes
// again by another connection is neither repeated nor lost.

/// A stretch of time that is judged by itself, nanoseconds since 1970. A wait belongs to the stretch in which it began.
struct JudgedWindow: Sendable, Equatable {
  var from: UInt64
  var through: UInt64
  init(from: UInt64, through: UInt64) {
    self.from = from
    self.through = through
  }
}

/// What a client saw in one window, or in all.
struct JudgedClient: Sendable, Equatable, Codable {
  /// The longest that news waited, milliseconds.
  var waitedMilliseconds = 0.0
  /// Of which instrument, and when it came, nanoseconds since 1970.
  var waitedFor = ""
  var waitedUntil: UInt64 = 0
  var lost = 0
  var repeated = 0
  var outOfOrder = 0
  var wrong = 0
  /// Snapshots that are right but for their `time`, which is the plant's instead of the instrument's: of plants and
  /// gateways that began from a snapshot, until the instrument changes.
  var restamped = 0
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
    both.restamped = restamped + other.restamped
    both.updates = updates + other.updates
    both.overlap = overlap + other.overlap
    both.examples = Array((examples + other.examples).prefix(8))
    return both
  }
}

/// What the feed made of every instrument, as the reference client was told.
struct Truth {
  struct Change {
    var sequence: UInt64
    var at: UInt64
    var fields: [String: String]
  }
  /// By channel and instrument; quotes.
  var quotes: [String: [Change]] = [:]
  /// Trades by instrument: each once, by number.
  var trades: [String: [Change]] = [:]
  /// By which all must name their states.
  internal(set) var epoch: String?
  /// Updates that the reference got.
  internal(set) var updates = 0
  /// The last frame's arrival.
  internal(set) var end: UInt64 = 0

  /// Fields that say nothing about the instrument.
  static let passedOver: Set<String> = [
    "type", "channel", "instrument", "seq", "rx", "conflated", "dropped", "stale", "market", "epoch",
    "trades",
  ]

  /// - Parameter record: lines of the reference client.
  init(record: some Sequence<Substring>) {
    for line in record {
      guard case .frame(let at, _, let text)? = RecordLine(line) else { continue }
      end = max(end, at)
      for event in FrameScanner.events(text) ?? [] { take(event, at: at) }
    }
  }

  private mutating func take(_ event: StreamEvent, at time: UInt64) {
    guard event.type == "update" || event.type == "snapshot", let sequence = event.sequence else { return }
    if event.type == "snapshot", epoch == nil { epoch = event.fields["epoch"] }
    updates += 1
    switch event.channel {
    case "quotes":
      let known = quotes[event.instrument]?.last?.sequence
      guard known.map({ sequence > $0 }) ?? true else { return }
      quotes[event.instrument, default: []].append(
        Change(sequence: sequence, at: time, fields: Self.values(event)))
    case "trades" where event.type == "update": addTrade(event, sequence, time)
    case "trades":
      for trade in FrameScanner.objects(event.fields["trades"] ?? "[]").reversed() {
        if let sequence = trade.sequence { addTrade(trade, sequence, time, event.instrument) }
      }
    default: break
    }
  }

  private mutating func addTrade(
    _ event: StreamEvent, _ sequence: UInt64, _ time: UInt64, _ instrument: String? = nil
  ) {
    let name = instrument ?? event.instrument
    if let known = trades[name]?.last?.sequence, sequence <= known { return }
    trades[name, default: []].append(Change(sequence: sequence, at: time, fields: Self.values(event)))
  }

  static func values(_ event: StreamEvent) -> [String: String] {
    event.fields.filter { !passedOver.contains($0.key) }
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
      guard case .frame(let at, let connection, let text)? = RecordLine(line) else { continue }
      if judge.began == nil { judge.began = at }
      for event in FrameScanner.events(text) ?? [] { judge.take(event, connection, at) }
    }
    judge.finish()
    return (judge.whole, judge.results)
  }

  private let truth: Truth
  private let windows: [JudgedWindow]
  private var whole = JudgedClient()
  private var results: [JudgedClient]
  private var began: UInt64?
  private var quotes: [String: Follower] = [:]
  private var trades: [String: TradeFollower] = [:]
  /// The last number by connection, channel and instrument.
  private var lastOnConnection: [String: UInt64] = [:]

  /// A client's state of one instrument beside the feed's.
  private struct Follower {
    var sequence: UInt64
    var state: [String: String]
    /// Changes of the truth that are in `expected`.
    var passed = 0
    var expected: [String: String] = [:]
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

  private mutating func wait(for name: String, since: UInt64, until: UInt64) {
    guard until > since else { return }
    let waited = Double(until - since) / 1e6
    // It counts where it began: what is late because of a fault may come after it was mended.
    count(at: since) {
      guard waited > $0.waitedMilliseconds else { return }
      $0.waitedMilliseconds = waited
      $0.waitedFor = name
      $0.waitedUntil = until
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
      takeQuote(event, sequence, time)
    } else {
      takeTrade(event, sequence, time)
    }
  }

  private mutating func takeQuote(_ event: StreamEvent, _ sequence: UInt64, _ time: UInt64) {
    let name = event.instrument
    var follower: Follower
    if let known = quotes[name] {
      guard sequence > known.sequence else { return count(at: time) { $0.overlap += 1 } }
      follower = known
      // The oldest news that it didn't have.
      if let news = first(after: known.sequence, in: truth.quotes[name]) {
        wait(for: "quotes \(name)", since: news.at, until: time)
      }
    } else {
      // Differences to a state that isn't known mean nothing.
      guard event.type == "snapshot" else { return }
      follower = Follower(sequence: sequence, state: [:])
    }
    let values = Truth.values(event)
    if event.type == "snapshot" { follower.state = values } else { follower.state.merge(values) { $1 } }
    follower.sequence = sequence
    let changes = truth.quotes[name] ?? []
    while follower.passed < changes.count, changes[follower.passed].sequence <= sequence {
      follower.expected.merge(changes[follower.passed].fields) { $1 }
      follower.passed += 1
    }
    count(at: time) { $0.updates += 1 }
    // What the client knew before the reference began can't be judged.
    let differences = follower.passed > 0 ? Self.differences(follower) : []
    if event.type == "snapshot", differences == ["time"] {
      count(at: time) { $0.restamped += 1 }
    } else if let field = differences.first {
      let text =
        "\(name) \(sequence): \(field) \(follower.state[field] ?? "absent") found, "
        + "\(follower.expected[field] ?? "absent") wanted"
      count(at: time) {
        $0.wrong += 1
        Self.note(text, &$0)
      }
    }
    quotes[name] = follower
  }

  private static func differences(_ follower: Follower) -> [String] {
    follower.expected.filter { follower.state[$0.key] != $0.value }.map(\.key).sorted()
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
      check(trade, number, name, time)
    }
    trades[name] = follower
  }

  private mutating func check(_ trade: StreamEvent, _ number: UInt64, _ name: String, _ time: UInt64) {
    let all = truth.trades[name] ?? []
    let place = Self.place(after: number - 1, in: all)
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
    for (name, changes) in truth.quotes {
      guard let last = changes.last else { continue }
      guard var follower = quotes[name] else {
        count(at: last.at) {
          $0.lost += last.fields.count
          Self.note("quotes \(name): nothing came", &$0)
        }
        continue
      }
      guard last.sequence > follower.sequence, last.at > began else { continue }
      let behind = changes[follower.passed...]
      if let news = behind.first { wait(for: "quotes \(name)", since: news.at, until: truth.end) }
      for change in behind { follower.expected.merge(change.fields) { $1 } }
      let lost = follower.expected.filter { follower.state[$0.key] != $0.value }.count
      count(at: last.at) {
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
      if let follower, let news = first(after: follower.sequence, in: all), news.at > began {
        wait(for: "trades \(name)", since: news.at, until: truth.end)
      }
    }
  }

  private func first(after sequence: UInt64, in changes: [Truth.Change]?) -> Truth.Change? {
    guard let changes else { return nil }
    let place = Self.place(after: sequence, in: changes)
    return place < changes.count ? changes[place] : nil
  }

  /// Where the first change with a higher number is.
  private static func place(after sequence: UInt64, in changes: [Truth.Change]) -> Int {
    var low = 0
    var high = changes.count
    while low < high {
      let middle = (low + high) / 2
      if changes[middle].sequence <= sequence { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
