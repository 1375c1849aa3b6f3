// What the tenants of one gateway used in one minute, as it is kept on `keep.usage.NODE`. Its name is node, incarnation and
// minute: copies are one, at the server that keeps (for a while) and at who adds them up (for ever).

import Foundation

/// See the head of this file.
public struct UsageRecord: Sendable, Equatable, Codable {
  /// One tenant's.
  public struct Tenant: Sendable, Equatable, Codable {
    /// Its name; empty: requests that named none.
    public var tenant: String
    /// Requests answered.
    public var requests: UInt64 = 0
    /// Streams begun.
    public var streams: UInt64 = 0
    /// Milliseconds of streams, all together.
    public var streamMilliseconds: UInt64 = 0
    /// Frames sent.
    public var messages: UInt64 = 0
    /// Bytes sent.
    public var bytes: UInt64 = 0

    enum CodingKeys: String, CodingKey {
      case tenant, requests, streams, messages, bytes
      case streamMilliseconds = "stream_ms"
    }

    /// Nothing was used yet.
    public init(tenant: String) { self.tenant = tenant }

    /// Adds what was used elsewhere.
    public static func += (sum: inout Tenant, other: Tenant) {
      sum.requests &+= other.requests
      sum.streams &+= other.streams
      sum.streamMilliseconds &+= other.streamMilliseconds
      sum.messages &+= other.messages
      sum.bytes &+= other.bytes
    }
  }

  /// What names a record.
  struct Name: Hashable {
    var node: String
    var incarnation: UInt64
    var minute: Int64
  }

  /// Version of this layout.
  public var version = 1
  /// The gateway.
  public var node: String
  /// Another number after each start of the gateway.
  public var incarnation: UInt64
  /// Minutes since 1970, UTC: when it ended in them.
  public var minute: Int64
  /// Tenants that used anything.
  public var tenants: [Tenant]

  /// A minute of a gateway.
  public init(node: String, incarnation: UInt64, minute: Int64, tenants: [Tenant]) {
    self.node = node
    self.incarnation = incarnation
    self.minute = minute
    self.tenants = tenants
  }

  var name: Name { Name(node: node, incarnation: incarnation, minute: minute) }
  var id: String { "usage.\(node).\(incarnation).\(minute)" }
  var subject: String { Self.subject(node) }
  static func subject(_ node: String) -> String { "keep.usage.\(StreamSubjects.word(node))" }

  var encoded: [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    // Numbers and strings alone: there is nothing that can't be written.
    return (try? encoder.encode(self)).map { Array($0) } ?? []
  }

  /// - Returns: nil where the bytes are none.
  init?(decoding bytes: UnsafeRawBufferPointer) {
    guard let record = try? JSONDecoder().decode(UsageRecord.self, from: Data(bytes)), record.version == 1
    else { return nil }
    self = record
  }
}

/// The minutes that a gateway names its records by. Each comes once and a later one after it, whatever the clock does: two
/// records of one name would be taken for copies, and what the second says would be lost.
public struct UsageMinutes: Sendable {
  private var last: Int64?

  /// None was named yet.
  public init() {}

  /// The minute that has just ended.
  /// - Parameter seconds: since 1970, UTC; a little before the minute's end counts as its end.
  public mutating func ended(at seconds: Double) -> Int64 { take(Int64((seconds + 1) / 60) - 1) }

  /// The minute that is.
  /// - Parameter seconds: since 1970, UTC.
  public mutating func current(at seconds: Double) -> Int64 { take(Int64(seconds / 60)) }

  private mutating func take(_ minute: Int64) -> Int64 {
    let minute = last.map { max(minute, $0 + 1) } ?? minute
    last = minute
    return minute
  }
}

/// Sums by tenant and minute, each record once.
public struct UsageSums: Sendable {
  /// What one tenant used in one minute, at all gateways.
  public struct Row: Sendable, Equatable {
    /// Minutes since 1970, UTC.
    public var minute: Int64
    /// What was used.
    public var usage: UsageRecord.Tenant
  }

  private struct Key: Hashable {
    var minute: Int64
    var tenant: String
  }

  private let minutes: Range<Int64>
  private var seen: Set<UsageRecord.Name> = []
  private var sums: [Key: UsageRecord.Tenant] = [:]
  /// Records that were taken.
  public private(set) var records = 0
  /// Copies that were passed over.
  public private(set) var copies = 0
  /// Kept messages that are no records.
  public private(set) var unreadable = 0

  /// Sums of no record yet.
  /// - Parameter minutes: the minutes that count, since 1970, UTC.
  public init(minutes: Range<Int64>) { self.minutes = minutes }

  /// Adds a record, once.
  public mutating func add(_ record: UsageRecord) {
    guard minutes.contains(record.minute) else { return }
    guard seen.insert(record.name).inserted else {
      copies += 1
      return
    }
    records += 1
    for tenant in record.tenants {
      sums[
        Key(minute: record.minute, tenant: tenant.tenant),
        default: UsageRecord.Tenant(tenant: tenant.tenant)] += tenant
    }
  }

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    guard let record = UsageRecord(decoding: bytes) else {
      unreadable += 1
      return
    }
    add(record)
  }

  /// By minute, then tenant.
  public var rows: [Row] {
    sums.map { Row(minute: $0.key.minute, usage: $0.value) }
      .sorted { ($0.minute, $0.usage.tenant) < ($1.minute, $1.usage.tenant) }
  }

  /// By tenant.
  public var totals: [UsageRecord.Tenant] {
    var totals: [String: UsageRecord.Tenant] = [:]
    for (key, usage) in sums {
      totals[key.tenant, default: UsageRecord.Tenant(tenant: key.tenant)] += usage
    }
    return totals.values.sorted { $0.tenant < $1.tenant }
  }
}
