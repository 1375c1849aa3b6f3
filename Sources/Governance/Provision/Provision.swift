// Baselines in accounts: looks at what is there, makes a plan, and carries it out where that is wanted. Accounts, regions and
// steps go beside each other within bounds; what fails stops nothing but what needs it. Each step looks again just before it
// acts and again after: so a run that was ended anywhere is gone on with by running it again, and nothing is made twice.
// Nothing is changed in an account that isn't marked as this run's (`AccountMark`): two runs never act in one at a time.

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
  /// A run that has surely ended and whose journal is lost: where an account is marked as its, it is taken over.
  public var takesOver: String?
  /// Language of what people are told.
  public var language = ReportLanguage.english

  /// The usual ones.
  public init() {}
}

/// Whether an account may be provisioned.
public enum ProvisionPermission: Sendable, Equatable {
  /// By what: a request's name and hash.
  case approved(String)
  /// Why not.
  case refused(Bilingual)
}

/// Says which accounts may be provisioned.
public typealias ProvisionGate = @Sendable (_ account: String) -> ProvisionPermission

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
  /// - Parameter gate: nil = nobody is asked; where something is changed the journal says so.
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
    var accounts: [(entered: Entered, approval: String)] = []
    for result in entered {
      switch result {
      case .failure(let failure):
        report.unreached.append(.init(account: failure.name, reason: failure.reason))
      case .success(let account) where seen.insert(account.number).inserted:
        switch gate?(account.number) {
        case .refused(let why)?:
          report.refused.append(.init(account: account.number, reason: why.text(options.language)))
        case .approved(let by)?: accounts.append((account, by))
        case nil: accounts.append((account, "none asked for (--without-requests)"))
        }
      case .success: break
      }
    }
    let done = await boundedMap(accounts, atOnce: options.accountsAtOnce) { account in
      await provision(account.entered, baseline, purpose, approval: account.approval)
    }
    try? await http.shutdown()
    for result in done {
      switch try result.get() {
      case .looked(let account): report.accounts.append(account)
      case .refused(let outside): report.refused.append(outside)
      }
    }
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

  enum Provisioned: Sendable {
    case looked(AccountProvision)
    case refused(ProvisionReport.Outside)
  }

  private func provision(
    _ entered: Entered, _ baseline: Baseline, _ purpose: Purpose, approval: String
  ) async -> Result<Provisioned, GovernanceFaults> {
    guard case .apply(let journal) = purpose else {
      var looked = await look(entered, baseline)
      if case .drift(let before) = purpose {
        looked.report.drift = await Drift(
          settings: looked.settings, journal: before, language: options.language
        ).of(looked.plan)
      }
      return .success(.looked(looked.report))
    }
    let mark = AccountMark(
      settings: AccountSettings(
        client: entered.client,
        account: BaselineAccount(
          number: entered.number, partition: entered.partition, home: entered.region, regions: []),
        baseline: baseline, now: now),
      options: options)
    do throws(GovernanceFaults) {
      if let why = try await take(mark, entered.number, journal) {
        return .success(
          .refused(.init(account: entered.number, reason: why.text(options.language))))
      }
    } catch { return .failure(error) }
    let result = await apply(entered, baseline, journal, approval: approval)
    do throws(CallFailure) {
      let runs = journal.before.runs(in: entered.number).union([journal.run])
      try await mark.remove(of: runs)
      for other in journal.before.takenOver(in: entered.number).union(options.takesOver.map { [$0] } ?? []) {
        try await mark.takingOver(other).remove(of: runs)
      }
    } catch {
      say(
        entered.number,
        Bilingual(
          "its mark couldn't be taken away, so only this journal may go on: \(error.text)",
          "目印を削除できなかったため、再開できるのはこのジャーナルだけです: \(error.text)"))
    }
    return result
  }

  /// Marks the account as this run's; the journal knows of it before.
  /// - Returns: why nothing may be done; nil = it is marked.
  private func take(
    _ mark: AccountMark, _ number: String, _ journal: ProvisionJournal
  ) async throws(GovernanceFaults) -> Bilingual? {
    let known = journal.before.runs(in: number)
    try journal.write(number, .mark)
    let failure: CallFailure
    do throws(CallFailure) {
      var taking = try await mark.take(journal.run, known: known)
      if case .held(let holder?) = taking, let other = holder.run, other == options.takesOver {
        do throws(GovernanceFaults) {
          try journal.write(number, .mark) { $0.takenOver = other }
        } catch { return Bilingual(same: error.description) }
        let over = mark.takingOver(other)
        if let why = try await over.take(journal.run, known: known).refusal(toTakeOver: other) { return why }
        say(number, Bilingual("run \(other) is taken over", "実行 \(other) を引き継ぎます"))
        try await mark.remove(of: [other])
        taking = try await mark.take(journal.run, known: known)
        // Somebody who doesn't take over came in between.
        if taking != .taken { try await over.remove(of: known.union([journal.run])) }
      }
      return taking.refusal
    } catch { failure = error }
    return Bilingual(
      "it couldn't be marked as this run's, and another run may be at it: \(failure.text)",
      "この実行の目印を付けられず、別の実行が作業中の可能性があります: \(failure.text)")
  }

  /// What there is, and what a plan makes of it.
  private struct Looked {
    let settings: AccountSettings
    let found: [BaselineKey: FoundSetting]
    let plan: BaselinePlan
    var report: AccountProvision
  }

  private func look(_ entered: Entered, _ baseline: Baseline) async -> Looked {
    var gaps: [ProvisionReport.Gap] = []
    let regions = await regions(entered, &gaps)
    let account = BaselineAccount(
      number: entered.number, partition: entered.partition,
      home: baseline.home ?? options.regions.first ?? entered.region, regions: regions)
    let settings = AccountSettings(client: entered.client, account: account, baseline: baseline, now: now)
    say(
      account.number,
      Bilingual("looking at \(regions.count) regions", "\(regions.count) リージョンを確認しています"))
    let found = await read(settings)
    let plan = BaselinePlan(baseline, account, found: found)
    var report = AccountProvision(account, plan, options.language)
    report.unknown = gaps + report.unknown
    return Looked(settings: settings, found: found, plan: plan, report: report)
  }

  private func apply(
    _ entered: Entered, _ baseline: Baseline, _ journal: ProvisionJournal, approval: String
  ) async -> Result<Provisioned, GovernanceFaults> {
    for step in journal.before.open(of: entered.number) {
      say(
        entered.number,
        Bilingual(
          "\(step) was begun in an earlier run and not told done; it is looked at anew",
          "\(step) は以前の実行で開始され、完了が記録されていません。改めて確認します"))
    }
    var looked = await look(entered, baseline)
    let (account, plan) = (looked.settings.account, looked.plan)
    do throws(GovernanceFaults) {
      try journal.write(account.number, .begin) {
        ($0.baseline, $0.approval) = ("\(baseline.name)/\(baseline.version)", approval)
      }
      let run = ProvisionRun(
        settings: looked.settings, journal: journal, options: options, tell: tell)
      let ends = await run.carryOut(plan)
      looked.report.add(ends, options.language)
      let wrong = Set(plan.notices.map(\.key) + plan.unknown.map(\.key))
      let right = baseline.goals(of: account, looked.found).map(\.key).filter { key in
        !wrong.contains(key) && (ends[key]?.isGood ?? true)
      }
      try journal.write(account.number, .end) { $0.steps = right.map(\.description) }
    } catch { return .failure(error) }
    return .success(.looked(looked.report))
  }

  private func say(_ account: String, _ text: Bilingual) {
    tell("\(account): \(text.text(options.language))")
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
        .init(
          step: "global/regions",
          reason: Bilingual(
            "which regions there are: ec2 DescribeRegions: \(error.text)",
            "リージョンの一覧を取得できません: ec2 DescribeRegions: \(error.text)"
          ).text(options.language)))
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
