// Addresses of lines and servers: from names to what the kernel wants, and interfaces by name or address.

import Foundation

/// An address as the kernel takes it.
struct SocketAddress {
  /// The bytes.
  var storage = sockaddr_storage()
  /// How many of them count.
  var count: socklen_t = 0
  /// AF_INET or AF_INET6.
  var family: Int32 { Int32(storage.ss_family) }

  /// Looks a host up.
  /// - Throws: `FeedSetupError` that names the host and the reason.
  init(_ endpoint: FeedEndpoint, datagrams: Bool) throws(FeedSetupError) {
    var hints = addrinfo()
    hints.ai_socktype = Int32((datagrams ? SOCK_DGRAM : SOCK_STREAM).rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(endpoint.host, String(endpoint.port), &hints, &found)
    defer { if let found { freeaddrinfo(found) } }
    guard status == 0, let entry = found?.pointee, let address = entry.ai_addr else {
      throw FeedSetupError(
        "\(endpoint): \(String(cString: gai_strerror(status))); wanted a host that can be found")
    }
    count = entry.ai_addrlen
    withUnsafeMutableBytes(of: &storage) {
      $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: Int(entry.ai_addrlen)))
    }
  }

  /// 224.0.0.0/4 or ff00::/8.
  var isMulticast: Bool {
    withUnsafeBytes(of: storage) { bytes in
      family == AF_INET ? bytes[4] & 0xf0 == 0xe0 : bytes[8] == 0xff
    }
  }

  /// Calls `body` with what the kernel takes.
  func withAddress<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
    withUnsafePointer(to: storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, count) }
    }
  }

  /// The bytes of the address alone: 4 or 16.
  var hostBytes: [UInt8] {
    withUnsafeBytes(of: storage) { family == AF_INET ? Array($0[4..<8]) : Array($0[8..<24]) }
  }
}

/// A network interface, as multicast wants it.
struct NetworkInterface {
  /// Its number.
  var index: UInt32

  /// Finds an interface by its name or by one of its addresses; nil = the system chooses.
  /// - Throws: `FeedSetupError` that names what there is.
  init(_ text: String?) throws(FeedSetupError) {
    index = 0
    guard let text else { return }
    index = if_nametoindex(text)
    if index > 0 { return }
    var list: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&list) == 0 else {
      throw FeedSetupError(
        "option interface: the system's list can't be read: \(String(cString: strerror(errno)))")
    }
    defer { freeifaddrs(list) }
    var names: Set<String> = []
    var entry = list
    while let current = entry {
      entry = current.pointee.ifa_next
      let name = String(cString: current.pointee.ifa_name)
      names.insert(name)
      guard let address = current.pointee.ifa_addr else { continue }
      let family = Int32(address.pointee.sa_family)
      guard family == AF_INET || family == AF_INET6 else { continue }
      var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
      let size = family == AF_INET ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
      guard
        getnameinfo(address, socklen_t(size), &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST) == 0
      else { continue }
      let shown = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      if shown == text || shown.split(separator: "%").first.map(String.init) == text {
        index = if_nametoindex(name)
        return
      }
    }
    throw FeedSetupError(
      "option interface: \"\(text)\" found; wanted an interface's name or address, names here: \(names.sorted().joined(separator: ", "))"
    )
  }
}
