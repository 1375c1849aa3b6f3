// A line's faults: repeatable, at the rates that were asked for, and nothing else.

import FeedHandler
import MarketData
import Testing

@Suite("Line impairment")
struct LineImpairmentTests {
  /// What comes out when packets 0..<count go in, and when: (packet, packets offered by then).
  private static func run(
    _ rates: LineImpairment.Rates, seed: UInt64, line: Int = 0, count: Int = 20_000
  ) -> (out: [(packet: Int, at: Int)], line: LineImpairment) {
    var line = LineImpairment(rates: rates, seed: seed, line: line)
    var out: [(packet: Int, at: Int)] = []
    for packet in 0..<count { line.offer(packet) { out.append(($0, packet)) } }
    line.flush { out.append(($0, count)) }
    return (out, line)
  }

  @Test func withoutRatesNothingHappens() {
    let (out, line) = Self.run(.init(), seed: 1)
    #expect(out.map(\.packet) == Array(0..<20_000))
    #expect(out.allSatisfy { $0.packet == $0.at })
    #expect(line.dropped == 0 && line.duplicated == 0 && line.reordered == 0 && line.offered == 20_000)
  }

  @Test func theSameSeedGivesTheSameFaultsAndLinesDiffer() {
    var random = generator("impairment seeds")
    for _ in 0..<20 {
      let seed = random.next()
      let rates = LineImpairment.Rates(loss: 0.1, duplicate: 0.1, reorder: 0.1)
      let a = Self.run(rates, seed: seed, count: 500).out.map(\.packet)
      #expect(a == Self.run(rates, seed: seed, count: 500).out.map(\.packet))
      #expect(a != Self.run(rates, seed: seed, line: 1, count: 500).out.map(\.packet))
      #expect(a != Self.run(rates, seed: seed &+ 1, count: 500).out.map(\.packet))
    }
  }

  @Test func onlyWhatIsConfiguredHappensAtItsRate() {
    var random = generator("impairment rates")
    let count = 20_000
    for round in 0..<40 {
      func rate() -> Double { random.next() % 3 == 0 ? 0 : Double(random.next() % 1000) / 1000 }
      let rates = LineImpairment.Rates(loss: rate(), duplicate: rate(), reorder: rate())
      let (out, line) = Self.run(rates, seed: random.next(), count: count)
      var copies = [Int](repeating: 0, count: count)
      for one in out {
        copies[one.packet] += 1
        #expect(one.at >= one.packet && one.at - one.packet <= LineImpairment.furthest)
      }
      let lost = copies.count { $0 == 0 }
      let twice = copies.count { $0 == 2 }
      #expect(copies.allSatisfy { $0 <= 2 }, "round \(round)")
      #expect(UInt64(lost) == line.dropped)
      #expect(UInt64(twice) == line.duplicated)
      // Six standard deviations of a binomial distribution: once in a thousand million.
      func isNear(_ found: UInt64, _ rate: Double, of total: Int) -> Bool {
        let deviation = (Double(total) * rate * (1 - rate)).squareRoot()
        return abs(Double(found) - Double(total) * rate) <= 6 * deviation + 1e-9
      }
      #expect(isNear(line.dropped, rates.loss, of: count))
      #expect(isNear(line.duplicated, rates.duplicate, of: count - lost))
      #expect(isNear(line.reordered, rates.reorder, of: count - lost))
      if rates.reorder == 0, rates.duplicate == 0 {
        #expect(out.map(\.packet) == out.map(\.packet).sorted())
      }
    }
  }

  @Test func oneRateDoesNotChangeWhatAnotherOneDoes() {
    func lost(_ rates: LineImpairment.Rates) -> Set<Int> {
      Set(0..<2_000).subtracting(Self.run(rates, seed: 5, count: 2_000).out.map(\.packet))
    }
    let plain = lost(.init(loss: 0.2, duplicate: 0, reorder: 0))
    #expect(!plain.isEmpty && plain == lost(.init(loss: 0.2, duplicate: 0.5, reorder: 0.5)))
  }

  @Test func packetsAreOvertakenAndAFlushLetsAllGo() {
    let (out, _) = Self.run(.init(loss: 0, duplicate: 0, reorder: 0.3), seed: 3, count: 1_000)
    let overtaken = zip(out, out.dropFirst()).count { $0.packet > $1.packet }
    #expect(overtaken > 100 && out.count == 1_000)
    var line = LineImpairment(rates: .init(loss: 0, duplicate: 1, reorder: 1), seed: 1, line: 0)
    var out1: [Int] = []
    line.offer(7) { out1.append($0) }
    #expect(line.holds)
    line.flush { out1.append($0) }
    #expect(out1 == [7, 7] && !line.holds)
    line.flush { out1.append($0) }
    #expect(out1.count == 2)
  }

  @Test func everythingCanBeLost() {
    let (out, line) = Self.run(.init(loss: 1, duplicate: 1, reorder: 1), seed: 1, count: 100)
    #expect(out.isEmpty && line.dropped == 100 && line.duplicated == 0)
  }
}
