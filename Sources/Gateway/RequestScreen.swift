// Who looks at requests before the gateway answers them, and at answers before they leave: a web application firewall,
// say. The gateway asks in its own process, on the connection's event loop, and knows nothing of rules; without a screen
// it asks nobody, and that costs nothing.
//
// A request's course: `begin`, `request` once it is whole, `answer` before the answer leaves, `end` when it has left.
// Streams (SSE, WebSocket) are screened at the handshake, and their screening ends with it: nothing is held for them.
// What the gateway's own limits turn away (rates, times, sizes of heads) isn't screened: they protect the screen too. Of
// heads that are refused (too large, too slow, not HTTP) the screen is told, so that its log has them.

/// Makes a screen for each event loop.
public protocol RequestScreen: Sendable {
  /// Called once a loop; what it gives is used on that loop alone.
  func loopScreen() -> any LoopScreen
  /// Counters for `/metrics`, with their whole names.
  var counters: [ScreenCounter] { get }
}

/// The screen of one event loop, which owns it.
public protocol LoopScreen: AnyObject {
  /// A request came.
  func begin(_ request: ScreenedRequest) -> any Screening
  /// The gateway refused a request that it couldn't read, and ends the connection. Nothing is asked.
  /// - Parameters:
  ///   - request: what is known of it; the method is empty where its head was never whole.
  ///   - status: what was answered.
  ///   - reason: what was wrong, in a few words.
  func refused(_ request: ScreenedRequest, status: Int, reason: String)
  /// Called some times a second: for what is done in batches.
  func tick()
  /// The loop has ended: the last call, when nothing runs on the loop any more.
  func end()
}

extension LoopScreen {
  /// Does nothing.
  public func refused(_ request: ScreenedRequest, status: Int, reason: String) {}
}

/// One request and its answer. All bytes are lent for the call.
public protocol Screening: AnyObject {
  /// Fields that every answer to the request carries.
  var answerFields: [(name: String, value: String)] { get }
  /// Whether the request may be answered.
  /// - Parameter isComplete: false where the body was longer than the gateway takes, and this is its beginning.
  func request(body: UnsafeRawBufferPointer, isComplete: Bool) -> ScreenVerdict
  /// Whether the answer may leave; a stream's has no body yet.
  func answer(status: Int, fields: [(name: String, value: String)], body: UnsafeRawBufferPointer)
    -> ScreenVerdict
  /// It is over.
  /// - Parameter status: what was answered, by whomever; nil where nothing was.
  func end(status: Int?)
}

/// A request's head and the connection it came on.
public struct ScreenedRequest {
  /// As it came.
  public var method: String
  /// The request's target, as it came.
  public var target: String
  /// `HTTP/1.1`.
  public var version: String
  /// In the order they came.
  public var fields: [(name: String, value: String)]
  /// Both ends.
  public var ends: ConnectionEnds
}

/// Both ends of a connection.
public struct ConnectionEnds: Sendable {
  /// The client's address without its port.
  public var clientAddress: String
  /// The client's port.
  public var clientPort: Int
  /// This end's address.
  public var serverAddress: String
  /// This end's port.
  public var serverPort: Int
}

/// What becomes of a request or an answer.
public enum ScreenVerdict: Sendable {
  /// It goes on.
  case pass
  /// This is answered in its place.
  case answer(ScreenAnswer)
  /// The connection ends without an answer.
  case close
}

/// An answer of the screen's own.
public struct ScreenAnswer: Sendable {
  /// The status.
  public var status: Int
  /// All fields but those that every answer has and those of the body's length.
  public var fields: [(name: String, value: String)]
  /// The body.
  public var body: [UInt8]
  /// All of it.
  public init(status: Int, fields: [(name: String, value: String)], body: [UInt8]) {
    self.status = status
    self.fields = fields
    self.body = body
  }
}

/// A figure for `/metrics`.
public struct ScreenCounter: Sendable {
  /// `kabuto_…_total`.
  public var name: String
  /// What it counts.
  public var help: String
  /// Since the start.
  public var value: UInt64
  /// All of it.
  public init(name: String, help: String, value: UInt64) {
    self.name = name
    self.help = help
    self.value = value
  }
}
