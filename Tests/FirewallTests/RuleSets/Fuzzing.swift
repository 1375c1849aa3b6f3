// Repeatable randomness for tests that draw their cases.

import Foundation

/// SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// From the run's seed; `name` keeps the tests' numbers apart.
  static func forTest(_ name: String) -> SeededGenerator { SeededGenerator(seed: seed(of: name)) }
}

/// The run's seed: KABUTO_SEED (hexadecimal), or another one each time; printed, so that a failure can be repeated.
let runSeed: UInt64 = {
  let given = ProcessInfo.processInfo.environment["KABUTO_SEED"].flatMap { UInt64($0, radix: 16) }
  let seed = given ?? UInt64.random(in: 1...0xFFFF_FFFF)
  print("FirewallTests: KABUTO_SEED=\(String(seed, radix: 16))")
  return seed
}()

/// A test's own seed: the run's and its name, by FNV-1a.
func seed(of name: String) -> UInt64 {
  var digest: UInt64 = 0xCBF2_9CE4_8422_2325 ^ runSeed
  for byte in name.utf8 { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01B3 }
  return digest
}

/// Calls `body` at least `rounds` times, and on until `seconds` (or KABUTO_FUZZ_SECONDS) have passed: what a test claims
/// of all rounds together must hold on a slow machine too.
func repeatFuzzing(seconds: Double = 1, rounds: Int = 1, _ body: (_ round: Int) throws -> Void) rethrows {
  let given = ProcessInfo.processInfo.environment["KABUTO_FUZZ_SECONDS"].flatMap(Double.init)
  let end = Date(timeIntervalSinceNow: given ?? seconds)
  var round = 0
  repeat {
    try body(round)
    round += 1
  } while round < rounds || Date() < end
}
