// Why a path is taken or not: a key that doesn't change, and words for people.

/// See the head of this file.
public enum PathReason: Sendable, Hashable, CustomStringConvertible {
  /// It is taken, and nothing is wrong.
  case well
  /// It is well; nearer ones are enough.
  case notNeeded
  /// It is well; of another site one stream is taken.
  case oneCrosses
  /// It is well again, but not for long enough yet; nanoseconds that it has been.
  case returning(UInt64)
  /// No beat came since this began.
  case neverHeard
  /// No beat came for so many beats.
  case missedBeats(Int)
  /// It stands still while others go on; nanoseconds.
  case stale(UInt64)
  /// Its own node says that it gives no service.
  case outOfService(ServiceState)
  /// It is late; nanoseconds.
  case lag(UInt64)
  /// Its source lacks messages.
  case gap
  /// Its source's lines are silent.
  case silent
  /// Its source is catching up.
  case recovering
  /// The merger can't use what it tells.
  case refused(PathRefusal)

  /// A key that doesn't change between releases.
  public var key: String {
    switch self {
    case .well: "well"
    case .notNeeded: "not-needed"
    case .oneCrosses: "one-crosses"
    case .returning: "returning"
    case .neverHeard: "never-heard"
    case .missedBeats: "missed-beats"
    case .stale: "stale"
    case .outOfService: "out-of-service"
    case .lag: "lag"
    case .gap: "gap"
    case .silent: "silent"
    case .recovering: "recovering"
    case .refused(let why): "refused-" + why.rawValue
    }
  }

  /// For people.
  public var description: String {
    switch self {
    case .well: "well"
    case .notNeeded: "well; nearer ones are enough"
    case .oneCrosses: "well; one stream crosses between the sites"
    case .returning(let time): "well again for \(Self.seconds(time))"
    case .neverHeard: "never heard"
    case .missedBeats(let count): "missed \(count) beats"
    case .stale(let time): "stale data: its position stands for \(Self.seconds(time)) while others advance"
    case .outOfService(.outByCommand): "out of service: by command"
    case .outOfService(.outByHealth): "out of service: not well"
    case .outOfService(.outByLag): "out of service: late"
    case .outOfService(.inService): "out of service"
    case .lag(let time): "lag of \(Self.seconds(time))"
    case .gap: "its source lacks messages"
    case .silent: "its source's lines are silent"
    case .recovering: "its source is catching up"
    case .refused(.otherConfiguration): "refused: it runs another configuration than this node"
    case .refused(.otherEpoch): "refused: it tells of another epoch than the one that is followed"
    case .refused(.malformed): "refused: its frames can't be read"
    case .refused(.givesNothing): "refused: it beats, but its frames don't come"
    }
  }

  private static func seconds(_ nanoseconds: UInt64) -> String {
    let tenths = nanoseconds / 100_000_000
    return "\(tenths / 10).\(tenths % 10) s"
  }

  /// How little a path with this fault gives; 0 = nothing is wrong.
  var rank: Int {
    switch self {
    case .well, .notNeeded, .oneCrosses, .returning: 0
    case .recovering: 1
    case .lag: 2
    case .outOfService: 3
    case .silent: 4
    case .gap: 5
    case .stale: 6
    case .missedBeats: 7
    case .refused(let why): why == .otherConfiguration ? 8 : 7
    case .neverHeard: 8
    }
  }
}

/// Why a merger can't use what a stream tells.
public enum PathRefusal: String, Sendable, Hashable, CaseIterable {
  /// It runs another configuration.
  case otherConfiguration = "configuration"
  /// It tells of an epoch that isn't followed.
  case otherEpoch = "epoch"
  /// Its frames aren't frames.
  case malformed
  /// Its beats tell of messages of which no frame comes.
  case givesNothing = "gives-nothing"
}

/// How far a publisher is.
public enum Nearness: Int, Sendable, Comparable, CaseIterable {
  /// On the same host.
  case sameHost = 0
  /// In the same zone.
  case sameZone = 1
  /// In the same site.
  case sameSite = 2
  /// Beyond the shared line.
  case otherSite = 3

  /// Nearer ones first.
  public static func < (a: Nearness, b: Nearness) -> Bool { a.rawValue < b.rawValue }
}
