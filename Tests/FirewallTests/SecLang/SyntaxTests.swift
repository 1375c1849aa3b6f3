// Every construct of SecLang, one at a time.

import Firewall
import Testing

@Suite struct SyntaxTests {
  static func read(_ text: String, quoting: Quoting = .libmodsecurity) -> ([DirectiveSyntax], [String]) {
    var directives: [DirectiveSyntax] = []
    var faults: [RuleFault] = []
    SecLangParser.parse(
      Array(text.utf8), file: "a.conf", quoting: quoting, into: &directives, faults: &faults)
    return (directives, faults.map(\.description))
  }

  static func rule(_ text: String, quoting: Quoting = .libmodsecurity) throws -> RuleSyntax {
    let (directives, faults) = read(text, quoting: quoting)
    #expect(faults == [])
    guard case .rule(let rule) = try #require(directives.first).kind else {
      throw RuleFault(place: Place(file: "", line: 0), found: "no rule", wanted: text)
    }
    return rule
  }

  static func targets(_ text: String) throws -> [TargetSyntax] {
    var faults: [RuleFault] = []
    let targets = TargetList.parse(text, place: Place(file: "a.conf", line: 1), faults: &faults)
    #expect(faults == [])
    return targets
  }

  static func actions(_ text: String) -> [ActionSyntax] {
    var faults: [RuleFault] = []
    let actions = ActionList.parse(text, place: Place(file: "a.conf", line: 1), faults: &faults)
    #expect(faults == [])
    return actions
  }

  @Test func continuedRuleIsOneRuleWithItsFirstLine() throws {
    let text = """
      # a comment

      SecRule ARGS|\\
          REQUEST_HEADERS "@rx a\\
          b" \\
          "id:1,\\
          phase:2,\\
          msg:'x \\
          y'"
      SecMarker END
      """
    let (directives, faults) = Self.read(text)
    // A join outside quotes parts words, as a blank does.
    #expect(
      faults == [
        "a.conf:3: error: SecRule with 4 arguments; it takes 2 to 3, in double quotes where they hold blanks"
      ])
    #expect(directives.count == 1)
    let mended = text.replacing("ARGS|\\\n    REQ", with: "ARGS|REQ")
    let rule = try Self.rule(mended)
    #expect(rule.operation == OperatorSyntax(negated: false, name: "rx", argument: "ab"))
    #expect(
      rule.actions == [
        ActionSyntax(name: "id", argument: "1"), ActionSyntax(name: "phase", argument: "2"),
        ActionSyntax(name: "msg", argument: "x y"),
      ])
    #expect(Self.read(mended).0.map(\.place.line) == [3, 9])
  }

  @Test func windowsLineEndsAndByteOrderMarkAreNothing() throws {
    let (directives, faults) = Self.read("\u{FEFF}SecAction \\\r\n  \"id:1\"\r\nsecmarker 'A B'\r\n")
    #expect(faults == [])
    #expect(directives.count == 2)
    guard case .marker("A B") = directives[1].kind else {
      Issue.record("no marker")
      return
    }
  }

  @Test func quotesInsideArgumentsAreUndoneAndBackslashesStay() throws {
    #expect(try Self.rule(#"SecRule ARGS "@rx a\"b\\\"c\d\\" id:1"#).operation.argument == #"a"b\\"c\d\\"#)
    #expect(
      try Self.rule(#"SecRule ARGS "@rx a\"b\\\"c\d\\" id:1"#, quoting: .apache).operation.argument
        == #"a"b\"c\d\"#)
    #expect(try Self.rule(#"SecRule ARGS '@streq it\'s "x"' id:1"#).operation.argument == #"it's "x""#)
  }

  @Test func targetsTakeAllTheirForms() throws {
    func target(_ mode: TargetSyntax.Mode, _ name: String, _ selector: TargetSyntax.Selector) -> TargetSyntax
    {
      TargetSyntax(mode: mode, collection: name, selector: selector)
    }
    let given = try Self.targets(
      #"ARGS|!args:a-b[0]|&REQUEST_HEADERS:Host|TX:1|XML:/*|XML://@*|TX:/^a|b\/c/|TX:'/x|y z/'|IP.reput|ARGS:'p q'"#
    )
    #expect(
      given == [
        target(.include, "ARGS", .all), target(.exclude, "args", .name("a-b[0]")),
        target(.count, "REQUEST_HEADERS", .name("Host")), target(.include, "TX", .name("1")),
        target(.include, "XML", .xpath("/*")), target(.include, "XML", .xpath("//@*")),
        target(.include, "TX", .regex("^a|b/c")), target(.include, "TX", .regex("x|y z")),
        target(.include, "IP", .name("reput")), target(.include, "ARGS", .name("p q")),
      ])
  }

  @Test func commasPartTargetsAndBlanksAreNothing() throws {
    #expect(
      try Self.targets("!ARGS:a, !ARGS:/b{1,2}/ | ARGS_NAMES").map(\.mode) == [.exclude, .exclude, .include])
    #expect(try Self.targets("!ARGS:/b{1,2}/").first?.selector == .regex("b{1,2}"))
  }

  /// CRS 3.3 writes a slash inside a quoted pattern as three backslashes and itself.
  @Test func patternsOfRuleSet3KeepTheirMeaning() throws {
    #expect(try Self.targets(#"&TX:'/LEAKAGE\\\/ERRORS/'"#).first?.selector == .regex(#"LEAKAGE\\/ERRORS"#))
    #expect(try Self.targets(#"TX:/a/b/"#).first?.selector == .regex("a/b"))
  }

  @Test func operatorsTakeAllTheirForms() throws {
    func operation(_ text: String) throws -> OperatorSyntax {
      try Self.rule("SecRule ARGS \(text) id:1").operation
    }
    #expect(try operation("\"@rx a b\"") == OperatorSyntax(negated: false, name: "rx", argument: "a b"))
    #expect(
      try operation("\"!@within %{tx.x}\"")
        == OperatorSyntax(negated: true, name: "within", argument: "%{tx.x}"))
    #expect(try operation("\"! @eq 0\"") == OperatorSyntax(negated: true, name: "eq", argument: "0"))
    #expect(try operation("^a$") == OperatorSyntax(negated: false, name: "rx", argument: "^a$"))
    #expect(try operation("\"!^a b$\"") == OperatorSyntax(negated: true, name: "rx", argument: "^a b$"))
    #expect(try operation("@detectSQLi") == OperatorSyntax(negated: false, name: "detectSQLi", argument: ""))
    #expect(try operation("\"@rx \"") == OperatorSyntax(negated: false, name: "rx", argument: ""))
    #expect(try operation("\"@rx  a\"") == OperatorSyntax(negated: false, name: "rx", argument: " a"))
    #expect(try operation("\"\"") == OperatorSyntax(negated: false, name: "rx", argument: ""))
  }

  @Test func actionsTakeAllTheirForms() {
    #expect(
      Self.actions(
        #"id:'1', phase:request,msg:'a, b \'c\' "d"\x00',t:none,pass,,ctl:ruleRemoveTargetById=9;ARGS:a"#)
        == [
          ActionSyntax(name: "id", argument: "1"), ActionSyntax(name: "phase", argument: "request"),
          ActionSyntax(name: "msg", argument: #"a, b 'c' "d"\x00"#),
          ActionSyntax(name: "t", argument: "none"),
          ActionSyntax(name: "pass"), ActionSyntax(name: "ctl", argument: "ruleRemoveTargetById=9;ARGS:a"),
        ])
    #expect(
      Self.actions("setvar:'tx.a=+%{tx.b}',setvar:!tx.c,setvar:tx.d='x, y',msg:") == [
        ActionSyntax(name: "setvar", argument: "tx.a=+%{tx.b}"),
        ActionSyntax(name: "setvar", argument: "!tx.c"),
        ActionSyntax(name: "setvar", argument: "tx.d=x, y"), ActionSyntax(name: "msg", argument: ""),
      ])
    #expect(
      Self.actions("xmlns:soap='http://a/',redirect:'https://%{request_headers.host}/'").map(\.argument) == [
        "soap=http://a/", "https://%{request_headers.host}/",
      ])
    #expect(Self.actions("") == [])
  }

  @Test func otherDirectivesKeepTheirWords() throws {
    let (directives, faults) = Self.read(
      """
      SECRULEENGINE DetectionOnly
      SecAuditLogRelevantStatus "^(?:5|4(?!04))"
      SecRuleRemoveById 1 2-3 "9000-9999"
      SecResponseBodyMimeTypesClear
      SecNoSuchThing a "b c"
      """)
    #expect(faults == [])
    let words = directives.map { directive -> [String] in
      guard case .setting(let name, let arguments) = directive.kind else { return [] }
      return [name] + arguments
    }
    #expect(
      words == [
        ["SECRULEENGINE", "DetectionOnly"], ["SecAuditLogRelevantStatus", "^(?:5|4(?!04))"],
        ["SecRuleRemoveById", "1", "2-3", "9000-9999"], ["SecResponseBodyMimeTypesClear"],
        ["SecNoSuchThing", "a", "b c"],
      ])
  }

  @Test func ifModuleIsTrueAndItsNegationFalse() throws {
    let (directives, faults) = Self.read(
      """
      <IfModule security2_module>
        SecMarker A
        <IfModule !mod_unique_id.c>
          SecMarker "never closed
          <IfModule x>
          SecMarker C
          </IfModule>
        </IfModule>
        SecMarker D
      </ifmodule >
      """)
    #expect(faults == [])
    #expect(directives.map(\.place.line) == [2, 9])
  }

  @Test func tableOfDirectivesIsWhole() {
    #expect(Set(Directive.all.map { $0.name.lowercased() }).count == Directive.all.count)
    #expect(Directive.named("SECGEOLOOKUPDB")?.name == "SecGeoLookupDb")
    #expect(Directive.named("SecRul") == nil)
    #expect(Directive.nearest(to: "SecRuleEngin")?.name == "SecRuleEngine")
    #expect(Directive.nearest(to: "LoadModule") == nil)
    for directive in Directive.all {
      switch directive.handling {
      case .applied: break
      case .ignored(let why), .refused(let why): #expect(why.count > 10, "\(directive.name)")
      }
    }
  }
}
