// What makes a run's figures worth nothing, or less than they seem: a reference in doubt, records that can't be read,
// outages that weren't over, a machine too slow even without a fault. Pure.

enum LabFaults {
  /// A wait that is longer than this is no noise of the machine, milliseconds.
  static let longestCalmWait = 100.0

  /// - Parameter through: the end of the last window; after it the feed ends, and says so.
  static func ofReference(_ truth: Truth, through: UInt64) -> [String] {
    let doubts = truth.doubts.filter { $0.at <= through }
    guard let first = doubts.first else { return [] }
    return ["the reference is in doubt, \(doubts.count) times; the first: \(first.why)"]
  }

  /// - Parameter differences: between what the reference got and what the feed's file says.
  static func ofReference(_ differences: [String]) -> [String] {
    guard let first = differences.first else { return [] }
    return ["the reference differs from the feed's file, \(differences.count) times; the first: \(first)"]
  }

  static func of(
    _ client: String, _ whole: JudgedClient, _ windows: some Sequence<(LabWindow, JudgedClient)>
  ) -> [String] {
    var faults: [String] = []
    if whole.updates == 0 { faults.append("\(client) got nothing") }
    if whole.unreadable > 0 { faults.append("\(client): \(whole.unreadable) frames can't be read") }
    for (window, judged) in windows {
      let name = LabReport.name(of: window)
      if window.isControl, judged.waitedMilliseconds > longestCalmWait {
        let waited = LabReport.rounded(judged.waitedMilliseconds)
        faults.append(
          "\(name): \(client) waited \(waited) ms though nothing was broken: outages are too small by that much"
        )
      }
      if !window.isControl, judged.openMilliseconds > longestCalmWait {
        let open = LabReport.rounded(judged.openMilliseconds)
        faults.append("\(name): \(client) still waited at its end, for \(open) ms by then")
      }
    }
    return faults
  }
}
