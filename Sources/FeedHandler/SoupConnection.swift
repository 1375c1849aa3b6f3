// A TCP connection to a SoupBinTCP server, and the window its bytes are read into and cut in. Nothing here waits
// longer than it is told to. Owner: the feed thread.

import FeedProtocols
import Foundation

/// See the head of this file.
final class SoupConnection {
  /// Why there is no connection (any more).
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Room for the longest packet, and for many at once.
  private static let windowBytes = 512 << 10

  private let descriptor: Int32
  private let window: UnsafeMutableRawBufferPointer
  private var position = 0
  private var filled = 0
  private var cutter = SoupBinTCPCutter()

  private init(_ descriptor: Int32) {
    self.descriptor = descriptor
    window = .allocate(byteCount: Self.windowBytes, alignment: 64)
    var one: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
  }

  deinit {
    close(descriptor)
    window.deallocate()
  }

  /// Connects, trying all addresses of the server.
  /// - Parameter goesOn: asked every few milliseconds; false gives up.
  static func open(
    _ server: FeedEndpoint, limitNanoseconds: UInt64, goesOn: () -> Bool
  ) throws(Failure) -> SoupConnection {
    let addresses: [ResolvedEndpoint]
    do throws(FeedSetupError) { addresses = try ResolvedEndpoint.all(server, isStream: true) } catch {
      throw Failure(description: error.description)
    }
    var reason = "no address"
    for address in addresses {
      let descriptor = socket(
        address.family,
        Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
      guard descriptor >= 0 else { throw Failure(description: "can't open a TCP socket: \(systemError())") }
      if let failure = establish(descriptor, address, limitNanoseconds, goesOn) {
        close(descriptor)
        reason = failure
      } else {
        return SoupConnection(descriptor)
      }
    }
    throw Failure(description: "can't connect: \(reason)")
  }

  /// Nil where the connection stands.
  private static func establish(
    _ descriptor: Int32, _ address: ResolvedEndpoint, _ limit: UInt64, _ goesOn: () -> Bool
  ) -> String? {
    if address.withAddress({ connect(descriptor, $0, $1) }) == 0 { return nil }
    guard errno == EINPROGRESS else { return systemError() }
    let began = FeedThread.monotonic()
    while FeedThread.monotonic() &- began < limit {
      var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      if poll(&waiting, 1, 5) > 0 {
        var status: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &status, &size)
        return status == 0 ? nil : String(cString: strerror(status))
      }
      if !goesOn() { return "given up" }
    }
    return "no answer within \(limit / 1_000_000_000) s"
  }

  /// Sends a small packet. A kernel that takes nothing now has more waiting than a heartbeat could say.
  func send(_ write: (inout ByteWriter) -> Void) throws(Failure) {
    var writer = ByteWriter()
    write(&writer)
    let sent = writer.bytes.withUnsafeBytes {
      Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
    }
    if sent == writer.bytes.count || (sent < 0 && (errno == EAGAIN || errno == EINTR)) { return }
    throw Failure(description: sent < 0 ? "sending failed: \(systemError())" : "sending was cut short")
  }

  /// What a look at the socket gave.
  enum Arrival { case bytes, nothing }

  /// Reads what is there.
  func receive() throws(Failure) -> Arrival {
    if position > 0 {
      window.copyMemory(from: UnsafeRawBufferPointer(rebasing: window[position..<filled]))
      filled -= position
      position = 0
    }
    guard let base = window.baseAddress else { return .nothing }
    let got = recv(descriptor, base + filled, window.count - filled, Int32(MSG_DONTWAIT))
    if got > 0 {
      filled += got
      return .bytes
    }
    if got == 0 { throw Failure(description: "the server closed the connection") }
    if errno == EAGAIN || errno == EINTR { return .nothing }
    throw Failure(description: "the connection broke: \(systemError())")
  }

  /// Waits until there is something to read, at most so long.
  func wait(milliseconds: Int32) {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    poll(&waiting, 1, milliseconds)
  }

  /// The next packet or run of messages among what was read.
  func next(maximumRun: Int) throws(SoupBinTCPError) -> SoupBinTCPCutter.Step {
    var bytes = UnsafeMutableRawBufferPointer(rebasing: window[..<filled]).mutableBytes
    return try cutter.next(in: &bytes, at: &position, maximumRun: maximumRun)
  }

  /// Bytes of the window; valid until the next `receive`.
  func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: window[range])
  }

  /// A packet other than sequenced data.
  func packet(type: UInt8, payload: Range<Int>) throws(SoupBinTCPError) -> SoupBinTCPServerPacket {
    let all = UnsafeRawBufferPointer(rebasing: window[..<filled])
    do throws(SoupBinTCPError) {
      return try SoupBinTCPServerPacket(type: type, payload: payload, in: all.bytes)
    } catch {
      throw error.moved(by: cutter.offset - UInt64(3 + payload.count))
    }
  }
}
