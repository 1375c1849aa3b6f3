// AWS Config. Of what a region can have only once (recorder, channel) the one that is there is used, whatever its name.

import Controls
import GuardRules
import Resources

extension AccountSettings {
  // MARK: - Recorder and channel

  private func firstRecorder(_ region: String) async throws(CallFailure) -> Value? {
    try await ask("config", ServiceAction("DescribeConfigurationRecorders"), region)
      .all(at: ["ConfigurationRecorders"]).first
  }

  func recorder(_ region: String) async throws(CallFailure) -> FoundSetting {
    guard let recorder = try await firstRecorder(region) else { return .absent }
    var properties: [String: String] = [:]
    let role = recorder["roleARN"]?.string ?? ""
    properties["Role"] = Self.isConfigRole(role) ? Baseline.serviceRole : role
    properties["AllSupported"] = recorder.all(at: ["recordingGroup", "allSupported"]).first?.plainText
    properties["IncludeGlobalResourceTypes"] =
      recorder.all(at: ["recordingGroup", "includeGlobalResourceTypes"]).first?.plainText
    return .set(properties)
  }

  func setRecorder(_ goal: BaselineGoal, _ region: String) async throws(CallFailure) {
    let found = try await firstRecorder(region)
    var role = baseline.configRole
    if role == nil { role = try await configRoleARN() }
    guard let role else {
      throw CallFailure(code: "NoRole", message: "the role of AWS Config isn't there")
    }
    let isGlobal =
      goal.target("IncludeGlobalResourceTypes") == "true"
      || found?.all(at: ["recordingGroup", "includeGlobalResourceTypes"]).first?.plainText == "true"
    var members = [
      CallField.Member(name: "name", value: .text(found?["name"]?.string ?? baseline.configName)),
      CallField.Member(name: "roleARN", value: .text(role)),
      CallField.Member(
        name: "recordingGroup", value: ["allSupported": true, "includeGlobalResourceTypes": .bool(isGlobal)]),
    ]
    if let mode = found?["recordingMode"], let field = CallField(mode) {
      members.append(CallField.Member(name: "recordingMode", value: field))
    }
    try await act(
      "config",
      ServiceAction("PutConfigurationRecorder", ["ConfigurationRecorder": .map(members)], isRepeatable: true),
      region)
  }

  private func firstChannel(_ region: String) async throws(CallFailure) -> Value? {
    try await ask("config", ServiceAction("DescribeDeliveryChannels"), region).all(at: ["DeliveryChannels"])
      .first
  }

  func deliveryChannel(_ region: String) async throws(CallFailure) -> FoundSetting {
    guard let channel = try await firstChannel(region) else { return .absent }
    var properties: [String: String] = [:]
    properties["S3BucketName"] = channel["s3BucketName"]?.string
    properties["DeliveryFrequency"] =
      channel.all(at: ["configSnapshotDeliveryProperties", "deliveryFrequency"]).first?.string
    return .set(properties)
  }

  func setDeliveryChannel(_ goal: BaselineGoal, _ region: String) async throws(CallFailure) {
    let found = try await firstChannel(region)
    let bucket = goal.target("S3BucketName") ?? ""
    var members = [
      CallField.Member(name: "name", value: .text(found?["name"]?.string ?? baseline.configName)),
      CallField.Member(name: "s3BucketName", value: .text(bucket)),
    ]
    // The call replaces the whole channel: what isn't given again is gone.
    let delivery = ["configSnapshotDeliveryProperties", "deliveryFrequency"]
    let frequency =
      goal.target("DeliveryFrequency", ofNew: found == nil) ?? found?.all(at: delivery).first?.string
    if let frequency {
      members.append(CallField.Member(name: delivery[0], value: ["deliveryFrequency": .text(frequency)]))
    }
    // A prefix is of the bucket that it was given for: what the policy of another lets in is elsewhere.
    var kept = ["s3KmsKeyArn", "snsTopicARN"]
    if found?["s3BucketName"]?.string == bucket { kept.append("s3KeyPrefix") }
    for name in kept {
      if let text = found?[name]?.string { members.append(CallField.Member(name: name, value: .text(text))) }
    }
    try await act(
      "config", ServiceAction("PutDeliveryChannel", ["DeliveryChannel": .map(members)], isRepeatable: true),
      region)
  }

  func recording(_ region: String) async throws(CallFailure) -> FoundSetting {
    let answer = try await ask("config", ServiceAction("DescribeConfigurationRecorderStatus"), region)
    guard let status = answer.all(at: ["ConfigurationRecordersStatus"]).first else { return .absent }
    return .set(["Recording": status["recording"]?.plainText ?? "false"])
  }

  func startRecording(_ region: String) async throws(CallFailure) {
    let name = try await firstRecorder(region)?["name"]?.string ?? baseline.configName
    try await act(
      "config",
      ServiceAction(
        "StartConfigurationRecorder", ["ConfigurationRecorderName": .text(name)], isRepeatable: true), region)
  }

  // MARK: - Rules

  private func allRules(_ region: String) async throws(CallFailure) -> [Value] {
    try await list(
      "config", ServiceAction("DescribeConfigRules"), region, items: ["ConfigRules"],
      page: ("NextToken", ["NextToken"]))
  }

  /// The rule of that name; else one of another name that is the same managed rule with the same parameters, and that isn't
  /// another of the baseline's.
  private func rule(
    _ name: String, _ identifier: String, _ parameters: String, _ all: [Value], _ region: String
  )
    -> Value?
  {
    if let own = all.first(where: { $0["ConfigRuleName"]?.string == name }) { return own }
    let ours = Set(baseline.configRules(in: region, of: account).map(\.name))
    return all.first {
      !ours.contains($0["ConfigRuleName"]?.string ?? "")
        && $0.all(at: ["Source", "Owner"]).first?.string == "AWS"
        && $0.all(at: ["Source", "SourceIdentifier"]).first?.string == identifier
        && Self.parameters(of: $0) == parameters
    }
  }

  private static func parameters(of rule: Value) -> String {
    let given = rule["InputParameters"]?.string ?? ""
    do throws(DocumentFault) {
      return try given.isEmpty ? "{}" : CanonicalJSON.policy(JSONReader.value(of: given))
    } catch { return given }
  }

  func configRules(_ region: String) async throws(CallFailure) -> [BaselineKey: FoundSetting] {
    let all = try await allRules(region)
    var out: [BaselineKey: FoundSetting] = [:]
    for (name, identifier, parameters) in baseline.configRules(in: region, of: account) {
      let key = BaselineKey(.configRule, region: region, name: name)
      guard let rule = rule(name, identifier, parameters, all, region) else {
        out[key] = .absent
        continue
      }
      var properties: [String: String] = [:]
      properties["Name"] = rule["ConfigRuleName"]?.string
      properties["SourceIdentifier"] = rule.all(at: ["Source", "SourceIdentifier"]).first?.string
      properties["InputParameters"] = Self.parameters(of: rule)
      out[key] = .set(properties)
    }
    return out
  }

  func setConfigRule(_ goal: BaselineGoal, _ region: String) async throws(CallFailure) {
    let identifier = goal.target("SourceIdentifier") ?? ""
    let found = rule(
      goal.key.name, identifier, goal.target("InputParameters") ?? "{}", try await allRules(region), region)
    var members = [
      CallField.Member(
        name: "ConfigRuleName", value: .text(found?["ConfigRuleName"]?.string ?? goal.key.name)),
      CallField.Member(name: "Source", value: ["Owner": "AWS", "SourceIdentifier": .text(identifier)]),
    ]
    if let parameters = goal.target("InputParameters"), parameters != "{}" {
      members.append(CallField.Member(name: "InputParameters", value: .text(parameters)))
    }
    for name in ["Description", "Scope", "MaximumExecutionFrequency"] {
      if let value = found?[name], let field = CallField(value), field != .text("") {
        members.append(CallField.Member(name: name, value: field))
      }
    }
    // By its name it is the same rule however often it is given.
    try await act(
      "config", ServiceAction("PutConfigRule", ["ConfigRule": .map(members)], isRepeatable: true), region)
  }
}
