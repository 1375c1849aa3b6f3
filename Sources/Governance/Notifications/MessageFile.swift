// A file that gets a line for each message: written in one piece, on the disk before it counts as sent, never twice, and
// never glued to what another was cut off in.

import Foundation

struct MessageFile {
  struct Failure: Error {
    let reason: String

    /// By `errno`.
    init() { reason = "the file can't be written: " + String(cString: strerror(errno)) }
  }

  private let path: String

  init(_ path: String) { self.path = path }

  /// - Parameter wasBegun: whether it may be there already.
  func append(_ message: Outbox.Waiting, wasBegun: Bool) throws(Failure) {
    // A line has its message's id in it, so that one that was written before the process died isn't written again.
    let line =
      message.payload.hasPrefix("{\"text\"")
      ? "{\"id\":\"\(message.id)\"," + message.payload.dropFirst() + "\n" : message.payload + "\n"
    let descriptor = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else { throw Failure() }
    defer { close(descriptor) }
    if wasBegun, hasWhole(line) {
      guard fsync(descriptor) == 0 else { throw Failure() }
      return
    }
    var about = stat()
    guard fstat(descriptor, &about) == 0 else { throw Failure() }
    let size = about.st_mode & S_IFMT == S_IFREG ? about.st_size : 0
    var last: UInt8 = 10
    if size > 0, pread(descriptor, &last, 1, size - 1) != 1 { throw Failure() }
    try write(Array((last == 10 ? line : "\n" + line).utf8), descriptor, behind: size)
    guard fsync(descriptor) == 0 else { throw Failure() }
  }

  /// All of it, or nothing: half a line would be taken for one by whoever reads the file.
  private func write(_ bytes: [UInt8], _ descriptor: Int32, behind size: off_t) throws(Failure) {
    var done = 0
    while done < bytes.count {
      let count = bytes[done...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let failure = Failure()
        var about = stat()
        // What somebody else wrote meanwhile is theirs.
        if done > 0, fstat(descriptor, &about) == 0, about.st_size == size + off_t(done) {
          _ = ftruncate(descriptor, size)
        }
        throw failure
      }
      done += count
    }
  }

  /// Whether the line stands there, by itself and with its end.
  private func hasWhole(_ line: String) -> Bool {
    guard let all = try? Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe) else {
      return false
    }
    let wanted = Data(line.utf8)
    var end = all.endIndex
    while let found = all.range(of: wanted, options: .backwards, in: all.startIndex..<end) {
      if found.lowerBound == all.startIndex || all[found.lowerBound - 1] == 10 { return true }
      end = found.upperBound - 1
    }
    return false
  }
}
