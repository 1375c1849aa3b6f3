// The backends as one event loop sees them: their kept connections, who waits for one, and how they are.
//
// A request takes the connection that was used last, opens another while there may be more, else waits in a bounded
// line, else is told 503. Among healthy backends the one with the least in work is taken, in turn where equal. A backend
// that failed several times in a row is left alone for a while; if all are down, all are tried.
// Owner: the event loop. Nothing here is shared with other loops.

import NIOCore
import NIOPosix

/// Why there is no connection, or no answer.
enum BackendFailure: Equatable {
  case refused
  case busy
  case timedOut
  case closedEarly
  case malformed(Refusal)

  var status: Int {
    switch self {
    case .busy: 503
    case .timedOut: 504
    default: 502
    }
  }

  var note: String {
    switch self {
    case .refused: "no connection to the backend"
    case .busy: "too many requests wait for the backend"
    case .timedOut: "the backend didn't answer in time"
    case .closedEarly: "the backend closed before its answer"
    case .malformed(let reason): "the backend's answer: \(reason.rawValue)"
    }
  }
}

final class BackendPool {
  final class Backend {
    let address: BackendAddress
    let socket: SocketAddress
    var idle: [BackendConnection] = []
    /// Open or being opened.
    var open = 0
    /// Exchanges that have or await one of its connections.
    var inWork = 0
    var failures = 0
    var downUntil: Int64 = 0
    var isCheckedDown = false
    var waiting = CircularBuffer<Waiter>()

    init(_ address: BackendAddress, _ socket: SocketAddress) {
      self.address = address
      self.socket = socket
    }
  }

  struct Waiter {
    let exchange: Exchange
    let ticket: UInt64
    let until: Int64
  }

  private unowned let loop: ProxyLoop
  private(set) var backends: [Backend]
  private var turn = 0
  private let limit: Int
  private let waitingLimit: Int
  private(set) var connections: [ObjectIdentifier: BackendConnection] = [:]
  private var isClosed = false

  init(loop: ProxyLoop, backends: [(BackendAddress, SocketAddress)], loops: Int) {
    self.loop = loop
    self.backends = backends.map { Backend($0.0, $0.1) }
    limit = max(1, loop.configuration.limits.backendConnections / max(1, loops))
    waitingLimit = max(1, loop.configuration.limits.waitingRequests / max(1, loops))
  }

  // MARK: - Taking

  /// Finds a connection for an exchange, which is told `backendReady` or `backendUnavailable`, at once or later.
  /// - Parameter fresh: not one that was used before.
  func acquire(for exchange: Exchange, fresh: Bool, besides: Backend? = nil) {
    guard let backend = choose(besides: besides) else { return exchange.backendUnavailable(.refused) }
    exchange.backend = backend
    backend.inWork += 1
    if !fresh {
      while let connection = backend.idle.popLast() {
        guard connection.isUsable else { continue }
        connection.begin(exchange)
        return exchange.backendReady(connection)
      }
    }
    if backend.open < limit { return open(backend, for: exchange) }
    if fresh, let oldest = backend.idle.first {
      oldest.close()
      return open(backend, for: exchange)
    }
    // Who left still stands in the line.
    if backend.waiting.count >= waitingLimit { backend.waiting.removeAll { $0.exchange.ticket != $0.ticket } }
    guard backend.waiting.count < waitingLimit else {
      return exchange.backendUnavailable(.busy)
    }
    let until = Clock.monotonic() + Int64(loop.configuration.patience.waiting) * 1_000_000
    backend.waiting.append(Waiter(exchange: exchange, ticket: exchange.ticket, until: until))
  }

  private func choose(besides: Backend?) -> Backend? {
    if backends.count == 1 { return backends[0] }
    guard !backends.isEmpty else { return nil }
    turn = (turn + 1) % backends.count
    let now = Clock.monotonic()
    var best: Backend?
    for desperate in [false, true] {
      for step in 0..<backends.count {
        let candidate = backends[(turn + step) % backends.count]
        if candidate === besides { continue }
        if !desperate, candidate.isCheckedDown || candidate.downUntil > now { continue }
        if best.map({ candidate.inWork < $0.inWork }) ?? true { best = candidate }
      }
      if let best { return best }
    }
    return besides ?? backends.first
  }

  private func open(_ backend: Backend, for exchange: Exchange?) {
    backend.open += 1
    let connection = BackendConnection(pool: self, backend: backend)
    connection.reserved = exchange.map { (exchange: $0, ticket: $0.ticket) }
    connections[ObjectIdentifier(connection)] = connection
    let bound = NIOLoopBound(connection, eventLoop: loop.eventLoop)
    var bootstrap = ClientBootstrap(group: loop.eventLoop)
    if backend.address.socketPath == nil {
      bootstrap = bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1)
    }
    bootstrap
      .channelOption(.recvAllocator, value: ReceiveSizes())
      .channelOption(
        .writeBufferWaterMark,
        value: ChannelOptions.Types.WriteBufferWaterMark(low: 64 << 10, high: 256 << 10)
      )
      .connectTimeout(.milliseconds(Int64(loop.configuration.patience.connect)))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(bound.value)
        }
      }
      .connect(to: backend.socket).assumeIsolated()
      .whenComplete { [weak self] result in
        guard let self else { return }
        switch result {
        case .success: self.opened(connection)
        case .failure: self.failedToOpen(connection)
        }
      }
  }

  private func opened(_ connection: BackendConnection) {
    if let exchange = connection.takeReservation() {
      connection.begin(exchange)
      exchange.backendReady(connection)
    } else {
      put(connection)
    }
  }

  private func failedToOpen(_ connection: BackendConnection) {
    let exchange = connection.takeReservation()
    remove(connection)
    failed(connection.backend)
    exchange?.backendUnavailable(.refused)
  }

  // MARK: - Giving back

  /// A connection whose answer is whole and that may be used again.
  func put(_ connection: BackendConnection) {
    let backend = connection.backend
    guard !isClosed, connection.isUsable else { return connection.close() }
    while let waiter = backend.waiting.popFirst() {
      guard waiter.exchange.ticket == waiter.ticket else { continue }
      connection.begin(waiter.exchange)
      return waiter.exchange.backendReady(connection)
    }
    connection.idleSince = loop.coarseNow
    backend.idle.append(connection)
  }

  /// A connection that is gone.
  func remove(_ connection: BackendConnection) {
    guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
    let backend = connection.backend
    backend.open -= 1
    if let index = backend.idle.firstIndex(where: { $0 === connection }) { backend.idle.remove(at: index) }
    serveWaiting(backend)
  }

  private func serveWaiting(_ backend: Backend) {
    while backend.open < limit, let waiter = backend.waiting.popFirst() {
      guard waiter.exchange.ticket == waiter.ticket else { continue }
      open(backend, for: waiter.exchange)
    }
  }

  // MARK: - Health

  func failed(_ backend: Backend) {
    loop.counters.backendFailures &+= 1
    backend.failures += 1
    guard backend.failures >= loop.configuration.failuresUntilDown else { return }
    backend.downUntil = Clock.monotonic() + Int64(loop.configuration.patience.backendDown) * 1_000_000
  }

  @inline(__always)
  func succeeded(_ backend: Backend) { if backend.failures > 0 { backend.failures = 0 } }

  /// Each `healthInterval`: asks every backend for the health path on a connection of its own.
  func check() {
    guard let path = loop.configuration.healthPath, !isClosed else { return }
    for backend in backends {
      let bound = NIOLoopBound(backend, eventLoop: loop.eventLoop)
      HealthCheck.run(
        backend.socket, host: backend.address.authority, path: path, on: loop.eventLoop,
        patience: .milliseconds(Int64(loop.configuration.patience.connect))
      ) { isHealthy in bound.value.isCheckedDown = !isHealthy }
    }
  }

  // MARK: - Time

  func look(now: Int64) {
    for backend in backends {
      let old = now - Int64(loop.configuration.patience.backendIdle) * 1_000_000
      // The oldest lie at the front.
      while let connection = backend.idle.first, connection.idleSince < old {
        backend.idle.removeFirst()
        connection.close()
      }
      while let waiter = backend.waiting.first, waiter.until <= now || waiter.exchange.ticket != waiter.ticket
      {
        backend.waiting.removeFirst()
        if waiter.exchange.ticket == waiter.ticket { waiter.exchange.backendUnavailable(.busy) }
      }
    }
  }

  func close() {
    isClosed = true
    for connection in Array(connections.values) { connection.close() }
  }

  var openCount: Int { connections.count }
}
