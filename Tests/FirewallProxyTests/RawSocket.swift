// Plain blocking sockets, so that tests decide about every byte and every cut; and what a peer reads off them.

import Glibc
import Synchronization
import Testing

/// A message as it was read: start line, fields, body (chunks joined).
struct RawMessage: Sendable {
  var startLine = ""
  var head = ""
  var fields: [(name: String, value: String)] = []
  var body: [UInt8] = []
  /// The body as it came, chunk lines included.
  var rawBody: [UInt8] = []

  var status: Int { Int(startLine.split(separator: " ").dropFirst().first ?? "") ?? 0 }
  var text: String { String(decoding: body, as: UTF8.self) }
  var method: String { String(startLine.split(separator: " ").first ?? "") }
  var target: String { String(startLine.split(separator: " ").dropFirst().first ?? "") }
  func field(_ name: String) -> String? { fields.first { $0.name.lowercased() == name.lowercased() }?.value }
  func all(_ name: String) -> [String] {
    fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
  }
}

/// One end of a connection. @unchecked Sendable: used by one thread at a time, as each test sees to.
final class RawSocket: @unchecked Sendable {
  let file: Int32
  private var buffer: [UInt8] = []
  private(set) var isAtEnd = false
  /// A number that was closed may be another socket's by now.
  private let closed = Mutex(false)

  init(file: Int32) {
    self.file = file
    // Long, for a machine that has much else to do: nothing waits for it to pass.
    setTimeout(milliseconds: 30_000)
    var one: Int32 = 1
    setsockopt(file, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
  }

  deinit { close() }

  /// Whether somebody listens there.
  static func accepts(port: Int) -> Bool {
    let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { Glibc.close(file) }
    return open(file, port)
  }

  private static func open(_ file: Int32, _ port: Int) -> Bool {
    var address = loopback(port)
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }

  static func connect(port: Int, receiveBuffer: Int32? = nil) throws -> RawSocket {
    let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    if var size = receiveBuffer { setsockopt(file, SOL_SOCKET, SO_RCVBUF, &size, 4) }
    try #require(open(file, port), "connect to port \(port)")
    return RawSocket(file: file)
  }

  static func loopback(_ port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port)).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    return address
  }

  func setTimeout(milliseconds: Int) {
    var time = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
    setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
  }

  func send(_ text: String) { send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) {
    var done = 0
    while done < bytes.count {
      let count = bytes[done...].withUnsafeBytes {
        Glibc.send(file, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      done += count
    }
  }

  /// Reads once; false at the end or after the time-out.
  @discardableResult
  func fill() -> Bool {
    var part = [UInt8](repeating: 0, count: 65_536)
    let count = recv(file, &part, part.count, 0)
    if count == 0 || (count < 0 && errno == ECONNRESET) { isAtEnd = true }
    guard count > 0 else { return false }
    buffer += part[..<count]
    return true
  }

  /// What comes until `ends` is true of it, or the end.
  func read(until ends: ([UInt8]) -> Bool) -> [UInt8] {
    while !ends(buffer), fill() {}
    defer { buffer = [] }
    return buffer
  }

  func readToEnd() -> [UInt8] { read { _ in false } }

  func take(_ count: Int) -> [UInt8] {
    while buffer.count < count, fill() {}
    let part = Array(buffer.prefix(count))
    buffer.removeFirst(part.count)
    return part
  }

  private func line() -> String? {
    while true {
      if let end = buffer.firstIndex(of: 10) {
        let text = String(decoding: buffer[..<end], as: UTF8.self)
        buffer.removeFirst(end + 1)
        return text.hasSuffix("\r") ? String(text.dropLast()) : text
      }
      guard fill() else { return nil }
    }
  }

  /// Reads a request or response; nil where none comes whole.
  func message(isAnswerToHead: Bool = false) -> RawMessage? {
    var message = RawMessage()
    guard let start = line() else { return nil }
    message.startLine = start
    message.head = start + "\r\n"
    while true {
      guard let text = line() else { return nil }
      message.head += text + "\r\n"
      if text.isEmpty { break }
      let colon = text.firstIndex(of: ":") ?? text.endIndex
      let value = colon == text.endIndex ? "" : String(text[text.index(after: colon)...])
      message.fields.append((String(text[..<colon]), value.trimmingPrefix(while: { $0 == " " }).description))
    }
    let isAnswer = start.hasPrefix("HTTP/")
    if isAnswerToHead || [204, 304].contains(message.status) || (100..<200).contains(message.status) {
      return message
    }
    if message.field("Transfer-Encoding")?.lowercased() == "chunked" {
      while true {
        guard let size = line(), let count = Int(size.prefix { $0 != ";" }, radix: 16) else { return nil }
        message.rawBody += Array("\(size)\r\n".utf8)
        if count == 0 {
          while let trailer = line(), !trailer.isEmpty {}
          return message
        }
        let part = take(count)
        guard part.count == count, line() == "" else { return nil }
        message.body += part
        message.rawBody += part
      }
    }
    if let length = message.field("Content-Length").flatMap({ Int($0) }) {
      message.body = take(length)
      return message.body.count == length ? message : nil
    }
    if isAnswer { message.body = readToEnd() }
    return message
  }

  /// Whether the peer has closed, within the time-out.
  func isClosedByPeer() -> Bool {
    while fill() {}
    return isAtEnd
  }

  func shutdownWrite() { shutdown(file, Int32(SHUT_WR)) }

  func reset() {
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(file, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    close()
  }

  func close() {
    closed.withLock { closed in
      if !closed { Glibc.close(file) }
      closed = true
    }
  }

  /// Wakes who reads from it, if it is still open.
  func interrupt() {
    closed.withLock { if !$0 { shutdown(file, Int32(SHUT_RDWR)) } }
  }
}

/// A port that is taken, so that no other test gets it, and where nobody listens.
struct BoundPort {
  let port: Int
  private let file: Int32

  init() throws {
    let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = RawSocket.loopback(0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let found = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(file, $0, length) == 0 && getsockname(file, $0, &length) == 0
      }
    }
    try #require(found)
    self.file = file
    port = Int(UInt16(bigEndian: address.sin_port))
  }

  func close() { Glibc.close(file) }
}

/// A backend: a thread that accepts, and one for each connection.
final class TestBackend: Sendable {
  let port: Int
  private let file: Int32
  private let state = Mutex(State())

  private struct State {
    var connections = 0
    var requests: [RawMessage] = []
    var sockets: [RawSocket] = []
    var isStopped = false
  }

  var connections: Int { state.withLock { $0.connections } }
  var requests: [RawMessage] { state.withLock { $0.requests } }

  /// - Parameter serve: has a connection to itself; it is closed when it returns.
  init(serve: @escaping @Sendable (RawSocket, TestBackend) -> Void) throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    file = listener
    var one: Int32 = 1
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, 4)
    var address = RawSocket.loopback(0)
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, size) }
    }
    try #require(bound == 0 && listen(listener, 512) == 0)
    var length = size
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(listener, $0, &length) }
    }
    port = Int(UInt16(bigEndian: address.sin_port))
    Self.thread { [weak self] in
      while true {
        let next = accept(listener, nil, nil)
        guard next >= 0, let backend = self else {
          Glibc.close(listener)
          return
        }
        let socket = RawSocket(file: next)
        backend.state.withLock {
          $0.connections += 1
          $0.sockets.append(socket)
        }
        Self.thread {
          serve(socket, backend)
          socket.close()
        }
      }
    }
  }

  /// Answers each request that comes whole; nil closes.
  convenience init(answer: @escaping @Sendable (RawMessage) -> String?) throws {
    try self.init { socket, backend in
      while let request = socket.message() {
        backend.note(request)
        guard let answer = answer(request) else { return }
        socket.send(answer)
        if answer.contains("Connection: close") { return }
      }
    }
  }

  deinit { stop() }

  func stop() {
    let sockets = state.withLock { state in
      defer { state.isStopped = true }
      // The listening socket is closed by its thread, when nobody accepts from it any more.
      if !state.isStopped { shutdown(file, Int32(SHUT_RDWR)) }
      return state.sockets
    }
    for socket in sockets { socket.interrupt() }
  }

  func note(_ request: RawMessage) { state.withLock { $0.requests.append(request) } }

  static func thread(_ body: @escaping @Sendable () -> Void) {
    final class Box {
      let body: @Sendable () -> Void
      init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let box = Unmanaged.passRetained(Box(body))
    pthread_create(
      &thread, nil,
      { raw in
        if let raw { Unmanaged<Box>.fromOpaque(raw).takeRetainedValue().body() }
        return nil
      }, box.toOpaque())
    pthread_detach(thread)
  }
}

extension String {
  fileprivate func trimmingPrefix(while predicate: (Character) -> Bool) -> Substring {
    drop(while: predicate)
  }
}

/// Calls what blocks on a thread of its own: the tasks of the server under test need those that run tests.
func apart<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
  try await withCheckedThrowingContinuation { waiting in
    TestBackend.thread { waiting.resume(with: Swift.Result { try body() }) }
  }
}

/// A response with a length.
func answer(_ body: String, status: String = "200 OK", fields: String = "") -> String {
  "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(fields)\r\n\(body)"
}
