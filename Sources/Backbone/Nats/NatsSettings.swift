// How a node connects to one rail of message servers.

import Foundation

/// See the head of this file.
public struct NatsSettings: Sendable {
  /// A server's address.
  public struct Server: Sendable, Equatable, CustomStringConvertible {
    /// IP address or host name.
    public var host: String
    /// Port for nodes.
    public var port: Int

    /// An address.
    public init(host: String, port: Int) {
      self.host = host
      self.port = port
    }

    /// `HOST:PORT`; an IPv6 address in brackets.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    func url(isSecure: Bool) -> String { (isSecure ? "tls://" : "nats://") + description }
  }

  /// Files in PEM.
  public struct TLS: Sendable, Equatable {
    /// Whom to trust.
    public var authority: String
    /// The node's own certificate; nil: it has none.
    public var certificate: String?
    /// Its key.
    public var key: String?
    /// The name in the server's certificate; nil: its host.
    public var serverName: String?

    /// TLS with that authority.
    public init(authority: String, certificate: String? = nil, key: String? = nil, serverName: String? = nil)
    {
      self.authority = authority
      self.certificate = certificate
      self.key = key
      self.serverName = serverName
    }
  }

  /// The rail's name.
  public var rail: String
  /// Its servers, nearest first.
  public var servers: [Server]
  /// What the server's logs call this connection.
  public var name: String
  /// User; nil: nobody is asked.
  public var user: String?
  /// Password.
  public var password: String?
  /// nil: no TLS.
  public var tls: TLS?
  /// First words of the subjects on which answers come.
  public var inbox: String
  /// Between two pings; with the third unanswered one the server is given up.
  public var pingMilliseconds = 120
  /// How long a server may take to answer a connection.
  public var connectMilliseconds = 500
  /// Between two rounds of trying servers.
  public var reconnectMilliseconds = 50
  /// How long another server than the nearest is kept before it is looked whether the nearest is there again.
  public var returnSeconds = 30.0
  /// Bytes that may wait for the socket; what comes then is dropped.
  public var pendingBytes = 8 << 20
  /// Messages that may wait for a handler.
  public var subscriptionMessages = 65_536
  /// Bytes that may wait for a handler.
  public var subscriptionBytes = 64 << 20
  /// Bytes a second by system.
  public var budgets: [BusSystem: UInt64] = [:]

  /// Settings; the rest has its defaults.
  public init(rail: String, servers: [Server], name: String) {
    self.rail = rail
    self.servers = servers
    self.name = name
    inbox = "_INBOX." + name
  }

  /// Reads a node's password from a file with a line `node password` each; `#` begins a comment.
  /// - Throws: `BusError` where it can't be read, or doesn't name the node.
  public mutating func readPassword(of node: String, from path: String) throws(BusError) {
    let text: String
    do { text = try String(contentsOfFile: path, encoding: .utf8) } catch {
      throw BusError("credentials \(path): can't be read: \(error.localizedDescription)")
    }
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      if line.hasPrefix("#") { continue }
      let words = line.split(separator: " ", maxSplits: 1)
      guard words.first.map(String.init) == node else { continue }
      guard words.count == 2, !words[1].trimmingCharacters(in: .whitespaces).isEmpty else {
        throw BusError("credentials \(path):\(number + 1): a password after \"\(node)\" wanted")
      }
      user = node
      password = words[1].trimmingCharacters(in: .whitespaces)
      return
    }
    throw BusError("credentials \(path): no line for node \"\(node)\"; a line \"\(node) PASSWORD\" is wanted")
  }
}
