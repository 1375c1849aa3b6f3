// `kabuto replay`: publishes a recorded file as a live feed. The work is FeedPublisher's.

import ArgumentParser
import FeedHandler
import Foundation

struct Replay: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Publishes a recorded file as a live feed: MoldUDP64 lines with a request server, or SoupBinTCP.",
    discussion: """
      TARGET is one of
        mold:GROUP:PORT[,GROUP:PORT][?request=HOST:PORT&interface=NAME]    line A, line B; a group or a host
        soup:HOST:PORT[?user=NAME&password=WORD]                           listens there for SoupBinTCP clients
      Each line loses, doubles and reorders packets of its own, decided by --seed. A day of the file is a session. \
      Stretches without a message are cut to 2 s. Exit 1 where a message of the file is bad or could not be sent.

      Example:  kabuto replay day.itch --to 'mold:239.1.1.1:26400,239.1.1.2:26400?request=127.0.0.1:26401&interface=lo' \
      --speed 60 --loss 0.01
      """)

  @Argument(help: "Files that follow one another: ITCH, gzip, pcap, pcapng.", completion: .file())
  var files: [String]

  @Option(help: ArgumentHelp("Where to publish.", valueName: "target"))
  var to: String

  @Option(help: "Times as fast as it happened, or max (default 1).")
  var speed: String?

  @Option(help: "So many messages a second, whatever their times are.")
  var rate: String?

  @Option(help: "Part of each line's packets that is lost, 0 to 1 (default 0).")
  var loss: String?

  @Option(help: "Part of each line's packets that comes twice, 0 to 1 (default 0).")
  var duplicate: String?

  @Option(help: "Part of each line's packets that comes after up to 8 later ones, 0 to 1 (default 0).")
  var reorder: String?

  @Option(help: "Part of the request server's answers that is lost, 0 to 1 (default 0).")
  var requestLoss: String?

  @Option(help: "Decides which packets (default 1).")
  var seed: String?

  @Option(
    help: ArgumentHelp(
      "Messages that neither a line nor the request server has, by their numbers in each session; may be given several times.",
      valueName: "from-through"))
  var gap: [String] = []

  @Option(
    help: "Name of the session, one to ten characters; later days get -2, -3, … (default: day and file).")
  var session: String?

  @Option(
    help: "Milliseconds without a message after which a heartbeat is sent (default 100; SoupBinTCP 1000).")
  var heartbeat: String?

  @Option(help: "Seconds at the end in which requests and clients are still served (default 5).")
  var linger: String?

  @Flag(help: "One JSON document on standard output.")
  var json = false

  func validate() throws {
    var reader = ReplayArguments(self)
    _ = reader.read()
    guard reader.faults.isEmpty else { throw ValidationError(reader.faults.joined(separator: "\n")) }
  }

  func run() throws {
    var reader = ReplayArguments(self)
    guard let (target, options) = reader.read() else {
      throw giveUp(reader.faults.joined(separator: "\nkabuto: "))
    }
    signal(SIGPIPE, SIG_IGN)
    let progress = ProgressLine()
    let publisher: FeedPublisher
    do throws(FeedSetupError) {
      publisher = try FeedPublisher(paths: files, to: target, options: options) { level, text in
        if level != .info { say("kabuto: \(text)") }
      }
    } catch { throw giveUp(error.description.replacingOccurrences(of: "\n", with: "\nkabuto: ")) }
    let signals = StopSignals { publisher.stop() }
    defer { signals.cancel() }
    do throws(FeedSetupError) {
      try publisher.run { done, total, messages in
        progress.show(done, total, "read, \(messages) messages published")
      }
    } catch {
      progress.end()
      throw giveUp(error.description)
    }
    progress.end()
    let report = publisher.report
    if json { try printJSON(report) } else { print(Self.text(report)) }
    for error in publisher.sendingErrors {
      say("kabuto: \(error): packets could not be sent; check interface= and the route to the group")
    }
    if !report.isClean { throw foundWrong }
  }

  private static func text(_ report: PublishReport) -> String {
    let names = report.sessions.map(\.name).joined(separator: ", ")
    let speed = report.seconds > 0 ? Double(report.messages) / report.seconds : 0
    var lines = [
      "sessions      \(names)",
      "messages      \(report.messages) in \(String(format: "%.1f s, %.0f a second", report.seconds, speed))",
    ]
    if report.bad > 0 { lines.append("bad messages  \(report.bad), published empty") }
    if report.missing > 0 { lines.append("left out      \(report.missing)") }
    for line in report.lines ?? [] {
      lines.append(
        "line \(line.line)        \(line.packets) packets, \(line.messages) messages; \(line.dropped) dropped,"
          + " \(line.duplicated) doubled, \(line.reordered) reordered, \(line.errors) not sent")
    }
    if let requests = report.requests {
      lines.append(
        "requests      \(requests.answered) answered with \(requests.messages) messages,"
          + " \(requests.ignored) ignored, \(requests.dropped) answers dropped")
    }
    if let clients = report.clients {
      lines.append(
        "clients       \(clients.accepted) logins, \(clients.rejected) refused, \(clients.messages) messages,"
          + " \(clients.ended) to the end, \(clients.faults) faults")
    }
    if report.interrupted { lines.append("stopped before the end") }
    return lines.joined(separator: "\n")
  }
}

/// The arguments of `kabuto replay`: all faults at once, each with its place, what was found and what is wanted.
struct ReplayArguments {
  private let command: Replay
  private(set) var faults: [String] = []

  init(_ command: Replay) { self.command = command }

  mutating func read() -> (FeedPublisher.Target, FeedPublisher.Options)? {
    var options = FeedPublisher.Options()
    var target: FeedPublisher.Target?
    do throws(FeedAddressError) { target = try FeedPublisher.Target(command.to) } catch {
      faults += error.faults.map { "--to \"\(error.address)\": \($0)" }
    }
    if command.speed != nil, command.rate != nil {
      faults.append("--speed and --rate: both found; wanted one of them")
    }
    if let text = command.speed {
      if let speed = FeedSpeed(text) {
        options.pace = .speed(speed)
      } else {
        fault("speed", text, "max or a number from 0.001 to 1000000 (1 = as it happened)")
      }
    }
    if let rate = number("rate", command.rate, in: PublishPace.rates) { options.pace = .rate(rate) }
    if let rate = number("loss", command.loss, in: 0...1) { options.rates.loss = rate }
    if let rate = number("duplicate", command.duplicate, in: 0...1) { options.rates.duplicate = rate }
    if let rate = number("reorder", command.reorder, in: 0...1) { options.rates.reorder = rate }
    if let rate = number("request-loss", command.requestLoss, in: 0...1) { options.requestLoss = rate }
    if let text = command.seed {
      if let seed = UInt64(text) {
        options.seed = seed
      } else {
        fault("seed", text, "a whole number from 0 to \(UInt64.max)")
      }
    }
    for text in command.gap {
      if let gap = FeedPublisher.Options.gap(text) {
        options.gaps.append(gap)
      } else {
        fault("gap", text, "FROM-THROUGH, the first and the last missing number, such as 100-120")
      }
    }
    if let name = command.session {
      let isName = (1...10).contains(name.utf8.count) && name.utf8.allSatisfy { (0x21...0x7e).contains($0) }
      if isName {
        options.session = name
      } else {
        fault("session", name, "one to ten printable ASCII characters without spaces")
      }
    }
    var isSoup = false
    if case .soup? = target {
      isSoup = true
      for (name, value) in [
        ("loss", command.loss), ("duplicate", command.duplicate), ("reorder", command.reorder),
        ("request-loss", command.requestLoss),
      ] where value != nil {
        faults.append("--\(name): TCP loses, doubles and reorders nothing; wanted only with --to mold:…")
      }
    }
    if case .mold(let mold)? = target, mold.request == nil, command.requestLoss != nil {
      faults.append("--request-loss: there is no request server; name one in --to with ?request=HOST:PORT")
    }
    let heartbeat = number("heartbeat", command.heartbeat, in: 10...60_000) ?? (isSoup ? 1000 : 100)
    options.heartbeatNanoseconds = UInt64(heartbeat * 1e6)
    if let seconds = number("linger", command.linger, in: 0...86_400) { options.lingerSeconds = seconds }
    return faults.isEmpty ? target.map { ($0, options) } : nil
  }

  private mutating func number(_ name: String, _ text: String?, in range: ClosedRange<Double>) -> Double? {
    guard let text else { return nil }
    let isPlain = text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2e }
    if isPlain, let value = Double(text), range.contains(value) { return value }
    fault(name, text, "a number from \(Self.text(range.lowerBound)) to \(Self.text(range.upperBound))")
    return nil
  }

  private mutating func fault(_ name: String, _ found: String, _ wanted: String) {
    faults.append("--\(name): \"\(found)\" found; wanted \(wanted)")
  }

  private static func text(_ value: Double) -> String {
    value == value.rounded() ? String(Int64(value)) : String(value)
  }
}

/// SIGINT and SIGTERM end the work; a second one ends the process.
final class StopSignals {
  private var sources: [any DispatchSourceSignal] = []

  init(_ stop: @escaping @Sendable () -> Void) {
    let count = SignalCount()
    for number in [SIGINT, SIGTERM] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        if count.next() > 1 { exit(130) }
        stop()
      }
      source.resume()
      sources.append(source)
    }
  }

  func cancel() { for source in sources { source.cancel() } }

  private final class SignalCount: @unchecked Sendable {
    // Guarded by the lock.
    private let lock = NSLock()
    private var count = 0
    func next() -> Int {
      lock.withLock {
        count += 1
        return count
      }
    }
  }
}
