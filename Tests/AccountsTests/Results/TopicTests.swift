// Messages to topics: which topics there are, what is published, and what becomes of it when SNS doesn't take it.

import Foundation
import GRDB
import GuardRules
import Testing

@testable import Governance

private let arn = "arn:aws:sns:eu-west-1:111122223333:findings"
private let secret = "s3cretOfTheTopics/ThatNobodyMaySee+0123"
private let key = [
  "AWS_ACCESS_KEY_ID": "AKIAKABUTOTOPICS0001", "AWS_SECRET_ACCESS_KEY": secret,
  "AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
]
private let taken = """
  <PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult></PublishResponse>
  """

@Suite struct TopicTests {
  @Test(arguments: [
    (arn, "aws", "eu-west-1", false),
    ("arn:aws-cn:sns:cn-north-1:111122223333:A_b-9", "aws-cn", "cn-north-1", false),
    ("arn:aws-us-gov:sns:us-gov-west-1:111122223333:t.fifo", "aws-us-gov", "us-gov-west-1", true),
  ]) func topicsAreTakenApart(text: String, partition: String, region: String, isOrdered: Bool) throws {
    let topic = try #require(TopicARN(text))
    #expect((topic.partition, topic.region, topic.isOrdered) == (partition, region, isOrdered))
    let target = try #require(try NotificationTarget.read(["sns:\(text)"]).first)
    #expect(target.destination == .topic(topic) && target.name == "sns:\(text)")
  }

  @Test(arguments: [
    "arn:aws:sns:eu-west-1:1:t", "arn:aws:sqs:eu-west-1:111122223333:t", "arn:aws:sns::111122223333:t",
    "arn:aws:sns:evil.example/x-y-1:111122223333:t", "arn:aws:sns:eu-west-1.evil.example#-1:111122223333:t",
    "arn:aws:sns:eu-west-:111122223333:t", "arn:aws:sns:eu-west-1:111122223333:",
    "arn:other:sns:eu-west-1:111122223333:t",
    "arn:aws:sns:eu-west-1:111122223333:.fifo", "arn:aws:sns:eu-west-1:111122223333:a b",
    "arn:aws:sns:eu-west-1:111122223333:t:0d2c", "arn:aws:sns:eu-west-1:١١١١٢٢٢٢٣٣٣٣:t", "findings",
  ]) func whatIsNoTopicIsAFault(text: String) {
    let error = #expect(throws: GovernanceFaults.self) { try NotificationTarget.read(["sns:\(text)"]) }
    #expect(error?.description.contains("wanted sns:arn:aws:sns:REGION:ACCOUNT:NAME") == true)
  }

  @Test func fileOfTargetsNamesTopicsAndTheirAddress() throws {
    let folder = try TestFolder()
    let path = folder.file("targets.yaml")
    func read(_ text: String) throws -> [NotificationTarget] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      return try NotificationTarget.read([path])
    }
    let targets = try read(
      """
      targets:
        - {name: a, sns: "\(arn)", format: text, language: ja}
        - {name: b, sns: "\(arn)", endpoint: "https://vpce-1.sns.eu-west-1.vpce.amazonaws.com/"}
      """)
    #expect(targets.map(\.endpoint) == [nil, "https://vpce-1.sns.eu-west-1.vpce.amazonaws.com"])
    #expect(targets[0].form == .text && targets[0].language == .japanese)
    let error = #expect(throws: GovernanceFaults.self) {
      try read(
        """
        targets:
          - {name: a, sns: "arn:aws:sns:eu-west-1:1:t"}
          - {name: b, sns: "\(arn)", file: x}
          - {name: c, sns: "\(arn)", secret_file: x}
          - {name: d, sns: "\(arn)", endpoint: "http://sns.example.com"}
          - {name: e, file: x, endpoint: "https://sns.example.com"}
        """)
    }
    let faults = try #require(error?.all)
    #expect(faults.count == 5 && faults.allSatisfy { $0.contains("wanted") }, "\(faults)")
  }

  // MARK: - What is published

  private func target(_ form: NotificationTarget.Form = .json) throws -> NotificationTarget {
    var target = NotificationTarget(name: "topic", destination: .topic(try #require(TopicARN(arn))))
    target.form = form
    return target
  }

  private func record(
    _ history: FindingHistory, _ findings: [Finding], _ target: NotificationTarget, at: Int64 = 1_000
  ) throws {
    var extra = RunExtra()
    extra.targets = [target]
    _ = try history.record(
      .made(findings, [("s3_public", .fail)]), scope: [region], source: "scan", at: at, extra)
  }

  private func deliver(
    _ history: FindingHistory, _ target: NotificationTarget, to origin: String?, attempts: Int = 2,
    at: Int64 = 1_001, _ environment: [String: String] = key
  ) async throws -> DeliveryReport {
    try await NotificationDelivery(
      history, [target], environment: environment, endpoint: origin, attempts: attempts, now: { at }
    ).run()
  }

  /// Fields of a form.
  private func fields(_ asked: Asked?) -> [String: String] {
    var out: [String: String] = [:]
    for pair in (asked?.body ?? "").split(separator: "&") {
      let sides = pair.split(separator: "=", maxSplits: 1).map { String($0).removingPercentEncoding ?? "" }
      out[sides.first ?? ""] = sides.count > 1 ? sides[1] : ""
    }
    return out
  }

  @Test func publishesSignedWithTheTopicsRegionAndTriesAgain() async throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    let service = try await PlayedService { _, number in
      number == 1
        ? Said(status: 503, body: "<ErrorResponse><Error><Code>x</Code></Error></ErrorResponse>")
        : Said(body: taken)
    }
    let target = try target()
    try record(history, [.made(), .made(of: "b2", severity: .critical)], target)
    #expect(try await deliver(history, target, to: service.origin) == DeliveryReport(sent: 1))
    // What SNS has isn't sent again.
    #expect(try await deliver(history, target, to: service.origin) == DeliveryReport())
    #expect(service.asked.count == 2 && Set(service.asked.map(\.body)).count == 1)
    let last = service.asked.last
    #expect(last?.header("authorization")?.contains("/eu-west-1/sns/aws4_request") == true)
    let sent = fields(last)
    #expect((sent["Action"], sent["Version"], sent["TopicArn"]) == ("Publish", "2010-03-31", arn))
    #expect(sent["Subject"] == "Kabuto (scan): New 2")
    #expect(sent["MessageGroupId"] == nil)
    let message = try #require(
      try JSONSerialization.jsonObject(with: Data((sent["Message"] ?? "").utf8)) as? [String: Any])
    #expect(message["id"] as? String == sent["MessageAttributes.entry.1.Value.StringValue"])
    #expect(sent["MessageAttributes.entry.1.Name"] == "Kabuto-Message-Id")
    #expect(((message["groups"] as? [[String: Any]])?.first?["findings"] as? [Any])?.count == 2)
    try await service.end()
  }

  @Test func textForPeopleInJapaneseHasASubjectInASCII() async throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    let service = try await PlayedService { _, _ in Said(body: taken) }
    var target = try target(.text)
    target.language = .japanese
    try record(history, [.made(of: "b\u{1}1")], target)
    #expect(try await deliver(history, target, to: service.origin).sent == 1)
    let sent = fields(service.asked.first)
    #expect(sent["Subject"] == "Kabuto (scan): New 1")
    #expect(sent["Message"]?.hasPrefix("Kabuto (scan): 新規 1\n") == true)
    #expect(sent["Message"]?.contains("[高] バケットを公開しない — b1 (") == true)
    try await service.end()
  }

  @Test func topicInOrderIsToldWhichMessageItIs() throws {
    let topic = try #require(TopicARN("\(arn).fifo"))
    let action = TopicPublisher.action(TopicMessage(subject: "s", message: "m"), "id-1", topic)
    guard case .map(let members) = action.parameters else { throw Unexpected() }
    let values = Dictionary(members.map { ($0.name, $0.value) }) { first, _ in first }
    #expect(values["MessageDeduplicationId"] == .text("id-1") && values["MessageGroupId"] == "kabuto")
  }
  private struct Unexpected: Error {}

  @Test(arguments: NotificationTarget.Form.allCases)
  func tooMuchIsCutAndCountsStay(form: NotificationTarget.Form) throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    let target = try target(form)
    let long = String(repeating: "長い名前", count: 2_000)
    let findings = (0..<300).map { Finding.made(of: "b\($0)\(long)", found: long, clause: long) }
    try record(history, findings, target)
    let payload = try #require(
      try history.queue.read { try String.fetchOne($0, sql: "SELECT payload FROM message") })
    let message = TopicMessage(payload: payload)
    #expect(message.message.utf8.count <= 262_144 - 1_024)
    #expect(message.message.utf8.count > 20_000, "no more is cut than must be")
    #expect(message.subject == "Kabuto (scan): New 300")
    if form == .json {
      let document = try JSONSerialization.jsonObject(with: Data(message.message.utf8)) as? [String: Any]
      let group = try #require((document?["groups"] as? [[String: Any]])?.first)
      #expect(group["count"] as? Int == 300)
      let listed = try #require(group["findings"] as? [Any]).count
      #expect((0..<50).contains(listed))
    }
  }

  @Test func subjectsAreShortASCIIOnOneLine() {
    let message = TopicMessage(
      subject: "a\nb\u{7f}é " + String(repeating: "x", count: 200), message: "m")
    #expect(message.subject.utf8.count == 100 && message.subject.hasPrefix("a?b?? x"))
    #expect(TopicMessage(payload: message.payload) == message)
    #expect(TopicMessage(payload: #"{"text":"t"}"#).message == #"{"text":"t"}"#)
    #expect(TopicMessage.cut("日本語", to: 9) == "日本語" && TopicMessage.cut("日本語", to: 8) == "日…")
  }

  // MARK: - What isn't taken

  private static func refusal(_ code: String) -> String {
    "<ErrorResponse><Error><Code>\(code)</Code><Message>no \(secret)</Message></Error></ErrorResponse>"
  }

  @Test(arguments: [
    (404, refusal("NotFound"), false, 1), (400, refusal("InvalidParameter"), false, 1),
    (403, refusal("AuthorizationError"), true, 1), (403, refusal("InvalidClientTokenId"), true, 1),
    (400, refusal("KMSAccessDenied"), true, 1), (400, refusal("Throttled"), true, 1),
    (400, refusal("ThrottledException"), true, 2), (500, "", true, 2), (200, "<html></html>", true, 2),
    (200, "hello", true, 2),
  ])
  func messageWaitsOrIsGivenUp(status: Int, body: String, waits: Bool, calls: Int) async throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    let service = try await PlayedService { _, _ in Said(status: status, body: body) }
    let target = try target()
    try record(history, [.made()], target)
    let report = try await deliver(history, target, to: service.origin)
    #expect((report.sent, report.waiting, report.givenUp) == (0, waits ? 1 : 0, waits ? 0 : 1))
    #expect(report.faults.count == 1 && !report.faults.joined().contains(secret), "\(report.faults)")
    #expect(service.asked.count == calls)
    try await service.end()
  }

  @Test func silenceAndAMissingKeyWait() async throws {
    let folder = try TestFolder()
    let history = try FindingHistory(folder.path)
    let target = try target()
    try record(history, [.made()], target)
    let silent = try await deliver(history, target, to: "http://127.0.0.1:1", attempts: 1)
    #expect((silent.waiting, silent.givenUp) == (1, 0))
    var none = key
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] { none[name] = "" }
    none["AWS_EC2_METADATA_DISABLED"] = "true"
    let keyless = try await deliver(history, target, to: "http://127.0.0.1:1", none)
    #expect((keyless.waiting, keyless.givenUp) == (1, 0))
    #expect(keyless.faults.first?.contains("no key of AWS") == true, "\(keyless.faults)")
    let late = try await deliver(history, target, to: "http://127.0.0.1:1", attempts: 1, at: 8 * 86_400)
    #expect((late.waiting, late.givenUp) == (0, 1))
  }
}
