// Over which stream a gateway gets a market, and why: a value for `/v1/status`, `/metrics`, `kabuto top` and the page
// of the estate. Whoever chooses paths fills it in; nothing here decides.

public import Distribution

/// One stream of a market that a gateway knows of, used or not.
public struct PathReport: Sendable, Equatable, Codable {
  /// Market identifier code.
  public var market: String
  /// Node that publishes the stream.
  public var stream: String
  /// Rail it comes over; nil = within the process.
  public var rail: String?
  /// Site of the publishing node.
  public var site: String?
  /// Its zone.
  public var zone: String?
  /// How far it is from here; nil = not known.
  public var nearness: Nearness?
  /// `live`, `stale`, `silent` (its beats are missed), `catching up`, `ended` or `unknown`; nil = another node's, which doesn't
  /// say it of its paths.
  public var state: String?
  /// Sequence number of the last message that this stream covers here; nil = not known.
  public var through: UInt64?
  /// Nanoseconds that it is behind the foremost stream of its market; nil = not known.
  public var lagNanoseconds: UInt64?
  /// Nanoseconds since something was heard of it; nil = never.
  public var heardNanoseconds: UInt64?
  /// Whether what comes over it is taken.
  public var isUsed: Bool
  /// Why it is used or not, in words that people read.
  public var why: String
  /// What `why` says, for words of another language; nil = it is of its own.
  public var whyKey: String?

  /// A report.
  public init(
    market: String, stream: String, rail: String? = nil, site: String? = nil, zone: String? = nil,
    nearness: Nearness? = nil, state: String? = nil, through: UInt64? = nil, lagNanoseconds: UInt64? = nil,
    heardNanoseconds: UInt64? = nil, isUsed: Bool, why: String, whyKey: String? = nil
  ) {
    self.market = market
    self.stream = stream
    self.rail = rail
    self.site = site
    self.zone = zone
    self.nearness = nearness
    self.state = state
    self.through = through
    self.lagNanoseconds = lagNanoseconds
    self.heardNanoseconds = heardNanoseconds
    self.isUsed = isUsed
    self.why = why
    self.whyKey = whyKey
  }

  /// The names of the fields on the wire.
  enum CodingKeys: String, CodingKey {
    case market, stream, rail, site, zone, nearness, state, through, why
    case lagNanoseconds = "lag_ns"
    case heardNanoseconds = "heard_ns"
    case isUsed = "used"
    case whyKey = "why_key"
  }
}

extension JSONWriter {
  private mutating func integer(orNull value: UInt64?) {
    if let value { integer(value) } else { raw("null") }
  }

  mutating func path(_ path: PathReport) {
    raw("{\"market\":")
    string(path.market)
    raw(",\"stream\":")
    string(path.stream)
    raw(",\"rail\":")
    string(orNull: path.rail)
    raw(",\"site\":")
    string(orNull: path.site)
    raw(",\"zone\":")
    string(orNull: path.zone)
    raw(",\"nearness\":")
    string(orNull: path.nearness?.rawValue)
    raw(",\"state\":")
    string(orNull: path.state)
    raw(",\"through\":")
    integer(orNull: path.through)
    raw(",\"lag_ns\":")
    integer(orNull: path.lagNanoseconds)
    raw(",\"heard_ns\":")
    integer(orNull: path.heardNanoseconds)
    raw(",\"used\":")
    boolean(path.isUsed)
    raw(",\"why\":")
    string(path.why)
    raw(",\"why_key\":")
    string(orNull: path.whyKey)
    raw("}")
  }
}

extension PrometheusText {
  mutating func paths(_ paths: [PathReport]) {
    guard !paths.isEmpty else { return }
    func labels(_ path: PathReport) -> [String: String] {
      var labels = ["market": path.market, "stream": path.stream]
      if let rail = path.rail { labels["rail"] = rail }
      if let nearness = path.nearness { labels["nearness"] = nearness.rawValue }
      return labels
    }
    gauge(
      "kabuto_path_used", "1 = what comes over this stream is taken",
      paths.map { (labels($0), $0.isUsed ? 1 : 0) })
    gauge("kabuto_path_live", "1 = live", paths.map { (labels($0), $0.state == "live" ? 1 : 0) })
    gauge(
      "kabuto_path_sequence", "Last sequence number that the stream covers",
      paths.compactMap { path in path.through.map { (labels(path), Double($0)) } })
    gauge(
      "kabuto_path_lag_seconds", "Behind the foremost stream of the market",
      paths.compactMap { path in path.lagNanoseconds.map { (labels(path), Double($0) / 1e9) } })
    gauge(
      "kabuto_path_heard_seconds", "Since something was heard of the stream",
      paths.compactMap { path in path.heardNanoseconds.map { (labels(path), Double($0) / 1e9) } })
  }
}
