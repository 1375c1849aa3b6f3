// What becomes of results beside the report: they are kept in a history, and who wants to know is told.

import ArgumentParser
import Foundation
import Governance

/// Options of `check` and `scan`.
struct ResultOptions: ParsableArguments {
  @OptionGroup var keeping: KeepOptions
  @Option(
    help:
      "Language of reports for people (text, comment, HTML, CSV, JUnit, ASFF, OCSF), and of what a catalogue's findings say: en, ja."
  )
  var language: ReportLanguage = .english

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
  ///   - endpoint: one address for all services of AWS; nil = AWS's own.
  func keep(
    _ result: CheckResult, source: String, began: Date, account: String? = nil, region: String? = nil,
    asked: [String] = [], files: [String] = [], exceptions: [ExceptionEnd] = [],
    parameters: InputParameters = .none, endpoint: String? = nil
  ) async -> Kept {
    let now = Date()
    let at = Int64(now.timeIntervalSince1970)
    var context = ReportContext(at: at, version: Kabuto.version)
    context.language = language
    context.account = account
    context.region = region
    var kept = Kept(context: context)
    guard let data = keeping.data else { return kept }
    guard result.omittedCount == 0 else {
      kept.faults.append("more findings than a history takes at once; nothing was kept of this run")
      return kept
    }
    do {
      let history = try FindingHistory(data, retentionDays: keeping.keepDays)
      var extra = RunExtra()
      extra.milliseconds = Int64(now.timeIntervalSince(began) * 1_000)
      extra.exceptions = exceptions
      extra.parameters = parameters.digest
      // A run is kept though nobody can be told of it.
      do throws(GovernanceFaults) { extra.targets = try NotificationTarget.read(keeping.notify) } catch {
        kept.faults += error.all
      }
      let scope = Set(result.results.map(\.input) + result.findings.map(\.input) + asked)
      if !files.isEmpty {
        let missing = MissingInputs(
          try history.unfixedInputs(source: source), told: scope, asked: files, unread: result.unread)
        (extra.gone, extra.untold) = (missing.gone, missing.untold)
      }
      // Where an account doesn't tell its regions, those that it had may be there all the same.
      let blind = result.regionlessAccounts
      if !blind.isEmpty {
        extra.untold += try history.unfixedInputs(source: source).filter { input in
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
          history, extra.targets, environment: ProcessInfo.processInfo.environment, endpoint: endpoint,
          now: { Int64(Date().timeIntervalSince1970) }
        ).run()
        if report.sent > 0 { say("kabuto: \(counted(report.sent, "message")) sent") }
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
