// Pattern databases kept in a folder of the machine's temporary directory: each is built once, not once per policy and
// run. What is kept is checked against its patterns by the engine; deleting the folder costs time, never a verdict.

import Firewall
import Foundation
import Synchronization

final class TestDatabases: DatabaseCache {
  static let shared = TestDatabases(
    folder: FileManager.default.temporaryDirectory.appendingPathComponent("kabuto-test-databases-\(getuid())")
  )

  private let folder: URL
  private let known = Mutex<[String: [UInt8]]>([:])

  init(folder: URL) {
    self.folder = folder
    try? FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
  }

  func load(_ key: String) -> [UInt8]? {
    if let bytes = known.withLock({ $0[key] }) { return bytes }
    guard let data = FileManager.default.contents(atPath: folder.appendingPathComponent(key).path) else {
      return nil
    }
    known.withLock { $0[key] = [UInt8](data) }
    return [UInt8](data)
  }

  func store(_ key: String, _ bytes: [UInt8]) {
    known.withLock { $0[key] = bytes }
    // Written beside and moved into place: another run reads all of it or nothing.
    try? Data(bytes).write(to: folder.appendingPathComponent(key), options: .atomic)
  }
}
