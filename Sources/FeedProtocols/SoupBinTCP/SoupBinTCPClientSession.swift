// The client's side of a SoupBinTCP 3.00 session on one connection (sections 1.2 to 1.4): a state machine whose
// events give actions. Pure: time comes in with each event, nanoseconds of a clock that doesn't go back.
// Invariants: `next` rises by one with each sequenced message and by nothing else; after `over` nothing is delivered.
// What the server does wrong is a SoupBinTCPFault and ends the session; nothing traps.

/// See the head of this file.
public struct SoupBinTCPClientSession: Sendable {
  /// How far the session is.
  public enum State: Sendable, Hashable {
    /// No connection yet.
    case unconnected
    /// The login was sent.
    case loggingIn(since: UInt64)
    /// Logged in; `next` is the number of the next sequenced message.
    case receiving(session: String, next: UInt64)
    /// Nothing more comes on this connection.
    case over(Ending)
  }

  /// How a session's connection ended.
  public enum Ending: Sendable, Hashable {
    /// The server said that the session is over.
    case endOfSession
    /// The login was refused.
    case rejected(SoupBinTCPRejection)
    /// The server did what it must not, or was silent.
    case fault(SoupBinTCPFault)
    /// This side logged out.
    case loggedOut
    /// The connection was closed.
    case disconnected
  }

  /// What the shell has to do.
  public enum Action: Sendable, Hashable {
    /// Nothing.
    case none
    /// Send that login.
    case sendLogin(SoupBinTCPLoginRequest)
    /// Logged in: the session, and the number of the next message.
    case accepted(session: String, next: UInt64)
    /// Take the messages; the first has that number.
    case deliver(first: UInt64)
    /// Take a message without a number.
    case unsequenced(Range<Int>)
    /// Text for the log.
    case debug(Range<Int>)
    /// Send a heartbeat.
    case sendHeartbeat
    /// Send a logout, then close.
    case sendLogout
    /// Refused: close, and come again when the reason is mended.
    case rejected(SoupBinTCPRejection)
    /// The session is over: close.
    case endOfSession
  }

  /// Times of a session.
  public struct Timing: Sendable, Hashable {
    /// A heartbeat is sent when nothing else was for so long.
    public var heartbeatNanoseconds: UInt64 = 1_000_000_000
    /// The server is given up when nothing came for so long.
    public var silenceNanoseconds: UInt64 = 15_000_000_000
    /// The login is given up after so long.
    public var loginNanoseconds: UInt64 = 15_000_000_000
    /// The specification's times.
    public init() {}
  }

  /// How far it is.
  public private(set) var state = State.unconnected
  /// When something came last; 0 = never.
  public private(set) var heardAt: UInt64 = 0
  private var sentAt: UInt64 = 0
  private let timing: Timing

  /// A session that isn't connected.
  public init(timing: Timing = Timing()) { self.timing = timing }

  // MARK: - Events

  /// The connection stands.
  /// - Throws: `SoupBinTCPFault.misused` where there is one already.
  public mutating func connect(
    _ request: SoupBinTCPLoginRequest, at now: UInt64
  ) throws(SoupBinTCPFault) -> Action {
    guard case .unconnected = state else { throw .misused(event: "connecting", state: Self.name(state)) }
    state = .loggingIn(since: now)
    heardAt = now
    sentAt = now
    return .sendLogin(request)
  }

  /// Sequenced messages in a row.
  public mutating func receiveSequenced(
    count: Int, at now: UInt64
  ) throws(SoupBinTCPFault) -> Action {
    guard case .receiving(let session, let next) = state else {
      throw refuse("sequenced data", wanted: wanted)
    }
    let (sum, overflow) = next.addingReportingOverflow(UInt64(max(0, count)))
    guard !overflow else { throw end(.sequence(next)) }
    heardAt = now
    state = .receiving(session: session, next: sum)
    return .deliver(first: next)
  }

  /// Any packet.
  public mutating func receive(
    _ packet: SoupBinTCPServerPacket, at now: UInt64
  ) throws(SoupBinTCPFault) -> Action {
    switch (packet, state) {
    case (.sequenced, _): return try receiveSequenced(count: 1, at: now)
    case (.debug(let range), .loggingIn), (.debug(let range), .receiving):
      heardAt = now
      return .debug(range)
    case (.loginAccepted(let accepted), .loggingIn):
      heardAt = now
      // Numbers begin at 1; a server that says 0 means the same.
      let next = max(1, accepted.sequence)
      state = .receiving(session: accepted.session, next: next)
      return .accepted(session: accepted.session, next: next)
    case (.loginRejected(let reason), .loggingIn):
      state = .over(.rejected(reason))
      return .rejected(reason)
    case (.unsequenced(let range), .receiving):
      heardAt = now
      return .unsequenced(range)
    case (.heartbeat, .receiving):
      heardAt = now
      return .none
    case (.endOfSession, .receiving):
      heardAt = now
      state = .over(.endOfSession)
      return .endOfSession
    default: throw refuse(Self.name(packet), wanted: wanted)
    }
  }

  /// This side has sent something.
  public mutating func sent(at now: UInt64) { sentAt = max(sentAt, now) }

  /// Time has passed.
  public mutating func tick(at now: UInt64) throws(SoupBinTCPFault) -> Action {
    switch state {
    case .unconnected, .over: return .none
    case .loggingIn(let since):
      if now >= since, now - since >= timing.loginNanoseconds {
        throw end(.loginLate(limit: timing.loginNanoseconds))
      }
      return .none
    case .receiving:
      if now >= heardAt, now - heardAt >= timing.silenceNanoseconds {
        throw end(.silent(nanoseconds: now - heardAt, limit: timing.silenceNanoseconds))
      }
      guard now >= sentAt, now - sentAt >= timing.heartbeatNanoseconds else { return .none }
      sentAt = now
      return .sendHeartbeat
    }
  }

  /// The user wants to go.
  public mutating func logOut() -> Action {
    guard case .receiving = state else {
      if case .over = state {} else { state = .over(.loggedOut) }
      return .none
    }
    state = .over(.loggedOut)
    return .sendLogout
  }

  /// The connection was closed.
  public mutating func disconnect() {
    if case .over = state { return }
    state = .over(.disconnected)
  }

  // MARK: - Faults

  private mutating func end(_ fault: SoupBinTCPFault) -> SoupBinTCPFault {
    state = .over(.fault(fault))
    return fault
  }

  private mutating func refuse(_ packet: String, wanted: String) -> SoupBinTCPFault {
    let fault = SoupBinTCPFault.unexpected(packet: packet, state: Self.name(state), wanted: wanted)
    if case .over = state { return fault }
    return end(fault)
  }

  private var wanted: String {
    switch state {
    case .unconnected, .over: "nothing"
    case .loggingIn: "login accepted (A) or rejected (J)"
    case .receiving: "data (S, U), a heartbeat (H) or the end of the session (Z)"
    }
  }

  private static func name(_ state: State) -> String {
    switch state {
    case .unconnected: "unconnected"
    case .loggingIn: "logging in"
    case .receiving: "receiving"
    case .over: "over"
    }
  }

  private static func name(_ packet: SoupBinTCPServerPacket) -> String {
    switch packet {
    case .debug: "debug text (+)"
    case .loginAccepted: "login accepted (A)"
    case .loginRejected: "login rejected (J)"
    case .sequenced: "sequenced data (S)"
    case .unsequenced: "unsequenced data (U)"
    case .heartbeat: "a heartbeat (H)"
    case .endOfSession: "the end of the session (Z)"
    }
  }
}
