// `kabuto govern notify`: takes messages that wait in the history to who is to be told.

import ArgumentParser
import Foundation
import Governance

struct GovernNotify: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "notify", abstract: "Sends the messages about findings that wait, and says which do.",
    discussion: """
      `check` and `scan` with --data and --notify send them themselves; what couldn't be sent waits in the history, for a \
      week. Targets are https://…, sns:ARN, file:PATH, or YAML files (docs/GOVERN-RESULTS.md).
      Exit status: 0 = nothing waits, 1 = something does, 2 = it can't be done.
      Example:  kabuto govern notify --data data --notify targets.yaml
      """)

  @Option(help: ArgumentHelp("Folder of the history.", valueName: "dir"), completion: .directory)
  var data: String
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Targets: https://…, sns:ARN, file:PATH, or a YAML file.", valueName: "target"))
  var notify: [String]
  @Option(
    help: ArgumentHelp("One address for all services, instead of AWS's own: a test server.", valueName: "url")
  )
  var endpoint: String?
  @Option(help: "Attempts at a message.") var attempts = 4
  @Flag(help: "One JSON document instead of text.") var json = false

  func validate() throws {
    guard (1...20).contains(attempts) else { throw ValidationError("--attempts: wanted 1 to 20") }
    try AccountOptions.validate(endpoint: endpoint)
  }

  func run() async throws {
    let report: DeliveryReport
    do {
      guard FileManager.default.fileExists(atPath: HistoryReader(data).path) else {
        throw giveUp("\(data): there is no history; `kabuto govern scan --data \(data)` begins one")
      }
      let history = try FindingHistory(data)
      report = try await NotificationDelivery(
        history, try NotificationTarget.read(notify), environment: ProcessInfo.processInfo.environment,
        endpoint: endpoint.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }, attempts: attempts,
        now: { Int64(Date().timeIntervalSince1970) }
      ).run()
    } catch let error as HistoryError {
      throw giveUp(error.description)
    } catch let error as GovernanceFaults { throw giveUp(error.all.joined(separator: "\nkabuto: ")) }
    if json {
      try printJSON(report)
    } else {
      print("\(report.sent) sent, \(report.waiting) waiting, \(report.givenUp) given up")
    }
    for fault in report.faults { say("kabuto: \(fault)") }
    if report.waiting > 0 || report.givenUp > 0 || !report.faults.isEmpty { throw foundWrong }
  }
}
