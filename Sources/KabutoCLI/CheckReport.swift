// What came of rules, on standard output, and the exit status: the same for inputs that are read and accounts that are
// scanned.

import ArgumentParser
import Foundation
import Governance
import GuardRules

/// How a report is written.
enum ReportFormat: String, ExpressibleByArgument, CaseIterable {
  case text, json, lines, sarif, junit, comment, asff, ocsf, csv, html
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
    case .lines:
      writeLines()
      try printLine(Beside(ResultCounts(self, hasExcepted: false), Summary(self)))
    case .sarif: try printJSON(SARIF(self, version: Kabuto.version))
    case .junit: print(JUnit.text(self, language: context.language), terminator: "")
    case .comment: print(PullRequestComment.text(self, language: context.language), terminator: "")
    case .asff: try printJSON(ASFF(self, context))
    case .ocsf: try printJSON(OCSF(self, context))
    case .csv: print(CSVReport.text(self, language: context.language), terminator: "")
    case .html: print(HTMLReport(self, context).text, terminator: "")
    }
    for note in notes { say("kabuto: \(note.visible())") }
    if omittedCount > 0 {
      say(
        "kabuto: \(counted(omittedCount, "finding")) more than the \(findings.count) in this report; "
          + "--format lines and --format text write all")
    }
    for fault in faults { say("kabuto: \(fault.visible())") }
    if !faults.isEmpty { throw couldNot }
    switch status {
    case .fail: throw foundWrong
    case .unknown: if !allowUnknown { throw foundWrong }
    case .pass, .skip: break
    }
  }

  /// Writes a line of JSON a finding.
  func writeLines() {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var out = Data()
    for finding in findings {
      guard let line = try? encoder.encode(finding) else { continue }
      out.append(line)
      out.append(10)
    }
    StandardOutput.write(out)
  }

  /// How many rules came to what, for people.
  var counts: String {
    (faults.isEmpty ? "" : counted(faults.count, "fault") + ", ")
      + "rules passed \(count(.pass)), failed \(count(.fail)), unknown \(count(.unknown)), skipped \(count(.skip))"
      + (exceptedCount > 0 ? ", excepted \(exceptedCount)" : "")
  }
}

/// The last line of findings as lines, beside the counts.
private struct Summary: Encodable {
  let inputs: Int
  let findings: Int
  let faults: [String]
  let cost: ProcessCost

  init(_ result: CheckResult) {
    inputs = result.inputs
    findings = result.findingCount
    faults = result.faults
    cost = ProcessCost()
  }
}

/// What this process took so far.
struct ProcessCost: Encodable {
  /// Processor time, all threads.
  let cpuSeconds: Double
  /// Memory at its most.
  let residentBytes: Int

  enum CodingKeys: String, CodingKey {
    case cpuSeconds = "cpu_seconds"
    case residentBytes = "resident_bytes"
  }

  init() {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    cpuSeconds = seconds(usage.ru_utime) + seconds(usage.ru_stime)
    residentBytes = (Self.highWater ?? usage.ru_maxrss) * 1_024
  }

  /// KiB of this program alone; what `getrusage` says has in it what started it (proc(5), VmHWM).
  private static var highWater: Int? {
    guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") })
    else { return nil }
    return Int(line.dropFirst(6).filter(\.isNumber))
  }
}

/// Writes a value as one line of JSON on standard output.
func printLine(_ value: some Encodable) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  StandardOutput.write(try encoder.encode(value) + Data("\n".utf8))
}
