// Live lines and their request server in `/metrics` and `/v1/status`: each figure once, under one name.

import Distribution
import FeedProtocols
import TickerPlant

/// A line's figures by name.
enum LineFigure: String, CaseIterable {
  case packets, bytes, messages, heartbeats, first, repeated
  case outOfOrder = "out_of_order"
  case missing, malformed, disbelieved, dropped

  /// For `/metrics`.
  var help: String {
    switch self {
    case .packets: "Packets of a line"
    case .bytes: "Bytes of a line's packets"
    case .messages: "Messages of a line"
    case .heartbeats: "Packets of a line without messages"
    case .first: "Messages that came over this line first"
    case .repeated: "Messages that had come before"
    case .outOfOrder: "Packets behind a later one of the same line"
    case .missing: "Messages that the line passed over"
    case .malformed: "Packets that are no MoldUDP64"
    case .disbelieved: "Packets of another session, or whose numbers went back or jumped"
    case .dropped: "Packets the kernel dropped because its buffer was full"
    }
  }

  func value(_ line: LineStatistics) -> UInt64 {
    switch self {
    case .packets: line.packets
    case .bytes: line.bytes
    case .messages: line.messages
    case .heartbeats: line.heartbeats
    case .first: line.first
    case .repeated: line.repeated
    case .outOfOrder: line.outOfOrder
    case .missing: line.missing
    case .malformed: line.malformed
    case .disbelieved: line.disbelieved
    case .dropped: line.dropped
    }
  }
}

/// The request server's figures by name.
enum RequestFigure: String, CaseIterable {
  case sent
  case heldBack = "held_back"
  case answers, recovered
  case passedOver = "passed_over"
  case gaps, lost, healed

  /// For `/metrics`.
  var help: String {
    switch self {
    case .sent: "Requests sent to the request server"
    case .heldBack: "Times a request was due and the budget did not allow it"
    case .answers: "Packets of the request server"
    case .recovered: "Messages that came from the request server first"
    case .passedOver: "Messages that were not held for want of room, and asked for later"
    case .gaps: "Gaps declared"
    case .lost: "Messages in declared gaps"
    case .healed: "Times the books were made whole after a gap"
    }
  }

  func value(_ requests: RequestStatistics) -> UInt64 {
    switch self {
    case .sent: requests.sent
    case .heldBack: requests.heldBack
    case .answers: requests.answers
    case .recovered: requests.recovered
    case .passedOver: requests.passedOver
    case .gaps: requests.gaps
    case .lost: requests.lost
    case .healed: requests.healed
    }
  }
}

extension PrometheusText {
  mutating func lines(_ sources: [SourceReport]) {
    guard sources.contains(where: { !$0.lines.isEmpty }) else { return }
    func samples(_ value: (LineReport) -> Double) -> [([String: String], Double)] {
      sources.flatMap { source in
        source.lines.map { (["market": source.market, "line": $0.name], value($0)) }
      }
    }
    gauge(
      "kabuto_line_live", "1 = the line is heard and believed",
      samples { $0.statistics.state == .live ? 1 : 0 })
    gauge(
      "kabuto_line_quiet_seconds", "Since the line's last packet",
      samples { $0.quietNanoseconds.map { Double($0) / 1e9 } ?? -1 })
    for figure in LineFigure.allCases {
      counter(
        "kabuto_line_\(figure.rawValue)_total", figure.help,
        samples { Double(figure.value($0.statistics)) })
    }
    for figure in RequestFigure.allCases {
      counter(
        "kabuto_recovery_\(figure.rawValue)_total", figure.help,
        sources.compactMap { source in
          source.requests.map { (["market": source.market], Double(figure.value($0))) }
        })
    }
  }
}

extension JSONWriter {
  /// `,"lines":[…],"requests":…` of a source.
  mutating func lines(_ source: SourceReport) {
    raw(",\"lines\":[")
    for (place, line) in source.lines.enumerated() {
      if place > 0 { raw(",") }
      raw("{\"line\":")
      string(line.name)
      raw(",\"address\":")
      string(line.address)
      raw(",\"state\":")
      string(line.statistics.state.name)
      for figure in LineFigure.allCases {
        raw(",")
        string(figure.rawValue)
        raw(":")
        integer(figure.value(line.statistics))
      }
      raw(",\"quiet_ns\":")
      if let quiet = line.quietNanoseconds { integer(quiet) } else { raw("null") }
      raw("}")
    }
    raw("],\"requests\":")
    guard let requests = source.requests else { return raw("null") }
    for (place, figure) in RequestFigure.allCases.enumerated() {
      raw(place == 0 ? "{" : ",")
      string(figure.rawValue)
      raw(":")
      integer(figure.value(requests))
    }
    raw("}")
  }
}
