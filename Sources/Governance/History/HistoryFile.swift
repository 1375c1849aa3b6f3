// The history's file beside SQLite: which one it is, and one process at a time while it is opened.

import Foundation

/// Tells a file from another that has its name later.
struct FileIdentity: Equatable {
  private let device: UInt64
  private let number: UInt64

  /// nil = it isn't there, or can't be looked at.
  init?(_ path: String) {
    var about = stat()
    guard stat(path, &about) == 0 else { return nil }
    (device, number) = (UInt64(about.st_dev), UInt64(about.st_ino))
  }
}

/// Held while a history is begun or brought to the newest step: SQLite's own lock doesn't cover the way from "there is
/// nothing" to its first table. The kernel lets go when a process dies.
final class HistoryOpening: Sendable {
  private let descriptor: Int32

  /// - Throws: `HistoryError` where the folder can't be written, or no turn came in ten seconds.
  init(_ path: String) throws(HistoryError) {
    let file = path + ".lock"
    // Reading is enough for a lock, also on another user's file.
    descriptor = open(file, O_RDONLY | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw .folder((path as NSString).deletingLastPathComponent, String(cString: strerror(errno)))
    }
    for _ in 0..<1_000 {
      // A file system without such locks has none to wait for.
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK { return }
      usleep(10_000)
    }
    close(descriptor)
    throw .busy(path)
  }

  func end() { close(descriptor) }
}
