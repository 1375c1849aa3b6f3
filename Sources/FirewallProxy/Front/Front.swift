// What stands between an exchange and its client: a connection of HTTP/1, or a stream of HTTP/2.

import Firewall
import NIOCore

/// How a response's end is shown to the client.
enum ClientFraming: Equatable {
  case none
  case length
  case chunked
  case untilClose
}

/// An answer of the firewall's own.
struct Page {
  var status: Int
  var fields: [(name: String, value: String)]
  var body: ByteBuffer
}

protocol Front: AnyObject {
  var client: ClientIdentity { get }
  /// It is reading, and has the exchange flush what goes to the backend when it is through.
  var isReading: Bool { get }
  /// False: the client takes less than is written.
  var isWritable: Bool { get }
  func sendContinue()
  /// - Parameter length: of a body that was held, where the backend didn't say it.
  func sendHead(_ response: ResponseHead, framing: ClientFraming, length: Int?, closes: Bool)
  func sendBody(_ part: ByteBuffer)
  func sendEnd()
  func sendPage(_ page: Page, closes: Bool)
  func flush()
  /// From now on bytes pass as they are.
  func becomeRelay()
  func relay(_ bytes: ByteBuffer)
  /// Ends the connection or stream without an answer, or without the rest of it.
  func cut()
  func pauseBody()
  func resumeBody()
  /// The exchange is over; the next one may begin.
  func exchangeEnded(closes: Bool)
}

/// Who the client is, for as long as its connection lasts.
final class ClientIdentity {
  let facts: ConnectionFacts
  let isTrusted: Bool
  let isSecure: Bool
  /// `X-Forwarded-For` and `X-Forwarded-Proto`, ready to be copied.
  let forwardedLines: [UInt8]
  /// What its connections are counted by; nil: not.
  let key: String?

  init(
    remote: SocketAddress?, local: SocketAddress?, isSecure: Bool, trusted: [AddressRange],
    exemptsLoopback: Bool
  ) {
    let address = remote?.ipAddress ?? "127.0.0.1"
    // IPv4 through an IPv6 socket is IPv4.
    let plain = address.hasPrefix("::ffff:") && address.contains(".") ? String(address.dropFirst(7)) : address
    facts = ConnectionFacts(
      clientAddress: plain, clientPort: remote?.port ?? 0, serverAddress: local?.ipAddress ?? "127.0.0.1",
      serverPort: local?.port ?? 0)
    self.isSecure = isSecure
    if trusted.isEmpty {
      isTrusted = false
    } else {
      let octets = AddressRange.octets(plain) ?? []
      isTrusted = trusted.contains { $0.contains(octets) }
    }
    forwardedLines = Array(
      "X-Forwarded-For: \(plain)\r\nX-Forwarded-Proto: \(isSecure ? "https" : "http")\r\n".utf8)
    let isLoopback = plain.hasPrefix("127.") || plain == "::1"
    key = isTrusted || (exemptsLoopback && isLoopback) ? nil : ConnectionLedger.key(of: plain)
  }

  /// The address that stands for the client behind proxies that are trusted: the last one in X-Forwarded-For that is not
  /// such a proxy's.
  func address(behind forwardedFor: String, trusted: [AddressRange]) -> String {
    for part in forwardedFor.split(separator: ",").reversed() {
      let text = part.trimmingSpaces()
      guard let octets = AddressRange.octets(text) else { break }
      if !trusted.contains(where: { $0.contains(octets) }) { return text }
    }
    return facts.clientAddress
  }
}

extension Substring {
  fileprivate func trimmingSpaces() -> String {
    var part = self
    while part.first == " " { part.removeFirst() }
    while part.last == " " { part.removeLast() }
    return String(part)
  }
}
