import FeedProtocols
import MarketData
import Testing

@testable import TickerPlant

// Names and digests must not depend on how feeds are interleaved, on the size of batches, on a gap that was healed
// or on a late start: merging, resuming and comparing nodes rest on it.

/// What happens to one source, in the order of its feed.
private enum Step {
  case frame([UInt8], sequence: UInt64)
  /// A new day that numbers anew, announced from outside of the feed.
  case epoch(SimulatedFeed.Day)
  /// A new day inside the feed: numbers go on.
  case reference(ReferenceData)
}

private func script(_ feed: SimulatedFeed, numbersAnew: Bool) -> [Step] {
  var steps: [Step] = []
  var sequence: UInt64 = 0
  for (number, day) in feed.days.enumerated() {
    if number > 0 {
      steps.append(numbersAnew ? .epoch(day) : .reference(day.reference))
      if numbersAnew { sequence = 0 }
    }
    for frame in day.frames {
      sequence += 1
      steps.append(.frame(frame, sequence: sequence))
    }
  }
  return steps
}

/// Name of an update.
private struct Name: Hashable {
  var epoch: String
  var sequence: UInt64
}

/// One source's plant on one node, and all it said.
private final class Site {
  let box: Box
  let steps: [Step]
  var position = 0
  var log: [Name: [Record]] = [:]
  /// What is said now isn't compared: between a gap and its healing.
  var isBlind = false

  init(market: String, _ feed: SimulatedFeed, _ steps: [Step]) {
    box = Box(
      market: market, session: "S1", date: feed.days[0].date.description, reference: feed.days[0].reference)
    self.steps = steps
  }

  var isDone: Bool { position >= steps.count }

  /// Takes up to `count` frames in one call, or one step of another kind.
  func advance(_ count: Int) {
    guard !isDone else { return }
    switch steps[position] {
    case .epoch(let day):
      box.plant.setReference(day.reference)
      box.plant.beginEpoch(session: "S2", date: day.date)
      position += 1
    case .reference(let reference):
      box.plant.setReference(reference)
      position += 1
    case .frame(_, let first):
      var bytes: [UInt8] = []
      var taken = 0
      while taken < count, position < steps.count, case .frame(let frame, _) = steps[position] {
        bytes += frame
        taken += 1
        position += 1
      }
      box.apply(bytes, sequence: first)
    }
    keep()
  }

  func keep() {
    for var record in box.records() where !isBlind {
      // The ordinal of an epoch is a plant's own: it isn't part of the name.
      if record.update == .source {
        record.payload.replaceSubrange(16..<24, with: [UInt8](repeating: 0, count: 8))
      }
      log[Name(epoch: box.plant.epoch, sequence: record.sequence), default: []].append(record)
    }
  }

  /// Moves to the step of a sequence number in the present epoch, without applying anything.
  func pass(through sequence: UInt64) {
    while position < steps.count, case .frame(_, let number) = steps[position], number <= sequence {
      position += 1
    }
  }

  /// Goes on from another node's position. Reference data isn't part of its state: each node has its own.
  func jump(to other: Int) {
    while position < other {
      if case .reference(let reference) = steps[position] { box.plant.setReference(reference) }
      if case .epoch(let day) = steps[position] { box.plant.setReference(day.reference) }
      position += 1
    }
  }

  /// The next `count` steps are frames.
  func isPlain(_ count: Int) -> Bool {
    position + count <= steps.count
      && steps[position..<position + count].allSatisfy { if case .frame = $0 { true } else { false } }
  }

  var nextSequence: UInt64? {
    guard !isDone, case .frame(_, let number) = steps[position] else { return nil }
    return number
  }
}

@Suite struct InterleavingTests {
  private let markets = ["XTKS", "XOSE"]

  private func sites(_ scripts: [[Step]]) -> [Site] {
    (0..<2).map { Site(market: markets[$0], SimulatedFeed.pair[$0], scripts[$0]) }
  }

  @Test(arguments: 0..<12)
  func nodesAgreeWhateverTheInterleavingTheGapAndTheHealing(round: Int) throws {
    var random = generator("interleaving", round: round)
    let anew = random.chance(50)
    let scripts = SimulatedFeed.pair.map { script($0, numbersAnew: anew) }
    let first = sites(scripts)
    let second = sites(scripts)
    let note: Comment = "KABUTO_SEED=\(String(runSeed, radix: 16)) round \(round)"

    // Where the second node loses a stretch of A, and from where it takes the first node's state.
    let dayFrames = SimulatedFeed.pair[0].days[0].frames.count
    var lossAt = 2 + random.below(scripts[0].count - 400)
    let lossCount = 1 + random.below(150)
    var lost: (from: UInt64, through: UInt64, epoch: String)?
    var healed: (epoch: String, sequence: UInt64)?
    var healAfter = 0
    if random.chance(30) {
      // A late start: everything before is unknown to the second node.
      let late = 1 + random.below(min(lossAt, dayFrames - 1))
      while first[0].position < late { first[0].advance(1) }
      let sequence = first[0].box.plant.sequence
      second[0].isBlind = true
      try second[0].box.plant.restore(first[0].box.plant.snapshot())
      second[0].keep()
      second[0].isBlind = false
      second[0].pass(through: sequence)
    }

    while !(first + second).allSatisfy(\.isDone) {
      let node = random.below(2)
      let source = random.below(2)
      let site = (node == 0 ? first : second)[source]
      var batch = 1 + random.below(random.chance(20) ? 120 : 12)
      if node == 1, source == 0, lost == nil, !site.isDone {
        if site.position < lossAt {
          batch = min(batch, lossAt - site.position)
        } else if !site.isPlain(lossCount + 1) {
          lossAt = site.position + 1  // A loss at the end of a day would be told by nothing: not here.
          batch = 1
        } else if let from = site.nextSequence {
          site.pass(through: from + UInt64(lossCount) - 1)
          let next = from + UInt64(lossCount)
          lost = (from, next - 1, site.box.plant.epoch)
          site.isBlind = true
          site.advance(1)
          // The message after the gap may be the day's last one.
          #expect([.gap, .ended].contains(site.box.plant.sourceState), note)
          #expect(site.box.plant.gap == (from, next - 1), note)
          #expect(site.box.plant.counters.lost == next - from, note)
          #expect(second[1].box.plant.sourceState == .live || second[1].box.plant.sourceState == .ended, note)
          #expect(second[1].box.plant.counters.lost == 0, note)
          healAfter = 1 + random.below(60)
          continue
        }
      }
      if node == 1, source == 0, let lost, healed == nil, site.isBlind {
        if site.isDone || healAfter <= 0 {
          // The first node must be at least as far.
          while first[0].position < site.position { first[0].advance(1 + random.below(40)) }
          let sequence = first[0].box.plant.sequence
          try site.box.plant.restore(first[0].box.plant.snapshot())
          site.keep()
          site.isBlind = false
          healed = (first[0].box.plant.epoch, sequence)
          #expect(site.box.plant.sourceState == first[0].box.plant.sourceState, note)
          let back = first[0].position - site.position
          // A new day within the stretch is no message, and ends a batch (seed eee538cb, round 11).
          if first[0].box.plant.epoch == lost.epoch, back < 200, site.isPlain(back), random.chance(50) {
            // What comes again is passed over.
            let repeated = site.box.plant.counters.repeated
            if back > 0 { site.advance(back) }
            #expect(site.box.plant.counters.repeated == repeated + UInt64(back), note)
            #expect(site.box.plant.updates.bytes.isEmpty, note)
          }
          site.jump(to: first[0].position)
          continue
        }
        healAfter -= batch
      }
      site.advance(batch)
    }

    for source in 0..<2 {
      let (one, two) = (first[source], second[source])
      #expect(one.box.plant.digest() == two.box.plant.digest(), note)
      #expect(one.box.plant.epoch == two.box.plant.epoch, note)
      #expect(one.box.plant.sequence == two.box.plant.sequence, note)
      #expect(two.log.count > (source == 1 ? one.log.count - 1 : 50), note)
      var different = 0
      for (name, records) in two.log where different < 3 {
        if one.log[name] == records { continue }
        different += 1
        let other = one.log[name] ?? []
        let pair = zip(records, other).first { $0.0 != $0.1 }
        Issue.record(
          "\(note): \(markets[source]) \(name): \(records.count) records against \(other.count); \(String(describing: pair))"
        )
      }
    }
    #expect(Set(first[1].log.keys) == Set(second[1].log.keys), note)
  }

  @Test func theSizeOfBatchesChangesNothing() {
    let day = SimulatedFeed.pair[0].days[0]
    let whole = Box(reference: day.reference)
    whole.apply(day.frames.flatMap { $0 })
    let single = Box(reference: day.reference)
    for frame in day.frames { single.apply(frame) }
    #expect(whole.plant.digest() == single.plant.digest())
    #expect(whole.plant.counters == single.plant.counters)
    #expect(whole.records() == single.records())
  }
}
