// CloudTrail: the trail, whether it runs, and whether it keeps all calls to resources.

import Controls
import GuardRules
import Resources

extension AccountSettings {
  private var trailName: String { baseline.trailName ?? "" }

  func trail() async throws(CallFailure) -> FoundSetting {
    let answer = try await ask(
      "cloudtrail",
      ServiceAction("DescribeTrails", ["trailNameList": [.text(trailName)], "includeShadowTrails": false]))
    guard let trail = answer.all(at: ["trailList"]).first(where: { $0["Name"]?.string == trailName }) else {
      return .absent
    }
    return .set(
      trail.properties([
        "S3BucketName", "IsMultiRegionTrail", "IncludeGlobalServiceEvents", "LogFileValidationEnabled",
        "KmsKeyId",
      ]))
  }

  func setTrail(_ goal: BaselineGoal) async throws(CallFailure) {
    let found = try await trail()
    var members = [CallField.Member(name: "Name", value: .text(trailName))]
    for change in goal.changes(from: found) {
      // The answer's name isn't the call's.
      let name = change.name == "LogFileValidationEnabled" ? "EnableLogFileValidation" : change.name
      members.append(
        CallField.Member(
          name: name,
          value: ["true", "false"].contains(change.to) ? .bool(change.to == "true") : .text(change.to)))
    }
    try await act(
      "cloudtrail",
      ServiceAction(
        found == .absent ? "CreateTrail" : "UpdateTrail", .map(members), isRepeatable: found != .absent))
  }

  func trailLogging() async throws(CallFailure) -> FoundSetting {
    let answer = try await ask(
      "cloudtrail",
      ServiceAction("GetTrailStatus", ["Name": .text(trailName)], absent: ["TrailNotFoundException"]))
    return answer.isNull ? .absent : .set(answer.properties(["IsLogging"]))
  }

  func startLogging() async throws(CallFailure) {
    try await act("cloudtrail", ServiceAction("StartLogging", ["Name": .text(trailName)], isRepeatable: true))
  }

  // MARK: - Selectors

  private func selectors() async throws(CallFailure) -> Value? {
    let answer = try await ask(
      "cloudtrail",
      ServiceAction("GetEventSelectors", ["TrailName": .text(trailName)], absent: ["TrailNotFoundException"]))
    return answer.isNull ? nil : answer
  }

  func trailSelectors() async throws(CallFailure) -> FoundSetting {
    guard let found = try await selectors() else { return .absent }
    return .set(["ManagementEvents": TrailSelectors(found).hasAllManagementEvents ? "all" : "some"])
  }

  /// What is selected stays; a selector for all calls to resources is changed or added.
  func selectManagementEvents() async throws(CallFailure) {
    guard let found = try await selectors() else {
      throw CallFailure(code: "NoTrail", message: "trail \(trailName) isn't there")
    }
    let selectors = TrailSelectors(found)
    guard let (name, list) = selectors.withAllManagementEvents else {
      throw CallFailure(
        code: "NoRoom",
        message:
          "trail \(trailName) has \(selectors.basic.count) selectors, all of them for data; wanted one of them "
          + "removed, so that there is room for one of the calls to resources (CloudTrail allows "
          + "\(TrailSelectors.mostBasic))")
    }
    try await act(
      "cloudtrail",
      ServiceAction(
        "PutEventSelectors",
        .map([
          CallField.Member(name: "TrailName", value: .text(trailName)),
          CallField.Member(name: name, value: .list(list)),
        ]), isRepeatable: true))
  }
}

/// Which calls a trail keeps. A trail has either kind of selectors, or none and keeps all calls to resources.
/// Source: AWS CloudTrail API Reference, EventSelector, AdvancedEventSelector, AdvancedFieldSelector.
struct TrailSelectors {
  static let mostBasic = 5
  let basic: [Value]
  let advanced: [Value]

  /// - Parameter answer: GetEventSelectors'.
  init(_ answer: Value) {
    basic = answer["EventSelectors"]?.list ?? []
    advanced = answer["AdvancedEventSelectors"]?.list ?? []
  }

  /// Whether all calls to resources are kept, as the rule `trail_management_events` takes it: what a selector leaves out by
  /// name (a service's calls) is meant so.
  var hasAllManagementEvents: Bool {
    guard !basic.isEmpty || !advanced.isEmpty else { return true }
    let kinds = Set(
      basic.filter { $0["IncludeManagementEvents"]?.plainText != "false" }
        .map { $0["ReadWriteType"]?.string ?? "All" })
    if kinds.contains("All") || kinds.isSuperset(of: ["ReadOnly", "WriteOnly"]) { return true }
    var reads: Set<String> = []
    for selector in advanced {
      let fields = selector["FieldSelectors"]?.list ?? []
      func texts(_ field: Value, _ by: String) -> [String] { field[by]?.list?.compactMap(\.plainText) ?? [] }
      let picking = fields.filter { field in
        ["Equals", "StartsWith", "EndsWith"].contains { !texts(field, $0).isEmpty }
      }
      guard
        picking.contains(where: {
          $0["Field"]?.string == "eventCategory" && texts($0, "Equals").contains("Management")
        })
      else { continue }
      let others = picking.filter { $0["Field"]?.string != "eventCategory" }
      if others.isEmpty { return true }
      guard others.allSatisfy({ $0["Field"]?.string == "readOnly" }) else { continue }
      reads.formUnion(others.flatMap { texts($0, "Equals") })
    }
    return reads.isSuperset(of: ["true", "false"])
  }

  /// The parameter and its value that keep all calls to resources beside what is kept.
  /// - Returns: nil where there is no room for one more.
  var withAllManagementEvents: (name: String, list: [CallField])? {
    if !advanced.isEmpty {
      let added: CallField = [
        "Name": "Calls to resources",
        "FieldSelectors": [["Field": "eventCategory", "Equals": ["Management"]]],
      ]
      return ("AdvancedEventSelectors", advanced.compactMap { CallField($0) } + [added])
    }
    var list = basic.compactMap { CallField($0) }
    guard let own = basic.firstIndex(where: { $0["DataResources"]?.list?.isEmpty ?? true }) else {
      guard basic.count < Self.mostBasic else { return nil }
      return ("EventSelectors", list + [["ReadWriteType": "All", "IncludeManagementEvents": true]])
    }
    var members = [
      CallField.Member(name: "ReadWriteType", value: "All"),
      CallField.Member(name: "IncludeManagementEvents", value: true),
    ]
    for name in ["DataResources", "ExcludeManagementEventSources"] {
      if let value = basic[own][name], let field = CallField(value) {
        members.append(CallField.Member(name: name, value: field))
      }
    }
    list[own] = .map(members)
    return ("EventSelectors", list)
  }
}
