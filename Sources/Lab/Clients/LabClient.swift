// A client as a careful developer would write it: knows several endpoints, prefers the near one, tells by its own pings
// when a connection is dead, goes on elsewhere with what it had (`resume`), goes back when the near one is there
// again, and may hold two connections at once. It writes down every frame with the time of its arrival.
// Owner: one event loop, on which everything happens. @unchecked Sendable: nothing is touched elsewhere.

import Foundation
public import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket

/// See the head of this file.
public final class LabClient: @unchecked Sendable {
  /// What it wants, and when it gives up on a connection.
  public struct Options: Sendable {
    /// Host and port, the nearest first.
    public var endpoints: [(host: String, port: Int)]
    /// Channels to subscribe.
    public var channels = ["quotes", "trades"]
    /// Instruments of the market.
    public var instruments = ["*"]
    /// Connections at once, to different endpoints.
    public var connections = 1
    /// A ping each so many milliseconds; a connection that says nothing for so many is given up.
    public var pingMilliseconds: Int64 = 100
    /// Silence after which a connection is left, milliseconds.
    public var silentMilliseconds: Int64 = 300
    /// Time to connect and to be answered.
    public var openMilliseconds: Int64 = 400
    /// A connection on which no value came for so long is left, where there is another endpoint.
    public var quietMilliseconds: Int64 = 1_000
    /// How often a client away from its near endpoint tries it again.
    public var returnMilliseconds: Int64 = 2_000
    /// Where the record goes.
    public var path: String

    /// With these values.
    public init(endpoints: [(host: String, port: Int)], path: String) {
      self.endpoints = endpoints
      self.path = path
    }
  }

  let options: Options
  let loop: any EventLoop
  private let writer: RecordWriter
  private var slots: [ClientSlot] = []
  private var connectionCount = 0
  private var positions = PositionKeeper()
  private var isStopped = false

  /// - Throws: where the record can't be written.
  public init(_ options: Options, on loop: any EventLoop) throws(LabFailure) {
    self.options = options
    self.loop = loop
    writer = try RecordWriter(path: options.path)
  }

  /// Begins; on the loop.
  public func start() {
    for number in 0..<max(1, min(options.connections, options.endpoints.count)) {
      let slot = ClientSlot(client: self, preferred: number)
      slots.append(slot)
      slot.start()
    }
    // What was written is on disk soon: a client may be ended at any time.
    loop.scheduleRepeatedTask(initialDelay: .milliseconds(500), delay: .milliseconds(500)) { [weak self] _ in
      self?.writer.flush()
    }
  }

  /// Ends all connections and writes what is left; on the loop.
  public func stop() {
    isStopped = true
    for slot in slots { slot.stop() }
    writer.flush()
  }

  /// Why the record isn't whole; nil: it is. On the loop.
  var failure: String? { writer.failure }

  func nextConnection() -> Int {
    connectionCount += 1
    return connectionCount
  }

  /// Endpoints that other slots use.
  func isTaken(_ endpoint: Int, besides slot: ClientSlot) -> Bool {
    slots.contains { $0 !== slot && $0.endpoint == endpoint }
  }

  /// Whether another slot's connection carries.
  func isCarried(besides slot: ClientSlot) -> Bool { slots.contains { $0 !== slot && $0.carries } }

  func note(_ text: String, connection: Int) { writer.event(text, connection: connection) }

  /// A frame came. Returns its events.
  func record(_ bytes: some Sequence<UInt8>, connection: Int) -> [StreamEvent] {
    writer.frame(bytes, connection: connection)
    let events = FrameScanner.events(bytes) ?? []
    positions.take(events, at: RecordWriter.now())
    return events
  }

  /// What opens a connection: subscriptions, or their resumption where a position is known.
  func openings() -> [String] {
    let from = positions.safe(before: RecordWriter.now())
    return options.channels.enumerated().map { number, channel in
      let names = options.instruments.map { "\"\($0)\"" }.joined(separator: ",")
      var text = "{\"op\":\"\(from == nil ? "subscribe" : "resume")\",\"id\":\"\(number)\","
      text += "\"channel\":\"\(channel)\",\"instruments\":[\(names)],\"interval\":0,\"timing\":true"
      if let from {
        text += ",\"from\":[{\"market\":\"\(from.market)\",\"epoch\":\(from.epoch),\"seq\":\(from.sequence)}]"
      }
      return text + "}"
    }
  }
}

/// The newest position by which everything had arrived. Events of one moment may arrive in any order of instruments, so
/// the position is that of a little while ago: what is then sent twice, `Judge` and every client tell apart by number.
struct PositionKeeper {
  struct Position: Equatable {
    var market: String
    /// As it is written in JSON.
    var epoch: String
    var sequence: UInt64
  }
  private var newest: Position?
  private var samples: [(at: UInt64, position: Position)] = []
  static let slackNanoseconds: UInt64 = 250_000_000

  mutating func take(_ events: [StreamEvent], at now: UInt64) {
    for event in events {
      switch event.type {
      case "snapshot":
        guard let market = event.text("market"), let epoch = event.fields["epoch"],
          let sequence = event.sequence
        else { continue }
        if newest?.epoch != epoch || newest?.market != market {
          newest = Position(market: market, epoch: epoch, sequence: sequence)
          samples = []
        } else {
          raise(to: sequence)
        }
      case "update": if let sequence = event.sequence { raise(to: sequence) }
      default: break
      }
    }
    if let newest, samples.last.map({ now >= $0.at + 20_000_000 }) ?? true {
      samples.append((now, newest))
      if samples.count > 200 { samples.removeFirst(100) }
    }
  }

  private mutating func raise(to sequence: UInt64) {
    if let known = newest, sequence > known.sequence { newest?.sequence = sequence }
  }

  /// - Parameter now: by the same clock as `take`.
  func safe(before now: UInt64) -> Position? {
    guard let last = samples.last else { return nil }
    // While nothing arrives, the last frame is the moment that counts.
    let latest = min(now, last.at)
    return samples.last { $0.at + Self.slackNanoseconds <= latest }?.position
  }
}
