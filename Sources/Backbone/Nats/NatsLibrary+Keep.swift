// libnats, JetStream: streams that last, messages with a name of their own, and a durable consumer that is pulled.
// Ordered consumers of this libnats are known to be wrong, and are not used. Calls wait for the server, within a time:
// they are for the threads of who keeps, never for the price path.

import CNats
import Foundation

/// How long and how much a stream keeps.
struct KeptStreamLimits: Sendable {
  var maximumBytes: Int64
  var maximumAgeSeconds: Int64
  /// Messages of one name within so long are one.
  var duplicateSeconds: Int64
  /// Messages of one subject; the newest stay. 0 = as many as there are.
  var maximumOfSubject: Int64 = 0
}

extension NatsConnection {
  /// Appends a message with a name to what waits for the socket.
  func publish(_ subject: String, reply: String, id: String, _ payload: UnsafeRawBufferPointer) -> Bool {
    var message: OpaquePointer?
    let bytes = payload.baseAddress?.assumingMemoryBound(to: CChar.self)
    guard natsMsg_Create(&message, subject, reply, bytes, Int32(payload.count)) == NATS_OK, let message else {
      return false
    }
    defer { natsMsg_Destroy(message) }
    guard natsMsgHeader_Set(message, "Nats-Msg-Id", id) == NATS_OK else { return false }
    return natsConnection_PublishMsg(handle, message) == NATS_OK
  }

  /// The way to the server that keeps, in a domain; nil = the server's own.
  func keep(domain: String?, milliseconds: Int64) throws(NatsError) -> NatsKeep {
    var options = jsOptions()
    jsOptions_Init(&options)
    options.Wait = milliseconds
    var context: OpaquePointer?
    var status = NATS_OK
    if let domain {
      status = domain.withCString { text in
        options.Domain = text
        return natsConnection_JetStream(&context, handle, &options)
      }
    } else {
      status = natsConnection_JetStream(&context, handle, &options)
    }
    try NatsError.check(status, "JetStream")
    guard let context else { throw NatsError(NATS_NO_MEMORY, doing: "JetStream") }
    return NatsKeep(context, self)
  }
}

/// A way to the server that keeps.
///
/// @unchecked Sendable: libnats locks each context itself.
final class NatsKeep: @unchecked Sendable {
  private let handle: OpaquePointer
  private let connection: NatsConnection

  fileprivate init(_ handle: OpaquePointer, _ connection: NatsConnection) {
    self.handle = handle
    self.connection = connection
  }

  deinit { jsCtx_Destroy(handle) }

  /// Makes the stream, or brings its limits to these. One that somebody else is making this moment is waited for:
  /// nats-server 2.9 ends with a panic when it is asked to change a stream whose store it hasn't opened yet.
  func ensure(_ name: String, subject: String, _ limits: KeptStreamLimits) throws(NatsError) {
    var configuration = jsStreamConfig()
    jsStreamConfig_Init(&configuration)
    configuration.Storage = js_FileStorage
    configuration.Discard = js_DiscardOld
    configuration.MaxBytes = limits.maximumBytes
    configuration.MaxAge = limits.maximumAgeSeconds * 1_000_000_000
    configuration.Duplicates = limits.duplicateSeconds * 1_000_000_000
    if limits.maximumOfSubject > 0 { configuration.MaxMsgsPerSubject = limits.maximumOfSubject }
    configuration.AllowDirect = true
    configuration.SubjectsLen = 1
    var code = jsErrCode(0)
    let status = name.withCString { stream in
      subject.withCString { subject in
        var subjects: [UnsafePointer<CChar>?] = [subject]
        return subjects.withUnsafeMutableBufferPointer { list in
          configuration.Name = stream
          configuration.Subjects = list.baseAddress
          let made = js_AddStream(nil, handle, &configuration, nil, &code)
          guard made != NATS_OK, isOpened(name, subject) else { return made }
          return js_UpdateStream(nil, handle, &configuration, nil, &code)
        }
      }
    }
    try NatsError.check(status, "stream \(name) on \(subject)")
  }

  /// Waits for a stream that somebody else may be making.
  /// - Returns: false: there is none, or it wasn't opened within a second.
  private func isOpened(_ name: String, _ subject: UnsafePointer<CChar>) -> Bool {
    let end = DispatchTime.now() + .seconds(1)
    repeat {
      guard let isDirect = try? isDirect(name) else { return false }
      // Made by an older version, and so opened long ago.
      if !isDirect { return true }
      var message: OpaquePointer?
      let status = lastDirectly(&message, subject: subject, stream: name)
      natsMsg_Destroy(message)
      if status == NATS_OK || status == NATS_NOT_FOUND { return true }
      nats_Sleep(20)
    } while DispatchTime.now() < end
    return false
  }

  /// Whether a stream's messages can be read directly.
  /// - Returns: nil: there is no such stream.
  private func isDirect(_ stream: String) throws(NatsError) -> Bool? {
    var information: UnsafeMutablePointer<jsStreamInfo>?
    var code = jsErrCode(0)
    let status = js_GetStreamInfo(&information, handle, stream, nil, &code)
    defer { jsStreamInfo_Destroy(information) }
    guard let stream = information?.pointee, status == NATS_OK else {
      if code == JSStreamNotFoundErr { return nil }
      throw NatsError(status, doing: "stream \(stream)")
    }
    return stream.Config?.pointee.AllowDirect ?? false
  }

  private func lastDirectly(
    _ message: inout OpaquePointer?, subject: UnsafePointer<CChar>, stream: String
  ) -> natsStatus {
    var options = jsDirectGetMsgOptions()
    jsDirectGetMsgOptions_Init(&options)
    options.LastBySubject = subject
    return js_DirectGetMsg(&message, handle, stream, nil, &options)
  }

  /// A durable consumer, made where it isn't there.
  /// - Parameters:
  ///   - from: nanoseconds since 1970: what was kept before isn't given. nil = all is.
  ///   - inactiveSeconds: the server forgets it when nobody asked for so long; nil = never.
  func consumer(
    _ durable: String, stream: String, subject: String, from: Int64? = nil, inactiveSeconds: Int64? = nil
  ) throws(NatsError) -> NatsConsumer {
    // The library takes 0 for no time.
    let from = from == 0 ? nil : from
    var options = jsSubOptions()
    jsSubOptions_Init(&options)
    options.Config.AckPolicy = js_AckAll
    options.Config.AckWait = NatsConsumer.acknowledgeMilliseconds * 1_000_000
    options.Config.DeliverPolicy = from == nil ? js_DeliverAll : js_DeliverByStartTime
    if let from { options.Config.OptStartTime = from }
    if let inactiveSeconds { options.Config.InactiveThreshold = inactiveSeconds * 1_000_000_000 }
    var subscription: OpaquePointer?
    var code = jsErrCode(0)
    let status = stream.withCString { name in
      options.Stream = name
      return js_PullSubscribe(&subscription, handle, subject, durable, nil, &options, &code)
    }
    try NatsError.check(status, "consumer \(durable) of stream \(stream)")
    guard let subscription else { throw NatsError(NATS_NO_MEMORY, doing: "consumer \(durable)") }
    return try NatsConsumer(subscription, self, stream: stream, durable: durable)
  }

  /// Has the server forget a consumer; where that fails it forgets by itself.
  func removeConsumer(_ durable: String, stream: String) {
    var code = jsErrCode(0)
    _ = js_DeleteConsumer(handle, stream, durable, nil, &code)
  }

  /// The last message of a subject, and its number in the stream. Read directly (`$JS.API.DIRECT.GET`): nats-server 2.9
  /// ends with a panic when `$JS.API.STREAM.MSG.GET` asks for a stream whose store it hasn't opened yet.
  /// - Returns: nil and 0: there is none, or no stream yet.
  func last(of subject: String, stream: String) throws(NatsError) -> (bytes: [UInt8]?, number: UInt64) {
    let doing = "last message of \(subject) in stream \(stream)"
    // Asked first: where nobody answers directly, it would stay open whether there is a stream.
    guard let isDirect = try isDirect(stream) else { return (nil, 0) }
    guard isDirect else {
      throw NatsError(NATS_NO_RESPONDERS, doing: "\(doing), which an older version made")
    }
    var message: OpaquePointer?
    let status = subject.withCString { lastDirectly(&message, subject: $0, stream: stream) }
    guard let message, status == NATS_OK else {
      if status == NATS_NOT_FOUND { return (nil, 0) }
      throw NatsError(status, doing: doing)
    }
    defer { natsMsg_Destroy(message) }
    let bytes = UnsafeRawBufferPointer(
      start: natsMsg_GetData(message), count: Int(natsMsg_GetDataLength(message)))
    return ([UInt8](bytes), natsMsg_GetSequence(message))
  }

  /// Has a message kept, if the subject's last one still has that number; 0: if there is none.
  func put(_ subject: String, stream: String, _ bytes: [UInt8], after number: UInt64) throws(NatsError) {
    var options = jsPubOptions()
    jsPubOptions_Init(&options)
    options.ExpectLastSubjectSeq = number
    options.ExpectNoMessage = number == 0
    var code = jsErrCode(0)
    let status = stream.withCString { stream in
      options.ExpectStream = stream
      return js_Publish(nil, handle, subject, bytes, Int32(bytes.count), &options, &code)
    }
    try NatsError.check(status, "publish \(subject), which nobody else may have published meanwhile")
  }

  /// What the server says of a consumer.
  fileprivate func place(_ durable: String, stream: String) throws(NatsError) -> NatsConsumer.Place {
    var information: UnsafeMutablePointer<jsConsumerInfo>?
    var code = jsErrCode(0)
    try NatsError.check(
      js_GetConsumerInfo(&information, handle, stream, durable, nil, &code), "consumer \(durable)")
    defer { jsConsumerInfo_Destroy(information) }
    guard let consumer = information?.pointee else {
      throw NatsError(NATS_NO_MEMORY, doing: "consumer \(durable)")
    }
    return NatsConsumer.Place(
      acknowledged: consumer.AckFloor.Stream,
      isDone: consumer.NumPending == 0 && consumer.NumAckPending == 0)
  }

  /// The numbers of a stream's first and last message; what was before the first is kept no more.
  func bounds(of stream: String) throws(NatsError) -> (first: UInt64, last: UInt64) {
    var information: UnsafeMutablePointer<jsStreamInfo>?
    var code = jsErrCode(0)
    try NatsError.check(js_GetStreamInfo(&information, handle, stream, nil, &code), "stream \(stream)")
    defer { jsStreamInfo_Destroy(information) }
    guard let stream = information?.pointee else { throw NatsError(NATS_NO_MEMORY, doing: "stream") }
    return (stream.State.FirstSeq, stream.State.LastSeq)
  }
}

/// A consumer that is pulled, each message in its order and once.
///
/// The server may give messages to a question that nobody waits for any more, and go on behind them. Acknowledged
/// together with a later one they would count as taken; acknowledged each for itself they would come behind later ones.
/// So only the next number of the stream is taken: what comes instead is left, and the server, which gets no
/// acknowledgement, sends all from the hole on again.
///
/// @unchecked Sendable: libnats locks each subscription itself, and one thread fetches.
final class NatsConsumer: @unchecked Sendable {
  /// What the server says of it.
  struct Place {
    /// The last message that was taken with all before it.
    var acknowledged: UInt64
    /// Whether there is nothing more: neither unsent, nor sent and not acknowledged.
    var isDone: Bool
  }

  /// After so long the server sends again what wasn't acknowledged.
  static var acknowledgeMilliseconds: Int64 { 2_000 }
  /// Sent again so often without the message that is next, it isn't there: deleted on the server by hand.
  private static let mostTries = 3

  private let handle: OpaquePointer
  private let keep: NatsKeep
  private let stream: String
  private let durable: String
  /// The number of the message that is taken next.
  private(set) var next: UInt64
  private var tries = 0

  fileprivate init(
    _ handle: OpaquePointer, _ keep: NatsKeep, stream: String, durable: String
  ) throws(NatsError) {
    self.handle = handle
    self.keep = keep
    self.stream = stream
    self.durable = durable
    next = try max(keep.place(durable, stream: stream).acknowledged + 1, keep.bounds(of: stream).first)
  }

  deinit { natsSubscription_Destroy(handle) }

  /// Takes some messages in their order, hands them over, and then says that they are taken; where `body` throws they
  /// come again.
  /// - Returns: how many were taken; nil = there is no more for the moment.
  func fetch(_ most: Int, milliseconds: Int64, _ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Int?
  {
    var list = natsMsgList()
    var code = jsErrCode(0)
    let status = natsSubscription_Fetch(&list, handle, Int32(most), milliseconds, &code)
    defer { natsMsgList_Destroy(&list) }
    if status == NATS_TIMEOUT { return try keep.place(durable, stream: stream).isDone ? nil : 0 }
    try NatsError.check(status, "fetch")
    var taken: OpaquePointer?
    var count = 0
    for place in 0..<Int(list.Count) {
      guard let message = list.Msgs[place] else { continue }
      let number = try number(of: message)
      if number < next {
        // Again: its acknowledgement is on the way.
        continue
      }
      guard number == next else { break }
      try body(
        UnsafeRawBufferPointer(
          start: natsMsg_GetData(message), count: Int(natsMsg_GetDataLength(message))))
      taken = message
      next += 1
      count += 1
      tries = 0
    }
    if let taken {
      try NatsError.check(natsMsg_AckSync(taken, nil, &code), "acknowledge")
    } else if list.Count > 0 {
      try mend()
    }
    return count
  }

  /// The same for who can't fail.
  func read(_ most: Int, milliseconds: Int64, _ body: (UnsafeRawBufferPointer) -> Void) throws(NatsError)
    -> Int?
  {
    do { return try fetch(most, milliseconds: milliseconds, body) } catch let error as NatsError {
      throw error
    } catch {
      throw NatsError(NATS_ERR, doing: "fetch")
    }
  }

  private func number(of message: OpaquePointer) throws(NatsError) -> UInt64 {
    var information: UnsafeMutablePointer<jsMsgMetaData>?
    try NatsError.check(natsMsg_GetMetaData(&information, message), "number of a kept message")
    defer { jsMsgMetaData_Destroy(information) }
    return information?.pointee.Sequence.Stream ?? 0
  }

  /// Waits until the server has all from the hole on to send again.
  private func mend() throws(NatsError) {
    tries += 1
    next = try max(next, keep.bounds(of: stream).first)
    if tries > Self.mostTries {
      next += 1
    } else {
      usleep(UInt32(Self.acknowledgeMilliseconds + 200) * 1_000)
    }
  }
}
