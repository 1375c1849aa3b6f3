// Events as lines of a file or of standard input. Invariant: each is told once, in order; one that was told and not looked
// at is lost with the process.

import Foundation
import GuardRules
import Synchronization

/// Lines of a file or of standard input: each is an event, or several in a list.
final class EventLines: EventSource {
  private struct State {
    var lines: [Delivery] = []
    var isAtEnd = false
    var fault: String?
  }
  private let state = Mutex(State())
  /// Lets the reader go on only as far as somebody works.
  private let room = DispatchSemaphore(value: EventQueue.most * 4)
  private let coalesceMilliseconds: Int

  /// - Parameter path: a file; `-` = standard input.
  /// - Throws: `FileFault`.
  init(_ path: String, coalesceMilliseconds: Int) throws(FileFault) {
    self.coalesceMilliseconds = coalesceMilliseconds
    let descriptor = path == "-" ? 0 : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0, let isReadable = Self.hasLines(descriptor) else {
      throw FileFault(path: path, reason: "can't be read; wanted lines of JSON, each an event")
    }
    guard isReadable else {
      if path != "-" { close(descriptor) }
      throw FileFault(path: path, reason: "is neither a file nor a pipe; wanted lines of JSON, each an event")
    }
    // Reading may take for ever: it has a thread of its own, which ends with the file.
    let thread = Thread { [self] in
      var reader = LineReader(descriptor)
      var number = 0
      while let line = reader.next() {
        number += 1
        let text = line.trimmingCharacters(in: .whitespacesAndNewlines)
        if text.isEmpty { continue }
        room.wait()
        let delivery = Delivery(id: "line \(number)", body: text, receipt: "", count: 1)
        state.withLock { $0.lines.append(delivery) }
      }
      if path != "-" { close(descriptor) }
      state.withLock { [fault = reader.fault] state in
        state.fault = fault.map { "\(path): can't be read on after line \(number): \($0)" }
        state.isAtEnd = true
      }
    }
    thread.start()
  }

  /// Whether it is something that can be read on and on: a folder can be opened, too. nil = it isn't open.
  private static func hasLines(_ descriptor: Int32) -> Bool? {
    var about = stat()
    guard fstat(descriptor, &about) == 0 else { return nil }
    return [S_IFREG, S_IFIFO, S_IFCHR, S_IFSOCK].contains(about.st_mode & S_IFMT)
  }

  var redelivers: Bool { false }
  var fault: String? { state.withLock { $0.fault } }

  /// Bytes of a line; of a longer one no more is kept, so that it is no event and is told as such.
  static let mostOfALine = 4 << 20

  func next() async throws(CallFailure) -> [Delivery]? {
    let end = ContinuousClock.now + .seconds(1)
    while true {
      let (first, isAtEnd) = state.withLock { ($0.lines.first != nil, $0.isAtEnd && $0.lines.isEmpty) }
      if first { break }
      if isAtEnd { return nil }
      if ContinuousClock.now >= end { return [] }
      do { try await Task.sleep(for: .milliseconds(2)) } catch { return nil }
    }
    guard coalesceMilliseconds > 0 else { return take(1) }
    let late = ContinuousClock.now + .milliseconds(coalesceMilliseconds)
    while ContinuousClock.now < late, state.withLock({ !$0.isAtEnd && $0.lines.count < EventQueue.most }) {
      do { try await Task.sleep(for: .milliseconds(5)) } catch { break }
    }
    return take(EventQueue.most)
  }

  private func take(_ most: Int) -> [Delivery] {
    let taken = state.withLock { state in
      let taken = Array(state.lines.prefix(most))
      state.lines.removeFirst(taken.count)
      return taken
    }
    for _ in taken { room.signal() }
    return taken
  }

  func done(_ deliveries: [Delivery]) async throws(CallFailure) {}
  func hold(_ deliveries: [Delivery]) async {}
}

/// Lines of a descriptor. Not of a C stream: the end of the process would wait for who waits in one.
private struct LineReader {
  private let descriptor: Int32
  private var buffer = [UInt8](repeating: 0, count: 1 << 16)
  private var read = 0..<0
  /// Why it ended before the end.
  private(set) var fault: String?

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  mutating func next() -> String? {
    var bytes: [UInt8] = []
    var isTooLong = false
    while true {
      if read.isEmpty, !fill() {
        // What was cut off is no line.
        if fault != nil || (bytes.isEmpty && !isTooLong) { return nil }
        break
      }
      let end = buffer[read].firstIndex(of: 10)
      let part = read.lowerBound..<(end ?? read.upperBound)
      if bytes.count + part.count > EventLines.mostOfALine { isTooLong = true }
      if !isTooLong { bytes += buffer[part] }
      read = (end.map { $0 + 1 } ?? read.upperBound)..<read.upperBound
      if end != nil { break }
    }
    return isTooLong
      ? "a line of more than \(EventLines.mostOfALine) bytes" : String(decoding: bytes, as: UTF8.self)
  }

  private mutating func fill() -> Bool {
    while true {
      let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
      if count > 0 {
        read = 0..<count
        return true
      }
      if count == 0 { return false }
      switch errno {
      case EINTR: continue
      case EAGAIN:
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(&waiting, 1, -1)
      default:
        fault = String(cString: strerror(errno))
        return false
      }
    }
  }
}
