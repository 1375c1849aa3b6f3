// One HTTP request within a namespace, for asking whether a node is ready. Owner: the calling thread.

import CNetwork
import Foundation

enum LabHTTP {
  /// The status of a GET; nil: no answer within the time.
  static func status(
    _ namespace: String, _ address: IPv4, _ port: Int, _ path: String, within seconds: Double
  )
    -> Int?
  {
    let socket = kabuto_open_socket(namespace, Int32(SOCK_STREAM.rawValue))
    guard socket >= 0 else { return nil }
    defer { close(socket) }
    let until = Date().addingTimeInterval(seconds)
    guard connect(socket, address, port, until: until) else { return nil }
    let request = Array("GET \(path) HTTP/1.1\r\nHost: \(address):\(port)\r\nConnection: close\r\n\r\n".utf8)
    guard send(socket, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else { return nil }
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1024)
    while answer.count < 12 {
      guard wait(socket, POLLIN, until: until) else { return nil }
      let count = recv(socket, &buffer, buffer.count, 0)
      guard count > 0 else { return nil }
      answer += buffer[..<count]
    }
    let words = String(decoding: answer.prefix(64), as: UTF8.self).split(separator: " ")
    return words.count > 1 ? Int(words[1]) : nil
  }

  /// Whether something listens there.
  static func listens(_ namespace: String, _ address: IPv4, _ port: Int, within seconds: Double) -> Bool {
    let socket = kabuto_open_socket(namespace, Int32(SOCK_STREAM.rawValue))
    guard socket >= 0 else { return false }
    defer { close(socket) }
    return connect(socket, address, port, until: Date().addingTimeInterval(seconds))
  }

  private static func connect(_ socket: Int32, _ address: IPv4, _ port: Int, until: Date) -> Bool {
    let place = PathProbe.socketAddress(address, port: UInt16(clamping: port))
    let result = withUnsafeBytes(of: place) { bytes in
      Glibc.connect(
        socket, bytes.bindMemory(to: sockaddr.self).baseAddress, socklen_t(bytes.count))
    }
    if result == 0 { return true }
    guard errno == EINPROGRESS, wait(socket, POLLOUT, until: until) else { return false }
    var reason: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    return getsockopt(socket, SOL_SOCKET, SO_ERROR, &reason, &length) == 0 && reason == 0
  }

  private static func wait(_ socket: Int32, _ what: Int32, until: Date) -> Bool {
    let left = until.timeIntervalSinceNow
    guard left > 0 else { return false }
    var entry = pollfd(fd: socket, events: Int16(what), revents: 0)
    return poll(&entry, 1, Int32(left * 1000) + 1) > 0
  }
}
