import Continuity
import MarketData
import Testing

@Suite struct DrillTests {
  private let second: UInt64 = 1_000_000_000
  private var plan: DrillPlan {
    var plan = DrillPlan(name: "gw-1 out", fault: .outOfService, node: "gw-1")
    plan.calmNanoseconds = 2 * second
    plan.holdNanoseconds = 5 * second
    plan.settleNanoseconds = 3 * second
    return plan
  }

  private func condition(_ notReady: String..., dead: Bool = false) -> DrillCondition {
    DrillCondition(
      nodes: ["gw-1", "gw-2"].map {
        DrillCondition.Node(
          name: $0, roles: ["gateway"], isReady: !notReady.contains($0), reason: "stale")
      },
      paths: [DrillCondition.Path(gateway: "gw-2", name: "XTKS from plant-1", isLive: !dead)])
  }

  /// A run up to its fault, at five seconds.
  private func faulted() -> DrillMachine {
    var machine = DrillMachine(plan, now: 0)
    #expect(machine.observed(condition(), now: 0) == .wait)
    #expect(machine.observed(condition(), now: 2 * second) == .inject)
    #expect(machine.injected(now: 2 * second) == .wait)
    return machine
  }

  @Test func aRunThatNobodyNoticesPasses() {
    var machine = faulted()
    #expect(machine.observed(condition("gw-1"), now: 3 * second) == .wait)
    #expect(machine.tick(now: 6 * second) == .wait)
    #expect(machine.tick(now: 7 * second) == .heal("the time of the fault is over"))
    #expect(machine.isFaulted)
    #expect(machine.healed(now: 8 * second) == .wait)
    #expect(!machine.isFaulted)
    #expect(machine.observed(condition("gw-1"), now: 9 * second) == .wait)
    #expect(machine.observed(condition(), now: 10 * second) == .wait)
    #expect(machine.tick(now: 11 * second) == .finish(.passed))
  }

  @Test func nothingIsDoneToAnEstateThatHasNothingToSpare() {
    for (condition, last, word) in [
      (condition("gw-2"), nil, "gw-2 is not ready: stale"), (condition(dead: true), nil, "is not live"),
      (condition(), "outage of 2 s", "the last drill did not pass"),
      (
        DrillCondition(nodes: [.init(name: "gw-1", roles: ["gateway"], isReady: true)]), nil,
        "the only gateway"
      ),
      (
        DrillCondition(nodes: [.init(name: "gw-2", roles: ["gateway"], isReady: true)]), nil,
        "no node that is watched"
      ),
    ] as [(DrillCondition, String?, String)] {
      var machine = DrillMachine(plan, lastFailed: last, now: 0)
      guard case .finish(.refused(let objections)) = machine.observed(condition, now: 0) else {
        Issue.record("\(word): not refused")
        continue
      }
      #expect(objections.contains { $0.contains(word) }, "\(objections)")
      #expect(!machine.isFaulted)
    }
  }

  @Test func theLastOfAMarketAndWhatTheEstateWouldLoseAreLeftAlone() {
    func node(_ name: String, _ markets: Set<String>) -> DrillCondition.Node {
      DrillCondition.Node(name: name, roles: ["gateway"], markets: markets, isReady: true)
    }
    let both = DrillCondition(nodes: [node("gw-1", ["XTKS", "XOSE"]), node("gw-2", ["XTKS"])])
    #expect(DrillGuard.objections(to: plan, in: both) == ["gw-1 is the only gateway of XOSE that is ready"])
    var machine = DrillMachine(plan, wouldLose: ["trading: stops"], now: 0)
    #expect(
      machine.observed(condition(), now: 0)
        == .finish(.refused(["without gw-1 this would be lost: trading: stops"])))
  }

  @Test func whatStillDoesTheFaultIsToEndOnceAClientSeesIt() {
    var machine = DrillMachine(plan, now: 0)
    _ = machine.observed(condition(), now: 0)
    #expect(machine.observed(condition(), now: 2 * second) == .inject)
    #expect(!machine.isToEnd)
    #expect(machine.clientSaw(DrillError(kind: "outage", text: "t"), now: 2 * second) == .wait)
    #expect(machine.isToEnd)
    #expect(machine.injectionFailed("ended", now: 2 * second) == .heal("the fault could not be done: ended"))
    #expect(!machine.isToEnd)
  }

  @Test func whatGoesBadWhileItCalmsRefusesToo() {
    var machine = DrillMachine(plan, now: 0)
    #expect(machine.observed(condition(), now: 0) == .wait)
    guard case .finish(.refused) = machine.observed(condition("gw-2"), now: second) else {
      Issue.record("not refused")
      return
    }
  }

  @Test func theFirstErrorOfAClientEndsTheFault() {
    var machine = faulted()
    let error = DrillError(kind: "outage", text: "nothing for 1.2 s")
    #expect(machine.clientSaw(error, now: 3 * second) == .heal("a client saw it: nothing for 1.2 s"))
    #expect(machine.clientSaw(DrillError(kind: "stale", text: "b"), now: 3 * second) == .wait)
    #expect(machine.firstError == error)
    _ = machine.healed(now: 4 * second)
    #expect(
      machine.observed(condition(), now: 5 * second) == .finish(.failed("a client saw it: nothing for 1.2 s"))
    )
  }

  @Test func anotherNodeThatGoesEndsTheFault() {
    var machine = faulted()
    guard case .heal(let because) = machine.observed(condition("gw-1", "gw-2"), now: 3 * second) else {
      Issue.record("goes on")
      return
    }
    #expect(because.contains("gw-2"))
  }

  @Test func aFaultThatCouldNotBeDoneIsTakenBack() {
    var machine = DrillMachine(plan, now: 0)
    _ = machine.observed(condition(), now: 0)
    _ = machine.observed(condition(), now: 2 * second)
    guard case .heal = machine.injectionFailed("status 1", now: 3 * second) else {
      Issue.record("not healed")
      return
    }
  }

  @Test func healingIsTriedAgainAndThenPeopleAreCalled() {
    var machine = faulted()
    _ = machine.tick(now: 7 * second)
    for _ in 1..<DrillMachine.healingAttempts {
      guard case .heal = machine.healingFailed("no connection", now: 8 * second) else {
        Issue.record("given up early")
        return
      }
    }
    #expect(machine.healingFailed("no connection", now: 9 * second) == .finish(.notHealed("no connection")))
    #expect(machine.isFaulted)
  }

  @Test func anEstateThatIsNotWellAgainFails() {
    var machine = faulted()
    _ = machine.tick(now: 7 * second)
    _ = machine.healed(now: 8 * second)
    _ = machine.observed(condition(), now: 9 * second)
    _ = machine.observed(condition(dead: true), now: 10 * second)
    guard case .finish(.failed(let reason)) = machine.tick(now: 12 * second) else {
      Issue.record("passed")
      return
    }
    #expect(reason.contains("not well again"))
  }

  @Test func whateverHappensAFaultIsTakenBack() {
    for round in 0..<2_000 as Range<UInt64> {
      var random = SeededGenerator(seed: 0xd1 &+ round)
      var machine = DrillMachine(plan, now: 0)
      var now: UInt64 = 0
      var (isInjected, healings, outcome): (Bool, Int, DrillOutcome?) = (false, 0, nil)
      for _ in 0..<300 where outcome == nil {
        now += random.next() % (2 * second)
        var action: DrillMachine.Action
        switch random.next() % 8 {
        case 0: action = machine.clientSaw(DrillError(kind: "stale", text: "s"), now: now)
        case 1: action = machine.observed(condition("gw-2"), now: now)
        case 2: action = machine.observed(condition("gw-1"), now: now)
        case 3 where random.next() % 4 == 0: action = machine.stop("SIGINT", now: now)
        case 4: action = machine.tick(now: now)
        default: action = machine.observed(condition(), now: now)
        }
        // The shell's part, at once or after some events.
        while true {
          switch action {
          case .inject:
            isInjected = true
            if random.next() % 3 == 0 {
              _ = machine.clientSaw(DrillError(kind: "stale", text: "s"), now: now)
            }
            action =
              random.next() % 4 == 0
              ? machine.injectionFailed("x", now: now) : machine.injected(now: now)
            continue
          case .heal:
            healings += 1
            #expect(isInjected)
            action =
              random.next() % 3 == 0 ? machine.healingFailed("x", now: now) : machine.healed(now: now)
            continue
          case .finish(let end): outcome = end
          case .wait: break
          }
          break
        }
      }
      if isInjected, let outcome {
        #expect(healings > 0, "round \(round): \(outcome)")
        if case .refused = outcome { Issue.record("round \(round): refused after the fault") }
      }
      if case .passed = outcome { #expect(machine.firstError == nil, "round \(round)") }
    }
  }

  @Test func theNewestLineOfARunHolds() {
    var first = DrillRecord(id: "a", plan: plan, began: 1)
    let begun = first
    first.take(.failed("x"))
    let second = DrillRecord(id: "b", plan: plan, began: 2)
    let newest = DrillRecord.newest([begun, second, first])
    #expect(newest.map(\.id) == ["a", "b"])
    #expect(newest[0].outcome == "failed" && newest[0].isObstacle)
    #expect(newest[1].isObstacle, "cut off")
    first.isAcknowledged = true
    #expect(!first.isObstacle)
  }
}
