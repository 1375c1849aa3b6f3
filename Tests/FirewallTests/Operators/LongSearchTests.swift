// A long value searched in windows: it gives what a search of the whole gives, or says that it isn't certain.

import Testing

@testable import Firewall

@Suite struct LongSearchTests {
  private struct Found: Equatable, CustomStringConvertible {
    var outcome: RegexOutcome
    var groups: [Range<Int>?]
    var description: String { "\(outcome) \(groups.map { $0.map { "\($0)" } ?? "-" })" }
  }

  private let working = RegexScratch()

  private func whole(_ regex: Regex, _ value: ByteView, canBeEmpty: Bool = true) -> Found {
    let outcome = regex.firstMatch(in: value, canBeEmpty: canBeEmpty, working)
    return Found(outcome: outcome, groups: (0..<working.groupCount).map(working.group))
  }

  private func inWindows(
    _ regex: Regex, _ value: ByteView, window: Int, budget: Int = .max, canBeEmpty: Bool = true
  ) -> Found {
    var search = LongSearch(regex, value, window: window, bytesLookedAt: budget)
    let outcome = search.firstMatch(canBeEmpty: canBeEmpty, working)
    return Found(outcome: outcome, groups: (0..<working.groupCount).map(working.group))
  }

  /// Windows of few bytes put the edges everywhere.
  @Test func windowsGiveWhatTheWholeGivesFuzz() {
    var grammar = RuleGrammar(random: .forTest("windowsGiveWhatTheWholeGivesFuzz"))
    let parts = [
      "a", "b", "ab", "\n", " ", "select", "union", "'", "<b>", "etc", "42", "A", "x1", "--", "=", "e", "s",
    ]
    let patterns = [
      "^a", "b$", "^$", "\\ba", "a\\b", "\\Bb", "(?<=a)b", "(?<!a)b", "(?<=^a)b", "a(?!b)", "a(?=.*b)",
      "\\Aa",
      "b\\z", "b\\Z", ".*ab", "a.*b", "a.*?b$", "(a+)(b+)\\1", "(?:a|ab)(?:c|bcd)*$", "a*", "a*?", "(?>a+)b",
      "[^a]+a", "a\\Kb", "(?s).b.", "\\R", "a\\X", "(?i)AB.*a", "(a(?:b|$))+", "x{0}", "(?=a)", "$", "^",
      "(?|(a)|(b))+$", "(?1)(a|b)", "a(*SKIP)b|a", "(?<=(?<!b)a)a",
    ]
    var counts: [String: Int] = [:]
    repeatFuzzing(rounds: 40) { _ in
      let pattern = grammar.random.below(3) == 0 ? grammar.random.pick(patterns) : grammar.pattern()
      guard let regex = try? Regex([UInt8](pattern.utf8)) else { return }
      for _ in 0..<20 {
        let bytes = grammar.random.value(most: 40, alphabet: parts)
        let (window, canBeEmpty) = (1 + grammar.random.below(12), grammar.random.below(4) > 0)
        withView(bytes) { value in
          let truth = whole(regex, value, canBeEmpty: canBeEmpty)
          let found = inWindows(regex, value, window: window, canBeEmpty: canBeEmpty)
          counts["\(truth.outcome)", default: 0] += 1
          #expect(found == truth, "\(pattern) on \(bytes), window \(window), empty \(canBeEmpty)")
        }
      }
    }
    #expect(counts["match", default: 0] > 20 && counts["noMatch", default: 0] > 20)
  }

  /// The same of the patterns that matter, on what they are meant for.
  @Test(.enabled(if: FirewallData.isThere, FirewallData.missing))
  func publishedPatternsGiveWhatTheWholeGives() throws {
    var random = SeededGenerator.forTest("publishedPatternsGiveWhatTheWholeGives")
    let files = FirewallData.ruleFiles("crs-3.3") + FirewallData.ruleFiles("crs-4")
    let patterns = RuleSource(paths: files, loader: DiskLoader()).directives.compactMap {
      directive -> [UInt8]? in
      guard case .rule(let rule) = directive.kind, rule.operation.name == "rx",
        !rule.operation.argument.contains("%{")
      else { return nil }
      return Array(rule.operation.argument.utf8)
    }
    let requests = try CoreRuleSetCase.all(in: "crs-3.3-tests").map(\.request)
    var counts: [String: Int] = [:]
    for pattern in patterns {
      let regex = try Regex(pattern)
      for _ in 0..<(Depth.isFull ? 200 : 8) {
        guard let request = requests.randomElement(using: &random) else { continue }
        var bytes = Bool.random(using: &random) ? request.body : request.uri
        if bytes.isEmpty { bytes = request.headers.last?.value ?? [] }
        let at = random.below(bytes.count + 1)
        bytes.insert(contentsOf: pattern.filter { $0 != UInt8(ascii: "\\") }.prefix(40), at: at)
        for _ in 0..<random.below(3) { RequestMutation.change(&bytes, using: &random) }
        withView(bytes) { value in
          let truth = whole(regex, value)
          let found = inWindows(regex, value, window: 1 + random.below(60))
          counts["\(truth.outcome)", default: 0] += 1
          if truth.outcome == .limitExceeded || found.outcome == .limitExceeded { return }
          #expect(found == truth, "\(String(decoding: pattern, as: UTF8.self)) on \(bytes)")
        }
      }
    }
    print("LongSearch of published patterns: \(counts)")
    #expect(counts["match", default: 0] > 200 && counts["noMatch", default: 0] > 1000)
  }

  /// Found by the fuzz test above: PCRE2's machine code never came back.
  @Test(arguments: ["a(*SKIP)b|a", "a(*MARK:x)a(*SKIP:x)b", "a(*SKIP)b|(*F)"])
  func verbsComeToAnEnd(pattern: String) throws {
    let regex = try Regex(Array(pattern.utf8))
    withView(Array("b--unionaunion'union aaA--Abb--".utf8)) { value in
      for window in 1...31 {
        #expect(inWindows(regex, value, window: window) == whole(regex, value), "\(window)")
      }
    }
  }

  @Test func aSpentBudgetIsSaid() throws {
    let regex = try Regex(Array("<[^>]*y>".utf8))
    // 100 bytes of a match, in windows of 40.
    let bytes = Array((String(repeating: "x<", count: 100) + String(repeating: "-", count: 100) + "y>").utf8)
    withView(bytes) { value in
      #expect(whole(regex, value).outcome == .match)
      #expect(inWindows(regex, value, window: 40) == whole(regex, value))
      #expect(inWindows(regex, value, window: 40, budget: 0).outcome == .limitExceeded)
    }
    // What lies within half a window is found all the same.
    withView(bytes + Array(" <y>".utf8)) { value in
      let short = try? Regex(Array("<[^<>]*y>".utf8))
      #expect(short.map { inWindows($0, value, window: 40, budget: 0).outcome } == .match)
    }
  }

  /// Nothing that lacks the byte that every match needs costs more than its windows.
  @Test func whatCannotEndIsNotFollowed() throws {
    let regex = try Regex(Array("a[^z]*z".utf8))
    let bytes = [UInt8](repeating: 0x61, count: 128 * 1024)
    withView(bytes) { value in
      #expect(inWindows(regex, value, window: 4096, budget: 2 * bytes.count).outcome == .noMatch)
    }
  }

  private static func matches(_ rule: String, _ value: String, databases: DatabasePolicy) throws
    -> [RuleMatch]
  {
    var options = PolicyOptions()
    options.databases = databases
    let text = "SecRequestBodyAccess On\nSecRule ARGS:q \"\(rule)\" \"id:1,phase:2,pass,capture,t:none\""
    var run = EngineRun(policy: try RuleText.policy(text, options: options))
    let body = Array("q=".utf8) + TestRequest.percentEncoded(Array(value.utf8))
    let request = TestRequest(
      id: "t", method: "POST", uri: "/",
      headers: [.init("Content-Type", "application/x-www-form-urlencoded")], body: body)
    let outcome = run.outcome(of: request)
    #expect(outcome.notes == [])
    return outcome.matches
  }

  /// Found by PlainEvaluatorTests, seed ba57db81: in pieces that overlap by 2 KiB, none of these was seen.
  @Test(arguments: [DatabasePolicy.build, .leaveOut])
  func matchesLongerThanAWindowAreFound(databases: DatabasePolicy) throws {
    let lead = String(repeating: "( ", count: 100)
    for count in [2040, 3000, 4095, 4096, 4097, 9000, 40_000] {
      let value = lead + "'" + String(repeating: "a", count: count) + "/ etc"
      for rule in [
        #"@rx ['`][^/\n]+/"#, #"@rx (?<!x)'[^/\n]+(?=/)/"#, #"@rx (')a+(?!\1)/"#, "@rxGlobal '[^/]+/",
      ] {
        let matches = try Self.matches(rule, value, databases: databases)
        #expect(matches.map(\.rule) == [1], "\(rule), \(count)")
        if databases == .leaveOut {
          #expect(matches.map(\.offset) == [200] && matches.map(\.length) == [count + 2], "\(rule), \(count)")
        }
      }
    }
  }

  /// What isn't a pattern, and what only looked like the beginning of the value.
  @Test(arguments: [DatabasePolicy.build, .leaveOut])
  func longValuesAreAskedAsShortOnes(databases: DatabasePolicy) throws {
    let value = String(repeating: "a ", count: 5000) + "select"
    for (rule, isMatch) in [
      ("@pm union select", true), ("@rx select$", true), ("@rx ^select", false), ("@rx \\bselect", true),
      ("@rx (?<=a )select", true), ("@rx ^a (?!a)", false), ("@rx ^a a", true), ("@rx a$", false),
      ("@rx \\Ba", false), ("@rx (?<!a) a", false),
    ] {
      #expect(try Self.matches(rule, value, databases: databases).count == (isMatch ? 1 : 0), "\(rule)")
    }
  }
}
