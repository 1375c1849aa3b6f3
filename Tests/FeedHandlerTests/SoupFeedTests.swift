// SoupBinTCP end to end: the publisher's server, connections that are cut at seeded places, and the client's feed
// thread; what arrives in the plant has the digest of the file. And what the client says of a server that refuses,
// is silent, changes its session or begins in the middle.

import FeedProtocols
import Foundation
import MarketData
import Synchronization
import Testing
import TickerPlant

@testable import FeedHandler

/// A feed thread, what it logged, and the state it handed on at its end.
private final class SoupFeed: @unchecked Sendable {
  let thread: FeedThread
  private let lines = Mutex<[String]>([])
  private let saved = Mutex<[UInt8]>([])

  var log: [String] { lines.withLock { $0 } }
  var snapshot: [UInt8] { saved.withLock { $0 } }

  init(_ port: UInt16, _ options: String = "", restoring: [UInt8]? = nil) throws {
    let text = "soup:127.0.0.1:\(port)?date=2026-11-24&market=XTKS" + options
    let feed = try PreparedFeed(try FeedAddress(text), text: text, keepsState: true)
    let box = Box()
    thread = FeedThread(
      feed,
      outlets: .init(
        rings: [], tag: 0, snapshotSeconds: 3600, save: { bytes, _, _, _ in box.owner?.keep(bytes) },
        log: { _, text in box.owner?.note(text) }))
    box.owner = self
    if let restoring { try thread.restore(restoring) }
    thread.start()
  }

  private final class Box: @unchecked Sendable {
    // Written before the thread starts.
    weak var owner: SoupFeed?
  }

  private func keep(_ bytes: [UInt8]) { saved.withLock { $0 = bytes } }
  private func note(_ text: String) { lines.withLock { $0.append(text) } }

  /// Waits for the end of the session, and gives what the plant is then.
  func finish() throws -> (digest: String, report: SourceReport) {
    let isOver = comes { thread.hasEnded }
    #expect(isOver, "the session doesn't end: \(thread.report) \(log)")
    return try stop()
  }

  /// Stops it, and gives what the plant is then.
  func stop() throws -> (digest: String, report: SourceReport) {
    thread.stop()
    let date = try #require(CalendarDate(year: 2026, month: 11, day: 24))
    var plant = TickerPlant(PlantConfiguration(market: "XTKS", date: date))
    if !snapshot.isEmpty { try plant.restore(snapshot) }
    return (plant.digest().description, thread.report)
  }
}

/// Between a client and a server: hands bytes on, and breaks each connection after so many of the server's bytes.
private final class CuttingProxy: @unchecked Sendable {
  private let listener: TCPListener
  private let stopFlag = Atomic<Bool>(false)
  private let cuts = Atomic<Int>(0)
  private let done = DispatchSemaphore(value: 0)
  var port: UInt16 { listener.port }
  var cutCount: Int { cuts.load(ordering: .acquiring) }

  /// `lengths`: bytes of the server that the connections carry, in turn; then they carry all.
  init(to server: UInt16, lengths: [Int]) throws {
    let listener = try TCPListener()
    self.listener = listener
    let thread = Thread { [self] in
      var lengths = lengths[...]
      while !stopFlag.load(ordering: .acquiring) {
        guard let client = listener.accept(milliseconds: 20) else { continue }
        guard let upstream = try? TCPSocket.connected(to: server) else { continue }
        carry(client, upstream, limit: lengths.popFirst())
      }
      done.signal()
    }
    thread.start()
  }

  func stop() {
    stopFlag.store(true, ordering: .releasing)
    done.wait()
  }

  private func carry(_ client: TCPSocket, _ server: TCPSocket, limit: Int?) {
    var left = limit ?? .max
    while !stopFlag.load(ordering: .acquiring) {
      if let bytes = client.receive(milliseconds: 0) {
        if bytes.isEmpty { return }
        server.send(bytes)
      }
      if let bytes = server.receive(min(left, 8_192), milliseconds: 2) {
        if bytes.isEmpty { return }
        client.send(bytes)
        left -= bytes.count
        if left == 0 {
          cuts.add(1, ordering: .acquiringAndReleasing)
          return
        }
      }
    }
  }
}

@Suite("SoupBinTCP feed", .serialized)
struct SoupFeedTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func server(
    _ path: String, user: String? = nil, password: String? = nil, port: UInt16 = 0,
    _ change: @escaping (inout FeedPublisher.Options) -> Void = { _ in }
  ) throws -> RunningPublisher {
    var soup = FeedAddress.Soup(server: .init(host: "127.0.0.1", port: port))
    soup.user = user
    soup.password = password
    return try RunningPublisher([path], to: .soup(soup)) {
      $0.session = "DAY1"
      $0.heartbeatNanoseconds = 50_000_000
      change(&$0)
    }.start()
  }

  @Test func whatAClientGetsIsTheFile() throws {
    let path = try simulatedDay(folder, seed: 11, messages: 6_000)
    let run = try server(path, user: "kabuto", password: "secret")
    let feeds = try (0..<3).map { _ in try SoupFeed(run.publisher.port, "&user=KABUTO&password=secret") }
    let wanted = try digest(ofFile: path)
    for feed in feeds {
      let (digest, report) = try feed.finish()
      #expect(digest == wanted && report.state == "ended" && report.epoch == "DAY1.2026-11-24")
      #expect(report.lost == 0 && report.repeated == 0 && report.malformed == 0 && report.fault == nil)
      #expect(!feed.log.joined().contains("secret") && !report.source.contains("secret"))
    }
    let clients = try #require(try run.finish().clients)
    #expect(clients.accepted == 3 && clients.ended == 3 && clients.faults == 0)
  }

  @Test func aPacedServerAndALateClientAgreeToo() throws {
    let path = try simulatedDay(folder, seed: 12)
    let run = try server(path) { $0.pace = .rate(1_500) }
    let early = try SoupFeed(run.publisher.port)
    // It waits for the server more than for itself: it has caught up.
    #expect(comes { early.thread.report.state == "live" })
    #expect(comes { early.thread.report.sequence > 500 })
    let late = try SoupFeed(run.publisher.port)
    let wanted = try digest(ofFile: path)
    #expect(try early.finish().digest == wanted)
    #expect(try late.finish().digest == wanted)
    _ = try run.finish()
  }

  @Test func cutConnectionsLeaveNoGapAndNoRepeat() throws {
    var random = generator("soup cuts")
    for _ in 0..<3 {
      let path = try simulatedDay(folder, seed: random.next() % 1000, messages: 2_000)
      let run = try server(path)
      // Some within the login's answer, some within messages.
      let lengths = (0..<8).map { _ in 1 + Int(random.next() % (random.next() % 4 == 0 ? 60 : 9_000)) }
      let proxy = try CuttingProxy(to: run.publisher.port, lengths: lengths)
      let feed = try SoupFeed(proxy.port)
      let (found, report) = try feed.finish()
      #expect(found == (try digest(ofFile: path)))
      #expect(report.lost == 0 && report.repeated == 0 && report.malformed == 0)
      #expect(proxy.cutCount > 0)
      proxy.stop()
      _ = try run.finish()
    }
  }

  @Test func aRestoredClientGoesOnWhereItStood() throws {
    let path = try simulatedDay(folder, seed: 13)
    let run = try server(path) { $0.pace = .rate(3_000) }
    var snapshot: [UInt8]?
    for _ in 0..<3 {
      let feed = try SoupFeed(run.publisher.port, restoring: snapshot)
      let stands = feed.thread.report.sequence
      #expect(comes { feed.thread.report.sequence > stands + 100 || feed.thread.hasEnded })
      let report = try feed.stop().report
      #expect(report.lost == 0 && report.repeated == 0)
      snapshot = feed.snapshot
    }
    let (found, report) = try SoupFeed(run.publisher.port, restoring: snapshot).finish()
    #expect(found == (try digest(ofFile: path)))
    #expect(report.lost == 0 && report.repeated == 0)
    _ = try run.finish()
  }

  @Test func whoHasCaughtUpKeepsItsStateAtOnce() throws {
    let path = try simulatedDay(folder, seed: 17)
    let run = try server(path) { $0.pace = .rate(1_500) }
    // The next would come after an hour; the end of the day is seconds away.
    let feed = try SoupFeed(run.publisher.port)
    #expect(comes { !feed.snapshot.isEmpty || feed.thread.hasEnded })
    let kept = feed.snapshot
    #expect(!feed.thread.hasEnded && !kept.isEmpty)
    let (found, report) = try SoupFeed(run.publisher.port, restoring: kept).finish()
    #expect(found == (try digest(ofFile: path)))
    #expect(report.lost == 0 && report.repeated == 0)
    #expect(try feed.finish().digest == found)
    _ = try run.finish()
  }

  @Test func numbersThatNobodyHasAreADeclaredGap() throws {
    let path = try simulatedDay(folder, seed: 14)
    let run = try server(path) { $0.gaps = [500...519, 1_000...1_000] }
    let (found, report) = try SoupFeed(run.publisher.port).finish()
    #expect(report.lost == 21 && report.repeated == 0)
    // A plant that was told the same.
    let date = try #require(CalendarDate(year: 2026, month: 11, day: 24))
    var plant = TickerPlant(PlantConfiguration(market: "XTKS", date: date))
    for (index, message) in try messages(ofFile: path).enumerated()
    where !(500...519).contains(index + 1) && index + 1 != 1_000 {
      framed([message]).withUnsafeBytes { _ = plant.apply(framed: $0, firstSequence: UInt64(index) + 1) }
    }
    #expect(found == plant.digest().description)
    _ = try run.finish()
  }

  @Test func aClientThatBeginsLaterIsToldWhatItMisses() throws {
    let path = try simulatedDay(folder, seed: 15, messages: 1_000)
    let run = try server(path)
    let (_, report) = try SoupFeed(run.publisher.port, "&sequence=101&session=DAY1").finish()
    #expect(report.lost == 100 && report.repeated == 0)
    _ = try run.finish()
  }

  @Test func aRefusedLoginIsToldWithItsRemedyAndWithoutThePassword() throws {
    let path = try simulatedDay(folder, seed: 16, messages: 600)
    let run = try server(path, user: "kabuto", password: "right")
    let feed = try SoupFeed(run.publisher.port, "&user=kabuto&password=hunter2")
    #expect(comes { feed.thread.report.fault != nil })
    let fault = try #require(feed.thread.report.fault)
    #expect(fault.contains("not authorized") && fault.contains("check user= and password="))
    #expect(feed.log.contains { $0.contains("not authorized") })
    #expect(!fault.contains("hunter2") && !feed.log.joined().contains("hunter2"))
    _ = try feed.stop()
    let other = try SoupFeed(run.publisher.port, "&user=kabuto&password=right&session=DAY9")
    #expect(comes { other.thread.report.fault?.contains("check session=DAY9") == true })
    _ = try other.stop()
    #expect(try run.finish().clients?.rejected == 2)
  }

  @Test func anotherSessionIsAnotherEpochAndIsReadFromItsBeginning() throws {
    let first = try simulatedDay(folder, seed: 17, messages: 800)
    let second = try simulatedDay(folder, seed: 18, messages: 2_400)
    let run = try server(first) { $0.pace = .rate(400) }
    let feed = try SoupFeed(run.publisher.port, "&heartbeat=50")
    // The server goes before its end.
    #expect(comes { feed.thread.report.sequence > 20 })
    let port = run.publisher.port
    #expect(try run.finish().interrupted)
    #expect(!feed.thread.hasEnded)
    let again = try server(second, port: port) { $0.session = "DAY2" }
    let (found, report) = try feed.finish()
    // A plant that has known the first day's instruments too.
    let date = try #require(CalendarDate(year: 2026, month: 11, day: 24))
    var plant = TickerPlant(PlantConfiguration(market: "XTKS", session: "DAY1", date: date))
    framed(Array(try messages(ofFile: first).prefix(100))).withUnsafeBytes {
      _ = plant.apply(framed: $0, firstSequence: 1)
    }
    plant.beginEpoch(session: "DAY2", date: date.nextWeekday)
    framed(try messages(ofFile: second)).withUnsafeBytes { _ = plant.apply(framed: $0, firstSequence: 1) }
    #expect(found == plant.digest().description)
    #expect(report.epoch == "DAY2.2026-11-25" && report.lost == 0)
    _ = try again.finish()
  }

  // MARK: - A server made by hand

  private func packet(_ type: UInt8, _ payload: [UInt8] = []) -> [UInt8] {
    var writer = ByteWriter()
    SoupBinTCPWriter.packet(type, payload, into: &writer)
    return writer.bytes
  }

  private func accepted(_ session: String, _ sequence: UInt64) throws -> [UInt8] {
    var writer = ByteWriter()
    try SoupBinTCPLoginAccepted(session: session, sequence: sequence).encode(into: &writer)
    return writer.bytes
  }

  /// Reads the client's login.
  private func login(_ socket: TCPSocket) throws -> SoupBinTCPLoginRequest {
    let packet = try #require(socket.packet())
    #expect(packet.type == SoupBinTCPType.loginRequest)
    return try SoupBinTCPLoginRequest(payload: packet.payload.span.bytes)
  }

  @Test func aSilentServerIsSilentAndLiveAgainWhenItBeats() throws {
    let listener = try TCPListener()
    let feed = try SoupFeed(listener.port, "&heartbeat=50")
    #expect(feed.thread.report.state == "recovering")
    let socket = try #require(listener.accept())
    #expect(try login(socket).sequence == 1)
    socket.send(try accepted("S", 1))
    #expect(comes { feed.thread.report.state == "silent" })
    #expect(feed.log.contains { $0.contains("nothing heard for 150 ms") })
    socket.send(packet(SoupBinTCPType.serverHeartbeat))
    // It may be silent again soon; a server that beats is live.
    #expect(
      comes {
        socket.send(packet(SoupBinTCPType.serverHeartbeat))
        return feed.thread.report.state == "live"
      })
    socket.send(packet(SoupBinTCPType.sequenced, system("O")))
    #expect(
      comes {
        socket.send(packet(SoupBinTCPType.serverHeartbeat))
        return feed.thread.report.sequence == 1
      })
    // The client beats too.
    #expect(socket.packet()?.type == SoupBinTCPType.clientHeartbeat)
    socket.send(packet(SoupBinTCPType.endOfSession))
    #expect(try feed.finish().report.state == "ended")
  }

  @Test func whatAServerMustNotDoEndsTheConnectionOnly() throws {
    let listener = try TCPListener()
    let feed = try SoupFeed(listener.port, "&heartbeat=10000")
    // Data before the login, rubbish, lengths of zero, an end without a login, a closed connection.
    for wrong in [
      packet(SoupBinTCPType.sequenced, system("O")), [0, 0, 0], [0, 9, 1, 2, 3], packet(0x5a), [],
    ] {
      let socket = try #require(listener.accept(milliseconds: 20_000))
      #expect(try login(socket).sequence == 1)
      socket.send(wrong)
    }
    let socket = try #require(listener.accept(milliseconds: 20_000))
    _ = try login(socket)
    socket.send(try accepted("S", 1) + packet(SoupBinTCPType.sequenced, system("O")))
    #expect(comes { feed.thread.report.sequence == 1 })
    // A second acceptance has no place here.
    socket.send(try accepted("S", 1))
    let again = try #require(listener.accept(milliseconds: 20_000))
    let login = try login(again)
    #expect(login.session == "S" && login.sequence == 2)
    again.send(try accepted("S", 2) + packet(SoupBinTCPType.sequenced) + packet(SoupBinTCPType.endOfSession))
    let report = try feed.finish().report
    #expect(report.messages == 2 && report.malformed == 1 && report.lost == 0)
  }

  @Test func aServerThatHasGoneBackRepeatsNothing() throws {
    let listener = try TCPListener()
    let feed = try SoupFeed(listener.port)
    do {
      let socket = try #require(listener.accept())
      _ = try login(socket)
      socket.send(try accepted("S", 1) + packet(SoupBinTCPType.sequenced, system("O")))
      socket.send(packet(SoupBinTCPType.sequenced, order(1)))
      #expect(comes { feed.thread.report.sequence == 2 })
    }
    let socket = try #require(listener.accept())
    #expect(try login(socket).sequence == 3)
    socket.send(try accepted("S", 2) + packet(SoupBinTCPType.sequenced, order(1)))
    socket.send(packet(SoupBinTCPType.sequenced, order(2)) + packet(SoupBinTCPType.endOfSession))
    let report = try feed.finish().report
    #expect(report.sequence == 3 && report.repeated == 1 && report.liveOrders == 2 && report.lost == 0)
  }

  // MARK: - The server by itself

  @Test func theServerRefusesWhatItMust() throws {
    let path = try simulatedDay(folder, seed: 19, messages: 600)
    let run = try server(path)
    // Not a login first, rubbish, too long a packet.
    for wrong in [
      packet(SoupBinTCPType.clientHeartbeat), [0, 0], packet(0x51), [0xff, 0xff, 0x4c], packet(0x53, [1]),
    ] {
      let socket = try TCPSocket.connected(to: run.publisher.port)
      socket.send(wrong)
      #expect(socket.receive() == [])
    }
    // A login in pieces works, and a logout ends it.
    let socket = try TCPSocket.connected(to: run.publisher.port)
    var writer = ByteWriter()
    try SoupBinTCPLoginRequest(user: "", password: "", session: "", sequence: 0).encode(into: &writer)
    socket.send(Array(writer.bytes[..<20]))
    usleep(20_000)
    socket.send(Array(writer.bytes[20...]))
    let answer = try #require(socket.packet())
    #expect(answer.type == SoupBinTCPType.loginAccepted)
    let given = try SoupBinTCPLoginAccepted(payload: answer.payload.span.bytes)
    // The most recent message, whatever that was just now.
    #expect(given.session == "DAY1" && given.sequence >= 1)
    let report = try run.finish()
    #expect(report.clients?.faults == 5 && report.clients?.accepted == 1)
  }
}
