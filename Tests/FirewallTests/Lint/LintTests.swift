// What lint says of small sets of rules, word for word; and that it is silent where rules are as they should be.

import Firewall
import Testing

@Suite struct LintTests {
  private func warnings(_ text: String, files: [String: String] = [:]) throws -> [LintWarning] {
    let loader = MemoryLoader(files: files)
    let source = RuleSource(text: Array(text.utf8), file: "r", loader: loader)
    #expect(source.faults.isEmpty)
    return try Policy.lint(source.directives, options: PolicyOptions(file: { try loader.bytes(path: $0) }))
  }

  /// `line check rule`, by place.
  private func short(_ text: String, files: [String: String] = [:]) throws -> [String] {
    try warnings(text, files: files).map { "\($0.place.line) \($0.check.rawValue) \($0.rule)" }
  }

  @Test func goodRulesAreLeftAlone() throws {
    let text = #"""
      SecResponseBodyAccess On
      SecAction "id:1,phase:1,nolog,pass,setvar:tx.level=1"
      SecRule TX:level "@lt 2" "id:2,phase:2,nolog,pass,skipAfter:END"
      SecRule ARGS|!ARGS:secret "@rx (?:select|union)\s+\w+" \
        "id:3,phase:2,deny,msg:'SQL',severity:CRITICAL,t:none,t:urlDecodeUni,t:lowercase,setvar:'tx.found=+1',capture"
      SecMarker END
      SecRule RESPONSE_BODY "@pm one two" "id:4,phase:4,deny,msg:'Leak %{tx.found}',severity:ERROR"
      SecRule REQUEST_URI "@beginsWith /Api" "id:5,phase:1,nolog,pass,ctl:ruleRemoveTargetById=3;ARGS:q"
      SecRule ARGS "@rx gone" "id:6,phase:2,deny"
      SecRuleRemoveById 6-9
      SecRuleUpdateTargetById 3 "!ARGS:password"
      """#
    #expect(try short(text) == [])
  }

  @Test func everyCheckFindsItsOwn() throws {
    let text = #"""
      SecRule ARGS_POST "@rx a" "id:1,phase:1,deny,msg:'m',severity:2"
      SecRule ARGS|RESPONSE_HEADERS:x "@rx a" "id:2,phase:2,deny,msg:'m',severity:2"
      SecAction "id:3,phase:2,nolog,pass,skipAfter:THERE"
      SecRule ARGS "@rx b" "id:4,phase:2,pass,msg:'m'"
      SecRule ARGS "@rx c" "id:5,phase:2,pass,msg:'m'"
      SecMarker THERE
      SecRule ARGS "@rx d" "id:6,phase:2,pass,msg:'m',skipAfter:THERE"
      SecRule ARGS "@streq Abc" "id:7,phase:2,pass,msg:'m',t:lowercase"
      SecRule ARGS "@rx ^(?:abc|Def|(?i)Ghi)" "id:8,phase:2,pass,msg:'m',t:lowercase,t:trim"
      SecRule ARGS "@rx [A-Z]x" "id:9,phase:2,pass,msg:'m',t:cmdLine"
      SecRule ARGS "@rx e" "id:10,phase:2,pass,msg:'m',t:lowercase,t:trim,t:lowercase"
      SecRule ARGS "@rx f" "id:11,phase:2,pass,msg:'m',t:urlDecode,t:none,t:lowercase"
      SecRule ARGS "@pm select elect x" "id:12,phase:2,pass,msg:'m'"
      SecRule ARGS "@rx same" "id:13,phase:2,pass,msg:'m'"
      SecRule ARGS "@rx same" "id:14,phase:2,pass,msg:'m'"
      SecRule ARGS "@rx ^(a+)+$" "id:15,phase:2,pass,msg:'m'"
      SecRule ARGS "@rx .*g" "id:16,phase:2,pass,msg:'m'"
      SecRule ARGS "@rx (h)i\1" "id:17,phase:2,pass,msg:'m'"
      SecRuleRemoveById 400
      SecRuleRemoveByTag none
      SecRuleUpdateTargetById 17 "!REQUEST_COOKIES:a"
      SecRule ARGS|!ARGS_GET:x "@rx j" "id:18,phase:2,pass,msg:'m'"
      SecAction "id:19,phase:2,nolog,pass,ctl:ruleRemoveById=18"
      SecAction "id:20,phase:1,nolog,pass,ctl:ruleRemoveById=401,ctl:ruleRemoveTargetById=18;FILES"
      SecRule TX:wrong "@eq 1" "id:21,phase:2,pass,msg:'m'"
      SecAction "id:22,phase:1,nolog,pass,setvar:tx.unused=1"
      SecRule ARGS "@rx k" "id:23,phase:2,deny"
      SecRule ARGS "@rx l" "id:942999,phase:2,pass,msg:'m'"
      SecRule RESPONSE_BODY "@rx m" "id:24,phase:4,pass,msg:'m'"
      """#
    #expect(
      try short(text) == [
        "1 empty-in-phase 1", "2 empty-in-phase 2", "4 never-reached 4", "7 skip-backwards 6", "8 capitals 7",
        "9 capitals 8", "10 capitals 9", "11 transformation 10", "12 transformation 11", "13 phrase 12",
        "15 duplicate 14", "16 nested-quantifier 15", "17 leading-dots 16", "18 prefilter 17",
        "19 unknown-rule 0",
        "20 unknown-rule 0", "21 useless-exclusion 0", "22 useless-exclusion 18", "23 late-exclusion 19",
        "24 unknown-rule 20", "24 useless-exclusion 20", "25 never-set 21", "26 never-read 22",
        "27 no-message 23",
        "28 id-range 942999", "29 body-access 24",
      ])
  }

  @Test func warningsReadWell() throws {
    let text = #"""
      SecAction "id:3,phase:2,nolog,pass,skipAfter:THERE"
      SecRule ARGS "@rx b" "id:4,phase:2,pass,msg:'m'"
      SecRule ARGS "@rx c" "id:5,phase:2,pass,msg:'m'"
      SecMarker THERE
      SecRule FILES "@streq Abc" "id:7,phase:1,deny,t:lowercase"
      SecRule ARGS "@pmFromFile list" "id:8,phase:2,pass,msg:'%{tx.name}'"
      """#
    #expect(
      try warnings(text, files: ["list": "one\nsomeone\n"]).map(\.description) == [
        "r:2: warning: rule 4: it is never reached (nor is the one after it): rule 3 at r:1 always leads past it; give that "
          + "rule a condition, or take this one out [never-reached]",
        "r:5: warning: rule 7: it can never match: FILES has no value in phase 1; phase:2 [empty-in-phase]",
        "r:5: warning: rule 7: @streq \"Abc\" of a value in lower case: it never is found; the same in lower case [capitals]",
        "r:5: warning: rule 7: it blocks without msg and severity; what whoever reads the log needs to know [no-message]",
        "r:6: warning: rule 8: 1 of 2 phrases of @pmFromFile find nothing that others don't: `someone` holds `one`; take "
          + "them out [phrase]",
        "r:6: warning: rule 8: TX:name is read, and no rule sets it; a setvar before, or another name [never-set]",
      ])
  }

  @Test(arguments: [
    ("(a+)+", true), ("(?:a*)*", true), ("(?:a|b+)+c", true), ("(\\w+\\d)+x", true),
    ("(?:\\s*\\w+\\s?)+", true),
    ("(a+){31,}", true), ("//(?:.+|x)*y", true), ("(?:a+,)+", false), ("(?:\\s+\\w+)+", false),
    ("(?>a+)+", false),
    ("(a++)+", false), ("(a+)++", false), ("a+b+c+", false), ("(a+){2}", false), ("(?:ab)+", false),
    ("[a+]+", false), ("\\(a+\\)+", false), ("(?x) ( a + ) c", false), ("(?:a+\\b)+", false),
  ]) func nestedQuantifiersAreTold(_ pattern: String, _ isNested: Bool) throws {
    let found = try short("SecRule ARGS \"@rx \(pattern)\" \"id:1,phase:2,pass,msg:'m'\"")
    #expect(found.contains("1 nested-quantifier 1") == isNested)
  }

  @Test(arguments: [
    ("Abc", true), ("(?i)Abc", false), ("(?i:A)bc", false), ("a(?i:b)C", true), ("[A-Za-z]b", false),
    ("[A-Z]b", true),
    ("A?b", false), ("A{0,3}b", false), ("(?:A|B)c", true), ("\\x41", true), ("\\x{41}", true),
    ("\\S\\D\\W", false),
    ("a(?!B)", false), ("[^A]", false), ("(?:x(?-i)A|b)", true), ("(?i)x(?-i)A", true), ("\\QA\\E", false),
  ]) func capitalsAreTold(_ pattern: String, _ isTold: Bool) throws {
    let found = try short("SecRule ARGS \"@rx \(pattern)\" \"id:1,phase:2,pass,msg:'m',t:lowercase\"")
    #expect(found.contains("1 capitals 1") == isTold)
    #expect(
      try !short("SecRule ARGS \"@rx \(pattern)\" \"id:1,phase:2,pass,msg:'m'\"").contains("1 capitals 1"))
  }

  @Test func namesMadeAtRunTimeCount() throws {
    let text = #"""
      SecRule ARGS "@rx a" "id:1,phase:2,pass,msg:'m',setvar:'tx.%{rule.id}-seen=1'"
      SecRule TX:1-seen "@eq 1" "id:2,phase:2,pass,msg:'m'"
      SecAction "id:3,phase:1,nolog,pass,setvar:tx.opt_a=1,setvar:tx.opt_b=1"
      SecRule TX:/^opt_a/ "@eq 1" "id:4,phase:2,pass,msg:'m'"
      SecRule &TX:option "@eq 0" "id:5,phase:1,pass,nolog"
      """#
    #expect(try short(text) == ["3 never-read 3"])
  }

  @Test func patternsOfNoiseNeverTrapFuzz() throws {
    var random = SeededGenerator.forTest("patternsOfNoiseNeverTrapFuzz")
    let pieces = [
      "(", ")", "(?:", "(?i)", "(?x)", "(?=", "(?<n>", "[", "]", "[^", "-", "a", "Z", ".", "*", "+", "?",
      "{2}", "{,3}",
      "|", "^", "$", "\\", "\\x", "\\x{4", "\\d", "\\1", "\\Q", "#", "[:alpha:]", "(?#",
    ]
    repeatFuzzing { _ in
      let pattern = (0..<Int.random(in: 0...14, using: &random)).map { _ in
        pieces.randomElement(using: &random) ?? ""
      }
      .joined()
      let rule = RuleSyntax(
        targets: [TargetSyntax(mode: .include, collection: "ARGS", selector: .all)],
        operation: OperatorSyntax(negated: false, name: "rx", argument: pattern),
        actions: [
          .init(name: "id", argument: "1"), .init(name: "pass"), .init(name: "t", argument: "lowercase"),
          .init(name: "msg", argument: "m"),
        ])
      let directive = DirectiveSyntax(place: Place(file: "r", line: 1), kind: .rule(rule))
      guard let found = try? Policy.lint([directive]) else { return }
      #expect(found.allSatisfy { $0.place.line == 1 && !$0.found.isEmpty })
    }
  }

  // MARK: - Published sets

  private func counts(_ paths: [String]) throws -> [String: Int] {
    let loader = DiskLoader()
    let source = RuleSource(paths: paths, loader: loader)
    let found = try Policy.lint(
      source.directives, options: PolicyOptions(file: { try loader.bytes(path: $0) }))
    return Dictionary(found.map { ($0.check.rawValue, 1) }, uniquingKeysWith: +)
  }

  /// Each of these was looked at and is true.
  @Test(.enabled(if: FirewallData.isThere, FirewallData.missing)) func coreRuleSet3HasFewWarnings() throws {
    #expect(
      try counts(FirewallData.ruleFiles("crs-3.3")) == [
        "body-access": 1, "capitals": 1, "nested-quantifier": 3, "never-set": 1, "no-message": 1,
        "phrase": 14,
        "prefilter": 5, "transformation": 2, "useless-exclusion": 2,
      ])
  }

  @Test(.enabled(if: FirewallData.isThere, FirewallData.missing)) func coreRuleSet4HasFewWarnings() throws {
    #expect(
      try counts(FirewallData.ruleFiles("crs-4")) == [
        "body-access": 1, "capitals": 1, "late-exclusion": 1, "nested-quantifier": 3, "phrase": 12,
        "unknown-rule": 1,
        "useless-exclusion": 1,
      ])
  }
}
