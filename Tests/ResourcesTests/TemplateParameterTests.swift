// Parameters of templates: which values they may have, and what they are compared with: CloudFormation reads a text as the
// type that the property has.

import Foundation
import GuardRules
import Testing

@testable import Resources

@Suite struct TemplateParameterTests {
  static func template(_ parameter: String, _ value: String) throws -> Value {
    try Value.reading(
      yaml: """
        Parameters: {P: \(parameter)}
        Mappings: {M: {a: {flag: 'false', number: '8', list: ['true', x]}}}
        Conditions: {IsA: !Equals [a, a]}
        Resources:
          A: {Type: 'T::U::V', Properties: {K: \(value)}}
        """)
  }

  static func of(
    _ clause: String, _ parameter: String, given: String? = nil, _ value: String = "!Ref P"
  ) throws -> RuleStatus {
    var context = Template.Context()
    if let given { context.parameters["P"] = Value(.string(given)) }
    return try status(
      "Resources.A.Properties.\(clause)", try Template(try Self.template(parameter, value), context).resolved)
  }

  /// What is bad is bad whichever way it is written: `!= true` of the text "false" is no comparison that can't be made.
  @Test(arguments: ["false", "False"]) func aTextThatIsFalse(_ text: String) throws {
    for value in [
      "!Ref P", "!Sub '${P}'", "!If [IsA, !Ref P, x]", "!Select [0, [!Ref P]]", "!Join ['', [!Ref P]]",
    ] {
      func of(_ clause: String) throws -> RuleStatus {
        try Self.of(clause, "{Type: String}", given: text, value)
      }
      #expect(try of("K == false") == .pass && of("K == true") == .fail, "\(value)")
      #expect(try of("K != true") == .pass && of("K != false") == .fail)
      #expect(try of("K == '\(text)'") == .pass && of("K == 'true'") == .fail)
      #expect(try of("K in [true, 'true']") == .fail && of("K in [false]") == .pass)
      #expect(try of("K not in [true, 'true']") == .pass)
      #expect(try of("K == /(?i)^false$/") == .pass)
    }
    #expect(try Self.of("K[ this != true ] empty", "{Type: String, Default: '\(text)'}", "[!Ref P]") == .fail)
    #expect(try Self.of("K != true", "{Type: String, Default: false}") == .pass)
    #expect(try Self.of("K == 'false'", "{Type: String, Default: false}") == .pass)
  }

  /// A number of a parameter may be asked for as a text.
  @Test func aNumberIsATextWhereOneIsAskedFor() throws {
    func of(_ clause: String) throws -> RuleStatus {
      try status(clause, try Template(try Self.template("{Type: Number, Default: 7}", "!Ref P")).resolved)
    }
    #expect(try of("Resources.A.Properties.K !empty") == .pass)
    #expect(try of("Resources.A.Properties.K in '7,14'") == .pass)
    #expect(try of("Resources.A.Properties.K in '8,14'") == .fail)
    #expect(try of("let k = Resources.A.Properties.K let j = join(%k, ',') %j == '7'") == .pass)
    #expect(
      try of("let k = Resources.A.Properties.K let j = regex_replace(%k, '^(.*)$', 'x${1}') %j == 'x7'")
        == .pass)
    #expect(try status("R.K !empty", try Value.reading(yaml: "R: {K: ''}")) == .fail)
  }

  @Test func elementsHaveNoBlanksAroundThem() throws {
    let list = "{Type: 'List<Number>', Default: '80, 443\t,8080 '}"
    for clause in ["K[1] == 443", "K[0] == 80", "K[2] == 8080"] {
      #expect(try Self.of(clause, list) == .pass, "\(clause)")
    }
    #expect(try Self.of("K[*] != 443", list) == .fail)
    #expect(try Self.of("K == ['a', 'b c']", "{Type: CommaDelimitedList}", given: " a , b c") == .pass)
    let bound = "{Type: CommaDelimitedList, AllowedValues: [a, b]}"
    #expect(try Self.of("K[1] == 'b'", bound, given: "a , b") == .pass)
  }

  @Test func ofAMapping() throws {
    #expect(try Self.of("K != true", "{Type: String}", "!FindInMap [M, a, flag]") == .pass)
    #expect(try Self.of("K >= 8", "{Type: String}", "!FindInMap [M, a, number]") == .pass)
    #expect(try Self.of("K[0] == true", "{Type: String}", "!FindInMap [M, a, list]") == .pass)
  }

  /// What is written in the template stays as Guard sees it.
  @Test func literalsStay() throws {
    #expect(try Self.of("K == 'false'", "{Type: String}", "'false'") == .pass)
    #expect(try Self.of("K == false", "{Type: String}", "'false'") == .fail)
    #expect(try Self.of("K != true", "{Type: String}", "'false'") == .fail)
  }

  @Test(arguments: ["{Type: Number}", "{Type: String}"]) func numbers(_ parameter: String) throws {
    func of(_ clause: String, _ given: String) throws -> RuleStatus {
      try Self.of(clause, parameter, given: given)
    }
    #expect(try of("K >= 14", "24") == .pass && of("K >= 14", "7") == .fail && of("K < 14", "7") == .pass)
    #expect(
      try of("K == 443", "443") == .pass && of("K != 443", "443") == .fail && of("K != 80", "443") == .pass)
    #expect(try of("K == '443'", "443") == .pass && of("K == /^4/", "443") == .pass)
    #expect(try of("K in r[1, 500]", "443") == .pass && of("K in r[1, 400]", "443") == .fail)
    #expect(try of("K > 2", "2.5") == .pass && of("K > 2.25", "2") == .fail && of("K == 2", "2.5") == .fail)
    #expect(try of("K in [80, 443]", "443") == .pass)
  }

  @Test func ofWhichTypeItIs() throws {
    #expect(try Self.of("K is_int", "{Type: Number, Default: '5'}") == .pass)
    #expect(try Self.of("K is_int", "{Type: String, Default: '5'}") == .unknown)
    #expect(try Self.of("K is_bool", "{Type: String, Default: 'true'}") == .unknown)
    #expect(try Self.of("K is_string", "{Type: String, Default: 'true'}") == .pass)
    #expect(try Self.of("K is_bool", "{Type: String, Default: 'x'}") == .fail)
    #expect(try Self.of("K[*] is_int", "{Type: 'List<Number>', Default: '5, 6'}") == .pass)
    #expect(try Self.of("K[*] >= 6", "{Type: 'List<Number>', Default: '5, 6'}") == .fail)
    #expect(try Self.of("K[1] == 6", "{Type: CommaDelimitedList, Default: '5, 6'}") == .pass)
  }

  @Test func whatIsSecretStaysSecret() throws {
    var context = Template.Context()
    context.parameters["P"] = Value(.string("true"))
    let resolved = try Template(try Self.template("{Type: String, NoEcho: true}", "!Ref P"), context).resolved
    let value = resolved["Resources"]?["A"]?["Properties"]?["K"]
    #expect(value?.isSecret == true && value?.hidden.isLoose == true)
    #expect(try status("Resources.A.Properties.K != true", resolved) == .fail)
  }

  @Test(arguments: [
    ("{Type: Number}", "x"), ("{Type: Number}", ""), ("{Type: 'List<Number>'}", "1, x"),
    ("{Type: String, AllowedValues: ['true', 'false']}", "maybe"),
    ("{Type: Number, AllowedValues: [1, 2]}", "3"),
    ("{Type: CommaDelimitedList, AllowedValues: [a, b]}", "a,c"),
  ])
  func aValueThatAParameterCanNotHaveIsAFault(_ parameter: String, _ given: String) throws {
    var context = Template.Context()
    context.parameters["P"] = Value(.string(given))
    let document = try Self.template(parameter, "!Ref P")
    do {
      _ = try Template(document, context)
      Issue.record("no fault")
    } catch {
      #expect(
        error.place.line == 1 && error.found.contains("parameter P")
          && (given.isEmpty || error.found.contains(given)))
    }
    // A secret isn't told.
    let secret = try Self.template(
      parameter.replacingOccurrences(of: "{Type", with: "{NoEcho: true, Type"), "!Ref P")
    let fault = #expect(throws: DocumentFault.self) { try Template(secret, context) }
    #expect(given.isEmpty || fault?.found.contains("\"\(given)\"") == false)
  }

  @Test(arguments: [
    ("{Type: Number, AllowedValues: [1, 2]}", "2.0"), ("{Type: Number}", "-1.5e3"),
    ("{Type: 'List<Number>'}", "1, 2"),
    ("{Type: CommaDelimitedList, AllowedValues: [a, b]}", "a, b"),
    ("{Type: 'AWS::SSM::Parameter::Value<String>', AllowedValues: [x]}", "/path"),
    ("{Type: String, AllowedValues: [true, false]}", "true"),
    ("{Type: String, AllowedValues: [yes, x]}", "Yes"),
  ])
  func oneThatItCanHaveIsNone(_ parameter: String, _ given: String) throws {
    var context = Template.Context()
    context.parameters["P"] = Value(.string(given))
    context.parameters["Other"] = Value(.string("x"))
    _ = try Template(try Self.template(parameter, "!Ref P"), context)
  }
}
