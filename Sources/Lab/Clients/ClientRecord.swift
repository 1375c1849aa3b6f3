// What a client of the laboratory writes down, a line each, in the order in which it happened:
//   F <ns since 1970> <connection> <frame as it came>
//   E <ns since 1970> <connection> <what happened to the connection>
// Reading is pure; `RecordWriter` writes.

import Foundation

/// A line of a record.
enum RecordLine: Equatable {
  case frame(at: UInt64, connection: Int, text: Substring.UTF8View)
  case event(at: UInt64, connection: Int, text: String)

  static func == (one: Self, other: Self) -> Bool {
    switch (one, other) {
    case (.frame(let a, let b, let c), .frame(let d, let e, let f)): a == d && b == e && c.elementsEqual(f)
    case (.event(let a, let b, let c), .event(let d, let e, let f)): a == d && b == e && c == f
    default: false
    }
  }

  /// nil: not a whole line of a record.
  init?(_ line: Substring) {
    let parts = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 4, let at = UInt64(parts[1]), let connection = Int(parts[2]) else { return nil }
    switch parts[0] {
    case "F": self = .frame(at: at, connection: connection, text: parts[3].utf8)
    case "E": self = .event(at: at, connection: connection, text: String(parts[3]))
    default: return nil
    }
  }
}

/// Writes a record. Owner: the client's event loop.
final class RecordWriter {
  private let descriptor: Int32
  private var buffer: [UInt8] = []
  /// Why the record isn't whole; nil: it is.
  private(set) var failure: String?

  init(path: String) throws(LabFailure) {
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw LabFailure("\(path): \(String(cString: strerror(errno)))") }
    buffer.reserveCapacity(1 << 18)
  }

  deinit {
    flush()
    close(descriptor)
  }

  func frame(_ bytes: some Sequence<UInt8>, connection: Int) { line("F", connection, bytes) }

  func event(_ text: String, connection: Int) { line("E", connection, text.utf8) }

  private func line(_ kind: String, _ connection: Int, _ bytes: some Sequence<UInt8>) {
    buffer += "\(kind) \(Self.now()) \(connection) ".utf8
    buffer += bytes.lazy.map { $0 == 10 ? 32 : $0 }
    buffer.append(10)
    if buffer.count > 1 << 17 { flush() }
  }

  func flush() {
    var rest = buffer[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if errno != EINTR {
        failure = failure ?? "the record can't be written: \(String(cString: strerror(errno)))"
        break
      }
    }
    buffer.removeAll(keepingCapacity: true)
  }

  static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
