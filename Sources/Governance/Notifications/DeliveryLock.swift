// One process delivers the messages of a history; the kernel lets go when it dies.

import Foundation

final class DeliveryLock {
  struct Refusal: Error {
    let reason: String
  }

  private let descriptor: Int32

  init(_ path: String) throws(Refusal) {
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw Refusal(reason: "\(path): the lock can't be opened: \(String(cString: strerror(errno)))")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let reason =
        errno == EWOULDBLOCK
        ? "another process delivers messages of this history now"
        : "\(path): can't be locked: \(String(cString: strerror(errno)))"
      close(descriptor)
      throw Refusal(reason: reason)
    }
  }

  func release() { close(descriptor) }
}
