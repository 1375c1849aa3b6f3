// Repeatable randomness for this target, and how long to fuzz. A run is repeated with KABUTO_SEED=… as printed.

import Foundation
import MarketData

/// The run's seed: KABUTO_SEED (hexadecimal), or another one each time.
let runSeed: UInt64 = {
  let given = ProcessInfo.processInfo.environment["KABUTO_SEED"].flatMap { UInt64($0, radix: 16) }
  let seed = given ?? UInt64.random(in: 1...0xffff_ffff)
  print("FeedHandlerTests: KABUTO_SEED=\(String(seed, radix: 16))")
  return seed
}()

/// A generator for one test; `name` keeps the tests' numbers apart.
func generator(_ name: String) -> SeededGenerator {
  var digest = StateDigest()
  digest.combine(runSeed)
  digest.combine(name)
  return SeededGenerator(seed: digest.value)
}

/// Calls `body` at least `rounds` times, and on until KABUTO_FUZZ_SECONDS have passed.
func fuzz(rounds: Int, _ body: () throws -> Void) rethrows {
  let seconds = ProcessInfo.processInfo.environment["KABUTO_FUZZ_SECONDS"].flatMap(Double.init) ?? 0
  let end = Date().addingTimeInterval(seconds)
  for _ in 0..<rounds { try body() }
  while Date() < end { try body() }
}

/// A seed for something that makes its own generator.
func generatorSeed(_ name: String) -> UInt64 {
  var random = generator(name)
  return random.next()
}
