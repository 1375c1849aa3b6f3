// What a firewall runs with.

/// What happens to a request that the rules would deny.
public enum FirewallMode: String, Sendable, CaseIterable {
  /// It passes; the log says `alarm`.
  case observe
  /// As `observe`, with its own mark in the log: a policy on its way to `block`.
  case stage
  /// It is denied.
  case block
}

/// PEM files with a certificate chain and its private key.
public struct FirewallTLS: Sendable {
  /// The chain, leaf first.
  public var certificate: String
  /// The private key.
  public var key: String
  /// Both files.
  public init(certificate: String, key: String) {
    self.certificate = certificate
    self.key = key
  }
}

/// Bounds on what clients and backends may take. Each has a status or an end that the log names.
public struct FirewallLimits: Sendable {
  /// Request and response heads.
  public var head = HeadLimits()
  /// Client connections of the process.
  public var connections = 10_000
  /// Client connections from one address (IPv6: one /64 network); trusted proxies have no such limit.
  public var connectionsPerAddress = 1_000
  /// Loopback has no limit of its own.
  public var exemptsLoopback = true
  /// Bytes of all held bodies of the process, of which one address (as above) may have a quarter; beyond, what has a
  /// body to hold is answered 503.
  public var heldBytes = 512 << 20
  /// Pipelined bytes that are read ahead of the request in work.
  public var pipelinedBytes = 64 << 10
  /// Connections to one backend, over all loops.
  public var backendConnections = 1_024
  /// Requests that wait for a connection to a backend, over all loops; beyond, 503.
  public var waitingRequests = 4_096
  /// Open streams of an HTTP/2 connection.
  public var concurrentStreams = 100
  /// Streams that a client may reset within 30 s (rapid reset, CVE-2023-44487).
  public var streamResets = 200
  /// PING, SETTINGS and PRIORITY frames within 30 s.
  public var controlFrames = 200
  /// CONTINUATION frames of one header block.
  public var continuationFrames = 8
  /// A WebSocket frame from a client.
  public var webSocketFrameBytes = 16 << 20
  /// The usual limits.
  public init() {}
}

/// How long is waited, in milliseconds.
public struct FirewallPatience: Sendable {
  /// From a head's first byte (or the accept) to its end.
  public var head = 10_000
  /// Between requests.
  public var idle = 60_000
  /// Without a byte of a body.
  public var bodyPause = 30_000
  /// Within each `bodyPause`, a body must have come this fast on average, in bytes per second.
  public var bodyBytesPerSecond = 240
  /// A client that takes nothing of what is written.
  public var write = 60_000
  /// Connecting to a backend.
  public var connect = 5_000
  /// From the request to the head of its response.
  public var response = 60_000
  /// Without a byte of a response's body.
  public var responsePause = 60_000
  /// A request that waits for a connection to a backend.
  public var waiting = 5_000
  /// A pooled connection to a backend.
  public var backendIdle = 30_000
  /// A WebSocket or event stream without a byte in either direction.
  public var streamIdle = 600_000
  /// A response that is held for inspection and doesn't end: what is there is inspected, the rest streams.
  public var hold = 10_000
  /// A backend that failed several times in a row is left alone so long.
  public var backendDown = 5_000
  /// What runs when the firewall stops.
  public var stop = 10_000
  /// The usual time-outs.
  public init() {}
}

/// What a firewall runs with.
public struct FirewallConfiguration: Sendable {
  /// Where it listens.
  public var host = "127.0.0.1"
  /// The port; 0 = any free one.
  public var port = 8081
  /// What it protects, at least one.
  public var backends: [BackendAddress]
  /// What happens to what the rules would deny.
  public var mode = FirewallMode.observe
  /// Nil: cleartext.
  public var tls: FirewallTLS?
  /// A JSON line for each transaction; nil: none.
  public var logFile: String?
  /// Lines of the log that wait for the disk; beyond, lines are dropped and counted.
  public var logBufferBytes = 32 << 20
  /// Event loops, where no group is given.
  public var loops = 1
  /// Proxies whose X-Forwarded-For, Forwarded and X-Request-ID are believed.
  public var trustedProxies: [AddressRange] = []
  /// Backends are asked for this path every `healthInterval` ms; nil: only failures of requests count.
  public var healthPath: String?
  /// Between two such questions, in milliseconds.
  public var healthInterval = 5_000
  /// Failures in a row after which a backend is left alone for a while.
  public var failuresUntilDown = 3
  /// The name that is put into Via; nil: none is put.
  public var via: String?
  /// Bounds.
  public var limits = FirewallLimits()
  /// Time-outs.
  public var patience = FirewallPatience()
  /// What request ids are made from beside the time; nil: the system's randomness.
  public var seed: UInt64?
  /// For these backends, with the usual settings.
  public init(backends: [BackendAddress]) { self.backends = backends }
}

/// Why a firewall couldn't start or reload: place, found, wanted.
public struct FirewallError: Error, Sendable, CustomStringConvertible {
  /// The whole sentence.
  public let description: String
  /// With this sentence.
  public init(_ description: String) { self.description = description }
}
