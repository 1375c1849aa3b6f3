// When messages are due that are being published; sessions as they are kept for requests.

import FeedProtocols
import MarketData
import Testing

@testable import FeedHandler

@Suite("Publish pacer")
struct PublishPacerTests {
  private func due(_ pacer: inout PublishPacer, _ frames: [UInt8], _ now: UInt64) -> PublishPacer.Due {
    frames.withUnsafeBytes { pacer.due($0, at: now) }
  }

  @Test func atARateTheCountIsExactOverAnyTime() {
    var random = generator("publish rate")
    for rate in [0.5, 3, 1_000, 1_000_000] {
      var pacer = PublishPacer(.rate(rate))
      let frames = framed((0..<2_000).map { order(UInt64($0)) })
      let length = frames.count / 2_000
      var sent: UInt64 = 0
      var now: UInt64 = 77
      let start = now
      for _ in 0..<300 {
        let step = due(&pacer, frames, now)
        #expect(step.bytes == step.count * length)
        sent += UInt64(step.count)
        let wanted = UInt64(Double(now - start) * rate / 1e9) + 1
        #expect(sent == wanted || step.count == 2_000)
        if step.count < 2_000 {
          // At the time that was told, and not before, the next one is due.
          #expect(step.waitNanoseconds > 0)
          let next = start + UInt64((Double(sent) / rate * 1e9).rounded(.up))
          #expect(now + step.waitNanoseconds <= next)
        }
        now += random.next() % UInt64(2e9 / rate + 2)
      }
    }
  }

  @Test func byTheirOwnTimesWhatIsDueComesTogether() {
    let base: UInt64 = 34_200_000_000_000
    let frames = framed([
      order(1, time: base), order(2, time: base), order(3, time: base + 1_000), order(4, time: base + 5_000),
    ])
    let length = frames.count / 4
    var pacer = PublishPacer(.speed(.times(2)))
    #expect(due(&pacer, frames, 10) == .init(count: 2, bytes: 2 * length, waitNanoseconds: 500))
    let rest = Array(frames[(2 * length)...])
    #expect(due(&pacer, rest, 509) == .init(count: 0, bytes: 0, waitNanoseconds: 1))
    #expect(due(&pacer, rest, 510) == .init(count: 1, bytes: length, waitNanoseconds: 2_000))
    #expect(due(&pacer, Array(rest[length...]), 9_999) == .init(count: 1, bytes: length, waitNanoseconds: 0))
  }

  @Test func withoutWaitingAllIsDue() {
    let frames = framed([order(1), [], order(2, time: 1)])
    var pacer = PublishPacer(.speed(.max))
    #expect(due(&pacer, frames, 0) == .init(count: 3, bytes: frames.count, waitNanoseconds: 0))
    var timed = PublishPacer(.speed(.realTime))
    // What has no time is due at once.
    #expect(due(&timed, framed([[], [1, 2, 3]]), 0).count == 2)
  }
}

@Suite("Published session")
struct PublishedSessionTests {
  @Test func whatWasPublishedIsFoundByItsNumber() {
    var random = generator("published session")
    for _ in 0..<10 {
      let session = PublishedSession(name: "S", first: 5, keeps: true)
      var known: [UInt64: [UInt8]] = [:]
      var next: UInt64 = 5
      for _ in 0..<60 {
        if random.next() % 8 == 0 {
          let last = next + random.next() % 40
          session.skip(through: last)
          next = last + 1
        }
        let messages = (0..<Int(random.next() % 900)).map { _ in
          [UInt8](repeating: UInt8(truncatingIfNeeded: random.next()), count: Int(random.next() % 200))
        }
        for message in messages {
          known[next] = message
          next += 1
        }
        framed(messages).withUnsafeBytes { session.append($0, count: messages.count) }
        #expect(session.next == next)
      }
      for _ in 0..<2_000 {
        let from = random.next() % (next + 10)
        let most = Int(random.next() % 50)
        let room = Int(random.next() % 2_000)
        let found = session.frames(from: from, maxMessages: most, maxBytes: room)
        let wanted = (0..<UInt64(found.count)).compactMap { known[from + $0] }
        #expect(wanted.count == found.count && Array(found.bytes) == framed(wanted))
        #expect(found.count <= most && found.bytes.count <= room)
        if found.count < most, let more = known[from + UInt64(found.count)],
          !found.bytes.isEmpty || room >= 202
        {
          // It ends only where nothing more fits, or at the end of a piece of memory.
          let isFull = found.bytes.count + 2 + more.count > room
          let again = session.frames(from: from + UInt64(found.count), maxMessages: 1, maxBytes: 202)
          #expect(isFull || again.count == 1)
        }
        #expect(
          (found.count == 0) == (known[from] == nil || most == 0 || room < 2 + (known[from]?.count ?? 0)))
      }
      for range in session.missing {
        #expect(known[range.lowerBound] == nil && known[range.upperBound] == nil)
      }
    }
  }

  @Test func neighbouringGapsAreOne() {
    let session = PublishedSession(name: "S", first: 1, keeps: false)
    session.skip(through: 3)
    session.skip(through: 7)
    session.skip(through: 2)
    #expect(session.missing == [1...7] && session.next == 8)
  }
}
