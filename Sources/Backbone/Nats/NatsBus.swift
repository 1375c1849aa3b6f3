// One connection to one rail of message servers. A thread of its own is the connection's event loop and keeps it up:
// it connects, polls the socket, and after a refusal begins anew, for ever. Who publishes writes to the socket itself
// as far as it takes it; the rest waits, within a bound. While there is no connection, what is published is dropped and
// counted: old prices are worthless, and who lacks something asks for it afterwards.
// While libnats connects anew it holds the connection's lock for as long as servers take to answer. So nobody but the
// loop's thread touches the library while `isUp` is false, subscriptions are begun and ended by that thread alone, and
// no lock of this bus is held meanwhile: who publishes, subscribes, cancels or asks for figures never waits for a server.
//
// @unchecked Sendable: what several threads touch is atomic or behind `shared`; the rest is the loop thread's own.

import FeedHandler
import Foundation
import Synchronization

/// See the head of this file.
public final class NatsBus: Bus, @unchecked Sendable {
  private struct Entry {
    var subject: String
    var gate: HandlerGate
    var live: NatsSubscription?
    /// What earlier connections' subscriptions lost.
    var lostBefore: UInt64 = 0
    /// What the present one had lost when the loop looked last.
    var lost: UInt64 = 0
  }

  private struct Shared {
    var state = BusState.away("not connected yet")
    var connection: NatsConnection?
    var entries: [Int: Entry] = [:]
    var nextEntry = 0
    /// Subscriptions that nobody wants any more; the loop ends them.
    var ending: [NatsSubscription] = []
    var observers: [@Sendable (BusState) -> Void] = []
    var fault: String?
    var faults: UInt64 = 0
    var lostCounted: UInt64 = 0
  }

  /// How it connects.
  public let settings: NatsSettings
  /// What went over it.
  public let account: BusAccount
  /// The rail's name.
  public var rail: String { settings.rail }

  private let shared = Mutex(Shared())
  /// One observer call at a time, so that states are told in their order.
  private let telling = NSRecursiveLock()
  private let log: @Sendable (BusLevel, String) -> Void
  private let signal = EventSignal()
  private let stops = Atomic<Bool>(false)
  private let isUp = Atomic<Bool>(false)
  /// Which connection's callbacks count.
  private let generation = Atomic<UInt64>(0)
  private let hasChanges = Atomic<Bool>(false)
  private let waiting = Atomic<Int>(0)
  private let socket = Atomic<Int32>(-1)
  private let wantsReading = Atomic<Bool>(false)
  private let wantsWriting = Atomic<Bool>(false)
  private let reconnects = Atomic<UInt64>(0)
  private let largest = Atomic<Int>(1 << 20)
  private let finished = DispatchSemaphore(value: 0)

  /// A bus that begins to connect; it need not have a server yet.
  /// - Throws: `BusError` where the settings can't be used: no server, a certificate that can't be read.
  public init(
    _ settings: NatsSettings,
    log: @escaping @Sendable (_ level: BusLevel, _ text: String) -> Void = { _, _ in }
  ) throws(BusError) {
    guard !settings.servers.isEmpty else {
      throw BusError("rail \(settings.rail): no message server; the estate's backbone must name one")
    }
    self.settings = settings
    self.log = log
    account = BusAccount(budgets: settings.budgets)
    let trial = NatsLink(self, generation: 0)
    defer { withExtendedLifetime(trial) {} }
    do throws(NatsError) { _ = try NatsOptions.made(settings, for: trial) } catch {
      throw BusError("rail \(settings.rail): \(error)")
    }
    let thread = Thread { [self] in
      run()
      finished.signal()
    }
    thread.name = "nats-\(settings.rail)"
    thread.start()
  }

  /// How it is.
  public var state: BusState { shared.withLock { $0.state } }

  /// Calls with the present state and each change.
  public func observe(_ body: @escaping @Sendable (BusState) -> Void) {
    telling.lock()
    defer { telling.unlock() }
    let state = shared.withLock { shared in
      shared.observers.append(body)
      return shared.state
    }
    body(state)
  }

  // MARK: - Publishing

  /// Sends; never waits. False where it was dropped, which is counted.
  @discardableResult
  public func publish(_ subject: String, reply: String?, _ payload: UnsafeRawBufferPointer, more: Bool)
    -> Bool
  {
    var text = subject
    let (system, length) = text.withUTF8 { (BusSystem(subject: UnsafeRawBufferPointer($0)), $0.count) }
    let bytes = length + payload.count
    guard isUp.load(ordering: .acquiring), let connection = shared.withLock({ $0.connection }),
      payload.count <= largest.load(ordering: .relaxed)
    else {
      account.countDropped(system)
      return false
    }
    guard account.mayPublish(system, bytes: bytes, at: Clock.monotonic()) else { return false }
    guard waiting.load(ordering: .relaxed) + bytes <= settings.pendingBytes,
      connection.publish(subject, reply: reply, payload)
    else {
      account.countDropped(system)
      if !more { send(connection) }
      return false
    }
    waiting.wrappingAdd(bytes, ordering: .relaxed)
    account.countOut(system, bytes: bytes)
    if !more { send(connection) }
    return true
  }

  /// Bytes that were published and wait for the socket, as it was when somebody wrote last.
  public var waitingBytes: Int { isUp.load(ordering: .acquiring) ? waiting.load(ordering: .relaxed) : 0 }

  /// Sends what was published with `more`.
  public func flush() {
    guard isUp.load(ordering: .acquiring), let connection = shared.withLock({ $0.connection }) else { return }
    send(connection)
  }

  private func send(_ connection: NatsConnection) {
    // TLS reads and writes are one thread's: the loop's.
    if settings.tls == nil { write(connection) }
    if wantsWriting.load(ordering: .acquiring) { signal.set() }
  }

  private func write(_ connection: NatsConnection) {
    guard isUp.load(ordering: .acquiring) else { return }
    waiting.store(connection.processWrite(), ordering: .relaxed)
  }

  /// Sends a message with a name: copies of one name are one where they are kept. The server that keeps answers.
  func publish(_ subject: String, reply: String, id: String, _ payload: UnsafeRawBufferPointer) -> Bool {
    guard let connection = kept,
      waiting.load(ordering: .relaxed) + payload.count <= settings.pendingBytes,
      account.mayPublish(.keep, bytes: payload.count, at: Clock.monotonic()),
      connection.publish(subject, reply: reply, id: id, payload)
    else {
      account.countDropped(.keep)
      return false
    }
    account.countOut(.keep, bytes: subject.utf8.count + payload.count)
    send(connection)
    return true
  }

  /// The connection, where there is one now.
  var kept: NatsConnection? {
    guard isUp.load(ordering: .acquiring), let connection = shared.withLock({ $0.connection }),
      connection.isConnected
    else { return nil }
    return connection
  }

  // MARK: - Subscribing

  /// Hears what is published from now on, by others.
  /// - Throws: `BusError` where the subject is none.
  public func subscribe(
    _ subject: String, _ handler: @escaping @Sendable (BusMessage) -> Void
  ) throws(BusError) -> any BusSubscription {
    _ = try SubjectPattern(subject)
    let gate = HandlerGate(handler)
    let number = shared.withLock { shared in
      shared.nextEntry += 1
      shared.entries[shared.nextEntry] = Entry(subject: subject, gate: gate)
      return shared.nextEntry
    }
    change()
    return GatedSubscription(gate) { self.unsubscribe(number) }
  }

  /// The loop's thread has something to do with subscriptions.
  private func change() {
    hasChanges.store(true, ordering: .releasing)
    signal.set()
  }

  fileprivate func unsubscribe(_ number: Int) {
    let isLive = shared.withLock { shared in
      guard let live = shared.entries.removeValue(forKey: number)?.live else { return false }
      shared.ending.append(live)
      return true
    }
    if isLive { change() }
  }

  /// Brings the connection's subscriptions to what is wanted; the loop's thread, no lock held.
  private func attachSubscriptions(_ connection: NatsConnection) {
    let (wanted, ending) = shared.withLock { shared in
      defer { shared.ending = [] }
      return (shared.entries.filter { $0.value.live == nil }, shared.ending)
    }
    for subscription in ending {
      account.countLost(subscription.system, subscription.lost)
      subscription.end()
    }
    for (number, entry) in wanted.sorted(by: { $0.key < $1.key }) {
      do throws(NatsError) {
        let live = try connection.subscribe(
          entry.subject, messages: settings.subscriptionMessages, bytes: settings.subscriptionBytes,
          entry.gate, account: account)
        let isWanted = shared.withLock { shared in
          guard shared.entries[number] != nil else { return false }
          shared.entries[number]?.live = live
          return true
        }
        if !isWanted { live.end() }
      } catch { fault(error.description) }
    }
    connection.processWrite()
  }

  /// How much each subscription has lost; the loop's thread.
  private func countLost() {
    let live = shared.withLock { shared in shared.entries.compactMapValues(\.live) }
    for (number, subscription) in live {
      let lost = subscription.lost
      shared.withLock { $0.entries[number]?.lost = lost }
    }
  }

  // MARK: - The loop

  private func run() {
    var failures = 0
    var number: UInt64 = 1
    var link = NatsLink(self, generation: number)
    while !stops.load(ordering: .acquiring) {
      do throws(NatsError) {
        generation.store(number, ordering: .releasing)
        let connection = try NatsOptions.made(settings, for: link).connect()
        // The library may call back until it says that the connection is closed.
        link.retain()
        failures = 0
        waiting.store(0, ordering: .relaxed)
        largest.store(connection.largestPayload, ordering: .relaxed)
        shared.withLock { $0.connection = connection }
        hasChanges.store(false, ordering: .releasing)
        attachSubscriptions(connection)
        rise()
        become(.connected(connection.server ?? "a server"))
        poll(connection, link)
        end(connection, link)
        number += 1
        link = NatsLink(self, generation: number)
      } catch {
        failures += 1
        let text =
          error.isRefusal
          ? "refused: user, password or certificate are not accepted (\(error))" : error.description
        become(.away(text))
        // A server that isn't there is tried often; one that refuses, less.
        let pause: UInt64 =
          error.isRefusal ? 1_000 : min(500, UInt64(settings.reconnectMilliseconds * failures))
        signal.wait(nanoseconds: pause * 1_000_000)
      }
    }
    become(.closed)
  }

  private func poll(_ connection: NatsConnection, _ link: NatsLink) {
    let pause = UInt64(settings.returnSeconds * 1e9)
    var lookAt = Clock.monotonic() + pause
    var countAt: UInt64 = 0
    let probe = ServerProbe()
    while !stops.load(ordering: .acquiring), !link.isClosed {
      if probe.isThere {
        // The traffic of a zone stays in it: back to the nearest server, as if this one were lost.
        log(.info, "rail \(rail): \(settings.servers[0]) is there again; going back to it")
        return
      }
      let now = Clock.monotonic()
      if now >= lookAt {
        lookAt = now + pause
        if let server = connection.server, server != settings.servers[0].description {
          probe.look(at: settings.servers[0])
        }
      }
      let descriptor = socket.load(ordering: .acquiring)
      let ready = signal.wait(
        nanoseconds: 20_000_000,
        also: descriptor, reading: wantsReading.load(ordering: .acquiring),
        writing: wantsWriting.load(ordering: .acquiring))
      // A socket that was replaced meanwhile is libnats's to find out about.
      if ready.canRead { connection.processRead() }
      guard isUp.load(ordering: .acquiring) else { continue }
      if hasChanges.exchange(false, ordering: .acquiringAndReleasing) { attachSubscriptions(connection) }
      if wantsWriting.load(ordering: .acquiring) || waiting.load(ordering: .relaxed) > 0 {
        write(connection)
      }
      if now >= countAt {
        countAt = now + 100_000_000
        countLost()
      }
    }
  }

  /// Ends a connection that closed itself, or that nobody wants any more.
  private func end(_ connection: NatsConnection, _ link: NatsLink) {
    isUp.store(false, ordering: .sequentiallyConsistent)
    countLost()
    shared.withLock { shared in
      shared.connection = nil
      shared.ending = []
      for (number, entry) in shared.entries {
        shared.entries[number]?.lostBefore += entry.lost
        shared.entries[number]?.lost = 0
        shared.entries[number]?.live = nil
      }
    }
    let wasClosed = link.isClosed
    // What waits leaves first, as far as the socket takes it.
    if !wasClosed { _ = connection.processWrite() }
    connection.close()
    // The library's threads say when they are done with it.
    var waits = 0
    while !link.isClosed, waits < 2_000 {
      usleep(1_000)
      waits += 1
    }
    socket.store(-1, ordering: .releasing)
    if !wasClosed, !stops.load(ordering: .acquiring) { reconnects.wrappingAdd(1, ordering: .relaxed) }
    if wasClosed { become(.away("the server closed the connection: \(report.fault ?? "no reason given")")) }
  }

  private func become(_ state: BusState) {
    telling.lock()
    defer { telling.unlock() }
    let observers: [@Sendable (BusState) -> Void]? = shared.withLock { shared in
      guard shared.state != state else { return nil }
      shared.state = state
      return shared.observers
    }
    guard let observers else { return }
    switch state {
    case .connected: log(.info, "rail \(rail): \(state)")
    case .away: log(.warning, "rail \(rail): \(state)")
    case .closed: break
    }
    for observer in observers { observer(state) }
  }

  // MARK: - Asked by libnats, on any of its threads, with a lock of its own held: set a flag, wake somebody, return

  func attach(socket descriptor: Int32) {
    socket.store(descriptor, ordering: .releasing)
    wantsReading.store(true, ordering: .releasing)
    wantsWriting.store(false, ordering: .releasing)
    signal.set()
  }

  func setReading(_ wanted: Bool) {
    wantsReading.store(wanted, ordering: .sequentiallyConsistent)
    // The library stops reading with the loss, before it tries servers with its lock held.
    if !wanted { isUp.store(false, ordering: .sequentiallyConsistent) }
  }

  /// What is published leaves from now on, unless the connection is lost again already.
  private func rise() {
    isUp.store(true, ordering: .sequentiallyConsistent)
    if !wantsReading.load(ordering: .sequentiallyConsistent) {
      isUp.store(false, ordering: .sequentiallyConsistent)
    }
  }

  func setWriting(_ wanted: Bool) { wantsWriting.store(wanted, ordering: .releasing) }

  func detach() {
    socket.store(-1, ordering: .releasing)
    signal.set()
  }

  func disconnected() {
    isUp.store(false, ordering: .releasing)
    guard !stops.load(ordering: .acquiring) else { return }
    become(
      .away("the connection is lost; trying \(settings.servers.map(\.description).joined(separator: ", "))"))
  }

  func reconnected() {
    reconnects.wrappingAdd(1, ordering: .relaxed)
    let connection = shared.withLock { $0.connection }
    if let connection { largest.store(connection.largestPayload, ordering: .relaxed) }
    rise()
    signal.set()
    become(.connected(connection?.server ?? "a server"))
  }

  /// Whether callbacks of that connection still count.
  func hears(_ link: NatsLink) -> Bool { link.generation == generation.load(ordering: .acquiring) }

  /// A connection is closed; which one, its link knows.
  func closed() { signal.set() }

  func fault(_ text: String) {
    let count = shared.withLock { shared in
      shared.fault = text
      shared.faults += 1
      return shared.faults
    }
    if count <= 20 { log(.error, "rail \(rail): \(text)") }
    if count == 20 { log(.error, "rail \(rail): further faults are counted, not logged") }
  }

  // MARK: - The end, figures

  /// Ends it; nothing is delivered after this returns. Wanted: a bus works until it is closed.
  public func close() {
    guard !stops.exchange(true, ordering: .acquiringAndReleasing) else { return }
    let gates = shared.withLock { shared in
      defer { shared.entries = shared.entries.filter { $0.value.live != nil } }
      return shared.entries.values.map(\.gate)
    }
    for gate in gates { gate.close() }
    signal.set()
    finished.wait()
  }

  /// Figures at this moment.
  public var report: BusReport {
    let (state, fault, newlyLost) = shared.withLock { shared in
      var lost: UInt64 = 0
      for entry in shared.entries.values { lost += entry.lostBefore + entry.lost }
      let new = lost > shared.lostCounted ? lost - shared.lostCounted : 0
      shared.lostCounted += new
      return (shared.state, shared.fault, new)
    }
    if newlyLost > 0 { account.countLost(.other, newlyLost) }
    return BusReport(
      rail: rail, state: state.description, isConnected: state.isConnected,
      reconnects: reconnects.load(ordering: .relaxed), waitingBytes: waitingBytes, fault: fault,
      systems: account.figures)
  }
}

/// How loud.
public enum BusLevel: Sendable { case info, warning, error }
