// The gateway: event loops, the listening socket, and the way out (drain).

public import Distribution
import Foundation
public import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOPosix
import NIOSSL
public import PriceStore
import Synchronization
public import TickerPlant

/// A running gateway. Methods may be called from any thread.
public final class GatewayServer: Sendable {
  let router: Router
  let loops: [LoopContext]
  private let group: MultiThreadedEventLoopGroup
  private let listener: any Channel
  private let log: Logger

  /// Where it listens, with the real port.
  public let address: String
  /// The real port.
  public let port: Int
  /// The viewer's folder; nil where it was not found.
  public var viewerDirectory: String? { router.viewer.directory }

  /// Rings to write a market's records to: one a loop.
  public func rings(market: Int) -> [UpdateRing] { loops.map { $0.rings[market] } }

  /// Binds and begins to serve; values come with the first records.
  /// - Parameters:
  ///   - screen: asked about each request before it is answered.
  ///   - paths: over which streams the markets come here; asked at each `/v1/status` and `/metrics`.
  ///   - rails: what went over the backbone; asked with them.
  ///   - configured: which configuration the node runs, and which one is kept; asked at each `/v1/status` and
  ///     `/metrics`. These three are called on an event loop: quick.
  ///   - governance: findings, for `/governance`; asked at each look, off the event loops.
  ///   - estate: the whole estate, for `/estate`; asked at each look, which may wait for other nodes.
  /// - Throws: `GatewayError` where the address can't be bound or the TLS files can't be used.
  public static func start(
    _ configuration: GatewayConfiguration, markets: [MarketDescription], store: PriceStore?, log: Logger,
    ringBytes: Int = 8 << 20, screen: (any RequestScreen)? = nil,
    paths: @escaping @Sendable () -> [PathReport] = { [] },
    rails: @escaping @Sendable () -> [RailReport] = { [] },
    estate: (@Sendable () async -> EstateView)? = nil, governance: (any GovernanceView)? = nil,
    configured: @escaping @Sendable () -> ConfigurationReport? = { nil },
    sources: @escaping @Sendable () -> [SourceReport]
  ) async throws(GatewayError) -> GatewayServer {
    let tls = try tlsContext(configuration)
    // What is no connection: files, the database, event loops, connections that are being refused.
    let others = 64 + RefusalRoom.limit
    let descriptors = TCPOptions.raiseDescriptorLimit(to: configuration.connections + others)
    if descriptors < configuration.connections + others {
      log.warning(
        "connections: \(configuration.connections) are allowed, but this process may open \(descriptors) descriptors; raise `ulimit -n`"
      )
    }
    let group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, configuration.loops))
    let router = Router(
      configuration: configuration, log: log, store: store, screen: screen, paths: paths, rails: rails,
      estate: estate, governance: governance, configured: configured, sources: sources)
    var loops: [LoopContext] = []
    for eventLoop in group.makeIterator() {
      loops.append(
        LoopContext(
          eventLoop: eventLoop, markets: markets, ringBytes: ringBytes, screen: screen,
          tenants: configuration.tenants))
    }
    router.loops.withLock { [loops] in $0 = loops }
    for loop in loops { loop.start() }
    let byLoop = Dictionary(uniqueKeysWithValues: loops.map { (ObjectIdentifier($0.eventLoop), $0) })
    do {
      let listener = try await ServerBootstrap(group: group)
        .serverChannelOption(.backlog, value: 4096)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        // Without descriptors left, accepting waits a moment instead of failing in a circle.
        .serverChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(AcceptBackoffHandler())
          }
        }
        .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        .childChannelOption(.socketOption(.so_keepalive), value: 1)
        .childChannelOption(
          .writeBufferWaterMark,
          value: ChannelOptions.Types.WriteBufferWaterMark(low: 32 << 10, high: 256 << 10)
        )
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            guard let loop = byLoop[ObjectIdentifier(channel.eventLoop)] else {
              throw ChannelError.inappropriateOperationForState
            }
            try configure(channel, router: router, loop: loop, tls: tls)
          }
        }
        .bind(host: configuration.host, port: configuration.port).get()
      return GatewayServer(router: router, loops: loops, group: group, listener: listener, log: log)
    } catch {
      try? await group.shutdownGracefully()
      throw GatewayError(
        "listen \(configuration.host):\(configuration.port): \(error); choose a free address with --listen HOST:PORT"
      )
    }
  }

  private init(
    router: Router, loops: [LoopContext], group: MultiThreadedEventLoopGroup, listener: any Channel,
    log: Logger
  ) {
    self.router = router
    self.loops = loops
    self.group = group
    self.listener = listener
    self.log = log
    port = listener.localAddress?.port ?? router.configuration.port
    let scheme = router.configuration.tlsCertificate == nil ? "http" : "https"
    let host =
      router.configuration.host.contains(":") ? "[\(router.configuration.host)]" : router.configuration.host
    address = "\(scheme)://\(host):\(port)"
  }

  private static func tlsContext(_ configuration: GatewayConfiguration) throws(GatewayError) -> NIOSSLContext?
  {
    switch (configuration.tlsCertificate, configuration.tlsKey) {
    case (nil, nil): return nil
    case (let certificate?, let key?):
      do {
        let chain = try NIOSSLCertificate.fromPEMFile(certificate).map {
          NIOSSLCertificateSource.certificate($0)
        }
        var tls = TLSConfiguration.makeServerConfiguration(
          certificateChain: chain, privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
        tls.minimumTLSVersion = .tlsv12
        tls.applicationProtocols = ["http/1.1"]
        return try NIOSSLContext(configuration: tls)
      } catch {
        throw GatewayError(
          "tls: \(error); --tls-certificate wants a PEM file with the chain, --tls-key one with its private key"
        )
      }
    default: throw GatewayError("tls: give both --tls-certificate and --tls-key, or neither")
    }
  }

  private static func configure(
    _ channel: any Channel, router: Router, loop: LoopContext, tls: NIOSSLContext?
  ) throws {
    let pipeline = channel.pipeline.syncOperations
    let peer = Peer(
      channel.remoteAddress?.ipAddress, exemptsLoopback: router.configuration.exemptsLoopback)
    TCPOptions.apply(to: channel, router.configuration)
    let refusal = router.ledger.enter(peer, now: LoopContext.now())
    if refusal == nil {
      channel.closeFuture.whenComplete { _ in router.ledger.leave(peer, now: LoopContext.now()) }
    } else {
      guard router.refusals.enter() else { throw ChannelError.operationUnsupported }
      channel.closeFuture.whenComplete { _ in router.refusals.leave() }
    }
    if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
    let encoder = HTTPResponseEncoder()
    // The guard counts a head's bytes, and tells; the decoder's own bounds stand behind it.
    var bounds = NIOHTTPDecoderLimitConfiguration()
    bounds.maxHeaderFieldSize = router.configuration.headBytes + (128 << 10)
    bounds.maxHeaderListSize = bounds.maxHeaderFieldSize
    let decoder = ByteToMessageHandler(
      HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: bounds))
    let pipelining = HTTPServerPipelineHandler()
    let errors = HTTPServerProtocolErrorHandler()
    let compressor = HTTPResponseCompressor(
      initialByteBufferCapacity: 4096,
      responseCompressionPredicate: { head, _ in
        // Where it pays: text of some size. Streams must not wait in a compressor.
        if head.headers.contains(name: HTTPHandler.noBodyMark) {
          head.headers.remove(name: HTTPHandler.noBodyMark)
          return .doNotCompress
        }
        let type = head.headers.first(name: "Content-Type") ?? ""
        let length = head.headers.first(name: "Content-Length").flatMap { Int($0) } ?? 0
        let isText = type.hasPrefix("text/") || type.contains("json") || type.contains("svg")
        // Beyond 512 kB the loop would be busy for longer than the bytes are worth.
        return isText && (1024...512 << 10).contains(length) && !type.hasPrefix("text/event-stream")
          ? .compressIfPossible : .doNotCompress
      })
    let gate = RequestGuard(configuration: router.configuration, limits: router.limits)
    try pipeline.addHandlers([gate, encoder, decoder, pipelining, errors, compressor])
    if let refusal { return try pipeline.addHandler(RefusalHandler(refusal, router: router)) }
    try pipeline.addHandler(
      HTTPHandler(
        router: router, context: loop,
        stack: HTTPHandler.Stack(
          encoder: encoder, decoder: decoder, others: [pipelining, errors, compressor], gate: gate),
        peer: peer))
  }

  /// Tells clients to move, waits for them, and ends: no connection is cut without a word.
  public func drain() async {
    router.beginDraining()
    let wait = router.configuration.drainMilliseconds
    let others = router.otherEndpoints
    try? await listener.close()
    for loop in loops {
      loop.eventLoop.execute {
        loop.distributor.announceMove(
          inMilliseconds: wait, reason: "the server is ending", endpoints: others, now: LoopContext.now())
      }
    }
    let deadline = NIODeadline.now() + .milliseconds(Int64(wait))
    while NIODeadline.now() < deadline, router.ledger.counts.open > 0 {
      try? await Task.sleep(for: .milliseconds(20))
    }
    for loop in loops {
      loop.eventLoop.execute {
        loop.distributor.closeAll(code: 1001, reason: "the server has ended; reconnect and resume")
      }
    }
    if router.ledger.counts.open > 0 { try? await Task.sleep(for: .milliseconds(300)) }
  }

  /// Ends the event loops, after `drain` and when nobody writes into the rings any more: a ring wakes its loop.
  public func end() async {
    for loop in loops { loop.stop() }
    do { try await group.shutdownGracefully() } catch { log.warning("event loops: \(error)") }
    for loop in loops { loop.ended() }
  }

  /// Connections of all loops.
  public var openConnections: Int { router.ledger.counts.open }

  /// What each tenant used since the gateway began, in the order of their names.
  public func usage() async -> [TenantUsage] {
    var sums: [String: TenantUsage] = [:]
    for loop in loops {
      let figures = try? await loop.eventLoop.submit { loop.meters.figures(at: LoopContext.now()) }.get()
      for one in figures ?? [] { sums[one.tenant, default: TenantUsage(tenant: one.tenant)] += one }
    }
    return sums.values.sorted { $0.tenant < $1.tenant }
  }

  /// Stream clients of all loops.
  public func clientCount() async -> Int {
    var count = 0
    for loop in loops {
      count += (try? await loop.eventLoop.submit { loop.distributor.clientCount }.get()) ?? 0
    }
    return count
  }
}
