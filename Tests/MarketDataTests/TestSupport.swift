// Repeatable randomness for this target. A run is repeated with KABUTO_SEED=… as printed.

import Foundation
import MarketData

/// The run's seed: KABUTO_SEED (hexadecimal), or another one each time.
let runSeed: UInt64 = {
  let given = ProcessInfo.processInfo.environment["KABUTO_SEED"].flatMap { UInt64($0, radix: 16) }
  let seed = given ?? UInt64.random(in: 1...0xffff_ffff)
  print("MarketDataTests: KABUTO_SEED=\(String(seed, radix: 16))")
  return seed
}()

/// A generator for one test; `name` keeps the tests' numbers apart.
func generator(_ name: String) -> SeededGenerator {
  var digest = StateDigest()
  digest.combine(runSeed)
  digest.combine(name)
  return SeededGenerator(seed: digest.value)
}

/// Published tables of the exchange: $KABUTO_TESTDATA, or ../shared/data from the package's root. They aren't
/// part of the package.
enum TestData {
  static let folder: String = {
    if let given = ProcessInfo.processInfo.environment["KABUTO_TESTDATA"], !given.isEmpty { return given }
    let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    return root.deletingLastPathComponent().appendingPathComponent("shared/data").path
  }()

  static let hasTables = FileManager.default.fileExists(atPath: folder + "/reference/jpx/tse-tick-sizes.csv")

  /// A table's lines without its head, each split at commas.
  static func table(_ name: String) throws -> [[String]] {
    let text = try String(contentsOfFile: folder + "/reference/jpx/" + name, encoding: .utf8)
    return text.split(whereSeparator: \.isNewline).dropFirst()
      .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
  }
}
