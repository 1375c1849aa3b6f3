// Exceptions in files, and what they make of findings. One that doesn't count covers nothing, and the finding says why.

public import Controls
import Crypto
import Foundation
import GuardRules

/// See the head of this file.
public struct Exceptions: Sendable {
  /// An exception and where it is written.
  public struct Entry: Sendable {
    /// What it says.
    public let record: ExceptionRecord
    /// Its file.
    public let file: String
  }

  /// All, in the order of files and lines.
  public let entries: [Entry]

  /// Reads a file, or all `*.yaml` and `*.yml` of a folder.
  /// - Throws: `GovernanceFaults` with all faults of all files.
  public init(_ path: String) throws(GovernanceFaults) {
    let names: [String]
    do throws(FileFault) { names = try FileList.files([path], endings: ["yaml", "yml"]) } catch {
      throw GovernanceFaults([error.description])
    }
    var faults: [String] = []
    var entries: [Entry] = []
    var seen: [String: String] = [:]
    for name in names {
      do {
        for record in try ExceptionRecord.records(yaml: try FileList.text(name)) {
          let place = "\(name):\(record.place)"
          if let first = seen[record.id] {
            faults.append(
              "\(place): found exception \"\(record.id)\" a second time, after \(first); wanted each id once")
          }
          seen[record.id] = place
          entries.append(Entry(record: record, file: name))
        }
      } catch let fault as RecordFaults {
        faults += fault.all.map { "\(name):\($0)" }
      } catch { faults.append("\(error)") }
    }
    guard faults.isEmpty else { throw GovernanceFaults(faults) }
    self.entries = entries
  }

  /// SHA-256 in hexadecimal.
  public static func digest(_ text: String) -> String {
    SHA256.hash(data: Data(text.utf8)).map { byte in
      let hex = String(byte, radix: 16)
      return hex.count == 1 ? "0" + hex : hex
    }.joined()
  }

  /// What each is worth at a time.
  /// - Parameter now: seconds since 1970 UTC.
  public func states(now: Int64) -> [(entry: Entry, state: ExceptionState)] {
    let today = CalendarDay(of: now)
    return entries.map { (entry: $0, state: $0.record.state(on: today, digest: Self.digest)) }
  }

  /// Marks what is covered, and says of what would be why it isn't.
  /// - Parameter now: seconds since 1970 UTC.
  public func apply(to result: inout CheckResult, now: Int64) {
    let all = states(now: now)
    guard !all.isEmpty else { return }
    var used: Set<String> = []
    for place in result.findings.indices {
      let finding = result.findings[place]
      guard finding.status == "FAIL" || finding.status == "UNKNOWN" else { continue }
      let subject = ExceptionRecord.Subject(
        rule: finding.rule, input: finding.input, resource: finding.resource, type: finding.resourceType)
      let meant = all.filter {
        (finding.status == "FAIL" || $0.entry.record.coversUnknown) && $0.entry.record.means(subject)
      }
      used.formUnion(meant.map { $0.entry.record.id })
      if let first = meant.first(where: { $0.state == .valid }) {
        result.findings[place].status = "EXCEPTED"
        result.findings[place].exception = first.entry.record.id
        continue
      }
      for each in meant {
        let note = "Exception \(each.entry.record.id) \(each.state.text): it covers nothing."
        let message = result.findings[place].message
        result.findings[place].message = message.isEmpty ? note : "\(message)\n\(note)"
      }
    }
    for each in all {
      let record = each.entry.record
      result.exceptions[record.id] =
        "\(record.reason) (owner \(record.owner), approved by \(record.approved?.by ?? "nobody"), until \(record.expires))"
      if !used.contains(record.id) {
        result.notes.append(
          "\(each.entry.file):\(record.place): exception \(record.id) covers nothing here"
            + (each.state == .valid ? "" : ", and \(each.state.text)"))
      }
    }
    result.settleExceptions()
  }
}

extension CheckResult {
  /// What rules came to without what exceptions cover.
  fileprivate mutating func settleExceptions() {
    var left: [String: (open: Int, failed: Int, excepted: Int)] = [:]
    func row(_ input: String, _ file: String, _ rule: String) -> String { "\(input)\n\(file)\n\(rule)" }
    for finding in findings {
      let key = row(finding.input, finding.ruleFile, finding.rule)
      switch finding.status {
      case "EXCEPTED": left[key, default: (0, 0, 0)].excepted += 1
      case "FAIL": left[key, default: (0, 0, 0)].failed += 1
      default: left[key, default: (0, 0, 0)].open += 1
      }
    }
    for place in results.indices where results[place].status == .fail || results[place].status == .unknown {
      let each = results[place]
      guard let count = left[row(each.input, each.ruleFile, each.rule)], count.excepted > 0 else { continue }
      if count.failed == 0, count.open == 0 {
        results[place].isExcepted = true
      } else if count.failed == 0 {
        results[place].status = .unknown
      }
    }
  }
}
