// The interface of the backbone: the same in process (`InProcessBus`) and over NATS (`NatsBus`). Subjects are words
// with dots between them, `*` stands for one word, `>` for all that follow. Delivery is at most once and in order per
// publisher; who needs more asks again (replays, snapshots) or uses a kept stream.

/// A message that came.
public struct BusMessage: Sendable {
  /// Its subject.
  public var subject: String
  /// Where an answer goes; nil: none is wanted.
  public var reply: String?
  /// What it says.
  public var payload: [UInt8]

  /// A message.
  public init(subject: String, reply: String? = nil, payload: [UInt8]) {
    self.subject = subject
    self.reply = reply
    self.payload = payload
  }
}

/// Ends a subscription when it is asked to, and when nobody holds it any more.
public protocol BusSubscription: AnyObject, Sendable {
  /// No message is delivered after this returns.
  func cancel()
}

/// See the head of this file.
public protocol Bus: Sendable {
  /// Sends; never waits. What can't be sent now is dropped and counted.
  func publish(_ subject: String, reply: String?, _ payload: UnsafeRawBufferPointer)
  /// Hears what is published from now on; the handler runs on the bus's thread and must not block.
  func subscribe(_ subject: String, _ handler: @escaping @Sendable (BusMessage) -> Void) throws -> any BusSubscription
}
