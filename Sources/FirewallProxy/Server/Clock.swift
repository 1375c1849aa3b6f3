// The time, in nanoseconds.

import Glibc

enum Clock {
  /// Of a clock that only goes forward.
  @inline(__always)
  static func monotonic() -> Int64 { read(CLOCK_MONOTONIC) }
  /// Since 1970.
  static func wall() -> Int64 { read(CLOCK_REALTIME) }

  @inline(__always)
  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }
}
