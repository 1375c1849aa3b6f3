// `kabuto govern provision` and `kabuto govern drift`: a baseline in accounts.

import ArgumentParser
import Controls
import Foundation
import Governance

/// What both have in common: where, with what, how.
struct ProvisionArguments: ParsableArguments {
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Accounts: the key's own, or by the role --role-name in them. Without any, the key's own.",
      valueName: "number"))
  var accounts: [String] = []
  @Option(help: ArgumentHelp("The role that --accounts means.", valueName: "name"))
  var roleName = "OrganizationAccountAccessRole"
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Regions, or all that an account has; the first is the home, if the baseline names none.",
      valueName: "a,b|all"))
  var regions: [String] = ["all"]
  @Option(
    help: ArgumentHelp("The baseline; without it, what `baseline` shows.", valueName: "file"),
    completion: .file())
  var baseline: String?
  @Option(
    help: ArgumentHelp("One address for all services, instead of AWS's own: a test server.", valueName: "url")
  )
  var endpoint: String?
  @Option(help: ArgumentHelp("Calls at once, over all accounts.", valueName: "count"))
  var parallel = 32
  @Option(help: ArgumentHelp("Attempts at a call that is throttled or fails.", valueName: "count"))
  var attempts = 6
  @Option(help: ArgumentHelp("How long an answer may take.", valueName: "seconds"))
  var timeout = 30
  @Flag(help: "What can't be told is no reason to fail.")
  var allowUnknown = false
  @Flag(help: "One JSON document instead of text.")
  var json = false

  private static func words(_ texts: [String]) -> [String] {
    texts.flatMap { $0.split(separator: ",").map(String.init) }
  }

  func validate() throws {
    // A name that is empty by mistake must not mean the key's own account, or all regions.
    for (name, texts) in [("--accounts", accounts), ("--regions", regions)]
    where texts.contains(where: { Self.words([$0]).isEmpty }) {
      throw ValidationError("\(name): found nothing; wanted names, or the option left out")
    }
    for number in Self.words(accounts)
    where number.utf8.count != 12 || !number.utf8.allSatisfy({ (48...57).contains($0) }) {
      throw ValidationError("--accounts \(number): wanted twelve digits")
    }
    for region in Self.words(regions)
    where !region.utf8.allSatisfy({ (48...57).contains($0) || (97...122).contains($0) || $0 == 45 }) {
      throw ValidationError("--regions \(region): wanted regions' names, as eu-west-1, or all")
    }
    guard (1...1_000).contains(parallel) else { throw ValidationError("--parallel: wanted 1 to 1000") }
    guard (1...20).contains(attempts) else { throw ValidationError("--attempts: wanted 1 to 20") }
    guard (1...600).contains(timeout) else { throw ValidationError("--timeout: wanted 1 to 600 seconds") }
    if let endpoint, !endpoint.hasPrefix("http://"), !endpoint.hasPrefix("https://") {
      throw ValidationError("--endpoint \(endpoint): wanted http://HOST:PORT or https://HOST")
    }
  }

  var targets: [AccountTarget] {
    let numbers = Self.words(accounts)
    return numbers.isEmpty ? [.own] : numbers.map { .account($0, role: roleName) }
  }

  var options: ProvisionOptions {
    var options = ProvisionOptions()
    let names = Self.words(regions)
    if !names.contains("all") {
      var seen: Set<String> = []
      options.regions = names.filter { seen.insert($0).inserted }
    }
    options.endpoint = endpoint.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
    options.callsAtOnce = parallel
    options.policy.mostAttempts = attempts
    options.policy.mostConnections = min(attempts, options.policy.mostConnections)
    options.policy.answerMilliseconds = timeout * 1_000
    options.policy.connectMilliseconds = min(options.policy.connectMilliseconds, timeout * 1_000)
    return options
  }

  func read() throws -> Baseline {
    let found = try GovernBaseline.read(try GovernBaseline.text(baseline), baseline)
    let names = options.regions
    if let home = found.home, !names.isEmpty, !names.contains(home) {
      throw giveUp(
        "\(baseline ?? "baseline"): its home \(home) isn't among --regions \(names.joined(separator: ","))")
    }
    return found
  }

  func provision() -> Provision {
    Provision(
      options, environment: ProcessInfo.processInfo.environment, now: { Int64(Date().timeIntervalSince1970) },
      tell: { say($0) })
  }

  /// Says how it went by the exit status.
  func end(_ report: ProvisionReport) throws {
    for each in report.unreached { say("kabuto: \(each.account) can't be entered: \(each.reason)") }
    for each in report.refused { say("kabuto: account \(each.account) is refused: \(each.reason)") }
    if report.accounts.isEmpty, !report.unreached.isEmpty { throw couldNot }
  }
}

struct GovernProvision: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "provision",
    abstract: "Sets a baseline up in accounts: a plan first, and with --apply the deeds.",
    discussion: """
      Looks at what is there, and prints what differs from the baseline: steps that make it right, what people have to mend, \
      and what can't be told. With --apply the steps are carried out, each written to the journal before and after; ended \
      anywhere, the same command goes on with what is left, and nothing is made twice. What the baseline doesn't name stays.
      Exit status: 0 = all is as wanted (with --apply: now), 1 = something differs, failed or can't be told, 2 = it can't \
      be done at all.
      Example:  kabuto govern provision --accounts 111122223333 --regions eu-west-1,us-east-1 --baseline standard.yaml
                kabuto govern provision --accounts 111122223333 --regions all --requests requests/ --apply
      """)

  @OptionGroup var arguments: ProvisionArguments
  @Flag(help: "Carries the plan out.")
  var apply = false
  @Flag(help: "The same as `kabuto govern drift`.")
  var drift = false
  @Option(help: ArgumentHelp("Where is written what is done.", valueName: "file"), completion: .file())
  var journal = "kabuto-provision.jsonl"
  @Option(
    help: ArgumentHelp("Refuses accounts without an approved request in this folder.", valueName: "dir"),
    completion: .directory)
  var requests: String?
  @Option(
    help: ArgumentHelp(
      "What is demanded of requests; without it, the conditions that hold without any file.",
      valueName: "file"),
    completion: .file())
  var conditions: String?

  func validate() throws {
    if apply, drift { throw ValidationError("--drift only looks; wanted either --apply or --drift") }
    if conditions != nil, requests == nil {
      throw ValidationError("--conditions: wanted --requests beside it")
    }
  }

  func run() async throws {
    let baseline = try arguments.read()
    if drift { return try await GovernDrift.run(arguments, baseline, journal: journal) }
    let gate = try gate()
    let report: ProvisionReport
    do throws(GovernanceFaults) {
      var purpose = Provision.Purpose.plan
      if apply {
        let opened = try ProvisionJournal(
          journal, run: "\(Int64(Date().timeIntervalSince1970))-\(ProcessInfo.processInfo.processIdentifier)",
          now: { Int64(Date().timeIntervalSince1970) })
        if opened.tornBytes > 0 {
          say(
            "\(journal): a line that was cut off in the middle of its writing is taken off; nothing came of it"
          )
        }
        purpose = .apply(opened)
      }
      report = try await arguments.provision().run(arguments.targets, baseline, purpose, gate: gate)
    } catch { throw giveUp(error.description) }
    if arguments.json { try printJSON(report) } else { Self.show(report, applied: apply) }
    try arguments.end(report)
    if !report.isGood(allowUnknown: arguments.allowUnknown) { throw foundWrong }
  }

  private func gate() throws -> ProvisionGate? {
    guard let requests else { return nil }
    let demanded = try GovernAccount.conditions(conditions)
    let folder = RequestFolder(requests)
    do throws(GovernanceFaults) { _ = try folder.all() } catch { throw giveUp(error.description) }
    let today = GovernAccount.today
    return { account in
      do throws(GovernanceFaults) { return try folder.refusal(of: account, demanded, today: today) } catch {
        return error.description
      }
    }
  }

  private static func show(_ report: ProvisionReport, applied: Bool) {
    var steps = 0
    var outcomes: [StepOutcome.Kind: Int] = [:]
    for account in report.accounts {
      print(
        "account \(account.account)  baseline \(report.baseline)  home \(account.home)  \(account.regions.count) regions"
      )
      for step in account.steps {
        steps += 1
        let outcome = step.outcome?.kind.rawValue ?? (step.isNew ? "make" : "change")
        if let kind = step.outcome?.kind { outcomes[kind, default: 0] += 1 }
        print("  \(outcome)  \(step.step)")
        for change in step.changes { print("      \(change.text)") }
        print("      why: \(step.why)")
        if !step.needs.isEmpty { print("      after: \(step.needs.joined(separator: ", "))") }
        if let reason = step.outcome?.reason { print("      because: \(reason)") }
      }
      for notice in account.notices {
        print("  differs  \(notice.step)")
        for change in notice.changes { print("      \(change.text)") }
        print("      why: \(notice.why)")
        print("      mend: \(notice.reason)")
      }
      for gap in account.unknown { print("  unknown  \(gap.step)\n      \(gap.reason)") }
      if account.steps.isEmpty, account.notices.isEmpty, account.unknown.isEmpty {
        print("  all is as wanted")
      }
    }
    let notices = report.accounts.map(\.notices.count).reduce(0, +)
    let unknown = report.accounts.map(\.unknown.count).reduce(0, +)
    let told =
      applied
      ? "\(outcomes[.done] ?? 0) steps done, \(outcomes[.already] ?? 0) already, \(outcomes[.failed] ?? 0) failed, "
        + "\(outcomes[.notDone] ?? 0) not done" : "\(steps) steps"
    print(
      "\(report.accounts.count) accounts: \(told), \(notices) to mend, \(unknown) unknown; \(report.calls) calls"
    )
    if !applied, steps > 0 { say("nothing was changed; --apply carries the steps out") }
  }
}

struct GovernDrift: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drift",
    abstract: "Shows what differs from a baseline since it was set up, and who changed it.",
    discussion: """
      The journal of `kabuto govern provision --apply` tells when each thing was last right; CloudTrail, where it may be \
      asked, who changed it. Nothing is changed.
      Exit status: 0 = all is as wanted, 1 = something differs or can't be told, 2 = it can't be done at all.
      Example:  kabuto govern drift --accounts 111122223333 --regions eu-west-1 --journal kabuto-provision.jsonl
      """)

  @OptionGroup var arguments: ProvisionArguments
  @Option(help: ArgumentHelp("Where is written what was done.", valueName: "file"), completion: .file())
  var journal = "kabuto-provision.jsonl"

  func run() async throws { try await Self.run(arguments, try arguments.read(), journal: journal) }

  static func run(_ arguments: ProvisionArguments, _ baseline: Baseline, journal: String) async throws {
    let report: ProvisionReport
    do throws(GovernanceFaults) {
      let before = try ProvisionJournal.read(journal)
      report = try await arguments.provision().run(arguments.targets, baseline, .drift(before))
    } catch { throw giveUp(error.description) }
    if arguments.json { try printJSON(report) } else { show(report) }
    try arguments.end(report)
    if !report.isGood(allowUnknown: arguments.allowUnknown) { throw foundWrong }
  }

  private static func show(_ report: ProvisionReport) {
    for account in report.accounts {
      print("account \(account.account)  baseline \(report.baseline)")
      let all = account.drift ?? []
      for drifted in all {
        print("  \(drifted.rightAt == nil ? "never right" : "drifted")  \(drifted.step)")
        for change in drifted.changes { print("      \(change.text)") }
        if let time = drifted.rightAt { print("      last right: \(time)") }
        for change in drifted.changedBy { print("      \(change.at)  \(change.event)  \(change.by)") }
        if let reason = drifted.unknownBecause { print("      who changed it isn't known: \(reason)") }
      }
      for gap in account.unknown { print("  unknown  \(gap.step)\n      \(gap.reason)") }
      if all.isEmpty, account.unknown.isEmpty { print("  all is as wanted") }
    }
  }
}

struct GovernBaseline: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "baseline",
    abstract: "Prints the baseline that holds without any file, or a policy for unused regions.",
    discussion: """
      With --region-policy a service control policy that denies all regions but the baseline's `regions: used`, for the \
      organization to attach; the role that sets baselines up stays free.
      """)

  @Option(help: ArgumentHelp("A baseline instead.", valueName: "file"), completion: .file())
  var baseline: String?
  @Flag(help: "The policy, as JSON.")
  var regionPolicy = false
  @Option(help: ArgumentHelp("The role that sets baselines up.", valueName: "name"))
  var roleName = "OrganizationAccountAccessRole"

  func run() throws {
    let text = try Self.text(baseline)
    let found = try Self.read(text, baseline)
    guard regionPolicy else { return print(text, terminator: "") }
    guard let policy = found.regionPolicy(exceptRole: roleName) else {
      throw giveUp("\(baseline ?? "baseline"): no regions.used; wanted the regions that are meant to be used")
    }
    print(policy, terminator: "")
  }

  static func text(_ path: String?) throws -> String {
    guard let path else { return Baseline.standardText }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw giveUp("\(path): can't be read")
    }
    return String(decoding: data, as: UTF8.self)
  }

  static func read(_ text: String, _ path: String?) throws -> Baseline {
    do throws(DocumentFaults) { return try Baseline(text) } catch {
      throw giveUp(error.all.map { "\(path ?? "baseline"):\($0)" }.joined(separator: "\n"))
    }
  }
}

extension BaselineChange {
  /// `name: from → to`, cut where it is long.
  fileprivate var text: String {
    func short(_ text: String) -> String { text.count > 120 ? text.prefix(120) + "…" : text }
    return "\(name): \(from.map(short) ?? "not there") → \(short(to))"
  }
}
