// A node among nodes: says ten times a second how it is, hears how the others are, and takes commands. The registry of
// the others is what `kabuto top`, status pages and drills read. A thread of its own.
//
// @unchecked Sendable: what several threads touch is behind `shared`; the rest is set before `start`.

import FeedHandler
import Foundation
import Synchronization

/// See the head of this file.
public final class NodeAgent: @unchecked Sendable {
  /// Another node, as it was heard last.
  public struct Heard: Sendable {
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
    /// Beats as they came, the newest of each node and rail, until the agent's thread reads them.
    var beats: [String: [Data?]] = [:]
    var pending: [(command: NodeCommand, reply: String?, rail: Int)] = []
  }

  /// The node's name.
  public let node: String
  private let buses: [any Bus]
  private let beat: @Sendable () -> NodeBeat
  private let isKnown: @Sendable (String) -> Bool
  private let command: @Sendable (NodeCommand) -> NodeAnswer
  private let shared = Mutex(Shared())
  private let signal = EventSignal()
  private let stops = Atomic<Bool>(false)
  private let hasHeard = Atomic<Bool>(false)
  private let finished = DispatchSemaphore(value: 0)
  private var subscriptions: [any BusSubscription] = []
  private var hasStarted = false

  private static var beatNanoseconds: UInt64 { 100_000_000 }
  private static var silence: UInt64 { 350_000_000 }
  /// A node that isn't heard for so long is forgotten.
  private static var memory: UInt64 { 3_600_000_000_000 }
  private static var mostNodes: Int { 10_000 }
  private static var mostBytes: Int { 64 << 10 }

  /// An agent that hasn't begun. An operator's tool is one too: give it no `beat`, and it only hears.
  /// - Parameters:
  ///   - buses: one a rail.
  ///   - isKnown: whether the estate has a node of that name; others are not heard. Called on the buses' threads.
  ///   - beat: what the node says of itself now; called on the agent's thread.
  ///   - command: carries out a command and says what came of it; called on the agent's thread.
  public init(
    node: String, buses: [any Bus], isKnown: @escaping @Sendable (String) -> Bool = { _ in true },
    beat: @escaping @Sendable () -> NodeBeat,
    command: @escaping @Sendable (NodeCommand) -> NodeAnswer
  ) {
    self.node = node
    self.buses = buses
    self.isKnown = isKnown
    self.beat = beat
    self.command = command
  }

  /// Begins.
  /// - Throws: `BusError` where the node's name can't be a word of a subject.
  public func start() throws(BusError) {
    for (rail, bus) in buses.enumerated() {
      subscriptions.append(
        try bus.subscribe("node.*.beat") { [weak self] message in self?.hear(message, rail) })
      subscriptions.append(
        try bus.subscribe("node.\(node).command") { [weak self] message in
          self?.take(String(decoding: message.payload, as: UTF8.self), message.reply, rail)
        })
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

  /// All other nodes that were heard, by name.
  public var nodes: [Heard] {
    let now = Clock.monotonic()
    return shared.withLock { shared in
      shared.others.values.map { other in
        let last = other.heardAt.max() ?? 0
        let rails = buses.indices.filter { other.heardAt[$0] > 0 && now &- other.heardAt[$0] < Self.silence }
        return Heard(beat: other.beat, quietNanoseconds: now &- last, rails: rails.map { buses[$0].rail })
      }
    }.sorted { $0.beat.node < $1.beat.node }
  }

  // MARK: - The buses' threads

  /// Only copies: prices come on the same thread. Who speaks is said by the subject, which its server has checked.
  private func hear(_ message: BusMessage, _ rail: Int) {
    guard message.payload.count <= Self.mostBytes else { return }
    let words = message.subject.split(separator: ".", omittingEmptySubsequences: false)
    guard words.count == 3, words[1] != node else { return }
    let name = String(words[1])
    guard isKnown(name) else { return }
    let data = Data(message.payload)
    shared.withLock { shared in
      guard shared.beats[name] != nil || shared.beats.count < Self.mostNodes else { return }
      shared.beats[name, default: buses.map { _ in nil }][rail] = data
    }
    if !hasHeard.exchange(true, ordering: .acquiringAndReleasing) { signal.set() }
  }

  /// Reads what has come; the agent's thread.
  private func read() {
    guard hasHeard.exchange(false, ordering: .acquiringAndReleasing) else { return }
    let beats = shared.withLock { shared in
      defer { shared.beats = [:] }
      return shared.beats
    }
    let now = Clock.monotonic()
    let decoder = JSONDecoder()
    for (name, rails) in beats {
      for (rail, data) in rails.enumerated() {
        guard let data, let beat = try? decoder.decode(NodeBeat.self, from: data), beat.node == name else {
          continue
        }
        shared.withLock { shared in
          guard shared.others[name] != nil || shared.others.count < Self.mostNodes else { return }
          var other = shared.others[name] ?? Other(beat: beat, heardAt: buses.map { _ in 0 })
          // The rails bring the same, one a little later; but for such a copy the last word counts, also of a node
          // whose clock was set back.
          let isCopy = beat.saidAt < other.beat.saidAt && other.beat.saidAt - beat.saidAt < 2_000_000_000
          if !isCopy || now &- (other.heardAt.max() ?? 0) > Self.silence { other.beat = beat }
          other.heardAt[rail] = now
          shared.others[name] = other
        }
      }
    }
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
    var beatAt: UInt64 = 0
    while !stops.load(ordering: .acquiring) {
      read()
      let pending = shared.withLock { shared in
        defer { shared.pending = [] }
        return shared.pending
      }
      for (command, reply, rail) in pending { answer(self.command(command), reply, rail) }
      let now = Clock.monotonic()
      if now >= beatAt || !pending.isEmpty {
        beatAt = now + Self.beatNanoseconds
        var said = beat()
        said.saidAt = Clock.wall()
        if let data = try? encoder.encode(said) {
          for bus in buses { bus.publish("node.\(node).beat", bytes: [UInt8](data)) }
        }
        shared.withLock { shared in
          shared.others = shared.others.filter { now &- ($0.value.heardAt.max() ?? 0) < Self.memory }
        }
      }
      let after = Clock.monotonic()
      if beatAt > after { signal.wait(nanoseconds: beatAt - after) }
    }
  }
}

extension NodeAgent {
  /// Tells a node something, as an operator does, and waits for what it answers; on one rail after the other.
  /// - Throws: `BusError` where nobody answers in time.
  public static func send(
    _ command: NodeCommand, to node: String, from sender: String, over buses: [any Bus], seconds: Double = 2
  ) async throws(BusError) -> NodeAnswer {
    for bus in buses where bus.state.isConnected {
      let reply = "_INBOX.\(StreamSubjects.word(sender)).command\(UInt64.random(in: 0...UInt64.max))"
      let answers = AnswerBox()
      let subscription = try bus.subscribe(reply) { message in
        answers.set(try? JSONDecoder().decode(NodeAnswer.self, from: Data(message.payload)))
      }
      let begin = Clock.monotonic()
      let end = begin + UInt64(seconds * 1e9)
      var sayAt = begin
      while Clock.monotonic() < end {
        if Clock.monotonic() >= sayAt {
          // The first may have been answered before the bus heard the answer's subject; twice is as good as once.
          sayAt = Clock.monotonic() + 300_000_000
          bus.publish("node.\(node).command", reply: reply, bytes: Array(command.rawValue.utf8))
        }
        if let answer = answers.value {
          subscription.cancel()
          return answer
        }
        try? await Task.sleep(nanoseconds: 5_000_000)
      }
      subscription.cancel()
    }
    throw BusError("node \(node) doesn't answer on any rail; is it there, and may \(sender) command it?")
  }

  private final class AnswerBox: Sendable {
    private let answer = Mutex<NodeAnswer?>(nil)
    var value: NodeAnswer? { answer.withLock { $0 } }
    func set(_ new: NodeAnswer?) { answer.withLock { $0 = new } }
  }
}
