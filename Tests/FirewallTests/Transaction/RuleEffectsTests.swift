// What a match does to the rest of its transaction: setvar's arithmetic, ctl, skip and skipAfter, allow.

import Firewall
import Testing

@Suite struct RuleEffectsTests {
  private static func value(_ settings: [String]) throws -> String? {
    let actions = settings.map { "setvar:'\($0)'" }.joined(separator: ",")
    let text = """
      SecAction "id:1,phase:1,pass,nolog,\(actions)"
      SecRule TX:v "@unconditionalMatch" "id:2,phase:1,pass,msg:'%{tx.v}'"
      """
    var run = EngineRun(policy: try RuleText.policy(text))
    return run.outcome(of: TestRequest(id: "t", uri: "/?n=12")).matches.first { $0.rule == 2 }?.message
  }

  @Test(arguments: [
    (["tx.v=1"], "1"), (["tx.v"], "1"), (["tx.v=+5"], "5"), (["tx.v=-5"], "-5"),
    (["tx.v=3", "tx.v=+4"], "7"),
    (["tx.v=3", "TX.V=-4"], "-1"), (["tx.v=a", "tx.v=+1"], "1"), (["tx.v=2", "tx.v=+x"], "2"),
    (["tx.v=1", "!tx.v"], nil),
    (["tx.v="], ""), (["tx.w=7", "tx.v=%{tx.w}"], "7"), (["tx.w=7", "tx.v=+%{tx.w}", "tx.v=+%{tx.w}"], "14"),
    (["tx.v=%{ARGS.n}"], "12"), (["tx.v=a=b"], "a=b"), (["tx.w=v", "tx.%{tx.w}=9"], "9"),
    (["tx.v=9223372036854775807", "tx.v=+1"], "9223372036854775807"),
    (["tx.v=-9223372036854775808", "tx.v=-1"], "-9223372036854775808"),
    (["tx.v=1", "tx.v=-99999999999999999999"], "-9223372036854775806"),
    (["tx.v=-2", "tx.v=-99999999999999999999"], "-9223372036854775808"),
    (["tx.v=99999999999999999999999", "tx.v=+0"], "9223372036854775807"),
  ])
  func setvarCounts(settings: [String], result: String?) throws {
    #expect(try Self.value(settings) == result)
  }

  private static let targets = """
    SecRule ARGS "@contains x" "id:10,phase:1,pass,tag:'t1'"
    SecRule ARGS:a|REQUEST_URI "@contains x" "id:11,phase:1,pass,tag:'t1',tag:'t2'"
    SecRule ARGS "!@contains q" "id:12,phase:2,pass,tag:'t2'"
    """

  @Test(arguments: [
    ("nolog", [10, 11, 12]), ("ctl:ruleRemoveById=10", [11, 12]), ("ctl:ruleRemoveById=11-12", [10]),
    ("ctl:ruleRemoveByTag=t2", [10]), ("ctl:ruleRemoveTargetById=10;ARGS:a", [11, 12]),
    ("ctl:ruleRemoveTargetById=10-12;ARGS", [11]), ("ctl:ruleRemoveTargetById=11;REQUEST_URI", [10, 11, 12]),
    ("ctl:ruleRemoveTargetByTag=t2;ARGS:/^A$/", [10, 11]), ("ctl:ruleEngine=Off", []),
    ("ctl:ruleRemoveById=10,ctl:ruleRemoveById=12", [11]),
  ])
  func ctlTakesRulesAndTargetsOut(action: String, left: [Int]) throws {
    let text = "SecAction \"id:1,phase:1,pass,nolog,\(action)\"\n" + Self.targets
    #expect(try RuleText.matches(text, "/?a=x").filter { $0 > 1 } == left)
    // Another transaction isn't touched.
    let conditional = "SecRule ARGS:off \"@eq 1\" \"id:1,phase:1,pass,nolog,\(action)\"\n" + Self.targets
    var run = EngineRun(policy: try RuleText.policy(conditional))
    _ = run.outcome(of: TestRequest(id: "t", uri: "/?a=x&off=1"))
    #expect(run.outcome(of: TestRequest(id: "t", uri: "/?a=x")).logged == [10, 11, 12])
  }

  @Test func ctlChoosesTheBodyProcessorAndIsSeenAtOnce() throws {
    let text = """
      SecRule REQUEST_URI "@beginsWith /" "id:1,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON"
      SecRule REQBODY_PROCESSOR "@streq JSON" "id:2,phase:1,pass"
      SecRule ARGS:json.k "@streq v" "id:3,phase:2,pass"
      """
    var run = EngineRun(policy: try RuleText.policy(text))
    let request = TestRequest(id: "t", method: "POST", body: Array("{\"k\":\"v\"}".utf8))
    #expect(run.outcome(of: request).logged == [2, 3])
  }

  private static func numbered(_ first: String) -> String {
    first + (2...6).map { "\nSecAction \"id:\($0),phase:1,pass\"" }.joined()
  }

  @Test(arguments: [
    ("skip:1", [1, 3, 4, 5, 6]), ("skip:3", [1, 5, 6]), ("skip:5", [1]), ("skip:99", [1]),
    ("nolog", [1, 2, 3, 4, 5, 6]),
  ])
  func skipPassesOverRulesOfItsPhase(action: String, left: [Int]) throws {
    let text = Self.numbered("SecAction \"id:1,phase:1,pass,\(action)\"\nSecAction \"id:9,phase:2,pass\"")
    #expect(try RuleText.matches(text) == left + [9])
  }

  @Test func skipAfterGoesToItsMarkerAndOnlyForward() throws {
    let text = """
      SecMarker BACK
      SecAction "id:1,phase:1,pass,skipAfter:M"
      SecAction "id:2,phase:1,pass"
      SecAction "id:3,phase:2,pass"
      SecMarker M
      SecAction "id:4,phase:1,pass"
      SecRule ARGS:a "@eq 2" "id:5,phase:1,pass,skipAfter:M2"
      SecAction "id:6,phase:1,pass,skipAfter:BACK"
      SecAction "id:7,phase:1,pass"
      SecMarker M2
      SecAction "id:8,phase:2,pass"
      """
    #expect(try RuleText.matches(text) == [1, 4, 6, 3, 8])
    #expect(try RuleText.matches(text, "/?a=2") == [1, 4, 5, 3, 8])
  }

  @Test(arguments: [
    ("allow", [1, 5]), ("allow:phase", [1, 3, 4, 5]), ("allow:request", [1, 4, 5]),
    ("pass", [1, 2, 3, 4, 5]),
    ("deny", [1, 5]),
  ])
  func allowLetsPassWhatItSays(action: String, left: [Int]) throws {
    let text =
      "SecAction \"id:1,phase:1,\(action)\"\nSecAction \"id:2,phase:1,pass\"\nSecAction \"id:3,phase:2,pass\"\n"
      + "SecAction \"id:4,phase:3,pass\"\nSecAction \"id:5,phase:5,pass\""
    let found = try RuleText.matches(text, isEnforcing: true)
    // A denied request is at its end: the caller goes from there to `finish`, this runner through all phases.
    #expect(action == "deny" ? found.first == 1 && !found.contains(2) : found == left)
  }

  @Test func observingSaysWhatEnforcingWouldDo() throws {
    let text = "SecRule ARGS:a \"@eq 1\" \"id:1,phase:1,deny,status:429\"\nSecAction \"id:2,phase:1,pass\""
    var observing = EngineRun(policy: try RuleText.policy(text))
    let seen = observing.outcome(of: TestRequest(id: "t", uri: "/?a=1"))
    #expect(
      seen.status == 200 && seen.wouldBlock == Intervention(kind: .deny(status: 429), rule: 1, phase: 1))
    #expect(seen.logged == [1, 2])
    var enforcing = EngineRun(policy: try RuleText.policy(text), isEnforcing: true)
    let done = enforcing.outcome(of: TestRequest(id: "t", uri: "/?a=1"))
    #expect(done.status == 429 && done.logged == [1])
  }
}
