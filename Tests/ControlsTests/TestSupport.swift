// Repeatable randomness for this target. A run is repeated with KABUTO_SEED=… as printed.

import Foundation

/// The run's seed: KABUTO_SEED (hexadecimal), or another one each time.
let runSeed: UInt64 = {
  let given = ProcessInfo.processInfo.environment["KABUTO_SEED"].flatMap { UInt64($0, radix: 16) }
  let seed = given ?? UInt64.random(in: 0...UInt64.max)
  print("ControlsTests: KABUTO_SEED=\(String(seed, radix: 16))")
  return seed
}()

/// For messages of expectations.
var seedNote: String { "KABUTO_SEED=\(String(runSeed, radix: 16))" }

/// SplitMix64.
struct Chance {
  private var state: UInt64

  init(_ salt: UInt64) { state = runSeed ^ (salt &* 0x9E37_79B9_7F4A_7C15) }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }
  mutating func pick<T>(_ all: [T]) -> T { all[below(all.count)] }
}
