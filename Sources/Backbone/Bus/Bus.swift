// The interface of the backbone: the same in process (`InProcessBus`) and over NATS (`NatsBus`). Subjects are words
// with dots between them, `*` stands for one word, `>` for all that follow. Delivery is at most once and in order per
// publisher; who needs more asks again (replays, snapshots) or uses a kept stream.
// Bounds: what a bus can't send now it drops and counts; what a subscriber doesn't take in time it loses, counted.

/// A message while it is handed over: its bytes are the bus's own and go with the handler's return.
public struct BusMessage {
  let subjectBytes: UnsafeRawBufferPointer
  let replyBytes: UnsafeRawBufferPointer
  /// What it says; valid until the handler returns.
  public let payload: UnsafeRawBufferPointer

  /// Its subject.
  public var subject: String { String(decoding: subjectBytes, as: UTF8.self) }
  /// Where an answer goes; nil: none is wanted. Answers go to inboxes only, so that nobody can have another node say
  /// something under a subject of its own.
  public var reply: String? {
    guard !replyBytes.isEmpty else { return nil }
    let subject = String(decoding: replyBytes, as: UTF8.self)
    // Between sites the servers put words of their own before it.
    let isInbox =
      subject.hasPrefix("_INBOX.") || (subject.hasPrefix("_GR_.") && subject.contains("._INBOX."))
    return isInbox ? subject : nil
  }
}

/// Ends a subscription when it is asked to, and when nobody holds it any more.
public protocol BusSubscription: AnyObject, Sendable {
  /// No message is delivered after this returns. May be called by the handler itself.
  func cancel()
}

/// How a bus is.
public enum BusState: Sendable, Equatable, CustomStringConvertible {
  /// Not connected yet, or not any more; why.
  case away(String)
  /// Connected to a server, by its address.
  case connected(String)
  /// Closed by its owner.
  case closed

  /// Whether what is published now leaves.
  public var isConnected: Bool { if case .connected = self { true } else { false } }

  /// For people.
  public var description: String {
    switch self {
    case .away(let reason): "away: \(reason)"
    case .connected(let server): "connected to \(server)"
    case .closed: "closed"
    }
  }
}

/// Why a bus can't be used as wanted: place, reason, remedy.
public struct BusError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What the user reads.
  public var description: String
  /// An error from its text.
  public init(_ description: String) { self.description = description }
}

/// A rail as its users see it.
public protocol Bus: AnyObject, Sendable {
  /// The rail's name, such as `a`.
  var rail: String { get }
  /// How it is.
  var state: BusState { get }
  /// What went over it.
  var account: BusAccount { get }

  /// Sends; never waits. What can't be sent now is dropped and counted.
  /// - Parameters:
  ///   - subject: words without wildcards.
  ///   - reply: where an answer goes; nil = none is wanted.
  ///   - more: more follows at once; the last of them, or `flush`, sends all.
  /// - Returns: false where it was dropped.
  @discardableResult
  func publish(_ subject: String, reply: String?, _ payload: UnsafeRawBufferPointer, more: Bool) -> Bool
  /// Sends what was published with `more`.
  func flush()
  /// Bytes that were published and have not left yet.
  var waitingBytes: Int { get }
  /// Hears what is published from now on, by others: a bus has no echo. The handler runs on the bus's thread and must
  /// not block. A subscription lasts over reconnects until it is cancelled.
  /// - Throws: `BusError` where the subject is none.
  func subscribe(_ subject: String, _ handler: @escaping @Sendable (BusMessage) -> Void) throws(BusError)
    -> any BusSubscription
  /// Calls with each change of state from now on, and with the present one at once; on the bus's thread.
  func observe(_ body: @escaping @Sendable (BusState) -> Void)
  /// Figures at this moment.
  var report: BusReport { get }
  /// Ends it; nothing is delivered after this returns.
  func close()
}

extension Bus {
  /// Sends at once.
  @discardableResult
  public func publish(_ subject: String, reply: String? = nil, _ payload: UnsafeRawBufferPointer) -> Bool {
    publish(subject, reply: reply, payload, more: false)
  }

  /// Sends bytes at once.
  @discardableResult
  public func publish(_ subject: String, reply: String? = nil, bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { publish(subject, reply: reply, $0, more: false) }
  }
}

/// A bus's figures at one moment.
public struct BusReport: Sendable {
  /// The rail's name.
  public var rail: String
  /// How it is, in words.
  public var state: String
  /// Whether what is published leaves.
  public var isConnected: Bool
  /// How often it was connected anew after the first time.
  public var reconnects: UInt64
  /// Bytes that wait to be sent.
  public var waitingBytes: Int
  /// The last error that isn't over or wasn't about the connection, such as a forbidden subject; nil = none.
  public var fault: String?
  /// By system that shares the line.
  public var systems: [BusAccount.Figures]
}
