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
  /// Connections at once from one address; loopback is exempt.
  public var connectionsPerAddress = 256
  /// Bytes of a message from a client.
  public var messageBytes = 64 << 10
  /// Seconds a connection may be idle between requests, or take for one.
  public var requestSeconds: Int64 = 60
  /// Origins that browsers may call from (CORS); `*` = any.
  public var allowedOrigins: [String] = ["*"]
  /// Milliseconds between `move` and the end of connections.
  public var drainMilliseconds = 2_000
  /// Limits of a stream client.
  public var client = ClientLimits()
  /// Folder of the viewer's files; nil = beside the program.
  public var viewerDirectory: String?
  /// What `/v1/status` and `Server` say.
  public var version = "0.0.0"

  /// The defaults.
  public init() {}
}

/// Why the gateway can't start.
public struct GatewayError: Error, Sendable, CustomStringConvertible {
  /// Place, reason and remedy.
  public var description: String
  init(_ description: String) { self.description = description }
}
