// Where secrets come from: parameters with NoEcho, and what a plan says is sensitive.

import GuardRules
import Testing

@testable import Resources

@Suite struct SecretSourceTests {
  static let template = """
    Parameters:
      Plain: {Type: String, Default: plain}
      Word: {Type: String, NoEcho: true, Default: Hunter2, AllowedValues: [Hunter2, Hunter3]}
      Text: {Type: String, NoEcho: 'TRUE', Default: Hunter4}
      List: {Type: CommaDelimitedList, NoEcho: true, Default: 'Hunter5, Hunter6'}
      Open: {Type: String, NoEcho: false, Default: open}
      Zero: {Type: Number, NoEcho: true, Default: 0}
    Mappings:
      M: {Hunter2: {v: chosen}}
    Conditions:
      Is: !Equals [!Ref Word, Hunter2]
    Resources:
      R:
        Type: A::B::C
        Properties:
          Ref: !Ref Word
          Text: !Ref Text
          List: !Ref List
          Sub: !Sub 'https://user:${Word}@host'
          SubList: !Sub ['${x}', {x: !Ref Text}]
          Join: !Join ['-', [a, !Ref Word]]
          JoinList: !Join ['-', !Ref List]
          Select: !Select [1, !Ref List]
          SelectBy: !Select [!Ref Zero, [first, second]]
          Split: !Split ['n', !Ref Word]
          Base64: !Base64 {Ref: Word}
          Map: !FindInMap [M, !Ref Word, v]
          NoMap: !FindInMap [M, !Ref Text, v]
          Deep: {A: [{B: !Ref Word}]}
          If: !If [Is, yes it is, no]
          Plain: !Sub '${Plain}-${Open}'
    Outputs:
      O: {Value: !Ref Word}
    """

  private static let secrets = ["Hunter", "unter", "SHVudGVy", "chosen", "first"]

  private func resolved(_ context: Template.Context = Template.Context()) throws -> Value {
    try Template(try Value.reading(yaml: Self.template), context).resolved
  }

  @Test(arguments: [
    "Ref", "Text", "List", "Sub", "SubList", "Join", "JoinList", "Select", "SelectBy", "Split", "Base64",
    "Map", "NoMap",
    "Deep",
  ]) func whatIsMadeOfANoEchoParameterIsHidden(name: String) throws {
    let value = try #require(try resolved()["Resources"]?["R"]?["Properties"]?[name])
    #expect(value.holdsSecret || name == "NoMap")
    for secret in Self.secrets { #expect(!value.text.contains(secret), "\(value.text)") }
    if case .unknown(let unknown) = value.content {
      for secret in Self.secrets { #expect(!unknown.reason.contains(secret)) }
    }
  }

  @Test func itIsComparedAllTheSame() throws {
    let properties = try #require(try resolved()["Resources"]?["R"]?["Properties"])
    #expect(
      properties["Ref"]?.string == "Hunter2" && properties["Sub"]?.string == "https://user:Hunter2@host")
    #expect(properties["If"]?.text == "\"yes it is\"" && properties["Plain"]?.text == "\"plain-open\"")
    #expect(properties["Map"]?.string == "chosen")
  }

  @Test func parametersThemselvesAndOutputsAreHidden() throws {
    let whole = try resolved()
    for name in ["Word", "Text", "List"] {
      let text = try #require(whole["Parameters"]?[name]?.text)
      #expect(!text.contains("Hunter") && text.contains("NoEcho"), "\(text)")
    }
    #expect(whole["Parameters"]?["Plain"]?["Default"]?.text == "\"plain\"")
    #expect(whole["Parameters"]?["Open"]?["Default"]?.text == "\"open\"")
    #expect(whole["Outputs"]?["O"]?["Value"]?.text == "(hidden)")
    var context = Template.Context()
    context.parameters["Word"] = Value(.string("Hunter3"))
    let given = try resolved(context)["Resources"]?["R"]?["Properties"]?["Join"]
    #expect(given?.string == "a-Hunter3" && given?.text == "(hidden)")
  }

  /// A plan of one resource.
  static func plan(_ type: String, _ after: String, sensitive: String, unknown: String = "{}") -> String {
    """
    {"format_version":"1.2","resource_changes":[{"address":"\(type).x","mode":"managed","type":"\(type)","name":"x",
    "change":{"actions":["create"],"after":\(after),"after_unknown":\(unknown),"after_sensitive":\(sensitive)}}]}
    """
  }

  private func shaped(_ plan: String) throws -> Value {
    var plan = plan
    let all: Result<[ShapedResource], DocumentFault> = plan.withUTF8 { bytes in
      Result { () throws(DocumentFault) in try TerraformPlan.shaped(UnsafeRawBufferPointer(bytes)) }
    }
    return try #require(try all.get().first).properties
  }

  @Test func whatAPlanSaysIsSensitiveIsHidden() throws {
    let after =
      #"{"bucket":"Hunter1","tags":{"a":"plain","b":"Hunter2"},"website":[{"index_document":"Hunter3"}]}"#
    let some = try shaped(
      Self.plan(
        "aws_s3_bucket", after,
        sensitive: #"{"bucket":true,"tags":{"b":true},"website":[{"index_document":true}]}"#))
    #expect(!some.text.contains("Hunter"), "\(some.text)")
    #expect(some["BucketName"]?.string == "Hunter1" && some["BucketName"]?.isSecret == true)
    #expect(some["Tags"]?.text.contains("plain") == true)
    for marks in [
      "true", #"{"bucket":true,"tags":true,"website":true}"#,
      #"{"bucket":true,"tags":[true],"website":[[true]]}"#,
    ] {
      let all = try shaped(Self.plan("aws_s3_bucket", after, sensitive: marks))
      #expect(!all.text.contains("Hunter") && all["BucketName"]?.isSecret == true, "\(marks): \(all.text)")
      // Names of a map that is sensitive as a whole are too.
      if let tags = all["Tags"] {
        #expect(!tags.text.contains("plain") && !tags.text.contains("\"a\""), "\(tags.text)")
      }
    }
    let none = try shaped(Self.plan("aws_s3_bucket", after, sensitive: #"{"tags":{},"website":[{}]}"#))
    #expect(none["BucketName"]?.text == "\"Hunter1\"" && !none.holdsSecret)
  }

  @Test func documentsWithinAreHiddenWithTheirNames() throws {
    let after = #"{"policy":"{\"Hunter1\":[{\"Hunter2\":\"Hunter3\"}]}","name":"n"}"#
    let policy = try shaped(Self.plan("aws_iam_policy", after, sensitive: #"{"policy":true}"#))
    let document = try #require(policy["PolicyDocument"])
    #expect(document.isSecret && document.text == "(hidden)")
    #expect(document["Hunter1"]?.list?.first?["Hunter2"]?.isSecret == true)
  }

  @Test func rulesOfGroupsAreHidden() throws {
    let after =
      #"{"description":"Hunter1","ingress":[{"cidr_blocks":["10.9.8.0/24"],"description":"Hunter2","from_port":1,"to_port":2,"protocol":"tcp"}]}"#
    let group = try shaped(
      Self.plan(
        "aws_security_group", after,
        sensitive: #"{"description":true,"ingress":[{"cidr_blocks":[true],"description":true}]}"#))
    #expect(!group.text.contains("Hunter") && !group.text.contains("10.9"), "\(group.text)")
    #expect(group.text.contains("tcp"))
  }
}
