// The server's side of a SoupBinTCP 3.00 session on one connection: a state machine whose events give actions. The
// shell holds the messages; it says what it has when a login comes, and tells what it has sent.
// Pure: time comes in with each event, nanoseconds of a clock that doesn't go back.
// Invariants: nothing is served before a good login; `next` is the number of the next message to be sent.
// What the client does wrong is a SoupBinTCPFault and ends the session; nothing traps.

/// See the head of this file.
public struct SoupBinTCPServerSession: Sendable {
  /// How far the session is.
  public enum State: Sendable, Hashable {
    /// Connected, not logged in.
    case awaitingLogin(since: UInt64)
    /// Logged in; `next` is the number of the next message to be sent.
    case serving(session: String, next: UInt64)
    /// Nothing more is sent on this connection.
    case over(Ending)
  }

  /// How a session's connection ended.
  public enum Ending: Sendable, Hashable {
    /// All messages were sent, and that there are no more.
    case endOfSession
    /// The login was refused.
    case rejected(SoupBinTCPRejection)
    /// The client logged out.
    case loggedOut
    /// The client did what it must not, or was silent.
    case fault(SoupBinTCPFault)
  }

  /// What the shell has to do.
  public enum Action: Sendable, Hashable {
    /// Nothing.
    case none
    /// Send that answer; then messages from its sequence number on.
    case accept(SoupBinTCPLoginAccepted)
    /// Send that refusal, then close.
    case reject(SoupBinTCPRejection)
    /// Send a heartbeat.
    case sendHeartbeat
    /// Send the end of the session, then close.
    case sendEndOfSession
    /// Take a message of the client.
    case unsequenced(Range<Int>)
    /// Text for the log.
    case debug(Range<Int>)
    /// Close.
    case close
  }

  /// What a session has, for a login that asks for it.
  public struct Offer: Sendable, Hashable {
    /// The session's name.
    public var session: String
    /// Number of its first message.
    public var first: UInt64
    /// Number of the message that comes next.
    public var next: UInt64
    /// Numbers that nobody has, ascending.
    public var missing: [ClosedRange<UInt64>]
    /// An offer from its parts.
    public init(session: String, first: UInt64, next: UInt64, missing: [ClosedRange<UInt64>] = []) {
      self.session = session
      self.first = first
      self.next = next
      self.missing = missing
    }

    /// The first number at or after `sequence` that isn't missing.
    public func available(from sequence: UInt64) -> UInt64 {
      var sequence = sequence
      for range in missing where range.contains(sequence) && range.upperBound < .max {
        sequence = range.upperBound + 1
      }
      return sequence
    }
  }

  /// Who may log in, and times.
  public struct Rules: Sendable, Hashable {
    /// The user name; nil = any.
    public var user: String?
    /// The password; nil = any.
    public var password: String?
    /// A heartbeat is sent when nothing else was for so long.
    public var heartbeatNanoseconds: UInt64 = 1_000_000_000
    /// The client is given up when nothing came for so long.
    public var silenceNanoseconds: UInt64 = 15_000_000_000
    /// A login must have come after so long.
    public var loginNanoseconds: UInt64 = 30_000_000_000
    /// Anybody, and the specification's times.
    public init(user: String? = nil, password: String? = nil) {
      self.user = user
      self.password = password
    }
  }

  /// How far it is.
  public private(set) var state: State
  private var heardAt: UInt64
  private var sentAt: UInt64
  private let rules: Rules

  /// A session of a connection that was just made.
  public init(rules: Rules, connectedAt now: UInt64) {
    self.rules = rules
    state = .awaitingLogin(since: now)
    heardAt = now
    sentAt = now
  }

  // MARK: - Events

  /// A packet. `offer` is asked for the session that a login names (empty = the active one); nil = there is none.
  public mutating func receive(
    _ packet: SoupBinTCPClientPacket, at now: UInt64, offer: (_ session: String) -> Offer?
  ) throws(SoupBinTCPFault) -> Action {
    switch (packet, state) {
    case (.login(let request), .awaitingLogin):
      heardAt = now
      return logIn(request, offer, at: now)
    case (.debug(let range), .awaitingLogin), (.debug(let range), .serving):
      heardAt = now
      return .debug(range)
    case (.heartbeat, .serving):
      heardAt = now
      return .none
    case (.unsequenced(let range), .serving):
      heardAt = now
      return .unsequenced(range)
    case (.logout, .serving), (.logout, .awaitingLogin):
      state = .over(.loggedOut)
      return .close
    default: throw refuse(packet)
    }
  }

  /// Messages went into the connection's buffer.
  public mutating func sentMessages(_ count: Int, at now: UInt64) throws(SoupBinTCPFault) {
    guard case .serving(let session, let next) = state else {
      throw .misused(event: "sending messages", state: Self.name(state))
    }
    let (sum, overflow) = next.addingReportingOverflow(UInt64(max(0, count)))
    guard !overflow else { throw end(.sequence(next)) }
    state = .serving(session: session, next: sum)
    sentAt = now
  }

  /// There are no messages from `next` on, and there will be none.
  public mutating func finish(at now: UInt64) -> Action {
    guard case .serving = state else { return .none }
    state = .over(.endOfSession)
    sentAt = now
    return .sendEndOfSession
  }

  /// Time has passed. `isWaiting`: bytes stand in the connection's buffer, so that a heartbeat would say nothing.
  public mutating func tick(at now: UInt64, isWaiting: Bool = false) throws(SoupBinTCPFault) -> Action {
    switch state {
    case .over: return .none
    case .awaitingLogin(let since):
      if now >= since, now - since >= rules.loginNanoseconds {
        throw end(.loginLate(limit: rules.loginNanoseconds))
      }
      return .none
    case .serving:
      if now >= heardAt, now - heardAt >= rules.silenceNanoseconds {
        throw end(.silent(nanoseconds: now - heardAt, limit: rules.silenceNanoseconds))
      }
      guard !isWaiting, now >= sentAt, now - sentAt >= rules.heartbeatNanoseconds else { return .none }
      sentAt = now
      return .sendHeartbeat
    }
  }

  // MARK: - Login

  private mutating func logIn(
    _ request: SoupBinTCPLoginRequest, _ offer: (String) -> Offer?, at now: UInt64
  ) -> Action {
    guard Self.isSame(rules.user, request.user), Self.isSame(rules.password, request.password) else {
      state = .over(.rejected(.notAuthorized))
      return .reject(.notAuthorized)
    }
    guard let found = offer(request.session) else {
      state = .over(.rejected(.sessionNotAvailable))
      return .reject(.sessionNotAvailable)
    }
    // 0 asks for the most recent message; what lies ahead of the session is its next one.
    let asked =
      request.sequence == 0
      ? max(found.first, found.next) - (found.next > found.first ? 1 : 0) : request.sequence
    let next = found.available(from: min(max(asked, found.first), max(found.first, found.next)))
    do throws(SoupBinTCPError) {
      let accepted = try SoupBinTCPLoginAccepted(session: found.session, sequence: next)
      state = .serving(session: found.session, next: next)
      sentAt = now
      return .accept(accepted)
    } catch {
      // A session whose name can't be said isn't available to anybody.
      state = .over(.rejected(.sessionNotAvailable))
      return .reject(.sessionNotAvailable)
    }
  }

  /// User names and passwords don't tell capitals from small letters (section 2.3.1).
  private static func isSame(_ wanted: String?, _ found: String) -> Bool {
    guard let wanted else { return true }
    return wanted.lowercased() == found.lowercased()
  }

  // MARK: - Faults

  private mutating func end(_ fault: SoupBinTCPFault) -> SoupBinTCPFault {
    state = .over(.fault(fault))
    return fault
  }

  private mutating func refuse(_ packet: SoupBinTCPClientPacket) -> SoupBinTCPFault {
    let wanted =
      switch state {
      case .awaitingLogin: "a login request (L)"
      case .serving: "data (U), a heartbeat (R) or a logout (O)"
      case .over: "nothing"
      }
    let fault = SoupBinTCPFault.unexpected(
      packet: Self.name(packet), state: Self.name(state), wanted: wanted)
    if case .over = state { return fault }
    return end(fault)
  }

  private static func name(_ state: State) -> String {
    switch state {
    case .awaitingLogin: "waiting for a login"
    case .serving: "serving"
    case .over: "over"
    }
  }

  private static func name(_ packet: SoupBinTCPClientPacket) -> String {
    switch packet {
    case .debug: "debug text (+)"
    case .login: "a login request (L)"
    case .unsequenced: "unsequenced data (U)"
    case .heartbeat: "a heartbeat (R)"
    case .logout: "a logout (O)"
    }
  }
}
