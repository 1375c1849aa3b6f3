// What nodes say of themselves, for who looks: an operator's tool, the page of the estate. It listens from a look on until
// nobody has looked for ten seconds; while nobody listens anywhere, no status leaves the servers that nodes speak to.
// Beginning to listen it asks all to speak (`node.all.tell`), so that the first look waits a moment, not a second.
// Bounds: known nodes only, 64 kB of each and rail. Nothing is decoded on a bus's thread: prices come on it too.

public import Estate
import Foundation
import Synchronization

/// See the head of this file.
public final class NodeWatch: Sendable {
  /// A node, as it was heard last.
  public struct Heard: Sendable {
    /// What it said.
    public var status: NodeStatus
    /// Since it said so, nanoseconds.
    public var quietNanoseconds: UInt64
    /// Rails on which it was heard lately.
    public var rails: [String]
    /// Whether it was.
    public var isThere: Bool { !rails.isEmpty }
  }

  private struct Other {
    var status: NodeStatus
    var heardAt: [UInt64]
  }

  private struct Shared {
    var others: [String: Other] = [:]
    /// As it came, the newest of each node and rail, until somebody looks.
    var raw: [String: [(data: Data, at: UInt64)?]] = [:]
    var subscriptions: [any BusSubscription] = []
    /// Since when it listens; nil = it doesn't.
    var since: UInt64?
    var lookedAt: UInt64 = 0
    /// How many looks wait for first words.
    var waiting = 0
    var isStopped = false

    /// Forgets that it listens; what is to be cancelled.
    mutating func cease() -> [any BusSubscription] {
      defer {
        since = nil
        subscriptions = []
      }
      return subscriptions
    }
  }

  private let buses: [any Bus]
  private let expected: Set<String>
  private let patience: UInt64
  private let shared = Mutex(Shared())

  /// Two and a half times a status's second.
  private static var silence: UInt64 { 2_500_000_000 }
  /// Without a look for so long it ceases to listen.
  private static var quiet: UInt64 { 10_000_000_000 }
  /// The question may be lost where servers have just found each other.
  private static var askAgain: UInt64 { 300_000_000 }
  private static var mostBytes: Int { 64 << 10 }

  /// A watch that doesn't listen yet.
  /// - Parameters:
  ///   - buses: one a rail.
  ///   - expected: the nodes that may speak; others are not heard.
  ///   - patienceMilliseconds: how long the first look waits for those that don't answer.
  public init(buses: [any Bus], expected: some Sequence<String>, patienceMilliseconds: Int = 1_200) {
    self.buses = buses
    self.expected = Set(expected)
    patience = UInt64(max(0, patienceMilliseconds)) * 1_000_000
  }

  /// All nodes that were heard, by name. Where nobody has looked for a while, this waits until all have spoken, at most
  /// for the watch's patience.
  /// - Throws: `BusError` where a bus refuses the subject.
  public func look() async throws(BusError) -> [Heard] {
    let since = try listen()
    shared.withLock { $0.waiting += 1 }
    defer { shared.withLock { $0.waiting -= 1 } }
    var askedAgain = false
    while true {
      read()
      let now = Clock.monotonic()
      let hasAll = shared.withLock { shared in
        expected.allSatisfy { name in shared.others[name]?.heardAt.contains { $0 >= since } ?? false }
      }
      if hasAll || now >= since + patience { break }
      if now >= since + Self.askAgain, !askedAgain {
        askedAgain = true
        ask()
      }
      do { try await Task.sleep(nanoseconds: 10_000_000) } catch { break }
    }
    return heard
  }

  /// Ceases to listen where nobody has looked for a while; call it now and then.
  public func rest() {
    let now = Clock.monotonic()
    let old: [any BusSubscription] = shared.withLock { shared in
      guard shared.since != nil, shared.waiting == 0, now &- shared.lookedAt > Self.quiet else { return [] }
      return shared.cease()
    }
    // Not under the lock: the handlers take it.
    for subscription in old { subscription.cancel() }
  }

  /// Ends it; later looks find what was heard last.
  public func stop() {
    let old = shared.withLock { shared in
      shared.isStopped = true
      return shared.cease()
    }
    for subscription in old { subscription.cancel() }
  }

  /// Whether it listens.
  public var isListening: Bool { shared.withLock { $0.since != nil } }

  private var heard: [Heard] {
    let now = Clock.monotonic()
    return shared.withLock { shared in
      shared.others.values.map { other in
        let last = other.heardAt.max() ?? 0
        let rails = buses.indices.filter { other.heardAt[$0] > 0 && now &- other.heardAt[$0] < Self.silence }
        return Heard(
          status: other.status, quietNanoseconds: now &- last, rails: rails.map { buses[$0].rail })
      }
    }.sorted { $0.status.node < $1.status.node }
  }

  /// Begins to listen where it doesn't; since when it does.
  private func listen() throws(BusError) -> UInt64 {
    let now = Clock.monotonic()
    let (since, begins) = shared.withLock { shared in
      shared.lookedAt = now
      if let since = shared.since { return (since, false) }
      guard !shared.isStopped else { return (0, false) }
      shared.since = now
      return (now, true)
    }
    guard begins else { return since }
    var new: [any BusSubscription] = []
    do throws(BusError) {
      for (rail, bus) in buses.enumerated() {
        new.append(
          try bus.subscribe("node.*.status") { [weak self] message in self?.keep(message, rail) })
      }
    } catch {
      shared.withLock { $0.since = nil }
      throw error
    }
    let isLate = shared.withLock { [new] shared in
      if !shared.isStopped { shared.subscriptions = new }
      return shared.isStopped
    }
    if isLate { for subscription in new { subscription.cancel() } }
    ask()
    return since
  }

  private func ask() { for bus in buses { bus.publish("node.all.tell", bytes: []) } }

  /// Only copies. Who speaks is said by the subject, which its server has checked.
  private func keep(_ message: BusMessage, _ rail: Int) {
    guard message.payload.count <= Self.mostBytes else { return }
    let words = message.subject.split(separator: ".", omittingEmptySubsequences: false)
    guard words.count == 3 else { return }
    let name = String(words[1])
    guard expected.contains(name) else { return }
    let came = (data: Data(message.payload), at: Clock.monotonic())
    shared.withLock { $0.raw[name, default: buses.map { _ in nil }][rail] = came }
  }

  /// Reads what has come.
  private func read() {
    let raw = shared.withLock { shared in
      defer { shared.raw = [:] }
      return shared.raw
    }
    let decoder = JSONDecoder()
    for (name, rails) in raw {
      for (rail, came) in rails.enumerated() {
        guard let came, let status = try? decoder.decode(NodeStatus.self, from: came.data),
          status.node == name
        else { continue }
        shared.withLock { shared in
          var other = shared.others[name] ?? Other(status: status, heardAt: buses.map { _ in 0 })
          // The rails bring the same, one a little later; but for such a copy the last word counts, also of a node whose
          // clock was set back.
          let isCopy =
            status.saidAt < other.status.saidAt && other.status.saidAt - status.saidAt < 2_000_000_000
          if !isCopy || came.at &- (other.heardAt.max() ?? 0) > Self.silence { other.status = status }
          other.heardAt[rail] = max(other.heardAt[rail], came.at)
          shared.others[name] = other
        }
      }
    }
  }
}

extension NodeWatch {
  /// Nodes of an estate that speak, in its order: a firewall alone says nothing on the backbone.
  public static func speakers(of estate: Estate) -> [String] {
    estate.nodes.filter { $0.roles != [.firewall] }.map(\.name)
  }
}
