// `kabuto govern users`: IAM's users, groups and policies of an account, made to be what the catalogue says.

import ArgumentParser
import Controls
import Foundation
import Governance

struct GovernUsers: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "users",
    abstract:
      "Narrowed users: IAM's users, groups and policies from the catalogue, planned, applied, and watched.",
    discussion: """
      Touched is only what has the path /kabuto/; a user there is removed only if it has the tag kabuto=catalogue too. Each \
      user has the boundary. No password and no key is ever made.
      """, subcommands: [UsersPlan.self, UsersApply.self, UsersDrift.self])
}

/// Which account, how it is entered, and what it should be like.
struct UsersOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The catalogue.", valueName: "file"), completion: .file())
  var catalogue: String
  @Option(help: ArgumentHelp("A profile of the shared files.", valueName: "name"))
  var profile: String?
  @Option(help: ArgumentHelp("A role to assume, by its ARN.", valueName: "arn"))
  var role: String?
  @Option(help: ArgumentHelp("One address for all services: a test server.", valueName: "url"))
  var endpoint: String?
  @Option(help: ArgumentHelp("Attempts at a call that is throttled or fails.", valueName: "count"))
  var attempts = 6
  @Option(help: ArgumentHelp("How long an answer may take.", valueName: "seconds"))
  var timeout = 30
  @Flag(help: "One JSON document instead of text.")
  var json = false

  func validate() throws {
    if profile != nil, role != nil { throw ValidationError("--profile and --role: wanted one of them") }
    guard (1...20).contains(attempts) else { throw ValidationError("--attempts: wanted 1 to 20") }
    guard (1...600).contains(timeout) else { throw ValidationError("--timeout: wanted 1 to 600 seconds") }
    try AccountOptions.validate(endpoint: endpoint)
  }

  /// Reads the catalogue and the account, and hands over the plan.
  func plan<T: Sendable>(
    _ body:
      @Sendable (IdentityAccount, Catalogue, NarrowedUsers, IdentityPlan) async throws(GovernanceFaults) -> T
  ) async throws -> T {
    var options = ScanOptions()
    options.endpoint = endpoint.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
    options.policy.mostAttempts = attempts
    options.policy.mostConnections = min(attempts, options.policy.mostConnections)
    options.policy.answerMilliseconds = timeout * 1_000
    options.policy.connectMilliseconds = min(options.policy.connectMilliseconds, timeout * 1_000)
    let target: AccountTarget = profile.map { .profile($0) } ?? role.map { .role($0) } ?? .own
    let catalogue: Catalogue
    do throws(GovernanceFaults) { catalogue = try CatalogueGate(self.catalogue).catalogue } catch {
      throw giveUp(error.description)
    }
    let wanted: NarrowedUsers
    do throws(PolicyRoomFault) { wanted = try catalogue.narrowedUsers() } catch {
      say("kabuto: \(error)")
      throw couldNot
    }
    do throws(GovernanceFaults) {
      return try await IdentityAccount.with(
        target, options, environment: ProcessInfo.processInfo.environment,
        now: { Int64(Date().timeIntervalSince1970) }
      ) { (account) async throws(GovernanceFaults) in
        try account.belongs(to: catalogue, self.catalogue)
        let plan = IdentityPlan(
          from: try await account.state(), to: wanted, account: account.account, partition: account.partition)
        return try await body(account, catalogue, wanted, plan)
      }
    } catch { throw giveUp(error.description) }
  }
}

/// A step as it is told.
private struct StepReport: Encodable {
  let kind: String
  let text: String
  let fault: String?

  init(_ step: IdentityStep, fault: String? = nil) {
    kind = step.kind.rawValue
    text = step.text
    self.fault = fault
  }
}

private struct PlanReport: Encodable {
  let account: String
  let steps: [StepReport]
  let conflicts: [String]
  let foreign: [String]
  /// What is still otherwise after the steps.
  var left: [String] = []
}

extension IdentityStep {
  fileprivate var mark: String {
    switch kind {
    case .create: "+"
    case .change: "~"
    case .remove: "-"
    }
  }
}

extension IdentityPlan {
  fileprivate func show(_ account: String) {
    print("account \(account)")
    for step in steps { print("\(step.mark) \(step.text)") }
    showRest()
    print(
      "\(steps.count { $0.kind == .create }) to create, \(steps.count { $0.kind == .change }) to change, "
        + "\(steps.count { $0.kind == .remove }) to remove")
  }

  fileprivate func showRest() {
    for conflict in conflicts { print("! \(conflict)") }
    for each in foreign { print("? \(each): it is left alone") }
  }
}

struct UsersPlan: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Shows what `apply` would create, change and remove.",
    discussion: """
      Exit status: 0 = told, 1 = a name is taken by something that isn't the catalogue's, 2 = it can't be told.
      Example:  kabuto govern users plan --catalogue Catalogues/example.yaml
      """)

  @OptionGroup var options: UsersOptions

  func run() async throws {
    let (account, plan) = try await options.plan { (account, _, _, plan) async throws(GovernanceFaults) in
      (account.account, plan)
    }
    if options.json {
      try printJSON(
        PlanReport(
          account: account, steps: plan.steps.map { StepReport($0) }, conflicts: plan.conflicts,
          foreign: plan.foreign))
    } else {
      plan.show(account)
    }
    if !plan.conflicts.isEmpty { throw foundWrong }
  }
}

struct UsersDrift: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drift", abstract: "Shows what isn't as the catalogue says: what somebody changed by hand.",
    discussion: """
      Exit status: 0 = all is as it says, 1 = something isn't, 2 = it can't be told.
      Example:  kabuto govern users drift --catalogue Catalogues/example.yaml --json
      """)

  @OptionGroup var options: UsersOptions

  func run() async throws {
    let (account, plan) = try await options.plan { (account, _, _, plan) async throws(GovernanceFaults) in
      (account.account, plan)
    }
    if options.json {
      try printJSON(
        PlanReport(
          account: account, steps: plan.steps.map { StepReport($0) }, conflicts: plan.conflicts,
          foreign: plan.foreign))
    } else {
      for step in plan.steps { print("\(step.mark) \(step.text)") }
      plan.showRest()
      let rest = plan.conflicts.count + plan.foreign.count
      print(
        plan.steps.isEmpty && rest == 0
          ? "account \(account) is as the catalogue says"
          : "account \(account): \(plan.steps.count) differences, \(rest) that aren't the catalogue's")
    }
    if !plan.steps.isEmpty || !plan.conflicts.isEmpty || !plan.foreign.isEmpty { throw foundWrong }
  }
}

struct UsersApply: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply", abstract: "Makes the account what the catalogue says.",
    discussion: """
      Reads what is there, carries out what is missing step by step, and reads again. A run that was ended in the middle is \
      finished by the next. Nothing is done where a name is taken by something that isn't the catalogue's, or where more \
      users would be removed than --most-removals says.
      Exit status: 0 = the account is as the catalogue says, 1 = a step failed, something is still otherwise or is \
      neither the catalogue's nor made by this program, 2 = nothing was done.
      Example:  kabuto govern users apply --catalogue Catalogues/example.yaml
      """)

  @OptionGroup var options: UsersOptions
  @Option(help: ArgumentHelp("Users that may be removed at once.", valueName: "count"))
  var mostRemovals = 10

  func run() async throws {
    let (most, isJSON) = (mostRemovals, options.json)
    let report = try await options.plan {
      (account, catalogue, wanted, plan) async throws(GovernanceFaults) -> PlanReport in
      guard plan.conflicts.isEmpty else { throw GovernanceFaults(plan.conflicts + ["nothing was done"]) }
      let removals = plan.steps.count {
        if case .deleteUser = $0 { return true }
        return false
      }
      guard removals <= most else {
        throw GovernanceFaults([
          "\(removals) users would be removed; wanted at most \(most), or --most-removals \(removals). Nothing was done"
        ])
      }
      let boundary =
        "arn:\(account.partition):iam::\(account.account):policy\(Catalogue.path)\(Catalogue.boundaryName)"
      let outcomes = await account.carryOut(plan, boundary: boundary) { outcome in
        let line = "\(outcome.step.mark) \(outcome.step.text)"
        say(outcome.fault.map { "\(line): \($0)" } ?? line)
      }
      // IAM answers by what it knew a moment ago; what is still otherwise then is told.
      var left = plan.steps
      for attempt in 0..<4 where !plan.steps.isEmpty && !left.isEmpty {
        if attempt > 0 { try? await Task.sleep(for: .seconds(1 << attempt)) }
        left =
          IdentityPlan(
            from: try await account.state(), to: wanted, account: account.account,
            partition: account.partition
          ).steps
        if outcomes.contains(where: { $0.fault != nil }) { break }
      }
      return PlanReport(
        account: account.account, steps: outcomes.map { StepReport($0.step, fault: $0.fault) }, conflicts: [],
        foreign: plan.foreign, left: left.map(\.text))
    }
    let faults = report.steps.compactMap(\.fault).count
    if isJSON {
      try printJSON(report)
    } else {
      for each in report.foreign { print("? \(each): it is left alone") }
      for each in report.left { print("still otherwise: \(each)") }
      print("account \(report.account): \(report.steps.count - faults) steps done, \(faults) failed")
    }
    if faults > 0 || !report.left.isEmpty || !report.foreign.isEmpty { throw foundWrong }
  }
}
