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

  /// Makes the stream, or brings its limits to these.
  func ensure(_ name: String, subject: String, _ limits: KeptStreamLimits) throws(NatsError) {
    var configuration = jsStreamConfig()
    jsStreamConfig_Init(&configuration)
    configuration.Storage = js_FileStorage
    configuration.Discard = js_DiscardOld
    configuration.MaxBytes = limits.maximumBytes
    configuration.MaxAge = limits.maximumAgeSeconds * 1_000_000_000
    configuration.Duplicates = limits.duplicateSeconds * 1_000_000_000
    configuration.SubjectsLen = 1
    var code = jsErrCode(0)
    let status = name.withCString { name in
      subject.withCString { subject in
        var subjects: [UnsafePointer<CChar>?] = [subject]
        return subjects.withUnsafeMutableBufferPointer { list in
          configuration.Name = name
          configuration.Subjects = list.baseAddress
          let made = js_AddStream(nil, handle, &configuration, nil, &code)
          return made == NATS_OK ? made : js_UpdateStream(nil, handle, &configuration, nil, &code)
        }
      }
    }
    try NatsError.check(status, "stream \(name) on \(subject)")
  }

  /// A durable consumer, made where it isn't there.
  func consumer(_ durable: String, stream: String, subject: String) throws(NatsError) -> NatsConsumer {
    var options = jsSubOptions()
    jsSubOptions_Init(&options)
    options.Config.AckPolicy = js_AckAll
    options.Config.DeliverPolicy = js_DeliverAll
    var subscription: OpaquePointer?
    var code = jsErrCode(0)
    let status = stream.withCString { name in
      options.Stream = name
      return js_PullSubscribe(&subscription, handle, subject, durable, nil, &options, &code)
    }
    try NatsError.check(status, "consumer \(durable) of stream \(stream)")
    guard let subscription else { throw NatsError(NATS_NO_MEMORY, doing: "consumer \(durable)") }
    return NatsConsumer(subscription, self)
  }
}

/// A consumer that is pulled.
///
/// @unchecked Sendable: libnats locks each subscription itself.
final class NatsConsumer: @unchecked Sendable {
  private let handle: OpaquePointer
  private let keep: NatsKeep

  fileprivate init(_ handle: OpaquePointer, _ keep: NatsKeep) {
    self.handle = handle
    self.keep = keep
  }

  deinit { natsSubscription_Destroy(handle) }

  /// Takes some messages in their order, hands them over, and then says that they are taken; where `body` throws they
  /// come again.
  /// - Returns: how many there were.
  func fetch(_ most: Int, milliseconds: Int64, _ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Int
  {
    var list = natsMsgList()
    var code = jsErrCode(0)
    let status = natsSubscription_Fetch(&list, handle, Int32(most), milliseconds, &code)
    defer { natsMsgList_Destroy(&list) }
    if status == NATS_TIMEOUT { return 0 }
    try NatsError.check(status, "fetch")
    for place in 0..<Int(list.Count) {
      guard let message = list.Msgs[place] else { continue }
      try body(
        UnsafeRawBufferPointer(
          start: natsMsg_GetData(message), count: Int(natsMsg_GetDataLength(message))))
    }
    if list.Count > 0, let last = list.Msgs[Int(list.Count) - 1] {
      // All before it too.
      try NatsError.check(natsMsg_AckSync(last, nil, &code), "acknowledge")
    }
    return Int(list.Count)
  }
}
