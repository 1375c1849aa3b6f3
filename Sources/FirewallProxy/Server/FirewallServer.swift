// The firewall: event loops, the listening socket, reload and the way out.

public import Firewall
import Glibc
public import Logging
public import NIOCore
import NIOHTTP2
import NIOPosix
import NIOSSL
import Synchronization

/// A reverse proxy that inspects what passes. Methods may be called from any thread.
public final class FirewallServer: Sendable {
  private struct State {
    var loops: [ProxyLoop] = []
    var listener: (any Channel)?
    var ownGroup: MultiThreadedEventLoopGroup?
    var log: TransactionLog?
    var port = 0
    var reloads: UInt64 = 0
    var reloadFailures: UInt64 = 0
    var lastFault: String?
  }

  private let configuration: FirewallConfiguration
  private let givenGroup: (any EventLoopGroup)?
  private let load: @Sendable () throws -> PolicySnapshot
  let reloading: Reloading
  private let logger: Logger
  private let budget: BodyBudget
  private let ledger: ConnectionLedger
  private let state = Mutex(State())

  /// A firewall that doesn't run yet.
  /// - Parameters:
  ///   - group: event loops to run on; nil: `configuration.loops` of its own.
  ///   - loadPolicy: reads and compiles the rules, at the start and for each reload; never called on an event loop.
  public convenience init(
    configuration: FirewallConfiguration, group: (any EventLoopGroup)? = nil, logger: Logger,
    loadPolicy: @escaping @Sendable () throws -> Policy
  ) {
    self.init(
      configuration: configuration, group: group, logger: logger,
      loadSnapshot: { PolicySnapshot(try loadPolicy()) })
  }

  init(
    configuration: FirewallConfiguration, group: (any EventLoopGroup)?, logger: Logger,
    loadSnapshot: @escaping @Sendable () throws -> PolicySnapshot
  ) {
    self.configuration = configuration
    givenGroup = group
    self.logger = logger
    load = loadSnapshot
    reloading = Reloading(loadSnapshot)
    budget = BodyBudget(limit: configuration.limits.heldBytes)
    ledger = ConnectionLedger(
      limit: configuration.limits.connections, limitPerAddress: configuration.limits.connectionsPerAddress)
  }

  /// The real port, once started.
  public var port: Int { state.withLock { $0.port } }
  /// Why the last reload was not taken into use; nil where it was.
  public var lastFault: String? { state.withLock { $0.lastFault } }

  // MARK: - Start

  /// Compiles the policy, binds, and begins to serve.
  /// - Throws: what `loadPolicy` throws, or `FirewallError` for addresses and files.
  public func start() async throws {
    let snapshot = try load()
    let tls = try tlsContext()
    let backends = try resolve()
    Descriptors.raiseLimit(
      to: configuration.limits.connections + configuration.limits.backendConnections * backends.count + 64)
    let log = try configuration.logFile.map { path throws(FirewallError) in
      try TransactionLog(path: path, limitBytes: configuration.logBufferBytes) { [logger] in
        logger.error("firewall: \($0)")
      }
    }
    let group: any EventLoopGroup
    var ownGroup: MultiThreadedEventLoopGroup?
    if let givenGroup {
      group = givenGroup
    } else {
      let own = MultiThreadedEventLoopGroup(numberOfThreads: max(1, configuration.loops))
      group = own
      ownGroup = own
    }
    let eventLoops = Array(group.makeIterator())
    var seeds = RandomBits(seed: configuration.seed ?? UInt64.random(in: .min ... .max))
    let loops = eventLoops.map { eventLoop in
      ProxyLoop(
        eventLoop: eventLoop, configuration: configuration, snapshot: snapshot, backends: backends,
        loops: eventLoops.count, budget: budget, ledger: ledger, seed: seeds.next(), log: log)
    }
    for loop in loops { loop.eventLoop.execute { loop.start() } }
    do {
      let listener = try await bind(group, loops, tls)
      state.withLock { [ownGroup] state in
        state.loops = loops
        state.listener = listener
        state.ownGroup = ownGroup
        state.log = log
        state.port = listener.localAddress?.port ?? configuration.port
      }
    } catch {
      for loop in loops { try? await loop.eventLoop.submit { loop.end() }.get() }
      log?.close()
      try? await ownGroup?.shutdownGracefully()
      throw FirewallError(
        "listen \(configuration.host):\(configuration.port): \(error); wanted an address of this machine and a free port"
      )
    }
  }

  private func bind(
    _ group: any EventLoopGroup, _ loops: [ProxyLoop], _ tls: NIOSSLContext?
  ) async throws -> any Channel {
    let byLoop = Dictionary(uniqueKeysWithValues: loops.map { (ObjectIdentifier($0.eventLoop), $0) })
    return try await ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 4096)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(AcceptBackoffHandler())
        }
      }
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.socketOption(.so_keepalive), value: 1)
      .childChannelOption(.recvAllocator, value: ReceiveSizes())
      .childChannelOption(
        .writeBufferWaterMark,
        value: ChannelOptions.Types.WriteBufferWaterMark(low: 64 << 10, high: 256 << 10)
      )
      .childChannelInitializer { channel in
        guard let loop = byLoop[ObjectIdentifier(channel.eventLoop)] else {
          return channel.eventLoop.makeFailedFuture(ChannelError.inappropriateOperationForState)
        }
        return Self.configure(channel, loop: loop, tls: tls)
      }
      .bind(host: configuration.host, port: configuration.port).get()
  }

  private static func configure(
    _ channel: any Channel, loop: ProxyLoop, tls: NIOSSLContext?
  ) -> EventLoopFuture<Void> {
    let client = ClientIdentity(
      remote: channel.remoteAddress, local: channel.localAddress, isSecure: tls != nil,
      trusted: loop.configuration.trustedProxies,
      exemptsLoopback: loop.configuration.limits.exemptsLoopback)
    let key = client.key
    guard loop.ledger.enter(key) else {
      loop.counters.connectionsRefused &+= 1
      return channel.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
    }
    let ledger = loop.ledger
    channel.closeFuture.whenComplete { _ in ledger.leave(key) }
    guard let tls else {
      return channel.eventLoop.makeCompletedFuture {
        try channel.pipeline.syncOperations.addHandler(
          ClientConnection(loop: loop, client: client, mayBeHTTP2: true))
      }
    }
    let handshake = ConnectionGuard(channel, loop: loop, state: .handshake)
    let bound = NIOLoopBound((client, handshake), eventLoop: channel.eventLoop)
    do {
      try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
    } catch { return channel.eventLoop.makeFailedFuture(error) }
    return channel.configureHTTP2SecureUpgrade(
      h2ChannelConfigurator: { channel in
        channel.eventLoop.makeCompletedFuture {
          bound.value.1.leave()
          try HTTP2Front.configure(channel, loop: loop, client: bound.value.0)
        }
      },
      http1ChannelConfigurator: { channel in
        channel.eventLoop.makeCompletedFuture {
          bound.value.1.leave()
          try channel.pipeline.syncOperations.addHandler(
            ClientConnection(loop: loop, client: bound.value.0, mayBeHTTP2: false))
        }
      })
  }

  private func tlsContext() throws(FirewallError) -> NIOSSLContext? {
    guard let files = configuration.tls else { return nil }
    do {
      let chain = try NIOSSLCertificate.fromPEMFile(files.certificate).map {
        NIOSSLCertificateSource.certificate($0)
      }
      let key = try NIOSSLPrivateKey(file: files.key, format: .pem)
      var tls = TLSConfiguration.makeServerConfiguration(
        certificateChain: chain, privateKey: .privateKey(key))
      tls.minimumTLSVersion = .tlsv12
      tls.applicationProtocols = ["h2", "http/1.1"]
      return try NIOSSLContext(configuration: tls)
    } catch {
      throw FirewallError(
        "tls '\(files.certificate)', '\(files.key)': \(error); wanted a PEM file with the chain and one with its private key"
      )
    }
  }

  private func resolve() throws(FirewallError) -> [(BackendAddress, SocketAddress)] {
    guard !configuration.backends.isEmpty else { throw FirewallError("no backend; wanted at least one") }
    var found: [(BackendAddress, SocketAddress)] = []
    for backend in configuration.backends {
      do {
        let address =
          try backend.socketPath.map { try SocketAddress(unixDomainSocketPath: $0) }
          ?? SocketAddress.makeAddressResolvingHost(backend.host, port: backend.port)
        found.append((backend, address))
      } catch {
        throw FirewallError(
          "backend \(backend): the name can't be resolved; wanted a name that is known, or an address")
      }
    }
    return found
  }

  // MARK: - While it runs

  /// Loads the policy anew and takes it into use for transactions that begin from now on; those in flight finish with the
  /// old one. With a fault the old one stays. One reload runs at a time; who asks meanwhile gets the result of one after it.
  /// - Throws: what `loadPolicy` throws.
  public func reload() async throws { try await reloading.run { try await self.take($0) } }

  private func take(_ result: Result<PolicySnapshot, any Error>) async throws {
    do {
      let snapshot = try result.get()
      for loop in state.withLock({ $0.loops }) {
        try await loop.eventLoop.submit { loop.use(snapshot) }.get()
      }
      state.withLock { state in
        state.reloads += 1
        state.lastFault = nil
      }
      logger.info("firewall: new policy in use")
    } catch {
      state.withLock { state in
        state.reloadFailures += 1
        state.lastFault = "\(error)"
      }
      logger.error("firewall: the policy was not reloaded, the old one stays: \(error)")
      throw error
    }
  }

  /// Opens the log file anew, after it was moved away.
  public func reopenLog() { state.withLock { $0.log }?.reopen() }

  /// Counters of all loops.
  public func metrics() async -> FirewallMetrics {
    let (loops, log, reloads, failures) = state.withLock { ($0.loops, $0.log, $0.reloads, $0.reloadFailures) }
    var sum = FirewallMetrics()
    for loop in loops {
      let part = try? await loop.eventLoop.submit { (loop.counters, loop.pool.openCount) }.get()
      guard let (counters, connections) = part else { continue }
      counters.add(to: &sum)
      sum.backendConnections += connections
    }
    sum.openConnections = ledger.open
    sum.heldBytes = budget.usedBytes
    sum.logLinesDropped = log?.droppedLines ?? 0
    sum.reloads = reloads
    sum.reloadFailures = failures
    return sum
  }

  // MARK: - Stop

  /// Stops accepting, lets what runs finish within the configured time, and closes everything.
  public func shutdown() async {
    let (loops, listener, ownGroup, log) = state.withLock { state in
      defer {
        state.loops = []
        state.listener = nil
        state.ownGroup = nil
      }
      return (state.loops, state.listener, state.ownGroup, state.log)
    }
    guard let listener else { return }
    for loop in loops { loop.eventLoop.execute { loop.isStopping = true } }
    try? await listener.close()
    let deadline = NIODeadline.now() + .milliseconds(Int64(configuration.patience.stop))
    while NIODeadline.now() < deadline, ledger.open > 0 { try? await Task.sleep(for: .milliseconds(20)) }
    for loop in loops { try? await loop.eventLoop.submit { loop.stopAll() }.get() }
    for loop in loops { try? await loop.eventLoop.submit { loop.end() }.get() }
    log?.close()
    do { try await ownGroup?.shutdownGracefully() } catch {
      logger.warning("firewall: event loops: \(error)")
    }
  }
}
