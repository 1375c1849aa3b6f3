// Where real market data for tests lies: $KABUTO_TESTDATA, or ../shared/data from the package's root. It may be
// used for tests but not redistributed, so it isn't part of the package.

import Foundation

enum TestData {
  /// The folder, whether it exists or not.
  static let folder: String = {
    if let given = ProcessInfo.processInfo.environment["KABUTO_TESTDATA"], !given.isEmpty { return given }
    let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let besideSources = root.deletingLastPathComponent().appendingPathComponent("shared/data").path
    let besideWorkingFolder = FileManager.default.currentDirectoryPath + "/../shared/data"
    return FileManager.default.fileExists(atPath: besideSources) ? besideSources : besideWorkingFolder
  }()

  /// The folder is there.
  static let isThere = FileManager.default.fileExists(atPath: folder + "/itch")

  /// A path within the folder.
  static func path(_ name: String) -> String { folder + "/" + name }

  /// Captures within a folder, sorted.
  static func captures(in name: String) -> [String] {
    let found = FileManager.default.enumerator(atPath: path(name))?.allObjects as? [String] ?? []
    return found.filter { $0.hasSuffix(".pcap") }.sorted().map { path(name) + "/" + $0 }
  }
}
