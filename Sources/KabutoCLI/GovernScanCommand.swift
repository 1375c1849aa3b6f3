// `kabuto govern scan`: rules over the resources of live accounts.

import ArgumentParser
import Foundation
import Governance
import GuardRules
import Resources

struct GovernScan: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scan", abstract: "Checks the resources of live AWS accounts against rules.",
    discussion: """
      Resources are given CloudFormation's shape, so that the rules for templates serve. Keys come from the environment \
      (AWS_ACCESS_KEY_ID, …), the shared files (AWS_PROFILE) or the instance's metadata (version 2), and are never shown. \
      A call that is denied or fails makes unknown what it covers, and is told with its region and reason; nothing else \
      is hidden, and unknown is never taken for good. Which calls there are: docs/GOVERN-ACCOUNTS.md.
      Exit status: 0 = all rules are kept, 1 = one is broken or can't be told, 2 = it can't be done at all.
      Example:  kabuto govern scan --rules rules/ --regions ap-northeast-1,ap-northeast-3
                kabuto govern scan --rules rules/ --account 111122223333 --account 444455556666 --role-name Audit
      """)

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Files of rules, or folders with them.", valueName: "file|dir"), completion: .file())
  var rules: [String]
  @Option(
    help: ArgumentHelp(
      "An account: the key's own, or by the role --role-name in it; may be given more than once.",
      valueName: "number"))
  var account: [String] = []
  @Option(help: ArgumentHelp("The role that --account means.", valueName: "name"))
  var roleName = "OrganizationAccountAccessRole"
  @Option(
    help: ArgumentHelp("A profile of the shared files; may be given more than once.", valueName: "name"))
  var profile: [String] = []
  @Option(help: ArgumentHelp("A role to assume, by its ARN; may be given more than once.", valueName: "arn"))
  var role: [String] = []
  @Option(help: ArgumentHelp("Regions, or all that the account has.", valueName: "a,b|all"))
  var regions = "all"
  @Option(
    help: ArgumentHelp("One address for all services, instead of AWS's own: a test server.", valueName: "url")
  )
  var endpoint: String?
  @Flag(
    help:
      "Ask only for types that the rules look at. Of others nothing is told, also not that a call would have failed."
  )
  var onlyNeeded = false
  @Option(help: ArgumentHelp("Calls at once, over all regions.", valueName: "count"))
  var parallel = 32
  @Option(help: ArgumentHelp("Attempts at a call that is throttled or fails.", valueName: "count"))
  var attempts = 6
  @Option(help: ArgumentHelp("How long an answer may take.", valueName: "seconds"))
  var timeout = 30
  @Option(
    name: [.customShort("i"), .long], parsing: .upToNextOption,
    help: ArgumentHelp(
      "YAML or JSON whose outermost members are put beside the resources of every region.", valueName: "file"),
    completion: .file())
  var inputParameters: [String] = []
  @Option(
    help: "How the report is written: \(ReportFormat.allCases.map(\.rawValue).joined(separator: ", ")).")
  var format: ReportFormat = .text
  @Flag(help: "What can't be told is no reason to fail.")
  var allowUnknown = false

  func validate() throws {
    for number in account where number.count != 12 || !number.allSatisfy(\.isNumber) {
      throw ValidationError("--account \(number): wanted twelve digits")
    }
    guard (1...1_000).contains(parallel) else { throw ValidationError("--parallel: wanted 1 to 1000") }
    guard (1...20).contains(attempts) else { throw ValidationError("--attempts: wanted 1 to 20") }
    guard (1...600).contains(timeout) else { throw ValidationError("--timeout: wanted 1 to 600 seconds") }
    if let endpoint, !endpoint.hasPrefix("http://"), !endpoint.hasPrefix("https://") {
      throw ValidationError("--endpoint \(endpoint): wanted http://HOST:PORT or https://HOST")
    }
  }

  func run() async throws {
    var options = ScanOptions()
    if regions != "all" { options.regions = regions.split(separator: ",").map(String.init) }
    options.endpoint = endpoint.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
    options.callsAtOnce = parallel
    options.onlyNeeded = onlyNeeded
    options.policy.mostAttempts = attempts
    options.policy.mostConnections = min(attempts, options.policy.mostConnections)
    options.policy.answerMilliseconds = timeout * 1_000
    options.policy.connectMilliseconds = min(options.policy.connectMilliseconds, timeout * 1_000)
    var targets: [AccountTarget] = profile.map { .profile($0) } + role.map { .role($0) }
    targets += account.map { .account($0, role: roleName) }
    if targets.isEmpty { targets = [.own] }
    let result: CheckResult
    let figures: ScanFigures
    do throws(GovernanceFaults) {
      let scan = AccountScan(
        options, environment: ProcessInfo.processInfo.environment,
        parameters: try InputParameters(inputParameters),
        now: { Int64(Date().timeIntervalSince1970) })
      (result, figures) = try await scan.run(targets, try RuleSet(rules))
    } catch { throw giveUp(error.description) }
    try result.report(as: format, allowUnknown: allowUnknown, json: Report(result, figures)) {
      Self.show(result, figures)
    }
  }

  private struct Report: Encodable {
    let status: String
    let regions: Int
    let resources: Int
    let calls: Int
    let throttled: Int
    let passed: Int
    let failed: Int
    let unknown: Int
    let skipped: Int
    let findings: [Finding]
    let faults: [String]

    init(_ result: CheckResult, _ figures: ScanFigures) {
      status = result.status.rawValue
      regions = result.inputs
      resources = figures.resources
      calls = figures.calls
      throttled = figures.throttled
      passed = result.count(.pass)
      failed = result.count(.fail)
      unknown = result.count(.unknown)
      skipped = result.count(.skip)
      findings = result.findings
      faults = result.faults
    }
  }

  private static func show(_ result: CheckResult, _ figures: ScanFigures) {
    for finding in result.findings {
      print(
        "\(finding.status)  \(finding.resource.isEmpty ? finding.input : finding.resource)  \(finding.rule)")
      print("  in      \(finding.input)  \(finding.resourceType)  \(finding.path)")
      finding.showDetails()
    }
    print(
      "\(result.status.rawValue): \(result.inputs) regions, \(figures.resources) resources, \(figures.calls) calls, "
        + result.counts)
  }
}
