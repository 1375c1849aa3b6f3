// What a template doesn't show: loops, transformations, resources with a condition that isn't known, texts that are read at
// deployment. None of it is good because nobody sees it.

import GuardRules
import TestChance
import Testing

@testable import Resources

@Suite struct TemplateUnseenTests {
  static func resolved(_ yaml: String, _ context: Template.Context = Template.Context()) throws -> Value {
    let value = try Value.reading(yaml: yaml)
    #expect(Template.isTemplate(value))
    return try Template(value, context).resolved
  }

  static func of(_ clauses: String, _ yaml: String) throws -> RuleStatus {
    try status(clauses, try resolved(yaml))
  }

  static let bucket = "Resources.*[ Type == 'AWS::S3::Bucket' ].Properties.AccessControl !exists"
  static let topic = "when Resources.*[ Type == 'AWS::SNS::Topic' ] !empty { Resources.*.Nothing exists }"

  // MARK: - Modules and nested stacks

  static let module = "Resources: {M: {Type: 'My::Sec::Group::MODULE', Properties: {A: 1}}}"

  /// What a module makes is of this very stack.
  @Test func aModuleMayMakeAnything() throws {
    #expect(try Self.of(Self.bucket, Self.module) == .unknown)
    #expect(try Self.of(Self.topic, Self.module) == .unknown)
  }

  /// But nothing that no template can make.
  @Test(arguments: [
    module, "Transform: Mine\nResources: {B: {Type: 'AWS::S3::Bucket'}}",
    "Resources: {B: {Type: 'AWS::S3::Bucket', 'Fn::Transform': {Name: Mine}}}",
    "Resources: {B: {Type: !Ref T}, 'Fn::Transform': {Name: 'AWS::Include'}}",
  ])
  func nothingMakesWhatOnlyAccountsHave(_ yaml: String) throws {
    let document = PreparedDocument(try Self.resolved(yaml), never: Template.neverMade)
    func status(_ type: String) throws -> RuleStatus? {
      let rule =
        "let found = Resources.*[ Type == '\(type)' ]\nrule r when %found !empty { %found.Properties.A == 1 }"
      return try RuleFile(rule, name: "t").evaluate(document, now: 0).first?.status
    }
    #expect(try status("AWS::IAM::AccountSummary") == .skip)
    #expect(try status("AWS::IAM::AccountPasswordPolicy") == .skip)
    #expect(try status("AWS::SNS::Topic") == .unknown)
  }

  @Test func aTypeThatNothingMakesMayBeWritten() throws {
    let yaml = "Transform: Mine\nResources: {B: {Type: 'AWS::IAM::AccountSummary', Properties: {A: 1}}}"
    let document = PreparedDocument(try Self.resolved(yaml), never: Template.neverMade)
    let rule = "rule r { Resources.*[ Type == 'AWS::IAM::AccountSummary' ].Properties.A == 2 }"
    #expect(try RuleFile(rule, name: "t").evaluate(document, now: 0).first?.status == .unknown)
  }

  /// Another template's resources aren't of this one, and aren't passed over.
  @Test(arguments: [
    "AWS::CloudFormation::Stack", "AWS::CloudFormation::StackSet", "AWS::Serverless::Application",
    "AWS::ServiceCatalog::CloudFormationProvisionedProduct",
  ])
  func whatStandsInAnotherTemplateIsTold(_ type: String) throws {
    func nested(_ more: String) throws -> [ShapedResource] {
      let yaml = """
        Transform: AWS::Serverless-2016-10-31
        Conditions: {No: !Equals [a, b]}
        Resources: {N: {Type: '\(type)'\(more)}, Q: {Type: 'AWS::SQS::Queue'}}
        """
      return try Template(try Value.reading(yaml: yaml)).nested
    }
    let all = try nested("")
    #expect(all.map(\.name) == ["N"] && all.map(\.foundType) == [type] && all[0].place.line == 3)
    #expect(try nested(", Condition: No").isEmpty)
    #expect(try Self.of(Self.topic, "Resources: {N: {Type: '\(type)'}}") == .skip)
  }

  @Test(arguments: [
    ("Resources: []", 1), ("Resources:", 1), ("Outputs: {}\nResources: x", 2),
    ("Resources: [x]\nAWSTemplateFormatVersion: x", 1),
    ("AWSTemplateFormatVersion: x\nresources: {}", 1),
  ])
  func whatIsNearlyATemplateIsAFault(_ yaml: String, _ line: Int32) throws {
    #expect(Template.fault(in: try Value.reading(yaml: yaml))?.place.line == line)
  }

  @Test(arguments: [
    "Resources: {}", "A: 1", "[Resources]", "A: 1\nResources: []", "A: 1\nResources: x",
    "AWSTemplateFormatVersion: x\nTransform: Mine",
    "AWSTemplateFormatVersion: x\nFn::Transform: {Name: Mine}",
  ])
  func whatMayBeOneIsNone(_ yaml: String) throws {
    #expect(Template.fault(in: try Value.reading(yaml: yaml)) == nil)
  }

  // MARK: - Loops

  static func loop(_ collection: String, _ more: String = "") -> String {
    """
    Transform: AWS::LanguageExtensions
    Parameters: {Names: {Type: CommaDelimitedList, Default: 'x-1,z'}, Open: {Type: CommaDelimitedList}}
    Resources:
      Q: {Type: "AWS::SQS::Queue", Properties: {}}
      Fn::ForEach::Buckets:
        - Name
        - \(collection)
        - "Bucket&{Name}":
            Type: AWS::S3::Bucket
            Properties: {BucketName: !Sub "b-${Name}", AccessControl: PublicRead, Tag: !Ref Name, Other: "o-${Name}"}
    \(more)
    """
  }

  @Test func aLoopIsWrittenOut() throws {
    for collection in ["[x-1, z]", "!Ref Names"] {
      let resources = try Self.resolved(Self.loop(collection))["Resources"]
      #expect(resources?.members.map(\.name) == ["Q", "Bucketx1", "Bucketz"])
      let properties = resources?["Bucketx1"]?["Properties"]
      #expect(properties?["BucketName"]?.string == "b-x-1" && properties?["Tag"]?.string == "x-1")
      #expect(properties?["Other"]?.string == "o-x-1")
      #expect(try Self.of(Self.bucket, Self.loop(collection)) == .fail)
      #expect(try Self.of(Self.topic, Self.loop(collection)) == .skip)
    }
  }

  @Test func aLoopOverWhatIsNotKnownStandsForEach() throws {
    let text = Self.loop("!Ref Open")
    #expect(try Self.of(Self.bucket, text) == .unknown)
    #expect(try Self.of("Resources.*[ Type == 'AWS::S3::Bucket' ] !empty", text) == .unknown)
    #expect(
      try Self.of("Resources.*[ Type == 'AWS::S3::Bucket' ].Properties.Other == 'o-x'", text) == .unknown)
    #expect(try Self.of(Self.topic, text) == .skip)
  }

  @Test func loopsWithinLoopsAndProperties() throws {
    let text = """
      Resources:
        Fn::ForEach::A:
          - X
          - [p, q]
          - Fn::ForEach::B:
              - Y
              - [1, 2]
              - "R${X}${Y}":
                  Type: T
                  Properties: {K: {"Fn::ForEach::C": [Z, [m, o], {"k${Z}": "${X}${Y}${Z}"}], l: 1}}
      """
    let resources = try Self.resolved(text)["Resources"]
    #expect(resources?.members.map(\.name) == ["Rp1", "Rp2", "Rq1", "Rq2"])
    #expect(resources?["Rq2"]?["Properties"]?["K"]?.text == "{\"km\":\"q2m\",\"ko\":\"q2o\",\"l\":1}")
  }

  @Test(arguments: ["[A]", "{A: 1}", "[A, [b]]", "[A, [b], c]", "nothing"])
  func aLoopThatCannotBeReadMayMakeAnything(_ written: String) throws {
    let text = "Resources:\n  Q: {Type: T}\n  Fn::ForEach::B: \(written)\n"
    #expect(try Self.of(Self.topic, text) == .unknown)
    #expect(try Self.of(Self.bucket, "Resources: {'Fn::ForEach::B': \(written)}") == .unknown)
  }

  @Test func aSmallLoopCannotStandForAHugeOne() throws {
    var body = "{\"R${A0}${A1}${A2}${A3}${A4}${A5}\": {Type: T}}"
    for level in 0..<6 {
      let texts = (0..<40).map { "a\($0)" }.joined(separator: ",")
      body = "{\"Fn::ForEach::L\(level)\": [A\(level), [\(texts)], \(body)]}"
    }
    let value = try Value.reading(yaml: "Resources: \(body)")
    #expect(throws: DocumentFault.self) { _ = try Template(value) }
  }

  // MARK: - Transformations

  @Test func anInclusionMayBringAnything() throws {
    let text = """
      Resources:
        Q: {Type: "AWS::SQS::Queue", Properties: {A: 1}}
        Fn::Transform: {Name: "AWS::Include", Parameters: {Location: "s3://b/k.yaml"}}
      """
    #expect(try Self.of(Self.bucket, text) == .unknown)
    #expect(try Self.of(Self.topic, text) == .unknown)
    // What is written stays.
    #expect(try Self.of("Resources.*[ Type == 'AWS::SQS::Queue' ].Properties.A == 2", text) == .fail)
    let only = "Resources: {'Fn::Transform': {Name: 'AWS::Include'}}"
    #expect(try Self.of(Self.bucket, only) == .unknown)
    let outermost = "AWSTemplateFormatVersion: '2010-09-09'\nTransform: {Name: 'AWS::Include'}\n"
    #expect(try Self.of(Self.bucket, outermost) == .unknown)
  }

  @Test(arguments: ["Mine", "[AWS::LanguageExtensions, Mine]", "[{Name: Mine}]", "{Name: Mine}"])
  func aMacroMayMakeAndChangeAnything(_ written: String) throws {
    let text =
      "Transform: \(written)\nResources: {B: {Type: 'AWS::S3::Bucket', Properties: {AccessControl: X}}}\n"
    #expect(try Self.of(Self.topic, text) == .unknown)
    #expect(try Self.of(Self.bucket, text) == .unknown)
  }

  @Test func whatIsBesideATransformationIsNotAll() throws {
    func bucket(_ name: String) -> String {
      "Resources: {B: {Type: 'AWS::S3::Bucket', Properties: {BucketName: x, 'Fn::Transform': {Name: '\(name)'}}}}"
    }
    #expect(try Self.of(Self.bucket, bucket("AWS::Include")) == .unknown)
    #expect(try Self.of("Resources.B.Properties.BucketName == 'y'", bucket("AWS::Include")) == .fail)
    #expect(try Self.of("Resources.B.Properties.BucketName == 'y'", bucket("Mine")) == .unknown)
    let changed = "Resources: {B: {Type: 'AWS::S3::Bucket', 'Fn::Transform': {Name: Mine}, Properties: {}}}"
    #expect(try Self.of(Self.bucket, changed) == .unknown)
    let beside = "Resources: {B: {Type: 'AWS::S3::Bucket', 'Fn::Transform': {Name: 'AWS::Include'}}}"
    #expect(try Self.of(Self.bucket, beside) == .unknown)
  }

  @Test func serverlessResourcesMakeSomeTypes() throws {
    let text = """
      Transform: AWS::Serverless-2016-10-31
      Resources:
        F: {Type: 'AWS::Serverless::Function', Properties: {Role: arn, Events: {A: {Type: SQS}}}}
        B: {Type: 'AWS::S3::Bucket', Properties: {}}
      """
    func any(_ type: String) throws -> RuleStatus {
      try Self.of(
        "let t = Resources.*[ Type == '\(type)' ]\n when %t !empty { %t.Properties.X == 1 }", text)
    }
    #expect(try any("AWS::Lambda::Function") == .unknown)
    #expect(try any("AWS::Lambda::EventSourceMapping") == .unknown)
    // Nothing of these is made of it.
    #expect(try any("AWS::IAM::Role") == .skip && any("AWS::RDS::DBInstance") == .skip)
    #expect(try Self.of(Self.bucket, text) == .pass)
    let open = text.replacing("SQS", with: "Thing")
    #expect(try Self.of(Self.topic, open) == .unknown && Self.of(Self.topic, text) == .skip)
  }

  // MARK: - Conditions

  static let conditional = """
    Parameters: {Make: {Type: String}}
    Conditions: {C: !Equals [!Ref Make, "yes"]}
    Resources:
      Q: {Type: "AWS::SQS::Queue", Properties: {K: 1}}
      T: {Type: "AWS::CloudTrail::Trail", Condition: C, Properties: {K: 1}}
    """

  @Test(
    arguments: [
      ("%t !empty", .unknown), ("%t empty", .unknown), ("%t.Properties.K == 1", .pass),
      ("%t.Properties.K == 2", .unknown), ("%t.Properties.K exists", .pass),
      ("%t.Properties.L exists", .unknown),
      ("%t { Properties.K == 2 }", .unknown), ("Resources.T exists", .unknown),
      ("Resources.T.Properties.K == 1", .unknown), ("Resources.*.Properties.K == 1", .pass),
      ("Resources.*.Properties.K == 2", .fail),
      ("some Resources.*.Type == 'AWS::CloudTrail::Trail'", .unknown),
      ("let n = count(%t)\n %n == 1", .unknown), ("Resources[ keys == 'T' ] !empty", .unknown),
      ("Resources[ n | Type == /Trail/ ].Properties.K == 1\n %n !empty", .unknown),
      ("when %t !empty { Resources.Q.Properties.K == 2 }", .unknown),
    ] as [(String, RuleStatus)])
  func aResourceWithAConditionIsPerhapsThere(_ clauses: String, _ expected: RuleStatus) throws {
    let rule = "let t = Resources.*[ Type == 'AWS::CloudTrail::Trail' ]\n" + clauses
    #expect(try Self.of(rule, Self.conditional) == expected, Comment(rawValue: clauses))
  }

  /// Made rules on made templates: what is told while conditions aren't known holds for each of their values.
  @Test func whateverConditionsComeToFuzz() throws {
    var (compared, unknown) = (0, 0)
    try fuzz(rounds: 1_500) { round in
      var chance = Chance(round: round)
      let (texts, rules) = (Self.template(&chance), Self.rules(&chance))
      let file: RuleFile
      do throws(RuleFaults) { file = try RuleFile(rules, name: "made") } catch {
        Issue.record("\(error)\n\(rules)\n\(seedNote)")
        return
      }
      let before = try file.evaluate(Template(try Value.reading(yaml: texts)).resolved, now: 0)
      for values in [["a", "a"], ["a", "b"], ["b", "a"], ["b", "b"]] {
        var context = Template.Context()
        context.parameters = ["P": Value(.string(values[0])), "O": Value(.string(values[1]))]
        let after = try file.evaluate(Template(try Value.reading(yaml: texts), context).resolved, now: 0)
        for (before, after) in zip(before, after) {
          compared += 1
          if before.status == .unknown { unknown += 1 }
          let isSound =
            switch before.status {
            case .pass: after.status == .pass || after.status == .skip
            case .fail, .skip: after.status == before.status
            case .unknown: true
            }
          if !isSound {
            Issue.record("\(before.name) \(before.status) → \(after.status), \(seedNote)\n\(texts)\n\(rules)")
          }
        }
      }
    }
    #expect(compared > 1_000 && unknown > compared / 20 && unknown < compared * 9 / 10)
  }

  private static func template(_ chance: inout Chance) -> String {
    var text = """
      Parameters: {P: {Type: String}, O: {Type: String}}
      Conditions: {C: !Equals [!Ref P, a], D: !Equals [!Ref O, a], E: !And [!Condition C, !Condition D], F: !Not [!Condition C]}
      Resources:
        Z: {Type: T, Properties: {K: 1}}

      """
    for number in 0...chance.below(4) {
      let condition = chance.below(4) == 0 ? "" : ", Condition: \(chance.pick(["C", "D", "E", "F"]))"
      let value = chance.pick(["1", "2", "!If [D, 1, 2]", "!If [C, 1, !Ref 'AWS::NoValue']", "[1, 2]"])
      text += "  R\(number): {Type: \(chance.pick(["T", "U"]))\(condition), Properties: {K: \(value)}}\n"
    }
    return text
  }

  private static func rules(_ chance: inout Chance) -> String {
    var text = "let t = Resources.*[ Type == 'T' ]\nlet u = Resources.*[ Type == 'U' ]\n"
    for number in 0..<5 {
      var clauses = ""
      for _ in 0...chance.below(2) {
        let some = chance.below(4) == 0 ? "some " : ""
        let query = chance.pick([
          "%t.Properties.K", "%u.Properties.K", "Resources.*.Properties.K", "Resources.R1.Properties.K",
          "%u[ Properties.K == 1 ].Type", "Resources[ keys == /R[01]/ ].Properties.K", "Resources.R0", "%u",
          "%t",
        ])
        let test = chance.pick(["exists", "!exists", "== 1", "!= 2", "in [1, 2]", "is_int", "== 'U'"])
        clauses += chance.pick([
          "\(some)\(query) \(test)\n", "%u \(chance.pick(["empty", "!empty"]))\n",
          "when %u \(chance.pick(["empty", "!empty"])) { \(some)\(query) \(test) }\n",
          "\(query) { this \(test) }\n", "%t.Properties.K == %u.Properties.K\n",
          "Resources.R0 exists or \(query) \(test)\n",
        ])
      }
      text += "rule r\(number) {\n\(clauses)}\n"
    }
    return text
  }

  // MARK: - Texts that are read at deployment

  static func texts(_ text: String) -> String {
    "Mappings: {M: {a: {b: ['\(text)']}}}\nParameters: {P: {Type: String, Default: '\(text)'}, "
      + "L: {Type: CommaDelimitedList, Default: 'a,\(text)'}}\n"
      + "Resources: {A: {Type: T, Properties: {K: '\(text)', P: !Ref P, S: !Sub 'x${P}', L: !Ref L, "
      + "M: !FindInMap [M, a, b], J: !Join ['', ['{{resolve:ssm:', '/x}}']]}}}\n"
  }

  @Test(
    arguments: [
      ("K == 'x'", .unknown), ("K != '0.0.0.0/0'", .unknown), ("K exists", .pass), ("K is_string", .pass),
      ("K is_struct", .fail), ("K !empty", .pass), ("K in ['a', 'b']", .unknown),
      ("K == /{{resolve:ssm/", .pass), ("K != /{{resolve:ssm/", .fail), ("K == /{{resolve:secrets/", .fail),
      ("K in [/{{resolve:secrets/, /{{resolve:ssm/]", .pass),
      ("K not in [/{{resolve\\:secrets/, /{{resolve\\:ssm-secure/]", .pass),
      ("K in ['a', /{{resolve:ssm:/]", .pass),
      ("K in ['a', /{{resolve:other:/]", .unknown), ("P == 'x'", .unknown), ("S == 'x'", .unknown),
      ("L[*] != 'x'", .unknown), ("M[*] != 'x'", .unknown), ("J != 'x'", .unknown),
    ] as [(String, RuleStatus)])
  func aDynamicReferenceIsNotItsValue(_ clause: String, _ expected: RuleStatus) throws {
    let document = try Self.resolved(Self.texts("{{resolve:ssm:/acl}}"))
    #expect(try status("Resources.A.Properties { \(clause) }", document) == expected)
  }

  @Test func whatOnlyLooksLikeADynamicReferenceIsAText() throws {
    for text in ["{{resolve:", "{{other}}", "resolve:ssm:x}}"] {
      #expect(try Self.resolved(Self.texts(text))["Resources"]?["A"]?["Properties"]?["K"]?.string == text)
    }
  }
}
