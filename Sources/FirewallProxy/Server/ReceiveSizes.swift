// How much is read from a connection at once: little at first, so that idle connections are small; much where much comes,
// so that a request with a body of some kilobytes is read in one piece and a large one in few.
//
// Owner: the channel's event loop.

import NIOCore

struct ReceiveSizes: RecvByteBufferAllocator {
  private static let sizes = [2 << 10, 16 << 10, 64 << 10]
  /// Reads in a row that would have fitted the next smaller size, until that is used again.
  private static let patience = 16
  private var level = 0
  private var small = 0

  func nextBufferSize() -> Int? { Self.sizes[level] }

  func buffer(allocator: ByteBufferAllocator) -> ByteBuffer { allocator.buffer(capacity: Self.sizes[level]) }

  mutating func record(actualReadBytes: Int) -> Bool {
    if actualReadBytes >= Self.sizes[level] {
      small = 0
      guard level + 1 < Self.sizes.count else { return false }
      level += 1
      return true
    }
    if level > 0, actualReadBytes <= Self.sizes[level - 1] {
      small += 1
      if small >= Self.patience {
        level -= 1
        small = 0
      }
    } else {
      small = 0
    }
    return false
  }
}
