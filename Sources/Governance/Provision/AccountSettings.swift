// The things of a baseline in one account: what is there, and making one of them right. Each kind is a pair of functions in
// the file of its service; `read` and `set` below are the table of them. Reading never fails as a whole: what a call doesn't
// tell is unknown, and nothing else is.

import Controls
import Foundation
import GuardRules
import Resources

/// See the head of this file.
struct AccountSettings: Sendable {
  let client: ServiceClient
  let account: BaselineAccount
  let baseline: Baseline
  /// Seconds since 1970 UTC.
  let now: @Sendable () -> Int64

  /// What is there of a kind, in the account (`region` empty) or in a region.
  func read(_ item: BaselineItem, in region: String) async -> [BaselineKey: FoundSetting] {
    do throws(CallFailure) {
      let only: FoundSetting
      switch item {
      case .passwordPolicy: only = try await passwordPolicy()
      case .accountPublicAccess: only = try await accountPublicAccess()
      case .logBucket: only = try await logBucket()
      case .logBucketPublicAccess: only = try await logBucketPublicAccess()
      case .logBucketEncryption: only = try await logBucketEncryption()
      case .logBucketVersioning: only = try await logBucketVersioning()
      case .logBucketPolicy: only = try await logBucketPolicy()
      case .trail: only = try await trail()
      case .trailLogging: only = try await trailLogging()
      case .trailSelectors: only = try await trailSelectors()
      case .configRole: only = try await configRole()
      case .rootMFA: only = try await summary("AccountMFAEnabled")
      case .rootKeys: only = try await summary("AccountAccessKeysPresent")
      case .user: return try await users()
      case .detector: only = try await detector(region)
      case .recorder: only = try await recorder(region)
      case .deliveryChannel: only = try await deliveryChannel(region)
      case .recording: only = try await recording(region)
      case .configRule: return try await configRules(region)
      case .analyzer: only = try await analyzer(region)
      case .ebsEncryption: only = try await ebsEncryption(region)
      case .defaultGroup: return try await defaultGroups(region)
      case .regionUse: only = try await regionUse(region)
      }
      return [BaselineKey(item, region: region): only]
    } catch {
      let names = item == .configRule ? baseline.configRules(in: region, of: account).map(\.name) : [""]
      return Dictionary(
        names.map { (BaselineKey(item, region: region, name: $0), .unknown(error.text)) },
        uniquingKeysWith: { first, _ in first })
    }
  }

  /// One thing.
  func read(_ key: BaselineKey) async -> FoundSetting {
    let found = await read(key.item, in: key.region)
    return found[key] ?? found[BaselineKey(key.item, region: key.region)] ?? .absent
  }

  /// Makes a thing right, as its goal wants it; what the goal doesn't name stays.
  func set(_ goal: BaselineGoal) async throws(CallFailure) {
    let region = goal.key.region
    switch goal.key.item {
    case .passwordPolicy: try await setPasswordPolicy(goal)
    case .accountPublicAccess: try await setAccountPublicAccess()
    case .logBucket: try await makeLogBucket()
    case .logBucketPublicAccess: try await setLogBucketPublicAccess()
    case .logBucketEncryption: try await setLogBucketEncryption(goal)
    case .logBucketVersioning: try await setLogBucketVersioning()
    case .logBucketPolicy: try await setLogBucketPolicy(goal)
    case .trail: try await setTrail(goal)
    case .trailLogging: try await startLogging()
    case .trailSelectors: try await selectManagementEvents()
    case .configRole: try await makeConfigRole()
    case .detector: try await setDetector(goal, region)
    case .recorder: try await setRecorder(goal, region)
    case .deliveryChannel: try await setDeliveryChannel(goal, region)
    case .recording: try await startRecording(region)
    case .configRule: try await setConfigRule(goal, region)
    case .analyzer: try await makeAnalyzer(region)
    case .ebsEncryption: try await enableEBSEncryption(region)
    case .defaultGroup: try await closeDefaultGroup(goal.key.name, region)
    case .rootMFA, .rootKeys, .user, .regionUse:
      throw CallFailure(code: "NotSettable", message: "it can only be looked at")
    }
  }

  // MARK: - Calls

  /// A call that may change something.
  @discardableResult
  func act(_ service: String, _ action: ServiceAction, _ region: String = "") async throws(CallFailure)
    -> Value
  {
    do throws(CallFailure) {
      return try await client.act(try Self.service(service), action, scope(region))
    } catch {
      throw Self.named(error, service, action)
    }
  }

  /// A call that only reads: its one answer.
  func ask(_ service: String, _ action: ServiceAction, _ region: String = "") async throws(CallFailure)
    -> Value
  {
    var action = action
    action.isRepeatable = true
    action.answer.mayBeEmpty = false
    return try await act(service, action, region)
  }

  /// A call that only reads, page by page.
  func list(
    _ service: String, _ action: ServiceAction, _ region: String = "", items: [String],
    page: (parameter: String, from: [String])?
  ) async throws(CallFailure) -> [Value] {
    do throws(CallFailure) {
      return try await client.read(try Self.service(service), action, scope(region), items: items, page: page)
    } catch { throw Self.named(error, service, action) }
  }

  /// A failure that says which call it was.
  private static func named(_ failure: CallFailure, _ service: String, _ action: ServiceAction) -> CallFailure
  {
    var failure = failure
    failure.message = "\(service) \(action.name)" + (failure.message.isEmpty ? "" : ": \(failure.message)")
    return failure
  }

  private func scope(_ region: String) -> CallScope {
    CallScope(
      region: region.isEmpty ? account.home : region, account: account.number, partition: account.partition)
  }

  private static func service(_ name: String) throws(CallFailure) -> AccountService {
    guard let service = AccountService.named(name) else {
      throw CallFailure(code: "NoSuchService", message: "\(name) isn't in the table of services")
    }
    return service
  }

  /// A token that is the same whenever the same thing of the same account is made, so that a service that saw it twice makes
  /// it once.
  func token(_ key: BaselineKey) -> String {
    String(HexText.hash("kabuto \(account.number) \(key)").prefix(32))
  }
}

extension Value {
  /// Members as properties, those that are a plain value.
  func properties(_ names: [String]? = nil) -> [String: String] {
    var out: [String: String] = [:]
    for member in members where names?.contains(member.name) ?? true {
      out[member.name] = member.value.plainText
    }
    return out
  }
}
