// Who is counted as one, and what an address may have.

import Testing

@testable import Gateway

@Suite struct LedgerTests {
  private func peer(_ address: String?) -> Peer { Peer(address) }

  @Test func connectionsAreCountedInAllAndByAddress() {
    let ledger = ConnectionLedger(limit: 4, limitPerAddress: 2)
    func enter(_ address: String?) -> Refusal? { ledger.enter(peer(address), now: 0) }
    #expect(enter("10.0.0.1") == nil)
    #expect(enter("10.0.0.1") == nil)
    #expect(enter("10.0.0.1")?.detail.contains("10.0.0.1") == true)
    #expect(enter("10.0.0.2") == nil)
    #expect(enter(nil) == nil)
    #expect(enter("10.0.0.3")?.detail.contains("4 are allowed") == true)
    #expect(ledger.counts == (4, 4, 2))
    #expect(ledger.refusals.map(\.count) == [1, 1, 0])
    ledger.leave(peer("10.0.0.1"), now: 0)
    ledger.leave(peer(nil), now: 0)
    #expect(enter("10.0.0.1") == nil)
    #expect(enter("10.0.0.1") != nil)
    for address in ["10.0.0.1", "10.0.0.1", "10.0.0.2"] { ledger.leave(peer(address), now: 0) }
    #expect(ledger.counts.open == 0)
  }

  @Test func loopbackIsBoundOnlyByTheWhole() {
    let ledger = ConnectionLedger(limit: 100, limitPerAddress: 1, requestsPerSecond: 1)
    for address in ["127.0.0.1", "127.0.0.1", "127.1.2.3", "::1", "::1", "::ffff:127.0.0.1"] {
      #expect(ledger.enter(peer(address), now: 0) == nil)
      for _ in 0..<20 { #expect(ledger.refusal(of: peer(address), now: 0) == nil) }
    }
    #expect(ledger.addressCount == 0)
    #expect(peer("128.0.0.1").key == "128.0.0.1")
    #expect(Peer("127.0.0.1", exemptsLoopback: false).key == "127.0.0.1")
  }

  @Test(arguments: [
    ("10.0.0.1", "10.0.0.1"), ("::ffff:10.0.0.1", "10.0.0.1"), ("::2", "0:0:0:0::/64"),
    ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
    ("fe80::1%eth0", "fe80:0:0:0::/64"), ("nonsense", "nonsense"), ("", ""),
  ])
  func anIPv6NetworkIsOne(address: String, key: String) { #expect(peer(address).key == key) }

  @Test func anAddressMayAskSoOftenAndSaveUpForFiveSeconds() {
    let ledger = ConnectionLedger(limit: 100, limitPerAddress: 100, requestsPerSecond: 2)
    let (one, other) = (peer("10.0.0.1"), peer("10.0.0.2"))
    #expect(ledger.enter(one, now: 0) == nil)
    for _ in 0..<9 { #expect(ledger.refusal(of: one, now: 0) == nil) }
    #expect(ledger.refusal(of: one, now: 400)?.detail.contains("2 requests a second") == true)
    #expect(ledger.refusal(of: other, now: 400) == nil)
    #expect(ledger.refusal(of: one, now: 500) == nil)
    #expect(ledger.refusal(of: one, now: 500) != nil)
    #expect(ledger.enter(one, now: 500)?.reason == .rate)
    // Going away and coming back gives nothing.
    ledger.leave(one, now: 500)
    #expect(ledger.enter(one, now: 500)?.reason == .rate)
    for _ in 0..<10 { #expect(ledger.refusal(of: one, now: 60_000) == nil) }
    #expect(ledger.refusal(of: one, now: 60_000) != nil)
    // A clock that goes back gives nothing either, and ends nothing.
    #expect(ledger.refusal(of: one, now: 0) != nil)
  }

  @Test func addressesThatAreGoneAreForgotten() {
    let ledger = ConnectionLedger(limit: 100, limitPerAddress: 10, requestsPerSecond: 10)
    for number in 0..<20_000 {
      let one = peer("10.\(number >> 16).\(number >> 8 & 255).\(number & 255)")
      #expect(ledger.enter(one, now: UInt64(number) * 10) == nil)
      ledger.leave(one, now: UInt64(number) * 10)
    }
    #expect(ledger.addressCount < 2_100)
    #expect(ledger.counts.open == 0)
  }

  @Test func refusalsAreBoundThemselves() {
    let room = RefusalRoom()
    for _ in 0..<RefusalRoom.limit { #expect(room.enter()) }
    #expect(!room.enter())
    room.leave()
    #expect(room.enter())
    #expect(!room.enter())
  }

  @Test func largeAnswersHaveARoomInAll() {
    let limits = LimitCounters()
    #expect(limits.hold(60, limit: 100))
    #expect(!limits.hold(41, limit: 100))
    #expect(limits.hold(40, limit: 100))
    limits.release(60)
    #expect(limits.heldBytes == 40)
    #expect(limits.hold(60, limit: 100))
  }
}
