// Hosts, ports and interfaces as the kernel wants them. Names are resolved by the system, which may take its time.

import Foundation

/// An address of the kernel.
struct ResolvedEndpoint: Sendable {
  var storage = sockaddr_storage()
  var length: socklen_t = 0

  var family: Int32 { Int32(storage.ss_family) }

  /// All addresses of a place.
  /// - Throws: `FeedSetupError` where there is none.
  static func all(
    _ endpoint: FeedEndpoint, isStream: Bool, listens: Bool = false
  ) throws(FeedSetupError) -> [ResolvedEndpoint] {
    var hints = addrinfo()
    hints.ai_socktype = Int32(isStream ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue)
    hints.ai_flags = AI_NUMERICSERV | (listens ? AI_PASSIVE : 0)
    var list: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(endpoint.host, String(endpoint.port), &hints, &list)
    guard status == 0 else {
      throw FeedSetupError(
        "host \"\(endpoint.host)\": \(String(cString: gai_strerror(status))); wanted an address or a name that is known here"
      )
    }
    defer { freeaddrinfo(list) }
    var found: [ResolvedEndpoint] = []
    var next = list
    while let info = next {
      next = info.pointee.ai_next
      guard let address = info.pointee.ai_addr,
        info.pointee.ai_addrlen <= MemoryLayout<sockaddr_storage>.size
      else { continue }
      var one = ResolvedEndpoint()
      one.length = info.pointee.ai_addrlen
      withUnsafeMutableBytes(of: &one.storage) {
        $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: Int(info.pointee.ai_addrlen)))
      }
      found.append(one)
    }
    guard !found.isEmpty else { throw FeedSetupError("host \"\(endpoint.host)\": no address found") }
    return found
  }

  /// The first address of a place.
  static func first(_ endpoint: FeedEndpoint, isStream: Bool, listens: Bool = false) throws(FeedSetupError)
    -> Self
  {
    let all = try all(endpoint, isStream: isStream, listens: listens)
    return all[0]
  }

  /// Whether packets to it reach a group.
  var isMulticast: Bool {
    var copy = storage
    return withUnsafeBytes(of: &copy) { bytes in
      family == AF_INET ? bytes[4] >> 4 == 0xe : family == AF_INET6 ? bytes[8] == 0xff : false
    }
  }

  /// The bytes of the address alone: 4 or 16.
  var hostBytes: [UInt8] {
    withUnsafeBytes(of: storage) { family == AF_INET ? Array($0[4..<8]) : Array($0[8..<24]) }
  }

  /// The port.
  var port: UInt16 {
    var copy = storage
    return withUnsafeBytes(of: &copy) { UInt16($0[2]) << 8 | UInt16($0[3]) }
  }

  /// Calls `body` with the address as C functions take it.
  func withAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    withUnsafePointer(to: storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
    }
  }

  /// The address that a socket has got.
  static func bound(_ socket: Int32) -> ResolvedEndpoint {
    var one = ResolvedEndpoint()
    one.length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    withUnsafeMutablePointer(to: &one.storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(socket, $0, &one.length) }
    }
    return one
  }
}

/// The machine's network interfaces.
enum NetworkInterfaces {
  /// The kernel's number of an interface that is called by its name or by one of its addresses.
  /// - Throws: `FeedSetupError` that names those there are.
  static func index(of text: String) throws(FeedSetupError) -> UInt32 {
    let named = if_nametoindex(text)
    if named != 0 { return named }
    var list: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&list) == 0 else {
      throw FeedSetupError("interface \"\(text)\": the system doesn't tell its interfaces")
    }
    defer { freeifaddrs(list) }
    var known: [String] = []
    var next = list
    while let one = next {
      next = one.pointee.ifa_next
      guard let address = one.pointee.ifa_addr else { continue }
      let family = Int32(address.pointee.sa_family)
      guard family == AF_INET || family == AF_INET6 else { continue }
      var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
      let size = family == AF_INET ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
      guard
        getnameinfo(address, socklen_t(size), &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST) == 0
      else { continue }
      let number = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      let name = String(cString: one.pointee.ifa_name)
      if number == text || number.split(separator: "%").first.map(String.init) == text {
        return if_nametoindex(name)
      }
      known.append("\(name) (\(number))")
    }
    throw FeedSetupError(
      "interface \"\(text)\": there is none; wanted one of \(known.joined(separator: ", "))")
  }
}

/// What the system says about the last call that failed.
func systemError() -> String { String(cString: strerror(errno)) }
