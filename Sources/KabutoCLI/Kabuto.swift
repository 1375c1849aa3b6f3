// The `kabuto` command. Exit status: 0 done and good, 1 done and something is wrong, 2 could not be done, 64 usage.

import ArgumentParser
import Foundation

@main
struct Kabuto: AsyncParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "kabuto",
    abstract: "Delivers stock prices: exchange feeds to order books, prices, REST, streams and a viewer.",
    discussion: """
      Start here:  kabuto serve            a simulated exchange and the viewer at http://127.0.0.1:8080
                   kabuto serve --feed 'itch:FILE?speed=60'    a recorded day, sixty times as fast
      """,
    version: version,
    subcommands: [
      Serve.self, Stats.self, Books.self, Digest.self, Simulate.self, Replay.self, Top.self,
      FirewallCommand.self, EstateCommand.self, NodeGroup.self, LabCommand.self, DrillCommand.self,
      GovernCommand.self,
    ])

  static func main() async {
    StandardOutput.begin()
    await main(nil)
  }
}

/// Done, but something is wrong.
let foundWrong = ExitCode(1)
/// Could not be done.
let couldNot = ExitCode(2)

/// A line to standard error.
func say(_ text: String) { sayRaw(text + "\n") }

/// The same without an end of the line. Where nobody can hear it, nobody can be told so.
func sayRaw(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }

/// Says why and gives up with status 2.
func giveUp(_ reason: String) -> ExitCode {
  say("kabuto: \(reason)")
  return couldNot
}

/// Progress on standard error: a line that is written over on a terminal, a line each few seconds elsewhere.
final class ProgressLine {
  private let isTerminal = isatty(2) == 1
  private let started = Date()
  private var last = Date.distantPast
  private var shown = false
  private let quiet: Bool

  init(quiet: Bool = false) { self.quiet = quiet }

  func show(_ done: UInt64, _ total: UInt64, _ what: String) {
    let now = Date()
    guard !quiet, now.timeIntervalSince(started) > 0.5,
      now.timeIntervalSince(last) > (isTerminal ? 0.1 : 5) || (done >= total && shown)
    else { return }
    last = now
    shown = true
    let percent = total == 0 ? 100 : Double(done) / Double(total) * 100
    let text = String(
      format: "%5.1f %%  %.0f of %.0f MB  %@", percent, Double(done) / 1e6, Double(total) / 1e6, what)
    sayRaw((isTerminal ? "\r\u{1b}[K" : "") + text + (isTerminal ? "" : "\n"))
  }

  func end() {
    if shown, isTerminal { sayRaw("\r\u{1b}[K") }
  }
}

/// Writes a value as one JSON document on standard output.
func printJSON(_ value: some Encodable) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  StandardOutput.write(try encoder.encode(value) + Data("\n".utf8))
}
