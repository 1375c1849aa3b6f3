// SecRuleRemoveBy…, SecRuleUpdateTargetBy… and SecRuleUpdateActionById: what is left of the rules that they name.

import Firewall
import Testing

@Suite struct RuleChangesTests {
  private static let rules = """
    SecRule ARGS "@contains x" "id:1,pass,tag:'t1',msg:'one'"
    SecRule ARGS "@contains x" "id:2,pass,tag:'t1',tag:'t2',msg:'two'"
    SecRule ARGS:a "@contains x" "id:3,pass,tag:'t2',msg:'two'"
    SecRule ARGS_NAMES "@contains x" "id:10,pass,chain"
      SecRule ARGS "@contains y" "t:none"

    """

  private static func matches(_ change: String, _ uri: String = "/?a=x&b=xy&x=1") throws -> [Int] {
    try RuleText.matches(rules + change, uri)
  }

  @Test(arguments: [
    ("", [1, 1, 2, 2, 3, 10]), ("SecRuleRemoveById 2", [1, 3, 10]), ("SecRuleRemoveById 1-3", [10]),
    ("SecRuleRemoveById 1 3,10", [2]), ("SecRuleRemoveById \"1 2\" 4-20", [3]),
    ("SecRuleRemoveByTag t1", [3, 10]),
    ("SecRuleRemoveByMsg two", [1, 10]), ("SecRuleRemoveByMsg tw", [1, 2, 3, 10]),
    ("SecRuleRemoveById 99", [1, 2, 3, 10]),
    ("SecRuleUpdateTargetById 1-2 \"!ARGS:a\"", [1, 2, 3, 10]),
    ("SecRuleUpdateTargetById 1-2 \"!ARGS:a,!ARGS:/^B$/\"", [3, 10]),
    ("SecRuleUpdateTargetByTag t2 \"!ARGS\"", [1, 10]),
    ("SecRuleUpdateTargetByMsg one \"!ARGS\"", [2, 3, 10]),
    ("SecRuleUpdateTargetById 3 \"ARGS:q\" \"ARGS:a\"", [1, 2, 10]),
    ("SecRuleUpdateTargetById 10 \"!ARGS_NAMES:x\"", [1, 2, 3]),
  ])
  func changesApply(change: String, left: [Int]) throws {
    #expect(try Set(Self.matches(change)) == Set(left))
  }

  @Test func changesApplyWhereverTheyStand() throws {
    #expect(
      try RuleText.matches("SecRuleRemoveById 1\nSecRuleUpdateTargetById 2 \"!ARGS\"\n" + Self.rules, "/?a=x")
        == [3])
  }

  @Test func actionsAreReplacedByKindAndAdded() throws {
    let text = """
      SecRule ARGS "@contains x" "id:1,phase:1,deny,status:403,nolog,msg:'old',tag:'a',t:none,chain"
        SecRule ARGS "@contains Y" "t:none"
      SecRuleUpdateActionById 1 "pass,log,msg:'new',tag:'b'"
      SecRuleUpdateActionById 1:1 "t:uppercase"
      """
    var run = EngineRun(policy: try RuleText.policy(text), isEnforcing: true)
    let outcome = run.outcome(of: TestRequest(id: "t", uri: "/?a=xy"))
    let match = try #require(outcome.matches.first)
    #expect(outcome.status == 200 && match.logged)
    #expect(match.message == "new" && match.tags == ["a", "b"])
  }

  @Test func anUpdateOfNoRuleIsNoted() throws {
    let policy = try RuleText.policy("SecAction \"id:1,pass\"\nSecRuleUpdateActionById 9 \"deny\"")
    #expect(policy.notes == ["a.conf:2: no rule 9 to update"])
  }
}
