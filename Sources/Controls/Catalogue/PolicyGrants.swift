// What IAM's resources of a document grant, held against the catalogue. Who carries the catalogue's boundary can't do more
// than it allows, whatever is granted. What gives somebody what stands elsewhere: PolicyGrants+Giving.swift.

import GuardRules

struct PolicyGrants {
  struct Found {
    let isUnknown: Bool
    let path: String
    let place: TextPlace
    let found: Bilingual
    let message: Bilingual
  }

  let catalogue: Catalogue
  private let allowed: [Wildcard]
  private let denials: [Wildcard]

  init(_ catalogue: Catalogue) {
    self.catalogue = catalogue
    allowed = catalogue.allowedServices.flatMap(\.actions)
    denials = catalogue.denials
  }

  private static let documents: Set<String> = [
    "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy", "AWS::IAM::UserPolicy",
    "AWS::IAM::GroupPolicy",
  ]
  private static let holders: Set<String> = ["AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"]

  /// What a resource grants beyond the catalogue.
  /// - Parameter all: who and what else is in the same document.
  func look(at resource: Members.Member, _ type: String, _ all: GrantIndex) -> (
    isAsked: Bool, findings: [Found]
  ) {
    guard
      Self.documents.contains(type) || Self.holders.contains(type) || type == GrantIndex.permissionSet
        || Self.giving.contains(type) || Self.serverless.contains(type),
      case .map(let members) = resource.value.content
    else { return (false, []) }
    guard let properties = members["Properties"] else {
      // A holder without properties grants nothing; a policy without them, and what isn't said, can't be told.
      let what = "Properties"
      if let rest = members.rest, !rest.absent.contains(what) {
        return (true, [notKnown(what, resource.value.place, Bilingual(same: rest.unknown.reason))])
      }
      guard Self.documents.contains(type) || Self.giving.contains(type) else { return (true, []) }
      return (true, [notKnown(what, resource.value.place, Self.noDocument)])
    }
    guard case .map(let fields) = properties.content else {
      let reason = Self.reason(
        properties, Bilingual("properties that are no map", "プロパティがマップではありません"))
      return (true, [notKnown("Properties", properties.place, reason)])
    }
    if Self.documents.contains(type) {
      guard let document = fields["PolicyDocument"] else {
        return (true, [missing(fields, properties.place)])
      }
      return (true, look(at: document, "Properties.PolicyDocument") + unsaid([], fields, properties.place))
    }
    if type == GrantIndex.permissionSet { return (true, permissionSet(fields, properties.place, all)) }
    if Self.giving.contains(type) { return (true, given(by: type, fields, properties.place, all)) }
    if Self.serverless.contains(type) { return (true, serverless(fields, properties.place, all)) }
    if Self.isBounded(fields, type) { return (true, []) }
    var out = unsaid(["Policies", "ManagedPolicyArns"], fields, properties.place)
    if let policies = fields["Policies"] {
      if case .list(let each) = policies.content {
        for (place, policy) in each.enumerated() {
          let path = "Properties.Policies[\(place)]"
          if case .map(let inner) = policy.content, let document = inner["PolicyDocument"] {
            out += look(at: document, "\(path).PolicyDocument")
          } else {
            let reason = Self.reason(
              policy, Bilingual("no policy with a document", "ドキュメントのあるポリシーではありません"))
            out.append(notKnown(path, policy.place, reason))
          }
        }
      } else if !policies.isNull {
        out.append(notKnown("Properties.Policies", policies.place, Self.reason(policies, Self.noList)))
      }
    }
    out += managed(fields["ManagedPolicyArns"], "Properties.ManagedPolicyArns", all)
    if type == GrantIndex.user { out += groups(fields["Groups"], all) }
    return (true, out)
  }

  /// What may be given by members that aren't written: a transformation's, or what isn't known of the map.
  func unsaid(_ names: [String], _ fields: Members, _ place: TextPlace) -> [Found] {
    let reason: String
    if let transform = fields["Fn::Transform"] {
      // It may replace what is written, too.
      return [notKnown("Properties", transform.place, Bilingual(same: "Fn::Transform"))]
    } else if let rest = fields.rest {
      guard names.contains(where: { fields[$0] == nil && !rest.absent.contains($0) }) else { return [] }
      reason = rest.unknown.reason
    } else {
      return []
    }
    return [notKnown("Properties", place, Bilingual(same: reason))]
  }

  static let noDocument = Bilingual("there is no document", "ドキュメントがありません")
  static let noList = Bilingual("no list of policies", "ポリシーのリストではありません")

  static func reason(_ value: Value, _ otherwise: Bilingual) -> Bilingual {
    if case .unknown(let unknown) = value.content { return Bilingual(same: unknown.reason) }
    return otherwise
  }

  func notKnown(_ path: String, _ place: TextPlace, _ reason: Bilingual) -> Found {
    Found(
      isUnknown: true, path: path, place: place,
      found: Bilingual("not known yet: \(reason.en)", "未確定: \(reason.ja)"),
      message: Bilingual("What it grants can't be told.", "付与する権限を判定できません。"))
  }

  private func missing(_ fields: Members, _ place: TextPlace) -> Found {
    notKnown(
      "Properties.PolicyDocument", place,
      fields.rest.map { Bilingual(same: $0.unknown.reason) } ?? Self.noDocument)
  }

  /// Whether a role or a user carries the boundary; a group can't.
  static func isBounded(_ fields: Members, _ type: String) -> Bool {
    guard type != "AWS::IAM::Group", fields["Fn::Transform"] == nil else { return false }
    return fields["PermissionsBoundary"].map { isOurs($0) } ?? false
  }

  /// A boundary of ours: its ARN, or a text that ends like it with the account still open.
  static func isOurs(_ value: Value) -> Bool {
    let ending = ":policy\(Catalogue.path)\(Catalogue.boundaryName)"
    switch value.content {
    case .string(let text): return text.hasSuffix(ending)
    case .unknown(let unknown): return unknown.written.map { isOurs($0) } ?? false
    case .map(let members):
      guard members.all.count == 1, let sub = members["Fn::Sub"] else { return false }
      if case .list(let parts) = sub.content { return parts.first.map { isOurs($0) } ?? false }
      return isOurs(sub)
    default: return false
    }
  }

  // MARK: - Managed policies

  func managed(_ value: Value?, _ path: String, _ all: GrantIndex) -> [Found] {
    guard let value else { return [] }
    guard case .list(let each) = value.content else {
      return value.isNull ? [] : [notKnown(path, value.place, Self.reason(value, Self.noList))]
    }
    return each.enumerated().compactMap { place, policy in managed(one: policy, "\(path)[\(place)]", all) }
  }

  /// What a managed policy grants that is given by its ARN; nil = it was assessed, or is looked at where it stands.
  func managed(one policy: Value, _ path: String, _ all: GrantIndex) -> Found? {
    switch policy.content {
    case .string(let arn):
      // A bare name is AWS's own policy; anybody may give one of the account that name.
      let name = Self.nameOfAWS(arn)
      if catalogue.assessedPolicies.contains(where: {
        $0.text.hasPrefix("arn:") ? $0.matches(arn) : name.map($0.matches) ?? false
      }) {
        return nil
      }
      if all.arns.contains(arn) { return nil }
      if let name, ["AdministratorAccess", "PowerUserAccess", "IAMFullAccess"].contains(name) {
        return Found(
          isUnknown: false, path: path, place: policy.place, found: Bilingual(same: arn),
          message: Bilingual(
            "\(name) grants more than the catalogue allows.", "\(name) はカタログの許可範囲を超えています。"))
      }
      return Found(
        isUnknown: true, path: path, place: policy.place, found: Bilingual(same: arn),
        message: Bilingual(
          "What this policy grants isn't known here. Where it was assessed, name it in assessed_policies, the "
            + "account's own by its whole ARN.",
          "このポリシーが付与する権限はここでは確認できません。評価済みであれば assessed_policies に記載してください"
            + "(アカウント独自のものは ARN 全体で)。"))
    case .unknown(let unknown):
      if all.named(by: policy, GrantIndex.managedPolicy) != nil { return nil }
      return notKnown(path, policy.place, Bilingual(same: unknown.reason))
    default: return notKnown(path, policy.place, Bilingual("no ARN", "ARN ではありません"))
    }
  }

  /// The name in `arn:PARTITION:iam::aws:policy/NAME`; nil = it isn't one of AWS's.
  private static func nameOfAWS(_ arn: String) -> String? {
    guard let arn = AmazonResourceName(arn), arn.service == "iam", arn.account == "aws",
      arn.resource.hasPrefix("policy/")
    else { return nil }
    return String(arn.resource.dropFirst("policy/".count))
  }

  // MARK: - Documents

  func look(at value: Value, _ path: String) -> [Found] {
    let document: PolicyDocument
    do throws(PolicyReadingFault) { document = try PolicyDocument(value) } catch {
      switch error {
      case .unknown(let reason, let place):
        return [notKnown(path, place == .none ? value.place : place, Bilingual(same: reason))]
      case .wrong(let found, let wanted, let place):
        return [
          Found(
            isUnknown: true, path: path, place: place == .none ? value.place : place,
            found: Bilingual(same: found),
            message: Bilingual("It isn't a policy: wanted \(wanted).", "ポリシーではありません。必要なもの: \(wanted)"))
        ]
      }
    }
    // What the document itself denies everywhere and always it doesn't grant.
    let denied = document.statements.filter {
      $0.effect == .deny && !$0.isNotAction && $0.conditions.isEmpty && $0.resources == ["*"]
        && !$0.isNotResource
    }.flatMap { $0.actions.map { Wildcard($0, ignoresCase: true) } }
    let places = Self.places(value)
    var out: [Found] = []
    for (index, statement) in document.statements.enumerated() where statement.effect == .allow {
      let place = places.indices.contains(index) ? places[index] : value.place
      if statement.isNotAction {
        out.append(
          Found(
            isUnknown: false, path: path, place: place,
            found: Bilingual("Allow with NotAction", "NotAction による Allow"),
            message: Bilingual(
              "It grants all but a few actions, and so services that nobody has assessed.",
              "一部を除くすべてのアクションを付与するため、未評価のサービスも含まれます。")))
        continue
      }
      for action in statement.actions {
        guard let beyond = beyond(Wildcard(action, ignoresCase: true), denied) else { continue }
        out.append(
          Found(
            isUnknown: false, path: path, place: place, found: Bilingual(same: action), message: beyond))
      }
    }
    return out
  }

  /// What is beyond the catalogue of a pattern; nil = nothing.
  private func beyond(_ action: Wildcard, _ deniedHere: [Wildcard]) -> Bilingual? {
    if deniedHere.contains(where: { $0.contains(action) }) { return nil }
    guard allowed.contains(where: { $0.contains(action) }) else {
      let prefix = action.text.split(separator: ":").first.map(String.init) ?? action.text
      let service = catalogue.services.first { $0.prefixes.contains(prefix.lowercased()) }
      guard let service else {
        return action.isEverything
          ? Bilingual("It grants everything.", "すべてのアクションを付与します。")
          : Bilingual(
            "No service of the catalogue has \(prefix): it hasn't been assessed.",
            "カタログに \(prefix) を含むサービスはなく、未評価です。")
      }
      guard service.isAllowed else {
        return Bilingual("\(service.name) isn't allowed.", "\(service.name) は許可されていません。")
      }
      let names = service.actions.prefix(6).map(\.text).joined(separator: ", ")
      return Bilingual(
        "It grants more of \(service.name) than the catalogue allows: \(names).",
        "\(service.name) の許可範囲(\(names))を超えて付与します。")
    }
    for denial in denials where denial.intersects(action) {
      if deniedHere.contains(where: { $0.contains(denial) }) { continue }
      return Bilingual(
        "It grants \(denial), which the catalogue denies.", "カタログで禁止された \(denial) を付与します。")
    }
    return nil
  }

  /// Where statements stand.
  private static func places(_ value: Value) -> [TextPlace] {
    guard case .map(let members) = value.content, let statement = members["Statement"] else { return [] }
    guard case .list(let each) = statement.content else { return [statement.place] }
    return each.map { each in
      guard case .map(let members) = each.content, let action = members["Action"] ?? members["NotAction"]
      else {
        return each.place
      }
      return action.place
    }
  }
}
