// `kabuto govern exception`: exceptions asked for, approved by somebody else, listed, and looked through.

import ArgumentParser
import Controls
import Foundation
import Governance
import GuardRules

struct GovernException: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exception",
    abstract: "Exceptions from rules: asked for, approved by somebody else, and ended by themselves.",
    discussion: """
      Exceptions stand in a file (exceptions: …), or in a folder with a file each. They count from their approval to the day \
      they expire, at most \(ExceptionRecord.mostDays) days, and only while they are what was approved.
      """,
    subcommands: [ExceptionRequest.self, ExceptionApprove.self, ExceptionList.self, ExceptionCheck.self])
}

struct ExceptionPath: ParsableArguments {
  @Argument(
    help: ArgumentHelp("The file or folder of exceptions.", valueName: "file|dir"), completion: .file())
  var path: String
}

private func today() -> CalendarDay { CalendarDay(of: Int64(Date().timeIntervalSince1970)) }

struct ExceptionRequest: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "request", abstract: "Asks for an exception; it counts when somebody else has approved it.",
    discussion: """
      Patterns have * and ?; what isn't given is any. Exit status: 2 = it can't be written, and nothing was.
      Example:  kabuto govern exception request exceptions/ --id EX-2026-014 --rule catalogue_service_allowed \
      --type 'AWS::SageMaker::*' --input 'research/*' --owner research-lead --by tanaka --expires 2026-12-31 \
      --reason 'Trial of forecasts on recorded data'
      """)

  @OptionGroup var place: ExceptionPath
  @Option(help: ArgumentHelp("Its name.", valueName: "id"))
  var id: String
  @Option(help: ArgumentHelp("Rules; may be given more than once.", valueName: "pattern"))
  var rule: [String]
  @Option(help: ArgumentHelp("Inputs: paths, aws:ACCOUNT/REGION.", valueName: "pattern"))
  var input: [String] = []
  @Option(help: ArgumentHelp("Accounts.", valueName: "pattern"))
  var account: [String] = []
  @Option(help: ArgumentHelp("Regions.", valueName: "pattern"))
  var region: [String] = []
  @Option(help: ArgumentHelp("Resources: logical ids, addresses, ARNs.", valueName: "pattern"))
  var resource: [String] = []
  @Option(help: ArgumentHelp("Types.", valueName: "pattern"))
  var type: [String] = []
  @Option(help: ArgumentHelp("Who answers for it.", valueName: "name"))
  var owner: String
  @Option(help: ArgumentHelp("Why.", valueName: "text"))
  var reason: String
  @Option(help: ArgumentHelp("Who asks.", valueName: "name"))
  var by: String
  @Option(help: ArgumentHelp("Its last day.", valueName: "YYYY-MM-DD"))
  var expires: CalendarDay
  @Flag(help: "It covers what can't be told, too.")
  var unknown = false

  func run() async throws {
    for (option, text) in [("--owner", owner), ("--reason", reason), ("--by", by)]
    where text.allSatisfy(\.isWhitespace) {
      throw ValidationError("\(option): wanted a text")
    }
    guard PersonName.isSomebody(by) else {
      throw ValidationError("--by: wanted a name with letters or digits")
    }
    var record = ExceptionRecord(
      id: id, rules: rule.map { Wildcard($0) }, owner: owner, reason: reason,
      requested: ExceptionRecord.Act(by: by, on: today()), expires: expires)
    record.scope.input = input.map { Wildcard($0) }
    record.scope.account = account.map { Wildcard($0) }
    record.scope.region = region.map { Wildcard($0) }
    record.scope.resource = resource.map { Wildcard($0) }
    record.scope.type = type.map { Wildcard($0) }
    record.coversUnknown = unknown
    do throws(GovernanceFaults) {
      let file = try ExceptionStore(place.path).request(record)
      print("\(file): \(id) is asked for; it counts when somebody else has approved it")
    } catch { throw giveUp(error.description) }
  }
}

struct ExceptionApprove: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "approve", abstract: "Approves an exception as it is written.",
    discussion: """
      What is approved is shown. A sum of it is kept: whoever changes it afterwards ends the exception. Exit status: 2 = it \
      can't be approved, and nothing was written.
      Example:  kabuto govern exception approve exceptions/ EX-2026-014 --by suzuki
      """)

  @OptionGroup var place: ExceptionPath
  @Argument(help: ArgumentHelp("Its name.", valueName: "id"))
  var id: String
  @Option(help: ArgumentHelp("Who approves; not who asked.", valueName: "name"))
  var by: String

  func run() async throws {
    guard PersonName.isSomebody(by) else {
      throw ValidationError("--by: wanted a name with letters or digits")
    }
    do throws(GovernanceFaults) {
      let record = try ExceptionStore(place.path).approve(id, by: by, on: today())
      for line in record.lines() { print(line) }
    } catch { throw giveUp(error.description) }
  }
}

/// An exception as it is told.
private struct ExceptionReport: Encodable {
  let id: String
  let state: String
  let counts: Bool
  let rule: [String]
  let scope: Scope
  let owner: String
  let reason: String
  let requestedBy: String
  let requestedOn: String
  let approvedBy: String?
  let approvedOn: String?
  let expires: String
  let file: String
  let line: Int

  enum CodingKeys: String, CodingKey {
    case id, state, counts, rule, scope, owner, reason, expires, file, line
    case requestedBy = "requested_by"
    case requestedOn = "requested_on"
    case approvedBy = "approved_by"
    case approvedOn = "approved_on"
  }

  /// Patterns; those that are empty stand for any.
  struct Scope: Encodable {
    let input: [String]
    let account: [String]
    let region: [String]
    let resource: [String]
    let type: [String]
  }

  let scopeText: String

  init(_ entry: Exceptions.Entry, _ state: ExceptionState, _ language: ReportLanguage) {
    let record = entry.record
    id = record.id
    self.state = language == .japanese ? state.textJa : state.text
    counts = state == .valid
    rule = record.rules.map(\.text)
    scope = Scope(
      input: record.scope.input.map(\.text), account: record.scope.account.map(\.text),
      region: record.scope.region.map(\.text), resource: record.scope.resource.map(\.text),
      type: record.scope.type.map(\.text))
    scopeText = record.scopeText
    owner = record.owner
    reason = record.reason
    requestedBy = record.requested.by
    requestedOn = record.requested.on.description
    approvedBy = record.approved?.by
    approvedOn = record.approved?.on.description
    expires = record.expires.description
    file = entry.file
    line = Int(record.place.line)
  }
}

private func reports(_ path: String, _ language: ReportLanguage) throws -> [ExceptionReport] {
  do throws(GovernanceFaults) {
    return try Exceptions(path).states(now: Int64(Date().timeIntervalSince1970)).map {
      ExceptionReport($0.entry, $0.state, language)
    }
  } catch { throw giveUp(error.description) }
}

struct ExceptionList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists exceptions and what each is worth today.",
    discussion: "Example:  kabuto govern exception list exceptions/ --language ja")

  @OptionGroup var place: ExceptionPath
  @Option(help: "Language: en, ja.")
  var language: ReportLanguage = .english
  @Flag(help: "One JSON document instead of text.")
  var json = false

  func run() async throws {
    let all = try reports(place.path, language)
    guard !json else { return try printJSON(all) }
    func say(_ en: String, _ ja: String) -> String { language == .japanese ? ja : en }
    for each in all {
      let rules = each.rule.joined(separator: ",")
      print("\(each.id)  \(each.state)  \(rules)  \(each.owner)  \(each.expires)".visible())
      print("  \(each.reason)".visible())
      let scope = each.scopeText.isEmpty ? say("everything", "すべて") : each.scopeText
      print("  \(say("covers", "対象"))  \(scope)".visible())
      let approval =
        each.approvedBy.map { say("approved by \($0) on ", "承認 \($0) ") + (each.approvedOn ?? "") }
        ?? say("approved by nobody", "未承認")
      let request = say(
        "asked for by \(each.requestedBy) on \(each.requestedOn)",
        "申請 \(each.requestedBy) \(each.requestedOn)")
      print("  \(request); \(approval)".visible())
    }
  }
}

struct ExceptionCheck: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Tells exceptions that don't count: ended, not approved, altered.",
    discussion: """
      Exit status: 0 = all count, 1 = one doesn't, or ends within --days, 2 = a file has faults, which are all told.
      Example:  kabuto govern exception check exceptions/ --days 14
      """)

  @OptionGroup var place: ExceptionPath
  @Option(help: ArgumentHelp("Tell also those that end within so many days.", valueName: "count"))
  var days = 0
  @Option(help: "Language: en, ja.")
  var language: ReportLanguage = .english
  @Flag(help: "One JSON document instead of text.")
  var json = false

  func validate() throws {
    guard (0...36_500).contains(days) else { throw ValidationError("--days: wanted 0 to 36500") }
  }

  func run() async throws {
    let last = today().number + days
    let wrong = try reports(place.path, language).filter {
      !$0.counts || (days > 0 && CalendarDay($0.expires).map { $0.number <= last } ?? false)
    }
    if json {
      try printJSON(wrong)
    } else {
      for each in wrong {
        print("\(each.file):\(each.line): \(each.id) \(each.state); until \(each.expires)".visible())
      }
    }
    if !wrong.isEmpty { throw foundWrong }
  }
}
