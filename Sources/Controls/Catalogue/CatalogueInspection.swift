// A document of resources by the catalogue: services that aren't assessed or allowed, regions, policies that grant too much,
// rules of use that weren't evaluated. What can't be told is unknown.

public import GuardRules

/// See the head of this file.
public struct CatalogueInspection: Sendable {
  private let catalogue: Catalogue
  private let today: CalendarDay
  private let grants: PolicyGrants
  /// Services by type, as they were looked up.
  private var known: [String: CatalogueService?] = [:]
  /// What was found.
  public private(set) var issues: [CatalogueIssue] = []
  /// Rules that had something to look at.
  public private(set) var asked: Set<CatalogueRule> = []

  /// - Parameters:
  ///   - today: for assessments that end.
  public init(_ catalogue: Catalogue, today: CalendarDay) {
    self.catalogue = catalogue
    self.today = today
    grants = PolicyGrants(catalogue)
  }

  /// Looks at a document.
  /// - Parameters:
  ///   - region: where it is or will be deployed; nil = it isn't known.
  ///   - typed: resources of which only the type is known.
  ///   - regions: of resources of which the input itself says it, by their names.
  ///   - statuses: what came of the rules by their names.
  public mutating func look(
    at document: Value, region: String?, typed: [TypedResource] = [], regions: [String: String] = [:],
    statuses: [String: [RuleStatus]]
  ) {
    var resources: [Members.Member] = []
    if case .map(let all) = document.content, case .map(let members)? = all["Resources"]?.content {
      // What a transformation makes is judged with what it is made of.
      resources = members.all.filter { !members.perhaps.contains($0.name) || !$0.value.isMade }
      if let rest = members.rest {
        asked.insert(.assessed)
        add(
          .assessed, unknown: true, "", "", "", all["Resources"]?.place ?? .none,
          Bilingual("all resources are known", "すべてのリソースが判明していること"),
          Bilingual(same: rest.unknown.reason),
          Bilingual(
            "There may be resources that nothing can be said of.", "判定できないリソースが存在する可能性があります。"))
      }
    }
    let index = GrantIndex(resources)
    var used: [String: CatalogueService] = [:]
    var homeless: [(resource: String, type: String, place: TextPlace, service: CatalogueService)] = []
    for resource in resources {
      guard case .map(let members) = resource.value.content, let type = members["Type"] else { continue }
      guard case .string(let name) = type.content else {
        asked.insert(.assessed)
        add(
          .assessed, unknown: true, resource.name, "", "Type", type.place,
          Bilingual("the type is known", "タイプが判明していること"), Bilingual(same: type.text),
          Bilingual(
            "Whose type isn't known, can't be looked up in the catalogue.",
            "タイプが不明なため、カタログと照合できません。"))
        continue
      }
      guard let service = judge(TypedResource(name: resource.name, type: name, place: resource.value.place))
      else {
        continue
      }
      used[service.id] = service
      place(resource, name, service, regions[resource.name], region, &homeless)
      lookAtPolicies(resource, name, index)
    }
    for resource in typed {
      guard let service = judge(resource) else { continue }
      used[service.id] = service
      let nothing = Members.Member(name: resource.name, value: Value(.null, at: resource.place))
      place(nothing, resource.type, service, resource.region, region, &homeless)
    }
    if let first = homeless.first {
      let names = Set(homeless.map(\.service.id)).sorted().joined(separator: ", ")
      add(
        .region, unknown: true, homeless.count == 1 ? first.resource : "",
        homeless.count == 1 ? first.type : "", "",
        first.place,
        Bilingual("the region is one where the service is allowed", "サービスが許可されたリージョンであること"),
        Bilingual(
          "\(homeless.count) resources of \(names), to be deployed nobody knows where",
          "\(names) のリソース \(homeless.count) 件のデプロイ先が不明"),
        Bilingual("Say the region: --region NAME.", "リージョンを --region NAME で指定してください。"))
    }
    for service in used.values.sorted(by: { $0.id < $1.id }) { use(service, statuses) }
  }

  private mutating func add(
    _ rule: CatalogueRule, unknown: Bool = false, _ resource: String, _ type: String, _ path: String,
    _ place: TextPlace, _ clause: Bilingual, _ found: Bilingual, _ message: Bilingual
  ) {
    issues.append(
      CatalogueIssue(
        rule: rule, isUnknown: unknown, resource: resource, type: type, path: path, place: place,
        clause: clause,
        found: found, message: message))
  }

  // MARK: - Services

  /// - Returns: the service, where it is allowed.
  private mutating func judge(_ resource: TypedResource) -> CatalogueService? {
    // What a template makes of its own runs as a custom resource; rules that aren't AWS's are not a service of it.
    let type = resource.type.hasPrefix("Custom::") ? "AWS::CloudFormation::CustomResource" : resource.type
    asked.insert(.assessed)
    let found = known[type] ?? catalogue.service(ofType: type)
    known[type] = found
    func tell(_ rule: CatalogueRule, unknown: Bool = false, _ clause: Bilingual, _ message: Bilingual) {
      add(
        rule, unknown: unknown, resource.name, resource.type, "Type", resource.place, clause,
        Bilingual(same: resource.type), message)
    }
    guard let service = found else {
      let isOther = !type.hasPrefix("AWS::")
      tell(
        .assessed, unknown: isOther,
        Bilingual("the service is in the catalogue", "サービスがカタログに登録されていること"),
        isOther
          ? Bilingual(
            "The type isn't one of AWS, and no service of the catalogue names it.",
            "AWS のタイプではなく、カタログのどのサービスにも含まれません。")
          : Bilingual(
            "No service of \(catalogue.organisation)'s catalogue has this type: it hasn't been assessed.",
            "\(catalogue.organisation) のカタログにこのタイプのサービスはなく、未評価です。"))
      return nil
    }
    let reason = service.reason.isEmpty ? "" : " \(service.reason)"
    guard service.assessment != nil else {
      tell(
        .assessed, Bilingual("the service was assessed", "サービスが評価済みであること"),
        Bilingual(
          "\(service.name) is in the catalogue, but nobody has assessed it yet." + reason,
          "\(service.name) はカタログにありますが、まだ評価されていません。" + reason))
      return nil
    }
    asked.insert(.allowed)
    guard service.isAllowed else {
      tell(
        .allowed, Bilingual("the service is allowed", "サービスが許可されていること"),
        Bilingual(
          "\(service.name) was assessed, and isn't allowed." + reason,
          "\(service.name) は評価済みですが、許可されていません。" + reason))
      return nil
    }
    if let until = service.assessment?.until {
      asked.insert(.current)
      if today > until {
        add(
          .current, resource.name, resource.type, "Type", resource.place,
          Bilingual("the assessment holds", "評価が期限内であること"),
          Bilingual("until \(until)", "\(until) まで"),
          Bilingual(
            "The assessment of \(service.name) ended on \(until).",
            "\(service.name) の評価は \(until) に期限が切れました。"))
      }
    }
    return service
  }

  // MARK: - Regions

  private mutating func place(
    _ resource: Members.Member, _ type: String, _ service: CatalogueService, _ said: String?,
    _ region: String?,
    _ homeless: inout [(resource: String, type: String, place: TextPlace, service: CatalogueService)]
  ) {
    guard let allowed = service.regions else { return }
    asked.insert(.region)
    let written = Regions.written(in: resource.value, type)
    let names = allowed.joined(separator: ", ")
    let clause = Bilingual("the region is one of \(names)", "リージョンが \(names) のいずれかであること")
    let only = Bilingual(
      "\(service.name) is allowed in \(names) only.", "\(service.name) が許可されるのは \(names) だけです。")
    // An ARN says where something is, else the input itself.
    let named = AmazonResourceName(resource.name)?.region ?? ""
    let own = named.isEmpty ? said ?? region : named
    if let own {
      if !allowed.contains(own) {
        add(
          .region, resource.name, type, "", resource.value.place, clause, Bilingual(same: own), only)
      }
    } else if !written.contains(where: \.isOwn) {
      homeless.append((resource.name, type, resource.value.place, service))
    }
    for each in written {
      guard let region = each.region else {
        // Of a zone that isn't known, the region is the deployment's; without that it was told above.
        if each.isOwn, own != nil { continue }
        add(
          .region, unknown: true, resource.name, type, each.path, each.place, clause, each.reason,
          Bilingual(
            "Where \(service.name) copies itself or stands isn't known yet.",
            "\(service.name) の配置先または複製先がまだ不明です。"))
        continue
      }
      guard !allowed.contains(region), region != own else { continue }
      add(
        .region, resource.name, type, each.path, each.place, clause, Bilingual(same: region), only)
    }
  }

  // MARK: - Policies

  private mutating func lookAtPolicies(_ resource: Members.Member, _ type: String, _ all: GrantIndex) {
    let found = grants.look(at: resource, type, all)
    guard found.isAsked else { return }
    asked.insert(.grants)
    for each in found.findings {
      add(
        .grants, unknown: each.isUnknown, resource.name, type, each.path, each.place,
        Bilingual("what is granted is allowed by the catalogue", "付与する権限がカタログの許可範囲であること"),
        each.found, each.message)
    }
  }

  // MARK: - Rules of use

  private mutating func use(_ service: CatalogueService, _ statuses: [String: [RuleStatus]]) {
    for case .rule(let name) in service.rules {
      asked.insert(.use)
      let passes = Bilingual("rule \(name) passes", "ルール \(name) に適合すること")
      let only = Bilingual(
        "\(service.name) may be used by this rule only.", "\(service.name) はこのルールに従う場合だけ使用できます。")
      guard let all = statuses[name], !all.isEmpty else {
        add(
          .use, unknown: true, "", "", "", .none,
          Bilingual("rule \(name) was evaluated and passed", "ルール \(name) が評価され、適合すること"),
          Bilingual("it wasn't evaluated", "評価されていません"), only)
        continue
      }
      if all.contains(.fail) {
        add(
          .use, "", "", "", .none, passes, Bilingual("it failed", "違反"),
          Bilingual(
            only.en + " What failed is told with the rule.", only.ja + "違反の内容はルールの検出結果を参照してください。"))
      } else if all.contains(.unknown) {
        add(
          .use, unknown: true, "", "", "", .none, passes, Bilingual("it can't be told", "判定できません"), only)
      }
    }
  }
}

extension Value {
  /// Whether a transformation makes it, so that nothing of it is known but its type.
  fileprivate var isMade: Bool {
    guard case .map(let members) = content, members.rest != nil, members.all.count == 2,
      case .unknown(let unknown)? = members["Properties"]?.content
    else { return false }
    return unknown.written == nil
  }
}

/// Regions that a resource names itself.
enum Regions {
  /// Paths by type: other regions that it copies itself to, or the zone that it stands in.
  private static let paths: [String: [[String]]] = [
    "AWS::DynamoDB::GlobalTable": [["Replicas", "Region"]],
    "AWS::SecretsManager::Secret": [["ReplicaRegions", "Region"]],
    "AWS::CloudFormation::StackSet": [["StackInstancesGroup", "Regions"]],
    "AWS::ECR::ReplicationConfiguration": [
      ["ReplicationConfiguration", "Rules", "Destinations", "Region"]
    ],
    "AWS::EFS::FileSystem": [["ReplicationConfiguration", "Destinations", "Region"]],
    "AWS::EC2::Instance": [["AvailabilityZone"]],
    "AWS::EC2::Volume": [["AvailabilityZone"]],
    "AWS::EC2::Subnet": [["AvailabilityZone"]],
    "AWS::RDS::DBInstance": [["AvailabilityZone"]],
    "AWS::AutoScaling::AutoScalingGroup": [["AvailabilityZones"]],
  ]

  /// A region that is written.
  struct Written {
    /// nil = it can't be told.
    let region: String?
    /// Why, where it can't be told.
    let reason: Bilingual
    let path: String
    let place: TextPlace
    /// Whether the resource itself stands there: its zone says it, a copy's region doesn't.
    let isOwn: Bool
  }

  static func written(in resource: Value, _ type: String) -> [Written] {
    (paths[type] ?? []).flatMap { path in
      let isOwn = path.last?.hasPrefix("AvailabilityZone") == true
      return values(resource, ["Properties"] + path, "").map { found in
        let place = found.value.place
        guard case .string(let text) = found.value.content else {
          var reason = Bilingual("no region's name", "リージョン名ではありません")
          if case .unknown(let unknown) = found.value.content { reason = Bilingual(same: unknown.reason) }
          return Written(region: nil, reason: reason, path: found.path, place: place, isOwn: isOwn)
        }
        // A zone is its region and a letter.
        let isZone = text.last?.isLetter == true && text.contains("-")
        return Written(
          region: isZone ? String(text.dropLast()) : text, reason: Bilingual(same: ""), path: found.path,
          place: place,
          isOwn: isOwn)
      }
    }
  }

  /// What stands at the end of a path, lists spread, or before it where it can't be told; what isn't there is none.
  private static func values(_ value: Value, _ path: [String], _ name: String) -> [(
    value: Value, path: String
  )] {
    switch value.content {
    case .null: return []
    case .list(let all): return all.flatMap { values($0, path, name) }
    case .map(let members):
      guard let next = path.first else { return [(value, name)] }
      if let found = members[next] {
        return values(found, Array(path.dropFirst()), name.isEmpty ? next : "\(name).\(next)")
      }
      if let rest = members.rest, !rest.absent.contains(next) {
        return [(Value(.unknown(rest.unknown), at: value.place), name)]
      }
      // A function or a transformation stands for what it makes.
      let isMade = members.all.contains { $0.name == "Ref" || $0.name.hasPrefix("Fn::") }
      return isMade ? [(value, name)] : []
    case .unknown: return [(value, name)]
    // A text where a map should be is no region.
    default: return [(path.isEmpty ? value : Value(.null, at: value.place), name)]
    }
  }
}
