// One process a database: an advisory lock on a file beside it, held until the store closes or the process ends.

import Foundation
import Synchronization

final class DirectoryLock: Sendable {
  /// The open file; -1 = released.
  private let descriptor: Mutex<Int32>

  init(_ directory: String) throws(StoreError) {
    let path = directory.hasSuffix("/") ? directory + "prices.lock" : directory + "/prices.lock"
    let descriptor = Foundation.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw StoreError.directory(directory, found: String(cString: strerror(errno)))
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let busy = errno == EWOULDBLOCK
      let found = String(cString: strerror(errno))
      Foundation.close(descriptor)
      throw busy ? StoreError.inUse(path) : StoreError.directory(directory, found: found)
    }
    self.descriptor = Mutex(descriptor)
  }

  deinit { release() }

  /// Lets other processes in.
  func release() {
    descriptor.withLock { descriptor in
      if descriptor >= 0 { Foundation.close(descriptor) }
      descriptor = -1
    }
  }
}
