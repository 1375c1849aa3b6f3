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
  @OptionGroup(title: "Accounts") var accounts: AccountOptions
  @OptionGroup var beside: BesideOptions
  @OptionGroup var report: ReportOptions
  @OptionGroup(title: "Results") var results: ResultOptions

  func run() async throws {
    let began = Date()
    let options = accounts.scan
    let targets = accounts.targets
    var approved: Exceptions?
    var result: CheckResult
    let figures: ScanFigures
    var parameters = InputParameters.none
    do throws(GovernanceFaults) {
      approved = try beside.readExceptions()
      parameters = try beside.readParameters()
      let scan = AccountScan(
        options, environment: ProcessInfo.processInfo.environment,
        parameters: parameters,
        now: { Int64(Date().timeIntervalSince1970) })
      (result, figures) = try await scan.run(targets, try RuleSet(readable: rules))
      approved?.apply(to: &result, now: Int64(Date().timeIntervalSince1970))
    } catch { throw giveUp(error.description) }
    let kept = await results.keep(
      result, source: "scan", began: began, asked: targets.map { "aws:\($0.name)" },
      exceptions: approved.map { ExceptionEnd.all(of: $0, now: Int64(Date().timeIntervalSince1970)) } ?? [],
      parameters: parameters, endpoint: options.endpoint)
    try kept.finish {
      try result.report(
        as: report.form, allowUnknown: report.allowUnknown,
        json: Beside(ResultCounts(result), Report(result, figures)), context: kept.context
      ) { Self.show(result, figures, results.language) }
    }
  }

  private struct Report: Encodable {
    let regions: Int
    let resources: Int
    let calls: Int
    let throttled: Int
    let saved: Int
    let findings: [Finding]
    let faults: [String]
    let notes: [String]

    init(_ result: CheckResult, _ figures: ScanFigures) {
      regions = result.inputs
      resources = figures.resources
      calls = figures.calls
      throttled = figures.throttled
      saved = figures.saved
      findings = result.findings
      faults = result.faults
      notes = result.notes
    }
  }

  private static func show(_ result: CheckResult, _ figures: ScanFigures, _ language: ReportLanguage) {
    for finding in result.findings {
      let head =
        "\(finding.status)  \(finding.resource.isEmpty ? finding.input : finding.resource)  \(finding.rule)"
      print(head.visible())
      let place = [finding.input, finding.resourceType, finding.path].filter { !$0.isEmpty }
      print("  in        \(place.joined(separator: "  "))".visible())
      for line in finding.lines(in: language) { print(line) }
    }
    // What is in no region is looked at like one more of them.
    let global = Set(result.results.map(\.input)).count { $0.hasSuffix("/global") }
    let places =
      counted(result.inputs - global, "region") + (global > 0 ? " and what is in none of them" : "")
    let saved = figures.saved > 0 ? " (at least \(figures.saved) more that no rule needs)" : ""
    print(
      "\(result.status.rawValue): \(places), \(counted(figures.resources, "resource")), "
        + "\(counted(figures.calls, "call"))\(saved), \(result.counts)")
  }
}
