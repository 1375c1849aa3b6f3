// ITCH file framing: both variants, what is malformed, and the same answer however the file is cut into windows.

import FeedProtocols
import MarketData
import Testing

/// What a framer made of a file.
private struct Framed: Equatable {
  var messages: [[UInt8]] = []
  var bad: [BadFrame] = []
  /// Runs that begin with System Event `O`.
  var dayStarts = 0
  var zeroPrefixed: UInt64 = 0
}

/// Frames `file`, shown `step` more bytes at a time.
private func frame(_ file: [UInt8], step: Int = .max, maxFrames: Int = 1_000) -> Framed {
  var result = Framed()
  var framer = ITCHFramer()
  var window: [UInt8] = []
  var given = 0
  var position = 0
  for _ in 0..<(file.count + 10) * 4 {
    var span = window.mutableSpan
    var bytes = span.mutableBytes
    let isLast = given == file.count
    switch framer.next(in: &bytes, at: &position, maxFrames: maxFrames, isLast: isLast) {
    case .frames(let range, let count, let startsDay):
      var place = range.lowerBound
      for _ in 0..<count {
        let length = Int(window[place]) << 8 | Int(window[place + 1])
        result.messages.append([UInt8](window[place + 2..<place + 2 + length]))
        place += 2 + length
      }
      #expect(place == range.upperBound && count > 0 && count <= maxFrames)
      if startsDay { result.dayStarts += 1 }
    case .bad(let frame): result.bad.append(frame)
    case .needMore:
      #expect(!isLast)
      window.removeFirst(position)
      position = 0
      let more = min(step, file.count - given)
      window += file[given..<given + more]
      given += more
    case .end:
      #expect(framer.offset == UInt64(file.count))
      result.zeroPrefixed = framer.zeroPrefixedCount
      return result
    }
  }
  Issue.record("the framer doesn't come to an end")
  return result
}

private func system(_ event: ITCHCode) -> [UInt8] {
  var writer = ByteWriter()
  SystemEvent(header: ITCHHeader(locate: 0, timestamp: 5), event: event).encode(into: &writer)
  return writer.bytes
}

@Suite("ITCH framing")
struct ITCHFramerTests {
  static func messages(_ count: Int, _ name: String = "framing") -> [[UInt8]] {
    var random = generator(name)
    var messages: [[UInt8]] = []
    while messages.count < count {
      let message = random.messageBytes()
      if message[0] != SystemEvent.type { messages.append(message) }
    }
    return messages
  }

  @Test(arguments: [1, 2, 3, 7, 50, 1_000, Int.max])
  func everyCutOfTheFileGivesTheSameMessages(step: Int) {
    let messages = Self.messages(60)
    #expect(frame(framed(messages), step: step) == Framed(messages: messages))
    #expect(frame(framed(messages), step: step, maxFrames: 1) == Framed(messages: messages))
  }

  @Test(arguments: [1, 3, 50, Int.max])
  func lengthsOfZeroFollowFromTheType(step: Int) {
    let messages = Self.messages(60)
    let file = zeroFramed(messages)
    let expected = Framed(messages: messages, zeroPrefixed: UInt64(messages.count))
    #expect(frame(file, step: step) == expected)
  }

  @Test func bothVariantsInOneFile() {
    let messages = Self.messages(20)
    let file = framed(Array(messages[..<10])) + zeroFramed(Array(messages[10...]))
    #expect(frame(file).messages == messages)
  }

  @Test(arguments: [1, 3, Int.max])
  func endMarkEndsAFileAndMayStandBetweenTwo(step: Int) {
    let messages = Self.messages(5)
    let file = framed(messages) + [0, 0]
    #expect(frame(file, step: step) == Framed(messages: messages))
    #expect(frame(file + file, step: step) == Framed(messages: messages + messages))
    #expect(frame([0, 0]) == Framed())
    #expect(frame([]) == Framed())
  }

  @Test func startOfMessagesBeginsARun() {
    let messages = Self.messages(4)
    let day = [system("O")] + messages + [system("Q")]
    let result = frame(framed(day + day))
    #expect(result.messages == day + day)
    #expect(result.dayStarts == 2)
  }

  @Test(arguments: [1, 3, 50, Int.max])
  func unknownTypeIsLeftOutByItsLength(step: Int) {
    let messages = Self.messages(6)
    let file = framed([messages[0], Array("Zyx".utf8), messages[1]])
    let bad = BadFrame(
      offset: UInt64(2 + messages[0].count), byteCount: 5, type: 0x5a,
      reason: .message(ITCHError(type: 0x5a, offset: 0, reason: .unknownType)))
    #expect(frame(file, step: step) == Framed(messages: [messages[0], messages[1]], bad: [bad]))
  }

  @Test(arguments: [1, 3, 50, Int.max])
  func aWrongLengthIsReportedAndTheNextMessageFound(step: Int) {
    let order = ITCHFramerTests.messages(200).first { $0[0] == UInt8(ascii: "D") } ?? []
    let other = Self.messages(200).first { $0[0] == UInt8(ascii: "R") } ?? []
    for prefix in [1, 18, 20, 44, 600, 40_000, 65_535] {
      var file = framed([other, order, other, other])
      file[41] = UInt8(prefix >> 8)
      file[42] = UInt8(prefix & 0xff)
      let result = frame(file, step: step)
      #expect(result.messages == [other, other, other])
      #expect(result.bad.map(\.offset) == [41])
      #expect(result.bad.map(\.byteCount) == [21])
      #expect(result.bad.map(\.type) == [UInt8(ascii: "D")])
    }
  }

  @Test(arguments: [1, 7, Int.max])
  func nonsenseBetweenMessagesIsSkippedOnce(step: Int) {
    let messages = Self.messages(30)
    let nonsense = [UInt8](repeating: 0xee, count: 777)
    let file = framed(Array(messages[..<10])) + nonsense + framed(Array(messages[10...]))
    let result = frame(file, step: step)
    #expect(result.messages == messages)
    #expect(result.bad.count == 1)
    #expect(result.bad.first?.byteCount == 777)
    #expect(result.bad.first?.resynchronised == true)
  }

  @Test func aWrongSideIsReported() {
    let order = Self.messages(200).first { $0[0] == UInt8(ascii: "A") } ?? []
    var wrong = order
    wrong[19] = 0x20
    for file in [framed([order, wrong, order]), zeroFramed([order, wrong, order])] {
      let result = frame(file)
      #expect(result.messages == [order, order])
      #expect(
        result.bad.map(\.reason) == [
          .message(ITCHError(type: UInt8(ascii: "A"), offset: 19, reason: .side(found: 0x20)))
        ])
    }
  }

  @Test func everyTruncationOfTheLastMessageIsReported() {
    let messages = Self.messages(3)
    let start = 4 + messages[0].count + messages[1].count
    for isZero in [false, true] {
      let file = isZero ? zeroFramed(messages) : framed(messages)
      for count in start + 1..<file.count {
        let result = frame(Array(file[..<count]))
        #expect(result.messages == [messages[0], messages[1]])
        let reason: BadFrame.Reason? =
          switch count - start {
          case 1: .truncatedLength
          case 2 where isZero: nil
          case 2: .truncated(found: 0, wanted: messages[2].count)
          default: .truncated(found: count - start - 2, wanted: messages[2].count)
          }
        #expect(result.bad.map(\.reason) == (reason.map { [$0] } ?? []))
        #expect(result.bad.allSatisfy { $0.offset == UInt64(start) })
      }
    }
  }

  @Test func zerosOnlyAreOneBadStretch() {
    let result = frame([UInt8](repeating: 0, count: 5_000), step: 100)
    #expect(result.messages.isEmpty)
    #expect(result.bad.map(\.byteCount) == [5_000])
  }
}

@Suite("ITCH framing Fuzz")
struct ITCHFramerFuzzTests {
  @Test func everyByteIsAccountedForHoweverTheFileIsCut() {
    var random = generator("framing fuzz")
    fuzz(rounds: 150) {
      var file: [UInt8] = []
      let isZero = random.next() % 3 == 0
      for _ in 0..<random.next() % 30 {
        let message = random.messageBytes()
        file += isZero ? zeroFramed([message]) : framed([message])
      }
      for _ in 0..<random.next() % 6 where !file.isEmpty {
        let place = Int(random.next() % UInt64(file.count))
        switch random.next() % 3 {
        case 0: file[place] = UInt8(truncatingIfNeeded: random.next())
        case 1: file.remove(at: place)
        default: file.insert(contentsOf: random.bytes(Int(random.next() % 40)), at: place)
        }
      }
      let whole = frame(file)
      #expect(frame(file, step: Int(random.next() % 97) + 1) == whole)
      for message in whole.messages { #expect((try? decode(message).get()) != nil) }
      for bad in whole.bad { #expect(bad.byteCount > 0 && !bad.description.isEmpty) }
      let messageBytes = whole.messages.reduce(0) { $0 + 2 + $1.count }
      let badBytes = whole.bad.reduce(0) { $0 + $1.byteCount }
      let rest = file.count - messageBytes - badBytes
      #expect(rest >= 0 && rest % 2 == 0)  // end marks
    }
  }
}
