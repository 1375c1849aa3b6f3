// How a watch is made, what it tells, what it took.

/// How a watch is made.
public struct WatchOptions: Sendable {
  /// As a scan is made.
  public var scan = ScanOptions()
  /// What is put beside the resources of every region.
  public var parameters = InputParameters.none
  /// What is done with a result before it is kept: exceptions. nil = nothing.
  public var adjust: (@Sendable (inout CheckResult, Int64) -> Void)?
  /// Is called before each look at everything.
  public var refresh: @Sendable () -> Void = {}
  /// Is given each rule that can't be evaluated, once as long as it can't.
  public var hearFault: @Sendable (String) -> Void = { _ in }

  /// The usual ones.
  public init() {}
}

/// A change, with what caused it.
public struct ToldChange: Sendable, Encodable, Equatable {
  /// The finding.
  public let finding: FindingChange
  /// The event that made it be looked at: `ec2 AuthorizeSecurityGroupIngress`, `scan`, `again`.
  public let event: String
  /// Milliseconds since 1970 UTC at which that happened; nil = it isn't known.
  public let eventTime: Int64?
  /// From then until the change was kept, in milliseconds; nil = not known.
  public let latency: Int64?

  enum CodingKeys: String, CodingKey {
    case event
    case eventTime = "event_time_ms"
    case latency = "latency_ms"
  }

  /// The finding's members and these, side by side.
  public func encode(to encoder: any Encoder) throws {
    try finding.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(event, forKey: .event)
    try container.encodeIfPresent(eventTime, forKey: .eventTime)
    try container.encodeIfPresent(latency, forKey: .latency)
  }
}

/// What a watch took and gave.
public struct WatchFigures: Sendable, Equatable {
  /// Regions that are watched, what has no region included.
  public internal(set) var regions = 0
  /// Resources that are known.
  public internal(set) var resources = 0
  /// Findings that are there.
  public internal(set) var findings = 0
  /// Places that events named and that were looked at.
  public internal(set) var looks = 0
  /// Places that no rule looks at.
  public internal(set) var unneeded = 0
  /// Places in accounts or regions that aren't watched.
  public internal(set) var elsewhere = 0
  /// Rules that were evaluated for them.
  public internal(set) var evaluations = 0
  /// Resources that rules about one resource were evaluated on for them.
  public internal(set) var resourceLooks = 0
  /// Attempts at calls, in all.
  public internal(set) var calls = 0
  /// Those of whole scans.
  public internal(set) var scanCalls = 0
  /// Whole scans.
  public internal(set) var scans = 0
  /// Findings that a later whole scan changed: events that were lost, or never sent.
  public internal(set) var lateFinds = 0
  /// Calls that told nothing when they were last made.
  public internal(set) var failed = 0
  /// Accounts that couldn't be entered.
  public internal(set) var unreached = 0
  /// Rules that can't be evaluated, on each region.
  public internal(set) var faults = 0
}
