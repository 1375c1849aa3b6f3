// Directories and files that aren't as they should be.

import Foundation
import GRDB
import MarketData
import Testing

@testable import PriceStore

@Suite struct DamageTests {
  static func filled(_ directory: TemporaryDirectory) async throws {
    let store = try openStore(directory.path)
    var script = Script()
    script.randomDay(1_000, seed: 5)
    var line = Line(store)
    line.play(script)
    await store.flush()
    store.close()
  }

  static func setAsideFiles(_ directory: TemporaryDirectory) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory.path)
      .filter { $0.hasPrefix("prices.sqlite.damaged-") }
  }

  /// Opens, finds the damage told and the file kept, and writes as if nothing had been.
  static func expectANewBeginning(_ directory: TemporaryDirectory) async throws {
    let messages = Messages()
    let store = try openStore(directory.path, log: messages)
    #expect(messages.count(containing: "set aside") == 1)
    #expect(messages.all.first?.severity == .error)
    let files = try setAsideFiles(directory)
    #expect(files.filter { $0.hasSuffix("Z") }.count == 1)
    #expect(try await Contents(store).trades.isEmpty)
    var script = Script()
    script.randomDay(200, seed: 6)
    var line = Line(store)
    line.play(script)
    #expect(await store.flush())
    #expect(try await Contents(store).quotes.count > 50)
    store.close()
  }

  @Test func garbageIsSetAside() async throws {
    let directory = TemporaryDirectory()
    try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
    var random = SeededGenerator(seed: 1)
    let bytes = (0..<50_000).map { _ in UInt8.random(in: 0...255, using: &random) }
    try Data(bytes).write(to: URL(fileURLWithPath: directory.file))
    try await Self.expectANewBeginning(directory)
  }

  @Test func aTruncatedDatabaseIsSetAside() async throws {
    let directory = TemporaryDirectory()
    try await Self.filled(directory)
    let size = try Data(contentsOf: URL(fileURLWithPath: directory.file)).count
    truncate(directory.file, size / 2)
    try await Self.expectANewBeginning(directory)
  }

  @Test func pagesOfZerosAreSetAside() async throws {
    let directory = TemporaryDirectory()
    try await Self.filled(directory)
    var data = try Data(contentsOf: URL(fileURLWithPath: directory.file))
    let middle = data.count / 2 / 4096 * 4096
    data.replaceSubrange(middle..<middle + 8_192, with: Data(count: 8_192))
    try data.write(to: URL(fileURLWithPath: directory.file))
    try await Self.expectANewBeginning(directory)
  }

  /// Changes one value in the file, as a bit that fell over would: SQLite itself finds nothing wrong with it.
  static func change(_ directory: TemporaryDirectory, _ sql: String) throws {
    let queue = try DatabaseQueue(path: directory.file)
    try queue.write { db in
      try db.execute(sql: sql)
      #expect(db.changesCount > 0)
      #expect(try String.fetchOne(db, sql: "PRAGMA quick_check") == "ok")
    }
    try queue.close()
  }

  private static let one = "WHERE sequence = (SELECT max(sequence) FROM"

  @Test(arguments: [
    "UPDATE trade SET price = price + 1 \(one) trade)",
    "UPDATE trade SET size = match, match = size \(one) trade)",
    "UPDATE quote SET bid = NULL WHERE bid IS NOT NULL AND sequence = (SELECT max(sequence) FROM quote WHERE bid NOT NULL)",
    "UPDATE minute_bar SET volume = volume | 1048576 \(one) minute_bar)",
    "UPDATE daily_bar SET high = high + 1 WHERE instrument = (SELECT max(instrument) FROM daily_bar)",
    "UPDATE instrument SET code = code + 1 WHERE id = (SELECT max(id) FROM instrument)",
    "UPDATE epoch SET session = session || 'x'", "UPDATE market SET mic = 'XTKT'",
  ])
  func aChangedValueIsFoundAtTheStart(sql: String) async throws {
    let directory = TemporaryDirectory()
    try await Self.filled(directory)
    try Self.change(directory, sql)
    try await Self.expectANewBeginning(directory)
  }

  @Test func aTableThatIsNotOursIsFoundAtTheStart() async throws {
    let directory = TemporaryDirectory()
    try await Self.filled(directory)
    let queue = try DatabaseQueue(path: directory.file)
    try await queue.write { db in try db.execute(sql: "ALTER TABLE trade RENAME COLUMN price TO prise") }
    try queue.close()
    try await Self.expectANewBeginning(directory)
  }

  @Test func aChangedValueIsNeverServedAndTheNextStartBeginsANewFile() async throws {
    let directory = TemporaryDirectory()
    try await Self.filled(directory)
    let messages = Messages()
    let store = try openStore(directory.path, log: messages)
    let stock = try #require(
      try await store.database.writer.read { db in
        try Int64.fetchOne(
          db,
          sql: "SELECT i.code FROM trade t JOIN instrument i ON i.id = t.instrument ORDER BY sequence DESC")
      })
    let damaged = InstrumentCode(UInt64(bitPattern: stock))
    try await store.database.writer.write { db in
      try db.execute(sql: "UPDATE trade SET price = price + 1 \(Self.one) trade)")
    }
    for _ in 0..<2 {
      await #expect(throws: StoreError.self) {
        _ = try await store.trades(market: 0, code: damaged, limit: 10)
      }
    }
    #expect(store.status.damage?.contains("checksum") == true)
    #expect(messages.count(containing: "what is damaged is not served") == 1)
    // The others are served, and writing goes on.
    #expect(try await !store.bars(market: 0, code: damaged, interval: .minute, limit: 10).isEmpty)
    #expect(await store.flush())
    store.close()
    try await Self.expectANewBeginning(directory)
    let after = Messages()
    try openStore(directory.path, log: after).close()
    #expect(after.all.isEmpty)
  }

  @Test func rowsOfBeforeTheChecksumsAreBelieved() async throws {
    let directory = TemporaryDirectory()
    try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
    let queue = try DatabaseQueue(path: directory.file)
    try Schema.migrator.migrate(queue, upTo: Schema.steps[0])
    try await queue.write { db in
      try db.execute(sql: "INSERT INTO market VALUES (1, '\(market)')")
      try db.execute(
        sql: "INSERT INTO instrument VALUES (1, 1, ?)", arguments: [Int64(bitPattern: code("7203").rawValue)])
      try db.execute(sql: "INSERT INTO epoch VALUES (1, 1, 20000, '', 0)")
      try db.execute(sql: "INSERT INTO trade VALUES (1, 1, 5, 1, 10000, 100, 9, 0, 0, 2, 0, 0)")
    }
    try queue.close()
    let messages = Messages()
    let store = try openStore(directory.path, log: messages)
    #expect(messages.all.isEmpty)
    let trades = try await store.trades(market: 0, code: code("7203"), limit: 10)
    #expect(trades.map(\.sequence) == [5] && trades.first?.price == Price(1))
    store.close()
  }

  @Test func aGoodDatabaseIsKept() async throws {
    let directory = TemporaryDirectory()
    try await Self.filled(directory)
    let messages = Messages()
    let store = try openStore(directory.path, log: messages)
    #expect(messages.all.isEmpty)
    #expect(try await Contents(store).trades.count > 50)
    store.close()
  }

  @Test func theCheckOfALargeFileIsBounded() async throws {
    let directory = TemporaryDirectory()
    try await Self.filled(directory)
    let messages = Messages()
    var configuration = configuration(directory.path)
    configuration.checkMilliseconds = -1
    let store = try PriceStore(configuration, log: messages.log)
    #expect(messages.count(containing: "the rest wasn't checked") == 1)
    store.close()
  }

  @Test func aNewerDatabaseIsAClearError() async throws {
    let directory = TemporaryDirectory()
    try await Self.filled(directory)
    let queue = try DatabaseQueue(path: directory.file)
    try await queue.write { db in try db.execute(sql: "INSERT INTO grdb_migrations VALUES ('2 tomorrow')") }
    try queue.close()
    let error = #expect(throws: StoreError.self) { _ = try openStore(directory.path) }
    #expect(error?.code == .newerSchema)
    #expect(error?.description.contains("2 tomorrow") == true)
    #expect(error?.description.contains("Start the newer version") == true)
    #expect(try Self.setAsideFiles(directory).isEmpty)
  }

  @Test func anotherProgramsDatabaseIsLeftAlone() async throws {
    let directory = TemporaryDirectory()
    try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
    let queue = try DatabaseQueue(path: directory.file)
    try await queue.write { db in try db.execute(sql: "CREATE TABLE contacts (name TEXT)") }
    try queue.close()
    let error = #expect(throws: StoreError.self) { _ = try openStore(directory.path) }
    #expect(error?.code == .foreign)
  }

  @Test func ourTablesWithoutTheMarkAreSetAside() async throws {
    let directory = TemporaryDirectory()
    try openStore(directory.path).close()
    let queue = try DatabaseQueue(path: directory.file)
    try await queue.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA application_id = 0") }
    try queue.close()
    try openStore(directory.path).close()
    #expect(try Self.setAsideFiles(directory).count == 1)
  }

  @Test func aSecondProcessIsKeptOut() async throws {
    let directory = TemporaryDirectory()
    let store = try openStore(directory.path)
    let error = #expect(throws: StoreError.self) { _ = try openStore(directory.path) }
    #expect(error?.code == .inUse)
    store.close()
    try openStore(directory.path).close()
  }

  @Test func aFileInPlaceOfTheDirectoryIsAClearError() async throws {
    let directory = TemporaryDirectory()
    try Data().write(to: URL(fileURLWithPath: directory.path))
    let error = #expect(throws: StoreError.self) { _ = try openStore(directory.path) }
    #expect(error?.code == .directory && error?.path == directory.path)
    #expect(error?.description.contains("wanted a directory this user can write") == true)
  }

  @Test(.enabled(if: getuid() != 0, "root may write everywhere"))
  func aReadOnlyDirectoryIsAClearError() async throws {
    let directory = TemporaryDirectory()
    try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
    chmod(directory.path, 0o555)
    defer { chmod(directory.path, 0o755) }
    let error = #expect(throws: StoreError.self) { _ = try openStore(directory.path) }
    #expect(error?.code == .directory)
  }
}
