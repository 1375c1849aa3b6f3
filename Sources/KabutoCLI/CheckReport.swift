// What came of rules, on standard output, and the exit status: the same for inputs that are read and accounts that are
// scanned.

import ArgumentParser
import Foundation
import Governance
import GuardRules

/// How a report is written.
enum ReportFormat: String, ExpressibleByArgument, CaseIterable {
  case text, json, sarif, junit, asff, ocsf, csv, html
}

extension CheckResult {
  /// Writes the report, and its faults to standard error.
  /// - Parameters:
  ///   - json: what is written as JSON.
  ///   - context: what reports for others say beside the findings.
  ///   - text: writes the report for people.
  /// - Throws: the exit status where not all is good.
  func report(
    as format: ReportFormat, allowUnknown: Bool, json: some Encodable, context: ReportContext? = nil,
    text: () -> Void
  ) throws {
    let context =
      context ?? ReportContext(at: Int64(Date().timeIntervalSince1970), version: Kabuto.version)
    switch format {
    case .text: text()
    case .json: try printJSON(json)
    case .sarif: try printJSON(SARIF(self, version: Kabuto.version))
    case .junit: print(JUnit.text(self), terminator: "")
    case .asff: try printJSON(ASFF(self, context))
    case .ocsf: try printJSON(OCSF(self, context))
    case .csv: print(CSVReport.text(self), terminator: "")
    case .html: print(HTMLReport(self, context).text, terminator: "")
    }
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
  }
}

extension Finding {
  /// What was wanted, found, and the rules' own words, for people.
  func showDetails() {
    print("  wanted  \(clause)")
    if !found.isEmpty { print("  found   \(found)") }
    for line in message.split(whereSeparator: \.isNewline) {
      print("  \(line.trimmingCharacters(in: .whitespaces))")
    }
  }
}
