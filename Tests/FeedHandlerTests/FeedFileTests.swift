// Files of messages as feeds: numbering, days, bad messages, windows, gzip, and what can't be read.

import FeedHandler
import FeedProtocols
import MarketData
import Testing

@Suite("Feed files")
struct FeedFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func records(_ bytes: [UInt8], maxMessages: Int = 100) throws -> [String] {
    try Record.read(FeedFile(paths: [folder.file("f", bytes)]), maxMessages: maxMessages)
  }

  @Test(arguments: [1, 2, 100])
  func sequencesStartAgainAtEachStartOfMessages(maxMessages: Int) throws {
    let day = [system("O"), order(7), system("C")]
    let expected = [
      "m 1 1 S", "m 2 2 A 7", "m 3 3 S", "day", "m 1 4 S", "m 2 5 A 7", "m 3 6 S",
    ]
    #expect(try records(framed(day + day), maxMessages: maxMessages) == expected)
  }

  @Test func aBadMessageTakesANumber() throws {
    let file = framed([order(1), Array("Zzz".utf8), order(2)])
    #expect(try records(file) == ["m 1 1 A 1", "bad 2 2 @38 Z", "m 3 3 A 2"])
  }

  @Test func aTruncatedLastMessageIsReported() throws {
    let file = framed([order(1), order(2)]).dropLast(3)
    #expect(try records(Array(file)) == ["m 1 1 A 1", "bad 2 2 @38 A"])
  }

  @Test func runsAreNormalisedToNonzeroLengths() throws {
    let file = (1...5).flatMap { reference -> [UInt8] in [0, 0] + order(reference) }
    let feed = try FeedFile(paths: [folder.file("f", file)])
    guard case .messages(let run) = try feed.next(maxMessages: 100) else {
      Issue.record("wanted messages")
      return
    }
    #expect(Array(run.bytes) == framed((1...5).map { order($0) }))
    #expect(feed.zeroPrefixedCount == 5)
  }

  @Test func filesFollowOneAnother() throws {
    let first = try folder.file("a", framed([order(1), order(2)]))
    let second = try folder.file("b", gzip(framed([order(3)])))
    let third = try folder.file("c", framed([system("O"), order(4)]))
    let feed = try FeedFile(paths: [first, second, third])
    #expect(
      try Record.read(feed) == [
        "m 1 1 A 1", "m 2 2 A 2", "m 3 3 A 3", "day", "m 1 4 S", "m 2 5 A 4",
      ])
    #expect(feed.bytesDone == feed.totalBytes)
    #expect(feed.contentBytes == UInt64(framed((1...4).map { order($0) }).count + 14))
  }

  @Test(arguments: [false, true])
  func aFileLargerThanTheWindowComesWhole(compressed: Bool) throws {
    let count: UInt64 = 90_000  // 3.4 MB
    var content: [UInt8] = []
    for reference in 1...count { content += framed([order(reference)]) }
    let feed = try FeedFile(paths: [folder.file("f", compressed ? gzip(content) : content)])
    var next: UInt64 = 1
    reading: while true {
      switch try feed.next(maxMessages: 999) {
      case .messages(let run):
        #expect(run.firstSequence == next && run.count <= 999)
        run.forEachMessage { message, index in
          if message.u64(11) != next + UInt64(index) { Issue.record("message \(next) is another one") }
        }
        next += UInt64(run.count)
      case .end: break reading
      default: Issue.record("only messages wanted")
      }
    }
    #expect(next == count + 1)
    #expect(feed.contentBytes == UInt64(content.count))
  }

  @Test func gzipMembersAndPaddingAreOneContent() throws {
    let file = gzip(framed([order(1)])) + gzip([]) + gzip(framed([order(2)])) + [0, 0, 0]
    #expect(try records(file) == ["m 1 1 A 1", "m 2 2 A 2"])
  }

  @Test func everyTruncationOfGzipIsAnErrorWithItsOffset() throws {
    let whole = gzip(framed([order(1), order(2)]))
    for count in 2..<whole.count {
      let error = #expect(throws: FeedFileError.self) { try records(Array(whole[..<count])) }
      #expect(error?.offset == UInt64(count))
      guard case .gzip = error?.reason else {
        Issue.record("\(count): \(String(describing: error))")
        continue
      }
    }
  }

  @Test func damagedGzipIsAnError() throws {
    let whole = gzip(framed([order(1), order(2)]))
    var changed = whole
    changed[30] ^= 1
    #expect(throws: FeedFileError.self) { try records(changed) }
    #expect(throws: FeedFileError.self) { try records(whole + Array("tail".utf8)) }
  }

  @Test func whatIsNoFeedIsRefusedAtOnce() throws {
    let text = try folder.file("text", Array("hello, this is no feed at all\n".utf8))
    #expect(
      throws: FeedFileError(path: text, offset: 0, reason: .unrecognised(firstBytes: Array("hello, t".utf8)))
    ) {
      try FeedFile(paths: [text])
    }
    let empty = try folder.file("empty", [])
    #expect(throws: FeedFileError(path: empty, reason: .empty)) { try FeedFile(paths: [empty]) }
    #expect(throws: FeedFileError(path: folder.path, reason: .folder)) { try FeedFile(paths: [folder.path]) }
    #expect(throws: FeedFileError(path: "", reason: .noFile)) { try FeedFile(paths: []) }
    #expect(throws: FeedFileError.self) { try FeedFile(paths: [folder.path + "/nothing"]) }
    let messages = try folder.file("itch", framed([order(1)]))
    #expect(throws: FeedFileError.self) { try FeedFile(paths: [messages], expecting: .capture) }
    #expect(try Record.read(FeedFile(paths: [text], expecting: .itch)) == ["bad 1 1 @0 l"])
  }

  @Test func aPipeIsReadOnce() throws {
    let pipe = try folder.pipe("pipe", framed((1...3).map { order($0) }))
    #expect(try Record.read(FeedFile(paths: [pipe])) == (1...3).map { "m \($0) \($0) A \($0)" })
  }

  @Test func aBadFirstMessageDoesntHideTheRest() throws {
    let file = framed([Array("Zzz".utf8), order(1), order(2)])
    #expect(try records(file) == ["bad 1 1 @0 Z", "m 2 2 A 1", "m 3 3 A 2"])
  }
}

@Suite("Feed files Fuzz")
struct FeedFileFuzzTests {
  @Test func changedFilesNeverTrap() throws {
    let folder = try TemporaryFolder()
    var random = generator("feed files")
    let plain = framed([system("O")] + (1...20).map { order($0) })
    let packets = capture((0..<6).map { mold("S", 1 + $0 * 2, [order($0), order($0 + 1)]) })
    try fuzz(rounds: 300) {
      var file = [plain, gzip(plain), packets, gzip(packets)][Int(random.next() % 4)]
      for _ in 0..<1 + random.next() % 4 {
        file[Int(random.next() % UInt64(file.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      let path = try folder.file("f", file)
      do {
        _ = try Record.read(FeedFile(paths: [path]), maxMessages: 1 + Int(random.next() % 5))
      } catch let error as FeedFileError {
        #expect(!error.description.isEmpty)
      }
    }
  }
}
