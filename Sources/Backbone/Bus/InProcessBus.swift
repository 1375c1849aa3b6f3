// The backbone within one process: the same subjects, wildcards and order as over NATS, without a socket. What is
// published is copied once into a queue; one thread delivers it. Several users share one bus by `endpoint`: as over
// NATS none hears itself.
// Bound: `pendingBytes` wait; what comes then is dropped and counted for whoever published it.
//
// @unchecked Sendable: what several threads touch is behind `hub`'s lock, or never changes.

import FeedHandler
import Foundation
import Synchronization

/// See the head of this file.
public final class InProcessBus: Bus, @unchecked Sendable {
  /// What went over it.
  public let account: BusAccount
  /// The rail's name.
  public var rail: String { hub.rail }
  private let hub: Hub
  private let number: Int
  private let connected = Atomic<Bool>(true)
  private let reconnects = Atomic<UInt64>(0)
  private let observers = Mutex<[@Sendable (BusState) -> Void]>([])
  private let isClosed = Atomic<Bool>(false)

  /// A bus of its own, with its first user.
  /// - Parameter pendingBytes: how much may wait for delivery.
  public convenience init(rail: String = "local", pendingBytes: Int = 8 << 20) {
    self.init(Hub(rail, pendingBytes), [:])
  }

  private init(_ hub: Hub, _ budgets: [BusSystem: UInt64]) {
    self.hub = hub
    account = BusAccount(budgets: budgets)
    number = hub.join()
  }

  deinit { close() }

  /// Another user of the same bus.
  /// - Parameter budgets: bytes a second by system.
  public func endpoint(budgets: [BusSystem: UInt64] = [:]) -> InProcessBus { InProcessBus(hub, budgets) }

  /// Cuts this user off, as a lost server would, or brings it back.
  public func setConnected(_ isConnected: Bool) {
    guard connected.exchange(isConnected, ordering: .acquiringAndReleasing) != isConnected else { return }
    if isConnected { reconnects.wrappingAdd(1, ordering: .relaxed) }
    hub.setConnected(number, isConnected)
    let state = state
    for observer in observers.withLock({ $0 }) { observer(state) }
  }

  /// How it is.
  public var state: BusState {
    if isClosed.load(ordering: .acquiring) { return .closed }
    return connected.load(ordering: .acquiring) ? .connected("this process") : .away("cut off")
  }

  /// Calls with the present state and each change.
  public func observe(_ body: @escaping @Sendable (BusState) -> Void) {
    observers.withLock { $0.append(body) }
    body(state)
  }

  /// Sends; never waits. False where it was dropped, which is counted.
  @discardableResult
  public func publish(_ subject: String, reply: String?, _ payload: UnsafeRawBufferPointer, more: Bool)
    -> Bool
  {
    var text = subject
    return text.withUTF8 { subject in
      let subject = UnsafeRawBufferPointer(subject)
      let system = BusSystem(subject: subject)
      let bytes = subject.count + payload.count
      guard connected.load(ordering: .acquiring), !isClosed.load(ordering: .acquiring) else {
        account.countDropped(system)
        return false
      }
      guard account.mayPublish(system, bytes: bytes, at: Clock.monotonic()) else { return false }
      guard hub.put(subject, reply, payload, from: number, wakes: !more) else {
        account.countDropped(system)
        return false
      }
      account.countOut(system, bytes: bytes)
      return true
    }
  }

  /// Bytes that were published and have not been delivered yet.
  public var waitingBytes: Int { hub.waitingBytes }

  /// Sends what was published with `more`.
  public func flush() { hub.wake() }

  /// Hears what is published from now on, by others.
  /// - Throws: `BusError` where the subject is none.
  public func subscribe(
    _ subject: String, _ handler: @escaping @Sendable (BusMessage) -> Void
  ) throws(BusError) -> any BusSubscription {
    let pattern = try SubjectPattern(subject)
    let gate = HandlerGate(handler)
    let entry = hub.add(pattern, gate, account, user: number)
    return GatedSubscription(gate) { [hub] in hub.remove(entry) }
  }

  /// Figures at this moment.
  public var report: BusReport {
    BusReport(
      rail: rail, state: state.description, isConnected: state.isConnected,
      reconnects: reconnects.load(ordering: .relaxed), waitingBytes: hub.waitingBytes, fault: nil,
      systems: account.figures)
  }

  /// Ends it; nothing is delivered after this returns. Wanted: a bus works until it is closed.
  public func close() {
    guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
    hub.leave(number)
  }
}

/// What the users of one bus share.
///
/// @unchecked Sendable: what changes is behind `shared`, or the delivery thread's own, which holds the hub until the last user left.
private final class Hub: @unchecked Sendable {
  struct Entry {
    var pattern: SubjectPattern
    var gate: HandlerGate
    var account: BusAccount
    var user: Int
  }

  struct Shared {
    /// Messages one behind the other: head, subject, reply, payload.
    var queue: [UInt8] = []
    var entries: [Int: Entry] = [:]
    var order: [Int] = []
    /// Rises with each change of who hears.
    var version = 0
    var nextEntry = 0
    var users: Set<Int> = []
    var cut: Set<Int> = []
    var nextUser = 0
    var isRunning = false
    var delivering = 0
  }

  let rail: String
  private let pendingBytes: Int
  private let shared = Mutex(Shared())
  private let signal = EventSignal()

  init(_ rail: String, _ pendingBytes: Int) {
    self.rail = rail
    self.pendingBytes = pendingBytes
  }

  func join() -> Int {
    let (number, begins) = shared.withLock { shared in
      shared.nextUser += 1
      shared.users.insert(shared.nextUser)
      defer { shared.isRunning = true }
      return (shared.nextUser, !shared.isRunning)
    }
    if begins {
      let thread = Thread { [self] in run() }
      thread.name = "bus-\(rail)"
      thread.start()
    }
    return number
  }

  /// The user is gone: nothing more is delivered to it.
  func leave(_ number: Int) {
    let gates = shared.withLock { shared in
      let gates = shared.entries.values.filter { $0.user == number }.map(\.gate)
      shared.entries = shared.entries.filter { $0.value.user != number }
      shared.order.removeAll { shared.entries[$0] == nil }
      shared.version += 1
      shared.users.remove(number)
      return gates
    }
    for gate in gates { gate.close() }
    signal.set()
  }

  func setConnected(_ number: Int, _ isConnected: Bool) {
    shared.withLock { shared in
      if isConnected { shared.cut.remove(number) } else { shared.cut.insert(number) }
      shared.version += 1
    }
  }

  func add(_ pattern: SubjectPattern, _ gate: HandlerGate, _ account: BusAccount, user: Int) -> Int {
    shared.withLock { shared in
      shared.nextEntry += 1
      shared.entries[shared.nextEntry] = Entry(pattern: pattern, gate: gate, account: account, user: user)
      shared.order.append(shared.nextEntry)
      shared.version += 1
      return shared.nextEntry
    }
  }

  func remove(_ number: Int) {
    shared.withLock { shared in
      shared.entries[number] = nil
      shared.order.removeAll { $0 == number }
      shared.version += 1
    }
  }

  var waitingBytes: Int { shared.withLock { $0.queue.count + $0.delivering } }

  private struct Head: BitwiseCopyable {
    var user: UInt32
    var subject: UInt32
    var reply: UInt32
    var payload: UInt32
  }

  func put(
    _ subject: UnsafeRawBufferPointer, _ reply: String?, _ payload: UnsafeRawBufferPointer, from user: Int,
    wakes: Bool
  ) -> Bool {
    let isTaken = shared.withLock { shared in
      guard shared.queue.count + shared.delivering + subject.count + payload.count <= pendingBytes else {
        return false
      }
      let head = Head(
        user: UInt32(user), subject: UInt32(subject.count), reply: UInt32(reply?.utf8.count ?? 0),
        payload: UInt32(payload.count))
      withUnsafeBytes(of: head) { shared.queue.append(contentsOf: $0) }
      shared.queue.append(contentsOf: subject)
      if let reply { shared.queue.append(contentsOf: reply.utf8) }
      shared.queue.append(contentsOf: payload)
      return true
    }
    if wakes || !isTaken { signal.set() }
    return isTaken
  }

  func wake() { signal.set() }

  /// Who hears, as the delivery thread knows it; its own.
  private var list: [Entry] = []
  private var listVersion = -1

  private func run() {
    var batch: [UInt8] = []
    while true {
      let isOver = shared.withLock { shared in
        batch.removeAll(keepingCapacity: true)
        swap(&batch, &shared.queue)
        shared.delivering = batch.count
        if shared.users.isEmpty { shared.isRunning = false }
        return shared.users.isEmpty
      }
      if isOver { return }
      if batch.isEmpty {
        signal.wait(nanoseconds: 20_000_000)
        continue
      }
      batch.withUnsafeBytes { deliver($0) }
      shared.withLock { $0.delivering = 0 }
    }
  }

  private func deliver(_ batch: UnsafeRawBufferPointer) {
    var offset = 0
    while offset + MemoryLayout<Head>.size <= batch.count {
      let head = batch.loadUnaligned(fromByteOffset: offset, as: Head.self)
      offset += MemoryLayout<Head>.size
      func part(_ count: UInt32) -> UnsafeRawBufferPointer {
        defer { offset += Int(count) }
        return UnsafeRawBufferPointer(rebasing: batch[offset..<offset + Int(count)])
      }
      let subject = part(head.subject)
      let reply = part(head.reply)
      let payload = part(head.payload)
      let system = BusSystem(subject: subject)
      shared.withLock { shared in
        if listVersion != shared.version {
          listVersion = shared.version
          list = shared.order.compactMap { shared.entries[$0] }.filter { !shared.cut.contains($0.user) }
        }
      }
      for entry in list where entry.user != Int(head.user) && entry.pattern.matches(subject) {
        entry.account.countIn(system, bytes: subject.count + payload.count)
        entry.gate.deliver(BusMessage(subjectBytes: subject, replyBytes: reply, payload: payload))
      }
    }
  }
}
