// What a publisher puts on its lines, seen by plain sockets: content, both lines, faults, gaps, heartbeats, the end,
// and the request server.

import FeedProtocols
import Foundation
import MarketData
import Synchronization
import Testing

@testable import FeedHandler

@Suite("Mold publisher", .serialized)
struct MoldPublisherTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// All that a line said until its end, by number.
  private struct Heard: Sendable {
    var messages: [UInt64: [UInt8]] = [:]
    var packets: UInt64 = 0
    var messageCount: UInt64 = 0
    var heartbeats = 0
    var session = ""
    /// Number after the last message of each session that is over.
    var ends: [String: UInt64] = [:]
    var end: UInt64? { ends[session] }
    /// First numbers of the packets in the order they came.
    var firsts: [UInt64] = []
  }

  private func hear(_ socket: UDPSocket, isOver: (Heard) -> Bool = { !$0.ends.isEmpty }) throws -> Heard {
    var heard = Heard()
    while !isOver(heard) {
      let packet = try #require(socket.receive(), "the line fell silent")
      #expect(packet.count <= 1_400)
      let header = try MoldUDP64Header.validated(packet.span.bytes)
      heard.session = header.session.description
      if header.isHeartbeat { heard.heartbeats += 1 }
      if header.isEndOfSession { heard.ends[heard.session] = header.sequence }
      if header.blockCount > 0 {
        heard.packets += 1
        heard.messageCount += UInt64(header.blockCount)
        heard.firsts.append(header.sequence)
      }
      for (index, message) in FeedHandlerTests.messages(in: Array(packet[20...])).enumerated() {
        let number = header.sequence + UInt64(index)
        if let known = heard.messages[number] { #expect(known == message) }
        heard.messages[number] = message
      }
    }
    return heard
  }

  /// What each line said; they are read at the same time, because the kernel keeps only so much.
  private func hearAll(_ sockets: [UDPSocket]) throws -> [Heard] {
    let results = Mutex<[Int: Result<Heard, any Error>]>([:])
    DispatchQueue.concurrentPerform(iterations: sockets.count) { index in
      let result = Result { try hear(sockets[index]) }
      results.withLock { $0[index] = result }
    }
    return try results.withLock { found in
      try sockets.indices.map { try #require(found[$0]).get() }
    }
  }

  private func target(_ sockets: [UDPSocket], host: String = "127.0.0.1", asks: Bool = true)
    -> FeedPublisher.Target
  {
    var mold = FeedAddress.Mold(lines: sockets.map { .init(host: host, port: $0.port) })
    if asks { mold.request = .init(host: "127.0.0.1", port: 0) }
    mold.interface = "lo"
    return .mold(mold)
  }

  private func ask(
    _ socket: UDPSocket, _ port: UInt16, _ session: String, _ sequence: UInt64, _ count: UInt16
  ) throws {
    var writer = ByteWriter()
    MoldUDP64Request(session: MoldSession(session), sequence: sequence, count: count).encode(into: &writer)
    try socket.send(writer.bytes, to: port)
  }

  @Test func bothLinesCarryTheFileAndItsEnd() throws {
    let path = try simulatedDay(folder, seed: 3)
    let wanted = try messages(ofFile: path)
    let lines = [try UDPSocket(), try UDPSocket()]
    let run = try RunningPublisher([path], to: target(lines)) {
      $0.pace = .rate(20_000)
      $0.session = "DAY1"
    }.start()
    for heard in try hearAll(lines) {
      #expect(heard.session == "DAY1" && heard.end == UInt64(wanted.count) + 1)
      #expect((1...UInt64(wanted.count)).map { heard.messages[$0] ?? [] } == wanted)
      #expect(heard.firsts == heard.firsts.sorted() && Set(heard.firsts).count == heard.firsts.count)
    }
    let report = try run.finish()
    #expect(report.messages == UInt64(wanted.count) && report.isClean)
    #expect(report.sessions.map(\.name) == ["DAY1"] && report.sessions[0].next == UInt64(wanted.count) + 1)
    #expect(report.lines?.map(\.messages) == [report.messages, report.messages])
  }

  @Test func groupsOnAnInterfaceWork() throws {
    let path = try simulatedDay(folder, seed: 4, messages: 600)
    let wanted = try messages(ofFile: path)
    let line = try UDPSocket(group: "239.255.83.7")
    for interface in ["lo", "127.0.0.1"] {
      var mold = FeedAddress.Mold(lines: [.init(host: "239.255.83.7", port: line.port)])
      mold.interface = interface
      let run = try RunningPublisher([path], to: .mold(mold)) { $0.pace = .rate(20_000) }.start()
      let heard = try hear(line)
      #expect(heard.messages.count == wanted.count)
      _ = try run.finish()
      // Ends of the session that are still on their way.
      while line.receive(milliseconds: 50) != nil {}
    }
  }

  @Test func faultsAreThoseThatAreCounted() throws {
    let path = try simulatedDay(folder, seed: 5)
    let wanted = try messages(ofFile: path)
    let lines = [try UDPSocket(), try UDPSocket()]
    let run = try RunningPublisher([path], to: target(lines)) {
      $0.pace = .rate(20_000)
      $0.rates = .init(loss: 0.2, duplicate: 0.2, reorder: 0.2)
      $0.seed = generatorSeed("mold faults")
    }.start()
    let heard = try hearAll(lines)
    let report = try run.finish()
    let figures = try #require(report.lines)
    for (heard, line) in zip(heard, figures) {
      #expect(heard.packets == line.packets && heard.messageCount == line.messages)
      #expect(line.dropped > 0 && line.duplicated > 0 && line.reordered > 0 && line.errors == 0)
      #expect(heard.firsts.count - Set(heard.firsts).count == Int(line.duplicated))
      for (number, message) in heard.messages { #expect(message == wanted[Int(number) - 1]) }
    }
    #expect(heard[0].firsts != heard[1].firsts)
  }

  @Test func gapsAreOnNeitherLineNorWithTheRequestServer() throws {
    let path = try simulatedDay(folder, seed: 6, messages: 1_000)
    let wanted = try messages(ofFile: path)
    let lines = [try UDPSocket(), try UDPSocket()]
    let run = try RunningPublisher([path], to: target(lines)) {
      $0.pace = .rate(20_000)
      $0.session = "GAPS"
      $0.gaps = [1...2, 100...120, 118...130, 400...400]
    }.start()
    let missing = Set([1...2, 100...130, 400...400].flatMap { Array($0) }.map(UInt64.init))
    for heard in try hearAll(lines) {
      #expect(Set(1...UInt64(wanted.count)).subtracting(heard.messages.keys) == missing)
      for (number, message) in heard.messages { #expect(message == wanted[Int(number) - 1]) }
    }
    let asker = try UDPSocket()
    let port = run.publisher.port
    try ask(asker, port, "GAPS", 100, 5)
    try ask(asker, port, "GAPS", 130, 1)
    // An answer holds what stands before a gap.
    try ask(asker, port, "GAPS", 98, 20)
    let answer = try #require(asker.receive())
    let header = try MoldUDP64Header.validated(answer.span.bytes)
    #expect(header.sequence == 98 && header.count == 2)
    let report = try run.finish()
    #expect(report.missing == 34 && report.messages == UInt64(wanted.count - 34))
    #expect(report.requests?.unavailable == 2 && report.requests?.answered == 1)
  }

  @Test func theRequestServerAnswersWhatItHasAndCountsTheRest() throws {
    let path = try simulatedDay(folder, seed: 7)
    let wanted = try messages(ofFile: path)
    let line = try UDPSocket()
    let run = try RunningPublisher([path], to: target([line])) {
      $0.pace = .rate(50_000)
      $0.session = "ASK"
    }.start()
    _ = try hear(line)
    let asker = try UDPSocket()
    let port = run.publisher.port
    var random = generator("requests")
    var answered: UInt64 = 0
    for _ in 0..<200 {
      let from = 1 + random.next() % UInt64(wanted.count)
      let count = UInt16(1 + random.next() % 100)
      try ask(asker, port, "ASK", from, count)
      let packet = try #require(asker.receive())
      #expect(packet.count <= 1_400)
      let header = try MoldUDP64Header.validated(packet.span.bytes)
      #expect(header.session == MoldSession("ASK") && header.sequence == from && header.blockCount > 0)
      let found = messages(in: Array(packet[20...]))
      #expect(found == Array(wanted[Int(from) - 1..<Int(from) - 1 + found.count]))
      // As many as fit: all that were asked for, or to the end, or one more would be too much.
      let next = Int(from) - 1 + found.count
      #expect(
        found.count == Int(count) || next == wanted.count || packet.count + 2 + wanted[next].count > 1_400)
      answered += 1
    }
    try ask(asker, port, "OTHER", 1, 1)
    try ask(asker, port, "ASK", UInt64(wanted.count) + 1, 1)
    try ask(asker, port, "ASK", 0, 1)
    try ask(asker, port, "ASK", .max, 9)
    try ask(asker, port, "ASK", 1, 0)
    try asker.send([1, 2, 3], to: port)
    try asker.send([UInt8](repeating: 0, count: 200), to: port)
    // The last answer says that all before it were looked at.
    try ask(asker, port, "ASK", 1, 1)
    #expect(asker.receive() != nil)
    let requests = try #require(try run.finish().requests)
    #expect(requests.answered == answered + 1 && requests.other_session == 1)
    #expect(requests.unavailable == 4 && requests.malformed == 2 && requests.ignored == 7)
  }

  @Test func answersAreLostWhereItIsAskedFor() throws {
    let path = try simulatedDay(folder, seed: 8, messages: 600)
    let line = try UDPSocket()
    let run = try RunningPublisher([path], to: target([line])) {
      $0.session = "L"
      $0.requestLoss = 1
      $0.pace = .rate(50_000)
    }.start()
    _ = try hear(line)
    let asker = try UDPSocket()
    try ask(asker, run.publisher.port, "L", 1, 1)
    #expect(asker.receive(milliseconds: 200) == nil)
    let requests = try #require(try run.finish().requests)
    #expect(requests.dropped == 1 && requests.answered == 0)
  }

  @Test func anIdleLineBeatsAndDaysAreSessions() throws {
    let path = try simulatedDay(folder, seed: 9, messages: 600, days: 2)
    let line = try UDPSocket()
    let run = try RunningPublisher([path], to: target([line])) {
      $0.pace = .rate(50_000)
      $0.heartbeatNanoseconds = 20_000_000
      $0.session = "D"
    }.start()
    let first = try hear(line)
    #expect(first.session == "D")
    let second = try hear(line) { $0.ends["D-2"] != nil }
    #expect(second.messages[1] != nil)
    // It goes on saying the end.
    #expect(try hear(line).end == second.end)
    let report = try run.finish()
    #expect(report.sessions.map(\.name) == ["D", "D-2"])
    // Its own times: long before the first trade nothing is due, and the line beats.
    let quiet = try RunningPublisher([path], to: target([line])) {
      $0.pace = .speed(.realTime)
      $0.heartbeatNanoseconds = 20_000_000
      $0.session = "Q"
    }.start()
    let beats = try hear(line) { $0.session == "Q" && $0.heartbeats >= 5 }
    #expect(beats.ends["Q"] == nil)
    #expect(try quiet.finish().interrupted)
  }

  @Test func capturesKeepTheirSessionsNumbersAndGaps() throws {
    let bytes = capture([
      mold("CAPA", 100, [order(1), order(2)]), mold("CAPA", 100, [order(1), order(2)]),
      mold("CAPA", 105, [order(3)]), mold("CAPB", 1, [order(4)]),
    ])
    for path in [try folder.file("a.pcap", bytes), try folder.file("a.pcap.gz", gzip(bytes))] {
      let line = try UDPSocket()
      let run = try RunningPublisher([path], to: target([line])) { $0.pace = .rate(1_000) }.start()
      let heard = try hear(line) { $0.ends["CAPB"] != nil }
      #expect(heard.messages == [100: order(1), 101: order(2), 105: order(3), 1: order(4)])
      #expect(heard.ends == ["CAPA": 106, "CAPB": 2])
      let asker = try UDPSocket()
      try ask(asker, run.publisher.port, "CAPA", 102, 1)
      try ask(asker, run.publisher.port, "CAPA", 105, 1)
      let answer = try #require(asker.receive())
      #expect(try MoldUDP64Header.validated(answer.span.bytes).sequence == 105)
      let report = try run.finish()
      #expect(report.sessions.map(\.first) == [100, 1] && report.missing == 3)
      #expect(report.requests?.unavailable == 1)
      let named = try RunningPublisher([path], to: target([line])) {
        $0.pace = .rate(1_000)
        $0.session = "MINE"
      }.start()
      _ = try hear(line) { $0.ends["MINE-2"] != nil }
      #expect(try named.finish().sessions.map(\.name) == ["MINE", "MINE-2"])
    }
  }

  @Test func badMessagesKeepTheirNumbersAndGoOutEmpty() throws {
    var bytes = framed([system("O"), order(1), order(2)])
    bytes[2 + 12 + 2 + 19] = 0x51  // The first order's side is 'Q'.
    let path = try folder.file("bad.itch", bytes)
    let line = try UDPSocket()
    let run = try RunningPublisher([path], to: target([line])) { $0.pace = .rate(100) }.start()
    let heard = try hear(line)
    #expect(heard.messages[1] == system("O") && heard.messages[3] == order(2))
    let bad = heard.messages.values.filter { $0.isEmpty }.count
    let report = try run.finish()
    #expect(report.bad == UInt64(bad) && bad == 1 && !report.isClean)
  }

  @Test func whatCannotBeDoneIsSaidAtOnce() throws {
    var mold = FeedAddress.Mold(lines: [
      .init(host: "239.255.83.7", port: 1), .init(host: "no host", port: 2),
    ])
    mold.interface = "nope0"
    mold.request = .init(host: "192.0.2.77", port: 9)
    do throws(FeedSetupError) {
      _ = try FeedPublisher(paths: [folder.path + "/none"], to: .mold(mold), options: .init())
      Issue.record("it could be done")
    } catch {
      #expect(error.description.split(separator: "\n").count == 4, "\(error)")
      #expect(error.description.contains("nope0") && error.description.contains("wanted one of lo"))
    }
  }
}
