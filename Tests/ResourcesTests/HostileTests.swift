// Inputs that mean harm: they end with a fault or a bounded result, on the smallest of stacks, and never with a crash.

import Foundation
import GuardRules
import TestChance
import Testing

@testable import Resources

@Suite struct HostileTests {
  /// What comes of a template on a small stack: a fault's text, or nil where it was resolved.
  static func fault(_ text: String) async -> String? {
    await onSmallStack {
      do throws(DocumentFault) {
        _ = try Template(try Value.reading(yaml: text))
        return nil
      } catch { return error.description }
    }
  }

  static func template(_ value: String, _ more: String = "") -> String {
    "\(more)\nResources: {A: {Type: T, Properties: {K: \(value)}}}"
  }

  @Test(arguments: [
    // 10,000 levels of functions; functions that double at each level; conditions one behind the other.
    template(String(repeating: "{'Fn::Not': [", count: 10_000)),
    template((0..<60).reduce("x") { inner, _ in "{'Fn::Sub': ['${a}${a}', {a: \(inner)}]}" }),
    template(
      (0..<40).reduce("x") { inner, _ in
        "{'Fn::If': [C, \(inner), {'Fn::Sub': ['${a}${a}', {a: \(inner.count < 200 ? inner : "x")}]}]}"
      } + "}"),
    template(
      "!If [C0, 1, 2]",
      "Conditions: {" + (0..<20_000).map { "C\($0): {Condition: C\($0 + 1)}" }.joined(separator: ", ") + "}"),
    // A small text that stands for a huge one.
    template(
      "!Sub '" + String(repeating: "${P}", count: 20_000) + "'",
      "Parameters: {P: {Type: String, Default: \(String(repeating: "x", count: 50_000))}}"),
    template(
      "[" + String(repeating: "!Split [',', !Ref P], ", count: 5_000) + "]",
      "Parameters: {P: {Type: String, Default: '\(String(repeating: ",", count: 5_000))'}}"),
    template(
      "[" + String(repeating: "!Ref P, ", count: 5_000) + "]",
      "Parameters: {P: {Type: CommaDelimitedList, Default: '\(String(repeating: ",", count: 5_000))'}}"),
    template(
      "[" + String(repeating: "!FindInMap [M, a, b], ", count: 5_000) + "]",
      "Mappings: {M: {a: {b: [\(String(repeating: "x, ", count: 5_000))]}}}"),
    template(
      "[" + String(repeating: "!Join ['', [!Ref P, !Ref P]], ", count: 5_000) + "]",
      "Parameters: {P: {Type: String, Default: '\(String(repeating: "y", count: 50_000))'}}"),
  ])
  func aTemplateThatIsTooMuchIsRefused(_ text: String) async {
    #expect(await Self.fault(text) != nil)
  }

  @Test(arguments: [
    template("[" + String(repeating: "!Sub 'a${AWS::Region}', ", count: 50_000) + "]"),
    template("!If [C, 1, 2]", "Conditions: {C: {Condition: D}, D: {Condition: E}, E: {Condition: C}}"),
    template((0..<20).reduce("x") { inner, _ in "{'Fn::If': [C, \(inner), y]}" }),
    template("!Sub '" + String(repeating: "${", count: 10_000) + "'"),
    template("!Sub '\(String(repeating: "${}", count: 10_000))'"),
    template("!Join [a]"), template("{'Fn::': x}"), template("{Ref: [a]}"), template("{'Fn::GetAtt': {}}"),
    "Resources: []", "Resources: {A: 5}",
    "Resources: {A: {Type: [x]}}", "Parameters: 5\nResources: {A: {Type: T, Properties: !Ref x}}",
  ])
  func anOddTemplateIsResolved(_ text: String) async {
    #expect(await Self.fault(text) == nil)
  }

  @Test(arguments: [
    String(repeating: "[", count: 10_000), String(repeating: "{\"a\":", count: 10_000),
    "[" + String(repeating: "[", count: 300) + String(repeating: "]", count: 300) + "]",
  ])
  func deepJSONIsRefused(_ text: String) async {
    let isRefused = await onSmallStack { () -> Bool in
      (try? JSONReader.value(of: text)) == nil && (try? plan("{\"resource_changes\": \(text)}")) == nil
        && (try? plan("{\"x\": \(text)}")) == nil && (try? items("{\"configurationItems\": \(text)}")) == nil
    }
    #expect(isRefused)
  }

  /// Much deeper than anybody writes; a build for debugging, with its large frames, reads less deep than the limit says.
  @Test func deepJSONIsReadOnASmallStack() async {
    let isRead = await onSmallStack { () -> Bool in
      let text = String(repeating: "{\"a\":[", count: 24) + "1" + String(repeating: "]}", count: 24)
      let marks = String(repeating: "{\"a\":[", count: 18) + "true" + String(repeating: "]}", count: 18)
      let known = String(repeating: "{\"a\":[", count: 18) + "1" + String(repeating: "]}", count: 18)
      let change =
        "{\"address\": \"aws_kms_key.k\", \"type\": \"aws_kms_key\", \"change\": {\"actions\": [\"create\"], \"after\": {\"policy\": \(known)}, \"after_unknown\": {\"policy\": \(marks)}}}"
      return (try? JSONReader.value(of: text)) != nil
        && (try? plan("{\"resource_changes\": [\(change)]}")) != nil
        && (try? Template(
          try JSONReader.value(
            of:
              "{\"Resources\": {\"A\": {\"Type\": \"T\", \"Properties\": \(String(repeating: "{\"a\":[", count: 18) + "1" + String(repeating: "]}", count: 18))}}}"
          ))) != nil
    }
    #expect(isRead)
  }
}

@Suite struct InputFuzzTests {
  static let template =
    TemplateTests.head
    + "Resources:\n  A:\n    Type: AWS::S3::Bucket\n    Condition: Both\n    Properties: {BucketName: !Sub 'a${Env}', K: !If [Both, !Join [',', !Ref Names], !Ref 'AWS::NoValue'], Z: !Select [0, !Split ['-', !Ref Env]]}\n"
  static let signs = [
    "{", "}", "[", "]", "\"", ",", ":", "null", "true", "1e9", "!Ref ", "!If ", "!Sub ", "Fn::", "${", "\\u",
    "\\", "é", "\n", "Condition", "AWS::NoValue",
  ]

  @Test func mutatedTemplatesEndFuzz() {
    fuzz(rounds: 3_000) { round in
      var chance = Chance(round: round)
      let text = chance.mutated(Self.template, Self.signs)
      guard let value = try? Value.reading(yaml: text), let resolved = try? Template(value).resolved else {
        return
      }
      #expect((try? status("Resources.*.Properties.* exists", resolved)) != nil, seedNote)
    }
  }

  @Test func mutatedPlansAndItemsEndFuzz() {
    fuzz(rounds: 3_000) { round in
      var chance = Chance(round: round)
      for text in [PlanTests.buckets, PlanTests.groups, ItemTests.snapshot] {
        let text = chance.mutated(text, Self.signs)
        let all = ((try? plan(text)) ?? []) + ((try? items(text)) ?? [])
        #expect((try? status("Resources.*.Properties exists", all.document)) != nil, seedNote)
      }
    }
  }
}
