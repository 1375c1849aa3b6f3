// The one way to standard output. A report that couldn't be written to its end is no report: every write is looked at, and
// the last one too, when the program ends. Who reads from a pipe and had enough ends the program, quietly, as everywhere.

import Foundation
import Synchronization

enum StandardOutput {
  private static let waiting = Mutex([UInt8]())
  private static let isTerminal = isatty(1) == 1
  /// Whatever ends the program in an orderly way, the rest is written then.
  private static let isTakenCareOf: Bool =
    atexit {
      StandardOutput.waiting.withLockIfAvailable { StandardOutput.empty(&$0) }
      // What others print (the parser's help) goes through the library's own buffer.
      if fflush(nil) != 0 { StandardOutput.giveUp(errno) }
    } == 0
  private static var most: Int { 64 << 10 }

  /// What is closed must not be what the next file gets: a report would be written into it.
  static func begin() {
    for number in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(number, F_GETFD) < 0 {
      // Not for writing: who writes a report is to hear that nobody gets it.
      _ = open("/dev/null", number == STDERR_FILENO ? O_RDWR : O_RDONLY)
    }
    _ = isTakenCareOf
  }

  /// Writes at once.
  static func write(_ data: some Sequence<UInt8>) {
    waiting.withLock { waiting in
      waiting.append(contentsOf: data)
      empty(&waiting)
    }
  }

  /// Writes on a terminal at once, elsewhere when there is enough of it.
  static func write(_ text: String) {
    _ = isTakenCareOf
    waiting.withLock { waiting in
      waiting.append(contentsOf: text.utf8)
      if isTerminal || waiting.count >= most { empty(&waiting) }
    }
  }

  private static func empty(_ waiting: inout [UInt8]) {
    waiting.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let count = Foundation.write(STDOUT_FILENO, bytes.baseAddress.map { $0 + done }, bytes.count - done)
        if count >= 0 {
          done += count
        } else if errno == EAGAIN {
          var about = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
          poll(&about, 1, -1)
        } else if errno != EINTR {
          giveUp(errno)
        }
      }
    }
    waiting.removeAll(keepingCapacity: true)
  }

  private static func giveUp(_ number: Int32) -> Never {
    if number == EPIPE {
      signal(SIGPIPE, SIG_DFL)
      raise(SIGPIPE)
      _exit(128 + SIGPIPE)
    }
    say("kabuto: standard output: can't be written: \(String(cString: strerror(number)))")
    _exit(2)
  }
}

/// What commands print goes to standard output by `StandardOutput`.
func print(_ items: Any..., separator: String = " ", terminator: String = "\n") {
  StandardOutput.write(items.map { "\($0)" }.joined(separator: separator) + terminator)
}
