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
