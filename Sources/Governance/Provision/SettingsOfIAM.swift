// IAM: the password policy, AWS Config's role, and what can only be looked at: root and users.

import Controls
import Foundation
import GuardRules
import Resources

extension AccountSettings {
  func passwordPolicy() async throws(CallFailure) -> FoundSetting {
    let answer = try await ask("iam", ServiceAction("GetAccountPasswordPolicy", absent: ["NoSuchEntity"]))
    guard let policy = answer["PasswordPolicy"] else { return .absent }
    return .set(policy.properties())
  }

  /// The call replaces the whole policy: what is there and isn't in the goal is given again.
  func setPasswordPolicy(_ goal: BaselineGoal) async throws(CallFailure) {
    var properties: [String: String] = [:]
    let found = try await passwordPolicy()
    if case .set(let there) = found { properties = there }
    // Told, but never given; and 0 is how "not at all" is told, which is given by leaving it out.
    properties["ExpirePasswords"] = nil
    for name in ["MaxPasswordAge", "PasswordReusePrevention"] where properties[name] == "0" {
      properties[name] = nil
    }
    let changes = goal.changes(from: found == .absent ? .absent : .set(properties))
    for change in changes { properties[change.name] = change.to }
    let members = properties.keys.sorted().map {
      CallField.Member(name: $0, value: .text(properties[$0] ?? ""))
    }
    try await act("iam", ServiceAction("UpdateAccountPasswordPolicy", .map(members), isRepeatable: true))
  }

  private static let configPath = "/aws-service-role/config.amazonaws.com/"

  /// The ARN of the role that AWS Config has of its own; nil = there is none.
  func configRoleARN() async throws(CallFailure) -> String? {
    try await list(
      "iam", ServiceAction("ListRoles", ["PathPrefix": .text(Self.configPath)]), items: ["Roles"],
      page: ("Marker", ["Marker"])
    ).first?["Arn"]?.string
  }

  static func isConfigRole(_ arn: String) -> Bool { arn.contains(":role\(configPath)") }

  func configRole() async throws(CallFailure) -> FoundSetting {
    guard let arn = try await configRoleARN() else { return .absent }
    return .set(["Kind": Baseline.serviceRole, "Arn": arn])
  }

  func makeConfigRole() async throws(CallFailure) {
    try await act("iam", ServiceAction("CreateServiceLinkedRole", ["AWSServiceName": "config.amazonaws.com"]))
  }

  /// A yes or no of the account's summary.
  func summary(_ name: String) async throws(CallFailure) -> FoundSetting {
    let answer = try await ask("iam", ServiceAction("GetAccountSummary"))
    let entry = answer.all(at: ["SummaryMap", "entry"]).first { $0["key"]?.string == name }
    guard let value = entry?["value"]?.plainText else {
      throw CallFailure(code: "Unreadable", message: "the account's summary has no \(name)")
    }
    return .set([name: value == "0" ? "false" : "true"])
  }

  func users() async throws(CallFailure) -> [BaselineKey: FoundSetting] {
    let names = try await list(
      "iam", ServiceAction("ListUsers", ["MaxItems": 1000]), items: ["Users"], page: ("Marker", ["Marker"])
    ).compactMap { $0["UserName"]?.string }
    let found = await boundedMap(names, atOnce: 4) { name -> FoundSetting in
      do throws(CallFailure) { return try await user(name) } catch { return .unknown(error.text) }
    }
    return Dictionary(
      zip(names, found).map { (BaselineKey(.user, name: $0), $1) }, uniquingKeysWith: { first, _ in first })
  }

  private func user(_ name: String) async throws(CallFailure) -> FoundSetting {
    let given: CallField = ["UserName": .text(name)]
    let login = try await ask("iam", ServiceAction("GetLoginProfile", given, absent: ["NoSuchEntity"]))
    var properties: [String: String] = [:]
    var signsInWithoutMFA = false
    if !login.isNull {
      signsInWithoutMFA = try await list(
        "iam", ServiceAction("ListMFADevices", given), items: ["MFADevices"], page: ("Marker", ["Marker"])
      ).isEmpty
    }
    properties["SignsInWithoutMFA"] = signsInWithoutMFA ? "true" : "false"
    let keys = try await list(
      "iam", ServiceAction("ListAccessKeys", given), items: ["AccessKeyMetadata"],
      page: ("Marker", ["Marker"]))
    let days = keys.filter { $0["Status"]?.string == "Active" }.compactMap { key in
      key["CreateDate"]?.string.flatMap(CredentialSources.seconds).map { max(1, (now() - $0) / 86_400) }
    }
    if let oldest = days.max() { properties["OldestKeyDays"] = String(oldest) }
    return .set(properties)
  }
}
