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
  /// Whether only that is asked for which rules can look at; of the rest nothing is told then, also not that it failed.
  public var onlyNeeded = false

  /// The usual ones.
  public init() {}
}

/// What a scan took.
public struct ScanFigures: Sendable, Equatable {
  /// Attempts, those of retries included.
  public internal(set) var calls = 0
  /// Attempts that were too many for a service.
  public internal(set) var throttled = 0
  /// Resources that were found.
  public internal(set) var resources = 0
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
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow,
      timeout: HTTPClient.Configuration.Timeout(
        connect: .milliseconds(Int64(options.policy.connectMilliseconds)),
        read: .milliseconds(Int64(options.policy.answerMilliseconds))))
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = max(1, options.callsAtOnce)
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.httpVersion = .http1Only
    let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
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
    var services: [AccountService]
    do throws(DocumentFault) { services = try AccountCalls.all.get() } catch {
      throw GovernanceFaults(["the table of calls: \(error)"])
    }
    if options.onlyNeeded, let types = rules.files.flatMap(\.reach).map(\.types).union {
      services = services.map { $0.leading(to: types) }
    }
    let endpoints = Endpoints(only: options.endpoint)
    let sources = CredentialSources(
      environment: environment, http: http, policy: options.policy, endpoints: endpoints, now: now)
    let traffic = Traffic(mostAtOnce: options.callsAtOnce)
    let check = AccountCheck(rules, parameters: parameters, isPart: options.onlyNeeded, now: now())
    var result = CheckResult()
    var figures = ScanFigures()
    var seen: Set<String> = []
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
        check.unreached(target.name, faults.description, &result)
        continue
      } catch {
        let failure = error as? CallFailure
        check.unreached(target.name, "sts GetCallerIdentity: \(failure?.text ?? "\(error)")", &result)
        continue
      }
      guard seen.insert(who.account).inserted else { continue }
      var failed: [FailedCall] = []
      let regions = await regions(client, who, home, &failed)
      let scans =
        [(Self.globalHome(who.partition), true)] + regions.map { ($0, false) }
      let asked = services
      let found = await boundedMap(scans, atOnce: options.regionsAtOnce) { region, isGlobal in
        await RegionScan(
          client: client, account: who.account, partition: who.partition, region: region, isGlobal: isGlobal
        ).run(asked)
      }
      for (place, var region) in found.enumerated() {
        if place == 0 { region.failed += failed }
        figures.resources += region.resources.count
        check.look(at: region, &result)
      }
    }
    figures.calls = await traffic.callCount
    figures.throttled = await traffic.throttledCount
    return (result, figures)
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
      let names = answer.all(at: ["regionInfo", "regionName"]).compactMap(\.string).sorted()
      if !names.isEmpty { return names }
      throw CallFailure(code: "Unreadable", message: "the answer has no regions")
    } catch {
      failed.append(
        FailedCall(call: "ec2 DescribeRegions", failure: error, type: "regions but \(home)", resource: ""))
      return [home]
    }
  }
}
