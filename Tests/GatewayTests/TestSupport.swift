// Repeatable randomness for this target, and how long to fuzz. A run is repeated with KABUTO_SEED=… as printed.

import Foundation
import MarketData

/// The run's seed: KABUTO_SEED (hexadecimal), or another one each time.
let runSeed: UInt64 = {
  let given = ProcessInfo.processInfo.environment["KABUTO_SEED"].flatMap { UInt64($0, radix: 16) }
  let seed = given ?? UInt64.random(in: 1...0xffff_ffff)
  print("GatewayTests: KABUTO_SEED=\(String(seed, radix: 16))")
  return seed
}()

/// The line that repeats a run.
var seedNote: String { "KABUTO_SEED=\(String(runSeed, radix: 16))" }

/// A generator for one test; `name` and `round` keep the tests' numbers apart.
func generator(_ name: String, round: Int = 0) -> SeededGenerator {
  var digest = StateDigest()
  digest.combine(runSeed)
  digest.combine(name)
  digest.combine(UInt64(round))
  return SeededGenerator(seed: digest.value)
}

/// Calls `body` with 0, 1, 2, … at least `rounds` times, and on until KABUTO_FUZZ_SECONDS have passed.
func fuzz(rounds: Int, _ body: (Int) async throws -> Void) async rethrows {
  let seconds = ProcessInfo.processInfo.environment["KABUTO_FUZZ_SECONDS"].flatMap(Double.init) ?? 0
  let end = Date().addingTimeInterval(seconds)
  var round = 0
  while round < rounds || Date() < end {
    try await body(round)
    round += 1
  }
}

extension SeededGenerator {
  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }
  mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
  mutating func pick<Element>(_ list: [Element]) -> Element { list[below(list.count)] }
  mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}

/// Inputs that once broke something: files of `Cases/NAME` beside these tests, by name.
func cases(_ name: String) -> [(name: String, bytes: [UInt8])] {
  let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
    "Cases/\(name)")
  let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
  return names.sorted().compactMap { name in
    FileManager.default.contents(atPath: folder.appendingPathComponent(name).path).map { (name, [UInt8]($0)) }
  }
}
