// Texts with %{…}: what they become in a message. What has no value is empty; what is no macro stands.

import Firewall
import Testing

@Suite struct MacroTests {
  private static func message(_ text: String) throws -> String? {
    let rules = """
      SecAction "id:1,phase:1,pass,nolog,setvar:tx.a=5,setvar:'tx.b_%{tx.a}=six',setvar:global.g=7"
      SecRule ARGS:q "@rx (t.)(a)" "id:2,phase:1,pass,capture,severity:2,msg:'\(text)',logdata:'data'"
      """
    var run = EngineRun(policy: try RuleText.policy(rules))
    let request = TestRequest(
      id: "t", uri: "/p?q=a+tea&Zip=9", headers: [.init("Host", "h"), .init("X-Y", "z")])
    return run.outcome(of: request).matches.first { $0.rule == 2 }?.message
  }

  @Test(arguments: [
    ("plain", "plain"), ("%{tx.a}", "5"), ("<%{TX.A}>", "<5>"), ("%{tx.b_5}", "six"), ("%{tx.none}|", "|"),
    ("%{MATCHED_VAR}", "a tea"), ("%{MATCHED_VAR_NAME}", "ARGS:q"),
    ("%{TX.0},%{TX.1},%{TX.2},%{TX.3}", "tea,te,a,"),
    ("%{ARGS.zip}%{ARGS:ZIP}", "99"), ("%{ARGS:/^z/}", "9"), ("%{ARGS:/^z.{0,2}$/}!", "9!"),
    ("%{REQUEST_HEADERS.x-y}", "z"), ("%{REQUEST_METHOD} %{REQUEST_URI}", "GET /p?q=a+tea&Zip=9"),
    ("%{RULE.id} %{RULE.severity} %{RULE.logdata}", "2 2 data"), ("%{global.g}", "7"), ("%{ip.x}", ""),
    ("100%", "100%"), ("%{tx.a}%", "5%"), ("%{tx.a", "%{tx.a"), ("{tx.a}", "{tx.a}"), ("%%{tx.a}", "%5"),
    ("%{tx.a}%{tx.a}", "55"), ("%{RULE.msg}", ""),
  ])
  func expands(text: String, result: String) throws {
    #expect(try Self.message(text) == result)
  }

  @Test func anExpressionThatIsNoneIsAFault() {
    #expect(RuleText.faults(#"SecAction "id:1,pass,msg:'%{ARGS:/(/}'""#).count >= 1)
  }
}
