// What happened when, put together from everybody's own words: the session's steps, BFD and BGP (FRR's logs), routes (ip
// monitor), nodes' logs, clients' records. Reading is forgiving: a line without a time is passed over.

import Foundation

/// See the head of this file.
struct TimelineReader {
  private let outcome: LabOutcome
  /// All moments of the run, nanoseconds since 1970, in order.
  private var all: [(at: UInt64, kind: String, place: String, what: String)] = []
  /// Most that a window shows of nodes and routes.
  private static let most = 80

  init(_ outcome: LabOutcome) {
    self.outcome = outcome
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: outcome.logs)) ?? []).sorted()
    for name in names where name.hasSuffix(".log") {
      let text = (try? String(contentsOfFile: "\(outcome.logs)/\(name)", encoding: .utf8)) ?? ""
      read(text, place: String(name.dropLast(4)))
    }
    for client in outcome.clients {
      for line in (try? LabReport.lines(client.record)) ?? [] {
        if case .event(let at, let connection, let text)? = RecordLine(line) {
          all.append((at, "client", client.client.name, "connection \(connection): \(text)"))
        }
      }
    }
    all.sort { $0.at < $1.at }
  }

  private mutating func read(_ text: String, place: String) {
    for line in text.split(separator: "\n") {
      if let moment = Self.moment(line) { all.append((moment.at, moment.kind, place, moment.what)) }
    }
  }

  /// A line of a log that says something with a time.
  static func moment(_ line: Substring) -> (at: UInt64, kind: String, what: String)? {
    if line.hasPrefix("["), let end = line.firstIndex(of: "]") {
      let at = time(line[line.index(after: line.startIndex)..<end])
      let rest = line[line.index(after: end)...].drop { $0 == " " }
      // Of ip monitor: routes of the kernel's own tables say nothing here.
      guard let at, !rest.contains("table local"), rest.contains("via") || rest.contains("Deleted") else {
        return nil
      }
      return (at, "route", String(rest.prefix(120)))
    }
    if line.hasPrefix("{\"time\":\"") {
      let event = FrameScanner.events("[\(line)]".utf8)?.first
      guard let event, let text = event.text("time"), let at = time(Substring(text)),
        let message = event.fields["message"]
      else { return nil }
      return (at, "node", "\(event.text("level") ?? ""): \(message.dropFirst().dropLast().prefix(160))")
    }
    if line.contains("state-change") || line.contains("ADJCHANGE") {
      let words = line.split(separator: " ", maxSplits: 2)
      guard words.count == 3, let at = time("\(words[0].replacing("/", with: "-"))T\(words[1])") else {
        return nil
      }
      return (at, "detection", String(words[2].prefix(160)))
    }
    return nil
  }

  /// `2026-11-26T09:25:51.437969`, with or without a zone of UTC; nanoseconds since 1970.
  static func time(_ text: some StringProtocol) -> UInt64? {
    let digits = text.utf8.map { $0 }
    guard digits.count >= 19 else { return nil }
    func number(_ from: Int, _ count: Int) -> Int? {
      var value = 0
      for byte in digits[from..<from + count] {
        guard (0x30...0x39).contains(byte) else { return nil }
        value = value * 10 + Int(byte - 0x30)
      }
      return value
    }
    guard let year = number(0, 4), let month = number(5, 2), let day = number(8, 2), let hour = number(11, 2),
      let minute = number(14, 2), let second = number(17, 2), (1...12).contains(month)
    else { return nil }
    var nanoseconds = 0
    if digits.count > 20, digits[19] == 0x2e {
      var scale = 100_000_000
      for byte in digits[20...] {
        guard (0x30...0x39).contains(byte), scale > 0 else { break }
        nanoseconds += Int(byte - 0x30) * scale
        scale /= 10
      }
    }
    // Days since 1970 of a civil date.
    let y = month <= 2 ? year - 1 : year
    let era = y / 400
    let ofEra = y - era * 400
    let ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let days = era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
    guard days >= 0 else { return nil }
    return UInt64(((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000_000 + UInt64(nanoseconds)
  }

  /// What happened within a window.
  mutating func moments(of window: LabWindow, clients: [JudgedClient]) -> [LabReport.Moment] {
    func after(_ at: UInt64) -> Double { LabReport.rounded((Double(at) - Double(window.from)) / 1e6) }
    var moments = window.steps.map {
      LabReport.Moment(
        ms: after($0.at), kind: $0.at < window.healed ? "fault" : "heal", place: "laboratory", what: $0.what)
    }
    for (client, judged) in zip(outcome.clients, clients) where judged.waitedMilliseconds > 0 {
      moments.append(
        LabReport.Moment(
          ms: after(judged.waitedUntil), kind: "value", place: client.client.name,
          what:
            "\(judged.waitedFor) came after \(LabReport.rounded(judged.waitedMilliseconds)) ms, the longest wait"
        ))
    }
    // Attempts that fail like the one before say nothing new.
    var said: Set<String> = []
    let inside = all.filter { moment in
      guard moment.at >= window.from, moment.at <= window.through else { return false }
      guard moment.kind == "client", let colon = moment.what.firstIndex(of: ":") else { return true }
      let text = moment.what[colon...].prefix(30)
      return said.insert("\(moment.place)\(text)").inserted || moment.what.hasSuffix("carries")
    }
    for moment in inside.prefix(Self.most) {
      moments.append(
        LabReport.Moment(ms: after(moment.at), kind: moment.kind, place: moment.place, what: moment.what))
    }
    if inside.count > Self.most {
      moments.append(
        LabReport.Moment(
          ms: after(window.through), kind: "node", place: "laboratory",
          what: "\(inside.count - Self.most) more in the folder of logs"))
    }
    return moments.sorted { $0.ms < $1.ms }
  }
}
