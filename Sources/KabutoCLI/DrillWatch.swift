// The client that a drill watches with: reads quotes as server-sent events, goes on at another gateway when one is lost,
// frozen, or says that it ends, and notes what a client should not have seen. Plain sockets, so that nothing between
// hides a silence. Only values count: a gateway that beats and has nothing to say is an outage. Owner: its own thread; what it noted is taken under a lock.

import Continuity
import Foundation

/// See the head of this file. @unchecked Sendable: everything that changes is guarded by `lock`, or the thread's own.
final class DrillWatch: @unchecked Sendable {
  /// What was noted.
  struct Notes {
    var errors: [DrillError] = []
    var longestNanoseconds: UInt64 = 0
    var changes = 0
    /// Values that changed while it was watched: without any there is nothing by which an outage could be seen.
    var updates: UInt64 = 0
    var current = ""
  }

  private let endpoints: [(name: String, host: String, port: Int)]
  private let instruments: [String]
  private let limitNanoseconds: UInt64
  private let lock = NSLock()
  private var notes = Notes()
  private var isEnding = false
  private let ended = DispatchSemaphore(value: 0)

  // The thread's own.
  private var failedAt: [UInt64]
  /// When a value of a watched instrument came last.
  private var lastValue: UInt64 = 0
  /// Gateways that refused since one was last open.
  private var refusals: Set<Int> = []
  private var isRefused = false
  private var isLate = false
  private var position = ""
  private var sequences: [String: (epoch: String, sequence: UInt64)] = [:]

  /// Milliseconds between beats that are asked for, and without which a gateway is left.
  private static let beatMilliseconds = 100
  private static let silenceNanoseconds: UInt64 = 350_000_000
  private static let penanceNanoseconds: UInt64 = 3_000_000_000

  init(_ gateways: [DrillFile.Node], instruments: [String], limitNanoseconds: UInt64) {
    endpoints = gateways.compactMap { node in
      guard let url = URL(string: node.url), let host = url.host else { return nil }
      return (node.name, host, url.port ?? 80)
    }
    self.instruments = instruments
    self.limitNanoseconds = limitNanoseconds
    failedAt = endpoints.map { _ in 0 }
  }

  /// A clock that only goes forward.
  static func now() -> UInt64 { DispatchTime.now().uptimeNanoseconds }

  func start() {
    lastValue = Self.now()
    Thread.detachNewThread { [self] in
      while !lock.withLock({ isEnding }) { follow() }
      ended.signal()
    }
  }

  /// Ends it; returns once its thread is done.
  func stop() {
    lock.withLock { isEnding = true }
    ended.wait()
  }

  /// What was noted so far, and the errors since the last call.
  func take() -> (notes: Notes, errors: [DrillError]) {
    lock.withLock {
      let errors = notes.errors
      notes.errors = []
      return (notes, errors)
    }
  }

  // MARK: - One connection after another

  private func follow() {
    guard !endpoints.isEmpty else { return note("refused", "no gateway to watch") }
    let now = Self.now()
    let free = endpoints.indices.first { failedAt[$0] == 0 || now - failedAt[$0] > Self.penanceNanoseconds }
    let chosen = free ?? endpoints.indices.min { failedAt[$0] < failedAt[$1] } ?? 0
    let why = read(chosen)
    failedAt[chosen] = Self.now()
    lookAtRefusals()
    lock.withLock {
      if notes.current == endpoints[chosen].name, why != nil { notes.changes += 1 }
    }
    lookAtSilence()
    if free == nil { usleep(50_000) }
  }

  /// Reads until the connection is of no more use; nil where it came to nothing.
  private func read(_ chosen: Int) -> String? {
    let endpoint = endpoints[chosen]
    let socket: CInt
    switch Self.connect(endpoint.host, endpoint.port) {
    case .success(let open): socket = open
    case .failure(let fault):
      if fault.isRefusal { refusals.insert(chosen) }
      return nil
    }
    defer { close(socket) }
    let names = instruments.isEmpty ? "*" : instruments.joined(separator: ",")
    var head =
      "GET /v1/events?channel=quotes&interval=50&heartbeat=\(Self.beatMilliseconds)&instruments=\(names) HTTP/1.1\r\n"
    head +=
      "Host: \(endpoint.host):\(endpoint.port)\r\nAccept: text/event-stream\r\nUser-Agent: kabuto-drill\r\n"
    if !position.isEmpty { head += "Last-Event-ID: \(position)\r\n" }
    let bytes = Array((head + "\r\n").utf8)
    guard send(socket, bytes, bytes.count, CInt(MSG_NOSIGNAL)) == bytes.count else { return nil }
    var reader = EventReader()
    var quietSince = Self.now()
    while !lock.withLock({ isEnding }) {
      var ready = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
      let count = poll(&ready, 1, 25)
      if count > 0 {
        var part = [UInt8](repeating: 0, count: 65_536)
        let got = recv(socket, &part, part.count, 0)
        guard got > 0 else { return reader.isEvents ? "closed" : nil }
        guard reader.take(part[..<got]) else {
          refusals.insert(chosen)
          return nil
        }
        quietSince = Self.now()
        if reader.isEvents { (refusals, isRefused) = ([], false) }
        while let event = reader.next() {
          lock.withLock { notes.current = endpoint.name }
          if take(event) { return "moved" }
        }
      }
      lookAtSilence()
      if Self.now() - quietSince > Self.silenceNanoseconds { return reader.isEvents ? "silent" : nil }
    }
    return "ended"
  }

  /// Why there is no connection; a refusal is an answer, which silence is not.
  private struct ConnectFault: Error { var isRefusal: Bool }

  private static func connect(_ host: String, _ port: Int) -> Result<CInt, ConnectFault> {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, String(port), &hints, &list) == 0, let found = list else {
      return .failure(ConnectFault(isRefusal: false))
    }
    defer { freeaddrinfo(list) }
    let file = socket(found.pointee.ai_family, found.pointee.ai_socktype | Int32(SOCK_NONBLOCK.rawValue), 0)
    guard file >= 0 else { return .failure(ConnectFault(isRefusal: false)) }
    var isOpen = Glibc.connect(file, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0
    var fault = isOpen ? 0 : errno
    if !isOpen, fault == EINPROGRESS {
      var ready = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
      var length = socklen_t(MemoryLayout<CInt>.size)
      isOpen =
        poll(&ready, 1, 300) > 0 && getsockopt(file, SOL_SOCKET, SO_ERROR, &fault, &length) == 0 && fault == 0
    }
    guard isOpen else {
      close(file)
      return .failure(ConnectFault(isRefusal: fault == ECONNREFUSED))
    }
    // Waiting is `poll`'s from here on.
    _ = fcntl(file, F_SETFL, 0)
    return .success(file)
  }

  // MARK: - Events

  /// Notes an event of the stream: `id:` and `data:`. True where this server says that it ends.
  private func take(_ event: EventReader.Event) -> Bool {
    if let id = event.id { position = id }
    guard let list = (try? JSONSerialization.jsonObject(with: Data(event.data))) as? [[String: Any]] else {
      note("error", "a frame that is no JSON array")
      return false
    }
    var moves = false
    for entry in list {
      switch entry["type"] as? String {
      case "stale":
        note(
          "stale",
          "\(entry["instrument"] ?? "?") is stale: \((entry["stale"] as? [String: Any])?["reason"] ?? "?")")
      case "error": note("error", "\(entry["detail"] ?? entry["code"] ?? "?")")
      case "move": moves = true
      case let type? where type == "snapshot" || type == "update":
        noteValue(isChange: type == "update")
        noteSequence(entry)
      default: break
      }
    }
    return moves
  }

  private func noteValue(isChange: Bool) {
    let now = Self.now()
    let silence = now - lastValue
    (lastValue, isLate) = (now, false)
    lock.withLock {
      notes.longestNanoseconds = max(notes.longestNanoseconds, silence)
      if isChange { notes.updates += 1 }
    }
  }

  private func noteSequence(_ entry: [String: Any]) {
    guard let name = entry["instrument"] as? String, let sequence = (entry["seq"] as? NSNumber)?.uint64Value
    else { return }
    let known = sequences[name]
    let epoch = entry["epoch"] as? String ?? known?.epoch ?? ""
    if entry["type"] as? String == "snapshot", let known, known.epoch == epoch, sequence < known.sequence {
      note("went back", "\(name): \(sequence) after \(known.sequence)")
    }
    if let known, known.epoch == epoch {
      sequences[name] = (epoch, max(sequence, known.sequence))
    } else {
      sequences[name] = (epoch, sequence)
    }
  }

  private func lookAtSilence() {
    let silence = Self.now() - lastValue
    lock.withLock { notes.longestNanoseconds = max(notes.longestNanoseconds, silence) }
    guard silence > limitNanoseconds, !isLate else { return }
    isLate = true
    note("outage", "no value of \(watched) for more than \(DrillFile.text(limitNanoseconds))")
  }

  private var watched: String {
    instruments.count == 1 ? instruments[0] : "\(instruments.count) watched instruments"
  }

  /// Where every gateway answers, and says no, a client has nowhere to go.
  private func lookAtRefusals() {
    guard refusals.count == endpoints.count, !isRefused else { return }
    isRefused = true
    note("refused", "no gateway accepts: " + endpoints.map(\.name).joined(separator: ", "))
  }

  private func note(_ kind: String, _ text: String) {
    lock.withLock {
      // The first ones say it; a thousand stale instruments are one thing.
      if notes.errors.count < 20 { notes.errors.append(DrillError(kind: kind, text: text)) }
    }
  }
}

/// Server-sent events of an HTTP/1.1 answer, whole or in chunks.
struct EventReader {
  /// An event.
  struct Event {
    var id: String?
    var data: [UInt8]
  }

  private var bytes: [UInt8] = []
  private var text: [UInt8] = []
  private(set) var isEvents = false
  private var isChunked = false
  /// Bytes of the chunk that are still to come; nil = its length is.
  private var chunk: Int?

  /// Takes bytes; false where the answer isn't a stream of events.
  mutating func take(_ part: ArraySlice<UInt8>) -> Bool {
    bytes += part
    if !isEvents {
      guard let end = Self.find([13, 10, 13, 10], in: bytes) else { return bytes.count < 65_536 }
      let head = String(decoding: bytes[..<end], as: UTF8.self).lowercased()
      guard head.hasPrefix("http/1.1 200"), head.contains("text/event-stream") else { return false }
      isEvents = true
      isChunked = head.contains("transfer-encoding: chunked")
      bytes.removeFirst(end + 4)
    }
    guard isChunked else {
      text += bytes
      bytes = []
      return true
    }
    while true {
      if let left = chunk {
        guard bytes.count >= left + 2 else { return true }
        text += bytes[..<left]
        bytes.removeFirst(left + 2)
        chunk = nil
      } else {
        guard let end = Self.find([13, 10], in: bytes) else { return bytes.count < 64 }
        guard let length = Int(String(decoding: bytes[..<end], as: UTF8.self), radix: 16), length < 1 << 26
        else { return false }
        bytes.removeFirst(end + 2)
        chunk = length
      }
    }
  }

  /// The next whole event.
  mutating func next() -> Event? {
    guard let end = Self.find([10, 10], in: text) else { return nil }
    var event = Event(id: nil, data: [])
    for line in text[..<end].split(separator: 10) {
      if line.starts(with: Array("id: ".utf8)) {
        event.id = String(decoding: line.dropFirst(4), as: UTF8.self)
      }
      if line.starts(with: Array("data: ".utf8)) { event.data += line.dropFirst(6) }
    }
    text.removeFirst(end + 2)
    return event
  }

  private static func find(_ mark: [UInt8], in bytes: [UInt8]) -> Int? {
    guard bytes.count >= mark.count else { return nil }
    var place = 0
    while place + mark.count <= bytes.count {
      guard let first = bytes[place...].firstIndex(of: mark[0]), first + mark.count <= bytes.count else {
        return nil
      }
      if bytes[first..<first + mark.count].elementsEqual(mark) { return first }
      place = first + 1
    }
    return nil
  }
}
