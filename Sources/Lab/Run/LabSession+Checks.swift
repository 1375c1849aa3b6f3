// What a session checks while it runs, so that a figure is never of a fault that didn't happen, of a feed that had ended,
// or of a node that had ended by itself.

import Estate
import Foundation

/// What a fault touched in one repetition.
struct LabEffect: Sendable, Codable, Equatable {
  /// In the plural, for people.
  var what: String
  /// How many; 0: the fault had no effect.
  var count: UInt64

  /// What the lines and disks did between two moments; both name the same things.
  static func between(_ before: [LabEffect], _ after: [LabEffect]) -> [LabEffect] {
    zip(before, after).map {
      LabEffect(what: $1.what, count: $1.count >= $0.count ? $1.count - $0.count : $1.count)
    }
  }
}

extension LabSession {
  /// Counters that the steps should move, as they are now.
  func traces(_ steps: Scenario.Steps) throws(LabFailure) -> [LabEffect] {
    var traces: [LabEffect] = []
    let wanted = Self.traces(of: steps)
    if !wanted.isEmpty, let lines = try network?.links.statistics().lines {
      let counts = lines.flatMap { [$0.forth, $0.back] }
      for kind in wanted {
        traces.append(
          LabEffect(
            what: "frames \(kind.what)", count: counts.reduce(0) { $0 + kind.of($1) }))
      }
    }
    if steps.fault.contains(.freezeDisk) {
      traces.append(LabEffect(what: "sectors written to the disk", count: sectorsWritten))
    }
    return traces
  }

  private static func traces(of steps: Scenario.Steps) -> [(what: String, of: (LinkCounts) -> UInt64)] {
    var cut = false
    var hole = false
    var loss = false
    for step in steps.fault {
      switch step {
      case .cut, .darken: cut = true
      case .hole: hole = true
      case .lose: loss = true
      default: break
      }
    }
    var all: [(what: String, of: (LinkCounts) -> UInt64)] = []
    if cut { all.append(("met a cut line", { $0.cut })) }
    if hole { all.append(("of holed flows", { $0.hole })) }
    if loss { all.append(("lost by chance", { $0.loss })) }
    return all
  }

  /// What can only be seen while the fault lasts: clocks.
  func effectsWhileBroken(_ steps: Scenario.Steps) -> [LabEffect] {
    var effects: [LabEffect] = []
    for case .skew(let host, let seconds) in steps.fault where seconds != 0 {
      let names = layout.hosts.first { $0.name == host }?.nodes ?? []
      let loaded = names.compactMap { nodes[$0] }.count { process in
        ProcessState.bytes(of: "/proc/\(process.id)/maps").range(of: Data("libfaketime".utf8)) != nil
      }
      effects.append(LabEffect(what: "nodes of the host with a clock to be set", count: UInt64(loaded)))
      // What a program with this clock reads.
      let (_, output) = LabCommand.run(
        ["/usr/bin/env", "/usr/bin/date", "+%s"], run: entry.run,
        environment: ClockSkew.environment(file: "\(entry.folder)/clock-\(host)"))
      let off = Int(output.trimmingCharacters(in: .whitespacesAndNewlines)).map {
        $0 - Int(Date().timeIntervalSince1970)
      }
      effects.append(
        LabEffect(what: "seconds that the host's clock is off", count: UInt64(max(0, off ?? 0))))
    }
    return effects
  }

  /// Of the run's own disk.
  private var sectorsWritten: UInt64 {
    entry.lines("loops").reduce(0) { sum, loop in
      let name = loop.split(separator: "/").last.map(String.init) ?? ""
      let text = (try? String(contentsOfFile: "/sys/block/\(name)/stat", encoding: .utf8)) ?? ""
      let fields = text.split(whereSeparator: \.isWhitespace)
      return sum + (fields.count > 6 ? UInt64(fields[6]) ?? 0 : 0)
    }
  }

  // MARK: - Processes

  /// The exchange and the reference must be there, or nothing is measured.
  /// - Throws: what has ended.
  func checkFeed(_ moment: String) throws(LabFailure) {
    for process in publishers + [reference, referenceClient?.process].compactMap(\.self)
    where !process.isRunning {
      throw LabFailure(
        "\(moment): \(process.name) has ended (status \(process.exitStatus ?? -1)): nothing would be measured; "
          + "if the feed ran out, try a lower --rate\n\(process.lastWords)")
    }
  }

  /// Everything is healed: all that was started must run.
  func checkProcesses(after moment: String) throws(LabFailure) {
    try checkFeed(moment)
    let all =
      nodes.values.sorted { $0.name < $1.name } + clients.map(\.process)
      + layout.routers.flatMap { network?.processes(of: $0.name) ?? [] }
    for process in all where !process.isRunning && missed.insert("\(process.name) \(process.id)").inserted {
      let words = process.lastWords
      faults.append(
        "\(moment): \(process.name) had ended by itself (status \(process.exitStatus ?? -1)): "
          + (words.isEmpty ? "it said nothing" : words))
      say("\(process.name) has ended by itself:\n\(words)")
    }
  }
}
