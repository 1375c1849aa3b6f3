// Which calls a trail keeps by its selectors, and what has it keep all: as the shipped rule judges it, and without losing what
// is selected already.

import GuardRules
import Resources
import Testing

@testable import Governance

@Suite struct TrailSelectorsTests {
  private static func selectors(_ text: String) throws -> TrailSelectors {
    TrailSelectors(try JSONReader.value(of: text))
  }

  private static let data = #"{"IncludeManagementEvents":false,"DataResources":[{"Type":"AWS::S3::Object"}]}"#

  /// An advanced selector of a category with further fields.
  private static func advanced(_ fields: String..., category: String = "Management") -> String {
    let all = [#"{"Field":"eventCategory","Equals":["\#(category)"]}"#] + fields
    return #"{"FieldSelectors":[\#(all.joined(separator: ","))]}"#
  }
  private static let reading = #"{"Field":"readOnly","Equals":["true"]}"#
  private static let writing = #"{"Field":"readOnly","Equals":["false"]}"#

  @Test(arguments: [
    (#"{}"#, true),
    (#"{"EventSelectors":[],"AdvancedEventSelectors":[]}"#, true),
    (#"{"EventSelectors":[{"ReadWriteType":"All","IncludeManagementEvents":true}]}"#, true),
    (#"{"EventSelectors":[{}]}"#, true),
    (#"{"EventSelectors":[{"ReadWriteType":"All","IncludeManagementEvents":false}]}"#, false),
    (#"{"EventSelectors":[{"ReadWriteType":"WriteOnly"}]}"#, false),
    (#"{"EventSelectors":[{"ReadWriteType":"WriteOnly"},{"ReadWriteType":"ReadOnly"}]}"#, true),
    (#"{"EventSelectors":[{"ReadWriteType":"WriteOnly"},\#(data)]}"#, false),
    (#"{"AdvancedEventSelectors":[\#(advanced())]}"#, true),
    (#"{"AdvancedEventSelectors":[\#(advanced(category: "Data"))]}"#, false),
    (
      #"{"AdvancedEventSelectors":[\#(advanced(#"{"Field":"eventSource","NotEquals":["kms.amazonaws.com"]}"#))]}"#,
      true
    ),
    (
      #"{"AdvancedEventSelectors":[\#(advanced(#"{"Field":"eventName","Equals":["RunInstances"]}"#))]}"#,
      false
    ),
    (#"{"AdvancedEventSelectors":[\#(advanced(reading))]}"#, false),
    (#"{"AdvancedEventSelectors":[\#(advanced(reading)),\#(advanced(writing))]}"#, true),
  ])
  func whatIsKept(text: String, isAll: Bool) throws {
    let found = try Self.selectors(text)
    #expect(found.hasAllManagementEvents == isAll)
    guard !isAll else { return }
    // What is put there instead keeps all.
    let (name, list) = try #require(found.withAllManagementEvents)
    let after = try Self.selectors(CallField.map([CallField.Member(name: name, value: .list(list))]).json)
    #expect(after.hasAllManagementEvents)
  }

  @Test func whatIsSelectedStays() throws {
    let (_, added) = try #require(
      try Self.selectors(#"{"EventSelectors":[\#(Self.data)]}"#).withAllManagementEvents)
    #expect(
      CallField.list(added).json
        == #"[\#(Self.data),{"ReadWriteType":"All","IncludeManagementEvents":true}]"#)
    // One for calls alone is widened; what it leaves out by name is meant so.
    let own =
      #"{"ReadWriteType":"WriteOnly","DataResources":[],"ExcludeManagementEventSources":["kms.amazonaws.com"]}"#
    let (_, widened) = try #require(
      try Self.selectors(#"{"EventSelectors":[\#(Self.data),\#(own)]}"#).withAllManagementEvents)
    #expect(
      CallField.list(widened).json
        == #"[\#(Self.data),{"ReadWriteType":"All","IncludeManagementEvents":true,"DataResources":[],"#
        + #""ExcludeManagementEventSources":["kms.amazonaws.com"]}]"#
    )
    let full = try Self.selectors(
      #"{"EventSelectors":[\#(Array(repeating: Self.data, count: 5).joined(separator: ","))]}"#)
    #expect(full.withAllManagementEvents == nil)
  }
}
