// `kabuto govern`: rules over templates, plans and resources, and the rules' own tests.

import ArgumentParser
import Foundation
import Governance
import GuardRules
import Resources

struct GovernCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "govern",
    abstract: "Checks templates, plans and resources against rules, before they are deployed and after.",
    subcommands: [
      GovernCheck.self, GovernScan.self, GovernWatch.self, GovernTest.self, GovernTypes.self,
      GovernFacts.self,
      GovernCatalogue.self, GovernUsers.self, GovernException.self,
      GovernAccount.self, GovernBaseline.self, GovernProvision.self, GovernDrift.self,
      GovernHistory.self, GovernNotify.self, GovernServe.self,
    ])
}

struct GovernCheck: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Checks templates, plans and configuration items against rules.",
    discussion: """
      Rules are AWS CloudFormation Guard's (version 3). Inputs are CloudFormation templates (YAML, JSON), Terraform plans \
      (terraform show -json), AWS Config's items and snapshots, and other documents, which rules see as they are. \
      Parameters, conditions and intrinsic functions of a template are resolved where they can be; what can't be is \
      unknown, and a rule that depends on it is UNKNOWN: neither kept nor broken. With --catalogue, services that aren't \
      assessed or allowed, regions and policies that go beyond it are findings too; with --exceptions, what a valid \
      exception covers is shown and doesn't fail.
      Plans and items of any size are looked at resource by resource; rules that look at several at once keep those of \
      their types, and --catalogue all of them, within --memory.
      Exit status: 0 = all rules are kept, 1 = one is broken or can't be told, 2 = a file can't be read.
      Example:  kabuto govern check --rules rules/ --input templates/ --parameter Environment=prod
      """)

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Files of rules, or folders with them.", valueName: "file|dir"), completion: .file())
  var rules: [String] = []
  @Option(
    parsing: .upToNextOption, help: ArgumentHelp("What to look at: files or folders.", valueName: "file|dir"),
    completion: .file())
  var input: [String]
  @Option(help: ArgumentHelp("A template's parameter; may be given more than once.", valueName: "name=value"))
  var parameter: [String] = []
  @Option(help: ArgumentHelp("The region that templates are deployed in.", valueName: "region"))
  var region: String?
  @Option(help: ArgumentHelp("The account that templates are deployed in.", valueName: "number"))
  var account: String?
  @Option(help: ArgumentHelp("The catalogue of services.", valueName: "file"), completion: .file())
  var catalogue: String?
  @OptionGroup var beside: BesideOptions
  @Option(
    help: ArgumentHelp(
      "Memory for what has to be looked at as a whole: documents, and resources that a rule sees together.",
      valueName: "MiB"))
  var memory = 256
  @OptionGroup var report: ReportOptions
  @OptionGroup(title: "Results") var results: ResultOptions

  func validate() throws {
    if rules.isEmpty, catalogue == nil { throw ValidationError("wanted --rules, --catalogue or both") }
    guard (16...1_048_576).contains(memory) else {
      throw ValidationError("--memory: wanted 16 to 1048576 MiB")
    }
    if let wrong = parameter.first(where: { !$0.contains("=") || $0.hasPrefix("=") }) {
      throw ValidationError("--parameter \(wrong): wanted name=value")
    }
    var names: Set<Substring> = []
    if let twice = parameter.compactMap({ $0.split(separator: "=").first }).first(where: {
      !names.insert($0).inserted
    }) {
      throw ValidationError("--parameter \(twice): given twice; wanted a name once")
    }
  }

  func run() async throws {
    let began = Date()
    var context = Template.Context()
    for each in parameter {
      guard let sign = each.firstIndex(of: "=") else { continue }
      context.parameters[String(each[..<sign])] = Value(.string(String(each[each.index(after: sign)...])))
    }
    if let region { context.pseudo["AWS::Region"] = region }
    if let account { context.pseudo["AWS::AccountId"] = account }
    var limits = CheckLimits()
    limits.memoryBytes = memory << 20
    let format = report.form
    // What is kept in a history is kept as a whole.
    if results.keeping.data != nil { limits.keptFindingCount = 1_000_000 }
    let result: CheckResult
    var approved: Exceptions?
    var parameters = InputParameters.none
    do throws(GovernanceFaults) {
      parameters = try beside.readParameters(mostBytes: limits.memoryBytes / 2)
      var gate = try catalogue.map { (path) throws(GovernanceFaults) in try CatalogueGate(path) }
      gate?.language = results.language
      let files = rules + (gate?.ruleFiles ?? [])
      var check = Check(
        files.isEmpty ? .none : try RuleSet(readable: files), context: context,
        parameters: parameters, limits: limits,
        now: Int64(Date().timeIntervalSince1970))
      check.catalogue = gate
      approved = try beside.readExceptions()
      check.exceptions = approved
      // What can be written as it comes is, where there is more than can be kept.
      let tell: ((inout CheckResult) -> Void)? =
        switch format {
        case _ where results.keeping.data != nil: nil
        case .text: { [language = results.language] in Self.showFindings($0, language) }
        case .lines: { $0.writeLines() }
        case .json, .sarif, .junit, .comment, .asff, .ocsf, .csv, .html: nil
        }
      result = try check.run(input, tell: tell)
    } catch { throw giveUp(error.description) }
    let kept = await results.keep(
      result, source: "check", began: began, account: account, region: region, files: input,
      exceptions: approved.map { ExceptionEnd.all(of: $0, now: Int64(Date().timeIntervalSince1970)) } ?? [],
      parameters: parameters)
    try kept.finish {
      try result.report(
        as: format, allowUnknown: report.allowUnknown, json: Beside(ResultCounts(result), Report(result)),
        context: kept.context
      ) { Self.show(result, results.language) }
    }
  }

  private struct Report: Encodable {
    let inputs: Int
    let findings: [Finding]
    let omitted: Int
    let faults: [String]
    let notes: [String]
    let cost: ProcessCost

    init(_ result: CheckResult) {
      inputs = result.inputs
      findings = result.findings
      omitted = result.omittedCount
      faults = result.faults
      notes = result.notes
      cost = ProcessCost()
    }
  }

  private static func show(_ result: CheckResult, _ language: ReportLanguage) {
    showFindings(result, language)
    print("\(result.status.rawValue): \(counted(result.inputs, "input")), \(result.counts)")
  }

  private static func showFindings(_ result: CheckResult, _ language: ReportLanguage) {
    for finding in result.findings {
      let head = "\(finding.status)  \(finding.input):\(finding.line):\(finding.column)  \(finding.rule)"
      print(head.visible())
      if !finding.resource.isEmpty {
        let what = [finding.resource, finding.resourceType, finding.path].filter { !$0.isEmpty }
        print("  \(what.joined(separator: "  "))".visible())
      }
      for line in finding.lines(in: language) { print(line) }
    }
  }
}

struct GovernTest: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Runs the tests of rules: documents and the statuses expected of them.",
    discussion: """
      Finds X.guard with tests/X_tests.yml, or X-tests.yaml beside it. Rules are evaluated literally, as Guard does.
      Exit status: 0 = all as expected, 1 = an expectation isn't met, 2 = a file can't be read.
      Example:  kabuto govern test rules/
      """)

  @Argument(help: ArgumentHelp("Folders or files.", valueName: "dir"), completion: .directory)
  var paths: [String]
  @Flag(help: "One JSON document instead of text.")
  var json = false

  private struct Report: Encodable {
    let passed: Int
    let failed: Int
    let cases: [RuleTesting.Case]
    let faults: [String]
    let untested: [String]
    let unmatched: [String]
  }

  func run() async throws {
    let testing: RuleTesting
    do throws(GovernanceFaults) {
      testing = try RuleTesting(paths, now: Int64(Date().timeIntervalSince1970))
    } catch { throw giveUp(error.description) }
    if json {
      try printJSON(
        Report(
          passed: testing.passed, failed: testing.failed, cases: testing.cases, faults: testing.faults,
          untested: testing.untested, unmatched: testing.unmatched))
    } else {
      for each in testing.cases where !each.passed {
        let found = each.fault ?? (each.found.isEmpty ? "no such rule" : each.found.joined(separator: ", "))
        print(
          "\(each.file):\(each.line)  \(each.name)  \(each.rule): expected \(each.expected), found \(found)")
      }
      for name in testing.untested { print("\(name): no tests") }
      for text in testing.unmatched { print(text) }
      print("\(testing.passed) expectations met, \(testing.failed) not")
    }
    for fault in testing.faults { say("kabuto: \(fault)") }
    if !testing.faults.isEmpty { throw couldNot }
    if testing.failed > 0 { throw foundWrong }
  }
}
