// The watch of accounts: everything is looked at once, then only what events say may have changed, and only the rules that
// can look at it are evaluated; at an interval everything again, since events can be lost. What a change costs doesn't grow
// with what else there is, but for rules that see several resources, and where exceptions are looked at. Owner: this actor.
//
// Invariants: what is kept of a region equals what a whole scan would tell, as far as events came; what couldn't be
// fetched is unknown until it can be; `apply` returns after what it found is kept by the sink; what a cancelled task found
// is no result.

import AsyncHTTPClient
import Foundation
import GuardRules
import Resources

/// See the head of this file.
public actor AccountWatch {
  /// A region, and what is kept of it.
  struct Watched {
    let account: AccountScan.Entered
    let check: AccountCheck
    var state: RegionState
    var verdicts = RegionVerdicts()
    /// What was made of the result; nil = it is what rules said.
    fileprivate var adjusted: CheckResult?

    fileprivate init(_ account: AccountScan.Entered, _ check: AccountCheck, _ state: RegionState) {
      (self.account, self.check, self.state) = (account, check, state)
    }

    /// All that is known of it.
    var result: CheckResult {
      if let adjusted { return adjusted }
      var result = CheckResult()
      check.add(verdicts, of: state, &result)
      return result
    }
    fileprivate var faults: [String] { verdicts.rules.compactMap(\.fault) }
  }

  let options: WatchOptions
  private let targets: [AccountTarget]
  private let scan: AccountScan
  let http: HTTPClient
  let traffic: Traffic
  private let table: [AccountService]
  private let services: [AccountService]
  private let check: AccountCheck
  private let sink: any FindingSink
  let clock: @Sendable () -> Int64
  private let tell: @Sendable (ToldChange) -> Void
  private(set) var regions: [String: Watched] = [:]
  private var figures = WatchFigures()
  /// Accounts that couldn't be entered when everything was last looked at.
  private var unreached: Set<String> = []
  /// The day for which exceptions were last applied to everything, since 1970 UTC.
  private var adjustedDay: Int64 = 0

  /// A watch that has seen nothing yet.
  /// - Parameters:
  ///   - environment: where keys are looked for.
  ///   - clock: milliseconds since 1970 UTC.
  ///   - tell: is given each change as soon as it is kept.
  /// - Throws: `GovernanceFaults`: a fault of this program.
  public init(
    _ targets: [AccountTarget], _ rules: RuleSet, _ options: WatchOptions, sink: any FindingSink,
    environment: [String: String], clock: @escaping @Sendable () -> Int64,
    tell: @escaping @Sendable (ToldChange) -> Void = { _ in }
  ) throws(GovernanceFaults) {
    self.options = options
    self.targets = targets
    self.sink = sink
    self.clock = clock
    self.tell = tell
    // What can fail comes before what must be given back.
    if let fault = options.parameters.fault(ofNames: AccountCheck.names, "what a scan finds") {
      throw GovernanceFaults([fault])
    }
    table = try AccountScan.table()
    services = table.reduced(to: rules.reach)
    scan = AccountScan(options.scan, environment: environment, now: { clock() / 1_000 })
    http = options.scan.client
    traffic = Traffic(mostAtOnce: options.scan.callsAtOnce)
    check = AccountCheck(rules, parameters: options.parameters, now: clock() / 1_000)
  }

  /// Gives connections back; nothing else may be called then.
  public func end() async { try? await http.shutdown() }

  /// What it took and gave so far.
  public func now() async -> WatchFigures {
    var out = figures
    out.calls = await traffic.callCount
    out.regions = regions.count
    out.resources = regions.values.reduce(0) { $0 + $1.state.resourceCount }
    out.findings = regions.values.reduce(0) { $0 + $1.result.findings.count }
    out.failed = regions.values.reduce(0) { $0 + $1.state.failed.count }
    out.faults = regions.values.reduce(0) { $0 + $1.result.faults.count }
    return out
  }

  // MARK: - Everything

  /// What a look at everything found, before it is kept.
  private struct WholeLook {
    private(set) var inputs: [String] = []
    private(set) var results: [String: CheckResult] = [:]
    private(set) var regions: [String: Watched] = [:]

    /// - Parameter result: nil = nothing is found of it any more.
    mutating func add(_ input: String, _ result: CheckResult?, _ region: Watched? = nil) {
      if !inputs.contains(input) { inputs.append(input) }
      results[input] = result ?? CheckResult()
      if let region { regions[input] = region }
    }

    /// All of it, in the order in which it was looked at.
    var result: CheckResult {
      inputs.reduce(into: CheckResult()) { all, input in
        if let one = results[input] { all.append(one) }
      }
    }
  }

  /// Looks at everything; it is kept as one run.
  /// - Returns: what changed since it was last kept, also by somebody else.
  /// - Throws: `GovernanceFaults` where there is no key at all; what the sink throws; `CancellationError`. Then nothing is
  ///   kept, and all is as it was.
  public func scanAll() async throws -> [ToldChange] {
    let began = clock()
    await traffic.listenAgain()
    let before = await traffic.callCount
    let isFirst = figures.scans == 0
    options.refresh()
    var look = WholeLook()
    var nowUnreached: Set<String> = []
    for entered in try await enter() {
      switch entered {
      case .failure(let unreached):
        nowUnreached.insert(unreached.name)
        var result = CheckResult()
        check.unreached(unreached.name, unreached.reason, &result)
        look.add("aws:\(unreached.name)", result)
        let reason = CallFailure(code: "Unreached", message: unreached.reason)
        forget("sts GetCallerIdentity", reason, &look) { $0.account.target == unreached.name }
      case .success(var account):
        if !account.failed.isEmpty {
          // Regions that were there may be there all the same.
          let known = regions.values.map(\.state).filter { $0.account == account.account }.map(\.region)
          account.regions = Set(account.regions + known).subtracting(["global"]).sorted()
        }
        let inputs = Set((["global"] + account.regions).map { "aws:\(account.account)/\($0)" })
        let reason = CallFailure(code: "NotThere", message: "the account no longer names this region")
        forget("ec2 DescribeRegions", reason, &look) {
          $0.state.account == account.account && !inputs.contains($0.state.input)
        }
        let states = await scan.states(of: account, services, table)
        // A call that was broken off says nothing of the account.
        try Task.checkCancellation()
        for state in states {
          var region = Watched(account, check, state)
          check.at(clock() / 1_000).evaluate(state, changed: nil, &region.verdicts)
          look.add(state.input, adjust(&region), region)
        }
      }
    }
    // What was told of an account that couldn't be entered ends when it can be, also what another process told.
    let entered = Set(targets.map(\.name)).subtracting(nowUnreached)
    for name in entered.sorted() where isFirst || unreached.contains(name) { look.add("aws:\(name)", nil) }
    let changes = try sink.takeAll(
      look.result, inputs: look.inputs, at: clock() / 1_000, milliseconds: clock() - began)
    for (input, region) in look.regions.sorted(by: { $0.key < $1.key }) {
      tellFaults(regions[input], region)
      regions[input] = region
    }
    adjustedDay = clock() / 86_400_000
    unreached = nowUnreached
    figures.unreached = nowUnreached.count
    figures.scans += 1
    figures.scanCalls += await traffic.callCount - before
    if !isFirst { figures.lateFinds += changes.count }
    return told(changes, ChangePlan.Cause(time: nil, name: "scan"))
  }

  private func enter() async throws -> [Result<AccountScan.Entered, AccountScan.Unreached>] {
    do {
      let entered = try await scan.enter(targets, http, traffic)
      try Task.checkCancellation()
      return entered
    } catch {
      try Task.checkCancellation()
      throw error
    }
  }

  /// Regions that were looked at before and can't be now: nothing is known of them any more.
  private func forget(
    _ call: String, _ failure: CallFailure, _ look: inout WholeLook, _ isMeant: (Watched) -> Bool
  ) {
    for (input, var region) in regions.sorted(by: { $0.key < $1.key }) where isMeant(region) {
      region.state.lists = region.state.lists.map { state in
        ListState(
          state.list,
          failed: state.list.types.map { type in
            FailedCall(
              call: call, failure: failure, type: AccountResources.type(of: type) ?? type,
              resource: "")
          })
      }
      region.state.taken = region.state.taken.mapValues { _ in
        TakenPart(
          failed: [FailedCall(call: call, failure: failure, type: "", resource: "others")])
      }
      check.at(clock() / 1_000).evaluate(region.state, changed: nil, &region.verdicts)
      look.add(input, adjust(&region), region)
    }
  }

  // MARK: - What changed

  /// Looks at what events name.
  /// - Throws: what the sink throws, or `CancellationError`; then the events are to be given again.
  func apply(_ plan: ChangePlan) async throws -> [ToldChange] {
    var byRegion: [String: [(place: ChangedPlace, cause: ChangePlan.Cause)]] = [:]
    var order: [String] = []
    for each in plan.places(services) {
      let inputs = inputs(of: each.place)
      if inputs.isEmpty { figures.elsewhere += 1 }
      for input in inputs {
        if byRegion[input] == nil { order.append(input) }
        byRegion[input, default: []].append(each)
      }
    }
    guard !order.isEmpty else { return [] }
    await traffic.listenAgain()
    var told: [ToldChange] = []
    let looks = order.compactMap { input in
      regions[input].map { (input: input, account: $0.account, places: byRegion[input] ?? []) }
    }
    let services = services
    let takes = options.scan.takesOthers
    let fetched = await boundedMap(looks, atOnce: options.scan.regionsAtOnce) { look in
      let region = String(look.input.split(separator: "/").last ?? "")
      let looker = PlaceLooker(account: look.account, region: region, services: services, takesOthers: takes)
      return await boundedMap(look.places.map(\.place), atOnce: 8) { await looker.look(at: $0.target) }
    }
    // A call that was broken off says nothing of what it was about.
    try Task.checkCancellation()
    for (look, outcomes) in zip(looks, fetched) {
      guard var region = regions[look.input] else { continue }
      var changed: Set<String> = []
      var others = false
      for outcome in outcomes.joined() {
        figures.looks += outcome.isNeeded ? 1 : 0
        figures.unneeded += outcome.isNeeded ? 0 : 1
        outcome.put(into: &region.state, &changed, &others)
      }
      guard !changed.isEmpty || others else { continue }
      var resources: Set<String>? = []
      if !changed.isEmpty {
        let evaluated = check.at(clock() / 1_000).evaluate(region.state, changed: changed, &region.verdicts)
        figures.evaluations += evaluated.ruleCount
        figures.resourceLooks += evaluated.resourceCount
        resources = evaluated.resources
      }
      let causes = look.places.map(\.cause)
      let cause = causes.min { ($0.time ?? .max) < ($1.time ?? .max) }
      // What others say is compared as a whole.
      told += try settle(
        look.input, region, others ? nil : resources, cause ?? ChangePlan.Cause(time: nil, name: ""))
    }
    return told
  }

  /// Regions that a place stands for.
  private func inputs(of place: ChangedPlace) -> [String] {
    guard place.region == ChangedPlace.everywhere else {
      let input = "aws:\(place.account)/\(place.region)"
      return regions[input] == nil ? [] : [input]
    }
    let meant = regions.filter { _, region in
      guard region.state.region != "global" else { return false }
      return region.state.account == place.account || region.state.knows(place.target)
    }
    return meant.keys.sorted()
  }

  /// Asks again what couldn't be told, evaluates rules that ask for the time, and looks which exceptions have ended.
  /// - Throws: what the sink throws; `CancellationError`.
  public func lookAgain() async throws -> [ToldChange] {
    var plan = ChangePlan()
    let cause = ChangePlan.Cause(time: nil, name: "again")
    for region in regions.values {
      for target in region.state.untold {
        plan.add(
          ChangedPlace(account: region.state.account, region: region.state.region, target: target), cause)
      }
    }
    var told = try await apply(plan)
    for (input, var region) in regions.sorted(by: { $0.key < $1.key }) {
      let evaluated = check.at(clock() / 1_000).evaluate(
        region.state, changed: [], timeToo: true, &region.verdicts)
      guard evaluated.ruleCount > 0 else { continue }
      figures.evaluations += evaluated.ruleCount
      told += try settle(input, region, evaluated.resources, cause)
    }
    // The last day of an exception goes by without an event.
    let today = clock() / 86_400_000
    if options.adjust != nil, today != adjustedDay {
      for (input, region) in regions.sorted(by: { $0.key < $1.key }) {
        told += try settle(input, region, nil, cause)
      }
      adjustedDay = today
    }
    return told
  }

  // MARK: - Keeping

  /// A region's result, adjusted.
  private func adjust(_ region: inout Watched) -> CheckResult {
    region.adjusted = nil
    var result = region.result
    if let adjust = options.adjust {
      adjust(&result, clock() / 1_000)
      region.adjusted = result
    }
    return result
  }

  /// Keeps a region's new result where something in it is another.
  /// - Parameter changed: resources of which rules found something else; nil = it has to be looked for.
  private func settle(
    _ input: String, _ region: Watched, _ changed: Set<String>?, _ cause: ChangePlan.Cause
  ) throws -> [ToldChange] {
    var region = region
    let old = regions[input]
    tellFaults(old, region)
    var resources = changed
    // What exceptions make of it, or others say, is compared as a whole.
    if options.adjust != nil || resources == nil {
      let result = adjust(&region)
      resources = Self.resources(old?.result ?? CheckResult(), result)
    } else if let old {
      resources?.formUnion(FailedCall.resources(of: old.state.failed, or: region.state.failed))
    }
    var told: [ToldChange] = []
    if let resources, !resources.isEmpty {
      // What is of the region and of no resource is told only by a look at all of it.
      if resources.contains("") {
        told = try keep(region.result, input, nil, cause)
      } else if region.adjusted != nil {
        told = try keep(region.result, input, resources, cause)
      } else {
        var result = CheckResult()
        check.add(region.verdicts, of: region.state, only: resources, &result)
        told = try keep(result, input, resources, cause)
      }
    }
    regions[input] = region
    return told
  }

  private func tellFaults(_ old: Watched?, _ new: Watched) {
    let faults = new.faults
    guard !faults.isEmpty else { return }
    let known = Set(old?.faults ?? [])
    for fault in faults where !known.contains(fault) { options.hearFault(fault) }
  }

  /// Resources of which findings differ.
  private static func resources(_ old: CheckResult, _ new: CheckResult) -> Set<String> {
    func grouped(_ result: CheckResult) -> [FindingIdentity: [Finding]] {
      Dictionary(grouping: result.findings, by: \.identity)
    }
    let (before, after) = (grouped(old), grouped(new))
    var out: Set<String> = []
    for (identity, findings) in before where after[identity] != findings { out.insert(identity.resource) }
    for (identity, findings) in after where before[identity] != findings { out.insert(identity.resource) }
    return out
  }

  private func keep(
    _ result: CheckResult, _ input: String, _ resources: Set<String>?, _ cause: ChangePlan.Cause
  ) throws -> [ToldChange] {
    var result = result
    if let resources {
      result.findings = result.findings.filter { resources.contains($0.resource) || $0.rule == "kabuto_call" }
    }
    return told(try sink.take(result, input: input, resources: resources, at: clock() / 1_000), cause)
  }

  /// Tells changes that are kept.
  private func told(_ changes: [FindingChange], _ cause: ChangePlan.Cause) -> [ToldChange] {
    let now = clock()
    let told = changes.map { change in
      ToldChange(
        finding: change, event: cause.name, eventTime: cause.time,
        latency: cause.time.map { max(0, now - $0) })
    }
    for each in told { tell(each) }
    return told
  }
}
