// Repeatable randomness for this target, small stacks, and where the published rules lie. A run is repeated with
// KABUTO_SEED=… as printed.

import Foundation
import TestChance
import Testing

@testable import GuardRules

/// The line that repeats a run.
var seedNote: Comment { Comment(rawValue: TestChance.seedNote) }

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
