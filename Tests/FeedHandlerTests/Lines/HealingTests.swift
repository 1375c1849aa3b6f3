// How a gap and a doubted state are waited for: who gives way to whom, and that a doubt ends.

import FeedProtocols
import Testing

@testable import FeedHandler

@Suite struct HealingTests {
  private static let second: UInt64 = 1_000_000_000

  @Test func aDoubtThatNobodyAnswersEnds() {
    var healing = Healing()
    let isTaken = healing.doubt(from: 1, base: nil, at: 0)
    #expect(isTaken)
    var questions = 0
    for now in 0..<UInt64(200) {
      let question = healing.question(at: now * Self.second)
      if question == 1 { questions += 1 }
    }
    #expect((1...6).contains(questions))
    let (isDoubt, isGap, healed) = (healing.isDoubt, healing.isHealingGap, healing.healed)
    #expect(!isDoubt && !isGap && healed == 0)
  }

  @Test func aGapIsHealedWhateverIsDoubted() {
    var healing = Healing()
    _ = healing.doubt(from: 1, base: nil, at: 0)
    healing.wait(from: 500, base: [1], at: Self.second)
    var isGap = healing.isHealingGap
    let (question, base) = (healing.question(at: 10 * Self.second), healing.base)
    #expect(isGap && question == 500 && base == [1])
    // And a doubt doesn't take its place.
    let isTaken = healing.doubt(from: 1, base: nil, at: 11 * Self.second)
    #expect(!isTaken)
    // A gap is asked for without end.
    var last: UInt64 = 0
    for now in 0..<UInt64(2_000) where healing.question(at: (20 + now) * Self.second) == 500 { last = now }
    isGap = healing.isHealingGap
    #expect(last > 1_900 && isGap)
  }

  @Test func aDoubtIsAskedForAtOnceAndOnItsBase() {
    var healing = Healing()
    let isTaken = healing.doubt(from: 301, base: [2, 3], at: 5)
    let again = healing.doubt(from: 1, base: nil, at: 6)
    #expect(isTaken && !again)
    let (question, base) = (healing.question(at: 5), healing.base)
    #expect(question == 301 && base == [2, 3])
    let isAnswered = healing.isAnswered(by: MoldUDP64Header(session: .zero, sequence: 300, count: 2))
    let isBeside = healing.isAnswered(by: MoldUDP64Header(session: .zero, sequence: 302, count: 2))
    #expect(isAnswered && !isBeside)
  }
}
