// Where real market data for tests lies: $KABUTO_TESTDATA, or ../shared/data from the package's root. It may be
// used for tests but not redistributed, so it isn't part of the package.

import Foundation

enum TestData {
  static let folder: String = {
    if let given = ProcessInfo.processInfo.environment["KABUTO_TESTDATA"], !given.isEmpty { return given }
    let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    return root.deletingLastPathComponent().appendingPathComponent("shared/data").path
  }()

  static let hasGoogleDay = ["itch.gz", "books.csv.gz"].allSatisfy {
    FileManager.default.fileExists(atPath: folder + "/itch/goog-2012-06-21." + $0)
  }

  /// The bytes of a gzip file.
  static func unpacked(_ name: String) throws -> [UInt8] {
    let target = FileManager.default.temporaryDirectory.appendingPathComponent("kabuto-\(UUID().uuidString)")
    FileManager.default.createFile(atPath: target.path, contents: nil)
    defer { try? FileManager.default.removeItem(at: target) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip", "-dc", folder + "/" + name]
    process.standardOutput = try FileHandle(forWritingTo: target)
    try process.run()
    process.waitUntilExit()
    return [UInt8](try Data(contentsOf: target))
  }
}
