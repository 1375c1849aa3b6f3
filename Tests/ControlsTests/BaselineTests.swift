// Reading baselines: the shipped one, and all faults of a bad one with their places.

import Controls
import Foundation
import GuardRules
import Testing

@Suite struct BaselineTests {
  @Test func shippedFileIsTheTextOfTheProgram() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Baselines/standard.yaml")
    #expect(try String(contentsOf: file, encoding: .utf8) == Baseline.standardText)
  }

  @Test func shippedBaselineNamesAllThatCanBeSet() throws {
    let baseline = try Baseline(Baseline.standardText)
    let account = BaselineAccount(
      number: "111122223333", partition: "aws", home: "eu-west-1", regions: ["eu-west-1"])
    let found: [BaselineKey: FoundSetting] = [
      BaselineKey(.defaultGroup, region: "eu-west-1", name: "sg"): .absent
    ]
    let items = Set(baseline.goals(of: account, found).map(\.key.item))
    for item in BaselineItem.allCases where item.isSettable { #expect(items.contains(item), "\(item)") }
  }

  @Test func allFaultsAreToldWithTheirPlaces() {
    let text = """
      baseline: b
      trial: {name: x}
      logs: {bucket: "Bad_Name", encryption: aws:kms}
      trail: {name: ab, validation: perhaps}
      config:
        delivery: Daily
        rules:
          - {name: one, identifier: ONE}
          - {name: one, identifier: TWO, only: sometimes}
          - {name: three}
      password-policy: {minimum-length: 3, minimum-lenght: 12}
      hygiene: [root-mfa]
      """
    do {
      _ = try Baseline(text)
      Issue.record("it was read")
    } catch {
      let told = error.all.map(\.description)
      for wanted in [
        "2:8: found trial", "3:16: found logs.bucket: Bad_Name", "found logs without kms-key",
        "4:15: found trail.name: ab", "4:31: found trail.validation", "6:13: found config.delivery: Daily",
        "9:14: found config.rules[1].name: one twice", "9:42: found config.rules[1].only: sometimes",
        "found config.rules[2] without identifier", "password-policy.minimum-length: 3",
        "password-policy.minimum-lenght",
        "12:10: found hygiene: a list",
      ] {
        #expect(told.contains { $0.contains(wanted) }, "\(wanted) in \(told)")
      }
    }
  }

  @Test(arguments: [
    "baseline: b\ntrail: {name: made}", "baseline: b\nconfig: {name: made}", "version: 1", "[]", "",
    "baseline: [",
    "baseline: b\nlogs: {bucket: logs, kms-key: arn}", "baseline: b\nregions: {used: []}",
    "baseline: b\nregions: {used: [eu-west-1, '']}",
  ]) func isRefused(text: String) {
    #expect(throws: DocumentFaults.self) { try Baseline(text) }
  }
}

@Suite struct CanonicalJSONTests {
  private func read(_ text: String) throws -> Value { try Value.reading(yaml: text) }

  @Test func orderOfNamesDoesNotMatter() throws {
    #expect(
      CanonicalJSON.text(try read(#"{"b": [1, "x"], "a": {"d": true, "c": null}}"#))
        == #"{"a":{"c":null,"d":true},"b":[1,"x"]}"#)
  }

  @Test func policiesMeanTheSameInEitherForm() throws {
    let one = try read(
      #"{"Sid": "S", "Action": ["s3:B", "s3:A"], "Resource": ["r"], "Condition": {"Bool": {"x": "true"}}}"#)
    let other = try read(
      #"{"Resource": "r", "Condition": {"Bool": {"x": true}}, "Action": ["s3:A", "s3:B"], "Sid": ["S"]}"#)
    #expect(CanonicalJSON.policy(one) == CanonicalJSON.policy(other))
    let third = try read(
      #"{"Resource": "r", "Condition": {"Bool": {"x": true}}, "Action": ["s3:A"], "Sid": "S"}"#)
    #expect(CanonicalJSON.policy(one) != CanonicalJSON.policy(third))
  }

  @Test func textInQuotesIsReadBack() throws {
    for text in ["", "a\"b\\c\n\r\t\u{1}\u{7F}\u{2028}é日本🗾", "#x: y", "'", "no", "1"] {
      let value = try read("k: \(CanonicalJSON.quoted(text))")
      guard case .string(let found)? = value.members["k"]?.content else {
        Issue.record("no text: \(text)")
        continue
      }
      #expect(found == text)
    }
  }
}

extension Value {
  fileprivate var members: Members {
    if case .map(let members) = content { return members }
    return Members([])
  }
}
