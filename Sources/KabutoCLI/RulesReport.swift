// What `kabuto firewall rules` says: counts, a line per rule, and costs in the order of their size.

import Firewall
import Foundation

struct RulesReport {
  struct Traffic: Encodable {
    var requests: Int
    var passes: Int
    /// CPU of a request, without measuring; the rules alone, with what measuring them can see.
    var ns_per_request: Double
    var ns_per_request_rules: Double
    var ns_per_request_scans: Double
  }
  struct Rule: Encodable {
    var id: Int
    var phase: Int
    var place: String
    var message: String
    var severity: String
    var paranoia_level: Int
    var way: String
    var `operator`: String
    var variables: [String]
    var transformations: [String]
    var links: Int
    var pattern: String?
    var visited: Int?
    var asked: Int?
    var hits: Int?
    var matched: Int?
    var ns: Double?
  }
  struct Scan: Encodable {
    var phase: Int
    var variable: String
    var transformations: [String]
    var scanned_rules: Int
    var database_bytes: Int
    var tested_rules: [Int]
    var values: Int?
    var ns: Double?
  }
  struct Summary: Encodable {
    var rules: Int
    var by_phase: [String: Int]
    var by_paranoia_level: [String: Int]
    var scanned: Int
    var always: Int
    var guards: Int
    var databases: Int
    var database_bytes: Int
    var database_patterns: Int
    var regular_expressions: Int
    var prefilter: Int
    var left_to_pcre2: Int
    var notes: [String]
  }
  private struct Document: Encodable {
    var summary: Summary
    var traffic: Traffic?
    var rules: [Rule]
    var scans: [Scan]
  }

  let policy: Policy
  private var listing: [RuleListing]
  private var scans: [ScanListing]
  private var traffic: Traffic?

  init(policy: Policy) {
    self.policy = policy
    listing = policy.listing()
    scans = policy.scans()
  }

  /// As many passes as make a fifth of a second, so that short traffic is measured too.
  mutating func measure(_ requests: [CapturedRequest]) {
    let inspector = Inspector()
    func pass(_ profile: RuleProfile?) {
      for request in requests {
        _ = request.inspect(policy: policy, inspector: inspector, profile: profile) { _ in }
      }
    }
    // Warm, then plain for the whole, then measured for the parts.
    pass(nil)
    var passes = 0
    var start = ThreadTime.nanoseconds()
    var plain: Int64 = 0
    repeat {
      pass(nil)
      passes += 1
      plain = ThreadTime.nanoseconds() - start
    } while plain < 200_000_000 && passes < 1000
    let profile = RuleProfile(clock: ThreadTime.nanoseconds)
    start = ThreadTime.nanoseconds()
    for _ in 0..<passes { pass(profile) }
    listing = policy.listing(profile)
    scans = policy.scans(profile)
    for index in listing.indices {
      listing[index].cost.visited /= passes
      listing[index].cost.asked /= passes
      listing[index].cost.hits /= passes
      listing[index].cost.matched /= passes
    }
    for index in scans.indices { scans[index].values /= passes }
    let runs = Double(max(1, passes * requests.count))
    traffic = Traffic(
      requests: requests.count, passes: passes, ns_per_request: Double(plain) / runs,
      ns_per_request_rules: Double(listing.reduce(0) { $0 + $1.cost.nanoseconds }) / runs,
      ns_per_request_scans: Double(scans.reduce(0) { $0 + $1.nanoseconds }) / runs)
    listing.sort { ($0.cost.nanoseconds, $1.id) > ($1.cost.nanoseconds, $0.id) }
    scans.sort { $0.nanoseconds > $1.nanoseconds }
  }

  /// Of a request, on average.
  private func share(_ nanoseconds: Int64) -> Double {
    guard let traffic else { return 0 }
    return Double(nanoseconds) / Double(max(1, traffic.requests * traffic.passes))
  }

  var summary: Summary {
    func counts(_ key: (RuleListing) -> String) -> [String: Int] {
      Dictionary(listing.map { (key($0), 1) }, uniquingKeysWith: +)
    }
    let statistics = policy.statistics
    return Summary(
      rules: listing.count, by_phase: counts { "\($0.phase)" },
      by_paranoia_level: counts { $0.paranoiaLevel == 0 ? "none" : "\($0.paranoiaLevel)" },
      scanned: listing.count { $0.way == .scanned }, always: listing.count { $0.way == .always },
      guards: listing.count { $0.way == .guard }, databases: statistics.databases,
      database_bytes: statistics.databaseBytes, database_patterns: statistics.patterns,
      regular_expressions: listing.count { $0.pattern != nil },
      prefilter: listing.count { $0.pattern == .prefilter },
      left_to_pcre2: listing.count { $0.pattern == .refused },
      notes: policy.notes)
  }

  var json: String {
    let isMeasured = traffic != nil
    let document = Document(
      summary: summary, traffic: traffic,
      rules: listing.map { rule in
        Rule(
          id: rule.id, phase: rule.phase, place: rule.place.description, message: rule.message,
          severity: rule.severity, paranoia_level: rule.paranoiaLevel, way: rule.way.rawValue,
          operator: rule.operation, variables: rule.variables, transformations: rule.transformations,
          links: rule.links, pattern: rule.pattern?.rawValue, visited: isMeasured ? rule.cost.visited : nil,
          asked: isMeasured ? rule.cost.asked : nil, hits: isMeasured ? rule.cost.hits : nil,
          matched: isMeasured ? rule.cost.matched : nil, ns: isMeasured ? share(rule.cost.nanoseconds) : nil)
      },
      scans: scans.map { scan in
        Scan(
          phase: scan.phase, variable: scan.variable, transformations: scan.transformations,
          scanned_rules: scan.scannedRules, database_bytes: scan.databaseBytes,
          tested_rules: scan.testedRules,
          values: isMeasured ? scan.values : nil, ns: isMeasured ? share(scan.nanoseconds) : nil)
      })
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(document) else { return "{}" }
    return String(decoding: data, as: UTF8.self)
  }

  // MARK: - Text

  func text(list: Bool, top: Int) -> String {
    let counts = summary
    func joined(_ table: [String: Int], _ label: String) -> String {
      table.sorted { $0.key < $1.key }.map { "\(label)\($0.key): \($0.value)" }.joined(separator: ", ")
    }
    var lines = [
      "\(counts.rules) rules (\(joined(counts.by_phase, "phase ")))",
      "  paranoia levels: \(joined(counts.by_paranoia_level, ""))",
      "  \(counts.scanned) scanned ahead, \(counts.always) always visited, \(counts.guards) guards",
      "\(counts.databases) databases, \(bytes(counts.database_bytes)), with \(counts.database_patterns) patterns",
      "\(counts.regular_expressions) rules begin with a regular expression: \(counts.prefilter) in prefilter mode, "
        + "\(counts.left_to_pcre2) left to PCRE2",
    ]
    for rule in listing where rule.pattern == .prefilter || rule.pattern == .refused {
      lines.append(
        "  \(rule.id) \(rule.pattern == .prefilter ? "in prefilter mode" : "left to PCRE2")  \(rule.place)")
    }
    lines += counts.notes.map { "note: \($0)" }
    if let traffic {
      lines.append("")
      lines.append(
        "\(traffic.requests) requests, \(traffic.passes) passes: \(microseconds(traffic.ns_per_request)) of CPU each; "
          + "in rules \(microseconds(traffic.ns_per_request_rules)), in scans \(microseconds(traffic.ns_per_request_scans))"
      )
      lines.append("")
      lines.append("  ns/request  visited    asked     hits  matched  rule")
      for rule in listing.prefix(top) where rule.cost.visited > 0 {
        lines.append(
          "\(column(String(Int(share(rule.cost.nanoseconds).rounded())), 12))\(column(rule.cost.visited))"
            + "\(column(rule.cost.asked))\(column(rule.cost.hits))\(column(rule.cost.matched))  "
            + "\(rule.id) \(rule.operation)\(rule.message.isEmpty ? "" : " " + rule.message)")
      }
      lines.append("")
      lines.append("  ns/request   values  scan")
      for scan in scans.prefix(top) where scan.values > 0 {
        lines.append(
          "\(column(String(Int(share(scan.nanoseconds).rounded())), 12))\(column(scan.values))  phase \(scan.phase) "
            + "\(([scan.variable] + scan.transformations).joined(separator: ",")): \(content(scan))")
      }
    }
    if list {
      lines.append("")
      for rule in listing.sorted(by: { ($0.phase, $0.id) < ($1.phase, $1.id) }) { lines.append(line(rule)) }
    }
    return lines.joined(separator: "\n")
  }

  private func content(_ scan: ScanListing) -> String {
    var parts: [String] = []
    if scan.scannedRules > 0 {
      parts.append("\(scan.scannedRules) rules in a database of \(bytes(scan.databaseBytes))")
    }
    if !scan.testedRules.isEmpty {
      let names = scan.testedRules.prefix(5).map(String.init).joined(separator: ", ")
      parts.append(
        "asks \(names)\(scan.testedRules.count > 5 ? " and \(scan.testedRules.count - 5) more" : "")")
    }
    return parts.isEmpty ? "transformation alone" : parts.joined(separator: ", ")
  }

  private func line(_ rule: RuleListing) -> String {
    var parts = ["\(rule.id)", "phase \(rule.phase)", rule.way.rawValue]
    if rule.paranoiaLevel > 0 { parts.append("level \(rule.paranoiaLevel)") }
    if rule.links > 1 { parts.append("chain of \(rule.links)") }
    parts.append(
      rule.operation.isEmpty ? "SecAction" : "\(rule.variables.joined(separator: "|")) \(rule.operation)")
    if !rule.transformations.isEmpty { parts.append(rule.transformations.joined(separator: ",")) }
    if let pattern = rule.pattern, pattern != .exact { parts.append(pattern.rawValue) }
    if !rule.message.isEmpty { parts.append("\"\(rule.message)\"") }
    parts.append(rule.place.description)
    return parts.joined(separator: "  ")
  }

  private func column(_ number: Int) -> String { column(String(number), 9) }
  private func column(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
  private func microseconds(_ nanoseconds: Double) -> String { String(format: "%.1f µs", nanoseconds / 1000) }
  private func bytes(_ count: Int) -> String {
    count < 10_000 ? "\(count) bytes" : String(format: "%.1f MB", Double(count) / 1_000_000)
  }
}

/// CPU time of the calling thread.
enum ThreadTime {
  static func nanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }
}
