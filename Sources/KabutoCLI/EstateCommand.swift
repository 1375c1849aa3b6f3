// `kabuto estate`: the description of what there is, checked, drawn, and turned into what others read.

import ArgumentParser
import Estate
import Foundation

struct EstateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "estate",
    abstract:
      "Describes sites, zones, links, nodes and services in one file: checks it, shows it, writes from it.",
    discussion: """
      ESTATE is a YAML file (docs/ESTATE.md), or the name of an estate that the program carries: \
      \(EstateExamples.names.joined(separator: ", ")).
      """,
    subcommands: [
      EstateCheckCommand.self, EstateShowCommand.self, EstateSchemaCommand.self, EstateServersCommand.self,
      EstatePublishCommand.self, EstateKeptCommand.self,
    ])
}

/// An estate as people name it, read.
struct EstateSource {
  /// What people gave.
  var name: String
  /// The folder that paths of the estate are relative to.
  var folder: String
  /// What was read.
  var text: String

  /// Reads and checks. Gives up with status 2 when there is nothing to read.
  static func read(_ name: String) throws -> (source: EstateSource, estate: Estate?, faults: [EstateFault]) {
    var isFolder: ObjCBool = false
    let isFile = FileManager.default.fileExists(atPath: name, isDirectory: &isFolder) && !isFolder.boolValue
    if !isFile, let text = EstateExamples.text(named: name) {
      let (estate, faults) = EstateFile.read(text)
      return (EstateSource(name: name, folder: ".", text: text), estate, faults)
    }
    guard isFile,
      let handle = FileHandle(forReadingAtPath: name),
      let data = try? handle.read(upToCount: EstateFile.byteLimit + 1)
    else {
      throw giveUp(
        "\(name): can't be read; wanted a YAML file, or one of \(EstateExamples.names.joined(separator: ", "))"
      )
    }
    let (estate, faults) = EstateFile.read(bytes: Array(data))
    return (
      EstateSource(
        name: name, folder: (name as NSString).deletingLastPathComponent,
        text: String(decoding: data, as: UTF8.self)), estate, faults
    )
  }

  /// An estate without errors. Errors are told on standard error and end with status 1; warnings are for `check`.
  static func good(_ name: String) throws -> (source: EstateSource, estate: Estate) {
    let (source, estate, faults) = try read(name)
    for fault in faults where fault.severity == .error { say(fault.text(file: name)) }
    guard let estate else { throw foundWrong }
    return (source, estate)
  }
}

struct EstateCheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Says all that is wrong with an estate, and what fails together in it.",
    discussion: """
      Each fault has a place, a code that docs/ESTATE.md explains, what was found, what is wanted, and a remedy.
      Exit status: 0 = no error (warnings there may be), 1 = errors, 2 = the file can't be read.
      Examples: kabuto estate check estate.yaml
                kabuto estate check two-sites --json
      """)

  @Argument(help: ArgumentHelp("The estate.", valueName: "estate"), completion: .file())
  var file = "embedded"
  @Flag(help: "One JSON document instead of text.")
  var json = false

  func run() async throws {
    let (_, estate, faults) = try EstateSource.read(file)
    let errors = faults.count { $0.severity == .error }
    if json {
      try printJSON(Report(file, estate, faults))
    } else {
      for fault in faults { print(fault.text(file: file)) }
      let warnings = faults.count - errors
      if let estate {
        say(
          "\(file): estate \(estate.name), version \(estate.version), configuration "
            + "\(Self.hexadecimal(estate.configurationHash)): \(estate.sites.count) sites, \(estate.zones.count) zones, "
            + "\(estate.links.count) links, \(estate.nodes.count) nodes; \(warnings) warnings")
      } else {
        say("\(file): \(errors) errors, \(warnings) warnings")
      }
    }
    if errors > 0 { throw foundWrong }
  }

  static func hexadecimal(_ hash: UInt32) -> String {
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 8 - digits.utf8.count) + digits
  }

  private struct Report: Encodable {
    struct Fault: Encodable {
      var code, severity, found, wanted, remedy: String
      var line, column: Int
      var nearest: String?
    }

    var file: String
    var estate: String?
    var version: Int?
    var configuration: String?
    var errors, warnings: Int
    var faults: [Fault]

    init(_ file: String, _ estate: Estate?, _ faults: [EstateFault]) {
      self.file = file
      self.estate = estate?.name
      version = estate?.version
      configuration = estate.map { EstateCheckCommand.hexadecimal($0.configurationHash) }
      errors = faults.count { $0.severity == .error }
      warnings = faults.count - errors
      self.faults = faults.map {
        Fault(
          code: $0.code.rawValue, severity: $0.severity.rawValue, found: $0.found, wanted: $0.wanted,
          remedy: $0.remedy, line: $0.place.line, column: $0.place.column, nearest: $0.nearest)
      }
    }
  }
}
