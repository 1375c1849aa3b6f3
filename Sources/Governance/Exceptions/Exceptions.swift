// Exceptions in files, and what they make of findings. One that doesn't count covers nothing, and the finding says why.

public import Controls
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
      } catch let fault as DocumentFaults {
        faults += fault.all.map { "\(name):\($0)" }
      } catch { faults.append("\(error)") }
    }
    guard faults.isEmpty else { throw GovernanceFaults(faults) }
    self.entries = entries
  }

  /// SHA-256 in hexadecimal.
  public static func digest(_ text: String) -> String {
    HexText.hash(text)
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
    let force = ExceptionsInForce(self, now: now)
    force.mark(&result)
    force.finish(&result)
  }
}
