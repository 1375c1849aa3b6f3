// zlib's inflate for gzip members. The only file that touches CZlib: handles become an owner, codes a value.

import CZlib

/// Decompresses one gzip member after the other.
final class Inflater {
  /// How a step ended.
  enum Outcome {
    /// Wants more input, or more room.
    case more
    /// The member is whole and its checksum right.
    case memberEnd
    /// What zlib says.
    case damaged(String)
  }

  // On the heap, as zlib remembers the address.
  private let stream: UnsafeMutablePointer<z_stream>
  private let isReady: Bool

  init() {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    // 15 bits of window, 16 = with gzip header and checksum.
    isReady = kabuto_inflate_init(stream, 15 + 16) == Z_OK
  }

  deinit {
    if isReady { inflateEnd(stream) }
    stream.deallocate()
  }

  /// Gets ready for the next member; false where zlib can't.
  func restart() -> Bool { isReady && inflateReset(stream) == Z_OK }

  /// Decompresses from `source` to `target`; neither is empty, both have less than 4 GiB.
  func inflate(
    _ source: UnsafeMutableRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) -> (used: Int, written: Int, outcome: Outcome) {
    guard isReady else { return (0, 0, .damaged("zlib has no memory")) }
    let room = min(target.count, 1 << 30)
    stream.pointee.next_in = source.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_in = UInt32(source.count)
    stream.pointee.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = UInt32(room)
    let code = CZlib.inflate(stream, Z_NO_FLUSH)
    let used = source.count - Int(stream.pointee.avail_in)
    let written = room - Int(stream.pointee.avail_out)
    switch code {
    case Z_OK, Z_BUF_ERROR: return (used, written, .more)
    case Z_STREAM_END: return (used, written, .memberEnd)
    default:
      let said = stream.pointee.msg.map { String(cString: $0) } ?? "zlib's code \(code)"
      return (used, written, .damaged("damaged data (\(said))"))
    }
  }
}
