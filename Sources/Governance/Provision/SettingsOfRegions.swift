// What is set in each region: GuardDuty, IAM Access Analyzer, EC2; and what runs in regions that aren't meant to be used.

import Controls
import GuardRules
import Resources

extension AccountSettings {
  // MARK: - GuardDuty

  private func detectorID(_ region: String) async throws(CallFailure) -> String? {
    try await list(
      "guardduty", ServiceAction("ListDetectors", "GET", path: ["detector"]), region, items: ["detectorIds"],
      page: ("nextToken", ["nextToken"])
    ).first?.string
  }

  func detector(_ region: String) async throws(CallFailure) -> FoundSetting {
    guard let id = try await detectorID(region) else { return .absent }
    let answer = try await ask(
      "guardduty", ServiceAction("GetDetector", "GET", path: ["detector", id]), region)
    var properties = ["DetectorId": id]
    properties["Status"] = answer["status"]?.plainText
    properties["FindingPublishingFrequency"] = answer["findingPublishingFrequency"]?.plainText
    return .set(properties)
  }

  func setDetector(_ goal: BaselineGoal, _ region: String) async throws(CallFailure) {
    let id = try await detectorID(region)
    var members = [CallField.Member(name: "enable", value: true)]
    if let frequency = goal.target("FindingPublishingFrequency", ofNew: id == nil) {
      members.append(CallField.Member(name: "findingPublishingFrequency", value: .text(frequency)))
    }
    if let id {
      try await act(
        "guardduty",
        ServiceAction("UpdateDetector", "POST", path: ["detector", id], .map(members), isRepeatable: true),
        region)
    } else {
      members.append(CallField.Member(name: "clientToken", value: .text(token(goal.key))))
      try await act(
        "guardduty", ServiceAction("CreateDetector", "POST", path: ["detector"], .map(members)), region)
    }
  }

  // MARK: - Access Analyzer

  func analyzer(_ region: String) async throws(CallFailure) -> FoundSetting {
    let all = try await list(
      "access-analyzer",
      ServiceAction("ListAnalyzers", "GET", path: ["analyzer"], query: [("type", "ACCOUNT")]),
      region, items: ["analyzers"], page: ("nextToken", ["nextToken"]))
    guard let one = all.first(where: { $0["status"]?.string == "ACTIVE" }) ?? all.first else {
      return .absent
    }
    var properties: [String: String] = [:]
    properties["Name"] = one["name"]?.string
    properties["Type"] = one["type"]?.string
    properties["Status"] = one["status"]?.string
    return .set(properties)
  }

  func makeAnalyzer(_ region: String) async throws(CallFailure) {
    let key = BaselineKey(.analyzer, region: region)
    try await act(
      "access-analyzer",
      ServiceAction(
        "CreateAnalyzer", "PUT", path: ["analyzer"],
        [
          "analyzerName": .text(baseline.analyzerName), "type": "ACCOUNT", "clientToken": .text(token(key)),
        ], absent: ["ConflictException"]), region)
  }

  // MARK: - EC2

  func ebsEncryption(_ region: String) async throws(CallFailure) -> FoundSetting {
    let answer = try await ask("ec2", ServiceAction("GetEbsEncryptionByDefault"), region)
    return .set(["EbsEncryptionByDefault": answer["ebsEncryptionByDefault"]?.plainText ?? "false"])
  }

  func enableEBSEncryption(_ region: String) async throws(CallFailure) {
    try await act("ec2", ServiceAction("EnableEbsEncryptionByDefault", isRepeatable: true), region)
  }

  private static func filter(_ name: String, _ value: String) -> CallField {
    ["Filter": [["Name": .text(name), "Value": [.text(value)]]], "MaxResults": 1000]
  }

  private func groups(_ region: String) async throws(CallFailure) -> [Value] {
    try await list(
      "ec2", ServiceAction("DescribeSecurityGroups", Self.filter("group-name", "default")), region,
      items: ["securityGroupInfo"], page: ("NextToken", ["nextToken"]))
  }

  func defaultGroups(_ region: String) async throws(CallFailure) -> [BaselineKey: FoundSetting] {
    var out: [BaselineKey: FoundSetting] = [:]
    for group in try await groups(region) {
      guard let id = group["groupId"]?.string else { continue }
      var properties: [String: String] = [:]
      properties["VpcId"] = group["vpcId"]?.string
      properties["Ingress"] = Self.rules(group.all(at: ["ipPermissions"]), inward: true)
      properties["Egress"] = Self.rules(group.all(at: ["ipPermissionsEgress"]), inward: false)
      let key = BaselineKey(.defaultGroup, region: region, name: id)
      do throws(CallFailure) {
        // Who uses a closed group has nothing to lose.
        if properties["Ingress"] != "none" || properties["Egress"] != "none" {
          let users = try await list(
            "ec2", ServiceAction("DescribeNetworkInterfaces", Self.filter("group-id", id)), region,
            items: ["networkInterfaceSet"], page: ("NextToken", ["nextToken"]))
          properties["UsedBy"] = String(users.count)
        }
        out[key] = .set(properties)
      } catch { out[key] = .unknown("whether it is used: \(error.text)") }
    }
    return out
  }

  /// `none`, or what is let through: `all from sg-1; tcp 22 from 0.0.0.0/0`.
  private static func rules(_ permissions: [Value], inward: Bool) -> String {
    let texts = permissions.map { permission in
      let name = permission["ipProtocol"]?.plainText ?? "-1"
      let ports = [permission["fromPort"]?.plainText, permission["toPort"]?.plainText].compactMap { $0 }
      let range = Set(ports).count == 1 ? ports[0] : ports.joined(separator: "-")
      let peers =
        permission.all(at: ["groups", "groupId"]) + permission.all(at: ["ipRanges", "cidrIp"])
        + permission.all(at: ["ipv6Ranges", "cidrIpv6"])
        + permission.all(at: ["prefixListIds", "prefixListId"])
      return "\(name == "-1" ? "all" : "\(name) \(range)") \(inward ? "from" : "to") "
        + peers.compactMap(\.plainText).joined(separator: ", ")
    }
    return texts.isEmpty ? "none" : texts.sorted().joined(separator: "; ")
  }

  func closeDefaultGroup(_ id: String, _ region: String) async throws(CallFailure) {
    guard let group = try await groups(region).first(where: { $0["groupId"]?.string == id }) else { return }
    for (part, call) in [
      ("ipPermissions", "RevokeSecurityGroupIngress"), ("ipPermissionsEgress", "RevokeSecurityGroupEgress"),
    ] {
      let permissions = group.all(at: [part])
      guard !permissions.isEmpty else { continue }
      try await act(
        "ec2",
        ServiceAction(
          call, ["GroupId": .text(id), "IpPermissions": .list(permissions.map(Self.permission))],
          isRepeatable: true,
          absent: ["InvalidPermission.NotFound"]), region)
    }
  }

  /// A rule as it is told → as it is given.
  private static func permission(_ told: Value) -> CallField {
    var members: [CallField.Member] = []
    func add(_ name: String, _ from: String) {
      if let text = told[from]?.plainText { members.append(CallField.Member(name: name, value: .text(text))) }
    }
    add("IpProtocol", "ipProtocol")
    add("FromPort", "fromPort")
    add("ToPort", "toPort")
    func list(_ name: String, _ from: String, _ parts: [(String, String)]) {
      let all = told.all(at: [from]).map { each in
        CallField.map(
          parts.compactMap { inner, outer in
            each[outer]?.plainText.map { CallField.Member(name: inner, value: .text($0)) }
          })
      }
      if !all.isEmpty { members.append(CallField.Member(name: name, value: .list(all))) }
    }
    list("Groups", "groups", [("GroupId", "groupId"), ("UserId", "userId")])
    list("IpRanges", "ipRanges", [("CidrIp", "cidrIp")])
    list("Ipv6Ranges", "ipv6Ranges", [("CidrIpv6", "cidrIpv6")])
    list("PrefixListIds", "prefixListIds", [("PrefixListId", "prefixListId")])
    return .map(members)
  }

  // MARK: - Use

  func regionUse(_ region: String) async throws(CallFailure) -> FoundSetting {
    let reservations = try await list(
      "ec2", ServiceAction("DescribeInstances", ["MaxResults": 1000]), region,
      items: ["reservationSet", "instancesSet"],
      page: ("NextToken", ["nextToken"]))
    let instances = reservations.filter {
      !["terminated", "shutting-down"].contains($0.all(at: ["instanceState", "name"]).first?.string ?? "")
    }
    let volumes = try await list(
      "ec2", ServiceAction("DescribeVolumes", ["MaxResults": 500]), region, items: ["volumeSet"],
      page: ("NextToken", ["nextToken"]))
    let functions = try await list(
      "lambda",
      ServiceAction("ListFunctions", "GET", path: ["2015-03-31", "functions"], query: [("MaxItems", "50")]),
      region, items: ["Functions"], page: ("Marker", ["NextMarker"]))
    return .set([
      "Instances": String(instances.count), "Volumes": String(volumes.count),
      "Functions": String(functions.count),
    ])
  }
}
