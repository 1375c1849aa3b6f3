// Stopping and starting again is as if nothing had been: newest snapshot, then replay from its sequence.

import Foundation
import GRDB
import MarketData
import Testing
import TickerPlant

@testable import PriceStore

@Suite struct RestartTests {
  /// The newest snapshot that the plant takes; those it doesn't take are set aside.
  static func restore(_ line: inout Line) throws {
    for snapshot in try line.store.snapshots(market: 0) {
      do {
        try line.plant.restore(try line.store.load(snapshot))
        line.hand()
        return
      } catch let error as SnapshotError {
        line.store.setAside(snapshot: snapshot, reason: error.description)
      }
    }
  }

  @Test(arguments: [2 as UInt64, 3, 4])
  func aRestartEqualsNeverHavingStopped(seed: UInt64) async throws {
    var script = Script()
    script.randomDay(900, seed: seed)
    script.randomDay(900, seed: seed + 100)  // a second day in the same feed
    let whole = try openStore(nil)
    var uninterrupted = Line(whole, session: "A")
    uninterrupted.play(script)
    await whole.flush()

    let directory = TemporaryDirectory()
    var random = SeededGenerator(seed: seed)
    var position = 0
    var digest = StateDigest()
    while position < script.messages.count {
      let store = try openStore(directory.path)
      var line = Line(store, session: "A")
      try Self.restore(&line)
      // Numbers go on from the first day to the second, so a message's number is its position.
      let from = Int(line.plant.sequence)
      let snapshotAt = min(script.messages.count, from + Int.random(in: 1...700, using: &random))
      let stopAt = min(script.messages.count, snapshotAt + Int.random(in: 0...200, using: &random))
      line.play(script, from..<snapshotAt)
      line.save()
      line.play(script, snapshotAt..<stopAt)
      await store.flush()
      position = stopAt
      digest = line.plant.digest()
      store.close()
    }
    #expect(digest == uninterrupted.plant.digest())
    let store = try openStore(directory.path)
    let expected = try await Contents(whole)
    let found = try await Contents(store)
    #expect(found.trades == expected.trades)
    #expect(found.quotes == expected.quotes)
    #expect(found.minuteBars == expected.minuteBars)
    #expect(found.dailyBars == expected.dailyBars)
    store.close()
  }

  @Test func aDamagedSnapshotIsSetAsideAndTheNextOlderUsed() async throws {
    let directory = TemporaryDirectory()
    let messages = Messages()
    let store = try openStore(directory.path, log: messages)
    var script = Script()
    script.randomDay(300, seed: 9)
    var line = Line(store)
    line.play(script, 0..<100)
    line.save()
    await store.flush()
    line.play(script, 100..<200)
    line.save()
    await store.flush()
    #expect(try store.snapshots(market: 0).map(\.sequence) == [200, 100])
    #expect(try store.snapshots(market: 0).first?.epoch == line.plant.epoch)
    try await store.database.writer.write { db in
      try db.execute(
        sql: """
          UPDATE snapshot SET bytes = CAST(substr(bytes, 1, 999) || x'a5' || substr(bytes, 1001) AS BLOB)
          WHERE sequence = 200
          """)
    }
    var other = Line(store)
    try Self.restore(&other)
    #expect(other.plant.sequence == 100)
    #expect(try store.snapshots(market: 0).map(\.sequence) == [100])
    #expect(messages.count(containing: "is damaged (the checksum is wrong") == 1)
    other.play(script, 100..<300)
    line.play(script, 200..<300)
    #expect(other.plant.digest() == line.plant.digest())
    store.close()
  }

  @Test func theNewestSnapshotOfAMarketWins() async throws {
    let store = try openStore(nil)
    for number in 1...20 {
      store.save(
        snapshot: [UInt8](repeating: UInt8(number), count: 1_000), market: 0, epoch: "E", date: firstDay,
        sequence: UInt64(number))
    }
    await store.flush()
    let status = store.status
    #expect(status.snapshotsWritten + status.snapshotsSuperseded == 20)
    let newest = try #require(try store.snapshots(market: 0).first)
    #expect(newest.sequence == 20 && newest.byteCount == 1_000)
    #expect(try store.load(newest) == [UInt8](repeating: 20, count: 1_000))
    #expect(try store.snapshots(market: 0).count <= 3)
  }

  @Test func closingTwiceAndFlushingAfterwardsReturn() async throws {
    let directory = TemporaryDirectory()
    let store = try openStore(directory.path)
    store.close()
    store.close()
    #expect(await store.flush())
    store.save(snapshot: [1], market: 0, epoch: "E", date: firstDay, sequence: 1)
    await #expect(throws: StoreError.self) {
      _ = try await store.trades(market: 0, code: code("7203"), limit: 1)
    }
    try openStore(directory.path).close()
  }
}
