// What differs from the baseline and was right before: when it was last right by the journal, and who changed it, where
// CloudTrail's LookupEvents can tell. What was never right is told as such: that is no drift.

public import Controls
import Foundation
import GuardRules
import Resources

/// Something that differs.
public struct DriftedStep: Sendable, Encodable {
  /// A change that CloudTrail tells of.
  public struct Change: Sendable, Encodable, Equatable {
    /// `StopLogging`.
    public let event: String
    /// Who.
    public let by: String
    /// `2026-01-02T03:04:05Z`.
    public let at: String
  }

  /// `global/trail-logging`.
  public let step: String
  /// What differs.
  public let changes: [BaselineChange]
  /// When it was last known to be right; nil = never by this journal.
  public let rightAt: String?
  /// Who changed it, the latest first; none where nobody is known.
  public let changedBy: [Change]
  /// Why nobody is known.
  public let unknownBecause: String?
}

struct Drift: Sendable {
  let settings: AccountSettings
  let journal: [JournalEntry]
  var language = ReportLanguage.english

  /// What differs, as a plan has it.
  func of(_ plan: BaselinePlan) async -> [DriftedStep] {
    let rightAt = journal.rightAt(of: settings.account.number)
    let differing = plan.steps.map { ($0.key, $0.changes) } + plan.notices.map { ($0.key, $0.changes) }
    // Two calls a second are what a region bears.
    return await boundedMap(differing.sorted { $0.0 < $1.0 }, atOnce: 2) { key, changes in
      guard let since = rightAt[key.description] else {
        return DriftedStep(
          step: key.description, changes: changes, rightAt: nil, changedBy: [], unknownBecause: nil)
      }
      let events = Self.events(key.item)
      var found: [DriftedStep.Change] = []
      var reason: String?
      do throws(CallFailure) {
        for event in events { found += try await lookUp(event, key, since: RecordTime.seconds(since) ?? 0) }
        if found.isEmpty {
          let none = Bilingual("no call of AWS tells it", "AWS の API では確認できません")
          let late = Bilingual(
            "no \(events.joined(separator: " or ")) since; events take minutes to appear",
            "その後の \(events.joined(separator: " または ")) が見つかりません。イベントの反映には数分かかります")
          reason = (events.isEmpty ? none : late).text(language)
        }
      } catch { reason = error.text }
      return DriftedStep(
        step: key.description, changes: changes, rightAt: since, changedBy: found.sorted { $0.at > $1.at },
        unknownBecause: reason)
    }
  }

  /// Calls that may have changed a thing.
  private static func events(_ item: BaselineItem) -> [String] {
    switch item {
    case .passwordPolicy: ["UpdateAccountPasswordPolicy", "DeleteAccountPasswordPolicy"]
    case .accountPublicAccess: ["PutAccountPublicAccessBlock", "DeleteAccountPublicAccessBlock"]
    case .logBucket: ["DeleteBucket"]
    case .logBucketPublicAccess: ["PutBucketPublicAccessBlock", "DeleteBucketPublicAccessBlock"]
    case .logBucketEncryption: ["PutBucketEncryption", "DeleteBucketEncryption"]
    case .logBucketVersioning: ["PutBucketVersioning"]
    case .logBucketPolicy: ["PutBucketPolicy", "DeleteBucketPolicy"]
    case .trail: ["UpdateTrail", "DeleteTrail"]
    case .trailLogging: ["StopLogging", "DeleteTrail"]
    case .trailSelectors: ["PutEventSelectors", "DeleteTrail"]
    case .configRole: ["DeleteServiceLinkedRole"]
    case .rootMFA, .user: ["DeactivateMFADevice", "CreateLoginProfile"]
    case .rootKeys: ["CreateAccessKey"]
    case .detector: ["UpdateDetector", "DeleteDetector"]
    case .recorder: ["PutConfigurationRecorder", "DeleteConfigurationRecorder"]
    case .deliveryChannel: ["PutDeliveryChannel", "DeleteDeliveryChannel"]
    case .recording: ["StopConfigurationRecorder", "DeleteConfigurationRecorder"]
    case .configRule: ["PutConfigRule", "DeleteConfigRule"]
    case .analyzer: ["DeleteAnalyzer"]
    case .ebsEncryption: ["DisableEbsEncryptionByDefault"]
    case .defaultGroup:
      ["AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress", "ModifySecurityGroupRules"]
    case .regionUse: ["RunInstances", "CreateVolume", "CreateFunction20150331"]
    }
  }

  /// What an event must name to be about a thing; nil = any is.
  private func name(_ key: BaselineKey) -> String? {
    switch key.item {
    case .trail, .trailLogging, .trailSelectors: settings.baseline.trailName
    case .logBucket, .logBucketPublicAccess, .logBucketEncryption, .logBucketVersioning, .logBucketPolicy:
      settings.baseline.logBucket(of: settings.account)
    case .configRule, .defaultGroup, .user: key.name
    default: nil
    }
  }

  private func lookUp(
    _ event: String, _ key: BaselineKey, since: Int64
  ) async throws(CallFailure) -> [DriftedStep.Change] {
    // What IAM does is told where IAM is; all else where it was done.
    let isIAM = [.passwordPolicy, .configRole, .rootMFA, .rootKeys, .user].contains(key.item)
    let region =
      isIAM
      ? AccountScan.globalHome(settings.account.partition)
      : key.region.isEmpty ? settings.account.home : key.region
    let all = try await settings.list(
      "cloudtrail",
      ServiceAction(
        "LookupEvents",
        [
          "LookupAttributes": [["AttributeKey": "EventName", "AttributeValue": .text(event)]],
          "StartTime": .number(since), "MaxResults": 50,
        ]), region, items: ["Events"], page: ("NextToken", ["NextToken"]))
    return all.compactMap { found in
      guard let time = Self.seconds(found["EventTime"]), time >= since else { return nil }
      let text = found["CloudTrailEvent"]?.string ?? ""
      let record = try? JSONReader.value(of: text)
      // A call that was refused changed nothing.
      if record?["errorCode"] != nil { return nil }
      if let name = name(key), !text.contains("\"\(name)\""),
        !found.all(at: ["Resources", "ResourceName"]).contains(where: { $0.string?.contains(name) ?? false })
      {
        return nil
      }
      let by =
        record?.all(at: ["userIdentity", "arn"]).first?.string ?? found["Username"]?.string
        ?? record?.all(at: ["userIdentity", "invokedBy"]).first?.string
        ?? Bilingual("somebody whom the event doesn't name", "イベントに名前のない利用者").text(language)
      return DriftedStep.Change(event: event, by: by, at: RecordTime.text(time))
    }
  }

  private static func seconds(_ value: Value?) -> Int64? {
    switch value?.content {
    case .int(let number): number
    case .float(let number): Int64(exactly: number.rounded(.down))
    case .string(let text): CredentialSources.seconds(text)
    default: nil
    }
  }
}
