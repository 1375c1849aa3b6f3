// Where else the same stream is served: named to clients in `move` events, in refusals, and by `GET /v1/endpoints`.
// The order of a list is the order of preference, the nearest first.

/// See the head of this file.
public struct GatewayEndpoint: Sendable, Equatable {
  /// Scheme, host and port, without a path: `http://10.0.1.5:8080`.
  public var url: String
  /// Name of the node; nil = not known.
  public var node: String?
  /// Its zone.
  public var zone: String?
  /// Its site.
  public var site: String?

  /// An endpoint; a slash at the end of the address is left out.
  public init(url: String, node: String? = nil, zone: String? = nil, site: String? = nil) {
    var url = url
    while url.hasSuffix("/") { url.removeLast() }
    self.url = url
    self.node = node
    self.zone = zone
    self.site = site
  }

  /// The same host and port for WebSockets.
  public var webSocketOrigin: String {
    url.hasPrefix("https:")
      ? "wss:" + url.dropFirst(6) : url.hasPrefix("http:") ? "ws:" + url.dropFirst(5) : url
  }

  /// How far it is from somewhere.
  public func nearness(zone: String?, site: String?) -> Nearness? {
    guard let ownSite = self.site, let site else { return nil }
    guard ownSite == site else { return .otherSite }
    return self.zone != nil && self.zone == zone ? .sameZone : .sameSite
  }

  /// Writes it as a JSON object: `url`, `stream`, `node`, `zone`, `site`, and what `more` adds.
  public func write(into writer: inout JSONWriter, more: (inout JSONWriter) -> Void = { _ in }) {
    writer.raw("{\"url\":")
    writer.string(url)
    writer.raw(",\"stream\":")
    writer.string(webSocketOrigin + "/v1/stream")
    writer.raw(",\"node\":")
    writer.string(orNull: node)
    writer.raw(",\"zone\":")
    writer.string(orNull: zone)
    writer.raw(",\"site\":")
    writer.string(orNull: site)
    more(&writer)
    writer.raw("}")
  }
}

/// How far two places of an estate are from one another.
public enum Nearness: String, Sendable, Equatable, Codable, CaseIterable {
  /// Shares power, cooling and switches.
  case sameZone = "same zone"
  /// In another zone of the same site.
  case sameSite = "same site"
  /// Beyond the shared lines.
  case otherSite = "other site"
}

extension JSONWriter {
  /// A string, or `null`.
  public mutating func string(orNull text: String?) {
    if let text { string(text) } else { raw("null") }
  }

  /// An array of endpoints.
  public mutating func endpoints(_ list: [GatewayEndpoint]) {
    raw("[")
    for (index, endpoint) in list.enumerated() {
      if index > 0 { raw(",") }
      endpoint.write(into: &self)
    }
    raw("]")
  }
}
