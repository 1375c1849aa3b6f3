// A SoupBinTCP 3.00 server over the sessions that are being published: any number of clients, each from any number
// on, each at its own pace, because what it hasn't taken yet stays with the session and not in a queue of its own.
// At numbers that nobody has a client's connection ends; it logs in again and is told the number that comes next.
// Owner: the publisher's thread; never waits but in `wait`.

import FeedProtocols
import Foundation

/// See the head of this file.
final class SoupServer {
  /// What has happened.
  struct Counters {
    var connections: UInt64 = 0
    /// Connections beyond the limit.
    var refused: UInt64 = 0
    var accepted: UInt64 = 0
    var rejected: UInt64 = 0
    /// Clients that did what they must not, were silent, or took nothing.
    var faults: UInt64 = 0
    var messages: UInt64 = 0
    var bytes: UInt64 = 0
    /// Clients that were told the end of a session.
    var ended: UInt64 = 0
  }

  /// Clients at once.
  static let maximumClients = 256

  let sessions = PublishedSessions(keeps: true)
  /// The port it listens on.
  let port: UInt16
  var counters = Counters()
  let rules: SoupBinTCPServerSession.Rules
  let log: @Sendable (FeedThread.Level, String) -> Void
  private let listener: Int32
  private(set) var clients: [SoupServerClient] = []
  private var descriptors: [pollfd] = []
  private var isEnded = false

  /// Listens.
  /// - Throws: `FeedSetupError`.
  init(
    _ soup: FeedAddress.Soup, options: FeedPublisher.Options,
    log: @escaping @Sendable (FeedThread.Level, String) -> Void
  ) throws(FeedSetupError) {
    self.log = log
    var rules = SoupBinTCPServerSession.Rules(user: soup.user, password: soup.password)
    rules.heartbeatNanoseconds = options.heartbeatNanoseconds
    self.rules = rules
    let address = try ResolvedEndpoint.first(soup.server, isStream: true, listens: true)
    listener = socket(
      address.family,
      Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
    guard listener >= 0 else { throw FeedSetupError("can't open a TCP socket: \(systemError())") }
    let descriptor = listener
    var one: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
    let listens = address.withAddress { bind(descriptor, $0, $1) == 0 } && listen(descriptor, 128) == 0
    guard listens else {
      let reason = systemError()
      close(descriptor)
      throw FeedSetupError(
        "server \(soup.server): can't listen: \(reason); wanted a free port of an address of this machine")
    }
    port = ResolvedEndpoint.bound(descriptor).port
  }

  deinit { end() }

  /// Closes all connections and listens no more.
  func end() {
    for client in clients { client.hangUp() }
    clients = []
    if !isEnded { close(listener) }
    isEnded = true
  }

  /// Whether a client has still to be served.
  var isServing: Bool { !clients.isEmpty }

  /// Takes who comes, reads what was said, sends what can be sent.
  func service(at now: UInt64) {
    while true {
      let descriptor = accept(listener, nil, nil)
      guard descriptor >= 0 else { break }
      counters.connections += 1
      guard clients.count < Self.maximumClients else {
        counters.refused += 1
        close(descriptor)
        continue
      }
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
      _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
      var one: Int32 = 1
      setsockopt(
        descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
      clients.append(SoupServerClient(descriptor, rules: rules, at: now))
    }
    var someoneLeft = false
    for client in clients {
      client.service(self, at: now)
      someoneLeft = someoneLeft || client.isClosed
    }
    if someoneLeft { clients.removeAll { $0.isClosed } }
  }

  /// Waits, at most so long, for clients.
  func wait(nanoseconds: UInt64) {
    guard nanoseconds >= 2_000_000 else {
      usleep(UInt32(max(1, nanoseconds / 1000)))
      return
    }
    descriptors.removeAll(keepingCapacity: true)
    descriptors.append(pollfd(fd: listener, events: Int16(POLLIN), revents: 0))
    for client in clients {
      descriptors.append(
        pollfd(fd: client.descriptor, events: Int16(client.isWaiting ? POLLIN | POLLOUT : POLLIN), revents: 0)
      )
    }
    poll(&descriptors, nfds_t(descriptors.count), Int32(min(nanoseconds, 50_000_000) / 1_000_000))
  }

  /// What a login that names `session` (empty = the current one) may have.
  func offer(_ session: String) -> SoupBinTCPServerSession.Offer? {
    guard let found = sessions.named(session) else { return nil }
    return .init(session: found.name, first: found.first, next: found.next, missing: found.missing)
  }
}
