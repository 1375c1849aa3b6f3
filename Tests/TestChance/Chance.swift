// Repeatable chance for tests. A run is repeated with KABUTO_SEED=… as printed; KABUTO_FUZZ_SECONDS lets fuzzing go on.

import Foundation

/// The run's seed: KABUTO_SEED (hexadecimal), or another one each time.
public let runSeed: UInt64 = {
  let given = ProcessInfo.processInfo.environment["KABUTO_SEED"].flatMap { UInt64($0, radix: 16) }
  let seed = given ?? UInt64.random(in: 1...0xffff_ffff)
  print("KABUTO_SEED=\(String(seed, radix: 16))")
  return seed
}()

/// The line that repeats a run.
public var seedNote: String { "KABUTO_SEED=\(String(runSeed, radix: 16))" }

/// SplitMix64; `round` keeps the rounds' numbers apart.
public struct Chance: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// The numbers of one round.
  public init(round: Int) { state = runSeed &+ UInt64(round) &* 0x1000_0000_01b3 }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
  /// From 0 up to, not with, a bound.
  public mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }
  /// One of two.
  public mutating func flip() -> Bool { next() & 1 == 0 }
  /// One of so many times.
  public mutating func once(in bound: Int) -> Bool { below(bound) == 0 }
  /// One of a list.
  public mutating func pick<Element>(_ list: [Element]) -> Element { list[below(list.count)] }
  /// Some of a list, in its order.
  public mutating func some<Element>(_ list: [Element]) -> [Element] { list.filter { _ in flip() } }

  /// Bytes with some changed, left out, doubled or put in.
  public mutating func mutated(_ whole: [UInt8], _ signs: [String] = []) -> [UInt8] {
    var bytes = whole
    for _ in 0...below(6) where !bytes.isEmpty {
      let place = below(bytes.count)
      switch below(5) {
      case 0: bytes[place] = UInt8(truncatingIfNeeded: next())
      case 1: bytes.removeSubrange(place..<min(bytes.count, place + 1 + below(20)))
      case 2:
        bytes.insert(
          contentsOf: bytes[place..<min(bytes.count, place + 1 + below(60))], at: below(bytes.count))
      default:
        bytes.insert(
          contentsOf: signs.isEmpty ? [whole[below(whole.count)]] : Array(pick(signs).utf8), at: place)
      }
    }
    return bytes
  }

  /// The same of a text.
  public mutating func mutated(_ text: String, _ signs: [String] = []) -> String {
    String(decoding: mutated(Array(text.utf8), signs), as: UTF8.self)
  }
}

/// Calls `body` with 0, 1, 2, … at least `rounds` times, and on until KABUTO_FUZZ_SECONDS have passed.
public func fuzz(rounds: Int, _ body: (Int) throws -> Void) rethrows {
  let seconds = ProcessInfo.processInfo.environment["KABUTO_FUZZ_SECONDS"].flatMap(Double.init) ?? 0
  let end = Date().addingTimeInterval(seconds)
  var round = 0
  while round < rounds || Date() < end {
    try body(round)
    round += 1
  }
}
