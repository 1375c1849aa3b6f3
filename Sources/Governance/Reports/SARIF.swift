// SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format"): what code reviews and scanners show beside the line.

import Foundation
import GuardRules

/// See the head of this file.
public struct SARIF: Encodable, Sendable {
  struct Text: Encodable, Sendable { let text: String }
  struct Properties: Encodable, Sendable {
    /// What code hosts sort by: from 0.0 to 10.0, as text.
    let securitySeverity: String
    let tags: [String]

    enum CodingKeys: String, CodingKey {
      case tags
      case securitySeverity = "security-severity"
    }
  }
  struct Configuration: Encodable, Sendable { let level: String }
  struct Rule: Encodable, Sendable {
    let id: String
    let shortDescription: Text
    let fullDescription: Text
    /// How to mend it; nil = the rule doesn't say.
    let help: Text?
    let defaultConfiguration: Configuration
    let properties: Properties
  }
  struct Driver: Encodable, Sendable {
    let name: String
    let version: String
    let informationUri: String?
    let rules: [Rule]
  }
  struct Tool: Encodable, Sendable { let driver: Driver }
  struct Artifact: Encodable, Sendable { let uri: String }
  struct Region: Encodable, Sendable {
    let startLine: Int
    let startColumn: Int
  }
  struct Physical: Encodable, Sendable {
    let artifactLocation: Artifact
    let region: Region?
  }
  struct Logical: Encodable, Sendable {
    let fullyQualifiedName: String
    let kind: String
  }
  struct Location: Encodable, Sendable {
    let physicalLocation: Physical
    let logicalLocations: [Logical]?
  }
  struct Result: Encodable, Sendable {
    let ruleId: String
    let ruleIndex: Int
    let kind: String
    let level: String
    let message: Text
    let locations: [Location]
    let suppressions: [Suppression]?
    /// The same for the same finding of another day.
    let partialFingerprints: [String: String]
  }
  /// Section 3.35: what was found, and is left as it is by a decision.
  struct Suppression: Encodable, Sendable {
    let kind: String
    let status: String
    let justification: String
  }
  struct Notification: Encodable, Sendable {
    let level: String
    let message: Text
  }
  struct Invocation: Encodable, Sendable {
    let executionSuccessful: Bool
    let toolExecutionNotifications: [Notification]
  }
  struct Run: Encodable, Sendable {
    let tool: Tool
    let invocations: [Invocation]
    let results: [Result]
  }

  let schema = "https://json.schemastore.org/sarif-2.1.0.json"
  let version = "2.1.0"
  let runs: [Run]

  enum CodingKeys: String, CodingKey {
    case version, runs
    case schema = "$schema"
  }

  /// A report of a check.
  public init(_ result: CheckResult, version: String) {
    var order: [String: Int] = [:]
    var rules: [Rule] = []
    for finding in result.findings where order[finding.rule] == nil {
      order[finding.rule] = rules.count
      let text = finding.message.isEmpty ? finding.rule : finding.message
      rules.append(
        Rule(
          id: finding.rule, shortDescription: Text(text: finding.title), fullDescription: Text(text: text),
          help: finding.mend.isEmpty ? nil : Text(text: finding.mend),
          defaultConfiguration: Configuration(level: Self.level(finding.severity)),
          properties: Properties(
            securitySeverity: Self.score(finding.severity), tags: Self.tags(finding.controls))))
    }
    let results = result.findings.map { finding in
      let isUnknown = finding.status == "UNKNOWN"
      return Result(
        ruleId: finding.rule, ruleIndex: order[finding.rule] ?? 0,
        // What can't be told is for a person to look at; SARIF has a kind for it, whose level must be none.
        kind: isUnknown ? "open" : "fail", level: isUnknown ? "none" : Self.level(finding.severity),
        message: Text(text: finding.sentence()),
        locations: [
          Location(
            physicalLocation: Physical(
              artifactLocation: Artifact(uri: Self.uri(finding.input)),
              region: finding.line > 0
                ? Region(startLine: finding.line, startColumn: max(1, finding.column)) : nil),
            logicalLocations: finding.resource.isEmpty
              ? nil : [Logical(fullyQualifiedName: finding.resource, kind: "resource")])
        ],
        suppressions: finding.exception.map { id in
          [
            Suppression(
              kind: "external", status: "accepted",
              justification: "\(id): \(result.exceptions[id] ?? "an exception")")
          ]
        }, partialFingerprints: ["kabutoFinding/v1": finding.identity.id])
    }
    let faults = result.faults.map { Notification(level: "error", message: Text(text: $0)) }
    let omitted =
      result.omittedCount > 0
      ? [
        Notification(
          level: "warning",
          message: Text(text: "\(result.omittedCount) findings more than the \(result.findings.count) here"))
      ] : []
    runs = [
      Run(
        tool: Tool(
          driver: Driver(name: "kabuto", version: version, informationUri: nil, rules: rules)),
        invocations: [
          Invocation(executionSuccessful: faults.isEmpty, toolExecutionNotifications: faults + omitted)
        ],
        results: results)
    ]
  }

  private static func level(_ severity: Severity) -> String {
    switch severity {
    case .critical, .high: "error"
    case .medium: "warning"
    case .low, .info: "note"
    }
  }

  /// Each once, as the schema wants.
  private static func tags(_ controls: [String]) -> [String] {
    var seen: Set<String> = []
    return (["security"] + controls).filter { seen.insert($0).inserted }
  }

  /// Within the bands that code hosts draw: critical from 9.0, high from 7.0, medium from 4.0, low below.
  private static func score(_ severity: Severity) -> String {
    switch severity {
    case .critical: "9.5"
    case .high: "8.0"
    case .medium: "5.5"
    case .low: "3.0"
    case .info: "0.0"
    }
  }

  private static func uri(_ path: String) -> String {
    path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? path
  }
}
