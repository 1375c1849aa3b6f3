// What a publisher has done, for people and as JSON.

import Foundation

/// Figures of a run.
public struct PublishReport: Sendable, Encodable {
  /// A session.
  public struct Session: Sendable, Encodable {
    /// Its name.
    public var name: String
    /// Number of its first message.
    public var first: UInt64
    /// Number after its last message.
    public var next: UInt64
  }

  /// A line.
  public struct Line: Sendable, Encodable {
    /// A or B.
    public var line: String
    /// Packets with messages that went out, copies counted.
    public var packets: UInt64
    /// Messages in them.
    public var messages: UInt64
    /// Bytes of all packets.
    public var bytes: UInt64
    /// Heartbeats and ends of session.
    public var heartbeats: UInt64
    /// Packets lost on purpose.
    public var dropped: UInt64
    /// Packets doubled on purpose.
    public var duplicated: UInt64
    /// Packets held back on purpose.
    public var reordered: UInt64
    /// Packets that the system didn't take.
    public var errors: UInt64
  }

  /// The request server.
  public struct Requests: Sendable, Encodable {
    /// Requests answered.
    public var answered: UInt64
    /// Messages in the answers.
    public var messages: UInt64
    /// Requests of another session, for numbers that aren't there, or malformed.
    public var ignored: UInt64
    /// Of these: another session.
    public var other_session: UInt64
    /// Of these: numbers that aren't there, or none asked for.
    public var unavailable: UInt64
    /// Of these: no request at all.
    public var malformed: UInt64
    /// Answers lost on purpose.
    public var dropped: UInt64
    /// Answers that the system didn't take.
    public var errors: UInt64
  }

  /// The clients of a SoupBinTCP server.
  public struct Clients: Sendable, Encodable {
    /// Connections.
    public var connections: UInt64
    /// Connections beyond the limit.
    public var refused: UInt64
    /// Good logins.
    public var accepted: UInt64
    /// Refused logins.
    public var rejected: UInt64
    /// Clients that broke the rules or took nothing.
    public var faults: UInt64
    /// Sequenced messages sent, to all together.
    public var messages: UInt64
    /// Clients that were told the end.
    public var ended: UInt64
  }

  /// All sessions, in order.
  public var sessions: [Session]
  /// Messages published.
  public var messages: UInt64
  /// Messages of the file that can't be decoded; they went out empty.
  public var bad: UInt64
  /// Numbers left out.
  public var missing: UInt64
  /// How long it took to publish, lingering not counted.
  public var seconds: Double
  /// CPU time of the process.
  public var cpu_seconds: Double
  /// It was told to stop before the end.
  public var interrupted: Bool
  /// The lines.
  public var lines: [Line]?
  /// The request server.
  public var requests: Requests?
  /// The clients.
  public var clients: Clients?

  /// Whether nothing went wrong that wasn't wanted.
  public var isClean: Bool {
    bad == 0 && (lines ?? []).allSatisfy { $0.errors == 0 } && (requests?.errors ?? 0) == 0
  }
}

extension FeedPublisher {
  /// The figures so far; by the thread that calls `run`.
  public var report: PublishReport {
    var report = PublishReport(
      sessions: [], messages: messages, bad: badCount, missing: missingCount, seconds: seconds,
      cpu_seconds: Double(clock()) / Double(CLOCKS_PER_SEC), interrupted: wasStopped)
    let sessions: PublishedSessions
    switch outlet {
    case .mold(let mold):
      sessions = mold.sessions
      report.lines = mold.lines.map { line in
        PublishReport.Line(
          line: line.name, packets: line.counters.packets, messages: line.counters.messages,
          bytes: line.counters.bytes, heartbeats: line.counters.heartbeats,
          dropped: line.impairment.dropped, duplicated: line.impairment.duplicated,
          reordered: line.impairment.reordered, errors: line.counters.errors)
      }
      report.requests = mold.requests.map { server in
        let counters = server.counters
        return PublishReport.Requests(
          answered: counters.answered, messages: counters.messages, ignored: counters.ignored,
          other_session: counters.otherSession, unavailable: counters.unavailable,
          malformed: counters.malformed, dropped: counters.dropped, errors: counters.errors)
      }
    case .soup(let soup):
      sessions = soup.sessions
      let counters = soup.counters
      report.clients = PublishReport.Clients(
        connections: counters.connections, refused: counters.refused, accepted: counters.accepted,
        rejected: counters.rejected, faults: counters.faults, messages: counters.messages,
        ended: counters.ended)
    }
    report.sessions = sessions.all.map { .init(name: $0.name, first: $0.first, next: $0.next) }
    return report
  }

  /// What the system said first of packets that it didn't take.
  public var sendingErrors: [String] {
    guard case .mold(let mold) = outlet else { return [] }
    return mold.lines.compactMap { line in line.counters.firstError.map { "line \(line.name): \($0)" } }
  }
}
