// What the check by a catalogue can find.

public import GuardRules

/// A rule that every catalogue has.
public enum CatalogueRule: String, Sendable, CaseIterable {
  /// Every resource's service is in the catalogue, and was assessed.
  case assessed = "catalogue_service_assessed"
  /// Every resource's service is allowed.
  case allowed = "catalogue_service_allowed"
  /// Every resource is in a region where its service is allowed.
  case region = "catalogue_region_allowed"
  /// No policy grants what the catalogue doesn't allow.
  case grants = "catalogue_policy_grants"
  /// The rules that a service may be used by were evaluated, and passed.
  case use = "catalogue_rules_of_use"
  /// Assessments are not too old.
  case current = "catalogue_assessment_current"

  /// How grave it is.
  public var severity: Severity {
    switch self {
    case .assessed, .allowed, .region, .grants: .high
    case .use, .current: .medium
    }
  }

  /// What it is called.
  public var title: (en: String, ja: String) {
    switch self {
    case .assessed: ("Only assessed services are used", "評価済みのサービスだけを使用する")
    case .allowed: ("Only allowed services are used", "許可されたサービスだけを使用する")
    case .region: ("Services are used in allowed regions only", "許可されたリージョンだけで使用する")
    case .grants: ("Policies grant what the catalogue allows", "ポリシーはカタログの許可範囲だけを付与する")
    case .use: ("Rules of use are kept", "サービスの利用ルールを守る")
    case .current: ("Assessments are current", "サービスの評価が期限内である")
    }
  }

  /// How it is mended.
  public var mend: (en: String, ja: String) {
    switch self {
    case .assessed:
      (
        "Have the service assessed and entered in the catalogue, or use one that is.",
        "サービスの評価とカタログへの登録を依頼するか、登録済みのサービスを使用してください。"
      )
    case .allowed:
      (
        "Use a service that is allowed, or ask for an exception: kabuto govern exception request.",
        "許可されたサービスを使用するか、例外を申請してください(kabuto govern exception request)。"
      )
    case .region:
      ("Deploy it in a region that the catalogue names.", "カタログに記載されたリージョンにデプロイしてください。")
    case .grants:
      (
        "Name only actions that the catalogue allows, or give the user or role the boundary kabuto-boundary.",
        "カタログで許可されたアクションだけを記述するか、ユーザーやロールに境界 kabuto-boundary を設定してください。"
      )
    case .use:
      ("Give the rule's file with --rules, and mend what it finds.", "--rules でルールのファイルを指定し、違反を修正してください。")
    case .current:
      ("Assess the service again, and enter the new day.", "サービスを再評価し、新しい日付を登録してください。")
    }
  }
}

/// Something that is against the catalogue, or can't be told.
public struct CatalogueIssue: Sendable {
  /// By which rule.
  public let rule: CatalogueRule
  /// Whether it can't be told.
  public let isUnknown: Bool
  /// The resource; empty = the whole input.
  public let resource: String
  /// Its type.
  public let type: String
  /// Where in it.
  public let path: String
  /// Where in the text.
  public let place: TextPlace
  /// What should be.
  public let clause: Bilingual
  /// What is.
  public let found: Bilingual
  /// In a sentence or two.
  public let message: Bilingual
}

/// A resource whose properties aren't known, but its type is.
public struct TypedResource: Sendable {
  /// What it is called.
  public let name: String
  /// CloudFormation's type.
  public let type: String
  /// Where it stands.
  public let place: TextPlace
  /// The region that it is in; nil = nothing but perhaps its name says it.
  public let region: String?

  /// A resource.
  public init(name: String, type: String, place: TextPlace, region: String? = nil) {
    self.region = region
    self.name = name
    self.type = type
    self.place = place
  }
}
