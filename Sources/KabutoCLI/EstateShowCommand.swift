// `kabuto estate show` draws an estate, and says what would break; `kabuto estate schema` describes its file.

import ArgumentParser
import Estate
import Foundation

struct EstateShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Draws an estate, and says what would break if something went.",
    discussion: """
      --out writes a page (FILE.html) or a drawing (FILE.svg); without it, what fails together is told as text. \
      --without takes the name of a site, zone, carrier, location, rail, link, server or node, or KIND:NAME where a \
      name is more than one of them, and may be given several times.
      Exit status: 0 = shown, 1 = the estate has errors, 2 = it can't be read or written.
      Examples: kabuto estate show two-sites --out two-sites.html
                kabuto estate show two-sites --without tky-a --without carrier:south
      """)

  @Argument(help: ArgumentHelp("The estate.", valueName: "estate"), completion: .file())
  var file: String
  @Option(help: ArgumentHelp("Where to draw: FILE.html or FILE.svg.", valueName: "file"), completion: .file())
  var out: String?
  @Option(help: ArgumentHelp("What is lost.", valueName: "name"))
  var without: [String] = []
  @Flag(help: "What would break as one JSON document.")
  var json = false

  func run() async throws {
    let (_, estate) = try EstateSource.good(file)
    let failures = try without.flatMap { try Self.failures($0, estate) }
    if let out {
      let text: String
      if out.hasSuffix(".svg") {
        text = EstateDrawing.svg(estate, without: failures)
      } else if out.hasSuffix(".html") {
        text = EstatePage.html(estate, without: failures)
      } else {
        throw ValidationError("--out '\(out)': wanted FILE.html or FILE.svg")
      }
      do {
        try Data(text.utf8).write(to: URL(fileURLWithPath: out), options: .atomic)
      } catch { throw giveUp("\(out): can't be written: \(error.localizedDescription)") }
      say("wrote \(out)")
      if !json { return }
    }
    if json {
      let shown = failures.isEmpty ? estate.failures.map { [$0] } : [failures]
      let analysis = FailureAnalysis(estate)
      try printJSON(shown.map { Broken($0, analysis.consequences(of: $0)) })
    } else if failures.isEmpty {
      let analysis = FailureAnalysis(estate)
      for failure in estate.failures { tell(failure, analysis.consequences(of: [failure])) }
    } else {
      tellAll(failures, estate.consequences(of: failures))
    }
  }

  /// What a name may mean.
  private static func failures(_ text: String, _ estate: Estate) throws -> [Failure] {
    let all = estate.failures
    let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
    if parts.count == 2, let kind = Failure.Kind(rawValue: parts[0]) {
      guard let failure = all.first(where: { $0 == Failure(kind, parts[1]) }) else {
        let names = all.filter { $0.kind == kind }.map(\.name)
        throw giveUp(
          "--without \(text): no \(kind.rawValue) has this name; there are: \(names.joined(separator: ", "))")
      }
      return [failure]
    }
    let found = all.filter { $0.name == text }
    guard let first = found.first else {
      throw giveUp(
        "--without \(text): nothing has this name; names: \(all.map(\.name).joined(separator: ", "))")
    }
    // A name that means the same several times, such as a site of one zone, means it once.
    guard found.allSatisfy({ estate.loss(of: [$0]) == estate.loss(of: [first]) }) else {
      let names = found.map { "\($0.kind.rawValue):\($0.name)" }.joined(separator: ", ")
      throw giveUp("--without \(text): means more than one thing; wanted one of \(names)")
    }
    return [first]
  }

  private func tell(_ failure: Failure, _ result: Consequences) {
    let worst = result.streams.map(\.effect).max() ?? .unchanged
    let count = result.streams.count { $0.effect == worst }
    var text = "\(failure.kind.rawValue) \(failure.name): "
    text +=
      worst == .unchanged ? "prices go on" : "\(count) of \(result.streams.count) streams \(Self.word(worst))"
    if !result.zonesCutOff.isEmpty { text += "; cut off: \(result.zonesCutOff.joined(separator: ", "))" }
    if !result.stoppedServices.isEmpty {
      text += "; stops: \(result.stoppedServices.joined(separator: ", "))"
    }
    if !result.lostDatabases.isEmpty { text += "; lost: \(result.lostDatabases.joined(separator: ", "))" }
    for way in result.ways { text += "; \(way.from) – \(way.to) by \(Self.links(way.after))" }
    print(text)
  }

  private static func links(_ path: LinkPath?) -> String {
    path.map { "\($0.links.joined(separator: ", ")) (\(Double($0.latencyMicroseconds) / 1000) ms)" }
      ?? "nothing"
  }

  private func tellAll(_ failures: [Failure], _ result: Consequences) {
    print("without \(failures.map { "\($0.kind.rawValue) \($0.name)" }.joined(separator: ", ")):")
    for (what, names) in [
      ("nodes gone", result.loss.nodes.sorted()), ("servers gone", result.loss.servers.sorted()),
      ("links down", result.loss.links.sorted()), ("zones cut off", result.zonesCutOff),
      ("services that stop", result.stoppedServices), ("services with fewer nodes", result.thinnerServices),
      ("databases lost", result.lostDatabases),
    ] where !names.isEmpty { print("  \(what): \(names.joined(separator: ", "))") }
    for way in result.ways {
      print("  \(way.from) – \(way.to): \(Self.links(way.before)), then \(Self.links(way.after))")
    }
    for change in result.streams {
      let after = change.after.isEmpty ? "nothing" : change.after.joined(separator: ", ")
      print("  \(change.gateway) \(change.market): \(Self.word(change.effect)), takes \(after)")
    }
  }

  private static func word(_ effect: StreamChange.Effect) -> String {
    switch effect {
    case .unchanged: "goes on"
    case .thinner: "loses one of two"
    case .switched: "switches"
    case .lost: "loses all"
    }
  }

  private struct Broken: Encodable {
    struct Stream: Encodable {
      var gateway, market, effect: String
      var before, after: [String]
    }

    struct Way: Encodable {
      var from, to: String
      var before, after: [String]?
    }

    var without: [String]
    var nodes, servers, links, zones, zonesCutOff, stoppedServices, thinnerServices, lostDatabases: [String]
    var streams: [Stream]
    var ways: [Way]

    enum CodingKeys: String, CodingKey {
      case without, nodes, servers, links, zones, streams, ways
      case zonesCutOff = "zones_cut_off"
      case stoppedServices = "stopped_services"
      case thinnerServices = "thinner_services"
      case lostDatabases = "lost_databases"
    }

    init(_ failures: [Failure], _ result: Consequences) {
      without = failures.map { "\($0.kind.rawValue):\($0.name)" }
      nodes = result.loss.nodes.sorted()
      servers = result.loss.servers.sorted()
      links = result.loss.links.sorted()
      zones = result.loss.zones.sorted()
      zonesCutOff = result.zonesCutOff
      stoppedServices = result.stoppedServices
      thinnerServices = result.thinnerServices
      lostDatabases = result.lostDatabases
      ways = result.ways.map {
        Way(from: $0.from, to: $0.to, before: $0.before?.links, after: $0.after?.links)
      }
      streams = result.streams.map {
        Stream(
          gateway: $0.gateway, market: $0.market, effect: "\($0.effect)", before: $0.before, after: $0.after)
      }
    }
  }
}

struct EstateSchemaCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema",
    abstract: "Prints the JSON Schema of an estate file, for editors.",
    discussion: """
      Draft 2020-12. --reference prints the same keys as the tables of docs/ESTATE.md.
      Example: kabuto estate schema > estate.schema.json
      """)

  @Flag(help: "Markdown tables instead.")
  var reference = false

  func run() async throws { print(reference ? EstateSchema.reference : EstateSchema.text, terminator: "") }
}
