// What drills did: DIR/drills.jsonl, a line of JSON each time a run changes, durable before the fault is done.

import Continuity
import Foundation

/// See the head of this file.
struct DrillHistory {
  let path: String

  init(folder: String) throws {
    do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
      throw giveUp("--data \(folder): \(error.localizedDescription)")
    }
    path = folder + "/drills.jsonl"
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

  /// Appends, and is done once it is on the disk.
  func append(_ record: DrillRecord) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let line = try encoder.encode(record) + Data("\n".utf8)
    let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw giveUp("\(path): can't be written: \(String(cString: strerror(errno)))") }
    defer { close(file) }
    let written = line.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
    guard written == line.count, fsync(file) == 0 else {
      throw giveUp("\(path): can't be written: \(String(cString: strerror(errno))); nothing was done")
    }
  }
}
