// Plans of made baselines and states: what every plan must be, and single cases that are easily got wrong.

import Controls
import TestChance
import Testing

@Suite struct BaselinePlanTests {
  static let rounds = 400

  private func each(
    _ unknown: Bool = true, _ body: (inout BaselineMaker, Baseline, State, BaselinePlan) throws -> Void
  ) rethrows {
    for round in 0..<Self.rounds {
      var maker = BaselineMaker(round: round)
      guard let baseline = try? maker.baseline() else {
        Issue.record("a made baseline can't be read: \(seedNote) round \(round)")
        return
      }
      let state = maker.state(baseline, unknown: unknown)
      try body(&maker, baseline, state, BaselinePlan(baseline, maker.account, found: state))
    }
  }

  private func plan(_ baseline: Baseline, _ maker: BaselineMaker, _ state: State) -> BaselinePlan {
    BaselinePlan(baseline, maker.account, found: state)
  }

  @Test func planOfWhatItsStepsLeadToHasNoSteps() {
    var steps = 0
    each { maker, baseline, state, first in
      var account = PlayedAccount(state: state)
      for step in first.steps { account.carryOut(step) }
      steps += first.steps.count
      let second = plan(baseline, maker, account.state)
      #expect(second.steps.isEmpty, "\(seedNote): \(second.steps.map(\.key))")
      // What people have to mend, and what isn't known, is as before.
      #expect(second.notices == first.notices, "\(seedNote)")
      #expect(second.unknown == first.unknown, "\(seedNote)")
    }
    #expect(steps > Self.rounds)
  }

  @Test func anyPartOfTheStepsAndANewPlanLeadToTheSameEnd() {
    each { maker, baseline, state, first in
      var whole = PlayedAccount(state: state)
      for step in first.steps { whole.carryOut(step) }
      // Any part that has what it needs: as many accounts are left in when a run is ended.
      var part = PlayedAccount(state: state)
      var done: Set<BaselineKey> = []
      for step in first.steps where step.needs.allSatisfy(done.contains) && !maker.chance.once(in: 3) {
        part.carryOut(step)
        done.insert(step.key)
      }
      let second = plan(baseline, maker, part.state)
      // Nothing twice, and nothing that wasn't in the first.
      let keys = second.steps.map(\.key)
      #expect(keys == first.steps.map(\.key).filter { !done.contains($0) }, "\(seedNote)")
      for step in second.steps { part.carryOut(step) }
      #expect(part.state == whole.state, "\(seedNote)")
    }
  }

  @Test func nothingElseIsChanged() {
    each { maker, baseline, state, plan in
      var account = PlayedAccount(state: state)
      for step in plan.steps { account.carryOut(step) }
      let named = Set(plan.steps.map(\.key))
      for (key, found) in account.state {
        guard named.contains(key) else {
          #expect(found == state[key], "\(key) \(seedNote)")
          continue
        }
        guard case .set(let after) = found else {
          Issue.record("\(key) isn't there after its step: \(seedNote)")
          continue
        }
        guard case .set(let before)? = state[key] else { continue }
        let goal = baseline.goals(of: maker.account, state).first { $0.key == key }
        // What is only given to new things isn't named of one that is there.
        let wanted = Set((goal?.wanted ?? []).filter { $0.value != .initially($0.value.target) }.map(\.name))
        for (name, value) in before where !wanted.contains(name) {
          #expect(after[name] == value, "\(key) \(name) \(seedNote)")
        }
      }
    }
  }

  @Test func stepsRepeatNothingThatIsThere() {
    each { maker, baseline, state, plan in
      for step in plan.steps {
        #expect(!step.changes.isEmpty)
        for change in step.changes {
          let wanted = step.goal.wanted.first { $0.name == change.name }
          #expect(
            wanted.map { step.isNew ? change.from == nil : !$0.value.isMet(by: change.from) }
              ?? (change.name == "exists"),
            "\(seedNote)")
          #expect(wanted.map { $0.value.isMet(by: change.to) } ?? true, "\(seedNote)")
        }
      }
    }
  }

  @Test func whatIsNotKnownHasNoStep() {
    var held = 0
    each { _, baseline, state, plan in
      let steps = Set(plan.steps.map(\.key))
      let unknown = Set(plan.unknown.map(\.key))
      #expect(steps.isDisjoint(with: unknown), "\(seedNote)")
      for (key, found) in state {
        guard case .unknown = found else { continue }
        #expect(!steps.contains(key) && unknown.contains(key), "\(key) \(seedNote)")
      }
      // Nor has what needs it, near or far.
      for step in plan.steps {
        #expect(step.goal.needs.allSatisfy { !unknown.contains($0) }, "\(step.key) \(seedNote)")
      }
      held += plan.unknown.count { $0.reason.en.hasPrefix("it needs") }
    }
    #expect(held > 0)
  }

  @Test func stepsComeAfterWhatTheyNeed() {
    each { _, _, _, plan in
      var before: Set<BaselineKey> = []
      for step in plan.steps {
        #expect(step.needs.allSatisfy(before.contains), "\(step.key) \(seedNote)")
        #expect(before.insert(step.key).inserted, "\(step.key) twice \(seedNote)")
      }
    }
  }

  @Test func allAsWantedIsAnEmptyPlan() {
    each(false) { maker, baseline, state, _ in
      var account = PlayedAccount(state: state)
      for goal in baseline.goals(of: maker.account, state) {
        account.state[goal.key] = goal.reached(from: state[goal.key] ?? .absent)
      }
      let plan = plan(baseline, maker, account.state)
      #expect(plan.isEmpty, "\(seedNote): \(plan.steps.map(\.key)) \(plan.notices.map(\.key))")
    }
  }

  @Test func samePlanHoweverOftenItIsMade() {
    each { maker, baseline, state, first in
      let shuffled = Dictionary(uniqueKeysWithValues: state.map { ($0, $1) }.reversed())
      #expect(plan(baseline, maker, shuffled) == first, "\(seedNote)")
    }
  }

  // MARK: - Single cases

  private static let account = BaselineAccount(
    number: "111122223333", partition: "aws", home: "eu-west-1", regions: ["eu-west-1"])

  private func plan(_ text: String, _ found: State) throws -> BaselinePlan {
    BaselinePlan(try Baseline(text), Self.account, found: found)
  }

  @Test func stricterPasswordsThanWantedStay() throws {
    let text = "baseline: b\npassword-policy: {minimum-length: 14, maximum-age-days: 90, reuse-prevention: 5}"
    let key = BaselineKey(.passwordPolicy)
    let strict = ["MinimumPasswordLength": "20", "MaxPasswordAge": "30", "PasswordReusePrevention": "24"]
    #expect(try plan(text, [key: .set(strict)]).isEmpty)
    let lax = ["MinimumPasswordLength": "8", "MaxPasswordAge": "0"]
    let changes = try #require(try plan(text, [key: .set(lax)]).steps.first).changes
    #expect(
      changes == [
        BaselineChange(name: "MinimumPasswordLength", from: "8", to: "14"),
        BaselineChange(name: "PasswordReusePrevention", from: nil, to: "5"),
        BaselineChange(name: "MaxPasswordAge", from: "0", to: "90"),
      ])
  }

  @Test func nothingThatPasswordsAreHeldToIsTakenAway() throws {
    let key = BaselineKey(.passwordPolicy)
    let lax = "symbols: false, numbers: false, upper-case: false, lower-case: false, users-may-change: true"
    let strict = [
      "RequireSymbols": "true", "RequireNumbers": "true", "RequireUppercaseCharacters": "true",
      "RequireLowercaseCharacters": "true", "AllowUsersToChangePassword": "false",
    ]
    let found = FoundSetting.set(strict.merging(["MinimumPasswordLength": "14"]) { $1 })
    #expect(try plan("baseline: b\npassword-policy: {minimum-length: 6, \(lax)}", [key: found]).isEmpty)
    // A policy that is made anew gets what is said; one that would demand nothing isn't made.
    let made = try plan("baseline: b\npassword-policy: {minimum-length: 14, \(lax)}", [key: .absent])
    #expect(made.steps.first?.changes.map(\.to) == ["14", "false", "false", "false", "false", "true"])
    #expect(try plan("baseline: b\npassword-policy: {\(lax)}", [key: .absent]).isEmpty)
    // What is demanded is demanded.
    let demanded = try plan(
      "baseline: b\npassword-policy: {symbols: true, users-may-change: false}",
      [key: .set(["RequireSymbols": "false", "AllowUsersToChangePassword": "true"])])
    #expect(demanded.steps.first?.changes.map(\.to) == ["true", "false"])
  }

  @Test func whatIsNotNamedOfAThingThatIsThereStays() throws {
    let text = "baseline: b\nlogs: {bucket: logs}\nconfig: {name: default}\nguardduty: {}"
    let detector = BaselineKey(.detector, region: "eu-west-1")
    let channel = BaselineKey(.deliveryChannel, region: "eu-west-1")
    func changes(_ found: State) throws -> [BaselineKey: [BaselineChange]] {
      var state = found
      // All else is as wanted.
      for goal in try Baseline(text).goals(of: Self.account, [:]) where state[goal.key] == nil {
        state[goal.key] = goal.reached(from: .absent)
      }
      return Dictionary(uniqueKeysWithValues: try plan(text, state).steps.map { ($0.key, $0.changes) })
    }
    #expect(
      try changes([
        detector: .set(["Status": "ENABLED", "FindingPublishingFrequency": "FIFTEEN_MINUTES"]),
        channel: .set(["S3BucketName": "logs", "DeliveryFrequency": "One_Hour"]),
      ]).isEmpty)
    #expect(try changes([channel: .set(["S3BucketName": "logs"])]).isEmpty)
    let off = try changes([detector: .set(["Status": "DISABLED"]), channel: .set(["S3BucketName": "x"])])
    #expect(off.values.allSatisfy { $0.count == 1 } && off.count == 2)
    let new = try changes([detector: .absent, channel: .absent])
    func given(_ name: String, _ value: String) -> BaselineChange {
      BaselineChange(name: name, from: nil, to: value)
    }
    #expect(new[detector]?.last == given("FindingPublishingFrequency", "SIX_HOURS"))
    #expect(new[channel]?.last == given("DeliveryFrequency", "TwentyFour_Hours"))
  }

  @Test func groupThatIsUsedIsNotClosed() throws {
    let key = BaselineKey(.defaultGroup, region: "eu-west-1", name: "sg-1")
    let open = ["Ingress": "all from sg-1", "Egress": "all to 0.0.0.0/0"]
    let text = "baseline: b\ndefault-security-groups: closed"
    let used = try plan(text, [key: .set(open.merging(["UsedBy": "2"]) { $1 })])
    #expect(used.steps.isEmpty)
    #expect(used.notices.map(\.key) == [key])
    #expect(used.notices.first?.reason.en.contains("2 network interfaces") == true)
    #expect(try plan(text, [key: .set(open.merging(["UsedBy": "0"]) { $1 })]).steps.map(\.key) == [key])
    #expect(try plan(text, [key: .set(["Ingress": "none", "Egress": "none"])]).isEmpty)
  }

  @Test func hygieneIsToldAndNeverSet() throws {
    let found: State = [
      BaselineKey(.rootMFA): .set(["AccountMFAEnabled": "false"]),
      BaselineKey(.user, name: "old"): .set(["SignsInWithoutMFA": "false", "OldestKeyDays": "91"]),
      BaselineKey(.user, name: "young"): .set(["SignsInWithoutMFA": "false", "OldestKeyDays": "90"]),
      BaselineKey(.user, name: "keyless"): .set(["SignsInWithoutMFA": "false"]),
    ]
    let plan = try plan("baseline: b\nhygiene: {root-mfa: true, user-mfa: true, access-key-days: 90}", found)
    #expect(plan.steps.isEmpty)
    #expect(plan.notices.map(\.key.description) == ["global/root-mfa", "global/user/old"])
  }

  @Test func whatWasNotLookedAtIsUnknown() throws {
    let plan = try plan("baseline: b\nebs-encryption: true", [:])
    #expect(plan.steps.isEmpty)
    #expect(plan.unknown.map(\.key.description) == ["eu-west-1/ebs-encryption"])
  }

  @Test func homeHasWhatIsRecordedOnce() throws {
    let account = BaselineAccount(
      number: "111122223333", partition: "aws-cn", home: "cn-north-1",
      regions: ["cn-north-1", "cn-northwest-1"])
    let baseline = try Baseline(
      """
      baseline: b
      logs: {bucket: 'l-{account}-{region}-{partition}'}
      trail: {name: made}
      config: {rules: [{name: here, identifier: ONE, only: home}, {name: all, identifier: TWO, parameters: {b: 2, a: yes}}]}
      """)
    let goals = baseline.goals(of: account, [:])
    let rules = goals.filter { $0.key.item == .configRule }.map(\.key.description)
    #expect(
      rules == [
        "cn-north-1/config-rule/all", "cn-north-1/config-rule/here", "cn-northwest-1/config-rule/all",
      ])
    let recorders = goals.filter { $0.key.item == .recorder }
    #expect(recorders.map { $0.target("IncludeGlobalResourceTypes") } == ["true", nil])
    #expect(goals.first { $0.key.item == .logBucket }?.target("Name") == "l-111122223333-cn-north-1-aws-cn")
    let policy = goals.first { $0.key.item == .logBucketPolicy }
    #expect(
      policy?.target("KabutoTrailWrite")?.contains("arn:aws-cn:cloudtrail:cn-north-1:111122223333:trail/made")
        == true)
    let parameters = goals.first { $0.key.name == "all" }?.target("InputParameters")
    #expect(parameters == #"{"a":"true","b":"2"}"#)
  }

  @Test func needsOfTheTableComeBeforeInTheOrder() {
    let order = BaselineItem.allCases
    for item in order {
      for need in item.needs {
        let (one, other) = (order.firstIndex(of: need) ?? 0, order.firstIndex(of: item) ?? 0)
        #expect(one < other, "\(need) before \(item)")
        // Something of the account never waits for something of a region.
        #expect(item.isRegional || !need.isRegional)
      }
    }
  }
}
