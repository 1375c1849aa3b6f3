// `kabuto firewall rules`: what is loaded, and what it costs on given traffic, for people who tune.

import ArgumentParser
import Firewall
import FirewallProxy
import Foundation

struct FirewallRules: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rules",
    abstract: "Shows which rules are loaded, and what each costs on given traffic.",
    discussion: """
      Rules are scanned ahead (visited only where a pattern database hit them), always visited, or guards (comparisons \
      that skip others). With --input the requests go through the rules, several times where they are few, and each rule \
      and each node of the scan is shown with its share of CPU, the dearest first; the time of the measuring itself is \
      taken off. Counts are of one pass.
      Exit status: 0 = done, 2 = the rules or the requests can't be read.
      Example:  kabuto firewall rules --rules crs-setup.conf --rules rules/ --input traffic.har --top 20
      """)

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Files or folders with SecLang rules, in this order.", valueName: "file|dir"),
    completion: .file())
  var rules: [String]
  @Option(
    help: ArgumentHelp("Traffic: raw HTTP, HAR, JSON lines or curl; - is standard input.", valueName: "file"),
    completion: .file())
  var input: String?
  @Flag(help: "A line for each rule.")
  var list = false
  @Option(help: "How many of the dearest rules and scans to show.")
  var top = 30
  @Flag(help: "One JSON document with everything.")
  var json = false

  func run() async throws {
    guard top >= 0 else { throw giveUp("--top \(top): wanted 0 or more") }
    let policy: Policy
    do throws(RuleFaults) { policy = try PolicyLoader(paths: rules).load() } catch {
      throw giveUp(error.description)
    }
    var report = RulesReport(policy: policy)
    if let input {
      let requests = try CapturedRequest.all(fromFile: input)
      report.measure(requests)
    }
    print(json ? report.json : report.text(list: list, top: top))
  }
}

extension CapturedRequest {
  /// The requests of a file, of standard input where it is `-`; what is wrong ends the command.
  static func all(fromFile path: String) throws -> [CapturedRequest] {
    let bytes: [UInt8]
    do {
      bytes = Array(
        try path == "-"
          ? FileHandle.standardInput.readToEnd() ?? Data() : Data(contentsOf: URL(fileURLWithPath: path)))
    } catch { throw giveUp("\(path): \(error.localizedDescription)") }
    do throws(CaptureFault) {
      return try all(in: bytes, file: path == "-" ? "(standard input)" : path)
    } catch { throw giveUp("\(error)") }
  }
}
