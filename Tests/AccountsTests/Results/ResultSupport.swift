// Findings and runs made up for the tests of what becomes of results, and a folder that goes away.

import Foundation
import GuardRules

@testable import Governance

extension Finding {
  static func made(
    _ rule: String = "s3_public", in input: String = "aws:111122223333/eu-west-1",
    of resource: String = "bucket-1",
    path: String = "Properties.AccessControl", status: String = "FAIL", severity: Severity = .high,
    found: String = "\"PublicRead\"", type: String = "AWS::S3::Bucket",
    clause: String = "AccessControl != /^Public/",
    title: String? = nil, exception: String? = nil
  ) -> Finding {
    Finding(
      status: status, rule: rule, ruleFile: "rules/s3.guard", ruleLine: 4, input: input, line: 0, column: 0,
      resource: resource, resourceType: type, path: path, clause: clause, found: found, wanted: "",
      message: "Violation: public\n  Fix: close it", severity: severity,
      title: title ?? "Buckets aren't public",
      titleJa: "バケットを公開しない", mend: "Set AccessControl to Private.", mendJa: "AccessControl を Private にする。",
      controls: ["CIS 2.1"], exception: exception)
  }

  /// A call that failed.
  static func call(
    _ call: String = "s3 ListBuckets", in input: String = "aws:111122223333/eu-west-1",
    of resource: String = "",
    type: String = "AWS::S3::Bucket"
  ) -> Finding {
    Finding(
      status: "UNKNOWN", rule: "kabuto_call", ruleFile: "", ruleLine: 0, input: input, line: 0, column: 0,
      resource: resource, resourceType: type, path: "", clause: "the call \(call) answers", found: "denied",
      wanted: "", message: "")
  }
}

extension CheckResult {
  /// A run over one region in which rules came to what.
  static func made(
    _ findings: [Finding] = [], _ rules: [(String, RuleStatus)] = [("s3_public", .pass)],
    hides: Set<String> = [],
    input: String = "aws:111122223333/eu-west-1"
  ) -> CheckResult {
    var result = CheckResult()
    result.inputs = 1
    result.findings = findings
    result.results = rules.map {
      RuleOnInput(
        rule: $0.0, ruleFile: "rules/s3.guard", input: input, status: $0.1, hidesUnknown: hides.contains($0.0)
      )
    }
    return result
  }
}

/// A folder for one test.
final class TestFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "kabuto-results-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }
}

let region = "aws:111122223333/eu-west-1"
