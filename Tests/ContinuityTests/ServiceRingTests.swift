// Nodes that hear only the next eight of their group: who is heard, and that the group never stays without one that serves.

import Testing

@testable import Continuity

@Suite struct ServiceRingTests {
  @Test func theNextOnesInTheRingAreHeard() {
    let group = (0..<12).map { "gw-\($0)" }
    // Each hears the one after it first, and that one's first is the next: a ring through all.
    var (name, seen): (String, [String]) = ("gw-0", [])
    for _ in group {
      let heard = ServiceRing.heard(by: name, in: group.reversed())
      #expect(Set(heard).count == 8 && heard[1] == ServiceRing.heard(by: heard[0], in: group)[0])
      seen.append(name)
      name = heard[0]
    }
    #expect(name == "gw-0" && Set(seen) == Set(group))
    #expect(ServiceRing.heard(by: "gw-0", in: ["gw-1", "gw-0"]) == ["gw-1"])
    #expect(ServiceRing.heard(by: "gw-0", in: ["gw-0"]).isEmpty)
    #expect(ServiceRing.heard(by: "nobody", in: group, reach: 2).count == 2)
  }

  /// The order is every node's and every release's.
  @Test func theOrderNeverChanges() {
    let group = ["gw-osk-a", "gw-osk-b", "gw-tky-a", "gw-tky-b", "plant-osk-a", "plant-tky-a"]
    #expect(
      ServiceRing.heard(by: "gw-tky-a", in: group) == [
        "gw-osk-b", "gw-osk-a", "plant-osk-a", "plant-tky-a", "gw-tky-b",
      ])
  }

  /// A zone that goes at once leaves everybody outside, and most within, one to hear.
  @Test func aZoneIsNotAllThatANodeHears() {
    let zones = ["tky-a", "tky-b", "osk-a", "osk-b"]
    let group = zones.flatMap { zone in (1...12).map { "gw-\(zone)-\($0)" } }
    for name in group {
      let heard = ServiceRing.heard(by: name, in: group)
      #expect(zones.allSatisfy { zone in !heard.allSatisfy { $0.contains(zone) } }, "\(name): \(heard)")
    }
  }

  @Test func everyMemberIsHeardByAsManyAsItHears() {
    for count in 1...40 {
      let group = (0..<count).map { "n\($0)" }
      var hearers: [String: Int] = [:]
      for name in group {
        let heard = ServiceRing.heard(by: name, in: group)
        #expect(heard.count == min(8, count - 1) && Set(heard).count == heard.count && !heard.contains(name))
        for other in heard { hearers[other, default: 0] += 1 }
      }
      #expect(group.allSatisfy { hearers[$0, default: 0] == min(8, count - 1) })
    }
  }

  /// A ring of nodes, each with a board of its own that hears the next eight, each beat one turn late.
  struct Ring {
    let names: [String]
    /// By node: the places that it hears, itself among them, by the number that its board gives them.
    let heard: [[Int]]
    var boards: [ServiceBoard]
    var now: UInt64 = 1_000_000_000
    var dead: Set<Int> = []
    var unwell: Set<Int> = []
    var late: Set<Int> = []
    var beats: [(state: ServiceState, isReluctant: Bool, isWell: Bool, lag: UInt64)]
    /// Turns in which nobody that is there served, one after the other.
    var emptyTurns = 0
    var longestEmpty = 0

    init(_ count: Int) {
      names = (0..<count).map { "gw-\(($0 * 37) % 97 + 100)" }
      let names = names
      heard = names.indices.map { place in
        let others = ServiceRing.heard(by: names[place], in: names)
        return names.indices.filter { $0 == place || others.contains(names[$0]) }
      }
      boards = heard.map { places in
        var board = ServiceBoard()
        for place in places { _ = board.add(names[place], group: "gateways") }
        return board
      }
      beats = names.map { _ in (.inService, false, true, 0) }
      run(3)
      (emptyTurns, longestEmpty) = (0, 0)
    }

    func number(_ place: Int, on board: Int) -> Int { heard[board].firstIndex(of: place) ?? -1 }

    mutating func run(_ turns: Int) {
      for _ in 0..<turns {
        now += 100 * millisecond
        let said = beats
        for node in names.indices where !dead.contains(node) {
          let isWell = !unwell.contains(node)
          let lag: UInt64 = late.contains(node) ? 900 * millisecond : 0
          let own = number(node, on: node)
          boards[node].hear(own, isWell: isWell, lag: lag, at: now)
          for (number, other) in heard[node].enumerated() where other != node && !dead.contains(other) {
            boards[node].hear(number, isWell: said[other].isWell, lag: said[other].lag, at: now)
            boards[node].hear(number, says: said[other].state, isReluctant: said[other].isReluctant)
          }
          _ = boards[node].tick(at: now)
          beats[node] = (boards[node].state(of: own), boards[node].isReluctant(own), isWell, lag)
        }
        emptyTurns = dead.count == names.count || !serving.isEmpty ? 0 : emptyTurns + 1
        longestEmpty = max(longestEmpty, emptyTurns)
      }
    }

    /// Who is there and serves.
    var serving: [Int] {
      names.indices.filter { !dead.contains($0) && boards[$0].state(of: number($0, on: $0)) == .inService }
    }

    mutating func takeOut(_ node: Int) -> Bool {
      guard !dead.contains(node) else { return false }
      return (try? boards[node].takeOut(number(node, on: node), at: now)) != nil
    }
    mutating func bringBack(_ node: Int) {
      if !dead.contains(node) { _ = boards[node].bringBack(number(node, on: node), at: now) }
    }
    /// A process that begins anew knows of no command.
    mutating func revive(_ node: Int) {
      guard dead.remove(node) != nil else { return }
      var board = ServiceBoard()
      for place in heard[node] { _ = board.add(names[place], group: "gateways") }
      boards[node] = board
    }

    /// Whether everyone that is there sees one that serves among those that it hears, or serves.
    var everyPartHasOne: Bool {
      let serving = Set(serving)
      return names.indices.allSatisfy { dead.contains($0) || !serving.isDisjoint(with: heard[$0]) }
    }
  }

  @Test func commandsAloneNeverTakeOutAll() {
    for count in [2, 3, 9, 10, 11, 25, 40] {
      var ring = Ring(count)
      var taken = 0
      for node in (0..<count).sorted(by: { ring.names[$0] < ring.names[$1] }) {
        taken += ring.takeOut(node) ? 1 : 0
        // Said, and heard.
        ring.run(2)
        #expect(!ring.serving.isEmpty)
      }
      ring.run(100)
      #expect(ring.longestEmpty == 0 && ring.everyPartHasOne)
      // Of a ring that is heard in whole all but one can go; of a larger one most.
      #expect(count <= 9 ? taken == count - 1 : taken >= count / 2, "\(count): \(taken)")
    }
  }

  @Test func allCommandsAtOnceLeaveOneAfterABeat() {
    for count in [3, 9, 10, 40] {
      var ring = Ring(count)
      for node in 0..<count {
        let isTaken = ring.takeOut(node)
        #expect(isTaken)
      }
      ring.run(60)
      // Heard within a beat or two; then the first by name serves at once.
      #expect(ring.longestEmpty <= 2 && !ring.serving.isEmpty && ring.everyPartHasOne, "\(count)")
    }
  }

  @Test func aFaultThatAllShareTakesNobodyOut() {
    var ring = Ring(30)
    ring.unwell = Set(0..<30)
    ring.run(80)
    #expect(ring.serving.count == 30)
    ring.unwell = []
    ring.late = Set(0..<30)
    ring.run(80)
    #expect(ring.serving.count == 30)
  }

  @Test func aRingNeverStaysWithoutOneThatServes() {
    var random = generator("ring")
    fuzz(rounds: 30) {
      var ring = Ring(3 + random.below(38))
      let count = ring.names.count
      for _ in 0..<50 {
        let node = random.below(count)
        switch random.below(9) {
        case 0, 1, 2: _ = ring.takeOut(node)
        case 3: ring.bringBack(node)
        case 4: ring.dead.insert(node)
        case 5: ring.revive(node)
        case 6: ring.unwell.formSymmetricDifference([node])
        case 7: ring.late.formSymmetricDifference([node])
        default:
          // A zone: all of a stretch by name go out, or die, at the same moment.
          let byName = (0..<count).sorted { ring.names[$0] < ring.names[$1] }
          let kills = random.chance(50)
          for step in 0..<random.below(count) {
            let other = byName[(node + step) % count]
            if kills { ring.dead.insert(other) } else { _ = ring.takeOut(other) }
          }
        }
        ring.run(1 + random.below(8))
        guard ring.dead.count < count else {
          for other in 0..<count { ring.revive(other) }
          ring.run(20)
          continue
        }
        // Silence is noticed after four turns, and one serves a turn or two later: the group never lacks one for longer.
        #expect(ring.longestEmpty <= 6, "\(seedNote): \(count) nodes, \(ring.longestEmpty) turns")
        ring.longestEmpty = 0
        if random.chance(20) {
          ring.run(120)
          #expect(ring.everyPartHasOne, "\(seedNote): \(count) nodes")
          #expect(ring.emptyTurns == 0, "\(seedNote)")
        }
      }
    }
  }
}
