// `kabuto top`: a server's figures in the terminal, from its /v1/status.

import ArgumentParser
import Foundation
import FoundationNetworking

struct Top: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows a server's message rate, lag, gaps, clients and conflation, again each second.")

  @Argument(help: "The server.")
  var url = "http://127.0.0.1:8080"

  @Option(
    help: ArgumentHelp(
      "Every node of this estate instead, and the paths of its gateways.", valueName: "file"),
    completion: .file())
  var estate: String?

  @Flag(help: "Shows it once and ends.")
  var once = false

  @Flag(help: "One JSON document: the server's /v1/status.")
  var json = false

  @Option(help: "Seconds between looks, 0.2 to 60.")
  var interval = 1.0

  func validate() throws {
    guard (0.2...60).contains(interval) else {
      throw ValidationError("--interval: \(interval) found, wanted 0.2 to 60")
    }
    guard let parsed = URL(string: url), let scheme = parsed.scheme, ["http", "https"].contains(scheme),
      parsed.host != nil
    else {
      throw ValidationError("\(url): wanted a URL such as http://127.0.0.1:8080")
    }
    if estate != nil, json {
      throw ValidationError(
        "--json: one server's /v1/status; of an estate ask each node, or a gateway's /v1/estate")
    }
  }

  func run() async throws {
    if json {
      StandardOutput.write(try await fetch() + Data("\n".utf8))
      return
    }
    let isTerminal = isatty(1) == 1 && !once
    if isTerminal { StandardOutput.write(Data("\u{1b}[?1049h\u{1b}[?25l".utf8)) }
    defer { if isTerminal { StandardOutput.write(Data("\u{1b}[?25h\u{1b}[?1049l".utf8)) } }
    if isTerminal {
      signal(SIGINT) { _ in
        // Only what a signal handler may do: give the terminal back and end.
        let back: StaticString = "\u{1b}[?25h\u{1b}[?1049l"
        _ = write(1, back.utf8Start, back.utf8CodeUnitCount)
        _exit(0)
      }
    }
    var before: TopFigures?
    var nodes = try estate.map { TopEstate(estate: try EstateSource.good($0).estate) }
    while true {
      if nodes != nil {
        let screen = await nodes?.screen() ?? ""
        if once { return print(screen) }
        paint(screen)
        try await Task.sleep(for: .seconds(interval))
        continue
      }
      var screen = ""
      do {
        let figures = try JSONDecoder().decode(TopFigures.self, from: try await fetch())
        screen = figures.screen(since: before, seconds: interval, url: url)
        before = figures
        if once, before != nil {
          try await Task.sleep(for: .seconds(interval))
          let next = try JSONDecoder().decode(TopFigures.self, from: try await fetch())
          print(next.screen(since: figures, seconds: interval, url: url))
          return
        }
      } catch let code as ExitCode {
        guard isTerminal, before != nil else { throw code }
        screen = "\(url) does not answer; trying again"
      }
      paint(screen)
      try await Task.sleep(for: .seconds(interval))
    }
  }

  private func paint(_ screen: String) {
    let shown = screen.split(separator: "\n", omittingEmptySubsequences: false).joined(
      separator: "\u{1b}[K\n")
    StandardOutput.write(Data(("\u{1b}[H" + shown + "\u{1b}[J").utf8))
  }

  private func fetch() async throws -> Data {
    guard let address = URL(string: url + (url.hasSuffix("/") ? "" : "/") + "v1/status") else {
      throw giveUp("\(url): no URL")
    }
    do {
      var request = URLRequest(url: address)
      request.timeoutInterval = 5
      let (data, response) = try await URLSession.shared.data(for: request)
      guard (response as? HTTPURLResponse)?.statusCode == 200 else {
        throw giveUp(
          "\(address): status \((response as? HTTPURLResponse)?.statusCode ?? 0); is it a Kabuto server?")
      }
      return data
    } catch let code as ExitCode { throw code } catch {
      throw giveUp(
        "\(address): \(error.localizedDescription) Is the server running? Start one with `kabuto serve`")
    }
  }
}

/// What /v1/status says, as far as `top` shows it.
struct TopFigures: Decodable {
  struct Source: Decodable {
    var market: String
    var source: String
    var epoch: String
    var state: String
    var seq: UInt64
    var messages: UInt64
    var malformed: UInt64
    var unknown_orders: UInt64
    var lost: UInt64
    var trades: UInt64
    var instruments: UInt64
    var live_orders: UInt64
    var lag_ns: UInt64
    var ring_waits: UInt64
    var time_ns: UInt64
    var progress: Double?
    var fault: String?
    var lines: [Line]?
    var requests: Requests?
  }
  struct Line: Decodable {
    var line: String
    var address: String
    var state: String
    var packets: UInt64
    var messages: UInt64
    var first: UInt64
    var out_of_order: UInt64
    var missing: UInt64
    var malformed: UInt64
    var disbelieved: UInt64
    var dropped: UInt64
    var quiet_ns: UInt64?
  }
  struct Requests: Decodable {
    var sent: UInt64
    var held_back: UInt64
    var recovered: UInt64
    var gaps: UInt64
    var lost: UInt64
    var healed: UInt64
  }
  struct Loop: Decodable {
    var clients: UInt64
    var records: UInt64
    var encoded: UInt64
    var delivered: UInt64
    var conflated: UInt64
    var frames: UInt64
    var stuck: UInt64
    var ring_fill: UInt64
    var ring_capacity: UInt64
  }
  struct Connections: Decodable {
    var open: UInt64
    var accepted: UInt64
    var refused: UInt64
  }
  struct Store: Decodable {
    var state: String
    var reason: String?
    var rows_written: UInt64
    var rows_lost: UInt64
  }
  var version: String
  var uptime_ms: UInt64
  var draining: Bool
  var node: String?
  var zone: String?
  var site: String?
  var service: Service?
  var paths: [Path]?
  var rails: [Rail]?
  var sources: [Source]
  var loops: [Loop]
  var connections: Connections
  var store: Store?

  func screen(since before: TopFigures?, seconds: Double, url: String) -> String {
    func rate(_ now: UInt64, _ then: UInt64?) -> String {
      guard let then, now >= then, let before, uptime_ms > before.uptime_ms else { return "–" }
      return Self.short(Double(now - then) / (Double(uptime_ms - before.uptime_ms) / 1000))
    }
    var lines = [
      "kabuto \(version)  \(url)  up \(Self.duration(uptime_ms / 1000))\(draining ? "  ENDING" : "")\(standing.isEmpty ? "" : "  " + standing)",
      "",
      Self.row([
        "MARKET", "STATE", "EPOCH", "TIME", "MSG/S", "TRADES/S", "SEQ", "LOST", "BAD", "UNKNOWN", "INSTR",
        "ORDERS", "LAG", "WAITS",
      ]),
    ]
    for (index, source) in sources.enumerated() {
      let old = before.flatMap { index < $0.sources.count ? $0.sources[index] : nil }
      let t = source.time_ns / 1_000_000_000
      lines.append(
        Self.row([
          source.market, source.state, source.epoch,
          String(format: "%02d:%02d:%02d", Int(t / 3600), Int(t / 60 % 60), Int(t % 60)),
          rate(source.messages, old?.messages), rate(source.trades, old?.trades), String(source.seq),
          String(source.lost), String(source.malformed), String(source.unknown_orders),
          String(source.instruments),
          Self.short(Double(source.live_orders)), String(format: "%.1f ms", Double(source.lag_ns) / 1e6),
          String(source.ring_waits),
        ]))
      if let progress = source.progress {
        lines.append(String(format: "  %.1f %% of %@", progress * 100, source.source))
      }
      if let fault = source.fault { lines.append("  FAULT \(fault)") }
    }
    lines += Self.pathLines((paths ?? []).map { (nil, $0) })
    lines += liveLines(since: before, rate)
    lines += [
      "",
      Self.row(
        [
          "LOOP", "CLIENTS", "RECORDS/S", "ENCODED/S", "DELIVERED/S", "FRAMES/S", "CONFLATED/S", "STUCK",
          "RING",
        ], Self.loopWidths),
    ]
    for (index, loop) in loops.enumerated() {
      let old = before.flatMap { index < $0.loops.count ? $0.loops[index] : nil }
      lines.append(
        Self.row(
          [
            String(index), String(loop.clients), rate(loop.records, old?.records),
            rate(loop.encoded, old?.encoded),
            rate(loop.delivered, old?.delivered), rate(loop.frames, old?.frames),
            rate(loop.conflated, old?.conflated),
            String(loop.stuck),
            String(
              format: "%.0f %%",
              loop.ring_capacity == 0 ? 0 : Double(loop.ring_fill) / Double(loop.ring_capacity) * 100),
          ], Self.loopWidths))
    }
    lines += [
      "",
      "connections  \(connections.open) open, \(connections.accepted) accepted, \(connections.refused) refused",
    ]
    if let store {
      lines.append(
        "store        \(store.state)\(store.reason.map { ": \($0)" } ?? ""), \(store.rows_written) rows written (\(rate(store.rows_written, before?.store?.rows_written))/s), \(store.rows_lost) lost"
      )
    }
    return lines.joined(separator: "\n")
  }

  /// A row for each live line, and one for what was asked for.
  private func liveLines(since before: TopFigures?, _ rate: (UInt64, UInt64?) -> String) -> [String] {
    var rows: [String] = []
    for (index, source) in sources.enumerated() {
      let old = before.flatMap { index < $0.sources.count ? $0.sources[index] : nil }
      for (place, line) in (source.lines ?? []).enumerated() {
        let then = old?.lines.flatMap { place < $0.count ? $0[place] : nil }
        rows.append(
          Self.row(
            [
              "\(source.market) \(line.line)", line.state, line.address, rate(line.packets, then?.packets),
              rate(line.messages, then?.messages), rate(line.first, then?.first), String(line.missing),
              String(line.out_of_order), String(line.malformed), String(line.disbelieved),
              String(line.dropped),
              line.quiet_ns.map { String(format: "%.0f ms", Double($0) / 1e6) } ?? "–",
            ], Self.lineWidths))
      }
      if let requests = source.requests {
        rows.append(
          "  requests \(requests.sent) sent, \(requests.held_back) held back, \(requests.recovered) messages recovered; "
            + "\(requests.gaps) gaps of \(requests.lost) messages declared, \(requests.healed) healed")
      }
    }
    guard !rows.isEmpty else { return [] }
    return [
      "",
      Self.row(
        [
          "LINE", "STATE", "ADDRESS", "PACKETS/S", "MSG/S", "FIRST/S", "MISSING", "LATE", "BAD",
          "DISBELIEVED",
          "DROPPED", "QUIET",
        ], Self.lineWidths),
    ] + rows
  }

  private static let lineWidths = [9, 15, 24, 11, 12, 12, 10, 8, 8, 13, 10, 9]
  static let sourceWidths = [9, 12, 24, 10, 12, 12, 12, 9, 9, 9, 9, 10, 10, 8]
  private static let loopWidths = [6, 9, 12, 12, 13, 11, 13, 8, 8]

  static func row(_ cells: [String], _ widths: [Int] = sourceWidths) -> String {
    zip(cells, widths).map {
      $0.count >= $1 ? $0 + " " : $0.padding(toLength: $1, withPad: " ", startingAt: 0)
    }.joined()
  }

  static func short(_ value: Double) -> String {
    switch value {
    case 1e9...: String(format: "%.2f G", value / 1e9)
    case 1e6...: String(format: "%.2f M", value / 1e6)
    case 1e4...: String(format: "%.1f k", value / 1e3)
    default: String(format: "%.0f", value)
    }
  }

  private static func duration(_ seconds: UInt64) -> String {
    String(format: "%d:%02d:%02d", Int(seconds / 3600), Int(seconds / 60 % 60), Int(seconds % 60))
  }
}
