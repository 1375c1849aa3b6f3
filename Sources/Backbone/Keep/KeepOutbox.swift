// Messages that are to be kept, until the server that keeps has said that it has them. Pure: times come in, and who sends
// is told what is due.
// Invariant: a message leaves by its answer, or as the oldest where more than `mostBytes` wait: that is counted.

/// See the head of this file.
struct KeepOutbox {
  /// One of them.
  struct Message {
    /// Where it is kept.
    var subject: String
    /// Its name: copies of one name are one.
    var id: String
    var bytes: [UInt8]
    fileprivate var sentAt: UInt64?
  }

  private let mostBytes: Int
  private var messages: [UInt64: Message] = [:]
  private var next: UInt64 = 0
  private(set) var bytes = 0
  /// Given up for want of room.
  private(set) var givenUp: UInt64 = 0

  init(mostBytes: Int) { self.mostBytes = mostBytes }

  var count: Int { messages.count }

  mutating func add(_ subject: String, id: String, _ bytes: [UInt8]) {
    while self.bytes + bytes.count > mostBytes, let oldest = messages.keys.min() {
      self.bytes -= messages.removeValue(forKey: oldest)?.bytes.count ?? 0
      givenUp += 1
    }
    guard bytes.count <= mostBytes else {
      givenUp += 1
      return
    }
    next += 1
    messages[next] = Message(subject: subject, id: id, bytes: bytes)
    self.bytes += bytes.count
  }

  /// - Returns: false where it was answered before, or given up.
  mutating func answered(_ number: UInt64) -> Bool {
    guard let message = messages.removeValue(forKey: number) else { return false }
    bytes -= message.bytes.count
    return true
  }

  /// Sends what wasn't sent yet, and again what wasn't answered for so long, oldest first, until one doesn't leave.
  /// - Parameters:
  ///   - now: nanoseconds of a clock that only goes forward.
  ///   - send: gets a message with its number; false: it didn't leave.
  /// - Returns: how many were sent again.
  mutating func send(at now: UInt64, again nanoseconds: UInt64, _ send: (UInt64, Message) -> Bool) -> UInt64 {
    var repeated: UInt64 = 0
    for number in messages.keys.sorted() {
      guard let message = messages[number] else { continue }
      if let sentAt = message.sentAt, now < sentAt + nanoseconds { continue }
      guard send(number, message) else { break }
      if message.sentAt != nil { repeated += 1 }
      messages[number]?.sentAt = now
    }
    return repeated
  }
}

/// What the server that keeps answers to a message.
struct KeepAnswer: Equatable {
  /// It had a message of this name already.
  var isDuplicate = false
  /// Why it doesn't keep it; nil: it does.
  var fault: String?

  init(_ payload: UnsafeRawBufferPointer) {
    let text = String(decoding: payload, as: UTF8.self)
    isDuplicate = text.contains("\"duplicate\":")
    // A refusal may have a number too, which then is 0.
    if !text.contains("\"seq\":") || text.contains("\"error\":") {
      // An empty answer is the server's own: nobody keeps the subject.
      fault = text.isEmpty ? "no stream keeps the subject yet" : String(text.prefix(300))
    }
  }
}
