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
        let host = node.address.contains(":") ? "[\(node.address)]" : node.address
        return EstateView.NodeView(
          name: node.name, site: estate.site(ofZone: node.zone)?.name ?? "", zone: node.zone,
          roles: node.roles.map(\.rawValue), url: "http://\(host):\(node.port)", state: "unknown")
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

  private static func view(of failure: Failure, _ analysis: FailureAnalysis, _ estate: Estate)
    -> EstateView.FailureView
  {
    typealias Effect = EstateView.FailureView.Effect
    let consequences = analysis.consequences(of: [failure])
    var effects: [Effect] = []
    for market in estate.markets.map(\.code) {
      let gateways = estate.nodes.filter { node in
        node.roles.contains(.gateway) && estate.markets(of: node).contains(market)
      }
      if !gateways.isEmpty, gateways.allSatisfy({ consequences.loss.nodes.contains($0.name) }) {
        effects.append(Effect(what: market, severity: .lost, text: "no gateway is left"))
      }
    }
    for name in consequences.stoppedServices {
      effects.append(Effect(what: name, severity: .lost, text: "stops"))
    }
    for name in consequences.lostDatabases {
      effects.append(Effect(what: name, severity: .lost, text: "no copy can be reached"))
    }
    for name in consequences.zonesCutOff {
      effects.append(Effect(what: name, severity: .lost, text: "is cut off"))
    }
    for change in consequences.streams {
      let what = "\(change.gateway) \(change.market)"
      let after = change.after.joined(separator: ", ")
      switch change.effect {
      case .unchanged: break
      case .thinner:
        effects.append(
          Effect(what: what, severity: .degraded, text: "nothing missed: \(after) goes on"))
      case .switched:
        effects.append(Effect(what: what, severity: .degraded, text: "changes to \(after)"))
      case .lost: effects.append(Effect(what: what, severity: .lost, text: "no plant can be reached"))
      }
    }
    for name in consequences.thinnerServices {
      effects.append(Effect(what: name, severity: .degraded, text: "loses some of its nodes"))
    }
    let severity: EstateView.FailureView.Severity =
      effects.contains { $0.severity == .lost } ? .lost : effects.isEmpty ? .none : .degraded
    let summary =
      switch severity {
      case .lost:
        "gone: " + effects.filter { $0.severity == .lost }.map(\.what).joined(separator: ", ")
      case .degraded: "goes on with less in reserve"
      case .none: "nothing changes"
      }
    return EstateView.FailureView(
      kind: failure.kind.rawValue, name: failure.name, severity: severity, summary: summary, effects: effects)
  }
}
