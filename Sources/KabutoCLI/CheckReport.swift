// What came of rules, on standard output, and the exit status: the same for inputs that are read and accounts that are
// scanned.

import ArgumentParser
import Foundation
import Governance
import GuardRules

/// How a report is written.
enum ReportFormat: String, ExpressibleByArgument, CaseIterable {
  case text, json, sarif, junit, comment
}

extension CheckResult {
  /// Writes the report, and its faults to standard error.
  /// - Parameters:
  ///   - json: what is written as JSON.
  ///   - text: writes the report for people.
  /// - Throws: the exit status where not all is good.
  func report(
    as format: ReportFormat, language: ReportLanguage = .en, allowUnknown: Bool, json: some Encodable,
    text: () -> Void
  ) throws {
    switch format {
    case .text: text()
    case .json: try printJSON(json)
    case .sarif: try printJSON(SARIF(self, version: Kabuto.version))
    case .junit: print(JUnit.text(self), terminator: "")
    case .comment: print(PullRequestComment.text(self, language: language), terminator: "")
    }
    for note in notes { say("kabuto: \(note)") }
    for fault in faults { say("kabuto: \(fault)") }
    if !faults.isEmpty { throw couldNot }
    switch status {
    case .fail: throw foundWrong
    case .unknown: if !allowUnknown { throw foundWrong }
    case .pass, .skip: break
    }
  }

  /// How many rules came to what, for people.
  var counts: String {
    "rules passed \(count(.pass)), failed \(count(.fail)), unknown \(count(.unknown)), skipped \(count(.skip))"
      + (exceptedCount > 0 ? ", excepted \(exceptedCount)" : "")
  }
}

extension Finding {
  /// What was wanted, found, and the rules' own words, for people.
  func showDetails() {
    print("  wanted  \(clause)")
    if !found.isEmpty { print("  found   \(found)") }
    if let exception { print("  exception \(exception)") }
    for line in message.split(whereSeparator: \.isNewline) {
      print("  \(line.trimmingCharacters(in: .whitespaces))")
    }
  }
}
