// Exceptions as they stand at a time, on findings as they come: those that are no longer kept are counted.

import Controls
import GuardRules

/// What exceptions made of findings so far.
struct ExceptionTally: Sendable {
  struct Counts: Sendable {
    var excepted = 0
    var failed = 0
    var open = 0
  }

  /// Findings before this place were looked at.
  var markedCount = 0
  /// Exceptions that mean a finding, whether they cover it or not.
  var used: Set<String> = []
  /// By rule, its file and input.
  var rows: [String: Counts] = [:]

  static func row(_ input: String, _ file: String, _ rule: String) -> String { "\(input)\n\(file)\n\(rule)" }

  /// - Parameter count: findings of both together; all were looked at.
  mutating func add(_ other: ExceptionTally, at count: Int) {
    used.formUnion(other.used)
    for (row, counts) in other.rows {
      rows[row, default: Counts()].excepted += counts.excepted
      rows[row, default: Counts()].failed += counts.failed
      rows[row, default: Counts()].open += counts.open
    }
    markedCount = count
  }
}

struct ExceptionsInForce: Sendable {
  private let all: [(entry: Exceptions.Entry, state: ExceptionState)]

  /// - Parameter now: seconds since 1970 UTC.
  init(_ exceptions: Exceptions, now: Int64) { all = exceptions.states(now: now) }

  /// Looks at the findings that came since.
  func mark(_ result: inout CheckResult) {
    guard !all.isEmpty else { return }
    for place in result.findings.indices.dropFirst(result.excepted.markedCount) {
      look(at: &result.findings[place], &result.excepted)
    }
    result.excepted.markedCount = result.findings.count
  }

  private func look(at finding: inout Finding, _ tally: inout ExceptionTally) {
    guard finding.status == "FAIL" || finding.status == "UNKNOWN" else { return }
    let subject = ExceptionRecord.Subject(
      rule: finding.rule, input: finding.input, resource: finding.resource, type: finding.resourceType)
    let meant = all.filter {
      (finding.status == "FAIL" || $0.entry.record.coversUnknown) && $0.entry.record.means(subject)
    }
    tally.used.formUnion(meant.map { $0.entry.record.id })
    let row = ExceptionTally.row(finding.input, finding.ruleFile, finding.rule)
    if let first = meant.first(where: { $0.state == .valid }) {
      finding.status = "EXCEPTED"
      finding.exception = first.entry.record.id
      tally.rows[row, default: ExceptionTally.Counts()].excepted += 1
      return
    }
    if finding.status == "FAIL" {
      tally.rows[row, default: ExceptionTally.Counts()].failed += 1
    } else {
      tally.rows[row, default: ExceptionTally.Counts()].open += 1
    }
    for each in meant {
      let note = "Exception \(each.entry.record.id) \(each.state.text): it covers nothing."
      finding.message = finding.message.isEmpty ? note : "\(finding.message)\n\(note)"
    }
  }

  /// What rules came to without what exceptions cover, and which exceptions mean nothing.
  func finish(_ result: inout CheckResult) {
    guard !all.isEmpty else { return }
    for each in all {
      let record = each.entry.record
      result.exceptions[record.id] =
        "\(record.reason) (owner \(record.owner), approved by \(record.approved?.by ?? "nobody"), until \(record.expires))"
      if !result.excepted.used.contains(record.id) {
        result.notes.append(
          "\(each.entry.file):\(record.place): exception \(record.id) covers nothing here"
            + (each.state == .valid ? "" : ", and \(each.state.text)"))
      }
    }
    for place in result.results.indices {
      let each = result.results[place]
      let row = ExceptionTally.row(each.input, each.ruleFile, each.rule)
      guard each.status == .fail || each.status == .unknown, let count = result.excepted.rows[row],
        count.excepted > 0
      else { continue }
      if count.failed == 0, count.open == 0 {
        result.results[place].isExcepted = true
      } else if count.failed == 0 {
        result.results[place].status = .unknown
      }
    }
  }
}
