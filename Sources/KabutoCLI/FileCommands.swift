// Commands over recorded files: stats, books, digest.

import ArgumentParser
import FeedHandler
import Foundation
import MarketData
import TickerPlant

struct Stats: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Counts the messages of a file: types, instruments, times, gaps, bad messages with their offsets.",
    discussion:
      "Reads ITCH files (also gzip, also with zero length prefixes), pcap and pcapng. Exit 1 where a message is bad or missing."
  )

  @Argument(help: "Files that follow one another.", completion: .file())
  var files: [String]

  @Flag(help: "One JSON document on standard output.")
  var json = false

  func run() throws {
    let progress = ProgressLine()
    let statistics: FileStatistics
    do {
      statistics = try FileStatistics.gather(from: FeedFile(paths: files)) { progress.show($0, $1, "read") }
    } catch {
      progress.end()
      throw giveUp("\(error)")
    }
    progress.end()
    if json { print(try statistics.json()) } else { print(statistics.report) }
    if !statistics.isClean { throw foundWrong }
  }
}

struct Digest: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Plays a file at full speed through the ticker plant and prints the digest of the state it leaves.",
    discussion:
      "The digest is equal wherever the same messages were applied. Exit 1 where a message is bad or missing."
  )

  @Argument(help: "Files that follow one another.", completion: .file())
  var files: [String]

  @Option(help: "Reference data; without it FILE.reference.json, where that exists.", completion: .file())
  var reference: String?

  @Option(
    help:
      "Also writes every instrument's final book to this file: code, side, price × 10,000, shares, orders; best first.",
    completion: .file())
  var books: String?

  @Flag(help: "One JSON document on standard output.")
  var json = false

  struct Report: Encodable {
    var files: [String]
    var messages: UInt64
    var instruments: Int
    var live_orders: Int
    var trades: UInt64
    var digest: String
    var bad: UInt64
    var missing: UInt64
    var unknown_orders: UInt64
    var duplicate_orders: UInt64
    var impossible_sizes: UInt64
    var unknown_trades: UInt64
    var cpu_seconds: Double
    var ns_per_message: Double
    var peak_memory_bytes: Int
  }

  func run() throws {
    let progress = ProgressLine()
    var replay: FileReplay
    do throws(FeedSetupError) { replay = try FileReplay(paths: files, reference: reference) } catch {
      throw giveUp(error.description)
    }
    let begin = clock()
    do throws(FeedSetupError) { try replay.run(progress: { progress.show($0, $1, "applied") }) } catch {
      progress.end()
      throw giveUp(error.description)
    }
    let seconds = Double(clock() - begin) / Double(CLOCKS_PER_SEC)
    progress.end()
    if let books {
      do { try FinalBooks.write(replay.plant, to: books) } catch {
        throw giveUp("--books: \(books): \(error)")
      }
    }
    let counters = replay.plant.counters
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    let report = Report(
      files: files, messages: counters.messages, instruments: replay.plant.instrumentCount,
      live_orders: replay.plant.liveOrders, trades: counters.trades,
      digest: replay.plant.digest().description,
      bad: replay.badCount, missing: replay.missing, unknown_orders: counters.unknownOrders,
      duplicate_orders: counters.duplicateOrders, impossible_sizes: counters.impossibleSizes,
      unknown_trades: counters.unknownTrades, cpu_seconds: seconds,
      ns_per_message: counters.messages == 0 ? 0 : seconds * 1e9 / Double(counters.messages),
      peak_memory_bytes: usage.ru_maxrss * 1024)
    if json {
      try printJSON(report)
    } else {
      print(
        """
        messages      \(report.messages)
        instruments   \(report.instruments)
        live orders   \(report.live_orders)
        trades        \(report.trades)
        digest        \(report.digest)
        CPU           \(String(format: "%.3f s, %.1f ns a message", seconds, report.ns_per_message))
        """)
      let faults: [(String, UInt64)] = [
        ("bad messages", report.bad), ("missing", report.missing), ("unknown orders", report.unknown_orders),
        ("duplicate orders", report.duplicate_orders), ("impossible sizes", report.impossible_sizes),
        ("unknown trades", report.unknown_trades),
      ]
      for (name, count) in faults where count > 0 {
        print(name.padding(toLength: 16, withPad: " ", startingAt: 0) + String(count))
      }
    }
    for bad in replay.bad { say("\(bad)") }
    if replay.badCount > UInt64(replay.bad.count) {
      say("and \(replay.badCount - UInt64(replay.bad.count)) more bad messages")
    }
    if replay.badCount > 0 || replay.missing > 0 { throw foundWrong }
  }
}

struct Books: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints an instrument's order book after each message of a file that names it, as CSV.",
    discussion: """
      Columns: number of the message from 1, time in ns since midnight, then ask price 1, ask size 1, bid price 1, \
      bid size 1, and so on (LOBSTER's columns). Prices × 10,000; an empty level is 9999999999,0 for asks and \
      -9999999999,0 for bids.
      """)

  @Argument(help: "Files that follow one another.", completion: .file())
  var files: [String]

  @Option(help: "Code of the instrument.")
  var instrument: String

  @Option(help: "Price levels of each side, 1 to 1000.")
  var levels = 10

  func validate() throws {
    guard (1...1000).contains(levels) else {
      throw ValidationError("--levels: \(levels) found, wanted 1 to 1000")
    }
    guard InstrumentCode(instrument) != nil else {
      throw ValidationError(
        "--instrument: \"\(instrument)\" found, wanted one to eight printable ASCII characters")
    }
  }

  func run() throws {
    guard let code = InstrumentCode(instrument) else {
      throw giveUp("--instrument: \"\(instrument)\" is no code")
    }
    var replay: FileReplay
    do throws(FeedSetupError) { replay = try FileReplay(paths: files, reference: nil) } catch {
      throw giveUp(error.description)
    }
    let progress = ProgressLine(quiet: isatty(1) == 1)
    var output = BookRows(levels: levels)
    var index = -1
    do throws(FeedSetupError) {
      try replay.run(progress: { progress.show($0, $1, "applied") }) { plant, number, time in
        if plant.touched < 0 { return }
        if index < 0 { index = plant.index(of: code) ?? -1 }
        if plant.touched == index { output.append(plant, index, number: number, time: time) }
      }
    } catch {
      output.flush()
      progress.end()
      throw giveUp(error.description)
    }
    output.flush()
    progress.end()
    if index < 0 {
      let known = (0..<replay.plant.instrumentCount).map { replay.plant.code(of: $0).description }.sorted()
      let shown =
        known.prefix(12).joined(separator: ", ") + (known.count > 12 ? " and \(known.count - 12) more" : "")
      throw giveUp(
        "no message names \(instrument); the input has: \(known.isEmpty ? "no instrument" : shown)")
    }
    for bad in replay.bad { say("\(bad)") }
    if replay.badCount > 0 || replay.missing > 0 { throw foundWrong }
  }
}

/// Rows of `kabuto books`, written in blocks.
struct BookRows {
  private let levels: Int
  private var buffer: [UInt8] = []

  init(levels: Int) {
    self.levels = levels
    buffer.reserveCapacity(1 << 17)
  }

  mutating func append(_ plant: borrowing TickerPlant, _ index: Int, number: UInt64, time: UInt64) {
    put(number)
    buffer.append(0x2c)
    put(time)
    for depth in 0..<levels {
      if let ask = plant.level(depth, of: index, side: .sell) {
        buffer.append(0x2c)
        put(UInt64(ask.price))
        buffer.append(0x2c)
        put(ask.size)
      } else {
        buffer.append(contentsOf: ",9999999999,0".utf8)
      }
      if let bid = plant.level(depth, of: index, side: .buy) {
        buffer.append(0x2c)
        put(UInt64(bid.price))
        buffer.append(0x2c)
        put(bid.size)
      } else {
        buffer.append(contentsOf: ",-9999999999,0".utf8)
      }
    }
    buffer.append(0x0a)
    if buffer.count > 1 << 16 { flush() }
  }

  private mutating func put(_ value: UInt64) { buffer.append(contentsOf: String(value).utf8) }

  mutating func flush() {
    StandardOutput.write(buffer)
    buffer.removeAll(keepingCapacity: true)
  }
}
