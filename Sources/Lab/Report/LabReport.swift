// The report of a run: what the clients saw, worst over runs and clients (DESIGN, Lab), and what happened when.
// `LabReport.make` reads the records; the values are what JSON and HTML show.

import Estate
import Foundation

/// See the head of this file.
public struct LabReport: Sendable, Codable {
  /// A client's share of a run.
  public struct Client: Sendable, Codable {
    /// Name of the client.
    public var client: String
    /// The site that it is at.
    public var site: String
    /// Connections that it holds at once.
    public var connections: Int
    /// Longest time without news beyond that without the fault, milliseconds.
    public var outageMs: Double
    /// Of news that came up while the fault lasted, and of news that came up while it healed and afterwards.
    public var outageFaultMs: Double
    /// The same of news that came up while it healed and afterwards, milliseconds.
    public var outageReturnMs: Double
    /// Longest time that news waited, milliseconds.
    public var waitedMs: Double
    /// Of which instrument.
    public var waitedFor: String
    /// Neither delivered nor replaced by something newer.
    public var lost: Int
    /// The same number again on one connection.
    public var repeated: Int
    /// A lower number after a higher one on one connection.
    public var outOfOrder: Int
    /// Fields that are not what the feed had made them.
    public var wrong: Int
    /// Updates that were taken.
    public var updates: Int
    /// What came again by another connection.
    public var overlap: Int
    /// The first few that were lost or wrong.
    public var examples: [String]

    enum CodingKeys: String, CodingKey {
      case client, site, connections, lost, repeated, wrong, updates, overlap, examples
      case outageMs = "outage_ms"
      case outageFaultMs = "outage_fault_ms"
      case outageReturnMs = "outage_return_ms"
      case waitedMs = "waited_ms"
      case waitedFor = "waited_for"
      case outOfOrder = "out_of_order"
    }
  }

  /// Something that happened, milliseconds after the fault.
  public struct Moment: Sendable, Codable, Equatable {
    /// Milliseconds after the fault.
    public var ms: Double
    /// `fault`, `heal`, `detection`, `route`, `node`, `client`, `value`.
    public var kind: String
    /// Where.
    public var place: String
    /// What happened, in words.
    public var what: String
  }

  /// A repetition.
  public struct Run: Sendable, Codable {
    /// Number of the repetition, or of the run.
    public var run: Int
    /// What the fault was done to.
    public var target: String
    /// Longest time without news beyond that without the fault, milliseconds.
    public var outageMs: Double
    /// The longest time for which the network alone carried nothing to the other site (or zone) and back.
    public var networkSilenceMs: Double?
    /// Neither delivered nor replaced by something newer.
    public var lost: Int
    /// The same number again on one connection.
    public var repeated: Int
    /// A lower number after a higher one on one connection.
    public var outOfOrder: Int
    /// Fields that are not what the feed had made them.
    public var wrong: Int
    /// What each client saw.
    public var clients: [Client]
    /// What happened, in order.
    public var timeline: [Moment]
    /// What the fault touched.
    var effects: [LabEffect]

    enum CodingKeys: String, CodingKey {
      case run, target, lost, repeated, wrong, clients, timeline, effects
      case outageMs = "outage_ms"
      case networkSilenceMs = "network_silence_ms"
      case outOfOrder = "out_of_order"
    }
  }

  /// How old an update was at the client: from the plant's host to the client, while nothing was broken.
  public struct Latency: Sendable, Codable {
    /// Name of the client.
    public var client: String
    /// Median, milliseconds.
    public var p50Ms: Double
    /// Of a hundred the worst but one, milliseconds.
    public var p99Ms: Double
    /// How many were measured.
    public var count: Int

    enum CodingKeys: String, CodingKey {
      case client, count
      case p50Ms = "p50_ms"
      case p99Ms = "p99_ms"
    }
  }

  /// What crossed between sites, while nothing was broken, through the network of the first site's lines.
  public struct Crossing: Sendable, Codable {
    /// Bytes of frames of the message servers and their clients, out of and into the first site.
    public var backboneBytesOut: UInt64
    /// The same into the first site.
    public var backboneBytesIn: UInt64
    /// Bytes of all frames out of the first site.
    public var allBytesOut: UInt64
    /// Bytes of all frames into the first site.
    public var allBytesIn: UInt64
    /// Messages of the feed meanwhile, and updates that a client of everything gets.
    public var messages: Double
    /// Updates that were taken.
    public var updates: Double
    /// How long was measured, seconds.
    public var seconds: Double

    enum CodingKeys: String, CodingKey {
      case messages, updates, seconds
      case backboneBytesOut = "backbone_bytes_out"
      case backboneBytesIn = "backbone_bytes_in"
      case allBytesOut = "all_bytes_out"
      case allBytesIn = "all_bytes_in"
    }
  }

  /// What is done.
  public var scenario: String
  /// What that is, in a sentence.
  public var explanation: String
  /// The estate that it is done to.
  public var estate: String
  /// Longest time without news beyond that without the fault, milliseconds.
  public var outageMs: Double
  /// Median over runs of the worst client's outage.
  public var outageP50Ms: Double
  /// The same for clients that hold two connections, where there are any.
  public var outageMergedMs: Double?
  /// Neither delivered nor replaced by something newer.
  public var lost: Int
  /// The same number again on one connection.
  public var repeated: Int
  /// A lower number after a higher one on one connection.
  public var outOfOrder: Int
  /// Fields that are not what the feed had made them.
  public var wrong: Int
  /// Repetitions with the fault.
  public var runs: [Run]
  /// Stretches without it.
  public var controls: [Run]
  /// How old updates were at each client.
  public var latency: [Latency]
  /// What crossed between the sites; nil where there is one.
  public var crossing: Crossing?
  /// Of the market and of all that is drawn.
  public var seed: UInt64
  /// Messages of the feed a second.
  public var rate: Int
  /// Instruments of the market.
  public var instruments: Int
  /// How long the fault lasts, seconds.
  public var faultSeconds: Double
  /// How long is watched after it is healed, seconds.
  public var afterSeconds: Double
  /// What was changed of the estate to run it here.
  public var changes: [String]
  /// The link emulator's own lateness, microseconds, and the part of the machine that was busy without a fault.
  public var emulatorLateP50Us: Double
  /// The same, of a hundred the worst but one, microseconds.
  public var emulatorLateP99Us: Double
  /// Part of the machine that was busy, 0 to 1.
  public var busyShare: Double
  /// Of it what the laboratory itself needed.
  public var ownShare: Double
  /// How much later than a judged client the reference had a number, at worst; outages are counted from the earlier.
  public var referenceLateMs: Double
  /// What made the run fail as a whole, such as records that can't be read.
  public var faults: [String]

  enum CodingKeys: String, CodingKey {
    case scenario, explanation, estate, lost, repeated, wrong, runs, controls, latency, crossing,
      seed, rate
    case instruments, changes, faults
    case outageMs = "outage_ms"
    case outageP50Ms = "outage_p50_ms"
    case outageMergedMs = "outage_merged_ms"
    case outOfOrder = "out_of_order"
    case faultSeconds = "fault_seconds"
    case afterSeconds = "after_seconds"
    case emulatorLateP50Us = "emulator_late_p50_us"
    case emulatorLateP99Us = "emulator_late_p99_us"
    case busyShare = "busy_share"
    case ownShare = "own_share"
    case referenceLateMs = "reference_late_ms"
  }

  /// Whether nothing was lost, repeated, out of order or wrong.
  public var isClean: Bool { lost + repeated + outOfOrder + wrong == 0 && faults.isEmpty }
}

extension LabReport {
  /// The worst of all clients and repetitions while the fault lasted.
  var outageFaultMs: Double { runs.flatMap(\.clients).map(\.outageFaultMs).max() ?? 0 }
  /// The same while it healed and afterwards.
  var outageReturnMs: Double { runs.flatMap(\.clients).map(\.outageReturnMs).max() ?? 0 }

  static func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }

  /// Plays the feed's file: epoch, last number that is wanted, what gets each frame.
  public typealias PlayFeed = (String, UInt64, @escaping (UnsafeRawBufferPointer) -> Void) throws -> Void

  /// Judges what a run has recorded by what the feed's file says.
  /// - Parameter play: plays `outcome.feedPath` to a client that gets every update of quotes and trades.
  /// - Throws: where a record or the file can't be read.
  public static func make(_ outcome: LabOutcome, play: PlayFeed) throws(LabFailure) -> LabReport {
    let reference = Truth(record: try lines(outcome.truthRecord))
    let feed = try feedTruth(of: reference, play)
    let others = try outcome.clients.map { (client) throws(LabFailure) in
      Truth(record: try lines(client.record))
    }
    let (truth, late) = feed.timed(by: reference, or: others)
    for window in outcome.windows
    where !truth.isAlive(in: JudgedWindow(from: window.from, through: window.through)) {
      throw LabFailure(
        "\(name(of: window)): the reference client got no update in its last two seconds: nothing can be judged; "
          + "the feed had ended, or the reference was too slow: try a lower --rate")
    }
    // Each repetition is two stretches: the fault, and its healing.
    let windows = outcome.windows.flatMap {
      [
        JudgedWindow(from: $0.from, through: $0.healed > $0.from ? $0.healed - 1 : $0.from),
        JudgedWindow(from: max($0.healed, $0.from + 1), through: $0.through, isContinuation: true),
      ]
    }
    var faults = outcome.faults + LabFaults.ofReference(reference, through: windows.last?.through ?? 0)
    faults += LabFaults.ofReference(feed.differences(of: reference))
    var judged: [(whole: JudgedClient, windows: [JudgedClient])] = []
    var latency: [Latency] = []
    let calm = outcome.windows.filter(\.isControl)
    for client in outcome.clients {
      let record = try lines(client.record)
      judged.append(Judge.judge(record: record, truth: truth, windows: windows))
      latency.append(LatencyGauge.measure(record, name: client.client.name, windows: calm))
    }
    latency.insert(
      LatencyGauge.measure(try lines(outcome.truthRecord), name: "reference", windows: calm), at: 0)
    // What a client waits for at worst while nothing is broken.
    let baselines = judged.map { client in
      outcome.windows.indices.filter { outcome.windows[$0].isControl }
        .map { client.windows[$0 * 2].joined(client.windows[$0 * 2 + 1]).waitedMilliseconds }.max() ?? 0
    }
    for (client, result) in zip(outcome.clients, judged) {
      let joined = outcome.windows.indices.map {
        (outcome.windows[$0], result.windows[$0 * 2].joined(result.windows[$0 * 2 + 1]))
      }
      faults += LabFaults.of(client.client.name, result.whole, joined)
    }
    var timelines = TimelineReader(outcome)
    var runs: [Run] = []
    var controls: [Run] = []
    for (index, window) in outcome.windows.enumerated() {
      let clients = zip(outcome.clients, judged).enumerated().map { number, pair in
        share(
          pair.0, pair.1.windows[index * 2], pair.1.windows[index * 2 + 1], baseline: baselines[number])
      }
      let run = Run(
        run: window.run, target: window.target, outageMs: clients.map(\.outageMs).max() ?? 0,
        networkSilenceMs: window.networkSilence.map(rounded),
        lost: clients.reduce(0) { $0 + $1.lost }, repeated: clients.reduce(0) { $0 + $1.repeated },
        outOfOrder: clients.reduce(0) { $0 + $1.outOfOrder }, wrong: clients.reduce(0) { $0 + $1.wrong },
        clients: clients,
        timeline: window.isControl
          ? []
          : timelines.moments(
            of: window, clients: judged.map { $0.windows[index * 2].joined($0.windows[index * 2 + 1]) }),
        effects: window.effects)
      if window.isControl { controls.append(run) } else { runs.append(run) }
    }
    let outages = runs.map(\.outageMs).sorted()
    let merged = runs.flatMap(\.clients).filter { $0.connections > 1 }.map(\.outageMs)
    let all = judged.map(\.whole)
    return LabReport(
      scenario: outcome.plan.scenario.name.rawValue, explanation: outcome.plan.scenario.explanation,
      estate: outcome.plan.estate.name, outageMs: outages.last ?? 0,
      outageP50Ms: outages.isEmpty ? 0 : outages[(outages.count - 1) / 2], outageMergedMs: merged.max(),
      lost: all.reduce(0) { $0 + $1.lost }, repeated: all.reduce(0) { $0 + $1.repeated },
      outOfOrder: all.reduce(0) { $0 + $1.outOfOrder }, wrong: all.reduce(0) { $0 + $1.wrong },
      runs: runs,
      controls: controls, latency: latency, crossing: crossing(outcome, truth), seed: outcome.plan.seed,
      rate: outcome.plan.rate, instruments: outcome.plan.instruments,
      faultSeconds: outcome.plan.secondsOfFault,
      afterSeconds: outcome.plan.scenario.afterSeconds, changes: outcome.changes,
      emulatorLateP50Us: outcome.lateP50, emulatorLateP99Us: outcome.lateP99,
      busyShare: (outcome.cpuShare * 100).rounded() / 100,
      ownShare: (outcome.ownShare * 100).rounded() / 100, referenceLateMs: rounded(Double(late) / 1e6),
      faults: faults)
  }

  private static func feedTruth(of reference: Truth, _ play: PlayFeed) throws(LabFailure) -> FeedTruth {
    guard let epoch = reference.epoch, epoch.count > 2 else {
      throw LabFailure("the reference client got no snapshot: nothing can be judged")
    }
    final class Frames { var truth = FeedTruth() }
    let frames = Frames()
    do {
      try play(String(epoch.dropFirst().dropLast()), reference.through) { frames.truth.take($0) }
    } catch { throw LabFailure("the feed's file: \(error)") }
    return frames.truth
  }

  /// For people.
  static func name(of window: LabWindow) -> String {
    window.isControl ? "control \(window.run)" : "run \(window.run), \(window.target)"
  }

  private static func share(
    _ client: (client: LabLayout.Client, connections: Int, record: String), _ fault: JudgedClient,
    _ healing: JudgedClient, baseline: Double
  ) -> Client {
    let judged = fault.joined(healing)
    return Client(
      client: client.client.name, site: client.client.site, connections: client.connections,
      outageMs: rounded(max(0, judged.waitedMilliseconds - baseline)),
      outageFaultMs: rounded(max(0, fault.waitedMilliseconds - baseline)),
      outageReturnMs: rounded(max(0, healing.waitedMilliseconds - baseline)),
      waitedMs: rounded(judged.waitedMilliseconds), waitedFor: judged.waitedFor, lost: judged.lost,
      repeated: judged.repeated, outOfOrder: judged.outOfOrder, wrong: judged.wrong,
      updates: judged.updates,
      overlap: judged.overlap, examples: judged.examples)
  }

  static func lines(_ path: String) throws(LabFailure) -> [Substring] {
    do { return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") } catch {
      throw LabFailure("\(path): \(error.localizedDescription)")
    }
  }

  private static func crossing(_ outcome: LabOutcome, _ truth: Truth) -> Crossing? {
    guard outcome.layout.sites.count > 1, let site = outcome.layout.sites.first, outcome.linkSeconds > 0
    else { return nil }
    var crossing = Crossing(
      backboneBytesOut: 0, backboneBytesIn: 0, allBytesOut: 0, allBytesIn: 0,
      messages: Double(outcome.plan.rate) * outcome.linkSeconds, updates: 0, seconds: outcome.linkSeconds)
    for line in outcome.layout.carrierLines {
      guard let counts = outcome.links.first(where: { $0.name == line.name }),
        let from = outcome.layout.router(line.from), let to = outcome.layout.router(line.to)
      else { continue }
      let outward = outcome.layout.site(of: from) == site.name
      guard outward || outcome.layout.site(of: to) == site.name else { continue }
      let (out, back) = outward ? (counts.forth, counts.back) : (counts.back, counts.forth)
      crossing.backboneBytesOut += out.watchedBytes
      crossing.backboneBytesIn += back.watchedBytes
      crossing.allBytesOut += out.bytes
      crossing.allBytesIn += back.bytes
    }
    let calm = outcome.windows.filter(\.isControl)
    var updates = 0
    for changes in [truth.quotes, truth.trades].flatMap(\.values) {
      updates += changes.count { change in calm.contains { $0.from <= change.at && change.at <= $0.through } }
    }
    crossing.updates = Double(updates)
    return crossing
  }
}

/// How old updates were: arrival against `rx`, which the plant's host gave them.
enum LatencyGauge {
  static func measure(_ record: [Substring], name: String, windows: [LabWindow]) -> LabReport.Latency {
    var ages: [Double] = []
    // Of two connections the first counts.
    var newest: [String: UInt64] = [:]
    for line in record {
      guard case .frame(let at, _, let text)? = RecordLine(line),
        windows.contains(where: { $0.from <= at && at <= $0.through })
      else { continue }
      for event in FrameScanner.events(text) ?? [] where event.type == "update" {
        let key = "\(event.channel) \(event.instrument)"
        guard let sequence = event.sequence, sequence > newest[key] ?? 0 else { continue }
        newest[key] = sequence
        if let received = event.text("rx").flatMap({ UInt64($0) }), received > 0 {
          ages.append((Double(at) - Double(received)) / 1e6)
        }
      }
    }
    ages.sort()
    func at(_ share: Double) -> Double {
      ages.isEmpty ? 0 : (ages[min(ages.count - 1, Int(Double(ages.count) * share))] * 1000).rounded() / 1000
    }
    return LabReport.Latency(client: name, p50Ms: at(0.5), p99Ms: at(0.99), count: ages.count)
  }
}
