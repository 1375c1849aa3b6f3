// A loop's time: who asks for little is served at once, who asks for much shares what is left.

import Testing

@testable import Gateway

private let millisecond: UInt64 = 1_000_000

@Suite struct WorkShareTests {
  @Test func littleWorkNeverWaits() {
    var share = WorkShare()
    let account = WorkAccount()
    for turn in 1...1_000 as ClosedRange<UInt64> {
      let now = turn * 10 * millisecond
      let always = share.isFree(account, at: now)
      #expect(always)
      share.charge(account, 4_000, fromShare: false)
    }
  }

  @Test func aBusyConnectionWaitsAndIsForgotten() {
    var share = WorkShare()
    let account = WorkAccount()
    let first = share.isFree(account, at: millisecond)
    #expect(first)
    share.charge(account, 5 * millisecond, fromShare: false)
    let soon = share.isFree(account, at: 2 * millisecond)
    #expect(!soon)
    let later = share.isFree(account, at: 4_000 * millisecond)
    #expect(!later)
    let last = share.isFree(account, at: 12_000 * millisecond)
    #expect(last)
  }

  /// However much waits, no more than the share and one piece is done.
  @Test func busyConnectionsShareAFifth() {
    var share = WorkShare()
    let accounts = (0..<50).map { _ in WorkAccount() }
    var done = [Int](repeating: 0, count: 50)
    for (number, account) in accounts.enumerated() {
      share.charge(account, 2 * millisecond, fromShare: false)
      for _ in 0..<100 { share.wait(account) { done[number] += 1 } }
    }
    #expect(share.count == 5_000)
    let piece = 2 * millisecond
    var used: UInt64 = 0
    for turn in 0..<1_000 as Range<UInt64> {
      while let item = share.next(at: turn * 10 * millisecond) {
        item.work()
        share.charge(item.account, piece, fromShare: true)
        used += piece
      }
    }
    #expect(used <= 2_000 * millisecond + 10 * millisecond + piece)
    #expect(used >= 1_900 * millisecond)
    // What waits longest comes first: here all of a connection's, in their order.
    #expect(done[0] == 100)
    #expect(accounts[0].waiting == 0 && accounts[49].waiting == 100)
    let isFree = share.isFree(accounts[49], at: 20_000 * millisecond)
    #expect(!isFree)
  }
}
