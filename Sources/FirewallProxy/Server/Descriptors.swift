// How many descriptors the process may have: each connection takes one.

import Glibc

enum Descriptors {
  /// Raises the soft limit to what is wanted or allowed. Best effort: without descriptors, accepting waits.
  static func raiseLimit(to wanted: Int) {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0,
      limit.rlim_cur < UInt(wanted), limit.rlim_cur < limit.rlim_max
    else { return }
    limit.rlim_cur = min(limit.rlim_max, UInt(wanted))
    _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }
}
