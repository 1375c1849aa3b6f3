// What `kabuto top` shows of service and paths: of one server, and with --estate of every node, each asked for its own
// /v1/status.

import Estate
import Foundation
import FoundationNetworking

extension TopFigures {
  /// A path as /v1/status says it.
  struct Path: Decodable, Equatable {
    var market: String
    var stream: String
    var rail: String?
    var nearness: String?
    var state: String?
    var through: UInt64?
    var lag_ns: UInt64?
    var heard_ns: UInt64?
    var used: Bool
    var why: String
  }
  /// What went over a rail, as /v1/status says it.
  struct Rail: Decodable, Equatable {
    /// One system's part of it.
    struct System: Decodable, Equatable {
      var system: String
      var bytes_in: UInt64
      var bytes_out: UInt64
      var dropped: UInt64
      var over_budget: UInt64
      var budget: UInt64?
      var exceeds: Bool
    }
    var rail: String
    var connected: Bool
    var systems: [System]
  }
  /// Whether it takes new streams.
  struct Service: Decodable, Equatable {
    var state: String
    var reason: String?
  }

  private static let pathWidths = [9, 16, 7, 12, 13, 12, 11, 11, 6, 40]

  /// A table of paths; `first` names the gateway where there are several.
  static func pathLines(_ paths: [(gateway: String?, path: Path)]) -> [String] {
    guard !paths.isEmpty else { return [] }
    let named = paths.contains { $0.gateway != nil }
    let widths = (named ? [14] : []) + pathWidths
    let heads = [
      "MARKET", "STREAM", "RAIL", "DISTANCE", "STATE", "THROUGH", "BEHIND", "HEARD", "USED", "WHY",
    ]
    return ["", row((named ? ["GATEWAY"] : []) + heads, widths)]
      + paths.map { gateway, path in
        row(
          (named ? [gateway ?? ""] : []) + [
            path.market, path.stream, path.rail ?? "–", path.nearness ?? "–", path.state ?? "–",
            path.through.map(String.init) ?? "–",
            path.lag_ns.map { String(format: "%.1f ms", Double($0) / 1e6) } ?? "–",
            path.heard_ns.map { String(format: "%.0f ms", Double($0) / 1e6) } ?? "–",
            path.used ? "yes" : "no",
            path.why,
          ], widths)
      }
  }

  /// Service and place in a few words; empty where there is nothing to say.
  var standing: String {
    var words: [String] = []
    if let node { words.append([node, zone, site].compactMap(\.self).joined(separator: "/")) }
    if let service, service.state != "in" {
      words.append("OUT OF SERVICE\(service.reason.map { ": \($0)" } ?? "")")
    }
    return words.joined(separator: "  ")
  }
}

/// The nodes of an estate, each as it says itself.
struct TopEstate {
  let estate: Estate
  /// What was on the rails at the last look, and when, seconds.
  private var before: (sums: [RailSum], at: Double)?

  init(estate: Estate) { self.estate = estate }

  /// What the nodes that answered put on a rail and took from it, by system.
  struct RailSum: Equatable {
    var rail: String
    var system: String
    var bytesIn: UInt64 = 0
    var bytesOut: UInt64 = 0
    var dropped: UInt64 = 0
    var overBudget: UInt64 = 0
    var exceeds = false
  }

  /// What one node answered; nil = nothing.
  private struct Answer: Sendable {
    var number: Int
    var figures: TopFigures?
    var readiness: String
  }

  /// Asks every node at once; the screen.
  mutating func screen() async -> String {
    let nodes = drillNodes(of: estate)
    var answers: [Answer] = []
    await withTaskGroup(of: Answer.self) { group in
      for (number, node) in nodes.enumerated() {
        let url = node.url
        group.addTask { await Self.ask(url, number) }
      }
      for await answer in group { answers.append(answer) }
    }
    answers.sort { $0.number < $1.number }
    let widths = [16, 18, 20, 10, 12, 60]
    var lines = [
      "estate \(estate.name), version \(estate.version)", "",
      TopFigures.row(["NODE", "ZONE/SITE", "ROLES", "CLIENTS", "STATE", "MARKETS, OR WHY NOT"], widths),
    ]
    var paths: [(gateway: String?, path: TopFigures.Path)] = []
    for (answer, node) in zip(answers, estate.nodes) {
      let figures = answer.figures
      let state =
        figures == nil
        ? "silent"
        : figures?.service?.state == "out" ? "out" : answer.readiness.isEmpty ? "ready" : "not ready"
      let markets = (figures?.sources ?? []).map { "\($0.market) \($0.seq) \($0.state)" }.joined(
        separator: ", ")
      lines.append(
        TopFigures.row(
          [
            node.name, "\(node.zone)/\(estate.site(ofZone: node.zone)?.name ?? "?")",
            node.roles.map(\.rawValue).joined(separator: ","),
            figures.map { String($0.loops.reduce(0) { $0 + $1.clients }) } ?? "–", state,
            state == "ready" ? markets : answer.readiness,
          ], widths))
      paths += (figures?.paths ?? []).map { (node.name, $0) }
    }
    let sums = Self.sums(answers.flatMap { $0.figures?.rails ?? [] })
    let now = Double(DispatchTime.now().uptimeNanoseconds) / 1e9
    lines += TopFigures.pathLines(paths) + Self.railLines(sums, before.map { ($0.sums, now - $0.at) })
    before = (sums, now)
    return lines.joined(separator: "\n")
  }

  /// Sums over nodes, in the order of rails and systems.
  static func sums(_ rails: [TopFigures.Rail]) -> [RailSum] {
    var sums: [RailSum] = []
    for rail in rails {
      for system in rail.systems {
        let place = sums.firstIndex { $0.rail == rail.rail && $0.system == system.system }
        var sum = place.map { sums[$0] } ?? RailSum(rail: rail.rail, system: system.system)
        sum.bytesIn &+= system.bytes_in
        sum.bytesOut &+= system.bytes_out
        sum.dropped &+= system.dropped
        sum.overBudget &+= system.over_budget
        sum.exceeds = sum.exceeds || system.exceeds
        if let place { sums[place] = sum } else { sums.append(sum) }
      }
    }
    return sums.sorted { ($0.rail, $0.system) < ($1.rail, $1.system) }
  }

  /// The table of rails; rates where there was a look before.
  static func railLines(_ sums: [RailSum], _ before: (sums: [RailSum], seconds: Double)?) -> [String] {
    guard !sums.isEmpty else { return [] }
    let widths = [6, 9, 12, 12, 12, 12, 10, 20]
    func rate(_ sum: RailSum, _ bytes: (RailSum) -> UInt64) -> String {
      guard let before, before.seconds > 0,
        let old = before.sums.first(where: { $0.rail == sum.rail && $0.system == sum.system }),
        bytes(sum) >= bytes(old)
      else { return "–" }
      return TopFigures.short(Double(bytes(sum) - bytes(old)) / before.seconds)
    }
    let heads = ["RAIL", "SYSTEM", "OUT B/S", "IN B/S", "OUT B", "IN B", "DROPPED", "OVER BUDGET"]
    return ["", TopFigures.row(heads, widths)]
      + sums.map { sum in
        TopFigures.row(
          [
            sum.rail, sum.system, rate(sum, \.bytesOut), rate(sum, \.bytesIn),
            TopFigures.short(Double(sum.bytesOut)), TopFigures.short(Double(sum.bytesIn)),
            String(sum.dropped), "\(sum.overBudget)\(sum.exceeds ? ", now" : "")",
          ], widths)
      }
  }

  private static func ask(_ url: String, _ number: Int) async -> Answer {
    async let status = data(url + "/v1/status")
    async let ready = data(url + "/health/ready")
    let figures = (await status).flatMap { try? JSONDecoder().decode(TopFigures.self, from: $0) }
    struct Reasons: Decodable { var reasons: [String] }
    let found = (await ready).flatMap { try? JSONDecoder().decode(Reasons.self, from: $0) }
    return Answer(
      number: number, figures: figures,
      readiness: found.map { $0.reasons.joined(separator: "; ") } ?? "no answer from \(url)")
  }

  private static func data(_ address: String) async -> Data? {
    guard let url = URL(string: address) else { return nil }
    var request = URLRequest(url: url)
    request.timeoutInterval = 2
    return try? await URLSession.shared.data(for: request).0
  }
}
