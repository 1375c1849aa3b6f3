// What one line brought, and how it is: for metrics, `kabuto top` and logs.

/// How a line is.
public enum LineState: Sendable, Equatable {
  /// Nothing has come yet.
  case waiting
  /// Packets or heartbeats come.
  case live
  /// Nothing has come for three heartbeat intervals.
  case silent
  /// It speaks of another session than the one that is followed.
  case wrongSession(MoldSession)
  /// Its sequence numbers went back, and stay below where it had been.
  case wentBack
  /// Its sequence numbers jumped further than any loss explains, and no other line bears it out.
  case jumped

  /// The word in reports: `waiting`, `live`, `silent`, `wrong_session`, `went_back` or `jumped`.
  public var name: String {
    switch self {
    case .waiting: "waiting"
    case .live: "live"
    case .silent: "silent"
    case .wrongSession: "wrong_session"
    case .wentBack: "went_back"
    case .jumped: "jumped"
    }
  }
}

/// Counts of one line since it was opened.
public struct LineStatistics: Sendable, Equatable {
  /// How it is.
  public var state = LineState.waiting
  /// Packets of any kind.
  public var packets: UInt64 = 0
  /// Bytes of their payloads.
  public var bytes: UInt64 = 0
  /// Messages in them.
  public var messages: UInt64 = 0
  /// Packets without messages that say where the session is.
  public var heartbeats: UInt64 = 0
  /// Messages that came over this line first.
  public var first: UInt64 = 0
  /// Messages that had come before.
  public var repeated: UInt64 = 0
  /// Packets behind a later one of the same line.
  public var outOfOrder: UInt64 = 0
  /// Messages that this line was past when its next packet came. Overtaken packets come later, and count as out of
  /// order.
  public var missing: UInt64 = 0
  /// Packets that are no MoldUDP64.
  public var malformed: UInt64 = 0
  /// Packets passed over because the line is not believed: another session, numbers that went back or jumped.
  public var disbelieved: UInt64 = 0
  /// Packets the kernel dropped because its buffer was full.
  public var dropped: UInt64 = 0
  /// When the last packet came, nanoseconds of the caller's clock; 0 = never.
  public var heardAt: UInt64 = 0

  /// All zero.
  public init() {}
}

/// Counts of asking for what was lost.
public struct RequestStatistics: Sendable, Equatable {
  /// Requests sent.
  public var sent: UInt64 = 0
  /// Times a request was due and the budget did not allow it.
  public var heldBack: UInt64 = 0
  /// Packets of the request server.
  public var answers: UInt64 = 0
  /// Messages that came from the request server first.
  public var recovered: UInt64 = 0
  /// Messages that a packet beyond the buffer's bound held: they are asked for when their turn comes.
  public var passedOver: UInt64 = 0
  /// Gaps declared.
  public var gaps: UInt64 = 0
  /// Messages in them.
  public var lost: UInt64 = 0
  /// Times the books were made whole after a gap.
  public var healed: UInt64 = 0

  /// All zero.
  public init() {}
}
