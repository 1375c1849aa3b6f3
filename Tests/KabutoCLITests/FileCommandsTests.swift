// What outsiders rely on: exit status, shape of output, of stats, books, digest and simulate.

import Foundation
import Testing

@Suite struct FileCommandsTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func twoInstruments() throws -> String {
    var messages = Messages()
    messages.system("O")
    messages.directory(1, "TEST")
    messages.order(1, 1, "B", 100, "TEST", 100_000)
    messages.order(2, 2, "B", 300, "ELSE", 50_000)
    messages.order(1, 3, "S", 200, "TEST", 105_000)
    messages.action(1, "TEST", "T")
    messages.cancel(1, 3, 50)
    messages.delete(2, 2)
    messages.delete(1, 1)
    return try folder.file("two.itch", messages.bytes)
  }

  private func day(seed: String = "7") throws -> String {
    let path = folder.path + "/day-\(seed).itch"
    let made = try Program.run(
      "simulate", "--out", path, "--seed", seed, "--instruments", "4", "--messages", "8000", "--json")
    #expect(made.status == 0)
    let report = try made.json()
    #expect(report["file"] as? String == path)
    #expect(report["reference"] as? String == path + ".reference.json")
    #expect(report["instruments"] as? Int == 4)
    return path
  }

  // MARK: books

  @Test func booksHasARowForEachMessageThatNamesTheInstrument() throws {
    let books = try Program.run("books", try twoInstruments(), "--instrument", "TEST", "--levels", "2")
    #expect(books.status == 0)
    let empty = "9999999999,0,-9999999999,0"
    #expect(
      books.text == """
        2,2000,\(empty),\(empty)
        3,3000,9999999999,0,100000,100,\(empty)
        5,5000,105000,200,100000,100,\(empty)
        6,6000,105000,200,100000,100,\(empty)
        7,7000,105000,150,100000,100,\(empty)
        9,9000,105000,150,-9999999999,0,\(empty)

        """)
    let other = try Program.run("books", try twoInstruments(), "--instrument", "ELSE", "--levels", "1")
    #expect(other.text == "4,4000,9999999999,0,50000,300\n8,8000,\(empty)\n")
    let ten = try Program.run("books", try twoInstruments(), "--instrument", "TEST")
    #expect(ten.text.split(separator: "\n").allSatisfy { $0.split(separator: ",").count == 2 + 40 })
  }

  @Test func booksOffersNamesForAnUnknownInstrument() throws {
    let books = try Program.run("books", try twoInstruments(), "--instrument", "TOST")
    #expect(books.status == 2)
    #expect(books.output.isEmpty)
    #expect(books.complaints.contains("TOST") && books.complaints.contains("ELSE, TEST"))
  }

  static let known: String? = {
    let given = ProcessInfo.processInfo.environment["KABUTO_TESTDATA"]
    let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let folder = given ?? root.deletingLastPathComponent().appendingPathComponent("shared/data").path
    return FileManager.default.fileExists(atPath: folder + "/itch/goog-2012-06-21.books.csv.gz")
      ? folder + "/itch" : nil
  }()

  @Test(.enabled(if: known != nil, "no market data at $KABUTO_TESTDATA or ../shared/data"))
  func booksOfARealDayAreTheKnownAnswer() throws {
    let data = try #require(Self.known)
    let books = try Program.run(
      "books", data + "/goog-2012-06-21.itch.gz", "--instrument", "GOOG", "--levels", "10")
    #expect(books.status == 0)
    var rows: [Substring: Substring] = [:]
    for line in books.text.split(separator: "\n") {
      let parts = line.split(separator: ",", maxSplits: 2)
      rows[parts[0]] = parts[2]
    }
    let known = try Program.run("-dc", data + "/goog-2012-06-21.books.csv.gz", program: "/bin/gzip")
    var (compared, different) = (0, 0)
    for line in known.text.split(whereSeparator: \.isNewline) {
      let parts = line.split(separator: ",", maxSplits: 2)
      compared += 1
      if rows[parts[1]] != parts[2] { different += 1 }
    }
    #expect(compared == 147_916)
    #expect(different == 0)
  }

  // MARK: stats and digest

  @Test func statsCounts() throws {
    let stats = try Program.run("stats", try twoInstruments(), "--json")
    #expect(stats.status == 0)
    let report = try stats.json()
    #expect(report["messages"] as? Int == 9)
    #expect(report["instruments"] as? Int == 2)
    #expect(report["first_time_ns"] as? Int == 1000)
    #expect(report["last_time_ns"] as? Int == 9000)
    #expect(report["bad"] as? Int == 0)
    #expect(report["gap_count"] as? Int == 0)
    #expect(report["types"] as? [String: Int] == ["S": 1, "R": 1, "A": 3, "H": 1, "X": 1, "D": 2])
    let text = try Program.run("stats", try twoInstruments())
    #expect(text.status == 0)
    for word in ["messages", "instruments", "first time", "last time", "gaps", "bad messages"] {
      #expect(text.text.contains(word))
    }
  }

  @Test func aBadMessageIsToldWithItsOffsetAndStatus1() throws {
    let good = try [UInt8](Data(contentsOf: URL(fileURLWithPath: try twoInstruments())))
    let bad = try folder.file("bad.itch", good + [0, 5] + Array("ZZZZZ".utf8))
    let stats = try Program.run("stats", bad, "--json")
    #expect(stats.status == 1)
    #expect(try stats.json()["bad"] as? Int == 1)
    let text = try Program.run("stats", bad)
    #expect(text.status == 1)
    #expect(text.text.contains("offset \(good.count)"))
    let digest = try Program.run("digest", bad, "--json")
    #expect(digest.status == 1)
    #expect(try digest.json()["bad"] as? Int == 1)
    #expect(digest.complaints.contains("offset \(good.count)"))
    #expect(try Program.run("books", bad, "--instrument", "TEST").status == 1)
  }

  @Test func theFinalBooksAreWrittenLevelByLevel() throws {
    var messages = Messages()
    messages.order(1, 1, "B", 100, "TEST", 100_000)
    messages.order(1, 2, "B", 30, "TEST", 101_000)
    messages.order(1, 3, "B", 40, "TEST", 100_000)
    messages.order(1, 4, "S", 200, "TEST", 105_000)
    messages.order(2, 5, "S", 7, "ELSE", 50_000)
    messages.cancel(1, 4, 50)
    let file = try folder.file("books.itch", messages.bytes)
    let out = folder.path + "/books.csv"
    let digest = try Program.run("digest", file, "--json", "--books", out)
    #expect(digest.status == 0, "\(digest.complaints)")
    #expect(
      try String(contentsOfFile: out, encoding: .utf8)
        == "ELSE,S,50000,7,1\nTEST,B,101000,30,1\nTEST,B,100000,140,2\nTEST,S,105000,150,1\n")
    let nowhere = try Program.run("digest", file, "--books", folder.path + "/no/such/folder.csv")
    #expect(nowhere.status != 0)
    #expect(nowhere.complaints.contains("--books") && nowhere.complaints.contains("/no/such/folder.csv"))
  }

  @Test func theDigestIsThatOfTheMessagesNotOfTheFile() throws {
    let plain = try day()
    let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: plain)))
    let zero = try folder.file("zero.itch", Messages.withoutLengths(bytes))
    let packed = try Program.run("-c", plain, program: "/bin/gzip")
    let gz = try folder.file("day-7.itch.gz", packed.output)
    var digests: Set<String> = []
    for file in [plain, zero, gz] {
      let digest = try Program.run("digest", file, "--reference", plain + ".reference.json", "--json")
      #expect(digest.status == 0, "\(digest.complaints)")
      let report = try digest.json()
      digests.insert(try #require(report["digest"] as? String))
      #expect(report["instruments"] as? Int == 4)
      for name in ["messages", "live_orders", "trades", "cpu_seconds"] {
        #expect(report[name] is NSNumber, "\(name)")
      }
      let text = try Program.run("digest", file, "--reference", plain + ".reference.json").text
      #expect(text.contains(try #require(report["digest"] as? String)))
    }
    #expect(digests.count == 1)
    let cut = try folder.file("cut.itch", bytes.dropLast(5))
    #expect(try Program.run("digest", cut, "--json").status != 0)
  }

  // MARK: simulate

  @Test func theSameSeedGivesTheSameBytes() throws {
    let first = try day()
    let kept = try (
      Data(contentsOf: URL(fileURLWithPath: first)),
      Data(contentsOf: URL(fileURLWithPath: first + ".reference.json"))
    )
    let again = try day()
    #expect(try Data(contentsOf: URL(fileURLWithPath: again)) == kept.0)
    #expect(try Data(contentsOf: URL(fileURLWithPath: again + ".reference.json")) == kept.1)
    #expect(try Data(contentsOf: URL(fileURLWithPath: day(seed: "8"))) != kept.0)
    let stats = try Program.run("stats", first, "--json")
    #expect(stats.status == 0)
    let messages = try #require(try stats.json()["messages"] as? Int)
    #expect((6_000...10_000).contains(messages), "about as many as asked for")
    let digest = try Program.run("digest", first, "--json").json()
    #expect(digest["messages"] as? Int == messages)
    for fault in [
      "bad", "missing", "unknown_orders", "duplicate_orders", "impossible_sizes", "unknown_trades",
    ] {
      #expect(digest[fault] as? Int == 0, "\(fault)")
    }
  }

  @Test func simulateLeavesNothingHalfWritten() throws {
    let outcome = try Program.run("simulate", "--out", folder.path + "/no/such/folder/x.itch")
    #expect(outcome.status == 2)
    #expect(outcome.complaints.contains("/no/such/folder"))
    _ = try day()
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == [
        "day-7.itch", "day-7.itch.reference.json",
      ])
  }

  // MARK: status

  @Test(arguments: ["stats", "digest", "books"])
  func aFileThatCannotBeReadIsStatus2(command: String) throws {
    let more = command == "books" ? ["--instrument", "TEST"] : ["--json"]
    for path in [folder.path + "/missing.itch", folder.path] {
      let outcome = try Program.run(command, path, more[0], more.count > 1 ? more[1] : more[0])
      #expect(outcome.status == 2)
      #expect(outcome.output.isEmpty)
      #expect(outcome.complaints.contains(path))
    }
  }

  @Test func wrongUsageIsStatus64() throws {
    #expect(try Program.run("stats").status == 64)
    #expect(try Program.run("nonsense").status == 64)
    #expect(try Program.run("books", "x").status == 64)
    #expect(try Program.run("books", "x", "--instrument", "TOOLONGCODE").status == 64)
    for levels in ["0", "1001", "many"] {
      #expect(try Program.run("books", "x", "--instrument", "X", "--levels", levels).status == 64)
    }
    #expect(try Program.run("digest", "x", "--jsn").status == 64)
    #expect(try Program.run("simulate").status == 64)
    for (option, value) in [
      ("--instruments", "0"), ("--days", "0"), ("--date", "2026-02-30"), ("--seed", "x"),
    ] {
      let outcome = try Program.run("simulate", "--out", folder.path + "/x", option, value)
      #expect(outcome.status == 64, "\(option) \(value)")
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/x"))
    }
  }

  @Test func versionAndHelp() throws {
    let version = try Program.run("--version")
    #expect(version.status == 0)
    #expect(version.text.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
    let options: [String: [String]] = [
      "stats": ["--json"], "books": ["--instrument", "--levels"], "digest": ["--json", "--reference"],
      "simulate": ["--out", "--seed", "--instruments", "--messages", "--days", "--date", "--json"],
      "top": ["--once", "--json", "--interval"],
      "serve": [
        "--feed", "--listen", "--data", "--config", "--tls-certificate", "--tls-key", "--loops", "--origins",
        "--log-level",
        "--log-format", "--viewer", "--firewall", "--firewall-rules", "--firewall-log",
      ],
    ]
    for (command, wanted) in options {
      let help = try Program.run(command, "--help")
      #expect(help.status == 0)
      for option in wanted + ["--version", "--help"] {
        #expect(help.text.contains(option), "\(command) \(option)")
      }
      let overview = try Program.run("--help")
      #expect(overview.text.contains("  \(command) "))
    }
  }
}
