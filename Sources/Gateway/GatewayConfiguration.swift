// What the gateway is told: where it listens, what it allows.

public import Distribution

/// Configuration of the gateway. Every limit is reported to who hits it, and counted in `/metrics`.
public struct GatewayConfiguration: Sendable {
  /// Address to listen on.
  public var host = "127.0.0.1"
  /// Port; 0 = any free one.
  public var port = 8080
  /// PEM files; both or none.
  public var tlsCertificate: String?
  /// PEM file with the private key.
  public var tlsKey: String?
  /// Event loops; each has its own images and clients.
  public var loops = 1
  /// Connections at once.
  public var connections = 20_000
  /// Connections at once from one address (IPv6: one network of 64 bits); loopback is exempt.
  public var connectionsPerAddress = 256
  /// Requests and new connections a second from one address, averaged over five seconds; loopback is exempt.
  public var requestsPerSecond = 500
  /// Bytes of a message from a client.
  public var messageBytes = 64 << 10
  /// Bytes of a request's line and header fields.
  public var headBytes = 64 << 10
  /// Bytes of a request's body, which no request here needs.
  public var bodyBytes = 64 << 10
  /// Seconds from the accept to the first request's whole head, TLS included; and from the first byte of a later
  /// request to its whole head.
  public var handshakeSeconds: Int64 = 10
  /// Seconds from a request's head to its end.
  public var requestSeconds: Int64 = 60
  /// Seconds between requests.
  public var idleSeconds: Int64 = 60
  /// Seconds in which a peer must take an answer, and one more for each 16 KiB of it.
  public var answerSeconds: Int64 = 60
  /// Bytes of large answers that peers haven't taken yet, of all connections together.
  public var answerBytes = 256 << 20
  /// Seconds of silence after which a WebSocket client is asked whether it is there; after three such rounds it is
  /// dropped. 0 = it is never asked.
  public var pingSeconds: Int64 = 20
  /// Origins that browsers may call from (CORS); `*` = any.
  public var allowedOrigins: [String] = ["*"]
  /// Milliseconds between `move` and the end of connections.
  public var drainMilliseconds = 2_000
  /// Limits of a stream client.
  public var client = ClientLimits()
  /// Folder of the viewer's files; nil = beside the program.
  public var viewerDirectory: String?
  /// Which of the viewer's files `/` is.
  public var frontPage = "/index.html"
  /// Where the same is served, this server included, nearest first; empty = here alone.
  public var endpoints: [GatewayEndpoint] = []
  /// Name of this node in its estate; nil = none.
  public var node: String?
  /// Its zone.
  public var zone: String?
  /// Its site.
  public var site: String?
  /// Names of tenants: requests may say whose they are. Empty: what they say isn't looked at.
  public var tenants: [String] = []
  /// What `/v1/status` and `Server` say.
  public var version = "0.0.0"

  /// Whether limits by address leave loopback alone; tests have nothing but loopback.
  var exemptsLoopback = true

  /// The defaults.
  public init() {}

  /// Scheme, host and port as it was told to listen.
  var ownURL: String {
    let shown = host.contains(":") ? "[\(host)]" : host
    return "\(tlsCertificate == nil ? "http" : "https")://\(shown):\(port)"
  }
}

/// Why the gateway can't start.
public struct GatewayError: Error, Sendable, CustomStringConvertible {
  /// Place, reason and remedy.
  public var description: String
  init(_ description: String) { self.description = description }
}
