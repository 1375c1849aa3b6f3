// Where a backend is: `http://HOST[:PORT]`, or `unix:PATH` for one on this machine that nobody else shall reach.

/// See the head of this file.
public struct BackendAddress: Sendable, Hashable, CustomStringConvertible {
  /// A name or an address.
  public let host: String
  /// Its port.
  public let port: Int
  /// The path of a socket in the file system, in place of host and port.
  public let socketPath: String?

  /// From its parts.
  public init(host: String, port: Int) {
    self.host = host
    self.port = port
    socketPath = nil
  }

  /// A socket in the file system.
  public init(socketPath: String) {
    host = "localhost"
    port = 0
    self.socketPath = socketPath
  }

  /// Reads `http://HOST[:PORT][/]` or `unix:PATH`.
  public init(_ text: String) throws(FirewallError) {
    func wrong(_ why: String) -> FirewallError {
      FirewallError("backend '\(text)': \(why); wanted http://HOST:PORT, as http://127.0.0.1:9000")
    }
    if text.hasPrefix("unix:") {
      let path = String(text.dropFirst(5))
      guard !path.isEmpty, path.utf8.count < 108 else {
        throw wrong("a path of 1 to 107 bytes follows unix:")
      }
      self.init(socketPath: path)
      return
    }
    guard text.lowercased().hasPrefix("http://") else {
      throw wrong(text.contains("://") ? "only http is spoken to backends" : "no scheme")
    }
    var rest = String(text.dropFirst(7))
    if rest.hasSuffix("/") { rest.removeLast() }
    guard let (host, port) = Self.hostAndPort(rest, standard: 80) else {
      throw wrong("'\(rest)' is not a host and a port")
    }
    self.init(host: host, port: port)
  }

  /// Splits `HOST:PORT`, `[IPv6]:PORT`, and, where there is a standard port, `HOST`.
  public static func hostAndPort(_ text: String, standard: Int? = nil) -> (host: String, port: Int)? {
    var host = text
    var port = standard
    if let colon = text.lastIndex(of: ":"), !text[colon...].contains("]") {
      host = String(text[..<colon])
      guard let number = Int(text[text.index(after: colon)...]), (0...65_535).contains(number) else {
        return nil
      }
      port = number
    }
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
    } else if host.contains(":") {
      return nil
    }
    guard let port, !host.isEmpty,
      host.utf8.allSatisfy({
        Octets.classes[Int($0)] & Octets.token != 0 || $0 == UInt8(ascii: ":")
      })
    else { return nil }
    return (host, port)
  }

  /// As it stands in Host.
  public var authority: String {
    if socketPath != nil { return host }
    return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
  /// As it was written.
  public var description: String { socketPath.map { "unix:\($0)" } ?? "http://\(authority)" }
}
