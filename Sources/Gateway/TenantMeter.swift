// What tenants use of this gateway. A connection says whose it is (`?tenant=NAME` or the field `Kabuto-Tenant`): a name of
// the estate, which nobody proves here; who stands before the gateway may set it. What says nothing is nobody's: "".
// Owner: an event loop has a meter for each tenant; nobody else touches it. What is sent costs two additions a frame.
// Invariant: figures only rise, so that who reads them each minute loses nothing and counts nothing twice.

/// What a tenant used since the gateway began.
public struct TenantUsage: Sendable, Equatable {
  /// The tenant's name in the estate; empty: requests that named none.
  public var tenant: String
  /// Requests answered, streams not among them.
  public var requests: UInt64 = 0
  /// Streams begun: WebSocket and SSE.
  public var streams: UInt64 = 0
  /// Milliseconds of streams, all together.
  public var streamMilliseconds: UInt64 = 0
  /// Frames sent in streams.
  public var messages: UInt64 = 0
  /// Bytes of frames, and of answers' bodies before they are compressed.
  public var bytes: UInt64 = 0

  /// Nothing was used yet.
  public init(tenant: String) { self.tenant = tenant }

  /// Adds what was used elsewhere.
  public static func += (sum: inout TenantUsage, other: TenantUsage) {
    sum.requests &+= other.requests
    sum.streams &+= other.streams
    sum.streamMilliseconds &+= other.streamMilliseconds
    sum.messages &+= other.messages
    sum.bytes &+= other.bytes
  }

  /// What was used since an earlier moment.
  public func since(_ earlier: TenantUsage) -> TenantUsage {
    var used = TenantUsage(tenant: tenant)
    used.requests = requests &- earlier.requests
    used.streams = streams &- earlier.streams
    used.streamMilliseconds = streamMilliseconds &- earlier.streamMilliseconds
    used.messages = messages &- earlier.messages
    used.bytes = bytes &- earlier.bytes
    return used
  }

  /// Whether nothing was used.
  public var isNothing: Bool { self == TenantUsage(tenant: tenant) }
}

/// One tenant's meter on one loop.
final class TenantMeter {
  private var usage: TenantUsage
  private var open: UInt64 = 0
  private var countedAt: UInt64 = 0

  init(_ tenant: String) { usage = TenantUsage(tenant: tenant) }

  func answered(bytes: Int) {
    usage.requests &+= 1
    usage.bytes &+= UInt64(max(0, bytes))
  }

  func sent(bytes: Int) {
    usage.messages &+= 1
    usage.bytes &+= UInt64(max(0, bytes))
  }

  /// - Parameter now: milliseconds of a clock that only goes forward.
  func streamBegins(at now: UInt64) {
    countTime(now)
    open += 1
    usage.streams &+= 1
  }

  func streamEnds(at now: UInt64) {
    countTime(now)
    open -= min(1, open)
  }

  func figures(at now: UInt64) -> TenantUsage {
    countTime(now)
    return usage
  }

  private func countTime(_ now: UInt64) {
    if now > countedAt { usage.streamMilliseconds &+= open &* (now - countedAt) }
    countedAt = max(now, countedAt)
  }
}

/// The meters of a loop.
struct TenantMeters {
  /// Of who names no tenant.
  let nobody = TenantMeter("")
  private let named: [String: TenantMeter]

  init(_ tenants: [String]) {
    named = Dictionary(tenants.map { ($0, TenantMeter($0)) }) { first, _ in first }
  }

  /// The meter of a name; nil: there are tenants, and this is none of them.
  subscript(tenant: String?) -> TenantMeter? {
    guard let tenant, !named.isEmpty else { return nobody }
    return named[tenant]
  }

  func figures(at now: UInt64) -> [TenantUsage] {
    ([nobody] + named.values).map { $0.figures(at: now) }
  }
}
