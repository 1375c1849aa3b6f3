// Searching raw memory.

import Glibc

enum Bytes {
  /// The offset of the first `byte` in `from..<to`.
  @inline(__always)
  static func find(_ byte: UInt8, _ start: UnsafeRawPointer, from: Int, to: Int) -> Int? {
    guard from < to, let found = memchr(start + from, Int32(byte), to - from) else { return nil }
    return UnsafeRawPointer(found) - start
  }
}
