// What documents say of requests, by the words of IAM's guide.

import Controls
import GuardRules
import Testing

@Suite struct PolicyEvaluationTests {
  static func document(_ text: String) throws -> PolicyDocument { try PolicyDocument(Value(.string(text))) }

  static let document = """
    {"Version": "2012-10-17", "Statement": [
      {"Effect": "Allow", "Action": ["s3:Get*", "EC2:runinstances"], "Resource": "*"},
      {"Effect": "Allow", "NotAction": "iam:*", "Resource": "arn:aws:x:::y*",
       "Condition": {"StringLike": {"aws:RequestedRegion": ["eu-*", "us-east-1"]}}},
      {"Effect": "Deny", "Action": "s3:GetSecret", "NotResource": "arn:aws:s3:::open/*"},
      {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    ]}
    """

  static let cases: [(String, String, [String: [String]], PolicyVerdict)] = [
    ("s3:GetObject", "*", [:], .allowed), ("S3:getobject", "*", [:], .allowed),
    ("s3:PutObject", "*", [:], .silent), ("ec2:RunInstances", "*", [:], .allowed),
    ("s3:GetSecret", "arn:aws:s3:::shut/a", [:], .denied),
    ("s3:GetSecret", "arn:aws:s3:::open/a", [:], .allowed),
    ("sqs:Send", "arn:aws:x:::y1", ["aws:requestedregion": ["eu-west-1"]], .allowed),
    ("sqs:Send", "arn:aws:x:::y1", ["aws:requestedregion": ["ap-east-1"]], .silent),
    ("sqs:Send", "arn:aws:x:::y1", [:], .silent),
    ("iam:Get", "arn:aws:x:::y1", ["aws:requestedregion": ["us-east-1"]], .silent),
    ("s3:GetObject", "*", ["aws:securetransport": ["false"]], .denied),
    ("s3:GetObject", "*", ["aws:securetransport": ["true"]], .allowed),
  ]

  @Test(arguments: cases) func verdicts(
    action: String, resource: String, context: [String: [String]], wanted: PolicyVerdict
  ) throws {
    let document = try Self.document(Self.document)
    #expect(PolicyRequest(action, resource: resource, context: context).verdict(of: [document]) == wanted)
  }

  @Test func aKeyThatIsNotThere() throws {
    func holds(_ condition: String) throws -> Bool {
      let document = try Self.document(
        "{\"Statement\": {\"Effect\": \"Allow\", \"Action\": \"a:b\", \"Resource\": \"*\", \"Condition\": {\(condition)}}}"
      )
      return PolicyRequest("a:b").verdict(of: [document]) == .allowed
    }
    #expect(try !holds("\"StringEquals\": {\"k\": \"v\"}"))
    #expect(try holds("\"StringNotEquals\": {\"k\": \"v\"}"))
    #expect(try holds("\"StringEqualsIfExists\": {\"k\": \"v\"}"))
    #expect(try holds("\"Null\": {\"k\": \"true\"}"))
    #expect(try !holds("\"Null\": {\"k\": \"false\"}"))
  }

  @Test func variablesOfResources() throws {
    let document = try Self.document(
      "{\"Statement\": {\"Effect\": \"Allow\", \"Action\": \"a:b\", \"Resource\": \"arn:u/${aws:UserName}/*\"}}"
    )
    func verdict(_ resource: String, _ names: [String]?) -> PolicyVerdict {
      PolicyRequest("a:b", resource: resource, context: names.map { ["aws:username": $0] } ?? [:])
        .verdict(of: [document])
    }
    #expect(verdict("arn:u/bob/x", ["bob"]) == .allowed)
    #expect(verdict("arn:u/alice/x", ["bob"]) == .silent)
    // Without one plain value it can't be told.
    for names in [nil, [], ["a", "b"], ["*"]] as [[String]?] {
      guard case .unknown = verdict("arn:u/bob/x", names) else {
        Issue.record("decided \(names ?? [])")
        continue
      }
    }
    #expect(PolicyRequest("a:c", resource: "x").verdict(of: [document]) == .silent)
  }

  @Test func anOperatorThatIsNotKnownIsUnknown() throws {
    let document = try Self.document(
      "{\"Statement\": {\"Effect\": \"Deny\", \"Action\": \"a:b\", \"Resource\": \"*\", \"Condition\": {\"IpAddress\": {\"aws:SourceIp\": \"10.0.0.0/8\"}}}}"
    )
    guard case .unknown = PolicyRequest("a:b").verdict(of: [document]) else {
      Issue.record("decided")
      return
    }
    #expect(PolicyRequest("a:c").verdict(of: [document]) == .silent)
  }

  @Test func whatIsWrittenIsReadAsTheSame() throws {
    let document = try Self.document(Self.document)
    let again = try Self.document(document.text)
    #expect(again.says(document))
    #expect(document.text.unicodeScalars.count == document.characterCount)
    #expect(!document.text.contains(" \"") && !document.text.contains("\n"))
    var other = document
    other.statements[0].actions.append("s3:Put*")
    #expect(!other.says(document))
  }
}
