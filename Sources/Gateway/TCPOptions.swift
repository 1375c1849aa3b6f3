// What the kernel watches for us: peers that are gone without a word, and data that nobody acknowledges.
// Best effort: where an option isn't known, our own limits remain.

import Distribution
import Glibc
import NIOCore

enum TCPOptions {
  /// Seconds between the probes of a silent connection, and how many go unanswered before it ends.
  private static let probe: (seconds: CInt, count: CInt) = (10, 3)

  /// A silent peer is probed; one that takes nothing for longer than any limit of ours allows is cut off, also where
  /// the connection is closed here already and only the kernel still has something for it.
  static func apply(to channel: any Channel, _ configuration: GatewayConfiguration) {
    let patience = max(configuration.answerSeconds, Int64(configuration.client.stuckMilliseconds / 1000)) + 5
    let options: [(name: CInt, value: CInt)] = [
      (TCP_KEEPIDLE, CInt(clamping: max(10, configuration.pingSeconds))),
      (TCP_KEEPINTVL, probe.seconds), (TCP_KEEPCNT, probe.count),
      (TCP_USER_TIMEOUT, CInt(clamping: patience * 1000)),
    ]
    let done: Void? = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
      of: NIOBSDSocket.Handle.self
    ) { socket in
      for (name, value) in options {
        var value = value
        _ = setsockopt(socket, CInt(IPPROTO_TCP), name, &value, socklen_t(MemoryLayout<CInt>.size))
      }
    }
    _ = done
  }

  /// Raises how many descriptors this process may have to what it is allowed; how many that is.
  static func raiseDescriptorLimit(to wanted: Int) -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return wanted }
    if limit.rlim_cur < UInt(wanted), limit.rlim_cur < limit.rlim_max {
      limit.rlim_cur = min(limit.rlim_max, UInt(wanted))
      _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      _ = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
    return Int(clamping: limit.rlim_cur)
  }
}
