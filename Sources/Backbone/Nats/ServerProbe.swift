// Looks whether a message server answers, on a thread of its own: one that is frozen takes connections and says nothing,
// so its first words are waited for.

import Foundation
import Synchronization

/// See the head of this file.
final class ServerProbe: Sendable {
  private let found = Atomic<Bool>(false)
  private let isLooking = Atomic<Bool>(false)

  /// Whether the server has answered.
  var isThere: Bool { found.load(ordering: .acquiring) }

  /// Begins to look; one look at a time.
  func look(at server: NatsSettings.Server) {
    guard !isLooking.exchange(true, ordering: .acquiringAndReleasing) else { return }
    let thread = Thread { [self] in
      if Self.answers(server) { found.store(true, ordering: .releasing) }
      isLooking.store(false, ordering: .releasing)
    }
    thread.name = "probe"
    thread.start()
  }

  private static func answers(_ server: NatsSettings.Server) -> Bool {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(server.host, String(server.port), &hints, &list) == 0, let first = list else {
      return false
    }
    defer { freeaddrinfo(first) }
    let socket = Foundation.socket(
      first.pointee.ai_family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard socket >= 0 else { return false }
    defer { close(socket) }
    // Both the connection and the first words have this time.
    var limit = timeval(tv_sec: 0, tv_usec: 300_000)
    let size = socklen_t(MemoryLayout<timeval>.size)
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
    guard connect(socket, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0 else { return false }
    var words = [UInt8](repeating: 0, count: 5)
    return recv(socket, &words, words.count, 0) == words.count && words == Array("INFO ".utf8)
  }
}
