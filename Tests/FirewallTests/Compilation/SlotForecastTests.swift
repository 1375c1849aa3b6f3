import Testing

@testable import Firewall

// What guards are foreseen to do decides how rules are grouped, never what they say.

struct SlotForecastTests {
  /// A small rule set with levels, written as the Core Rule Set is. Rule 5 takes the guard of level 2 out, rule 6 raises
  /// the level, both where a request asks for it.
  static let rules = """
    SecAction "id:1,phase:1,nolog,pass,setvar:tx.level=1"
    SecRule &TX:level "@eq 0" "id:2,phase:1,nolog,pass,setvar:tx.level=4"
    SecRule &TX:threshold "@eq 0" "id:3,phase:1,nolog,pass,t:none,t:trim,setvar:tx.threshold=%{tx.level}"
    SecRule TX:threshold "@ge 1" "id:4,phase:1,nolog,pass,t:trim,setvar:tx.seen=+%{tx.level}"
    SecRule ARGS:remove "@streq 1" "id:5,phase:1,log,pass,ctl:ruleRemoveById=20"
    SecRule ARGS:raise "@streq 1" "id:6,phase:2,log,pass,RAISE"
    SecRule ARGS "@rx evil" "id:10,phase:2,log,pass,t:lowercase"
    SecRule TX:level "@lt 2" "id:20,phase:2,nolog,pass,skipAfter:END"
    SecRule ARGS "@rx bad" "id:21,phase:2,log,pass,t:lowercase"
    SecRule ARGS_NAMES "@contains bad" "id:22,phase:2,log,pass"
    SecMarker END
    SecRule TX:seen "@gt %{tx.threshold}" "id:30,phase:2,log,pass"
    SecRule &TX:seen "@eq 1" "id:31,phase:2,log,pass"
    """

  static func text(_ canRaise: Bool) -> String {
    rules.replacing("RAISE", with: canRaise ? "setvar:tx.level=2" : "setvar:tx.raised=1")
  }

  @Test func rulesBehindAGuardThatAlwaysJumpsArentScannedAhead() throws {
    let foreseen = try RuleText.policy(Self.text(false)).listing()
    #expect(foreseen.first { $0.id == 10 }?.way == .scanned)
    #expect(foreseen.first { $0.id == 20 }?.way == .guard)
    #expect(foreseen.first { $0.id == 21 }?.way == .always)
    // Where a rule may raise the level, nothing is foreseen.
    #expect(try RuleText.policy(Self.text(true)).listing().first { $0.id == 21 }?.way == .scanned)
  }

  @Test(arguments: [
    "a=1", "a=EVIL", "a=bad", "bad=1", "remove=1&a=BAD", "remove=1&bad=evil", "raise=1&a=bad",
    "raise=1&remove=1&bad=bad", "",
  ])
  func whatIsForeseenChangesNoAnswer(query: String) throws {
    for canRaise in [false, true] {
      for keepsAll in [false, true] {
        func ids(scans: Bool) throws -> [Int] {
          var options = PolicyOptions()
          options.scans = scans
          var run = EngineRun(
            policy: try RuleText.policy(Self.text(canRaise), options: options), keepsAllMatches: keepsAll)
          return run.outcome(of: TestRequest(id: "t", uri: "/?\(query)", headers: [])).matches.map(\.rule)
        }
        #expect(try ids(scans: true) == ids(scans: false), "\(query), \(canRaise), \(keepsAll)")
      }
    }
  }
}

struct FormTests {
  /// Chains that differ in mild transformations alone share a database; the rules' answers are those of one by one.
  @Test func mildTransformationsShareADatabase() throws {
    let chains = [
      "t:none", "t:urlDecodeUni", "t:trim", "t:removeNulls,t:htmlEntityDecode", "t:lowercase",
      "t:trim,t:lowercase",
    ]
    let text = chains.enumerated().map { number, chain in
      "SecRule ARGS \"@rx word\(number)[<\\s]\" \"id:\(number + 1),phase:2,log,pass,\(chain)\""
    }.joined(separator: "\n")
    let policy = try RuleText.policy(text)
    // One for what rewrites nothing, one for lower case.
    #expect(policy.statistics.databases == 2)
    for value in ["word0%20word1%2520 word2+", "%20word2%20", "WORD4 word5+", "word3%2526lt;word1%253c", "x"]
    {
      let plain = try matches(text, value, scans: false)
      #expect(try matches(text, value, scans: true) == plain, "\(value)")
    }
    #expect(try matches(text, "word1%253c", scans: true) == [2])
    #expect(try matches(text, "WORD5%3C", scans: true) == [6])
  }

  private func matches(_ text: String, _ value: String, scans: Bool) throws -> [Int] {
    var options = PolicyOptions()
    options.scans = scans
    var run = EngineRun(policy: try RuleText.policy(text, options: options), keepsAllMatches: true)
    return run.outcome(of: TestRequest(id: "t", uri: "/?a=\(value)", headers: [])).matches.map(\.rule)
  }
}
