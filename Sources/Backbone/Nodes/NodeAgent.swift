// A node among nodes: says ten times a second how it is (`NodeBeat`), hears the few others that it decides by, tells all of
// itself to who looks (`NodeStatus`), and takes commands. A thread of its own.
// Bounds: it hears the nodes that it is given and no others, so what comes doesn't grow with the estate; a status goes out
// once a second, at each change, and five times a second at most however often somebody asks.
//
// @unchecked Sendable: what several threads touch is behind `shared`; the rest is set before `start`.

import FeedHandler
import Foundation
import Synchronization

/// See the head of this file.
public final class NodeAgent: @unchecked Sendable {
  /// Another node, as it was heard last.
  public struct Heard: Sendable {
    /// The node's name.
    public var node: String
    /// What it said.
    public var beat: NodeBeat
    /// Since it said so, nanoseconds.
    public var quietNanoseconds: UInt64
    /// Rails on which it was heard within the last four beats.
    public var rails: [String]
    /// Whether it was.
    public var isThere: Bool { !rails.isEmpty }
  }

  private struct Other {
    var beat: NodeBeat
    var heardAt: [UInt64]
  }

  private struct Shared {
    var others: [String: Other] = [:]
    /// What came under a node's name and was no beat; until it says one.
    var faults: [String: NodeBeat.Fault] = [:]
    var pending: [(command: NodeCommand, reply: String?, rail: Int)] = []
    /// When somebody who looks is told; nil = nobody asked.
    var tellAt: UInt64?
  }

  /// What a node says and does; called on the agent's thread.
  public struct Voice: Sendable {
    /// What others decide by, now; each tenth of a second.
    public var beat: @Sendable () -> NodeBeat
    /// All of it, now.
    public var status: @Sendable () -> NodeStatus
    /// Carries out a command and says what came of it.
    public var command: @Sendable (NodeCommand) -> NodeAnswer

    /// A voice from its parts.
    public init(
      beat: @escaping @Sendable () -> NodeBeat, status: @escaping @Sendable () -> NodeStatus,
      command: @escaping @Sendable (NodeCommand) -> NodeAnswer
    ) {
      self.beat = beat
      self.status = status
      self.command = command
    }
  }

  /// The node's name.
  public let node: String
  private let buses: [any Bus]
  private let hears: [String]
  private let voice: Voice
  private let statusNanoseconds: UInt64
  private let shared = Mutex(Shared())
  private let signal = EventSignal()
  private let stops = Atomic<Bool>(false)
  private let finished = DispatchSemaphore(value: 0)
  private var subscriptions: [any BusSubscription] = []
  private var hasStarted = false

  private static var beatNanoseconds: UInt64 { 100_000_000 }
  /// Between two answers to who looks.
  private static var tellNanoseconds: UInt64 { 200_000_000 }
  private static var silence: UInt64 { 350_000_000 }

  /// An agent that hasn't begun.
  /// - Parameters:
  ///   - buses: one a rail.
  ///   - hears: names of the nodes that it decides by (`ServiceRing`); others are not heard.
  ///   - voice: what it says and does.
  ///   - statusMilliseconds: between two statuses that nothing else calls for.
  public init(
    node: String, buses: [any Bus], hears: some Sequence<String>, voice: Voice,
    statusMilliseconds: Int = 1_000
  ) {
    self.node = node
    self.buses = buses
    self.hears = Set(hears).subtracting([node]).sorted()
    self.voice = voice
    statusNanoseconds = UInt64(max(1, statusMilliseconds)) * 1_000_000
  }

  /// Begins.
  /// - Throws: `BusError` where a node's name can't be a word of a subject.
  public func start() throws(BusError) {
    for (rail, bus) in buses.enumerated() {
      for other in hears {
        subscriptions.append(
          try bus.subscribe("node.\(other).beat") { [weak self] message in self?.hear(other, message, rail) })
      }
      subscriptions.append(
        try bus.subscribe("node.\(node).command") { [weak self] message in
          self?.take(String(decoding: message.payload, as: UTF8.self), message.reply, rail)
        })
      subscriptions.append(try bus.subscribe("node.all.tell") { [weak self] _ in self?.tell() })
    }
    hasStarted = true
    let thread = Thread { [self] in
      run()
      finished.signal()
    }
    thread.name = "node"
    thread.start()
  }

  /// Ends.
  public func stop() {
    guard !stops.exchange(true, ordering: .acquiringAndReleasing), hasStarted else { return }
    for subscription in subscriptions { subscription.cancel() }
    signal.set()
    finished.wait()
  }

  /// The others that were heard, by name.
  public var nodes: [Heard] {
    let now = Clock.monotonic()
    return shared.withLock { shared in
      shared.others.map { name, other in
        let last = other.heardAt.max() ?? 0
        let rails = buses.indices.filter { other.heardAt[$0] > 0 && now &- other.heardAt[$0] < Self.silence }
        return Heard(
          node: name, beat: other.beat, quietNanoseconds: now &- last, rails: rails.map { buses[$0].rail })
      }
    }.sorted { $0.node < $1.node }
  }

  /// What came under others' names and was no beat, one line each.
  public var alarms: [String] {
    shared.withLock { $0.faults }.sorted { $0.key < $1.key }.map { "node \($0.key): \($0.value)" }
  }

  // MARK: - The buses' threads

  /// Who speaks is said by the subject, which its server has checked.
  private func hear(_ name: String, _ message: BusMessage, _ rail: Int) {
    let now = Clock.monotonic()
    let beat: NodeBeat
    do throws(NodeBeat.Fault) {
      beat = try NodeBeat(decoding: message.payload)
    } catch { return shared.withLock { $0.faults[name] = error } }
    shared.withLock { shared in
      if !shared.faults.isEmpty { shared.faults[name] = nil }
      var other = shared.others[name] ?? Other(beat: beat, heardAt: buses.map { _ in 0 })
      // The rails bring the same, one a little later; but for such a copy the last word counts, also of a node whose
      // clock was set back.
      let isCopy = beat.saidAt < other.beat.saidAt && other.beat.saidAt - beat.saidAt < 2_000_000_000
      if !isCopy || now &- (other.heardAt.max() ?? 0) > Self.silence { other.beat = beat }
      other.heardAt[rail] = now
      shared.others[name] = other
    }
  }

  /// Somebody looks. Nodes answer at different moments, so that who asks isn't flooded, and interest that goes ahead of
  /// the question by another way is there first.
  private func tell() {
    let at = Clock.monotonic() + UInt64.random(in: 10_000_000...60_000_000)
    let isNew = shared.withLock { shared in
      defer { shared.tellAt = shared.tellAt ?? at }
      return shared.tellAt == nil
    }
    if isNew { signal.set() }
  }

  private func take(_ text: String, _ reply: String?, _ rail: Int) {
    guard let command = NodeCommand(rawValue: text) else {
      let known = NodeCommand.allCases.map(\.rawValue).joined(separator: ", ")
      return answer(
        NodeAnswer(done: false, text: "\"\(text.prefix(40))\" is no command; there are: \(known)"), reply,
        rail)
    }
    shared.withLock { shared in
      if shared.pending.count < 100 { shared.pending.append((command, reply, rail)) }
    }
    signal.set()
  }

  private func answer(_ answer: NodeAnswer, _ reply: String?, _ rail: Int) {
    guard let reply, let data = try? JSONEncoder().encode(answer) else { return }
    buses[rail].publish(reply, bytes: [UInt8](data))
  }

  // MARK: - The thread

  private func run() {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    var (beatAt, statusAt, lastStatus): (UInt64, UInt64, UInt64) = (0, 0, 0)
    var said: NodeBeat?
    while !stops.load(ordering: .acquiring) {
      let (pending, tellAt) = shared.withLock { shared in
        defer { shared.pending = [] }
        return (shared.pending, shared.tellAt)
      }
      for (command, reply, rail) in pending { answer(voice.command(command), reply, rail) }
      var hasNews = !pending.isEmpty
      let now = Clock.monotonic()
      if now >= beatAt || hasNews {
        beatAt = now + Self.beatNanoseconds
        var beat = voice.beat()
        beat.saidAt = Clock.wall()
        hasNews = hasNews || beat.differs(from: said)
        said = beat
        let bytes = beat.encoded
        for bus in buses { bus.publish("node.\(node).beat", bytes: bytes) }
      }
      let told = tellAt.map { max($0, lastStatus + Self.tellNanoseconds) }
      if hasNews || now >= statusAt || told.map({ now >= $0 }) ?? false {
        (statusAt, lastStatus) = (now + statusNanoseconds, now)
        shared.withLock { $0.tellAt = nil }
        var status = voice.status()
        status.saidAt = Clock.wall()
        if let data = try? encoder.encode(status) {
          for bus in buses { bus.publish("node.\(node).status", bytes: [UInt8](data)) }
        }
      }
      let next = min(
        beatAt, shared.withLock { $0.tellAt.map { max($0, lastStatus + Self.tellNanoseconds) } } ?? .max)
      let after = Clock.monotonic()
      if next > after { signal.wait(nanoseconds: next - after) }
    }
  }
}
