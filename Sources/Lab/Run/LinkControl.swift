// The run's end of the link emulator: starts it, adds lines, changes them while they carry.
// Owner: the run's thread.

import Foundation

/// See the head of this file.
final class LinkControl {
  private let socket: Int32
  private var input: [UInt8] = []

  /// Starts the emulator on a thread of its own; it ends with this object, and with the process.
  init() throws(LabFailure) {
    var ends: [Int32] = [0, 0]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0
    else {
      throw LabFailure("link emulator: socketpair: \(String(cString: strerror(errno)))")
    }
    socket = ends[0]
    let other = ends[1]
    let thread = Thread {
      LinkEmulator(control: other).run()
      close(other)
    }
    thread.name = "link-emulator"
    thread.stackSize = 1 << 20
    thread.start()
    var limit = timeval(tv_sec: 5, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(socket) }

  /// Says a command and waits for the answer.
  /// - Throws: the emulator's reason, or that it doesn't answer.
  @discardableResult func say(_ command: LinkCommand) throws(LabFailure) -> String {
    let bytes = Array((command.line + "\n").utf8)
    guard send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
      throw LabFailure("link emulator: gone")
    }
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      if let end = input.firstIndex(of: 10) {
        let line = String(decoding: input[..<end], as: UTF8.self)
        input.removeSubrange(...end)
        if line.hasPrefix("error ") {
          throw LabFailure("link emulator: \(command.line): \(line.dropFirst(6))")
        }
        return line
      }
      let count = recv(socket, &buffer, buffer.count, 0)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw LabFailure("link emulator: no answer to \(command.line)") }
      input += buffer[..<count]
    }
  }

  /// What the lines have done.
  func statistics() throws(LabFailure) -> LinkStatistics {
    let text = try say(.stats)
    do { return try JSONDecoder().decode(LinkStatistics.self, from: Data(text.utf8)) } catch {
      throw LabFailure("link emulator: stats: \(error)")
    }
  }
}
