// A plant's feed between nodes: its own messages go to plants elsewhere that lack some, and theirs come here while its
// own lines are silent (`FeedRelay`). A request for no messages is a lease: who sends one hears the feed for the next
// seconds. The other plant is the nearest that is heard; one that neither sends nor answers is left for the next. One of
// this site is heard over every rail, one of another site over one rail at a time: its messages cross once.
// Queues: the relay's, bounded. Owner: a thread of its own looks ten times a second; the rest is the callers'.
//
// @unchecked Sendable: what several threads touch is behind `shared`; the rest is set before `start`.

import Continuity
public import FeedHandler
import FeedProtocols
import Foundation
import Synchronization
import TickerPlant

/// See the head of this file.
public final class FeedLine: @unchecked Sendable {
  /// How it looks from outside.
  public struct Report: Sendable, Equatable {
    /// The plant whose packets are taken now; nil = none is wanted.
    public var node: String?
    /// Packets that came from other plants.
    public var packets: UInt64 = 0
    /// Answers that came.
    public var answers: UInt64 = 0
    /// Requests that were sent to other plants.
    public var requests: UInt64 = 0
    /// Requests of other plants.
    public var asked: UInt64 = 0
  }

  private struct Peer {
    var name: String
    /// Rails over which it is heard: all, or of another site one, each with a place of its own in the list.
    var rails: [Int]
    var heardAt: UInt64 = 0
    var state = SourceState.recovering
    var through: UInt64 = 0
    var hasGap = false
  }

  private struct Shared {
    var peers: [Peer]
    var isWanted = false
    var target: Int?
    /// Whose messages are subscribed to.
    var taken: Int?
    /// Who is asked, where that is another than the target: one that gives but doesn't answer.
    var asked: Int?
    /// Requests since somebody answered.
    var unanswered = 0
    /// When the target last gave something, or was chosen.
    var givenAt: UInt64 = 0
    var subscriptions: [any BusSubscription] = []
    var rail = 0
    var report = Report()
  }

  /// What the feed thread works with (`FeedThread.Outlets.relay`).
  public var relay: FeedRelay { wires.relay }
  private let wires: Wires
  private let stops = Atomic<Bool>(false)
  private let finished = DispatchSemaphore(value: 0)
  private var standing: [any BusSubscription] = []
  private var hasStarted = false

  /// A line that hasn't begun.
  /// - Parameters:
  ///   - peers: other nodes with a plant of the market, nearest first.
  ///   - far: those of them that are at another site.
  ///   - buses: one a rail.
  ///   - retainedBytes: of messages kept for others, the oldest dropped.
  public init(
    market: String, node: String, peers: [String], far: Set<String> = [], buses: [any Bus],
    retainedBytes: Int = 64 << 20,
    log: @escaping @Sendable (BusLevel, String) -> Void = { _, _ in }
  ) {
    let rails = Array(buses.indices)
    let places = peers.flatMap { name in
      far.contains(name) ? rails.map { Peer(name: name, rails: [$0]) } : [Peer(name: name, rails: rails)]
    }
    wires = Wires(market: market, node: node, peers: places, buses: buses, log: log)
    wires.make(retainedBytes: retainedBytes)
  }

  /// Figures at this moment.
  public var report: Report { wires.shared.withLock { $0.report } }

  /// Begins.
  /// - Throws: `BusError` where market or node can't be words of a subject.
  public func start() throws(BusError) {
    standing = try wires.subscribe()
    hasStarted = true
    let wires = wires
    let thread = Thread { [self] in
      while !stops.load(ordering: .acquiring) {
        wires.look(at: Clock.monotonic())
        wires.signal.wait(nanoseconds: 100_000_000)
      }
      finished.signal()
    }
    thread.name = "feed-line"
    thread.start()
  }

  /// Ends.
  public func stop() {
    guard !stops.exchange(true, ordering: .acquiringAndReleasing), hasStarted else { return }
    wires.signal.set()
    finished.wait()
    for subscription in standing { subscription.cancel() }
    wires.leave()
  }

  /// What relay, buses and thread share.
  ///
  /// @unchecked Sendable: `relay` is set once, before anything uses it.
  private final class Wires: @unchecked Sendable {
    let market: String
    let node: String
    let buses: [any Bus]
    let log: @Sendable (BusLevel, String) -> Void
    let signal = EventSignal()
    let shared: Mutex<Shared>
    private(set) var relay: FeedRelay
    private let subjects: StreamSubjects

    /// A peer that says nothing for so long is not heard.
    private static let silence: UInt64 = 350_000_000
    /// One that gives nothing for so long is left for another.
    private static let patience: UInt64 = 500_000_000
    /// So many requests without any answer, and another is asked.
    private static let mostUnanswered = 8
    private static let lease: UInt64 = 5_000_000_000

    init(
      market: String, node: String, peers: [Peer], buses: [any Bus],
      log: @escaping @Sendable (BusLevel, String) -> Void
    ) {
      self.market = market
      self.node = node
      self.buses = buses
      self.log = log
      subjects = StreamSubjects(market: market, node: node)
      shared = Mutex(Shared(peers: peers))
      relay = FeedRelay(
        carrier: FeedRelay.Carrier(send: { _ in }, answer: { _, _ in }, ask: { _ in }, want: { _ in }))
    }

    func make(retainedBytes: Int) {
      let subject = subjects.feed
      relay = FeedRelay(
        retainedBytes: retainedBytes,
        carrier: FeedRelay.Carrier(
          send: { [buses] packet in
            for bus in buses { bus.publish(subject, reply: nil, packet, more: true) }
          },
          answer: { [buses] packet, reply in
            // On the rail on which it was asked.
            guard let colon = reply.firstIndex(of: ":"), let rail = Int(reply[..<colon]) else { return }
            buses[rail].publish(
              String(reply[reply.index(after: colon)...]), reply: nil, packet, more: true)
          },
          flush: { [buses] in for bus in buses { bus.flush() } },
          ask: { [weak self] request in self?.ask(request) },
          want: { [weak self] isWanted in
            guard let self else { return }
            shared.withLock { $0.isWanted = isWanted }
            signal.set()
          }))
    }

    private var inbox: String { "_INBOX.\(StreamSubjects.word(node)).feed\(market)" }

    func subscribe() throws(BusError) -> [any BusSubscription] {
      var made: [any BusSubscription] = []
      for (rail, bus) in buses.enumerated() {
        made.append(
          try bus.subscribe(subjects.askFeed) { [relay, weak self] message in
            guard let request = try? MoldUDP64Request(decoding: message.payload.bytes) else { return }
            if request.count == 0 {
              relay.listen(until: Clock.monotonic() + Self.lease)
            } else if let reply = message.reply {
              self?.shared.withLock { $0.report.asked += 1 }
              relay.ask(request, reply: "\(rail):\(reply)")
            }
          })
        made.append(
          try bus.subscribe(inbox) { [weak self] message in self?.take(message.payload, isAnswer: true) })
        made.append(
          try bus.subscribe("beat.\(market).*") { [weak self] message in
            guard let frame = try? StreamFrame(decoding: message.payload), frame.beat != nil else { return }
            self?.hear(message.lastWord, rail, frame.header)
          })
      }
      return made
    }

    private func hear(_ name: String, _ rail: Int, _ header: FrameHeader) {
      shared.withLock { shared in
        guard
          let place = shared.peers.firstIndex(where: { $0.name == name && $0.rails.contains(rail) })
        else { return }
        shared.peers[place].heardAt = Clock.monotonic()
        shared.peers[place].state = header.state
        shared.peers[place].through = header.through
        shared.peers[place].hasGap = header.hasGap
      }
    }

    private func take(_ packet: UnsafeRawBufferPointer, isAnswer: Bool) {
      let name: String? = shared.withLock { shared in
        if isAnswer {
          shared.report.answers += 1
          shared.unanswered = 0
        } else {
          shared.report.packets += 1
        }
        shared.givenAt = Clock.monotonic()
        return shared.target.map { shared.peers[$0].name }
      }
      relay.offer(packet, isAnswer: isAnswer, node: name ?? "")
    }

    /// Asks the plant that is taken now, on one rail after the other.
    private func ask(_ request: MoldUDP64Request) {
      let now = Clock.monotonic()
      let asked: (Peer, Int)? = shared.withLock { shared in
        if shared.target == nil { Self.choose(&shared, after: nil, at: now) }
        guard let target = shared.target else { return nil }
        if shared.unanswered >= Self.mostUnanswered {
          // It may beat and forward as it likes: who doesn't answer isn't asked any more for now.
          shared.unanswered = 0
          shared.asked = Self.next(shared, after: shared.asked ?? target, at: now)
        }
        shared.unanswered += 1
        shared.report.requests += 1
        shared.rail &+= 1
        return (shared.peers[shared.asked ?? target], shared.rail)
      }
      guard let (peer, turn) = asked else { return }
      let usable = peer.rails.map { buses[$0] }.filter { $0.state.isConnected }
      guard !usable.isEmpty else { return }
      send(request, to: peer.name, over: usable[turn % usable.count], reply: inbox)
    }

    private func send(_ request: MoldUDP64Request, to name: String, over bus: any Bus, reply: String?) {
      var writer = ByteWriter(capacity: MoldUDP64Request.byteCount)
      request.encode(into: &writer)
      bus.publish(StreamSubjects(market: market, node: name).askFeed, reply: reply, bytes: writer.bytes)
    }

    /// The next after one that is heard.
    private static func next(_ shared: Shared, after place: Int, at now: UInt64) -> Int? {
      let heard = shared.peers.indices.filter {
        shared.peers[$0].heardAt > 0 && now &- shared.peers[$0].heardAt < silence
      }
      return heard.first { $0 > place } ?? heard.first
    }

    /// The nearest that is heard and has something; another than before where one gave nothing.
    private static func choose(_ shared: inout Shared, after failed: Int?, at now: UInt64) {
      let heard = shared.peers.indices.filter {
        shared.peers[$0].heardAt > 0 && now &- shared.peers[$0].heardAt < silence
      }
      let good = heard.filter {
        (shared.peers[$0].state == .live || shared.peers[$0].state == .ended) && !shared.peers[$0].hasGap
      }
      let list = good.isEmpty ? heard : good
      var next = list.first
      if let failed { next = list.first { $0 > failed } ?? list.first }
      if next != shared.target {
        shared.asked = nil
        shared.unanswered = 0
      }
      shared.target = next
      shared.givenAt = now
    }

    /// Looks whether another plant is wanted, which, and renews the lease.
    func look(at now: UInt64) {
      var note: String?
      let (change, peer): (Bool, Peer?) = shared.withLock { shared in
        let before = shared.target
        if !shared.isWanted {
          shared.target = nil
        } else if let target = before {
          let isGone = now &- shared.peers[target].heardAt >= Self.silence
          let isIdle = now &- shared.givenAt >= Self.patience
          if isGone || isIdle { Self.choose(&shared, after: target, at: now) }
        } else {
          Self.choose(&shared, after: nil, at: now)
        }
        let name = shared.target.map { shared.peers[$0].name }
        let had = shared.report.node
        shared.report.node = name
        let isChanged = shared.taken != shared.target
        shared.taken = shared.target
        if name != had {
          note =
            name.map { "\(market): takes the messages of \($0) as one more line" }
            ?? had.map { "\(market): leaves the messages of \($0)" }
        }
        return (isChanged, shared.target.map { shared.peers[$0] })
      }
      if let note { log(.warning, note) }
      if change {
        leave()
        if let peer { take(from: peer) }
      }
      guard let peer else { return }
      for rail in peer.rails {
        send(
          MoldUDP64Request(session: .zero, sequence: 0, count: 0), to: peer.name, over: buses[rail],
          reply: nil)
      }
    }

    private func take(from peer: Peer) {
      let subject = StreamSubjects(market: market, node: peer.name).feed
      var made: [any BusSubscription] = []
      for rail in peer.rails {
        do throws(BusError) {
          made.append(
            try buses[rail].subscribe(subject) { [weak self] message in
              self?.take(message.payload, isAnswer: false)
            }
          )
        } catch { log(.error, "\(market): \(error)") }
      }
      let subscriptions = made
      shared.withLock { $0.subscriptions = subscriptions }
    }

    func leave() {
      let subscriptions = shared.withLock { shared in
        defer { shared.subscriptions = [] }
        return shared.subscriptions
      }
      for subscription in subscriptions { subscription.cancel() }
    }
  }
}
