// The whole estate as the page /estate and `GET /v1/estate` show it: which path each gateway uses and why, and what
// would break if something went. Values alone, filled in by whoever knows the estate (docs/STREAM.md, The estate).

import Foundation
import NIOCore
import NIOHTTP1

/// See the head of this file.
public struct EstateView: Sendable, Equatable, Codable {
  /// What people call the estate.
  public var estate: String
  /// Its version.
  public var version: Int
  /// Name of the node that answers; nil = it has none.
  public var node: String?
  /// Sites, in the order of the file.
  public var sites: [SiteView]
  /// Nodes, in the order of the file.
  public var nodes: [NodeView]
  /// What would happen if something went, the gravest first.
  public var failures: [FailureView]

  /// A view.
  public init(
    estate: String, version: Int, node: String? = nil, sites: [SiteView] = [], nodes: [NodeView] = [],
    failures: [FailureView] = []
  ) {
    self.estate = estate
    self.version = version
    self.node = node
    self.sites = sites
    self.nodes = nodes
    self.failures = failures
  }

  /// A site with the names of its zones.
  public struct SiteView: Sendable, Equatable, Codable {
    /// Its name.
    public var name: String
    /// `datacenter` or `cloud`.
    public var kind: String
    /// Names of its zones.
    public var zones: [String]

    /// A site.
    public init(name: String, kind: String, zones: [String]) {
      self.name = name
      self.kind = kind
      self.zones = zones
    }
  }

  /// A node, and what was heard of it.
  public struct NodeView: Sendable, Equatable, Codable {
    /// Its name.
    public var name: String
    /// Its site.
    public var site: String
    /// Its zone.
    public var zone: String
    /// `plant`, `store`, `gateway`, `firewall`.
    public var roles: [String]
    /// Where its `/v1/status` is; nil = nowhere.
    public var url: String?
    /// `ready`, `not ready`, `out of service`, `silent` or `unknown`.
    public var state: String
    /// Why it isn't ready; nil = it is.
    public var reason: String?
    /// Nanoseconds since something was heard of it; nil = never.
    public var heardNanoseconds: UInt64?
    /// Stream clients; nil = not known.
    public var clients: Int?
    /// Version of the configuration that it runs; nil = not known.
    public var version: Int?
    /// What it gets its markets over; empty for nodes that get nothing from others.
    public var paths: [PathReport]

    /// A node.
    public init(
      name: String, site: String, zone: String, roles: [String], url: String? = nil, state: String,
      reason: String? = nil, heardNanoseconds: UInt64? = nil, clients: Int? = nil, version: Int? = nil,
      paths: [PathReport] = []
    ) {
      self.name = name
      self.site = site
      self.zone = zone
      self.roles = roles
      self.url = url
      self.state = state
      self.reason = reason
      self.heardNanoseconds = heardNanoseconds
      self.clients = clients
      self.version = version
      self.paths = paths
    }

    /// The names of the fields on the wire.
    enum CodingKeys: String, CodingKey {
      case name, site, zone, roles, url, state, reason, clients, version, paths
      case heardNanoseconds = "heard_ns"
    }
  }

  /// What would happen if something went.
  public struct FailureView: Sendable, Equatable, Codable {
    /// How grave it is.
    public enum Severity: String, Sendable, Codable, CaseIterable {
      /// Nobody would notice.
      case none
      /// All goes on with less in reserve, or after a moment.
      case degraded
      /// Something people need would be gone.
      case lost
    }

    /// `node`, `zone`, `site`, `link`, `carrier`, `location`, `server` or `rail`.
    public var kind: String
    /// Its name.
    public var name: String
    /// The gravest of its effects.
    public var severity: Severity
    /// In a sentence.
    public var summary: String
    /// What the sentence says, for words of another language; nil = it is of its own.
    public var key: String?
    /// Names in the sentence, by what they stand for.
    public var values: [String: String]?
    /// What it does to services, markets and nodes.
    public var effects: [Effect]

    /// What it does to one of them.
    public struct Effect: Sendable, Equatable, Codable {
      /// Name of the service, market or node.
      public var what: String
      /// How grave it is.
      public var severity: Severity
      /// What happens.
      public var text: String
      /// What the text says, for words of another language; nil = it is of its own.
      public var key: String?
      /// Names in the text, by what they stand for.
      public var values: [String: String]?

      /// An effect.
      public init(
        what: String, severity: Severity, text: String, key: String? = nil, values: [String: String]? = nil
      ) {
        self.what = what
        self.severity = severity
        self.text = text
        self.key = key
        self.values = values
      }
    }

    /// A failure.
    public init(
      kind: String, name: String, severity: Severity, summary: String, key: String? = nil,
      values: [String: String]? = nil, effects: [Effect] = []
    ) {
      self.kind = kind
      self.name = name
      self.severity = severity
      self.summary = summary
      self.key = key
      self.values = values
      self.effects = effects
    }
  }
}

extension Router {
  /// The estate as JSON, or that there is none. Other nodes may have to be asked first: the loop doesn't wait for them.
  func estate(_ request: Request, _ context: LoopContext) -> Routed {
    guard let estateView else {
      return .now(
        .problem(
          .notFound, "no-estate",
          "this server runs without an estate; `kabuto serve --estate FILE --node NAME` runs one of its nodes",
          instance: request.path))
    }
    let path = request.path
    return .later(
      context.eventLoop.makeFutureWithTask { Self.answer(await estateView(), path) })
  }

  private static func answer(_ view: EstateView, _ path: String) -> Answer {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(view) else {
      return .problem(
        .internalServerError, "internal", "the estate could not be written as JSON", instance: path)
    }
    var answer = Answer(status: .ok, contentType: "application/json", body: ByteBuffer(bytes: data))
    answer.headers.add(name: "Cache-Control", value: "no-store")
    return answer
  }
}
