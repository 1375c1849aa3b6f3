// What tenants used, over a real server that is killed in between: nothing is lost, nothing counts twice.

import Foundation
import Testing

@testable import Backbone

@Suite(.enabled(if: MessageServer.isThere, "nats-server is not installed"), .serialized) struct KeptUsageTests
{
  static func record(_ node: String, incarnation: UInt64 = 1, minute: Int64, _ bytes: UInt64) -> UsageRecord {
    var tenant = UsageRecord.Tenant(tenant: "t\(minute % 3)")
    tenant.requests = 1
    tenant.bytes = bytes
    return UsageRecord(node: node, incarnation: incarnation, minute: minute, tenants: [tenant])
  }

  private static func sums(_ buses: [NatsBus]) throws -> UsageSums {
    var sums = UsageSums(minutes: 0..<1_000_000_000)
    for bus in buses { try KeptUsage(bus: bus).read(from: nil, into: &sums) }
    return sums
  }

  @Test func nothingIsLostOrCountedTwiceWhileTheServerIsKilled() async throws {
    let server = try MessageServer(KeepTests.jetStream)
    let buses = try ["g1", "reader"].map { try NatsBus(server.settings(name: $0)) }
    defer { for bus in buses { bus.close() } }
    #expect(await eventually { buses.allSatisfy { $0.state.isConnected } })
    let keeper = UsageKeeper(node: "g1", buses: [buses[0]])
    try keeper.start()
    defer { keeper.stop() }
    // Nobody keeps yet: it waits.
    keeper.keep(Self.record("g1", minute: 1, 10))
    #expect(await eventually { keeper.report.fault != nil })
    #expect(keeper.report.kept == 0 && keeper.report.waiting == 1)
    try KeptUsage(bus: buses[1]).ensure()
    #expect(await eventually { keeper.report.kept == 1 && keeper.isSettled })
    for minute in 2...20 { keeper.keep(Self.record("g1", minute: Int64(minute), 10)) }
    #expect(await eventually { keeper.report.kept == 20 })

    server.kill()
    #expect(await eventually { !buses[0].state.isConnected })
    for minute in 21...60 { keeper.keep(Self.record("g1", minute: Int64(minute), 10)) }
    #expect(await eventually { keeper.report.waiting == 40 })
    try server.start()
    #expect(await eventually(seconds: 30) { keeper.report.kept == 60 && keeper.isSettled })
    #expect(keeper.report.givenUp == 0)

    // Killed while they are on their way: what was kept without an answer comes again, and is one.
    for minute in 61...400 {
      keeper.keep(Self.record("g1", minute: Int64(minute), 10))
      if minute == 200 { server.kill() }
      if minute == 300 { try server.start() }
    }
    #expect(await eventually(seconds: 30) { keeper.report.kept == 400 && keeper.isSettled })
    #expect(await eventually(seconds: 30) { buses[1].state.isConnected })
    let sums = try Self.sums([buses[1]])
    #expect(sums.records == 400 && sums.unreadable == 0)
    #expect(sums.rows.count == 400)
    #expect(sums.totals.map(\.bytes).reduce(0, +) == 4_000)
    #expect(sums.totals.map(\.tenant) == ["t0", "t1", "t2"])
  }

  /// Who sends a record again, late or over the other rail, changes no sum; a gateway that began anew is another.
  @Test func copiesOfARecordAreOne() async throws {
    let servers = try (0..<2).map { _ in try MessageServer(KeepTests.jetStream) }
    let buses = try servers.map { try NatsBus($0.settings(name: "g1")) }
    defer { for bus in buses { bus.close() } }
    #expect(await eventually { buses.allSatisfy { $0.state.isConnected } })
    for bus in buses { try KeptUsage(bus: bus).ensure() }
    for (incarnation, rounds) in [(UInt64(1), 2), (2, 1)] {
      for _ in 0..<rounds {
        let keeper = UsageKeeper(node: "g1", buses: buses)
        try keeper.start()
        for minute in 1...5 {
          keeper.keep(Self.record("g1", incarnation: incarnation, minute: Int64(minute), 7))
        }
        keeper.stop(seconds: 15)
        #expect(keeper.isSettled && keeper.report.kept == 5)
      }
    }
    let one = try Self.sums([buses[0]])
    #expect(one.records == 10 && one.copies == 0, "the server knows them by name")
    let both = try Self.sums(buses)
    #expect(both.records == 10 && both.copies == 10)
    #expect(both.totals == one.totals)
    var some = UsageSums(minutes: 2..<4)
    try KeptUsage(bus: buses[0]).read(from: 0, into: &some)
    #expect(some.rows.map(\.minute) == [2, 3] && some.rows.allSatisfy { $0.usage.bytes == 14 })
    // What was kept before a time isn't read; nothing was kept later than now.
    var none = UsageSums(minutes: 0..<1_000)
    try KeptUsage(bus: buses[0]).read(from: Int64(Clock.wall()) + 60_000_000_000, into: &none)
    #expect(none.records == 0)
  }

  @Test func whatIsNoRecordIsCountedAndPassedOver() {
    var sums = UsageSums(minutes: 0..<10)
    for text in [
      "", "{}", "[1]", "{\"version\":2,\"node\":\"g\",\"incarnation\":1,\"minute\":1,\"tenants\":[]}",
    ] {
      Array(text.utf8).withUnsafeBytes { sums.add($0) }
    }
    #expect(sums.unreadable == 4 && sums.records == 0)
    let record = Self.record("g1", minute: 3, 5)
    record.encoded.withUnsafeBytes { sums.add($0) }
    #expect(sums.records == 1 && sums.rows.first?.usage.bytes == 5)
  }

  /// A clock that is set back, and a timer that fires early, give no name twice.
  @Test func aMinuteIsNamedOnce() {
    var minutes = UsageMinutes()
    #expect(minutes.ended(at: 600.001) == 9)
    #expect(minutes.ended(at: 659.999) == 10, "a millisecond early")
    #expect(minutes.ended(at: 660.001) == 11, "again, on time")
    #expect(minutes.ended(at: 300) == 12)
    #expect(minutes.current(at: 661) == 13)
    #expect(minutes.ended(at: 1_200) == 19)
    #expect(minutes.current(at: 1_230) == 20)
  }

  @Test func aRefusalWithANumberIsARefusal() {
    func answer(_ text: String) -> KeepAnswer { Array(text.utf8).withUnsafeBytes { KeepAnswer($0) } }
    #expect(answer(#"{"stream":"KEEP_USAGE","seq":12}"#).fault == nil)
    #expect(answer(#"{"stream":"KEEP_USAGE","seq":12,"duplicate":true}"#).isDuplicate)
    let refused = answer(
      #"{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"},"stream":"KEEP_USAGE","seq":0}"#
    )
    #expect(refused.fault?.contains("maximum bytes exceeded") == true)
    #expect(answer("").fault != nil)
  }

  @Test func anOutboxThatIsFullGivesUpTheOldestAndCountsThem() {
    var outbox = KeepOutbox(mostBytes: 100)
    for number in 1...15 { outbox.add("s", id: "\(number)", [UInt8](repeating: 0, count: 10)) }
    #expect(outbox.count == 10 && outbox.givenUp == 5 && outbox.bytes == 100)
    var sent: [String] = []
    #expect(
      outbox.send(at: 0, again: 10) {
        sent.append($1.id); return sent.count <= 3
      } == 0)
    #expect(sent == ["6", "7", "8", "9"], "the fourth did not leave, and the rest waits behind it")
    sent = []
    #expect(
      outbox.send(at: 5, again: 10) {
        sent.append($1.id); return true
      } == 0)
    #expect(sent == (9...15).map(String.init))
    #expect(outbox.answered(6) && !outbox.answered(6) && !outbox.answered(1))
    sent = []
    #expect(
      outbox.send(at: 12, again: 10) {
        sent.append($1.id); return true
      } == 2)
    #expect(sent == ["7", "8"])
    outbox.add("s", id: "large", [UInt8](repeating: 0, count: 101))
    #expect(outbox.count == 0 && outbox.bytes == 0)
  }
}
