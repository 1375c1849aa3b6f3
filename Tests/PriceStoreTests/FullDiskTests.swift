// No room: the rings are drained, what can wait waits, what can't is counted, and it comes back by itself.

import Foundation
import GRDB
import MarketData
import Testing

@testable import PriceStore

/// A file system of a few megabytes in memory.
final class SmallDisk {
  let path = NSTemporaryDirectory() + "/kabuto-disk-" + UUID().uuidString

  /// Whether this user may mount one.
  static let isPossible = getuid() == 0 && SmallDisk(megabytes: 1) != nil

  init?(megabytes: Int) {
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    guard Self.run("mount", "-t", "tmpfs", "-o", "size=\(megabytes)m", "tmpfs", path) else { return nil }
  }

  deinit {
    _ = Self.run("umount", path)
    try? FileManager.default.removeItem(atPath: path)
  }

  /// Takes all the room that is left.
  func fill() {
    _ = FileManager.default.createFile(atPath: path + "/filler", contents: nil)
    guard let file = FileHandle(forWritingAtPath: path + "/filler") else { return }
    while (try? file.write(contentsOf: Data(repeating: 1, count: 4_096))) != nil {}
    try? file.close()
  }

  func free() { try? FileManager.default.removeItem(atPath: path + "/filler") }

  private static func run(_ arguments: String...) -> Bool {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }
}

@Suite struct FullDiskTests {
  static func isDegraded(_ store: PriceStore) -> Bool { store.status.state != .ok }

  static func wait(_ what: () -> Bool) async throws {
    for _ in 0..<400 where !what() { try await Task.sleep(for: .milliseconds(20)) }
  }

  /// Plays a script while writing fails: the ring must be empty afterwards.
  static func playDegraded(_ line: inout Line, _ script: Script, _ range: Range<Int>) async throws {
    line.play(script, range)
    #expect(await line.store.flush() == false)
    #expect(isDegraded(line.store))
    #expect(line.store.status.ringFill == [0])
  }

  @Test func waitingRowsAreWrittenWhenRoomComesBack() async throws {
    let directory = TemporaryDirectory()
    let messages = Messages()
    var configuration = configuration(directory.path)
    configuration.maximumPages = 24
    let store = try PriceStore(configuration, log: messages.log)
    var script = Script()
    script.randomDay(6_000, seed: 7)
    var line = Line(store)
    try await Self.playDegraded(&line, script, 0..<4_000)
    line.save()
    try await Self.playDegraded(&line, script, 4_000..<6_000)
    #expect(store.status.rowsWaiting > 0 && store.status.rowsLost == 0)
    #expect(try store.snapshots(market: 0).isEmpty)
    #expect(messages.count(containing: "writing fails") == 1)
    try await store.database.writer.writeWithoutTransaction {
      try $0.execute(sql: "PRAGMA max_page_count = 100000")
    }
    try await Self.wait { !Self.isDegraded(store) }
    #expect(store.status.state == .ok && store.status.rowsWaiting == 0)
    #expect(messages.count(containing: "writing works again; 0 rows were lost") == 1)
    line.play(script, 6_000..<script.messages.count)
    #expect(await store.flush())
    let whole = try openStore(nil)
    var other = Line(whole)
    other.play(script)
    await whole.flush()
    #expect(try await Contents(store) == Contents(whole))
    #expect(try store.snapshots(market: 0).map(\.sequence) == [4_000])
    store.close()
  }

  @Test func whatCanNotWaitIsCountedLost() async throws {
    let directory = TemporaryDirectory()
    let messages = Messages()
    var configuration = configuration(directory.path)
    configuration.maximumPages = 24
    configuration.waitingRowLimit = 200
    let store = try PriceStore(configuration, log: messages.log)
    var script = Script()
    script.randomDay(6_000, seed: 8)
    var line = Line(store)
    try await Self.playDegraded(&line, script, 0..<4_000)
    let waiting = store.status.rowsWaiting
    #expect(waiting > 200)
    try await Self.playDegraded(&line, script, 4_000..<6_000)
    let lost = store.status.rowsLost
    #expect(lost > 500)
    #expect(store.status.rowsWaiting == waiting)
    #expect(messages.count(containing: "writing fails") == 1)
    try await store.database.writer.writeWithoutTransaction {
      try $0.execute(sql: "PRAGMA max_page_count = 100000")
    }
    try await Self.wait { !Self.isDegraded(store) }
    line.play(script, 6_000..<script.messages.count)
    #expect(await store.flush())
    #expect(messages.count(containing: "writing works again; \(lost) rows were lost") == 1)
    #expect(try await Contents(store).dailyBars.count == 10)
    store.close()
  }

  @Test(.enabled(if: SmallDisk.isPossible, "only root may mount a file system"))
  func aFullFileSystemDegradesAndRecovers() async throws {
    let disk = try #require(SmallDisk(megabytes: 8))
    let messages = Messages()
    let store = try openStore(disk.path, log: messages)
    var script = Script()
    script.randomDay(5_000, seed: 11)
    var line = Line(store)
    line.play(script, 0..<1_000)
    #expect(await store.flush())
    disk.fill()
    try await Self.playDegraded(&line, script, 1_000..<3_000)
    try await Self.playDegraded(&line, script, 3_000..<5_000)
    #expect(messages.count(containing: "writing fails") == 1)
    // Reading goes on.
    #expect(try await store.quotes(market: 0, code: code("1301"), limit: 10).count == 10)
    disk.free()
    try await Self.wait { !Self.isDegraded(store) }
    line.play(script, 5_000..<script.messages.count)
    #expect(await store.flush())
    #expect(store.status.rowsLost == 0)
    let whole = try openStore(nil)
    var other = Line(whole)
    other.play(script)
    await whole.flush()
    #expect(try await Contents(store) == Contents(whole))
    store.close()
    disk.fill()
    let error = #expect(throws: StoreError.self) { _ = try openStore(disk.path + "/new") }
    #expect(error?.code == .full || error?.code == .directory || error?.code == .opening)
  }
}
