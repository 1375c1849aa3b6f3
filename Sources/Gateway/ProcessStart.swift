// Who this process is, so that somebody on its host can tell it from another one that has its number later.

import Foundation

/// This process by its number and when it began.
struct ProcessStart: Sendable {
  /// Its number, in its own name space of processes.
  let pid: Int32
  /// When it began: clock ticks since the system's start, as `/proc/PID/stat` says it; nil where there is no `/proc`.
  let ticks: UInt64?

  /// It doesn't change while the process lives.
  static let own = ProcessStart()

  private init() {
    pid = getpid()
    // The name, in brackets, may hold anything; the field after it is the third, the start the 22nd.
    let text = FileManager.default.contents(atPath: "/proc/self/stat").map {
      String(decoding: $0, as: UTF8.self)
    }
    let fields = text?.split(separator: ")").last?.split(separator: " ") ?? []
    ticks = fields.count > 19 ? UInt64(fields[19]) : nil
  }
}
