// What an estate's message servers keep, for people: `kabuto estate publish` and `kept`, `kabuto node usage`.

import ArgumentParser
import Backbone
import Estate
import Foundation

extension OperatorOptions {
  /// Connects to the servers that keep.
  func connectToKeepers() async throws -> [NatsBus] {
    let (_, estate) = try EstateSource.good(self.estate)
    let rails = Set((estate.backbone?.servers ?? []).filter(\.keepsStreams).map(\.rail))
    guard !rails.isEmpty else {
      throw giveUp(
        "estate \(estate.name): no message server keeps anything; wanted one with keeps_streams: true")
    }
    let buses = try await connect()
    let keeping = buses.filter { rails.contains($0.rail) }
    for bus in buses where !rails.contains(bus.rail) { bus.close() }
    guard keeping.contains(where: \.state.isConnected) else {
      throw giveUp(
        "no rail answers that keeps anything: "
          + keeping.map { "rail \($0.rail): \($0.state)" }.joined(separator: "; "))
    }
    return keeping
  }
}

struct EstatePublishCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "publish",
    abstract: "Has an estate kept by its message servers: nodes that run another say so.",
    discussion: """
      The estate is checked first. What is kept already must have a lower version. Speaks over the estate's own \
      backbone, as the user "operator" where it has credentials. Nodes aren't changed: they go on with their files.
      Exit status: 0 = kept (or it was already), 1 = errors in the estate, or refused, 2 = no server answers.
      Example: kabuto estate publish two-sites.yaml
      """)

  @Argument(help: ArgumentHelp("The estate's file.", valueName: "file"), completion: .file())
  var file: String
  @Option(
    help: ArgumentHelp(
      "The zone that this is run in: its message servers are tried first.", valueName: "name"))
  var zone: String?

  func run() async throws {
    let (source, estate) = try EstateSource.good(file)
    let options = OperatorOptions(estate: file, zone: zone)
    let buses = try await options.connectToKeepers()
    defer { for bus in buses { bus.close() } }
    let wanted = KeptConfiguration(
      estate, text: source.text, publishedAt: UInt64(Date().timeIntervalSince1970 * 1e9))
    let number =
      "version \(wanted.version), configuration \(EstateCheckCommand.hexadecimal(wanted.configuration))"
    var refusals: [String] = []
    var faults: [String] = []
    for bus in buses {
      do throws(BusError) {
        switch try ConfigurationKeep(bus: bus, domain: bus.rail).publish(wanted) {
        case .kept: print("rail \(bus.rail) keeps estate \(estate.name), \(number)")
        case .already: print("rail \(bus.rail) kept estate \(estate.name), \(number), already")
        case .refused(let why): refusals.append(why)
        }
      } catch { faults.append(error.description) }
    }
    for text in refusals + faults { say(text) }
    if !faults.isEmpty { throw couldNot }
    if !refusals.isEmpty { throw foundWrong }
  }
}

struct EstateKeptCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kept",
    abstract: "Prints the estate that the message servers keep.",
    discussion: """
      The file says where the servers are; what is printed is what was published. How the two stand to each other is \
      said on standard error. Exit status: 0 = the same, 1 = another is kept, or none, 2 = no server answers.
      Example: kabuto estate kept two-sites.yaml > kept.yaml
      """)

  @Argument(help: ArgumentHelp("The estate's file.", valueName: "file"), completion: .file())
  var file: String
  @Option(
    help: ArgumentHelp(
      "The zone that this is run in: its message servers are tried first.", valueName: "name"))
  var zone: String?
  @Flag(help: "One JSON document instead of the text.")
  var json = false

  private struct Report: Encodable {
    var estate: String?
    var version: Int?
    var configuration: String?
    var published: String?
    var same: Bool
    var text: String?
  }

  func run() async throws {
    let (_, estate) = try EstateSource.good(file)
    let buses = try await OperatorOptions(estate: file, zone: zone).connectToKeepers()
    defer { for bus in buses { bus.close() } }
    var kept: KeptConfiguration?
    var faults: [String] = []
    for bus in buses {
      do throws(BusError) {
        if let found = try ConfigurationKeep(bus: bus, domain: bus.rail).last(),
          found.version > kept?.version ?? Int.min
        {
          kept = found
        }
      } catch { faults.append(error.description) }
    }
    for fault in faults { say(fault) }
    guard kept != nil || faults.count < buses.count else { throw couldNot }
    let isSame =
      kept.map { $0.estate == estate.name && $0.configuration == estate.configurationHash } ?? false
    if json {
      try printJSON(
        Report(
          estate: kept?.estate, version: kept?.version,
          configuration: kept.map { EstateCheckCommand.hexadecimal($0.configuration) },
          published: kept.map { MinuteText.utc(nanoseconds: $0.publishedAt) }, same: isSame, text: kept?.text)
      )
    } else if let kept {
      print(kept.text, terminator: kept.text.hasSuffix("\n") ? "" : "\n")
    }
    if let kept {
      say(
        "kept is estate \(kept.estate), version \(kept.version), configuration "
          + "\(EstateCheckCommand.hexadecimal(kept.configuration)), published "
          + "\(MinuteText.utc(nanoseconds: kept.publishedAt)); "
          + (isSame
            ? "\(file) is the same" : "\(file) is version \(estate.version) of \(estate.name), and differs"))
    } else {
      say("nothing is kept yet; publish it with: kabuto estate publish \(file)")
    }
    if !isSame { throw foundWrong }
  }
}

struct NodeUsage: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "usage",
    abstract: "Sums what tenants used of all gateways, by minute, from what is kept.",
    discussion: """
      Each gateway has what its tenants used kept once a minute; however often and by however many servers, it counts \
      once. Requests that name no tenant are those of "-". Times are UTC.
      Example: kabuto node usage --estate two-sites.yaml --from 2026-11-26 --to 2026-11-26T12:00
      """)

  @OptionGroup var options: OperatorOptions
  @Option(help: ArgumentHelp("The first minute (default: all that is kept).", valueName: "date[Thh:mm]"))
  var from: String?
  @Option(help: ArgumentHelp("The minute before which to end.", valueName: "date[Thh:mm]"))
  var to: String?
  @Flag(help: "One JSON document instead of text.") var json = false

  private struct Report: Encodable {
    struct Row: Encodable {
      var minute: String
      var usage: UsageRecord.Tenant

      func encode(to encoder: any Encoder) throws {
        enum Key: String, CodingKey { case minute }
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(minute, forKey: .minute)
        try usage.encode(to: encoder)
      }
    }

    var minutes: [Row]
    var totals: [UsageRecord.Tenant]
    var records, copies, unreadable: Int
  }

  func run() async throws {
    let range = try Self.range(from, to)
    guard range.lowerBound < Int64.max / 60_000_000_000 else {
      throw giveUp("--from \(from ?? ""): wanted a time before the year 2262")
    }
    let buses = try await options.connectToKeepers()
    defer { for bus in buses { bus.close() } }
    var sums = UsageSums(minutes: range)
    var faults: [String] = []
    for bus in buses {
      let kept = KeptUsage(bus: bus, domain: bus.rail)
      do throws(BusError) {
        try kept.ensure()
        try kept.read(from: from == nil ? nil : range.lowerBound * 60_000_000_000, into: &sums)
      } catch { faults.append(error.description) }
    }
    for fault in faults { say(fault) }
    // What one rail has, the others have too: it is enough that one answered.
    guard faults.count < buses.count else { throw couldNot }
    if json {
      try printJSON(
        Report(
          minutes: sums.rows.map { Report.Row(minute: MinuteText.utc($0.minute), usage: $0.usage) },
          totals: sums.totals, records: sums.records, copies: sums.copies, unreadable: sums.unreadable))
    } else {
      Self.show(sums)
    }
    if sums.unreadable > 0 {
      say("\(sums.unreadable) kept messages are no usage of this program's")
      throw foundWrong
    }
  }

  private static func range(_ from: String?, _ to: String?) throws -> Range<Int64> {
    func minute(_ name: String, _ text: String?, _ otherwise: Int64) throws -> Int64 {
      guard let text else { return otherwise }
      guard let minute = MinuteText.minute(text) else {
        throw ValidationError("\(name): \"\(text)\" found, wanted UTC such as 2026-11-26 or 2026-11-26T09:30")
      }
      return minute
    }
    let first = try minute("--from", from, 0)
    let end = try minute("--to", to, Int64.max / 60_000_000_000)
    guard first < end else { throw ValidationError("--to: wanted a minute after --from") }
    return first..<end
  }

  // Not within `run`, and not drawn into it: Swift 6.3 fails to optimise these in an asynchronous function.
  @inline(never) private static func show(_ sums: UsageSums) {
    func line(_ time: String, _ usage: UsageRecord.Tenant) {
      print(
        "\(time)  \(usage.tenant.isEmpty ? "-" : usage.tenant)  \(usage.requests) requests  \(usage.streams) streams  "
          + "\(usage.streamMilliseconds / 1000) s  \(usage.messages) messages  \(usage.bytes) bytes")
    }
    for row in sums.rows { line(MinuteText.utc(row.minute), row.usage) }
    for total in sums.totals { line("total            ", total) }
    say("\(sums.records) minutes of gateways, \(sums.copies) copies passed over")
  }
}

/// Minutes since 1970 as text, UTC.
enum MinuteText {
  private static func formatter(_ format: String) -> DateFormatter {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(secondsFromGMT: 0)
    formatter.isLenient = false
    formatter.dateFormat = format
    return formatter
  }

  static func utc(_ minute: Int64) -> String {
    formatter("yyyy-MM-dd'T'HH:mm'Z'").string(from: Date(timeIntervalSince1970: Double(minute) * 60))
  }

  static func utc(nanoseconds: UInt64) -> String {
    formatter("yyyy-MM-dd'T'HH:mm:ss'Z'").string(
      from: Date(timeIntervalSince1970: Double(nanoseconds) / 1e9))
  }

  /// nil where the text is none.
  static func minute(_ text: String) -> Int64? {
    for format in ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mm'Z'"] {
      if let date = formatter(format).date(from: text), date.timeIntervalSince1970 >= 0 {
        return Int64(date.timeIntervalSince1970 / 60)
      }
    }
    return nil
  }
}
