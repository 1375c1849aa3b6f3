// Baseline and account → what is wanted of each thing. Names of properties are those of the services.

/// An account that a baseline is for.
public struct BaselineAccount: Sendable, Equatable {
  /// Its number.
  public let number: String
  /// `aws`, `aws-cn`, `aws-us-gov`.
  public let partition: String
  /// Where the trail and the logs are.
  public let home: String
  /// Where the baseline is set up.
  public let regions: [String]

  /// An account.
  public init(number: String, partition: String, home: String, regions: [String]) {
    (self.number, self.partition, self.home, self.regions) = (number, partition, home, regions)
  }
}

extension Baseline {
  /// The role that AWS Config has of its own.
  public static let serviceRole = "service-linked"

  /// The name of the account's bucket for logs; nil = the baseline has none.
  public func logBucket(of account: BaselineAccount) -> String? {
    logs?.bucket.replacing("{account}", with: account.number).replacing("{region}", with: account.home)
      .replacing("{partition}", with: account.partition)
  }

  /// Name of the trail; nil = the baseline has none.
  public var trailName: String? { trail?.name }
  /// Name of a new recorder and channel of AWS Config.
  public var configName: String { config?.name ?? "default" }
  /// A role of AWS Config that isn't the service's own.
  public var configRole: String? { config?.role }
  /// Names of AWS Config's rules in a region, with the identifiers that they stand for and their parameters as JSON.
  public func configRules(in region: String, of account: BaselineAccount) -> [(
    name: String, identifier: String, parameters: String
  )] {
    (config?.rules ?? []).filter { !$0.isHomeOnly || region == account.home }.map {
      ($0.name, $0.identifier, Self.parameters($0.parameters))
    }
  }
  /// Name of a new analyzer.
  public var analyzerName: String { analyzer ?? "kabuto" }

  /// Kinds of things that are looked at, of the account or of a region.
  public func items(in region: String, of account: BaselineAccount) -> [BaselineItem] {
    let fixed = Set(fixedGoals(of: account).filter { $0.key.region == region }.map(\.key.item))
    return BaselineItem.allCases.filter { item in
      switch item {
      case .user: region.isEmpty && (hygiene.userMFA || hygiene.keyDays != nil)
      case .defaultGroup: !region.isEmpty && closesDefaultGroups
      default: fixed.contains(item)
      }
    }
  }

  /// What is wanted of an account in which that was found, in the order of a plan.
  public func goals(of account: BaselineAccount, _ found: [BaselineKey: FoundSetting]) -> [BaselineGoal] {
    var out = fixedGoals(of: account)
    let regions = Set(account.regions)
    for key in found.keys where key.item.isFoundThere {
      switch key.item {
      case .user where key.region.isEmpty && (hygiene.userMFA || hygiene.keyDays != nil):
        var wanted: [BaselineGoal.Property] = []
        if hygiene.userMFA { wanted.append(.init(name: "SignsInWithoutMFA", value: .equal("false"))) }
        if let days = hygiene.keyDays, case .set(let properties) = found[key],
          properties["OldestKeyDays"] != nil
        {
          wanted.append(.init(name: "OldestKeyDays", value: .atMost(days)))
        }
        out.append(BaselineGoal(key: key, wanted: wanted, needs: []))
      case .defaultGroup where closesDefaultGroups && regions.contains(key.region):
        out.append(
          BaselineGoal(
            key: key,
            wanted: [
              .init(name: "Ingress", value: .equal("none")), .init(name: "Egress", value: .equal("none")),
            ], needs: []))
      default: break
      }
    }
    return out.sorted { $0.key < $1.key }
  }

  /// What doesn't hang on what is found.
  private func fixedGoals(of account: BaselineAccount) -> [BaselineGoal] {
    var all: [(BaselineKey, [(String, WantedValue)])] = []
    func add(
      _ item: BaselineItem, in region: String = "", name: String = "", _ wanted: [(String, WantedValue)]
    ) {
      all.append((BaselineKey(item, region: region, name: name), wanted))
    }
    let yes = WantedValue.equal("true")
    let blocks = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"]
      .map { ($0, yes) }
    if !passwords.isEmpty { add(.passwordPolicy, passwords.map { ($0.name, $0.value) }) }
    if accountPublicAccessBlock { add(.accountPublicAccess, blocks) }
    if let logs, let bucket = logBucket(of: account) {
      add(.logBucket, [("Name", .equal(bucket))])
      add(.logBucketPublicAccess, blocks)
      var encryption: [(String, WantedValue)] = [
        // What S3's own keys do, a key of KMS does as well.
        (
          "SSEAlgorithm",
          logs.encryption == "AES256"
            ? .oneOf(["AES256", "aws:kms", "aws:kms:dsse"]) : .equal(logs.encryption)
        )
      ]
      if let key = logs.key { encryption.append(("KMSMasterKeyID", .equal(key))) }
      add(.logBucketEncryption, encryption)
      if logs.hasVersions { add(.logBucketVersioning, [("Status", .equal("Enabled"))]) }
      let statements = statements(of: account, bucket)
      if !statements.isEmpty {
        add(.logBucketPolicy, statements.map { ($0.name, WantedValue.equal($0.text)) })
      }
    }
    if let trail, let bucket = logBucket(of: account) {
      var wanted: [(String, WantedValue)] = [
        ("S3BucketName", .equal(bucket)), ("IsMultiRegionTrail", yes), ("IncludeGlobalServiceEvents", yes),
      ]
      if trail.isValidated { wanted.append(("LogFileValidationEnabled", yes)) }
      if let key = trail.key { wanted.append(("KmsKeyId", .equal(key))) }
      add(.trail, wanted)
      add(.trailLogging, [("IsLogging", yes)])
      add(.trailSelectors, [("ManagementEvents", .equal("all"))])
    }
    if let config, config.role == nil { add(.configRole, [("Kind", .equal(Self.serviceRole))]) }
    if hygiene.rootMFA { add(.rootMFA, [("AccountMFAEnabled", yes)]) }
    if hygiene.noRootKeys { add(.rootKeys, [("AccountAccessKeysPresent", .equal("false"))]) }
    for region in account.regions {
      if let guardDuty {
        add(
          .detector, in: region,
          [
            ("Status", .equal("ENABLED")),
            (
              "FindingPublishingFrequency",
              guardDuty.frequency.map(WantedValue.equal) ?? .initially("SIX_HOURS")
            ),
          ])
      }
      if let config, let bucket = logBucket(of: account) {
        var recorder: [(String, WantedValue)] = [
          ("Role", .equal(config.role ?? Self.serviceRole)), ("AllSupported", yes),
        ]
        if region == account.home { recorder.append(("IncludeGlobalResourceTypes", yes)) }
        add(.recorder, in: region, recorder)
        add(
          .deliveryChannel, in: region,
          [
            ("S3BucketName", .equal(bucket)),
            ("DeliveryFrequency", config.delivery.map(WantedValue.equal) ?? .initially("TwentyFour_Hours")),
          ])
        add(.recording, in: region, [("Recording", yes)])
        for rule in config.rules where !rule.isHomeOnly || region == account.home {
          add(
            .configRule, in: region, name: rule.name,
            [
              ("SourceIdentifier", .equal(rule.identifier)),
              ("InputParameters", .equal(Self.parameters(rule.parameters))),
            ])
        }
      }
      if analyzer != nil {
        add(.analyzer, in: region, [("Type", .equal("ACCOUNT")), ("Status", .equal("ACTIVE"))])
      }
      if ebsEncryption { add(.ebsEncryption, in: region, [("EbsEncryptionByDefault", yes)]) }
      if let usedRegions, !usedRegions.contains(region) {
        add(
          .regionUse, in: region,
          [("Instances", .equal("0")), ("Volumes", .equal("0")), ("Functions", .equal("0"))])
      }
    }
    let keys = Set(all.map(\.0))
    return all.map { key, wanted in
      let needs = key.item.needs.map { BaselineKey($0, region: $0.isRegional ? key.region : "") }
      return BaselineGoal(
        key: key, wanted: wanted.map { BaselineGoal.Property(name: $0.0, value: $0.1) },
        needs: needs.filter { keys.contains($0) })
    }
  }

  /// A rule's parameters as AWS Config has them: JSON, all texts.
  static func parameters(_ parameters: [String: String]) -> String {
    let members = parameters.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map {
      "\(CanonicalJSON.quoted($0)):\(CanonicalJSON.quoted(parameters[$0] ?? ""))"
    }
    return "{" + members.joined(separator: ",") + "}"
  }

  /// Statements of the policy of the bucket for logs, by their `Sid`; each as `CanonicalJSON.policy` writes it.
  private func statements(of account: BaselineAccount, _ bucket: String) -> [(name: String, text: String)] {
    let arn = "arn:\(account.partition):s3:::\(bucket)"
    func service(_ sid: String, _ name: String, _ actions: String, _ resource: String, _ condition: String)
      -> (
        name: String, text: String
      )
    {
      (
        sid,
        #"{"Action":\#(actions),"Condition":{"StringEquals":{\#(condition)}},"Effect":"Allow","#
          + #""Principal":{"Service":"\#(name)"},"Resource":"\#(resource)","Sid":"\#(sid)"}"#
      )
    }
    let owned = #","s3:x-amz-acl":"bucket-owner-full-control""#
    var out: [(name: String, text: String)] = []
    if let trail {
      let source =
        #""aws:SourceArn":"arn:\#(account.partition):cloudtrail:\#(account.home):\#(account.number):trail/\#(trail.name)""#
      let name = "cloudtrail.amazonaws.com"
      out.append(service("KabutoTrailAcl", name, #""s3:GetBucketAcl""#, arn, source))
      out.append(
        service(
          "KabutoTrailWrite", name, #""s3:PutObject""#, "\(arn)/AWSLogs/\(account.number)/*", source + owned))
    }
    if config != nil {
      let source = #""aws:SourceAccount":"\#(account.number)""#
      let name = "config.amazonaws.com"
      out.append(service("KabutoConfigAcl", name, #"["s3:GetBucketAcl","s3:ListBucket"]"#, arn, source))
      out.append(
        service(
          "KabutoConfigWrite", name, #""s3:PutObject""#, "\(arn)/AWSLogs/\(account.number)/Config/*",
          source + owned))
    }
    if logs?.wantsTLS == true {
      out.append(
        (
          "KabutoOnlyTLS",
          #"{"Action":"s3:*","Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny","Principal":"*","#
            + #""Resource":["\#(arn)","\#(arn)/*"],"Sid":"KabutoOnlyTLS"}"#
        ))
    }
    return out
  }
}
