// Options that `check`, `scan` and `watch` share: what stands beside inputs and results, how the report is written, and
// what is kept.

import ArgumentParser
import Governance

/// Exceptions, and parameters of rules.
struct BesideOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Exceptions: a file, or a folder with them.", valueName: "file|dir"),
    completion: .file())
  var exceptions: String?
  @Option(
    name: [.customShort("i"), .long], parsing: .upToNextOption,
    help: ArgumentHelp(
      "YAML or JSON whose outermost members are put beside those of every input, or the resources of every region; a name that is there twice is a fault.",
      valueName: "file"), completion: .file())
  var inputParameters: [String] = []

  /// Reads the exceptions that were named.
  /// - Returns: nil where none were.
  func readExceptions() throws(GovernanceFaults) -> Exceptions? {
    guard let exceptions else { return nil }
    return try Exceptions(exceptions)
  }

  /// Reads the parameters.
  /// - Parameter mostBytes: of all files together; nil = as many as anybody takes.
  func readParameters(mostBytes: Int? = nil) throws(GovernanceFaults) -> InputParameters {
    guard let mostBytes else { return try InputParameters(inputParameters) }
    return try InputParameters(inputParameters, mostBytes: mostBytes)
  }
}

/// How a report is written, and what of it is a failure.
struct ReportOptions: ParsableArguments {
  @Option(
    help: "How the report is written: \(ReportFormat.allCases.map(\.rawValue).joined(separator: ", ")).")
  var format: ReportFormat = .text
  @Flag(help: "The same as --format json.")
  var json = false
  @Flag(help: "What can't be told is no reason to fail.")
  var allowUnknown = false

  var form: ReportFormat { json ? .json : format }
}

/// The history, and who is told.
struct KeepOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Folder of the history of findings; without it nothing is kept after the end.", valueName: "dir"),
    completion: .directory)
  var data: String?
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Who is told of what is new: https://…, sns:ARN, file:PATH, or a YAML file of targets. Needs --data.",
      valueName: "target"))
  var notify: [String] = []
  @Option(
    help: ArgumentHelp("Days for which the history keeps events and what is fixed.", valueName: "days"))
  var keepDays = FindingHistory.usualRetentionDays

  func validate() throws {
    guard (1...36_500).contains(keepDays) else { throw ValidationError("--keep-days: wanted 1 to 36500") }
    if data == nil, !notify.isEmpty {
      throw ValidationError("--notify needs --data: what is new is told by the history")
    }
  }
}
