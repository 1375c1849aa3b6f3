// Repeatable randomness for this target, small stacks, and where the published rules lie. A run is repeated with
// KABUTO_SEED=… as printed.

import Foundation
import GuardRules
import TestChance
import Testing

@testable import Resources

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

/// The statuses of a rule's clauses on a document.
func status(_ clauses: String, _ document: Value) throws -> RuleStatus {
  try RuleFile("rule r {\n\(clauses)\n}", name: "t").evaluate(document, now: 0)[0].status
}

/// Resources of a plan.
func plan(_ text: String) throws -> [ShapedResource] {
  try Data(text.utf8).withUnsafeBytes { try TerraformPlan.shaped($0) }
}

/// Resources of configuration items.
func items(_ text: String) throws -> [ShapedResource] {
  var all: [ShapedResource] = []
  try Data(text.utf8).withUnsafeBytes { bytes in
    _ = try ConfigurationItems.read(bytes) { (resource) throws(DocumentFault) in all.append(resource) }
  }
  return all
}
