// `kabuto firewall lint`: what rules say that can hardly be meant, with its place.

import ArgumentParser
import Firewall
import FirewallProxy
import Foundation

struct FirewallLint: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lint",
    abstract: "Warns of rules that can never match, useless exclusions and expensive patterns.",
    discussion: """
      Each warning ends with the name of its check; --except leaves checks out. The checks: \
      \(LintCheck.allCases.map(\.rawValue).joined(separator: ", ")).
      Exit status: 0 = no warnings, 1 = warnings, 2 = the rules can't be read.
      Example:  kabuto firewall lint --rules crs-setup.conf rules/ --except prefilter
      """)

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Files or folders with SecLang rules, in this order.", valueName: "file|dir"),
    completion: .file())
  var rules: [String]
  @Option(
    parsing: .upToNextOption, help: ArgumentHelp("Checks to leave out.", valueName: "check"),
    completion: .list(LintCheck.allCases.map(\.rawValue)))
  var except: [String] = []
  @Flag(help: "One JSON document.")
  var json = false

  struct Warning: Encodable {
    var file: String
    var line: Int
    var rule: Int
    var check: String
    var found: String
    var wanted: String
  }
  struct Document: Encodable { var warnings: [Warning] }

  func run() async throws {
    let left = Set(except)
    for name in except where LintCheck(rawValue: name) == nil {
      throw giveUp(
        "--except '\(name)': wanted one of \(LintCheck.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    let warnings: [LintWarning]
    do throws(RuleFaults) {
      warnings = try PolicyLoader(paths: rules).lint().filter { !left.contains($0.check.rawValue) }
    } catch { throw giveUp(error.description) }
    if json {
      let document = Document(
        warnings: warnings.map {
          Warning(
            file: $0.place.file, line: $0.place.line, rule: $0.rule, check: $0.check.rawValue,
            found: $0.found,
            wanted: $0.wanted)
        })
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      print(String(decoding: try encoder.encode(document), as: UTF8.self))
    } else {
      for warning in warnings { print(warning) }
    }
    if !warnings.isEmpty { throw ExitCode(1) }
  }
}
