// What the peer's kernel has taken of a connection's bytes (Linux, TCP_INFO): so that a client that reads slowly is
// told from one that doesn't read, though a frame of ours takes it minutes. One system call a look; looks are seldom.

import Glibc
import NIOCore

/// A look at a TCP connection.
struct TCPProgress: Equatable {
  /// Bytes of ours that the peer has acknowledged since the connection began.
  var acknowledgedBytes: UInt64
  /// Whether some of what was sent is not acknowledged yet.
  var hasOutstanding: Bool

  // `struct tcp_info` of <linux/tcp.h>, which only ever grows at its end; the C library's own stops before the first.
  private static let unacknowledgedOffset = 24
  private static let acknowledgedBytesOffset = 120
  private static let unsentBytesOffset = 144
  private static let wantedBytes = 148

  /// Looks; nil where the kernel doesn't say (before Linux 4.6), or the socket is none of TCP.
  init?(socket: CInt) {
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 8)
    defer { block.deallocate() }
    var length = socklen_t(block.count)
    guard getsockopt(socket, CInt(IPPROTO_TCP), TCP_INFO, block.baseAddress, &length) == 0,
      Int(length) >= Self.wantedBytes
    else { return nil }
    acknowledgedBytes = block.load(fromByteOffset: Self.acknowledgedBytesOffset, as: UInt64.self)
    hasOutstanding =
      block.load(fromByteOffset: Self.unacknowledgedOffset, as: UInt32.self) > 0
      || block.load(fromByteOffset: Self.unsentBytesOffset, as: UInt32.self) > 0
  }

  /// Looks at a channel's connection, be there TLS on it or not.
  init?(channel: any Channel) {
    guard channel.isActive else { return nil }
    let found: TCPProgress?? = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
      of: NIOBSDSocket.Handle.self
    ) { TCPProgress(socket: $0) }
    guard let found, let found else { return nil }
    self = found
  }
}
