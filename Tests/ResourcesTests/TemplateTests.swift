// Templates: what each intrinsic function, condition and parameter comes to, and what can't be told.

import Foundation
import Resources
import Testing

@testable import GuardRules

@Suite struct TemplateTests {
  static let head = """
    Parameters:
      Env: {Type: String, Default: prod}
      Size: {Type: Number, Default: 5}
      Names: {Type: CommaDelimitedList, Default: 'a, b,c'}
      Secret: {Type: String}
      Image: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /path}
    Mappings:
      M: {prod: {size: large, zones: [p, q]}, test: {size: small}}
    Conditions:
      IsProd: !Equals [!Ref Env, prod]
      IsTest: !Not [!Condition IsProd]
      IsSecret: !Equals [!Ref Secret, x]
      Both: !And [!Condition IsProd, !Condition IsSecret]
      Either: !Or [!Condition IsSecret, !Condition IsProd]
      Neither: !And [!Condition IsTest, !Condition IsSecret]
      Loop: !Not [!Condition Loop]
      LoopA: !And [!Condition LoopB, !Condition IsProd]
      LoopB: !Or [!Condition LoopA, !Condition IsTest]

    """

  static func resolved(_ value: String, _ context: Template.Context = Template.Context()) throws -> Value? {
    let text =
      head
      + "Resources:\n  B: {Type: 'T::U::V', Properties: {}}\n  A:\n    Type: 'T::U::V'\n    Properties:\n      K: \(value)\n"
    return try Template(try Value.reading(yaml: text), context).resolved["Resources"]?["A"]?["Properties"]?[
      "K"]
  }

  @Test(arguments: [
    ("!Ref Env", "\"prod\""), ("!Ref Size", "5"), ("!Ref Names", "[\"a\",\"b\",\"c\"]"),
    ("!Ref 'AWS::Partition'", "\"aws\""),
    ("!If [IsProd, 1, 2]", "1"), ("!If [IsTest, 1, 2]", "2"), ("!If [Either, 1, 2]", "1"),
    ("!If [Neither, 1, 2]", "2"),
    ("!If [IsProd, !If [IsTest, 1, !Ref Env], 2]", "\"prod\""),
    ("!Sub 'a-${Env}-${Size}-${!Env}'", "\"a-prod-5-${Env}\""),
    ("!Sub ['${x}${Env}', {x: !Ref Size}]", "\"5prod\""), ("!Join ['-', [a, !Ref Env, 5]]", "\"a-prod-5\""),
    ("!Join ['-', !Ref Names]", "\"a-b-c\""),
    ("!Select [1, !Ref Names]", "\"b\""), ("!Select ['2', !Split [',', 'x,y,z']]", "\"z\""),
    ("!Split ['--', 'a--b']", "[\"a\",\"b\"]"),
    ("!FindInMap [M, !Ref Env, size]", "\"large\""), ("!FindInMap [M, prod, zones]", "[\"p\",\"q\"]"),
    ("{'Fn::FindInMap': [M, none, size, {DefaultValue: d}]}", "\"d\""), ("!Base64 'Hello'", "\"SGVsbG8=\""),
    ("!Base64 ''", "\"\""),
    ("{'Fn::Length': [1, 2, 3]}", "3"), ("!Equals [a, a]", "true"), ("[1, !Ref 'AWS::NoValue', 2]", "[1,2]"),
    ("{a: !Ref 'AWS::NoValue', b: 1}", "{\"b\":1}"),
    ("{a: !If [IsTest, 1, !Ref 'AWS::NoValue'], b: 1}", "{\"b\":1}"),
    ("!Sub '${AWS::Partition}:x'", "\"aws:x\""), ("!Join ['', []]", "\"\""),
  ])
  func comesTo(_ value: String, _ text: String) throws {
    #expect(try Self.resolved(value)?.text == text)
  }

  @Test func noValueIsNotThere() throws {
    #expect(try Self.resolved("!Ref 'AWS::NoValue'") == nil)
    #expect(try Self.resolved("!If [IsTest, 1, !Ref 'AWS::NoValue']") == nil)
  }

  @Test(arguments: [
    "!Ref Secret", "!Ref Image", "!Ref B", "!Ref Nowhere", "!Ref 'AWS::Region'", "!GetAtt B.Arn",
    "!If [IsSecret, 1, 2]", "!If [Both, 1, 2]",
    "!If [Loop, 1, 2]", "!If [LoopA, 1, 2]", "!If [Nowhere, 1, 2]", "!If [IsProd, 1]", "!Sub '${Secret}'",
    "!Sub '${B.Arn}'", "!Sub '${Nowhere}'",
    "!Join ['-', [a, !Ref Secret]]", "!Select [9, !Ref Names]", "!Select [0, !GetAZs '']",
    "!Select [-1, [a]]", "!Split [',', !Ref Secret]",
    "!FindInMap [M, none, size]", "!FindInMap [M, !Ref Secret, size]", "!ImportValue x", "!GetAZs ''",
    "!Base64 {Ref: Secret}", "!Transform {Name: x}",
    "{'Fn::Cidr': ['10.0.0.0/16', 2, 8]}", "!Sub [1]", "!Split ['', a]",
  ])
  func isUnknownAndSaysWhy(_ value: String) throws {
    guard case .unknown(let unknown)? = try Self.resolved(value)?.content else {
      Issue.record("\(value): known")
      return
    }
    #expect(!unknown.reason.isEmpty && unknown.written != nil)
  }

  @Test func whatIsGivenGoesBeforeDefaults() throws {
    var context = Template.Context()
    context.parameters = ["Env": Value(.string("test")), "Secret": Value(.string("x"))]
    context.pseudo["AWS::Region"] = "eu-west-1"
    #expect(try Self.resolved("!If [IsProd, 1, 2]", context)?.text == "2")
    #expect(try Self.resolved("!If [IsSecret, 1, 2]", context)?.text == "1")
    #expect(try Self.resolved("!Sub '${AWS::Region}-${Env}'", context)?.text == "\"eu-west-1-test\"")
  }

  @Test func aConditionDecidesWhetherAResourceIsThere() throws {
    let text =
      Self.head + """
        Resources:
          In: {Type: T, Condition: IsProd}
          Out: {Type: T, Condition: IsTest}
          Perhaps: {Type: T, Condition: IsSecret}
        """
    let resources = try Template(try Value.reading(yaml: text)).resolved["Resources"]
    #expect(resources?.members.map(\.name) == ["In", "Perhaps"])
  }

  /// Whether a property is there depends on a condition that isn't known: neither kept nor broken.
  @Test func whatMayBeLeftOutIsNotThereForCertain() throws {
    func of(_ value: String, _ clause: String) throws -> RuleStatus {
      let text = Self.head + "Resources:\n  A: {Type: T, Properties: {K: \(value)}}\n"
      return try status(
        "Resources.A.Properties.\(clause)", try Template(try Value.reading(yaml: text)).resolved)
    }
    #expect(try of("!If [IsSecret, {a: 1}, !Ref 'AWS::NoValue']", "K exists") == .unknown)
    #expect(try of("!If [IsSecret, {a: 1}, !Ref 'AWS::NoValue']", "K is_struct") == .unknown)
    #expect(try of("!If [IsSecret, {a: 1}, {a: 2}]", "K exists") == .pass)
    #expect(try of("!Ref Secret", "K exists") == .pass)
    #expect(try of("!Ref Secret", "K == 'x'") == .unknown)
    #expect(try of("!Ref B", "K !empty") == .unknown || of("!GetAtt B.Arn", "K !empty") == .pass)
  }

  @Test func placesAreKept() throws {
    let value = try Self.resolved("!If [IsProd, !Sub '${Env}', 2]")
    #expect(value?.place.line ?? 0 > 15)
  }

  /// The index of resources by type leaves out only what no rule can select: the same document without an index (one
  /// resource has no plain type) says the same of every rule that doesn't look at that resource.
  @Test func theIndexByTypeChangesNothing() throws {
    let file = try RuleFile(
      """
      let b = Resources.*[ Type == 'B' Metadata.off not exists ]
      rule a when %b !empty { %b.Properties.K == 1 }
      rule c { Resources.*[ Type == 'B' ].Properties.K == 1 }
      rule e when Resources.*[ Type == 'N' ] !empty { Resources exists }
      rule f { Resources.*[ Type == 'B' Properties.K empty ] !empty }
      """, name: "t")
    let resources =
      "A: {Type: B, Properties: {K: 1}}, C: {Type: C, Properties: {K: 2}}, D: {Type: B, Metadata: {off: 1}, Properties: {K: 3}}"
    func results(_ more: String) throws -> [String] {
      let document = try Value.reading(yaml: "Resources: {\(resources)\(more)}")
      return try file.rules.indices.compactMap { index in
        let results = try? file.evaluate(document, now: 0)
        return results.map { $0[index].status.rawValue }
      }
    }
    // `empty` of a number is an error, with the index and without.
    #expect(try results("").isEmpty && results(", X: {}").isEmpty)
    let plain = try RuleFile(
      "let b = Resources.*[ Type == 'B' Metadata.off not exists ]\nrule a when %b !empty { %b.Properties.K == 1 }\n"
        + "rule c { Resources.*[ Type == 'B' ].Properties.K == 1 }\nrule d { Resources.*[ Type == 'N' ] { K exists } }",
      name: "t")
    for more in ["", ", X: {Properties: {}}", ", X: {Type: [B]}"] {
      let document = try Value.reading(yaml: "Resources: {\(resources)\(more)}")
      #expect(
        try plain.evaluate(document, now: 0).map(\.status) == [.pass, .fail, .skip] || more.contains("[B]"))
    }
  }

  @Test(.enabled(if: GovernanceData.isThere, GovernanceData.missing))
  func everyPublishedTemplateIsReadAndLookedAt() throws {
    let folder = "/aws-cloudformation-templates/"
    let all = ["json", "yaml", "yml", "template"].flatMap { GovernanceData.files(".\($0)") }.filter {
      $0.contains(folder)
    }
    let rules = try GovernanceData.files(".guard").filter { $0.contains("/rules/aws/") }.map {
      try RuleFile(try GovernanceData.text($0), name: $0)
    }
    var (read, told) = (0, 0)
    for path in all {
      guard let value = try? Value.reading(yaml: try GovernanceData.text(path)), Template.isTemplate(value)
      else { continue }
      let template = try Template(value)
      read += 1
      let (indexed, plain) = (
        PreparedDocument(template.resolved), PreparedDocument(unindexed: template.resolved)
      )
      for file in rules {
        let results = try file.evaluate(indexed, now: 0)
        told += results.count
        #expect(try file.evaluate(plain, now: 0).map(\.status) == results.map(\.status))
      }
    }
    #expect(read >= 140 && told > read)
  }
}
