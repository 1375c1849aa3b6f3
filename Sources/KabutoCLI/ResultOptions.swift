// What becomes of results beside the report: they are kept in a history, and who wants to know is told.

public import ArgumentParser
import Foundation
public import Governance

/// Options of `check` and `scan`.
struct ResultOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Folder of the history of findings; without it nothing is kept.", valueName: "dir"),
    completion: .directory)
  var data: String?
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Who is told of what is new: https://…, file:PATH, or a YAML file of targets. Needs --data.",
      valueName: "target"))
  var notify: [String] = []
  @Option(
    help: ArgumentHelp("Days for which the history keeps events and what is fixed.", valueName: "days"))
  var keepDays = FindingHistory.usualRetentionDays
  @Option(
    help:
      "Language of HTML, ASFF and OCSF reports, of comments, and of what a catalogue's findings say: en, ja.")
  var language: ReportLanguage = .english

  func validate() throws {
    guard (1...36_500).contains(keepDays) else { throw ValidationError("--keep-days: wanted 1 to 36500") }
    if data == nil, !notify.isEmpty {
      throw ValidationError("--notify needs --data: what is new is told by the history")
    }
  }

  /// What was kept, and what went wrong with it.
  struct Kept {
    var context: ReportContext
    fileprivate var faults: [String] = []

    /// Writes the report; whatever it says, results that couldn't be kept are a failure.
    func finish(_ report: () throws -> Void) throws {
      guard !faults.isEmpty else { return try report() }
      do { try report() } catch let status as ExitCode where status == foundWrong {}
      for fault in faults { say("kabuto: \(fault)") }
      throw couldNot
    }
  }

  /// Keeps a run and tells who wants to know.
  /// - Parameters:
  ///   - began: when the run began.
  ///   - account: of inputs that have none.
  ///   - asked: inputs that were asked for, beside those that the result names.
  ///   - files: files and folders that were looked at: what was in them and is gone is fixed.
  ///   - exceptions: until when exceptions are valid.
  ///   - parameters: what rules were given.
  func keep(
    _ result: CheckResult, source: String, began: Date, account: String? = nil, region: String? = nil,
    asked: [String] = [], files: [String] = [], exceptions: [ExceptionEnd] = [],
    parameters: InputParameters = .none
  ) async -> Kept {
    let now = Date()
    let at = Int64(now.timeIntervalSince1970)
    var context = ReportContext(at: at, version: Kabuto.version)
    context.language = language
    context.account = account
    context.region = region
    var kept = Kept(context: context)
    guard let data else { return kept }
    guard result.omittedCount == 0 else {
      kept.faults.append("more findings than a history takes at once; nothing was kept of this run")
      return kept
    }
    do {
      let history = try FindingHistory(data, retentionDays: keepDays)
      var extra = RunExtra()
      extra.milliseconds = Int64(now.timeIntervalSince(began) * 1_000)
      extra.exceptions = exceptions
      extra.parameters = parameters.digest
      // A run is kept though nobody can be told of it.
      do throws(GovernanceFaults) { extra.targets = try NotificationTarget.read(notify) } catch {
        kept.faults += error.all
      }
      if !files.isEmpty {
        extra.gone = try history.unfixedInputs(source: source).filter { input in
          files.contains { input == $0 || input.hasPrefix($0.hasSuffix("/") ? $0 : $0 + "/") }
            && !FileManager.default.fileExists(atPath: input)
        }
      }
      let scope = Set(result.results.map(\.input) + result.findings.map(\.input) + asked)
      // Where an account doesn't tell its regions, those that it had may be there all the same.
      let blind = result.regionlessAccounts
      if !blind.isEmpty {
        extra.untold = try history.unfixedInputs(source: source).filter { input in
          !scope.contains(input) && blind.contains { input.hasPrefix("aws:\($0)/") }
        }
      }
      let change = try history.record(result, scope: scope.sorted(), source: source, at: at, extra)
      say(Self.text(of: change))
      let reader = HistoryReader(data)
      kept.context.trend = try reader.trend(since: at - 90 * 86_400, until: at, most: 90)
      kept.context.firstSeen = try reader.firstSeen(source: source)
      if !extra.targets.isEmpty {
        let report = try await NotificationDelivery(
          history, extra.targets, environment: ProcessInfo.processInfo.environment,
          now: { Int64(Date().timeIntervalSince1970) }
        ).run()
        if report.sent > 0 { say("kabuto: \(report.sent) messages sent") }
        kept.faults += report.faults
      }
    } catch { kept.faults.append("\(error)") }
    return kept
  }

  private static func text(of change: HistoryChange) -> String {
    "kabuto: history: \(change.opened.count) new, \(change.reopened.count) back, \(change.again) again, "
      + "\(change.fixed.count) fixed, \(change.excepted.count) excepted, \(change.unseen.count) not told"
  }
}
