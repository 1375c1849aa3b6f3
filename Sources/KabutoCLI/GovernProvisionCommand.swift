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
  @Option(help: "Language: en, ja.")
  var language: ReportLanguage = .english
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
    where !ScanOptions.isRegion(region) {
      throw ValidationError("--regions \(region): wanted regions' names, as eu-west-1, or all")
    }
    guard (1...1_000).contains(parallel) else { throw ValidationError("--parallel: wanted 1 to 1000") }
    guard (1...20).contains(attempts) else { throw ValidationError("--attempts: wanted 1 to 20") }
    guard (1...600).contains(timeout) else { throw ValidationError("--timeout: wanted 1 to 600 seconds") }
    try AccountOptions.validate(endpoint: endpoint)
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
    options.language = language
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

  func provision(takingOver run: String? = nil) -> Provision {
    var options = options
    options.takesOver = run
    return Provision(
      options, environment: ProcessInfo.processInfo.environment, now: { Int64(Date().timeIntervalSince1970) },
      tell: { say($0) })
  }

  /// Says how it went by the exit status.
  func end(_ report: ProvisionReport) throws {
    for line in report.outsideLines(language) { say("kabuto: \(line)") }
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
      --apply acts on accounts with an approved request only (--requests); where approvals are kept elsewhere, \
      --without-requests says so, in the journal too. While a run is at an account, the account is marked, and no other \
      run acts in it, wherever it was started.
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
    help: ArgumentHelp(
      "Refuses accounts without an approved request in this folder. --apply needs it.", valueName: "dir"),
    completion: .directory)
  var requests: String?
  @Flag(
    help: ArgumentHelp(
      "Acts without asking for requests, since approvals are kept elsewhere; the journal says so."))
  var withoutRequests = false
  @Option(
    help: ArgumentHelp(
      "What is demanded of requests; without it, the conditions that hold without any file.",
      valueName: "file"),
    completion: .file())
  var conditions: String?
  @Option(
    help: ArgumentHelp(
      "A run that has surely ended and whose journal is lost: accounts that are marked as its are taken over.",
      valueName: "run"))
  var takeOver: String?

  func validate() throws {
    if apply, drift { throw ValidationError("--drift only looks; wanted either --apply or --drift") }
    if requests != nil, withoutRequests {
      throw ValidationError("--requests and --without-requests: wanted one of them")
    }
    if apply, requests == nil, !withoutRequests {
      throw ValidationError(
        "--apply without --requests: wanted --requests DIR, the folder in which each account's request is approved "
          + "(kabuto govern account request, approve); where approvals are kept elsewhere, --without-requests"
      )
    }
    if takeOver != nil, !apply { throw ValidationError("--take-over: wanted --apply beside it") }
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
          journal, run: Self.newRun, now: { Int64(Date().timeIntervalSince1970) })
        if opened.tornBytes > 0 {
          say(
            "\(journal): a line that was cut off in the middle of its writing is taken off; nothing came of it"
          )
        }
        purpose = .apply(opened)
      }
      report = try await arguments.provision(takingOver: takeOver).run(
        arguments.targets, baseline, purpose, gate: gate)
    } catch { throw giveUp(error.description) }
    if arguments.json { try printJSON(report) } else { show(report) }
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
      do throws(GovernanceFaults) {
        return try folder.permission(for: account, demanded, today: today)
      } catch { return .refused(Bilingual(same: error.description)) }
    }
  }

  private func show(_ report: ProvisionReport) {
    print(report.text(applied: apply, arguments.language), terminator: "")
    guard !apply, report.stepCount > 0 else { return }
    let words = Bilingual(
      "nothing was changed; --apply carries the steps out", "変更はしていません。--apply で実行します")
    say(words.text(arguments.language))
  }

  /// A name that no other run has: two may begin in the same second, and have the same number on two machines.
  private static var newRun: String {
    let word = String(UInt64.random(in: UInt64.min...UInt64.max), radix: 16)
    return
      "\(Int64(Date().timeIntervalSince1970))-\(ProcessInfo.processInfo.processIdentifier)-\(String(repeating: "0", count: 16 - word.count))\(word)"
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
    if arguments.json {
      try printJSON(report)
    } else {
      print(report.driftText(arguments.language), terminator: "")
    }
    try arguments.end(report)
    if !report.isGood(allowUnknown: arguments.allowUnknown) { throw foundWrong }
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
