// `kabuto govern history`: what the history of findings says, on the command line.

public import ArgumentParser
import Foundation
import Governance
public import GuardRules

struct GovernHistory: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history",
    abstract: "Shows the history of findings: what is open, since when, and its course.",
    discussion: """
      Written by `kabuto govern check --data DIR` and `kabuto govern scan --data DIR`.
      Exit status: 0 = told, 1 = there is something open (list), 2 = there is no history, or no such finding.
      Example:  kabuto govern history list --data data --severity high
      """,
    subcommands: [GovernHistoryList.self, GovernHistoryShow.self, GovernHistoryTrend.self],
    defaultSubcommand: GovernHistoryList.self)
}

/// How what the history says is written.
enum HistoryFormat: String, ExpressibleByArgument, CaseIterable { case text, json, csv }

/// Where the history is and how it is told.
struct HistoryOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Folder of the history.", valueName: "dir"), completion: .directory)
  var data: String
  @Option(help: "How it is written: text, json, csv.")
  var format: HistoryFormat = .text
  @Flag(help: "The same as --format json.")
  var json = false

  var form: HistoryFormat { json ? .json : format }
}

extension Severity: ExpressibleByArgument {}

struct GovernHistoryList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists findings, the gravest first.")

  /// Which states are listed.
  enum States: String, ExpressibleByArgument, CaseIterable { case open, fixed, excepted, all }

  @OptionGroup var options: HistoryOptions
  @Option(help: "Which: \(States.allCases.map(\.rawValue).joined(separator: ", ")).")
  var state: States = .open
  @Option(help: "Only this severity: critical, high, medium, low, info.")
  var severity: Severity?
  @Option(help: "Only what is FAIL, UNKNOWN or EXCEPTED.")
  var status: String?
  @Option(help: ArgumentHelp("Only this rule.", valueName: "name")) var rule: String?
  @Option(help: ArgumentHelp("Only this account, or files.", valueName: "number")) var account: String?
  @Option(help: ArgumentHelp("Only this region.", valueName: "name")) var region: String?
  @Option(help: "At most so many.") var limit = 1_000

  private struct Report: Encodable {
    let total: Int
    let counts: FindingCounts
    let findings: [HistoryFinding]
  }

  func validate() throws {
    guard (1...1_000_000).contains(limit) else { throw ValidationError("--limit: wanted 1 to 1000000") }
    if let status, !["FAIL", "UNKNOWN", "EXCEPTED"].contains(status) {
      throw ValidationError("--status \(status): wanted FAIL, UNKNOWN or EXCEPTED")
    }
  }

  func run() async throws {
    var filter = FindingFilter()
    filter.anyState = state == .all
    filter.state = HistoryFinding.State(rawValue: state.rawValue)
    (filter.severity, filter.status, filter.rule) = (severity, status, rule)
    (filter.account, filter.region) = (account, region)
    let reader = HistoryReader(options.data)
    let page: FindingPage?
    let counts: FindingCounts
    do throws(HistoryError) {
      page = try reader.findings(filter, limit: limit)
      counts = try reader.counts()
    } catch { throw giveUp(error.description) }
    guard let page else { return }
    switch options.form {
    case .json: try printJSON(Report(total: page.total, counts: counts, findings: page.findings))
    case .csv:
      print(
        CSVReport.line([
          "id", "state", "status", "severity", "rule", "title", "account", "region", "input", "resource",
          "path",
          "found", "first_seen", "last_seen", "exception",
        ]), terminator: "")
      for finding in page.findings {
        print(
          CSVReport.line([
            finding.id, finding.state.rawValue, finding.status, finding.severity.rawValue, finding.rule,
            finding.title, finding.account, finding.region, finding.input, finding.resource, finding.path,
            finding.found, Timestamp.text(finding.firstSeen), Timestamp.text(finding.lastSeen),
            finding.exception ?? "",
          ]), terminator: "")
      }
    case .text:
      for finding in page.findings {
        let unseen = finding.unseen == nil ? "" : "  (not told since \(Timestamp.text(finding.lastSeen)))"
        let title = finding.title.visible()
        print(
          "\(finding.id.prefix(12))  \(finding.severity.rawValue)  \(finding.status)  \(title)\(unseen)")
        let what =
          finding.resource.isEmpty ? finding.input : "\(finding.resource)  in \(finding.input)"
        print("  \(what.visible())  since \(Timestamp.text(finding.since))")
      }
      print(
        "\(counted(page.total, "finding")); \(counts.open) open in all, of which \(counts.unknown) can't be told"
      )
      if page.next != nil { print("the first \(limit) were listed; --limit lists more") }
    }
    if state == .open, page.total > 0 { throw foundWrong }
  }
}

struct GovernHistoryShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows a finding and what happened to it.")

  @OptionGroup var options: HistoryOptions
  @Argument(help: ArgumentHelp("Its id, or the beginning of it.", valueName: "id")) var id: String

  private struct Report: Encodable {
    let finding: HistoryFinding
    let exception: ExceptionEnd?
    let events: [HistoryEvent]
  }

  func run() async throws {
    let reader = HistoryReader(options.data)
    let found: HistoryFinding?
    let events: [HistoryEvent]
    let exception: ExceptionEnd?
    do throws(HistoryError) {
      found = try reader.finding(id)
      events = try found.map { (finding) throws(HistoryError) in try reader.events(of: finding.id) } ?? []
      if let name = found?.exception { exception = try reader.exception(name) } else { exception = nil }
    } catch { throw giveUp(error.description) }
    guard let found else {
      throw giveUp("finding \(id): none, or several begin so; `kabuto govern history list` lists them")
    }
    switch options.form {
    case .json: try printJSON(Report(finding: found, exception: exception, events: events))
    case .csv:
      print(CSVReport.line(["at", "kind", "status", "found", "exception"]), terminator: "")
      for event in events {
        print(
          CSVReport.line([event.at, event.kind.rawValue, event.status, event.found, event.exception ?? ""]),
          terminator: "")
      }
    case .text:
      print("\(found.state.rawValue)  \(found.severity.rawValue)  \(found.status)  \(found.title.visible())")
      for (name, value) in [
        ("rule", found.rule), ("in", found.input), ("resource", "\(found.resource)  \(found.resourceType)"),
        ("path", found.path), ("found", found.found), ("wanted", found.requirement), ("mend", found.mend),
      ] where !value.trimmingCharacters(in: .whitespaces).isEmpty {
        print("  \(name.padding(toLength: 9, withPad: " ", startingAt: 0))\(value.visible())")
      }
      if let exception {
        let end = "\(exception.id), until \(exception.ends), \(exception.owner): \(exception.reason)"
        print("  exception \(end.visible())")
      }
      for event in events { print("  \(event.at)  \(event.kind.rawValue)  \(event.found.visible())") }
    }
  }
}

struct GovernHistoryTrend: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trend", abstract: "Shows how many findings there were over time.")

  @OptionGroup var options: HistoryOptions
  @Option(help: "Over how many days.") var days = 90
  @Option(help: "At most so many points.") var points = 90

  private struct Report: Encodable {
    let points: [TrendPoint]
    let runs: [HistoryRun]
  }

  func validate() throws {
    guard (1...36_500).contains(days) else { throw ValidationError("--days: wanted 1 to 36500") }
    guard (1...10_000).contains(points) else { throw ValidationError("--points: wanted 1 to 10000") }
  }

  func run() async throws {
    let reader = HistoryReader(options.data)
    let now = Int64(Date().timeIntervalSince1970)
    let trend: [TrendPoint]
    let runs: [HistoryRun]
    do throws(HistoryError) {
      trend = try reader.trend(since: now - Int64(days) * 86_400, until: now, most: points)
      runs = try reader.runs(limit: 20)
    } catch { throw giveUp(error.description) }
    let names = ["critical", "high", "medium", "low", "info", "unknown", "excepted"]
    func numbers(_ point: TrendPoint) -> [String] {
      let open = point.open
      return [open.critical, open.high, open.medium, open.low, open.info, open.unknown, open.excepted].map {
        String($0)
      }
    }
    switch options.form {
    case .json: try printJSON(Report(points: trend, runs: runs))
    case .csv:
      print(CSVReport.line(["at"] + names), terminator: "")
      for point in trend { print(CSVReport.line([point.at] + numbers(point)), terminator: "") }
    case .text:
      func padded(_ text: String) -> String {
        String(repeating: " ", count: max(0, 9 - text.count)) + text
      }
      print("                    " + names.map(padded).joined())
      for point in trend { print(point.at + numbers(point).map(padded).joined()) }
    }
  }
}
