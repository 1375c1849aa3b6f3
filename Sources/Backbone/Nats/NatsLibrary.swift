// libnats: this file and NatsLibrary+Keep.swift alone touch it. Handles become owners, status codes typed errors, callbacks values.
// The connection runs on an event loop of ours (`NatsLoop`): its sockets never block, so that a server that is frozen
// or a line that is full can't hold up who publishes; libnats alone would wait for the socket, its lock held.
// Owner: `NatsBus`. Invariant: a handle is destroyed once, by its owner's end, after everything that may use it.

import CNats
import Foundation
import Synchronization

/// What libnats said.
struct NatsError: Error, Equatable, CustomStringConvertible {
  var status: UInt32
  var description: String

  init(_ status: natsStatus, doing what: String) {
    self.status = status.rawValue
    let text = natsStatus_GetText(status).map { String(cString: $0) } ?? "status \(status.rawValue)"
    var last = NATS_OK
    // The library's own detail, of this thread's last call.
    let detail = nats_GetLastError(&last).map { String(cString: $0) } ?? ""
    description =
      "\(what): \(text)" + (last == status && !detail.isEmpty && detail != text ? " (\(detail))" : "")
  }

  /// The server didn't accept user, password or certificate.
  var isRefusal: Bool { status == NATS_CONNECTION_AUTH_FAILED.rawValue }

  static func check(_ status: natsStatus, _ what: @autoclosure () -> String) throws(NatsError) {
    guard status != NATS_OK else { return }
    throw NatsError(status, doing: what())
  }
}

/// How a connection is made.
struct NatsOptions: ~Copyable {
  private let handle: OpaquePointer

  /// Options from settings.
  /// - Throws: `NatsError` where the library refuses one, such as a certificate that can't be read.
  static func made(_ settings: NatsSettings, for link: NatsLink) throws(NatsError) -> NatsOptions {
    let options = try NatsOptions()
    try options.fill(settings, Unmanaged.passUnretained(link))
    return options
  }

  private init() throws(NatsError) {
    NatsLibrary.open()
    var made: OpaquePointer?
    try NatsError.check(natsOptions_Create(&made), "NATS options")
    guard let made else { throw NatsError(NATS_NO_MEMORY, doing: "NATS options") }
    handle = made
  }

  deinit { natsOptions_Destroy(handle) }

  private borrowing func fill(_ settings: NatsSettings, _ owner: Unmanaged<NatsLink>) throws(NatsError) {
    let closure = owner.toOpaque()
    let servers = settings.servers.map { strdup(($0.url(isSecure: settings.tls != nil))) }
    defer { for server in servers { free(server) } }
    var pointers = servers.map { UnsafePointer<CChar>($0) }
    var status = natsOptions_SetServers(handle, &pointers, Int32(pointers.count))
    try NatsError.check(
      status, "servers \(settings.servers.map(\.description).joined(separator: ", "))")
    // Nearest first, and no others than the estate names.
    natsOptions_SetNoRandomize(handle, true)
    natsOptions_SetIgnoreDiscoveredServers(handle, true)
    natsOptions_SetName(handle, settings.name)
    natsOptions_SetNoEcho(handle, true)
    natsOptions_SetAllowReconnect(handle, true)
    natsOptions_SetMaxReconnect(handle, -1)
    natsOptions_SetReconnectWait(handle, Int64(settings.reconnectMilliseconds))
    natsOptions_SetReconnectJitter(handle, 20, 20)
    natsOptions_SetTimeout(handle, Int64(settings.connectMilliseconds))
    // Two pings may be out: with the third tick the server is given up.
    natsOptions_SetPingInterval(handle, Int64(settings.pingMilliseconds))
    natsOptions_SetMaxPingsOut(handle, 2)
    // Old prices are worthless: what was published while nobody was there isn't kept.
    natsOptions_SetReconnectBufSize(handle, 64 << 10)
    natsOptions_SetSendAsap(handle, true)
    natsOptions_UseGlobalMessageDelivery(handle, true)
    natsOptions_SetMaxPendingMsgs(handle, Int32(settings.subscriptionMessages))
    natsOptions_SetCustomInboxPrefix(handle, settings.inbox)
    natsOptions_SetIOBufSize(handle, 128 << 10)
    if let user = settings.user {
      status = natsOptions_SetUserInfo(handle, user, settings.password ?? "")
      try NatsError.check(status, "user \(user)")
    }
    if let tls = settings.tls {
      try NatsError.check(natsOptions_SetSecure(handle, true), "TLS")
      status = natsOptions_LoadCATrustedCertificates(handle, tls.authority)
      try NatsError.check(status, "certificate authority \(tls.authority)")
      if let certificate = tls.certificate, let key = tls.key {
        status = natsOptions_LoadCertificatesChain(handle, certificate, key)
        try NatsError.check(status, "certificate \(certificate) with key \(key)")
      }
      if let name = tls.serverName { natsOptions_SetExpectedHostname(handle, name) }
    }
    natsOptions_SetDisconnectedCB(handle, { _, closure in NatsLibrary.bus(closure)?.disconnected() }, closure)
    natsOptions_SetReconnectedCB(handle, { _, closure in NatsLibrary.bus(closure)?.reconnected() }, closure)
    natsOptions_SetClosedCB(handle, { _, closure in NatsLibrary.link(closure)?.closed() }, closure)
    natsOptions_SetErrorHandler(
      handle,
      { connection, subscription, status, closure in
        var text = natsStatus_GetText(status).map { String(cString: $0) } ?? "unknown error"
        if status == NATS_SLOW_CONSUMER, let subscription,
          let subject = natsSubscription_GetSubject(subscription)
        {
          text = "\(String(cString: subject)): messages came faster than they were taken; some are lost"
        } else if let connection {
          var last: UnsafePointer<CChar>?
          if natsConnection_GetLastError(connection, &last) != NATS_OK, let last {
            text = String(cString: last)
          }
        }
        NatsLibrary.bus(closure)?.fault(text)
      }, closure)
    status = natsOptions_SetEventLoop(
      handle, closure,
      { place, loop, _, socket in
        place?.pointee = loop
        NatsLibrary.bus(loop)?.attach(socket: socket)
        return NATS_OK
      },
      { closure, add in
        NatsLibrary.bus(closure)?.setReading(add)
        return NATS_OK
      },
      { closure, add in
        NatsLibrary.bus(closure)?.setWriting(add)
        return NATS_OK
      },
      { closure in
        NatsLibrary.bus(closure)?.detach()
        return NATS_OK
      })
    try NatsError.check(status, "event loop")
  }

  /// Connects, or fails within the time that the settings allow each server.
  borrowing func connect() throws(NatsError) -> NatsConnection {
    var connection: OpaquePointer?
    try NatsError.check(natsConnection_Connect(&connection, handle), "connect")
    guard let connection else { throw NatsError(NATS_NO_MEMORY, doing: "connect") }
    return NatsConnection(connection)
  }
}

enum NatsLibrary {
  private static let opened: Void = {
    nats_Open(-1)
    // One thread delivers to handlers, in order; they must not block.
    nats_SetMessageDeliveryPoolSize(1)
  }()

  static func open() { opened }

  /// What a callback belongs to: it lives until the library says that its connection is closed.
  fileprivate static func link(_ closure: UnsafeMutableRawPointer?) -> NatsLink? {
    guard let closure else { return nil }
    return Unmanaged<NatsLink>.fromOpaque(closure).takeUnretainedValue()
  }

  /// The bus of a callback; nil where it is an earlier connection's.
  fileprivate static func bus(_ closure: UnsafeMutableRawPointer?) -> NatsBus? {
    guard let link = link(closure), link.bus.hears(link) else { return nil }
    return link.bus
  }
}

/// What one connection's callbacks are given: the bus, and which of its connections this is. A late word of an earlier
/// connection must not end the present one.
final class NatsLink: Sendable {
  let bus: NatsBus
  let generation: UInt64
  private let closes = Atomic<Bool>(false)
  private let isRetained = Atomic<Bool>(false)

  init(_ bus: NatsBus, generation: UInt64) {
    self.bus = bus
    self.generation = generation
  }

  var isClosed: Bool { closes.load(ordering: .acquiring) }

  /// A connection was made with it: it lives at least until that one is closed.
  func retain() {
    isRetained.store(true, ordering: .sequentiallyConsistent)
    _ = Unmanaged.passRetained(self)
    // Closed at once, before this.
    if isClosed { letGo() }
  }

  fileprivate func closed() {
    closes.store(true, ordering: .sequentiallyConsistent)
    bus.closed()
    letGo()
  }

  private func letGo() {
    if isRetained.exchange(false, ordering: .sequentiallyConsistent) {
      Unmanaged.passUnretained(self).release()
    }
  }
}

/// A connection. It is closed by its loop's thread; its memory goes with its last holder.
///
/// @unchecked Sendable: libnats locks each connection itself.
final class NatsConnection: @unchecked Sendable {
  let handle: OpaquePointer
  /// Who writes: the library takes a write of nothing for a closed connection, so that looking whether there is
  /// something and writing it must be one.
  private let writing = Mutex<Void>(())

  fileprivate init(_ handle: OpaquePointer) { self.handle = handle }

  deinit { natsConnection_Destroy(handle) }

  var isConnected: Bool { natsConnection_Status(handle) == NATS_CONN_STATUS_CONNECTED }
  /// Bytes that wait for the socket.
  var buffered: Int { max(0, Int(natsConnection_Buffered(handle))) }
  var largestPayload: Int { Int(natsConnection_GetMaxPayload(handle)) }

  /// The server's address; nil where there is none now.
  var server: String? {
    withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { room in
      guard let base = room.baseAddress?.bindMemory(to: CChar.self, capacity: 256),
        natsConnection_GetConnectedUrl(handle, base, 256) == NATS_OK
      else { return nil }
      // Never with a password in it.
      let url = String(cString: base)
      return url.split(separator: "@").last.map { $0.replacingOccurrences(of: "nats://", with: "") }
    }
  }

  /// Appends to what waits for the socket.
  func publish(_ subject: String, reply: String?, _ payload: UnsafeRawBufferPointer) -> Bool {
    let count = Int32(payload.count)
    guard let reply else {
      return natsConnection_Publish(handle, subject, payload.baseAddress, count) == NATS_OK
    }
    return natsConnection_PublishRequest(handle, subject, reply, payload.baseAddress, count) == NATS_OK
  }

  func processRead() { natsConnection_ProcessReadEvent(handle) }
  /// Writes what the socket takes now.
  /// - Returns: bytes that wait on.
  @discardableResult
  func processWrite() -> Int {
    writing.withLock { _ in
      if buffered > 0, isConnected { natsConnection_ProcessWriteEvent(handle) }
      return buffered
    }
  }
  func close() { natsConnection_Close(handle) }

  /// Subscribes; handlers run on libnats's delivery thread.
  func subscribe(
    _ subject: String, messages: Int, bytes: Int, _ gate: HandlerGate, account: BusAccount
  ) throws(NatsError) -> NatsSubscription {
    let box = NatsDelivery(gate, account)
    let closure = Unmanaged.passRetained(box)
    var subscription: OpaquePointer?
    let status = natsConnection_Subscribe(
      &subscription, handle, subject,
      { _, _, message, closure in
        guard let message else { return }
        defer { natsMsg_Destroy(message) }
        guard let closure else { return }
        Unmanaged<NatsDelivery>.fromOpaque(closure).takeUnretainedValue().deliver(message)
      }, closure.toOpaque())
    guard status == NATS_OK, let subscription else {
      let error = NatsError(status, doing: "subscribe to \(subject)")
      closure.release()
      throw error
    }
    natsSubscription_SetPendingLimits(subscription, Int32(messages), Int32(bytes))
    // The box lives until libnats has let go of it.
    natsSubscription_SetOnCompleteCB(
      subscription, { closure in if let closure { Unmanaged<NatsDelivery>.fromOpaque(closure).release() } },
      closure.toOpaque())
    return NatsSubscription(subscription, system: box.system)
  }
}

/// From libnats's message to a handler.
private final class NatsDelivery: Sendable {
  private let gate: HandlerGate
  private let account: BusAccount
  let system: BusSystem

  init(_ gate: HandlerGate, _ account: BusAccount) {
    self.gate = gate
    self.account = account
    system = .other
  }

  func deliver(_ message: OpaquePointer) {
    let subject = Self.bytes(natsMsg_GetSubject(message))
    let payload = UnsafeRawBufferPointer(
      start: natsMsg_GetData(message), count: Int(natsMsg_GetDataLength(message)))
    account.countIn(BusSystem(subject: subject), bytes: subject.count + payload.count)
    gate.deliver(
      BusMessage(
        subjectBytes: subject, replyBytes: Self.bytes(natsMsg_GetReply(message)), payload: payload))
  }

  private static func bytes(_ text: UnsafePointer<CChar>?) -> UnsafeRawBufferPointer {
    guard let text else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(start: text, count: strlen(text))
  }
}

/// A subscription on one connection.
///
/// @unchecked Sendable: libnats locks each subscription itself.
final class NatsSubscription: @unchecked Sendable {
  private let handle: OpaquePointer
  let system: BusSystem

  fileprivate init(_ handle: OpaquePointer, system: BusSystem) {
    self.handle = handle
    self.system = system
  }

  deinit { natsSubscription_Destroy(handle) }

  /// Messages that came and were not taken in time.
  var lost: UInt64 {
    var count: Int64 = 0
    guard natsSubscription_GetDropped(handle, &count) == NATS_OK else { return 0 }
    return UInt64(max(0, count))
  }

  func end() { natsSubscription_Unsubscribe(handle) }
}
