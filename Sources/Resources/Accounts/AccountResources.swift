// An item of a scan → a resource in CloudFormation's shape. What a call that failed would have told is unknown in it; what
// the calls don't ask is unknown too; what they told not to be there is absent.

public import GuardRules

/// See the head of this file.
public enum AccountResources {
  static let table: Result<ShapeTable, ShapeTableFault> = Result { () throws(ShapeTableFault) in
    try ShapeTable(AccountTypes.text)
  }
  /// Names of properties that are known, by type here.
  private static let names: [String: Set<String>] = {
    guard let table = try? table.get() else { return [:] }
    return table.types.mapValues { table.names(of: $0.to).union(never[$0.to] ?? []) }
  }()
  /// What a live resource never has: names that rules ask for though the type has none, passwords, which no answer
  /// tells, so that none can stand there in plain text, and a balancer's mappings, which its subnets tell.
  private static let never: [String: Set<String>] = [
    "AWS::IAM::Role": ["PolicyDocument"], "AWS::IAM::User": ["PolicyDocument"],
    "AWS::ElasticLoadBalancingV2::LoadBalancer": ["SubnetMappings"],
    "AWS::RDS::DBInstance": ["MasterUserPassword"], "AWS::RDS::DBCluster": ["MasterUserPassword"],
  ]

  /// Types that have a shape, by CloudFormation's names, in alphabetical order.
  public static var types: [String] {
    Set(((try? table.get().types.values.map(\.to)) ?? []) + ["AWS::EC2::SecurityGroup"]).sorted()
  }

  /// CloudFormation's type of a type in the table of calls.
  public static func type(of type: String) -> String? {
    type == "EC2.SecurityGroup" ? "AWS::EC2::SecurityGroup" : (try? table.get())?.types[type]?.to
  }

  /// A resource.
  /// - Parameters:
  ///   - name: its ARN.
  ///   - type: its type in the table of calls.
  ///   - now: seconds since 1970 UTC, for how old keys and certificates are; nil = that isn't told.
  public static func resource(name: String, type: String, item: Value, now: Int64? = nil) -> ShapedResource {
    func shaped(_ to: String?, _ properties: Value) -> ShapedResource {
      ShapedResource(name: name, type: to, foundType: to ?? type, properties: properties, place: .none)
    }
    if type == "EC2.SecurityGroup" { return shaped("AWS::EC2::SecurityGroup", securityGroup(item)) }
    guard let shape = (try? table.get())?.types[type] else { return shaped(nil, Value(.map(Members([])))) }
    let properties = shape.resource(of: prepared(type, item, now), absent: names[type] ?? [])
    return shaped(shape.to, hasDocuments(shape.members) ? documents(whole(properties)) : whole(properties))
  }

  /// Members that are a policy's document, wherever they stand.
  private static let documentNames: Set<String> = ["PolicyDocument", "AssumeRolePolicyDocument", "KeyPolicy"]

  private static func hasDocuments(_ members: [MemberShape]) -> Bool {
    members.contains { documentNames.contains($0.to.last ?? "") || hasDocuments($0.members) }
  }

  /// What a document says that can't be read isn't known.
  private static func documents(_ value: Value) -> Value {
    switch value.content {
    case .list(let values):
      return Value(.list(values.map(documents)), at: value.place, isSecret: value.isSecret)
    case .map(let members):
      let all = members.all.map { member -> (name: String, value: Value) in
        guard documentNames.contains(member.name) else { return (member.name, documents(member.value)) }
        switch member.value.content {
        case .map, .unknown, .null: return (member.name, member.value)
        default: return (member.name, Value(.unknown(Unknown("the document can't be read")), at: value.place))
        }
      }
      return Value(.map(Members(all, rest: members.rest)), at: value.place, isSecret: value.isSecret)
    default: return value
    }
  }

  /// Where nothing of a property is known, it isn't known whether it is there: no map around what isn't known.
  private static func whole(_ properties: Value) -> Value {
    func unknown(_ value: Value) -> Value? {
      switch value.content {
      case .unknown: return value
      case .map(let members):
        guard members.rest == nil, let first = members.all.first else { return nil }
        return members.all.allSatisfy { unknown($0.value) != nil } ? unknown(first.value) : nil
      default: return nil
      }
    }
    guard properties.members.contains(where: { unknown($0.value) != nil }) else { return properties }
    return Value(
      .map(
        Members(properties.members.map { ($0.name, unknown($0.value) ?? $0.value) }, rest: properties.rest)),
      at: properties.place)
  }

  // MARK: - What a table can't say

  private static func prepared(_ type: String, _ item: Value, _ now: Int64?) -> Value {
    switch type {
    case "AutoScaling.Group":
      guard let text = item["VPCZoneIdentifier"]?.string else { return item }
      let subnets = text.split(separator: ",").map { Value(.string(String($0)), at: item.place) }
      return item.adding("subnets", Value(.list(subnets)))
    case "ELBv2.LoadBalancer", "ELBv2.TargetGroup":
      guard let tags = item["tags"] else { return item }
      if case .unknown = tags.content { return item.adding("tagList", tags) }
      return item.adding("tagList", Value(.list(tags.all(at: ["Tags"]))))
    case "IAM.AccessKey":
      guard let now else { return item }
      guard let made = item["CreateDate"]?.string.flatMap(RFC3339.seconds) else {
        // Every key has been made at some time.
        return item.adding("ageDays", Value(.unknown(Unknown("its CreateDate can't be read"))))
      }
      return item.adding("ageDays", Value(.int((now - made) / 86_400)))
    case "EC2.Instance":
      guard let state = item["monitoring"]?["state"]?.string else { return item }
      return item.adding("monitored", Value(.bool(["enabled", "pending"].contains(state))))
    case "ACM.Certificate":
      if let certificate = item["certificate"], case .unknown = certificate.content {
        return item.adding("validation", certificate).adding("daysLeft", certificate)
      }
      let options = item["certificate"]?["DomainValidationOptions"]?.list ?? []
      var item = item
      if let method = options.lazy.compactMap({ $0["ValidationMethod"] }).first {
        item = item.adding("validation", method)
      }
      guard let now, let end = item["certificate"]?["NotAfter"].flatMap(seconds) else { return item }
      let (left, isTooFar) = end.subtractingReportingOverflow(now)
      return item.adding(
        "daysLeft", Value(isTooFar ? .unknown(Unknown("NotAfter is no time")) : .int(left / 86_400)))
    case "Lambda.Function": return withoutSecrets(item)
    case "S3.Bucket": return withGrants(item)
    case "IAM.ManagedPolicy":
      let versions = item["PolicyVersionList"].map { $0.list ?? [$0] } ?? []
      let standing = versions.first { $0["IsDefaultVersion"]?.string == "true" } ?? versions.first
      return standing?["Document"].map { item.adding("defaultDocument", $0) } ?? item
    case "IAM.AccountSummary":
      return Value(
        .map(
          Members(
            item.all(at: ["entry"]).compactMap { entry in
              guard let name = entry["key"]?.string, let value = entry["value"] else { return nil }
              return (name, value)
            })))
    case "RDS.DBInstance", "RDS.DBCluster":
      return item["MasterUserSecret"]?["SecretArn"] == nil
        ? item : item.adding("isManaged", Value(.bool(true)))
    case "Config.ConfigurationRecorder":
      guard let status = item["status"] else { return item }
      if case .unknown = status.content { return item.adding("recording", status) }
      let own = status.list?.first { $0["name"]?.string == item["name"]?.string }
      // One of which no status is told doesn't record.
      return item.adding("recording", own?["recording"] ?? Value(.bool(false)))
    case "GuardDuty.Detector":
      guard let detector = item["detector"] else { return item }
      if case .unknown = detector.content { return item.adding("enabled", detector) }
      return item.adding("enabled", Value(.bool(detector["status"]?.string?.lowercased() == "enabled")))
    default: return item
    }
  }

  /// A time as services tell it: a number, or a text.
  private static func seconds(_ value: Value) -> Int64? {
    switch value.content {
    case .int(let seconds): seconds
    case .float(let seconds) where abs(seconds) < 1e15: Int64(seconds)
    case .string(let text): RFC3339.seconds(text) ?? Double(text).flatMap { Int64(exactly: $0.rounded()) }
    default: nil
    }
  }

  /// A function's variables by name: their values may be secrets, and are told only where they are references to a
  /// place where secrets are kept. What looks like a key says so.
  private static func withoutSecrets(_ function: Value) -> Value {
    guard case .map(let variables)? = function["Environment"]?["Variables"]?.content else { return function }
    let shown = variables.all.map { variable -> (name: String, value: Value) in
      let text = variable.value.string ?? ""
      if text.isEmpty || ["arn:", "{{resolve:"].contains(where: text.hasPrefix) {
        return (variable.name, variable.value)
      }
      let isKey = text.hasPrefix("AKIA") || text.contains("PRIVATE KEY-----")
      return (variable.name, Value(.string(isKey ? "(hidden: a key)" : "(hidden)"), at: variable.value.place))
    }
    let environment = Value(.map(Members([("Variables", Value(.map(Members(shown))))])))
    return Value(
      .map(
        Members(
          function.members.filter { $0.name != "Environment" }.map { ($0.name, $0.value) }
            + [("Environment", environment)], rest: function.rest)), at: function.place)
  }

  /// The canned list that a bucket's grants are, by S3's "Access control list (ACL) overview". Where they give something to
  /// others than the owner and S3's groups they are none, and are told themselves.
  private static func withGrants(_ bucket: Value) -> Value {
    guard let acl = bucket["acl"] else { return bucket }
    if case .unknown = acl.content { return bucket.adding("cannedACL", acl).adding("grants", acl) }
    let owner = acl["Owner"]?["ID"]?.string
    var everyone: Set<String> = []
    var known: Set<String> = []
    var delivers = false
    var reachesOthers = false
    let grants = acl.all(at: ["AccessControlList", "Grant"])
    for grant in grants {
      guard let uri = grant["Grantee"]?["URI"]?.string else {
        if let id = grant["Grantee"]?["ID"]?.string, id == owner { continue }
        reachesOthers = true
        continue
      }
      let right = grant["Permission"]?.string ?? ""
      if uri.hasSuffix("/global/AllUsers") { everyone.insert(right) }
      if uri.hasSuffix("/global/AuthenticatedUsers") { known.insert(right) }
      if uri.hasSuffix("/s3/LogDelivery") { delivers = true }
    }
    let name =
      if !everyone.isDisjoint(with: ["WRITE", "WRITE_ACP", "FULL_CONTROL"]) {
        "PublicReadWrite"
      } else if !everyone.isEmpty {
        "PublicRead"
      } else if !known.isEmpty {
        "AuthenticatedRead"
      } else if reachesOthers {
        "(none: see AccessControlPolicy)"
      } else {
        delivers ? "LogDeliveryWrite" : "Private"
      }
    let bucket = bucket.adding("cannedACL", Value(.string(name)))
    return reachesOthers ? bucket.adding("grants", Value(.list(grants))) : bucket
  }

  /// A rule there has many ranges; in CloudFormation each range is a rule.
  private static func securityGroup(_ group: Value) -> Value {
    var members: [(name: String, value: Value)] = []
    for (from, to) in [
      ("groupName", "GroupName"), ("groupDescription", "GroupDescription"), ("vpcId", "VpcId"),
      ("groupId", "GroupId"),
    ] {
      if let found = group[from], !found.isNull { members.append((to, found)) }
    }
    for (from, to, side) in [
      ("ipPermissions", "SecurityGroupIngress", "Source"),
      ("ipPermissionsEgress", "SecurityGroupEgress", "Destination"),
    ] {
      var rules: [Value] = []
      for permission in group.all(at: [from]) {
        var common: [(name: String, value: Value)] = []
        if let found = permission["ipProtocol"], !found.isNull { common.append(("IpProtocol", found)) }
        for (from, to) in [("fromPort", "FromPort"), ("toPort", "ToPort")] {
          guard let text = permission[from]?.string, let port = Int64(text) else { continue }
          common.append((to, Value(.int(port))))
        }
        let before = rules.count
        for (ranges, inner, name) in [
          ("ipRanges", "cidrIp", "CidrIp"), ("ipv6Ranges", "cidrIpv6", "CidrIpv6"),
          ("prefixListIds", "prefixListId", side + "PrefixListId"),
          ("groups", "groupId", side + "SecurityGroupId"),
        ] {
          for range in permission.all(at: [ranges]) {
            guard let found = range[inner] else { continue }
            var rule = common + [(name, found)]
            // Of a group its account says more than its name does where it is another's.
            if inner == "groupId", side == "Source", let owner = range["userId"], !owner.isNull {
              rule.append(("SourceSecurityGroupOwnerId", owner))
            }
            if let description = range["description"], !description.isNull {
              rule.append(("Description", description))
            }
            rules.append(Value(.map(Members(rule))))
          }
        }
        // Of nobody that is known.
        if rules.count == before { rules.append(Value(.map(Members(common)))) }
      }
      // What may go out is told also where it is nothing: CloudFormation lets everything out where nothing is said.
      if !rules.isEmpty || side == "Destination" { members.append((to, Value(.list(rules)))) }
    }
    let tags = group.all(at: ["tagSet"]).map { tag in
      Value(.map(Members([("Key", tag["key"] ?? Value(.null)), ("Value", tag["value"] ?? Value(.null))])))
    }
    if !tags.isEmpty { members.append(("Tags", Value(.list(tags)))) }
    return Value(
      .map(
        Members(
          members,
          rest: Shaping.rest([
            "Tags", "SecurityGroupIngress", "SecurityGroupEgress", "VpcId", "GroupDescription",
          ]))))
  }
}
