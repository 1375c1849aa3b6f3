// What the compiler says of rules that can be read and make no sense: place, what was found, what to write. Pinned whole:
// these texts are what people mend their rules by.

import Firewall
import Testing

@Suite struct PolicyFaultTests {
  @Test(arguments: [
    (
      #"SecRule ARGS "@rx a" "id:1,pass,denny""#,
      "error: the action \"denny\"; an action of SecLang; did you mean \"deny\"?"
    ),
    (
      #"SecRule ARGS "@contain a" "id:1""#,
      "error: the operator \"@contain\"; an operator of SecLang; did you mean \"@contains\"?"
    ),
    (
      #"SecRule ARG "@rx a" "id:1""#,
      "error: the variable \"ARG\"; a variable of SecLang; did you mean \"ARGS\"?"
    ),
    (
      #"SecRule ARGS "@rx a" "id:1,t:lowercas""#,
      "error: the transformation \"lowercas\"; a transformation of SecLang; did you mean \"lowercase\"?"
    ),
    (
      "SecMarker END_A\nSecRule ARGS \"@rx a\" \"id:1,pass,skipAfter:END_B\"",
      "error: skipAfter:END_B; a SecMarker of that name; did you mean \"END_A\"?"
    ),
    (
      "SecAction \"id:1,pass\"\nSecAction \"id:1,pass\"",
      "error: the id 1 a second time; an id of its own; a.conf:1 has it"
    ),
    (
      #"SecRule ARGS "@rx a" "pass""#, "error: a rule without an id; an id of its own, as in \"id:1000\""
    ),
    (
      #"SecRule ARGS "@rx a" "id:0,pass""#, "error: id \"0\"; a positive number"
    ),
    (
      #"SecRule ARGS "@rx a" "id:1,pass,chain""#,
      "error: a chain without its last rule; a rule after the one with `chain`"
    ),
    (
      "SecRule ARGS \"@rx a\" \"id:1,pass,chain\"\nSecMarker M\n",
      "error: a marker inside a chain; the next rule of the chain"
    ),
    (
      "SecRule ARGS \"@rx a\" \"id:1,pass,chain\"\nSecRule ARGS \"@rx b\" \"deny\"",
      "error: `deny` in a later rule of a chain; disruptive actions in the first rule of the chain"
    ),
    (
      #"SecAction "id:1,phase:6,pass""#, "error: phase \"6\"; 1 to 5, request, response or logging"
    ),
    (
      #"SecAction "id:1,pass,severity:LOUD""#,
      "error: severity \"LOUD\"; 0 to 7 or EMERGENCY, ALERT, CRITICAL, ERROR, WARNING, NOTICE, INFO, DEBUG"
    ),
    (
      #"SecAction "id:1,pass,skip:0""#, "error: skip \"0\"; a number of rules, 1 or more"
    ),
    (
      #"SecAction "id:1,pass,msg:'%{NOPE}'""#,
      "error: %{NOPE} in a text; a variable that exists, as in %{MATCHED_VAR} or %{TX.score}"
    ),
    (
      #"SecAction "id:1,deny,status:99""#, "error: status \"99\"; an HTTP status from 100 to 599"
    ),
    (
      #"SecAction "id:1,pass,ctl:ruleEngine=Maybe""#,
      "error: ctl:ruleEngine=Maybe; On, Off or DetectionOnly"
    ),
    (
      #"SecAction "id:1,pass,setvar:args.a=1""#,
      "error: setvar of \"args\"; tx, ip, global, session, user or resource and a name"
    ),
    (
      "SecRuleRemoveById 7-3",
      "error: \"7-3\" as rule ids; a number or a range, as in 942100 or 942000-942999"
    ),
    (
      "SecDefaultAction \"phase:2,log,block\"",
      "error: SecDefaultAction without a disruptive action; one of pass, deny, drop, redirect, allow"
    ),
    (
      "SecDefaultAction \"phase:2,log,pass\"\nSecDefaultAction \"phase:2,log,deny\"",
      "error: SecDefaultAction for phase 2 a second time; one for each phase; a.conf:1 has it"
    ),
    (
      #"SecAction "id:1,pass,exec:/bin/true""#,
      "error: the action `exec`; no programs: a firewall that runs them is a way in"
    ),
  ])
  func aFaultIsTold(text: String, told: String) {
    let faults = RuleText.faults(text)
    #expect(faults.count == 1)
    #expect(faults.first?.drop { $0 != " " }.dropFirst() == told[...], "\(faults)")
  }

  @Test func allFaultsAreToldAtOnceEachWithItsLine() {
    let text = """
      SecRule ARGS "@rx (" "id:1,pass"
      SecRule ARGS "@rx a" "pass"
      SecAction "id:3,pass,t:nothing"
      """
    #expect(
      RuleText.faults(text).map { String($0.prefix { $0 != " " }) }.sorted() == [
        "a.conf:1:", "a.conf:2:", "a.conf:3:",
      ])
  }

  @Test func aRuleOfAllPartsIsTaken() {
    let text = """
      SecDefaultAction "phase:1,log,deny,status:403"
      SecDefaultAction "phase:2,log,pass"
      SecRule ARGS|!ARGS:b|&TX:/x/ "!@pm a b" "id:1,phase:request,block,t:none,t:lowercase,capture,multiMatch,chain,\\
        msg:'%{MATCHED_VAR} %{ARGS:/a}$/} %{tx.a}',severity:2,ver:'1',rev:2,tag:'x',skipAfter:M"
        SecRule TX:1 "@eq %{tx.a}" "setvar:tx.a=+1,setvar:'!tx.b',setvar:ip.c=1,expirevar:ip.c=60"
      SecMarker M
      """
    #expect(RuleText.faults(text) == [])
  }
}
