// The report as text, JSON and HTML.

import Foundation

extension LabReport {
  /// For people at a terminal.
  public var text: String {
    var lines = [
      "scenario      \(scenario) on \(estate), \(runs.count) runs",
      String(format: "outage        p50 %.1f ms, worst %.1f ms beyond the control", outageP50Ms, outageMs),
    ]
    if let outageMergedMs {
      lines.append(
        String(format: "              worst %.1f ms of clients with two connections", outageMergedMs))
    }
    lines.append(
      String(
        format: "              worst %.1f ms while the fault lasted, %.1f ms on return", outageFaultMs,
        outageReturnMs))
    lines.append("lost          \(lost)")
    lines.append("repeated      \(repeated)")
    lines.append("out of order  \(outOfOrder)")
    lines.append("wrong         \(wrong)")
    let waited = controls.flatMap(\.clients).map(\.waitedMs).max() ?? 0
    lines.append(String(format: "control       the longest wait is %.1f ms", waited))
    for one in latency {
      lines.append(
        String(format: "age           %@: p50 %.3f ms, p99 %.3f ms", one.client, one.p50Ms, one.p99Ms))
    }
    for fault in faults { lines.append("fault         \(fault)") }
    return lines.joined(separator: "\n")
  }

  /// Writes `report.json` and `report.html` into a folder.
  /// - Throws: where that can't be done.
  public func write(to folder: String) throws(LabFailure) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      try encoder.encode(self).write(to: URL(fileURLWithPath: "\(folder)/report.json"))
      try Data(html.utf8).write(to: URL(fileURLWithPath: "\(folder)/report.html"))
    } catch { throw LabFailure("\(folder): \(error.localizedDescription)") }
  }
}
