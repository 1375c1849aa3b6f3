// What clients say: one JSON object a message (docs/STREAM.md, Stream). Every fault is told with what was wanted.

import Foundation

/// A position in a source that a client resumes from.
public struct ResumePosition: Sendable, Equatable {
  /// Market identifier code.
  public var market: String
  /// Epoch's name.
  public var epoch: String
  /// The last sequence number the client has.
  public var sequence: UInt64

  /// A position.
  public init(market: String, epoch: String, sequence: UInt64) {
    self.market = market
    self.epoch = epoch
    self.sequence = sequence
  }
}

/// A subscription as asked for.
public struct SubscriptionRequest: Sendable, Equatable {
  /// The client's name for it.
  public var id: String
  /// What to send.
  public var channel: StreamChannel
  /// Instrument names; `["*"]` = all.
  public var instruments: [String]
  /// Milliseconds between flushes.
  public var interval = 50
  /// Levels of a book.
  public var levels = 10
  /// Adds `rx`.
  public var timing = false
  /// Bytes a second that the connection may be sent; nil = no limit.
  public var bytesPerSecond: Int?
  /// Where to go on; nil = from a snapshot.
  public var from: [ResumePosition]?

  /// A request with the default interval and levels.
  public init(id: String, channel: StreamChannel, instruments: [String]) {
    self.id = id
    self.channel = channel
    self.instruments = instruments
  }
}

extension SubscriptionRequest {
  /// What a client may ask for as bytes a second.
  public static let bytesPerSecondRange = 1_000...100_000_000
}

/// A client's message.
public enum Command: Sendable, Equatable {
  case subscribe(SubscriptionRequest)
  case unsubscribe(id: String)
  case ping(id: String?)
}

/// Why a message is not understood.
public struct CommandError: Error, Sendable, Equatable {
  /// The subscription it is about, where that could be read.
  public var id: String?
  /// Stable name of the fault.
  public var code: String
  /// What was found and what is wanted.
  public var detail: String
}

extension Command {
  /// Reads a message.
  public init(json bytes: [UInt8]) throws(CommandError) {
    let value: Any
    do { value = try JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed]) } catch {
      throw CommandError(
        id: nil, code: "bad_json",
        detail: "the message is not JSON; wanted one object such as {\"op\":\"ping\"}")
    }
    guard let object = value as? [String: Any] else {
      throw CommandError(id: nil, code: "bad_json", detail: "wanted one JSON object a message")
    }
    let id: String?
    switch object["id"] {
    case let text as String: id = text
    case let number as NSNumber: id = number.stringValue
    default: id = nil
    }
    if let id, id.utf8.count > 128 {
      throw CommandError(
        id: nil, code: "bad_id", detail: "id has \(id.utf8.count) bytes; at most 128 are taken")
    }
    switch object["op"] as? String {
    case "ping": self = .ping(id: id)
    case "unsubscribe":
      guard let id else {
        throw CommandError(id: nil, code: "bad_id", detail: "unsubscribe wants \"id\", a string")
      }
      self = .unsubscribe(id: id)
    case "subscribe", "resume":
      guard let id else {
        throw CommandError(
          id: nil, code: "bad_id", detail: "\(object["op"] ?? "") wants \"id\", a string of your choice")
      }
      self = .subscribe(try Self.subscription(object, id: id, resume: object["op"] as? String == "resume"))
    case let other:
      throw CommandError(
        id: id, code: "unknown_op",
        detail:
          "op \(other.map { "\"\($0.prefix(40))\"" } ?? "is missing"); wanted subscribe, unsubscribe, resume or ping"
      )
    }
  }

  private static func subscription(
    _ object: [String: Any], id: String, resume: Bool
  ) throws(CommandError) -> SubscriptionRequest {
    guard let name = object["channel"] as? String, let channel = StreamChannel(name: name) else {
      let found = (object["channel"] as? String).map { "\"\($0.prefix(40))\"" } ?? "nothing"
      throw CommandError(
        id: id, code: "bad_channel", detail: "channel: \(found) found; wanted quotes, books, trades or bars")
    }
    guard let instruments = object["instruments"] as? [String], !instruments.isEmpty else {
      throw CommandError(
        id: id, code: "bad_instruments",
        detail: "instruments: wanted a list of codes such as [\"7203\"], or [\"*\"]")
    }
    var request = SubscriptionRequest(id: id, channel: channel, instruments: instruments)
    request.interval = try integer(object, "interval", id: id, default: 50, range: 0...10_000)
    request.levels = try integer(object, "levels", id: id, default: 10, range: 1...50)
    if let limit = object["bytes_per_second"], !(limit is NSNull) {
      request.bytesPerSecond = try integer(
        object, "bytes_per_second", id: id, default: 0, range: SubscriptionRequest.bytesPerSecondRange)
    }
    if let timing = object["timing"] {
      guard let value = timing as? Bool else {
        throw CommandError(id: id, code: "bad_timing", detail: "timing: wanted true or false")
      }
      request.timing = value
    }
    if resume {
      guard let list = object["from"] as? [[String: Any]] else {
        throw CommandError(
          id: id, code: "bad_from",
          detail: "from: wanted a list such as [{\"market\":\"XTKS\",\"epoch\":\"2026-11-24\",\"seq\":4711}]")
      }
      var positions: [ResumePosition] = []
      for entry in list {
        guard let market = entry["market"] as? String, let epoch = entry["epoch"] as? String,
          let number = entry["seq"] as? NSNumber, let sequence = UInt64(number.stringValue)
        else {
          throw CommandError(
            id: id, code: "bad_from",
            detail: "from: each entry wants market and epoch (strings) and seq (an integer)")
        }
        positions.append(ResumePosition(market: market, epoch: epoch, sequence: sequence))
      }
      request.from = positions
    }
    return request
  }

  private static func integer(
    _ object: [String: Any], _ name: String, id: String, default standard: Int, range: ClosedRange<Int>
  ) throws(CommandError) -> Int {
    guard let found = object[name] else { return standard }
    guard let number = found as? NSNumber, let value = Int(number.stringValue), range.contains(value) else {
      throw CommandError(
        id: id, code: "bad_\(name)",
        detail: "\(name): wanted an integer from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }
}
