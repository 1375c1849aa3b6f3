// Which configuration a node runs, and which one is kept for all: what `/v1/status` and `/metrics` say of it. Who keeps it,
// and how it is compared, isn't this room's matter.

import Distribution

/// See the head of this file.
public struct ConfigurationReport: Sendable, Equatable {
  /// How the node's own stands to the kept one.
  public enum State: String, Sendable {
    /// Nobody that keeps has answered yet.
    case unknown
    /// Nothing is kept.
    case none
    /// The kept one is the node's.
    case same
    /// It is another.
    case differs
  }

  /// Version of the estate that the node runs.
  public var version: Int
  /// Its configuration number, eight hexadecimal digits.
  public var hash: String
  /// How it stands to the kept one.
  public var state = State.unknown
  /// Version of the kept one; nil: none is known.
  public var keptVersion: Int?
  /// Its configuration number.
  public var keptHash: String?
  /// For people: how they differ, or why nothing is known; nil = there is nothing to say.
  public var detail: String?

  /// Of a node that knows nothing of the kept one.
  public init(version: Int, hash: String) {
    self.version = version
    self.hash = hash
  }
}

extension JSONWriter {
  mutating func configuration(_ report: ConfigurationReport?) {
    guard let report else { return raw("null") }
    raw("{\"version\":")
    integer(UInt64(max(0, report.version)))
    raw(",\"hash\":")
    string(report.hash)
    raw(",\"state\":")
    string(report.state.rawValue)
    raw(",\"kept_version\":")
    if let version = report.keptVersion { integer(UInt64(max(0, version))) } else { raw("null") }
    raw(",\"kept_hash\":")
    string(orNull: report.keptHash)
    raw(",\"detail\":")
    string(orNull: report.detail)
    raw("}")
  }
}

extension PrometheusText {
  mutating func configuration(_ report: ConfigurationReport?) {
    guard let report else { return }
    gauge(
      "kabuto_configuration_version", "Version of the estate that this node runs",
      [([:], Double(report.version))])
    gauge(
      "kabuto_configuration_differs", "1 = the kept estate is another than the one that this node runs",
      [([:], report.state == .differs ? 1 : 0)])
  }

  mutating func tenants(_ usage: [TenantUsage]) {
    var sums: [String: TenantUsage] = [:]
    for one in usage { sums[one.tenant, default: TenantUsage(tenant: one.tenant)] += one }
    let all = sums.values.sorted { $0.tenant < $1.tenant }
    for (name, help, value) in [
      ("requests_total", "Requests answered", \TenantUsage.requests),
      ("streams_total", "Streams begun", \.streams), ("messages_total", "Frames sent", \.messages),
      ("bytes_total", "Bytes of frames and answers", \.bytes),
    ] as [(String, String, KeyPath<TenantUsage, UInt64>)] {
      counter(
        "kabuto_tenant_" + name, help + ", by tenant",
        all.map { (["tenant": $0.tenant], Double($0[keyPath: value])) })
    }
  }
}
