// What `kabuto firewall check` says of a request: a line of JSON, or text with the arithmetic of the score.

import Firewall
import Foundation

enum VerdictLine {
  struct Match: Encodable {
    var id: Int
    var phase: Int
    var message: String
    var severity: String
    var variable: String
    var value: String
    var offset: Int
    var length: Int
    var transformations: [String]
    var data: String
    var tags: [String]
    var place: String
    var logged: Bool
    var scores: [String: Int]
  }
  struct Verdict: Encodable {
    var id: String
    var action: String
    var status: Int
    var score: Int
    var outbound_score: Int
    var matches: [Match]
    var notes: [String]
  }

  static func json(_ request: CapturedRequest, _ transaction: Transaction) -> String {
    let verdict = Verdict(
      id: request.id, action: transaction.wouldBlock == nil ? "pass" : "block",
      status: transaction.wouldBlock.map(status) ?? request.response?.status ?? 200, score: transaction.score,
      outbound_score: transaction.outboundScore,
      matches: transaction.matches.map { match in
        Match(
          id: match.rule, phase: match.phase, message: match.message, severity: match.severity,
          variable: match.variable, value: String(decoding: match.value, as: UTF8.self), offset: match.offset,
          length: match.length, transformations: match.transformations, data: match.data, tags: match.tags,
          place: match.place.description, logged: match.logged,
          scores: Dictionary(match.scores.map { ($0.name, $0.added) }, uniquingKeysWith: +))
      }, notes: transaction.notes)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(verdict) else { return "{}" }
    return String(decoding: data, as: UTF8.self)
  }

  private static func status(_ intervention: Intervention) -> Int {
    switch intervention.kind {
    case .deny(let status): status
    case .drop: 0
    case .redirect(_, let status): status
    }
  }

  static func text(_ request: CapturedRequest, _ transaction: Transaction, _ policy: Policy) -> String {
    var lines: [String] = []
    let name = request.id.isEmpty ? "" : "\(request.id): "
    let line = String(decoding: request.method + [0x20] + request.uri, as: UTF8.self)
    lines.append(name + line)
    if let blocked = transaction.wouldBlock {
      let how: String =
        switch blocked.kind {
        case .deny(let status): "denied with \(status)"
        case .drop: "dropped without an answer"
        case .redirect(let location, _): "sent to \(location)"
        }
      lines.append("  \(how) by rule \(blocked.rule) in phase \(blocked.phase)")
    } else {
      lines.append("  passes")
    }
    for match in transaction.matches {
      lines.append(
        "  \(match.rule)  \(match.message)\(match.severity.isEmpty ? "" : "  [\(match.severity)]")  \(match.place)"
      )
      lines.append("    in \(match.variable): \(shown(match))")
      if !match.transformations.isEmpty {
        lines.append("    after \(match.transformations.joined(separator: ", "))")
      }
      for score in match.scores { lines.append("    \(score.name) + \(score.added)") }
    }
    let sums = arithmetic(transaction)
    if !sums.isEmpty { lines.append("  score: \(sums)") }
    for note in transaction.notes { lines.append("  note: \(note)") }
    return lines.joined(separator: "\n")
  }

  /// The value with what matched between « and », cut where it is long.
  private static func shown(_ match: RuleMatch) -> String {
    let value = match.value
    let start = min(max(0, match.offset), value.count)
    let end = min(start + max(0, match.length), value.count)
    func text(_ bytes: ArraySlice<UInt8>) -> String {
      String(decoding: bytes, as: UTF8.self).replacingOccurrences(of: "\n", with: "\\n").replacingOccurrences(
        of: "\r", with: "\\r")
    }
    let before = value[max(0, start - 60)..<start]
    let after = value[end..<min(value.count, end + 60)]
    return (start > 60 ? "…" : "") + text(before) + "«" + text(value[start..<min(end, start + 200)])
      + (end - start > 200 ? "…" : "") + "»" + text(after) + (value.count > end + 60 ? "…" : "")
  }

  /// How the score comes about: each rule's share, added up.
  private static func arithmetic(_ transaction: Transaction) -> String {
    var parts: [String] = []
    for match in transaction.matches {
      for score in match.scores where score.name.contains("anomaly_score_pl") {
        parts.append("\(score.added) (\(match.rule))")
      }
    }
    guard !parts.isEmpty else { return "" }
    let threshold = transaction.number("inbound_anomaly_score_threshold").map { ", threshold \($0)" } ?? ""
    return parts.joined(separator: " + ") + " = \(transaction.score)" + threshold
  }
}
