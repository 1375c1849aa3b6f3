// A UDP socket that receives in batches, with the kernel's time stamps: a line (multicast or not), or the way to the
// request server.
// Owner: one thread. Invariant: the socket is closed with its owner; no allocation per datagram.

import CNetwork
import Foundation

/// See the head of this file.
final class DatagramSocket {
  /// Most bytes of a datagram: the largest UDP has.
  static let datagramBytes = 65_536
  /// Wanted of the kernel, so that a pause of the thread loses nothing.
  static let bufferBytes: Int32 = 32 << 20

  /// The file descriptor.
  let descriptor: Int32
  /// Bytes the kernel gave for waiting datagrams.
  let kernelBytes: Int
  private let datagrams: UnsafeMutablePointer<kabuto_datagram>
  private let bytes: UnsafeMutableRawPointer
  private static var batch: Int { Int(KABUTO_BATCH) }

  /// Listens to a group on an interface, or to an own address.
  /// - Parameter interface: its name or one of its addresses; nil = the system chooses.
  convenience init(listeningTo endpoint: FeedEndpoint, interface: String?) throws(FeedSetupError) {
    var index: UInt32 = 0
    if let interface { index = try NetworkInterfaces.index(of: interface) }
    let address = try ResolvedEndpoint.first(endpoint, isStream: false, listens: true)
    let socket = try Self.open(address.family)
    var yes: Int32 = 1
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    guard address.withAddress({ bind(socket, $0, $1) }) == 0 else {
      throw Self.fault("\(endpoint) can't be listened to", closing: socket)
    }
    if address.isMulticast {
      // Only of groups this socket joined, not of all that the machine did.
      var no: Int32 = 0
      let joined: Int32
      if address.family == AF_INET {
        setsockopt(socket, Int32(IPPROTO_IP), IP_MULTICAST_ALL, &no, socklen_t(MemoryLayout<Int32>.size))
        var request = ip_mreqn()
        withUnsafeMutableBytes(of: &request.imr_multiaddr) { $0.copyBytes(from: address.hostBytes) }
        request.imr_ifindex = Int32(bitPattern: index)
        joined = setsockopt(
          socket, Int32(IPPROTO_IP), IP_ADD_MEMBERSHIP, &request, socklen_t(MemoryLayout<ip_mreqn>.size))
      } else {
        var request = ipv6_mreq()
        withUnsafeMutableBytes(of: &request.ipv6mr_multiaddr) { $0.copyBytes(from: address.hostBytes) }
        request.ipv6mr_interface = index
        joined = setsockopt(
          socket, Int32(IPPROTO_IPV6), IPV6_ADD_MEMBERSHIP, &request,
          socklen_t(MemoryLayout<ipv6_mreq>.size))
      }
      guard joined == 0 else {
        throw Self.fault("group \(endpoint) can't be joined (option interface names where)", closing: socket)
      }
    }
    self.init(socket)
  }

  /// Sends to and hears one address alone.
  convenience init(connectedTo endpoint: FeedEndpoint) throws(FeedSetupError) {
    let address = try ResolvedEndpoint.first(endpoint, isStream: false)
    let socket = try Self.open(address.family)
    guard address.withAddress({ connect(socket, $0, $1) }) == 0 else {
      throw Self.fault("\(endpoint) can't be reached", closing: socket)
    }
    self.init(socket)
  }

  private init(_ socket: Int32) {
    descriptor = socket
    var yes: Int32 = 1
    let size = socklen_t(MemoryLayout<Int32>.size)
    setsockopt(socket, SOL_SOCKET, SO_TIMESTAMPNS, &yes, size)
    setsockopt(socket, SOL_SOCKET, SO_RXQ_OVFL, &yes, size)
    var wanted = Self.bufferBytes
    // The first asks for more than the system's limit, which root may have.
    if setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, size) != 0 {
      setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &wanted, size)
    }
    var given: Int32 = 0
    var givenSize = size
    getsockopt(socket, SOL_SOCKET, SO_RCVBUF, &given, &givenSize)
    kernelBytes = Int(given) / 2
    bytes = .allocate(byteCount: Self.batch * Self.datagramBytes, alignment: 4096)
    datagrams = .allocate(capacity: Self.batch)
    datagrams.initialize(repeating: kabuto_datagram(), count: Self.batch)
  }

  deinit {
    close(descriptor)
    bytes.deallocate()
    datagrams.deallocate()
  }

  private static func open(_ family: Int32) throws(FeedSetupError) -> Int32 {
    let socket = Glibc.socket(family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard socket >= 0 else { throw FeedSetupError("no socket: \(systemError())") }
    return socket
  }

  private static func fault(_ what: String, closing socket: Int32) -> FeedSetupError {
    let reason = systemError()
    close(socket)
    return FeedSetupError("\(what): \(reason)")
  }

  /// One received datagram.
  struct Datagram {
    /// Its bytes, valid until the next call.
    var bytes: UnsafeRawBufferPointer
    /// When the kernel had it, nanoseconds since 1970; 0 = unknown.
    var receivedAt: UInt64
    /// Datagrams the kernel dropped on this socket so far; 0 = not told.
    var dropped: UInt32
  }

  /// Takes what has come, at most one batch, without waiting.
  /// - Returns: how many there were.
  func receive(_ body: (Datagram) -> Void) -> Int {
    for place in 0..<Self.batch {
      datagrams[place].bytes = bytes + place * Self.datagramBytes
      datagrams[place].count = UInt32(Self.datagramBytes)
    }
    let received = Int(kabuto_receive(descriptor, datagrams, KABUTO_BATCH))
    guard received > 0 else { return 0 }
    for place in 0..<received {
      let datagram = datagrams[place]
      body(
        Datagram(
          bytes: UnsafeRawBufferPointer(start: datagram.bytes, count: Int(datagram.count)),
          receivedAt: datagram.received_at, dropped: datagram.dropped))
    }
    return received
  }

  /// Whether a full batch was taken: more may be waiting.
  static func isFull(_ received: Int) -> Bool { received == batch }

  /// Sends to the connected address. What can't be sent is lost, as any datagram may be.
  func send(_ data: [UInt8]) {
    _ = data.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT)) }
  }
}
