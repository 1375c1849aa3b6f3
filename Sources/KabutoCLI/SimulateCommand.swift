// `kabuto simulate`: a simulated day as an ITCH file, and its reference data beside it.

import ArgumentParser
import ExchangeSimulator
import FeedProtocols
import Foundation
import MarketData

struct Simulate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes a simulated Tokyo-style day as a TotalView-ITCH 5.0 file.",
    discussion: """
      Beside FILE comes FILE.reference.json with what ITCH can't carry: market, names, base prices, limits, tick \
      tables. The same seed and sizes give the same bytes.
      """)

  @Option(help: "The file to write.", completion: .file())
  var out: String

  @Option(help: "Decides all that happens.")
  var seed: UInt64 = 1

  @Option(help: "Number of instruments, 1 to 20000.")
  var instruments = 400

  @Option(help: "About how many messages the day has; default 6000 an instrument.")
  var messages: Int?

  @Option(help: "Trading days, one behind the other in the file.")
  var days = 1

  @Option(help: "The first day.")
  var date = "2026-11-24"

  @Flag(help: "One JSON document on standard output.")
  var json = false

  func validate() throws {
    if let messages, messages < 1 { throw ValidationError("--messages: \(messages) found, wanted 1 or more") }
    guard CalendarDate(date) != nil else {
      throw ValidationError("--date: \"\(date)\" found, wanted YYYY-MM-DD")
    }
    guard (1...1000).contains(days) else { throw ValidationError("--days: \(days) found, wanted 1 to 1000") }
  }

  struct Report: Encodable {
    var file: String
    var reference: String
    var messages: Int
    var bytes: Int
    var instruments: Int
    var seconds: Double
  }

  func run() throws {
    guard let date = CalendarDate(date) else { throw giveUp("--date: \"\(date)\" is no date") }
    // Fewer messages than a whole day takes: the day's beginning, so many messages of it.
    let fewest = SimulatorConfiguration.minimumMessagesPerInstrument * max(0, min(instruments, 1_000_000))
    let cut = messages.flatMap { $0 / days < fewest ? $0 : nil }
    let configuration = SimulatorConfiguration(
      seed: seed, instruments: instruments, date: date,
      messagesPerDay: messages.map { max($0 / days, fewest) })
    do throws(SimulatorConfigurationError) { try configuration.validate() } catch {
      throw ValidationError(error.description)
    }
    let begin = Date()
    var market = SimulatedMarket(configuration)
    let reference = market.reference
    let part = out + ".part"
    guard FileManager.default.createFile(atPath: part, contents: nil),
      let file = FileHandle(forWritingAtPath: part)
    else {
      throw giveUp("\(out): can't be written; wanted a place in a folder that exists and may be written to")
    }
    let progress = ProgressLine()
    var written = 0
    var bytes = 0
    // A message of such a day has about 31 bytes.
    let wantedBytes = UInt64(configuration.messagesPerDay * days) * 31
    var writer = ByteWriter(capacity: 8 << 20)
    do {
      for day in 0..<days where written < cut ?? .max {
        if day > 0 { market.beginNextDay() }
        while market.nextTimestamp != nil, written < cut ?? .max {
          writer.bytes.removeAll(keepingCapacity: true)
          written += market.advance(to: .max, limit: 100_000, into: &writer)
          if let cut, written > cut { written = Self.drop(written - cut, from: &writer, count: written) }
          try file.write(contentsOf: writer.bytes)
          bytes += writer.bytes.count
          progress.show(UInt64(bytes), max(wantedBytes, UInt64(bytes)), "written")
        }
      }
      try file.close()
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
      try encoder.encode(reference).write(to: URL(fileURLWithPath: out + ".reference.json"), options: .atomic)
      guard rename(part, out) == 0 else { throw CocoaError(.fileWriteUnknown) }
    } catch {
      progress.end()
      try? FileManager.default.removeItem(atPath: part)
      throw giveUp(
        "\(out): writing failed after \(bytes) bytes (\(error.localizedDescription)); nothing was left behind"
      )
    }
    progress.end()
    let report = Report(
      file: out, reference: out + ".reference.json", messages: written, bytes: bytes,
      instruments: instruments, seconds: Date().timeIntervalSince(begin))
    if json {
      try printJSON(report)
    } else {
      print(
        "\(out): \(written) messages, \(instruments) instruments, \(String(format: "%.1f", report.seconds)) s"
      )
      print("\(report.reference): names, base prices, limits, tick tables")
    }
  }

  /// Takes the last `excess` messages out of a block of whole frames. Returns how many are left of `count`.
  private static func drop(_ excess: Int, from writer: inout ByteWriter, count: Int) -> Int {
    var ends: [Int] = []
    var place = 0
    while place + 2 <= writer.bytes.count {
      place += 2 + (Int(writer.bytes[place]) << 8 | Int(writer.bytes[place + 1]))
      ends.append(place)
    }
    let keep = max(0, ends.count - excess)
    writer.bytes.removeLast(writer.bytes.count - (keep == 0 ? 0 : ends[keep - 1]))
    return count - (ends.count - keep)
  }
}
