// A scan of accounts: who is it, which regions are there, every region beside the others within a bound. What doesn't
// answer is told as unknown beside what does.

import AsyncHTTPClient
import Foundation
import GuardRules
import NIOCore
import Resources

/// How a scan is made.
public struct ScanOptions: Sendable {
  /// Regions; empty = all that the account has.
  public var regions: [String] = []
  /// One address for all services, for tests; nil = AWS's own.
  public var endpoint: String?
  /// Attempts, pauses, time-outs.
  public var policy = RetryPolicy()
  /// Regions at once.
  public var regionsAtOnce = 8
  /// Calls at once, over all regions.
  public var callsAtOnce = 32
  /// Whether what AWS Config and GuardDuty found is taken in.
  public var takesOthers = true

  /// The usual ones.
  public init() {}

  /// Whether a text may be a region's name. `global` is what stands for none.
  public static func isRegion(_ name: String) -> Bool {
    name != "global" && !name.isEmpty
      && name.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0) || $0 == 45 }
  }
}

/// What a scan took.
public struct ScanFigures: Sendable, Equatable {
  /// Attempts, those of retries included.
  public internal(set) var calls = 0
  /// Attempts that were too many for a service.
  public internal(set) var throttled = 0
  /// Resources that were found.
  public internal(set) var resources = 0
  /// Calls that no rule needed and that weren't made, at least: those for items of a list that wasn't asked aren't counted.
  public internal(set) var saved = 0
}

/// See the head of this file.
public struct AccountScan: Sendable {
  private let options: ScanOptions
  private let environment: [String: String]
  private let parameters: InputParameters
  private let now: @Sendable () -> Int64

  /// A scan that is ready to run.
  /// - Parameters:
  ///   - environment: where keys are looked for.
  ///   - parameters: what is put beside the resources of every region.
  ///   - now: seconds since 1970 UTC.
  public init(
    _ options: ScanOptions, environment: [String: String], parameters: InputParameters = .none,
    now: @escaping @Sendable () -> Int64
  ) {
    self.options = options
    self.environment = environment
    self.parameters = parameters
    self.now = now
  }

  /// Looks at all accounts, and evaluates rules on what it finds.
  /// - Throws: `GovernanceFaults` where there is no key at all.
  public func run(
    _ targets: [AccountTarget], _ rules: RuleSet
  ) async throws(GovernanceFaults) -> (CheckResult, ScanFigures) {
    if let fault = parameters.fault(ofNames: AccountCheck.names, "what a scan finds") {
      throw GovernanceFaults([fault])
    }
    let http = options.client
    let result: Result<(CheckResult, ScanFigures), GovernanceFaults>
    do throws(GovernanceFaults) { result = .success(try await scan(targets, rules, http)) } catch {
      result = .failure(error)
    }
    try? await http.shutdown()
    return try result.get()
  }

  private func scan(
    _ targets: [AccountTarget], _ rules: RuleSet, _ http: HTTPClient
  ) async throws(GovernanceFaults) -> (CheckResult, ScanFigures) {
    let all = try Self.table()
    let services = all.reduced(to: rules.reach)
    let traffic = Traffic(mostAtOnce: options.callsAtOnce)
    let check = AccountCheck(rules, parameters: parameters, now: now())
    var result = CheckResult()
    result.faults = rules.faults
    var figures = ScanFigures()
    let allEntered = try await enter(targets, http, traffic)
    for entered in allEntered {
      guard case .success(let account) = entered else {
        if case .failure(let unreached) = entered {
          check.unreached(unreached.name, unreached.reason, &result)
        }
        continue
      }
      for region in await states(of: account, services, all) {
        figures.resources += region.resourceCount
        figures.saved += region.savedCalls
        check.look(at: region, &result)
      }
    }
    // Who lets unknowns pass doesn't mean to be told that all is well where nobody looked.
    if !allEntered.contains(where: { if case .success = $0 { true } else { false } }) {
      result.faults.append("no account could be entered: nothing was looked at")
    }
    figures.calls = await traffic.callCount
    figures.throttled = await traffic.throttledCount
    return (result, figures)
  }

  static func table() throws(GovernanceFaults) -> [AccountService] {
    do throws(DocumentFault) { return try AccountCalls.all.get() } catch {
      throw GovernanceFaults(["the table of calls: \(error)"])
    }
  }

  /// An account that was entered.
  struct Entered: Sendable {
    /// As it was asked for.
    let target: String
    let client: ServiceClient
    let account: String
    let partition: String
    var regions: [String]
    /// Why not all regions are known.
    let failed: [FailedCall]

    /// What is looked at in a region; `global` for what has none.
    func scan(_ region: String) -> RegionScan {
      let isGlobal = region == "global"
      return RegionScan(
        client: client, account: account, partition: partition,
        region: isGlobal ? AccountScan.globalHome(partition) : region, isGlobal: isGlobal)
    }
    /// What others say of a region.
    func taken(_ region: String) -> TakenFindings {
      TakenFindings(client: client, account: account, partition: partition, region: region)
    }
  }

  /// One that wasn't.
  struct Unreached: Error {
    let name: String
    let reason: String
  }

  /// Enters all accounts, each once.
  /// - Throws: `GovernanceFaults` where the only one has no key.
  func enter(
    _ targets: [AccountTarget], _ http: HTTPClient, _ traffic: Traffic
  ) async throws(GovernanceFaults) -> [Result<Entered, Unreached>] {
    let endpoints = Endpoints(only: options.endpoint)
    let sources = CredentialSources(
      environment: environment, http: http, policy: options.policy, endpoints: endpoints, now: now)
    var seen: Set<String> = []
    var out: [Result<Entered, Unreached>] = []
    for target in targets {
      let keeper = sources.keeper(target)
      let client = ServiceClient(
        http: http, keeper: keeper, endpoints: endpoints, policy: options.policy, traffic: traffic, now: now)
      let home = sources.homeRegion(target)
      let who: (account: String, partition: String)
      do {
        _ = try await keeper.current()
        who = try await client.identity(home)
      } catch let faults as GovernanceFaults {
        // Without a key there is nothing to say, unless others have one.
        if targets.count == 1 { throw faults }
        out.append(.failure(Unreached(name: target.name, reason: faults.description)))
        continue
      } catch {
        let failure = error as? CallFailure
        out.append(
          .failure(
            Unreached(name: target.name, reason: "sts GetCallerIdentity: \(failure?.text ?? "\(error)")")))
        continue
      }
      if let meant = target.number, meant != who.account {
        // What was asked for isn't looked at; another in its place would be a wrong word about it.
        out.append(
          .failure(
            Unreached(name: target.name, reason: "sts GetCallerIdentity: it is account \(who.account)")))
        continue
      }
      guard seen.insert(who.account).inserted else { continue }
      var failed: [FailedCall] = []
      let regions = await regions(client, who, home, &failed)
      out.append(
        .success(
          Entered(
            target: target.name, client: client, account: who.account, partition: who.partition,
            regions: regions, failed: failed))
      )
    }
    return out
  }

  /// Everything of an account that rules need: what has no region first.
  /// - Parameter all: the table as it is, to tell what is left out.
  func states(
    of account: Entered, _ services: [AccountService], _ all: [AccountService]
  ) async -> [RegionState] {
    let takes = options.takesOthers
    var states = await boundedMap(["global"] + account.regions, atOnce: options.regionsAtOnce) { region in
      let scan = account.scan(region)
      async let others = takes && region != "global" ? account.taken(region).all() : [:]
      var state = await scan.run(services)
      state.taken = await others
      state.savedCalls +=
        all.listCount(isGlobal: scan.isGlobal, region: scan.region)
        - services.listCount(isGlobal: scan.isGlobal, region: scan.region)
      return state
    }
    states[0].failedElsewhere = account.failed
    return states
  }

  static func globalHome(_ partition: String) -> String {
    ["aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"][partition] ?? "us-east-1"
  }

  /// Those asked for, or all that the account has; where that can't be told, the home region and a word about it.
  private func regions(
    _ client: ServiceClient, _ who: (account: String, partition: String), _ home: String,
    _ failed: inout [FailedCall]
  ) async -> [String] {
    guard options.regions.isEmpty else { return options.regions }
    let ec2 = AccountService(
      name: "ec2", protocolKind: .ec2, version: "2016-11-15", jsonVersion: "", isGlobal: false)
    do throws(CallFailure) {
      let answer = try await client.call(
        ec2, AccountCall(action: "DescribeRegions", parameters: []), item: nil,
        scope: CallScope(region: home, account: who.account, partition: who.partition))
      let names = Set(answer.all(at: ["regionInfo", "regionName"]).compactMap(\.string)).sorted()
      // They become names of hosts.
      if let wrong = names.first(where: { !ScanOptions.isRegion($0) }) {
        throw CallFailure(
          code: "Unreadable", message: "\"\(Secret.cleaned(wrong, most: 60))\" is no region's name")
      }
      if !names.isEmpty { return names }
      throw CallFailure(code: "Unreadable", message: "the answer has no regions")
    } catch {
      failed.append(
        FailedCall(call: "ec2 DescribeRegions", failure: error, type: "regions but \(home)", resource: ""))
      return [home]
    }
  }
}

extension ScanOptions {
  /// What calls are sent with.
  var client: HTTPClient {
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow,
      timeout: HTTPClient.Configuration.Timeout(
        connect: .milliseconds(Int64(policy.connectMilliseconds)),
        read: .milliseconds(Int64(policy.answerMilliseconds))))
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = max(1, callsAtOnce)
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.httpVersion = .http1Only
    return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }
}
