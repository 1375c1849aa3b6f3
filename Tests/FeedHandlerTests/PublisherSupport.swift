// What tests of publishing share: small simulated days, a publisher on a thread of its own, sockets on loopback.

import ExchangeSimulator
import FeedProtocols
import Foundation
import MarketData
import Testing
import TickerPlant

@testable import FeedHandler

/// Simulated days as a file.
func simulatedDay(
  _ folder: TemporaryFolder, seed: UInt64, instruments: Int = 4, messages: Int = 3_000, days: Int = 1
) throws -> String {
  let date = try #require(CalendarDate(year: 2026, month: 11, day: 24))
  var market = SimulatedMarket(
    SimulatorConfiguration(seed: seed, instruments: instruments, date: date, messagesPerDay: messages))
  var writer = ByteWriter()
  for day in 0..<days {
    if day > 0 { market.beginNextDay() }
    while market.nextTimestamp != nil { _ = market.advance(to: .max, limit: 100_000, into: &writer) }
  }
  return try folder.file("day-\(seed)-20261124.itch", writer.bytes)
}

/// The messages of framed bytes.
func messages(in bytes: [UInt8]) -> [[UInt8]] {
  var found: [[UInt8]] = []
  var place = 0
  while place + 2 <= bytes.count {
    let length = Int(bytes[place]) << 8 | Int(bytes[place + 1])
    found.append(Array(bytes[place + 2..<place + 2 + length]))
    place += 2 + length
  }
  return found
}

func messages(ofFile path: String) throws -> [[UInt8]] {
  messages(in: [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))))
}

/// What a file's messages leave behind.
func digest(ofFile path: String) throws -> String {
  var replay = try FileReplay(paths: [path], reference: nil)
  try replay.run(progress: { _, _ in })
  return replay.plant.digest().description
}

/// A publisher on its own thread.
final class RunningPublisher: @unchecked Sendable {
  let publisher: FeedPublisher
  private let done = DispatchSemaphore(value: 0)
  private var failure: String?
  private var isOver = false

  init(
    _ paths: [String], to target: FeedPublisher.Target,
    _ change: (inout FeedPublisher.Options) -> Void = { _ in }
  ) throws {
    var options = FeedPublisher.Options()
    options.pace = .speed(.max)
    options.lingerSeconds = 30
    change(&options)
    publisher = try FeedPublisher(paths: paths, to: target, options: options)
  }

  func start() -> RunningPublisher {
    Thread { [self] in
      do throws(FeedSetupError) { try publisher.run() } catch { failure = error.description }
      done.signal()
    }.start()
    return self
  }

  /// Waits for the end (`stops`: makes it come) and gives the figures.
  func finish(stops: Bool = true) throws -> PublishReport {
    if stops { publisher.stop() }
    if !isOver { try #require(done.wait(timeout: .now() + 60) == .success, "the publisher doesn't end") }
    isOver = true
    #expect(failure == nil)
    return publisher.report
  }
}

/// Waits until `condition` holds; false after a minute.
func comes(within seconds: Double = 60, _ condition: () throws -> Bool) rethrows -> Bool {
  let end = Date().addingTimeInterval(seconds)
  while Date() < end {
    if try condition() { return true }
    usleep(2_000)
  }
  return try condition()
}

/// A UDP socket on loopback, or in a group there.
final class UDPSocket: Sendable {
  let descriptor: Int32
  let port: UInt16

  /// On any free port; where `group` is named, a member of it by the loopback interface.
  init(group: String? = nil) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    self.descriptor = descriptor
    var room: Int32 = 8 << 20
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &room, 4)
    let address = try ResolvedEndpoint.first(.init(host: group ?? "127.0.0.1", port: 0), isStream: false)
    let isBound = address.withAddress { bind(descriptor, $0, $1) } == 0
    port = ResolvedEndpoint.bound(descriptor).port
    try #require(isBound)
    if let group {
      var member = ip_mreqn()
      inet_pton(AF_INET, group, &member.imr_multiaddr)
      member.imr_ifindex = Int32(if_nametoindex("lo"))
      let status = withUnsafeBytes(of: member) {
        setsockopt(descriptor, Int32(IPPROTO_IP), IP_ADD_MEMBERSHIP, $0.baseAddress, socklen_t($0.count))
      }
      try #require(status == 0)
    }
  }

  deinit { close(descriptor) }

  /// The next datagram; nil where none comes in time.
  func receive(milliseconds: Int32 = 10_000) -> [UInt8]? {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&waiting, 1, milliseconds) > 0 else { return nil }
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let got = recv(descriptor, &bytes, bytes.count, 0)
    return got >= 0 ? Array(bytes[..<got]) : nil
  }

  func send(_ bytes: [UInt8], to port: UInt16) throws {
    let address = try ResolvedEndpoint.first(.init(host: "127.0.0.1", port: port), isStream: false)
    let sent = address.withAddress { sendto(descriptor, bytes, bytes.count, 0, $0, $1) }
    try #require(sent == bytes.count)
  }
}

/// A TCP socket on loopback, written and read as a whole.
final class TCPSocket: Sendable {
  let descriptor: Int32

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  static func connected(to port: UInt16) throws -> TCPSocket {
    let address = try ResolvedEndpoint.first(.init(host: "127.0.0.1", port: port), isStream: true)
    let one = TCPSocket(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
    try #require(address.withAddress { connect(one.descriptor, $0, $1) } == 0)
    return one
  }

  deinit { close(descriptor) }

  func send(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let sent = rest.withUnsafeBytes {
        Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if sent <= 0 { return }
      rest = rest.dropFirst(sent)
    }
  }

  /// What comes, at most `count` bytes; empty at the end, nil where nothing comes in time.
  func receive(_ count: Int = 65_536, milliseconds: Int32 = 10_000) -> [UInt8]? {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&waiting, 1, milliseconds) > 0 else { return nil }
    var bytes = [UInt8](repeating: 0, count: count)
    let got = recv(descriptor, &bytes, count, 0)
    return got > 0 ? Array(bytes[..<got]) : []
  }

  /// Exactly so many bytes; fewer where the connection ends or is silent.
  func receive(exactly count: Int) -> [UInt8] {
    var all: [UInt8] = []
    while all.count < count, let more = receive(count - all.count), !more.isEmpty { all += more }
    return all
  }

  /// The next logical packet; nil where the connection ends or is silent.
  func packet() -> (type: UInt8, payload: [UInt8])? {
    let head = receive(exactly: 3)
    guard head.count == 3 else { return nil }
    let length = Int(head[0]) << 8 | Int(head[1])
    let payload = receive(exactly: length - 1)
    return payload.count == length - 1 ? (head[2], payload) : nil
  }
}

/// A TCP listener on a free port of loopback.
final class TCPListener: Sendable {
  let descriptor: Int32
  let port: UInt16

  init() throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    self.descriptor = descriptor
    let address = try ResolvedEndpoint.first(.init(host: "127.0.0.1", port: 0), isStream: true)
    let listens = address.withAddress { bind(descriptor, $0, $1) } == 0 && listen(descriptor, 16) == 0
    port = ResolvedEndpoint.bound(descriptor).port
    try #require(listens)
  }

  deinit { close(descriptor) }

  func accept(milliseconds: Int32 = 10_000) -> TCPSocket? {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&waiting, 1, milliseconds) > 0 else { return nil }
    let one = Foundation.accept(descriptor, nil, nil)
    return one >= 0 ? TCPSocket(one) : nil
  }
}
