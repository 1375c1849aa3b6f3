// Reads a SoupBinTCP server: logs in where the plant stands, applies what comes, comes again when the connection is
// lost, and says how the source is. The numbers are the session's, so that a reconnect leaves no gap and no repeat.
// States: `recovering` from a login until the server has nothing older to say; `silent` when nothing was heard for
// three heartbeat intervals; `live` between. Caught up = a heartbeat came, or a fifth of the time was spent waiting.

import FeedProtocols
import Foundation
import MarketData
import TickerPlant

/// What is remembered from one connection to the next.
private struct SoupProgress {
  let soup: FeedAddress.Soup
  let dateIsToday: Bool
  let silenceNanoseconds: UInt64
  var heardAt: UInt64
  var isSilent = false
  var backoffNanoseconds = SoupProgress.firstBackoff
  /// The server hasn't the session that the plant knows: ask for the one it has.
  var asksForCurrent = false
  /// Another session than asked for was given, from the middle: ask for all of it.
  var restarts: String?
  /// An epoch was begun by this run.
  var hasBegun = false
  /// Said last, so that the same isn't said again and again.
  var told = ""
  /// Since when it is being found out whether all is caught up, and how much of it was spent waiting; nil = caught up.
  var catchingUpSince: UInt64?
  var waited: UInt64 = 0
  /// The server's next message.
  var next: UInt64 = 0

  static let firstBackoff: UInt64 = 100_000_000
  static let longestBackoff: UInt64 = 5_000_000_000
  static let rejectedPause: UInt64 = 5_000_000_000
  static let connectLimit: UInt64 = 5_000_000_000
  static let catchUpWindow: UInt64 = 200_000_000

  init(_ soup: FeedAddress.Soup, dateIsToday: Bool, now: UInt64) {
    self.soup = soup
    self.dateIsToday = dateIsToday
    silenceNanoseconds = soup.heartbeatMilliseconds * 3 * 1_000_000
    heardAt = now
  }

  /// Longest wait between two looks at the clock.
  var sliceMilliseconds: Int32 { Int32(min(20, max(1, soup.heartbeatMilliseconds / 4))) }
}

private enum SoupOutcome {
  case stopped
  case endOfSession
  case again
  case rejected
  case lost(String)
}

extension FeedThread {
  /// Messages applied between two looks at the rings.
  private static var runMessages: Int { 4096 }

  func playSoup(_ soup: FeedAddress.Soup, dateIsToday: Bool) {
    var progress = SoupProgress(soup, dateIsToday: dateIsToday, now: Self.monotonic())
    plant.setSourceState(.recovering)
    publish()
    while !stops {
      let outcome = converse(&progress)
      publish()
      var pause = progress.backoffNanoseconds
      switch outcome {
      case .stopped: return
      case .endOfSession:
        outlets.log(.info, "\(feed.source): session \(plant.session) is over after message \(plant.sequence)")
        return
      case .again: pause = SoupProgress.firstBackoff
      case .rejected: pause = SoupProgress.rejectedPause
      case .lost(let reason):
        let text = "\(feed.source): \(reason); connecting again"
        say(.warning, text, &progress)
        tell(fault: text)
        progress.backoffNanoseconds = min(2 * pause, SoupProgress.longestBackoff)
      }
      let until = Self.monotonic() &+ pause
      while !stops, Self.monotonic() < until {
        sleep(nanoseconds: min(5_000_000, pause))
        watch(&progress, at: Self.monotonic())
      }
    }
  }

  // MARK: - One connection

  private func converse(_ progress: inout SoupProgress) -> SoupOutcome {
    var session = SoupBinTCPClientSession()
    do {
      let connection = try SoupConnection.open(
        progress.soup.server, limitNanoseconds: SoupProgress.connectLimit
      ) {
        watch(&progress, at: Self.monotonic())
        return !stops
      }
      let asked = try request(progress)
      if case .sendLogin(let login) = try session.connect(asked, at: Self.monotonic()) {
        try connection.send { login.encode(into: &$0) }
      }
      while !stops {
        switch try connection.receive() {
        case .bytes:
          let receivedAt = Self.wallClock()
          if let outcome = try take(connection, &session, asked, &progress, receivedAt) { return outcome }
        case .nothing:
          let before = Self.monotonic()
          connection.wait(milliseconds: progress.sliceMilliseconds)
          progress.waited &+= Self.monotonic() &- before
        }
        let now = Self.monotonic()
        if try session.tick(at: now) == .sendHeartbeat {
          try connection.send { SoupBinTCPWriter.packet(SoupBinTCPType.clientHeartbeat, into: &$0) }
        }
        watch(&progress, at: now)
      }
      if session.logOut() == .sendLogout {
        try? connection.send { SoupBinTCPWriter.packet(SoupBinTCPType.logout, into: &$0) }
      }
      return .stopped
    } catch {
      return stops ? .stopped : .lost("\(error)")
    }
  }

  /// Takes all whole packets that were read. Nil = go on.
  private func take(
    _ connection: SoupConnection, _ session: inout SoupBinTCPClientSession,
    _ asked: SoupBinTCPLoginRequest, _ progress: inout SoupProgress, _ receivedAt: UInt64
  ) throws -> SoupOutcome? {
    while true {
      let now = Self.monotonic()
      switch try connection.next(maximumRun: Self.runMessages) {
      case .needMore: return nil
      case .run(let range, let count):
        if case .deliver(let first) = try session.receiveSequenced(count: count, at: now) {
          hear(&progress, at: now)
          plant.apply(framed: connection.bytes(range), firstSequence: first, receivedAt: receivedAt)
          progress.next = first &+ UInt64(count)
          publish()
        }
      case .packet(let type, let payload):
        let packet = try connection.packet(type: type, payload: payload)
        switch try session.receive(packet, at: now) {
        case .accepted(let name, let next):
          if let outcome = begin(name, next, asked, &progress, at: now) { return outcome }
        case .rejected(let reason): return refused(reason, asked, &progress)
        case .endOfSession: return .endOfSession
        case .debug(let text):
          let shown = connection.bytes(text).prefix(200).map { (0x20...0x7e).contains($0) ? $0 : 0x3f }
          say(.info, "\(feed.source): the server says: \(String(decoding: shown, as: UTF8.self))", &progress)
        case .none where packet == .heartbeat:
          hear(&progress, at: now)
          caughtUp(&progress)
        case .none, .sendLogin, .deliver, .unsequenced, .sendHeartbeat, .sendLogout: break
        }
      }
    }
  }

  // MARK: - Logins

  /// The login for where the plant stands.
  private func request(_ progress: SoupProgress) throws(SoupBinTCPError) -> SoupBinTCPLoginRequest {
    let soup = progress.soup
    let known = plant.sequence > 0 && !progress.asksForCurrent ? plant.session : ""
    let session = progress.restarts ?? soup.session ?? known
    let goesOn = plant.sequence > 0 && session == plant.session
    return try SoupBinTCPLoginRequest(
      user: soup.user ?? "", password: soup.password ?? "", session: session,
      sequence: goesOn ? plant.sequence + 1 : soup.sequence ?? 1)
  }

  /// Logged in. Nil = go on.
  private func begin(
    _ name: String, _ next: UInt64, _ asked: SoupBinTCPLoginRequest, _ progress: inout SoupProgress,
    at now: UInt64
  ) -> SoupOutcome? {
    tell(fault: nil)
    progress.told = ""
    let isAnother = name != plant.session && plant.sequence > 0
    if isAnother, asked.session != name, next > progress.soup.sequence ?? 1 {
      // The number asked for was the other session's: ask for this one from its beginning.
      progress.restarts = name
      return .again
    }
    if isAnother || name != plant.session {
      let date = dateOfNextEpoch(progress)
      if isAnother {
        outlets.log(
          .info, "\(feed.source): session \(name) follows \(plant.session); it begins anew on \(date)")
      }
      plant.beginEpoch(session: name, date: date)
    }
    progress.hasBegun = true
    progress.asksForCurrent = false
    progress.restarts = nil
    plant.setSourceState(.recovering)
    progress.catchingUpSince = now
    progress.waited = 0
    heard(&progress, at: now)
    let wanted = plant.sequence + 1
    progress.next = next
    if next < wanted {
      outlets.log(
        .warning,
        "\(feed.source): the server begins with message \(next), \(wanted) was to come: not live before it is there"
      )
    }
    outlets.log(.info, "\(feed.source): logged in to session \(name) from message \(next)")
    if next > wanted {
      outlets.log(
        .warning,
        "\(feed.source): the server begins with message \(next), \(wanted) was to come: \(wanted) to \(next - 1) are missing"
      )
      plant.declareGap(from: wanted, through: next - 1)
    }
    publish()
    return nil
  }

  /// The day of a session that isn't the plant's.
  private func dateOfNextEpoch(_ progress: SoupProgress) -> CalendarDate {
    if progress.dateIsToday { return max(feed.today, plant.date) }
    return progress.hasBegun && plant.sequence > 0 ? plant.date.nextWeekday : feed.date
  }

  private func refused(
    _ reason: SoupBinTCPRejection, _ asked: SoupBinTCPLoginRequest, _ progress: inout SoupProgress
  ) -> SoupOutcome {
    if reason == .sessionNotAvailable, !asked.session.isEmpty, progress.soup.session == nil {
      say(
        .warning,
        "\(feed.source): the server doesn't have session \(asked.session) any more; asking for its current one",
        &progress)
      progress.asksForCurrent = true
      progress.restarts = nil
      return .again
    }
    let remedy =
      switch reason {
      case .notAuthorized: "check user= and password= of the address"
      case .sessionNotAvailable:
        asked.session.isEmpty
          ? "the server has no session now" : "check session=\(asked.session) of the address, or leave it out"
      }
    let text = "\(feed.source): login refused, \(reason); \(remedy); trying again every 5 s"
    tell(fault: text)
    say(.error, text, &progress)
    return .rejected
  }

  // MARK: - How the source is

  /// Data or a heartbeat came.
  private func hear(_ progress: inout SoupProgress, at now: UInt64) {
    progress.backoffNanoseconds = SoupProgress.firstBackoff
    heard(&progress, at: now)
  }

  /// The server is there.
  private func heard(_ progress: inout SoupProgress, at now: UInt64) {
    progress.heardAt = now
    guard progress.isSilent else { return }
    progress.isSilent = false
    outlets.log(.info, "\(feed.source): heard again")
    plant.setSourceState(progress.catchingUpSince == nil ? .live : .recovering)
    publish()
  }

  /// Nothing older is to come.
  private func caughtUp(_ progress: inout SoupProgress) {
    guard progress.catchingUpSince != nil, !progress.isSilent else { return }
    // A server that begins before what is known here, and has not come so far, is another than it was.
    guard progress.next > plant.sequence else { return }
    progress.catchingUpSince = nil
    plant.setSourceState(.live)
    publish()
  }

  /// Time has passed: is the source silent, has it caught up?
  private func watch(_ progress: inout SoupProgress, at now: UInt64) {
    if !progress.isSilent, now &- progress.heardAt > progress.silenceNanoseconds {
      progress.isSilent = true
      outlets.log(
        .warning,
        "\(feed.source): nothing heard for \(progress.silenceNanoseconds / 1_000_000) ms: the source is silent"
      )
      plant.setSourceState(.silent)
    }
    if let since = progress.catchingUpSince, now &- since > SoupProgress.catchUpWindow {
      if progress.waited > (now &- since) / 5, progress.heardAt > since {
        caughtUp(&progress)
      } else {
        progress.catchingUpSince = now
        progress.waited = 0
      }
    }
    publish()
  }

  /// Says something that wasn't said last.
  private func say(_ level: Level, _ text: String, _ progress: inout SoupProgress) {
    guard progress.told != text else { return }
    progress.told = text
    outlets.log(level, text)
  }
}
