// What every account has: a document. What a baseline doesn't name stays as it is in an account.

/// See the head of this file.
public struct Baseline: Sendable, Equatable {
  /// Its name.
  public var name = ""
  /// Its version.
  public var version = 1
  /// The region of the trail, the logs and what AWS Config records once; nil = the first region that is asked for.
  public var home: String?
  var logs: Logs?
  var trail: Trail?
  var config: Config?
  /// Nil = no detector.
  var guardDuty: GuardDuty?
  /// Name of a new analyzer; nil = none.
  var analyzer: String?
  var ebsEncryption = false
  var accountPublicAccessBlock = false
  var closesDefaultGroups = false
  /// Properties of IAM's password policy.
  var passwords: [BaselineGoal.Property] = []
  /// Regions that are meant to be used; nil = all.
  var usedRegions: [String]?
  var hygiene = Hygiene()

  /// Where logs go.
  struct Logs: Sendable, Equatable {
    /// With `{account}`, `{region}`, `{partition}`.
    var bucket: String
    /// `AES256` or `aws:kms`.
    var encryption: String
    /// Of `aws:kms`.
    var key: String?
    var hasVersions: Bool
    var wantsTLS: Bool
  }

  struct Trail: Sendable, Equatable {
    var name: String
    var isValidated: Bool
    /// A key that the trail encrypts with, beside the bucket's own.
    var key: String?
  }

  struct GuardDuty: Sendable, Equatable {
    /// How often findings are published; nil = as a detector has it.
    var frequency: String?
  }

  struct Config: Sendable, Equatable {
    /// Name of a new recorder and a new channel.
    var name: String
    /// A role's ARN; nil = the service's own.
    var role: String?
    /// How often a snapshot is delivered; nil = as a channel has it.
    var delivery: String?
    var rules: [Rule]
  }

  /// A managed rule of AWS Config.
  struct Rule: Sendable, Equatable {
    var name: String
    var identifier: String
    /// Names and values, in order of the names.
    var parameters: [String: String]
    /// Only in the home region: what it looks at has no region.
    var isHomeOnly: Bool
  }

  /// What can only be looked at.
  struct Hygiene: Sendable, Equatable {
    var rootMFA = false
    var noRootKeys = false
    var userMFA = false
    /// Days that an access key may be old; nil = any.
    var keyDays: Int?
  }
}

extension Baseline {
  static let frequencies = ["One_Hour", "Three_Hours", "Six_Hours", "Twelve_Hours", "TwentyFour_Hours"]

  /// Reads a document.
  /// - Throws: `DocumentFaults`, all of them.
  public init(_ text: String) throws(DocumentFaults) {
    self = try RecordReader.reading(text) { Baseline($0) }
  }

  private init(_ document: RecordReader) {
    document.only(
      "baseline", "version", "home", "logs", "trail", "config", "guardduty", "access-analyzer",
      "ebs-encryption", "account-public-access-block", "default-security-groups", "password-policy",
      "regions",
      "hygiene")
    name = document.text("baseline", isRequired: true, wanted: "the baseline's name") ?? ""
    version = document.number("version", 1...1_000_000) ?? 1
    home = document.text("home", wanted: "a region")
    logs = document.section("logs").flatMap(Self.logs)
    trail = document.section("trail").flatMap(Self.trail)
    config = document.section("config").flatMap(Self.config)
    if logs == nil, !document.has("logs") {
      for part in ["trail", "config"] where document.has(part) {
        document.wrong(part, "no logs for it", wanted: "logs with a bucket, which it writes to")
      }
    }
    if let section = document.section("guardduty") {
      section.only("frequency")
      guardDuty = GuardDuty(
        frequency: section.choice("frequency", of: ["FIFTEEN_MINUTES", "ONE_HOUR", "SIX_HOURS"]))
    }
    if let section = document.section("access-analyzer") {
      section.only("name")
      analyzer = section.text("name", isRequired: true)
    }
    ebsEncryption = document.flag("ebs-encryption") ?? false
    accountPublicAccessBlock = document.flag("account-public-access-block") ?? false
    closesDefaultGroups =
      document.choice("default-security-groups", of: ["closed", "as-they-are"]) == "closed"
    passwords = document.section("password-policy").map(Self.passwords) ?? []
    if let section = document.section("regions") {
      section.only("used")
      usedRegions = section.texts("used")
      // As a policy, no region would be one that nobody takes, or that closes all.
      if let usedRegions, usedRegions.isEmpty {
        section.wrong("used", "an empty list", wanted: "at least one region")
      } else if let usedRegions, usedRegions.contains(where: { $0.allSatisfy(\.isWhitespace) }) {
        section.wrong("used", "an empty text", wanted: "regions")
      }
    }
    if let section = document.section("hygiene") {
      section.only("root-mfa", "no-root-access-keys", "user-mfa", "access-key-days")
      hygiene = Hygiene(
        rootMFA: section.flag("root-mfa") ?? false, noRootKeys: section.flag("no-root-access-keys") ?? false,
        userMFA: section.flag("user-mfa") ?? false, keyDays: section.number("access-key-days", 1...3_650))
    }
  }

  private static func logs(_ section: RecordReader) -> Logs? {
    section.only("bucket", "encryption", "kms-key", "versioning", "only-tls")
    let wanted = "a bucket's name, with {account}, {region} or {partition} for what differs"
    guard let bucket = section.text("bucket", isRequired: true, wanted: wanted) else { return nil }
    let plain = bucket.replacing("{account}", with: "000000000000").replacing("{region}", with: "eu-west-1")
      .replacing("{partition}", with: "aws")
    let letters = plain.unicodeScalars.allSatisfy {
      ("a"..."z").contains($0) || ("0"..."9").contains($0) || $0 == "-" || $0 == "."
    }
    if !letters || !(3...63).contains(plain.utf8.count) || plain.hasPrefix("-") || plain.hasPrefix(".") {
      section.wrong("bucket", bucket, wanted: "3 to 63 of a–z, 0–9, - and .; \(wanted)")
    }
    let encryption = section.choice("encryption", of: ["AES256", "aws:kms"]) ?? "AES256"
    let key = section.text("kms-key", wanted: "a key's ARN")
    if encryption == "AES256", key != nil {
      section.wrong("kms-key", "a key, with AES256", wanted: "encryption: aws:kms")
    }
    if encryption == "aws:kms", key == nil {
      section.missing("kms-key", wanted: "a key's ARN, with which CloudTrail and Config may encrypt")
    }
    return Logs(
      bucket: bucket, encryption: encryption, key: key, hasVersions: section.flag("versioning") ?? true,
      wantsTLS: section.flag("only-tls") ?? true)
  }

  private static func trail(_ section: RecordReader) -> Trail? {
    section.only("name", "validation", "kms-key")
    guard let name = section.text("name", isRequired: true) else { return nil }
    if name.utf8.count < 3 || name.utf8.count > 128 {
      section.wrong("name", name, wanted: "3 to 128 letters, digits, - _ .")
    }
    return Trail(
      name: name, isValidated: section.flag("validation") ?? true,
      key: section.text("kms-key", wanted: "a key's ARN"))
  }

  private static func config(_ section: RecordReader) -> Config? {
    section.only("name", "role", "delivery", "rules")
    var names: Set<String> = []
    let rules = section.sections("rules").compactMap { (rule) -> Rule? in
      rule.only("name", "identifier", "parameters", "only")
      let name = rule.text("name", isRequired: true)
      let identifier = rule.text(
        "identifier", isRequired: true, wanted: "a managed rule, as ROOT_ACCOUNT_MFA_ENABLED")
      let only = rule.choice("only", of: ["home"])
      let parameters = rule.pairs("parameters")
      guard let name, let identifier else { return nil }
      if name.utf8.count > 128 { rule.wrong("name", name, wanted: "at most 128 letters") }
      if !names.insert(name).inserted { rule.wrong("name", "\(name) twice", wanted: "each name once") }
      return Rule(
        name: name, identifier: identifier,
        parameters: Dictionary(parameters.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }),
        isHomeOnly: only == "home")
    }
    return Config(
      name: section.text("name") ?? "default", role: section.text("role", wanted: "a role's ARN"),
      delivery: section.choice("delivery", of: frequencies), rules: rules)
  }

  private static func passwords(_ section: RecordReader) -> [BaselineGoal.Property] {
    section.only(
      "minimum-length", "reuse-prevention", "maximum-age-days", "symbols", "numbers", "upper-case",
      "lower-case",
      "users-may-change")
    var out: [BaselineGoal.Property] = []
    if let number = section.number("minimum-length", 6...128) {
      out.append(.init(name: "MinimumPasswordLength", value: .atLeast(number)))
    }
    if let number = section.number("reuse-prevention", 1...24) {
      out.append(.init(name: "PasswordReusePrevention", value: .atLeast(number)))
    }
    if let number = section.number("maximum-age-days", 1...1_095) {
      out.append(.init(name: "MaxPasswordAge", value: .atMost(number)))
    }
    for (name, property) in [
      ("symbols", "RequireSymbols"), ("numbers", "RequireNumbers"),
      ("upper-case", "RequireUppercaseCharacters"), ("lower-case", "RequireLowercaseCharacters"),
    ] {
      if let flag = section.flag(name) {
        out.append(.init(name: property, value: flag ? .equal("true") : .initially("false")))
      }
    }
    // The other way round: who may not is held stricter.
    if let flag = section.flag("users-may-change") {
      out.append(
        .init(name: "AllowUsersToChangePassword", value: flag ? .initially("true") : .equal("false")))
    }
    // A policy that demands nothing would take the place of AWS's own, which demands something.
    return out.allSatisfy(\.value.isInitial) ? [] : out
  }
}
