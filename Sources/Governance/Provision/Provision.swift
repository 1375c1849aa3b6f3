// Baselines in accounts: looks at what is there, makes a plan, and carries it out where that is wanted. Accounts, regions and
// steps go beside each other within bounds; what fails stops nothing but what needs it. Each step looks again just before it
// acts and again after: so a run that was ended anywhere is gone on with by running it again, and nothing is made twice.

import AsyncHTTPClient
public import Controls
import Foundation
import GuardRules
import NIOCore
import Resources

/// How it is done.
public struct ProvisionOptions: Sendable {
  /// Regions; empty = all that an account has.
  public var regions: [String] = []
  /// One address for all services, for tests; nil = AWS's own.
  public var endpoint: String?
  /// Attempts, pauses, time-outs.
  public var policy = RetryPolicy()
  /// Accounts at once.
  public var accountsAtOnce = 4
  /// Steps at once, of each account.
  public var stepsAtOnce = 8
  /// Calls at once, over all accounts.
  public var callsAtOnce = 32
  /// Looks at a thing after it was set, the first one included: services take a while to tell what was set.
  public var looks = 6

  /// The usual ones.
  public init() {}
}

/// Says which accounts may be provisioned: nil = yes, else why not.
public typealias ProvisionGate = @Sendable (_ account: String) -> String?

/// See the head of this file.
public struct Provision: Sendable {
  private let options: ProvisionOptions
  private let environment: [String: String]
  private let now: @Sendable () -> Int64
  /// A line on how it goes.
  private let tell: @Sendable (String) -> Void

  /// A provision that is ready to run.
  /// - Parameters:
  ///   - environment: where keys are looked for.
  ///   - now: seconds since 1970 UTC.
  ///   - tell: is given lines on how it goes.
  public init(
    _ options: ProvisionOptions, environment: [String: String], now: @escaping @Sendable () -> Int64,
    tell: @escaping @Sendable (String) -> Void
  ) {
    (self.options, self.environment, self.now, self.tell) = (options, environment, now, tell)
  }

  /// What is wanted of a run.
  public enum Purpose: Sendable {
    /// Only the plan.
    case plan
    /// The plan is carried out.
    case apply(ProvisionJournal)
    /// What differs is told beside what the journal knows of it.
    case drift([JournalEntry])
  }

  /// Looks at all accounts, and does what is wanted.
  /// - Throws: `GovernanceFaults` where the journal can't be written any more.
  public func run(
    _ targets: [AccountTarget], _ baseline: Baseline, _ purpose: Purpose, gate: ProvisionGate? = nil
  ) async throws(GovernanceFaults) -> ProvisionReport {
    let http = HTTPClient(
      eventLoopGroupProvider: .singleton,
      configuration: .forAccounts(options.policy, atOnce: options.callsAtOnce))
    let endpoints = Endpoints(only: options.endpoint)
    let sources = CredentialSources(
      environment: environment, http: http, policy: options.policy, endpoints: endpoints, now: now)
    let traffic = Traffic(mostAtOnce: options.callsAtOnce)
    // Who they are first: two names of one account are one account.
    let entered = await boundedMap(targets, atOnce: options.accountsAtOnce) { target in
      await enter(target, sources, http, endpoints, traffic)
    }
    var report = ProvisionReport(baseline)
    var seen: Set<String> = []
    var accounts: [Entered] = []
    for result in entered {
      switch result {
      case .failure(let failure):
        report.unreached.append(.init(account: failure.name, reason: failure.reason))
      case .success(let account) where seen.insert(account.number).inserted:
        if let reason = gate?(account.number) {
          report.refused.append(.init(account: account.number, reason: reason))
        } else {
          accounts.append(account)
        }
      case .success: break
      }
    }
    let done = await boundedMap(accounts, atOnce: options.accountsAtOnce) { account in
      await provision(account, baseline, purpose)
    }
    try? await http.shutdown()
    for result in done { report.accounts.append(try result.get()) }
    report.calls = await traffic.callCount
    report.throttled = await traffic.throttledCount
    return report
  }

  // MARK: - Entering

  struct Entered: Sendable {
    let number: String
    let partition: String
    let region: String
    let client: ServiceClient
  }

  struct Unreached: Error {
    let name: String
    let reason: String
  }

  private func enter(
    _ target: AccountTarget, _ sources: CredentialSources, _ http: HTTPClient, _ endpoints: Endpoints,
    _ traffic: Traffic
  ) async -> Result<Entered, Unreached> {
    let keeper = sources.keeper(target)
    let client = ServiceClient(
      http: http, keeper: keeper, endpoints: endpoints, policy: options.policy, traffic: traffic, now: now)
    let home = sources.homeRegion(target)
    do throws(GovernanceFaults) { _ = try await keeper.current() } catch {
      return .failure(Unreached(name: target.name, reason: error.description))
    }
    do throws(CallFailure) {
      let who = try await client.identity(home)
      return .success(Entered(number: who.account, partition: who.partition, region: home, client: client))
    } catch {
      return .failure(Unreached(name: target.name, reason: "sts GetCallerIdentity: \(error.text)"))
    }
  }

  // MARK: - An account

  private func provision(
    _ entered: Entered, _ baseline: Baseline, _ purpose: Purpose
  ) async -> Result<AccountProvision, GovernanceFaults> {
    var gaps: [ProvisionReport.Gap] = []
    let regions = await regions(entered, &gaps)
    let account = BaselineAccount(
      number: entered.number, partition: entered.partition,
      home: baseline.home ?? options.regions.first ?? entered.region, regions: regions)
    let settings = AccountSettings(client: entered.client, account: account, baseline: baseline, now: now)
    tell("\(account.number): looking at \(regions.count) regions")
    let found = await read(settings)
    let plan = BaselinePlan(baseline, account, found: found)
    var out = AccountProvision(account, plan)
    out.unknown = gaps + out.unknown
    switch purpose {
    case .plan: break
    case .drift(let journal):
      out.drift = await Drift(settings: settings, journal: journal).of(plan)
    case .apply(let journal):
      for step in journal.before.open(of: account.number) {
        tell("\(account.number): \(step) was begun in an earlier run and not told done; it is looked at anew")
      }
      do throws(GovernanceFaults) {
        try journal.write(account.number, .begin) { $0.baseline = "\(baseline.name)/\(baseline.version)" }
        let run = ProvisionRun(settings: settings, journal: journal, options: options, tell: tell)
        let outcomes = await run.carryOut(plan)
        out.add(outcomes)
        let wrong = Set(plan.notices.map(\.key) + plan.unknown.map(\.key))
        let right = baseline.goals(of: account, found).map(\.key).filter { key in
          !wrong.contains(key) && (outcomes[key].map { $0.kind == .done || $0.kind == .already } ?? true)
        }
        try journal.write(account.number, .end) { $0.steps = right.map(\.description) }
      } catch { return .failure(error) }
    }
    return .success(out)
  }

  /// All that the baseline names.
  private func read(_ settings: AccountSettings) async -> [BaselineKey: FoundSetting] {
    let account = settings.account
    let all = ([""] + account.regions).flatMap { region in
      settings.baseline.items(in: region, of: account).map { (region, $0) }
    }
    var found: [BaselineKey: FoundSetting] = [:]
    for part in await boundedMap(all, atOnce: options.callsAtOnce, { await settings.read($1, in: $0) }) {
      found.merge(part) { first, _ in first }
    }
    return found
  }

  /// Those asked for, or all that the account has; where that can't be told, none, and a word about it.
  private func regions(_ entered: Entered, _ gaps: inout [ProvisionReport.Gap]) async -> [String] {
    guard options.regions.isEmpty else { return options.regions }
    let scope = CallScope(region: entered.region, account: entered.number, partition: entered.partition)
    do throws(CallFailure) {
      guard let ec2 = AccountService.named("ec2") else {
        throw CallFailure(code: "NoSuchService", message: "ec2 isn't in the table of services")
      }
      let names = try await entered.client.read(
        ec2, ServiceAction("DescribeRegions"), scope, items: ["regionInfo", "regionName"]
      ).compactMap(\.string).sorted()
      guard !names.isEmpty else {
        throw CallFailure(code: "Unreadable", message: "the answer has no regions")
      }
      return names
    } catch {
      gaps.append(
        .init(step: "global/regions", reason: "which regions there are: ec2 DescribeRegions: \(error.text)"))
      return []
    }
  }
}

extension HTTPClient.Configuration {
  /// For calls to accounts: no redirect takes a signature elsewhere, nothing waits longer than the policy says.
  static func forAccounts(_ policy: RetryPolicy, atOnce: Int) -> HTTPClient.Configuration {
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow,
      timeout: HTTPClient.Configuration.Timeout(
        connect: .milliseconds(Int64(policy.connectMilliseconds)),
        read: .milliseconds(Int64(policy.answerMilliseconds))))
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = max(1, atOnce)
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.httpVersion = .http1Only
    return configuration
  }
}
