// What drills did: DIR/drills.jsonl, a line of JSON each time a run changes, durable before the fault is done.
// Invariant: one process writes at a time: it holds the file's lock, a drill for as long as it lives.

import Continuity
import Foundation

/// See the head of this file.
struct DrillHistory {
  let path: String
  private let folder: String

  init(folder: String) throws {
    self.folder = folder
    path = folder + "/drills.jsonl"
    guard !FileManager.default.fileExists(atPath: folder) else { return }
    do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
      throw giveUp("--data \(folder): \(error.localizedDescription)")
    }
    try Self.makeDurable((URL(fileURLWithPath: folder).deletingLastPathComponent()).path)
  }

  /// Runs, oldest first. A last line that was cut off is passed over: the one before holds. Others that can't be read
  /// are told.
  func runs() throws -> [DrillRecord] {
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw giveUp("\(path): can't be read")
    }
    var records: [DrillRecord] = []
    let lines = data.split(separator: UInt8(ascii: "\n"))
    for (number, line) in lines.enumerated() {
      do { records.append(try JSONDecoder().decode(DrillRecord.self, from: Data(line))) } catch {
        guard number == lines.count - 1, data.last != UInt8(ascii: "\n") else {
          throw giveUp("\(path):\(number + 1): no record of a drill; move the file away to begin a new one")
        }
      }
    }
    return DrillRecord.newest(records)
  }

  /// The right to write, for as long as what comes back is kept. Throws where another process has it.
  func lock() throws -> Writer {
    let isNew = !FileManager.default.fileExists(atPath: path)
    let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw giveUp("\(path): can't be written: \(String(cString: strerror(errno)))") }
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      let running = try? runs().last { $0.outcome == "running" }
      close(file)
      let who = running.flatMap(\.owner).map { " (process \($0.pid))" } ?? ""
      throw giveUp(
        "\(path): another drill is running here\(who); wait for its end, or end it: it takes its fault back")
    }
    if isNew { try Self.makeDurable(folder) }
    return Writer(file: file, path: path)
  }

  /// Who may append. @unchecked Sendable: the descriptor doesn't change, and one run after another uses it.
  final class Writer: @unchecked Sendable {
    private let file: CInt
    private let path: String

    fileprivate init(file: CInt, path: String) {
      self.file = file
      self.path = path
    }

    deinit { close(file) }

    /// Appends, and is done once it is on the disk.
    func append(_ record: DrillRecord) throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      let end = try mend()
      let line = try encoder.encode(record) + Data("\n".utf8)
      guard write(line, at: end), fsync(file) == 0 else {
        let reason = String(cString: strerror(errno))
        _ = ftruncate(file, end)
        throw giveUp("\(path): can't be written: \(reason); nothing was done")
      }
    }

    /// Where the next line goes. A last line without an end is a record that was cut off, which goes, or a whole one,
    /// which gets its end.
    private func mend() throws -> off_t {
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      guard !data.isEmpty, data.last != UInt8(ascii: "\n") else { return off_t(data.count) }
      let start = data.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
      if (try? JSONDecoder().decode(DrillRecord.self, from: Data(data[start...]))) != nil,
        write(Data("\n".utf8), at: off_t(data.count))
      {
        return off_t(data.count + 1)
      }
      guard ftruncate(file, off_t(start)) == 0 else {
        throw giveUp("\(path): can't be written: \(String(cString: strerror(errno))); nothing was done")
      }
      return off_t(start)
    }

    private func write(_ bytes: Data, at place: off_t) -> Bool {
      bytes.withUnsafeBytes { bytes in
        var done = 0
        while done < bytes.count {
          let count = pwrite(
            file, bytes.baseAddress?.advanced(by: done), bytes.count - done, place + off_t(done))
          if count < 0, errno == EINTR { continue }
          guard count > 0 else { return false }
          done += count
        }
        return true
      }
    }
  }

  /// A folder's entries survive a loss of power only once the folder itself is on the disk.
  private static func makeDurable(_ folder: String) throws {
    let file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard file >= 0 else { throw giveUp("\(folder): \(String(cString: strerror(errno)))") }
    defer { close(file) }
    guard fsync(file) == 0 else { throw giveUp("\(folder): \(String(cString: strerror(errno)))") }
  }
}
