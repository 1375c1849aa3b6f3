// What the feed did, as a client was told it that got every update: the reference client, with what speaks against
// trusting it, or one that the feed's file was played to (FeedTruth). Pure. Invariant: per instrument, changes are in the order of their numbers, each number once.

/// What the feed made of every instrument, as a client was told.
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
  var epoch: String?
  /// Updates that it got.
  var updates = 0
  /// The last frame's arrival.
  var end: UInt64 = 0
  /// When and why the reference's own record is in doubt: it lost or folded something, or began again.
  var doubts: [(at: UInt64, why: String)] = []

  /// Fields that say nothing about the instrument.
  static let passedOver: Set<String> = [
    "type", "channel", "instrument", "seq", "rx", "conflated", "dropped", "stale", "market", "epoch",
    "trades",
  ]

  /// Nothing yet.
  init() {}

  /// The last number that was told.
  var through: UInt64 { [quotes, trades].flatMap(\.values).compactMap(\.last?.sequence).max() ?? 0 }
  /// The number up to which the state was told at the beginning: later ones came one by one.
  private(set) var first: UInt64 = 0

  /// - Parameter record: lines of the reference client.
  init(record: some Sequence<Substring>) {
    for line in record {
      guard let read = RecordLine(line) else {
        doubt(end, "a line of its record can't be read: \(line.prefix(80))")
        continue
      }
      guard case .frame(let at, let connection, let text) = read else { continue }
      end = max(end, at)
      if let first = self.connection, first != connection { doubt(at, "it had a second connection") }
      if self.connection == nil { self.connection = connection }
      guard let events = FrameScanner.events(text) else {
        doubt(at, "a frame can't be read")
        continue
      }
      for event in events {
        examine(event, at: at)
        take(event, at: at)
      }
    }
  }

  /// Whether updates came up to the end of a window: within its last two seconds, or all of it where it is shorter.
  func isAlive(in window: JudgedWindow) -> Bool {
    let from = max(window.from, window.through - min(window.through, 2_000_000_000))
    return [quotes, trades].contains { channel in
      channel.values.contains { changes in
        changes.reversed().first { $0.at <= window.through }.map { $0.at >= from } ?? false
      }
    }
  }

  private var connection: Int?
  private var hasUpdates = false

  private mutating func doubt(_ at: UInt64, _ why: String) {
    if doubts.count < 10_000 { doubts.append((at, why)) }
  }

  /// The reference must get every update by itself, at once.
  private mutating func examine(_ event: StreamEvent, at time: UInt64) {
    for field in ["conflated", "dropped", "stale"] {
      if let value = event.fields[field], !["null", "0", "false"].contains(value) {
        doubt(time, "\(event.type) of \(event.instrument) is marked \(field)")
      }
    }
    if ["dropped", "resumed", "error", "gap"].contains(event.type) {
      doubt(time, "it was told \(event.type)")
    }
  }

  /// What a field was at a number; nil: nothing had told it yet.
  static func value(of field: String, at sequence: UInt64, in changes: [Change]) -> String? {
    var place = Judge.place(after: sequence, in: changes)
    while place > 0 {
      place -= 1
      if let value = changes[place].fields[field] { return value }
    }
    return nil
  }

  mutating func take(_ event: StreamEvent, at time: UInt64) {
    guard event.type == "update" || event.type == "snapshot", let sequence = event.sequence else { return }
    if event.type == "snapshot", epoch == nil { epoch = event.fields["epoch"] }
    // Snapshots before the first update are the answer to its subscriptions.
    if event.type == "update" { hasUpdates = true }
    if !hasUpdates { first = max(first, sequence) }
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
