// The estate as the page of paths shows it: its nodes, what is heard of them, and what would break if something went.

import Estate
import Gateway

/// What doesn't change while a process runs is worked out once.
struct ServeEstateView: Sendable {
  private let blank: EstateView

  init(_ place: ServeNode) {
    let estate = place.estate
    let analysis = FailureAnalysis(estate)
    let failures = estate.failures.map { Self.view(of: $0, analysis, estate) }
    func rank(_ severity: EstateView.FailureView.Severity) -> Int {
      switch severity {
      case .lost: 0
      case .degraded: 1
      case .none: 2
      }
    }
    blank = EstateView(
      estate: estate.name, version: estate.version, node: place.node.name,
      sites: estate.sites.map {
        EstateView.SiteView(name: $0.name, kind: $0.kind.rawValue, zones: $0.zones)
      },
      nodes: estate.nodes.map { node in
        EstateView.NodeView(
          name: node.name, site: estate.site(ofZone: node.zone)?.name ?? "", zone: node.zone,
          roles: node.roles.map(\.rawValue), url: node.url, state: "unknown")
      },
      failures: failures.enumerated().sorted {
        (rank($0.element.severity), $0.offset) < (rank($1.element.severity), $1.offset)
      }.map(\.element))
  }

  /// The view with what is known of each node now.
  func view(_ known: (EstateView.NodeView) -> EstateView.NodeView) -> EstateView {
    var view = blank
    view.nodes = view.nodes.map(known)
    return view
  }

  /// What a failure would do, each with words and with the key of the page's own words for it.
  static func effects(of failure: Failure, _ analysis: FailureAnalysis, _ estate: Estate)
    -> [EstateView.FailureView.Effect]
  {
    typealias Effect = EstateView.FailureView.Effect
    let consequences = analysis.consequences(of: [failure])
    var effects: [Effect] = []
    func lost(_ what: String, _ text: String, _ key: String) {
      effects.append(Effect(what: what, severity: .lost, text: text, key: key))
    }
    for market in estate.markets.map(\.code) {
      let gateways = estate.nodes.filter { node in
        node.roles.contains(.gateway) && estate.markets(of: node).contains(market)
      }
      if !gateways.isEmpty, gateways.allSatisfy({ consequences.loss.nodes.contains($0.name) }) {
        lost(market, "no gateway is left", "no-gateway")
      }
    }
    for name in consequences.stoppedServices { lost(name, "stops", "stops") }
    for name in consequences.lostDatabases { lost(name, "no copy can be reached", "no-copy") }
    for name in consequences.zonesCutOff { lost(name, "is cut off", "cut-off") }
    for change in consequences.streams {
      let what = "\(change.gateway) \(change.market)"
      let after = change.after.joined(separator: ", ")
      switch change.effect {
      case .unchanged: break
      case .thinner:
        effects.append(
          Effect(
            what: what, severity: .degraded, text: "nothing missed: \(after) goes on", key: "thinner",
            values: ["after": after]))
      case .switched:
        effects.append(
          Effect(
            what: what, severity: .degraded, text: "changes to \(after)", key: "switched",
            values: ["after": after]))
      case .lost: lost(what, "no plant can be reached", "no-plant")
      }
    }
    for name in consequences.thinnerServices {
      effects.append(
        Effect(what: name, severity: .degraded, text: "loses some of its nodes", key: "fewer-nodes"))
    }
    return effects
  }

  private static func view(of failure: Failure, _ analysis: FailureAnalysis, _ estate: Estate)
    -> EstateView.FailureView
  {
    let effects = effects(of: failure, analysis, estate)
    let lost = effects.filter { $0.severity == .lost }.map(\.what).joined(separator: ", ")
    let severity: EstateView.FailureView.Severity =
      !lost.isEmpty ? .lost : effects.isEmpty ? .none : .degraded
    let (summary, key) =
      switch severity {
      case .lost: ("gone: " + lost, "gone")
      case .degraded: ("goes on with less in reserve", "less")
      case .none: ("nothing changes", "nothing")
      }
    return EstateView.FailureView(
      kind: failure.kind.rawValue, name: failure.name, severity: severity, summary: summary, key: key,
      values: lost.isEmpty ? nil : ["what": lost], effects: effects)
  }
}
