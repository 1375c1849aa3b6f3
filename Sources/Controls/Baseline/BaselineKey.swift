// What a baseline sets and looks at: one thing that is made right by one step, in an account or in one of its regions. The
// order of the cases is the order of a plan, and what something needs comes before it.

/// A kind of thing.
public enum BaselineItem: String, Sendable, CaseIterable {
  // Of the account.
  case passwordPolicy = "password-policy"
  case accountPublicAccess = "account-public-access-block"
  case logBucket = "log-bucket"
  case logBucketPublicAccess = "log-bucket-public-access-block"
  case logBucketEncryption = "log-bucket-encryption"
  case logBucketVersioning = "log-bucket-versioning"
  case logBucketPolicy = "log-bucket-policy"
  case trail
  case trailLogging = "trail-logging"
  case trailSelectors = "trail-selectors"
  case configRole = "config-role"
  case rootMFA = "root-mfa"
  case rootKeys = "root-access-keys"
  case user
  // Of a region.
  case detector
  case recorder = "config-recorder"
  case deliveryChannel = "config-delivery-channel"
  case recording = "config-recording"
  case configRule = "config-rule"
  case analyzer = "access-analyzer"
  case ebsEncryption = "ebs-encryption"
  case defaultGroup = "default-security-group"
  case regionUse = "region-use"

  /// Whether there is one in each region.
  public var isRegional: Bool { order >= (Self.detector).order }

  /// Whether a step can make it right; of the others it is told only.
  public var isSettable: Bool {
    switch self {
    case .rootMFA, .rootKeys, .user, .regionUse: false
    default: true
    }
  }

  /// Whether which ones there are is found in the account, not written in the baseline.
  public var isFoundThere: Bool { self == .user || self == .defaultGroup }

  /// What has to be right before it.
  public var needs: [BaselineItem] {
    switch self {
    case .logBucketPublicAccess, .logBucketEncryption, .logBucketVersioning, .logBucketPolicy: [.logBucket]
    case .trail: [.logBucketPolicy]
    case .trailLogging, .trailSelectors: [.trail]
    case .recorder: [.configRole]
    case .deliveryChannel: [.logBucketPolicy, .recorder]
    case .recording: [.recorder, .deliveryChannel]
    case .configRule: [.recorder, .recording]
    default: []
    }
  }

  /// Why it is in a baseline.
  public var why: Bilingual {
    switch self {
    case .passwordPolicy:
      Bilingual(
        "Passwords that are guessed or used again open the account to strangers.",
        "推測されやすい、または使い回されたパスワードは、第三者の侵入を許します。")
    case .accountPublicAccess:
      Bilingual(
        "No bucket of the account becomes public by a slip.",
        "アカウントのバケットが誤って公開されることを防ぎます。")
    case .logBucket:
      Bilingual(
        "Logs need a place that outlasts what they tell of.",
        "ログは、記録の対象より長く残る場所に保管する必要があります。")
    case .logBucketPublicAccess:
      Bilingual(
        "Logs tell a stranger all about the account.",
        "ログが公開されると、アカウントの内容がすべて第三者に知られます。")
    case .logBucketEncryption:
      Bilingual(
        "Logs are encrypted where they lie.",
        "ログを保管時に暗号化します。")
    case .logBucketVersioning:
      Bilingual(
        "A log that was overwritten or deleted can be brought back.",
        "上書きまたは削除されたログを復元できるようにします。")
    case .logBucketPolicy:
      Bilingual(
        "Only the services write logs, and nobody without TLS.",
        "ログを書き込めるのはサービスだけとし、TLS のない接続を拒否します。")
    case .trail:
      Bilingual(
        "Who did what is kept, of all regions, and can't be changed unseen.",
        "全リージョンの操作の記録を残し、改ざんを検知できるようにします。")
    case .trailLogging:
      Bilingual(
        "A trail that is stopped tells nothing.",
        "停止した証跡には何も記録されません。")
    case .trailSelectors:
      Bilingual(
        "A trail that picks out calls doesn't tell of the others.",
        "操作を選別する証跡には、記録されない操作があります。")
    case .configRole:
      Bilingual(
        "AWS Config looks at resources by a role of its own.",
        "AWS Config は専用のロールでリソースを参照します。")
    case .rootMFA:
      Bilingual(
        "Root without a second factor is one password away from everything.",
        "多要素認証のないルートユーザーは、パスワードひとつですべてを失います。")
    case .rootKeys:
      Bilingual(
        "Root's access keys can't be narrowed; nobody should have any.",
        "ルートユーザーのアクセスキーは権限を制限できないため、誰も保持すべきではありません。")
    case .user:
      Bilingual(
        "Users sign in with a second factor, and keys are changed before they are old.",
        "ユーザーは多要素認証でサインインし、アクセスキーは古くなる前に更新します。")
    case .detector:
      Bilingual(
        "Threats are noticed in each region, also where nothing should be.",
        "使用していないリージョンも含め、各リージョンで脅威を検知します。")
    case .recorder:
      Bilingual(
        "Changes of resources are recorded, so that rules can be evaluated on them.",
        "リソースの変更を記録し、ルールで評価できるようにします。")
    case .deliveryChannel:
      Bilingual(
        "What was recorded is kept beside the logs.",
        "記録した内容をログと同じ場所に保管します。")
    case .recording:
      Bilingual(
        "A recorder that is stopped records nothing.",
        "停止したレコーダーには何も記録されません。")
    case .configRule:
      Bilingual(
        "A standard rule that risks are noticed by.",
        "リスクを検知するための標準ルールです。")
    case .analyzer:
      Bilingual(
        "What outsiders can reach is told.",
        "外部から到達できるものを明らかにします。")
    case .ebsEncryption:
      Bilingual(
        "New volumes are encrypted without anybody thinking of it.",
        "新しいボリュームを、意識しなくても暗号化します。")
    case .defaultGroup:
      Bilingual(
        "What is started without thought of a group reaches nothing and is reached by nothing.",
        "セキュリティグループを指定せずに起動したものは、どこにも接続できず、どこからも接続されません。")
    case .regionUse:
      Bilingual(
        "Nobody looks at a region that isn't meant to be used.",
        "使用しないはずのリージョンは、誰も監視していません。")
    }
  }

  var order: Int { Self.orders[self] ?? 0 }
  private static let orders = Dictionary(
    uniqueKeysWithValues: Self.allCases.enumerated().map { ($1, $0) })
}

/// One thing in one place.
public struct BaselineKey: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// The region; empty = the account.
  public let region: String
  /// What it is.
  public let item: BaselineItem
  /// Which one, where there may be several; empty = the only one, or (of those that are found there) all that there are.
  public let name: String

  /// A thing.
  public init(_ item: BaselineItem, region: String = "", name: String = "") {
    (self.region, self.item, self.name) = (region, item, name)
  }

  /// `global/trail`, `eu-west-1/config-rule/kabuto-root-mfa`.
  public var description: String {
    "\(region.isEmpty ? "global" : region)/\(item.rawValue)" + (name.isEmpty ? "" : "/\(name)")
  }

  /// In the order of a plan: the account first, then regions; there by kind, then by name.
  public static func < (one: BaselineKey, other: BaselineKey) -> Bool {
    (one.region, one.item.order, one.name) < (other.region, other.item.order, other.name)
  }
}

/// What was found of a thing.
public enum FoundSetting: Sendable, Equatable {
  /// There is none.
  case absent
  /// It is there, with these properties.
  case set([String: String])
  /// Nobody could tell, and why.
  case unknown(String)
}

/// What a property should be.
public enum WantedValue: Sendable, Equatable {
  case equal(String)
  /// Any of them; a step sets the first.
  case oneOf([String])
  /// A number, or more.
  case atLeast(Int)
  /// A number above nothing, or less.
  case atMost(Int)
  /// What a thing is made with; of one that is there it stays as it is.
  case initially(String)

  /// Whether what is there of a thing will do.
  public func isMet(by found: String?) -> Bool {
    switch self {
    case .equal(let text): found == text
    case .oneOf(let texts): found.map(texts.contains) ?? false
    case .atLeast(let number): (found.flatMap { Int($0) } ?? 0) >= number
    case .atMost(let number): found.flatMap { Int($0) }.map { $0 > 0 && $0 <= number } ?? false
    case .initially: true
    }
  }

  var isInitial: Bool {
    if case .initially = self { return true }
    return false
  }

  /// What is set where it won't do.
  public var target: String {
    switch self {
    case .equal(let text), .initially(let text): text
    case .oneOf(let texts): texts.first ?? ""
    case .atLeast(let number), .atMost(let number): String(number)
    }
  }
}

/// What a baseline wants of a thing.
public struct BaselineGoal: Sendable, Equatable {
  /// The thing.
  public let key: BaselineKey
  /// Its properties; those that aren't here stay as they are.
  public let wanted: [Property]
  /// What has to be right before it.
  public let needs: [BaselineKey]

  /// A property.
  public struct Property: Sendable, Equatable {
    /// Its name.
    public let name: String
    /// What it should be.
    public let value: WantedValue
  }

  /// What a step would change; none = all is as wanted.
  public func changes(from found: FoundSetting) -> [BaselineChange] {
    let there: [String: String]
    switch found {
    case .unknown: return []
    case .absent: there = [:]
    case .set(let properties): there = properties
    }
    var out: [BaselineChange] = []
    for property in wanted
    where !property.value.isMet(by: there[property.name]) || property.value.isInitial && found == .absent {
      out.append(BaselineChange(name: property.name, from: there[property.name], to: property.value.target))
    }
    // What is there without any property that is wanted of it.
    if wanted.isEmpty, found == .absent { out.append(BaselineChange(name: "exists", from: nil, to: "true")) }
    return out
  }

  /// What a thing is once its step was carried out.
  public func reached(from found: FoundSetting) -> FoundSetting {
    var properties: [String: String] = [:]
    if case .set(let there) = found { properties = there }
    for change in changes(from: found) { properties[change.name] = change.to }
    return .set(properties)
  }

  /// The value of a property, as a step sets it.
  /// - Parameter isNew: whether the thing is made by the step; what it is made with is set then only.
  public func target(_ name: String, ofNew isNew: Bool = false) -> String? {
    guard let value = wanted.first(where: { $0.name == name })?.value, isNew || !value.isInitial else {
      return nil
    }
    return value.target
  }
}

/// A property that differs.
public struct BaselineChange: Sendable, Equatable, Codable {
  /// Its name.
  public let name: String
  /// What it is; nil = it isn't there.
  public let from: String?
  /// What it should be.
  public let to: String

  /// A difference.
  public init(name: String, from: String?, to: String) { (self.name, self.from, self.to) = (name, from, to) }
}
