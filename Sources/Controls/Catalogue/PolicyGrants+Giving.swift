// Resources that give somebody what stands elsewhere: a policy to a role, a group's rights to a user, a permission set to
// people. What they give is judged where it is in the same document, or by its ARN; else it is unknown.

import GuardRules

extension PolicyGrants {
  /// Without properties it isn't known what they give.
  static let giving: Set<String> = [
    "AWS::IAM::PolicyAttachment", "AWS::IAM::UserToGroupAddition", "AWS::SSO::Assignment",
  ]
  /// What has a role made for it, with policies.
  static let serverless: Set<String> = ["AWS::Serverless::Function", "AWS::Serverless::StateMachine"]

  func given(by type: String, _ fields: Members, _ place: TextPlace, _ all: GrantIndex) -> [Found] {
    let name =
      switch type {
      case "AWS::IAM::PolicyAttachment": "PolicyArn"
      case "AWS::IAM::UserToGroupAddition": "GroupName"
      default: "PermissionSetArn"
      }
    var out = unsaid([name], fields, place)
    let path = "Properties.\(name)"
    switch (type, fields[name]) {
    case (_, nil):
      if out.isEmpty { out = [notKnown(path, place, Bilingual("there is no \(name)", "\(name) がありません"))] }
    case ("AWS::IAM::PolicyAttachment", let policy?):
      out += [managed(one: policy, path, all)].compactMap { $0 }
    case ("AWS::IAM::UserToGroupAddition", let group?):
      out += [elsewhere(group, GrantIndex.group, path, all)].compactMap { $0 }
    case (_, let set?): out += [elsewhere(set, GrantIndex.permissionSet, path, all)].compactMap { $0 }
    }
    // Who carries the boundary may be given anything.
    return out.isEmpty || areBounded(fields, all) ? [] : out
  }

  /// Whether all who are given something are in the document and carry the boundary.
  private func areBounded(_ fields: Members, _ all: GrantIndex) -> Bool {
    guard fields["Fn::Transform"] == nil else { return false }
    var count = 0
    for (name, type) in [
      ("Roles", GrantIndex.role), ("Users", GrantIndex.user), ("Groups", GrantIndex.group),
    ] {
      guard let holders = fields[name] else {
        if let rest = fields.rest, !rest.absent.contains(name) { return false }
        continue
      }
      if holders.isNull { continue }
      var each = [holders]
      if case .list(let all) = holders.content { each = all }
      for holder in each {
        let meant = all.meant(by: holder, type)
        guard !meant.isEmpty, meant.allSatisfy({ Self.isBounded($0, type) }) else { return false }
        count += 1
      }
    }
    return count > 0
  }

  private static func isBounded(_ resource: Members.Member, _ type: String) -> Bool {
    guard case .map(let members) = resource.value.content,
      case .map(let fields)? = members["Properties"]?.content
    else { return false }
    return isBounded(fields, type)
  }

  /// What isn't in the document; nil = it is, and is looked at where it stands.
  private func elsewhere(_ value: Value, _ type: String, _ path: String, _ all: GrantIndex) -> Found? {
    if !all.meant(by: value, type).isEmpty { return nil }
    if case .unknown(let unknown) = value.content {
      return notKnown(path, value.place, Bilingual(same: unknown.reason))
    }
    return Found(
      isUnknown: true, path: path, place: value.place, found: Bilingual(same: value.text),
      message: Bilingual(
        "It isn't in this document: what it grants isn't known here.",
        "このドキュメントに含まれないため、付与する権限を確認できません。"))
  }

  /// What the groups of a user grant.
  func groups(_ value: Value?, _ all: GrantIndex) -> [Found] {
    let path = "Properties.Groups"
    guard let value, !value.isNull else { return [] }
    guard case .list(let each) = value.content else {
      return [
        notKnown(path, value.place, Self.reason(value, Bilingual("no list of groups", "グループのリストではありません")))
      ]
    }
    return each.enumerated().compactMap { elsewhere($1, GrantIndex.group, "\(path)[\($0)]", all) }
  }

  func permissionSet(_ fields: Members, _ place: TextPlace, _ all: GrantIndex) -> [Found] {
    var out = unsaid(["InlinePolicy", "ManagedPolicies", "CustomerManagedPolicyReferences"], fields, place)
    if let boundary = fields["PermissionsBoundary"], fields["Fn::Transform"] == nil,
      Self.isOurs(set: boundary)
    {
      return []
    }
    if let document = fields["InlinePolicy"], !document.isNull, document.text != "" {
      out += look(at: document, "Properties.InlinePolicy")
    }
    out += managed(fields["ManagedPolicies"], "Properties.ManagedPolicies", all)
    guard let own = fields["CustomerManagedPolicyReferences"], !own.isNull else { return out }
    let path = "Properties.CustomerManagedPolicyReferences"
    guard case .list(let each) = own.content else {
      return out + [notKnown(path, own.place, Self.reason(own, Self.noList))]
    }
    // They are policies of each account that the set is given in.
    return out
      + each.enumerated().map { place, policy in
        var reason = Bilingual("a policy of the accounts' own", "各アカウント独自のポリシー")
        if case .map(let named) = policy.content, case .string(let name)? = named["Name"]?.content {
          reason = Bilingual("\(reason.en): \(name)", "\(reason.ja): \(name)")
        }
        return notKnown("\(path)[\(place)]", policy.place, Self.reason(policy, reason))
      }
  }

  /// A permission set's boundary: a policy of AWS by its ARN, or one of the account by name and path.
  private static func isOurs(set boundary: Value) -> Bool {
    guard case .map(let members) = boundary.content,
      case .map(let own)? = members["CustomerManagedPolicyReference"]?.content,
      case .string(Catalogue.boundaryName)? = own["Name"]?.content,
      case .string(Catalogue.path)? = own["Path"]?.content
    else { return false }
    return true
  }

  func serverless(_ fields: Members, _ place: TextPlace, _ all: GrantIndex) -> [Found] {
    var out = unsaid(["Policies"], fields, place)
    // Beside a role that is given policies mean nothing.
    if let role = fields["Role"], !role.isNull { return out }
    if Self.isBounded(fields, GrantIndex.role) { return [] }
    guard let policies = fields["Policies"], !policies.isNull else { return out }
    let path = "Properties.Policies"
    guard case .list(let each) = policies.content else {
      return out + serverless(policies, path, all)
    }
    for (place, policy) in each.enumerated() { out += serverless(policy, "\(path)[\(place)]", all) }
    return out
  }

  private func serverless(_ policy: Value, _ path: String, _ all: GrantIndex) -> [Found] {
    switch policy.content {
    case .map(let members) where members["Statement"] != nil: return look(at: policy, path)
    case .map(let members):
      let name = members.all.first?.name ?? ""
      return [
        notKnown(path, policy.place, Bilingual("a template of policies: \(name)", "ポリシーテンプレート: \(name)"))
      ]
    // A bare name is AWS's own policy.
    case .string(let name) where !name.hasPrefix("arn:"):
      let policy = Value(.string("arn:\(catalogue.partition):iam::aws:policy/\(name)"), at: policy.place)
      return [managed(one: policy, path, all)].compactMap { $0 }
    default: return [managed(one: policy, path, all)].compactMap { $0 }
    }
  }
}
