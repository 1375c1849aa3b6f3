// Repeatable randomness for this target, small stacks, and where the published rules lie. A run is repeated with
// KABUTO_SEED=… as printed.

import Foundation
import Testing

@testable import GuardRules

/// The run's seed: KABUTO_SEED (hexadecimal), or another one each time.
let runSeed: UInt64 = {
  let given = ProcessInfo.processInfo.environment["KABUTO_SEED"].flatMap { UInt64($0, radix: 16) }
  let seed = given ?? UInt64.random(in: 1...0xffff_ffff)
  print("GuardRulesTests: KABUTO_SEED=\(String(seed, radix: 16))")
  return seed
}()

/// The line that repeats a run.
var seedNote: Comment { "KABUTO_SEED=\(String(runSeed, radix: 16))" }

/// SplitMix64; `round` keeps the rounds' numbers apart.
struct Chance {
  private var state: UInt64

  init(round: Int) { state = runSeed &+ UInt64(round) &* 0x1000_0000_01b3 }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }
  mutating func pick<Element>(_ list: [Element]) -> Element { list[below(list.count)] }

  /// A text with some bytes changed, left out, doubled or put in.
  mutating func mutated(_ text: String, _ signs: [String]) -> String {
    var bytes = Array(text.utf8)
    for _ in 0...below(6) where !bytes.isEmpty {
      let place = below(bytes.count)
      switch below(5) {
      case 0: bytes[place] = UInt8(truncatingIfNeeded: next())
      case 1: bytes.removeSubrange(place..<min(bytes.count, place + 1 + below(20)))
      case 2:
        bytes.insert(
          contentsOf: bytes[place..<min(bytes.count, place + 1 + below(60))], at: below(bytes.count))
      default: bytes.insert(contentsOf: Array(pick(signs).utf8), at: place)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// Calls `body` with 0, 1, 2, … at least `rounds` times, and on until KABUTO_FUZZ_SECONDS have passed.
func fuzz(rounds: Int, _ body: (Int) throws -> Void) rethrows {
  let seconds = ProcessInfo.processInfo.environment["KABUTO_FUZZ_SECONDS"].flatMap(Double.init) ?? 0
  let end = Date().addingTimeInterval(seconds)
  var round = 0
  while round < rounds || Date() < end {
    try body(round)
    round += 1
  }
}

/// Does something on a thread with the smallest stack that platforms give: 512 KiB.
func onSmallStack<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
  await withCheckedContinuation { done in
    let thread = Thread { done.resume(returning: body()) }
    thread.stackSize = 512 * 1024
    thread.start()
  }
}

/// Published rules with their expectations: $KABUTO_TESTDATA/governance (or its neighbour), or ../shared/governance. They
/// aren't part of the package: tests that need them are skipped by name where they aren't there.
enum GovernanceData {
  static let folder: String = {
    let here = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
    let root = (0..<3).reduce(here) { url, _ in url.deletingLastPathComponent() }
    var places = [root.deletingLastPathComponent().appendingPathComponent("shared/governance").path]
    if let given = ProcessInfo.processInfo.environment["KABUTO_TESTDATA"], !given.isEmpty {
      places = [given + "/governance", given + "/../governance"] + places
    }
    return places.first { FileManager.default.fileExists(atPath: $0) } ?? places[0]
  }()
  static let isThere = FileManager.default.fileExists(atPath: folder + "/GUARD.md")
  static let missing: Comment = "no rules at ../shared/governance or $KABUTO_TESTDATA/governance"

  static func files(_ ending: String) -> [String] {
    let all = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    return all.filter { $0.hasSuffix(ending) }.sorted().map { folder + "/" + $0 }
  }
  static func text(_ path: String) throws -> String {
    try String(contentsOfFile: path.hasPrefix("/") ? path : folder + "/" + path, encoding: .utf8)
  }
}

/// The status of clauses as a rule of their own against a document in YAML.
func status(_ clauses: String, _ yaml: String, _ rules: ScalarRules = .tests) throws -> RuleStatus {
  try statuses("rule r {\n\(clauses)\n}", yaml, rules)["r"] ?? .unknown
}

/// The status of each rule of a file.
func statuses(_ file: String, _ yaml: String, _ rules: ScalarRules = .tests) throws -> [String: RuleStatus] {
  let results = try RuleFile(file, name: "t.guard").evaluate(
    try Value.reading(yaml: yaml, rules), now: 1_700_000_000)
  return Dictionary(results.map { ($0.name, $0.status) }) { first, _ in first }
}

/// The faults of a file, a line each; empty = there are none.
func faults(_ file: String) -> [String] {
  do throws(RuleFaults) {
    _ = try RuleFile(file, name: "t.guard")
    return []
  } catch { return error.all.map(\.description) }
}
