// A pattern that is said not to match plain values must match none: else it is left out of the database for them, and an
// attack passes. Asked of PCRE2, with values that are made of the pattern's own letters.

import Foundation
import Testing

@testable import Firewall

@Suite struct PatternAlphabetTests {
  /// Values of `alphabet` that look like `pattern`.
  private static func values(
    like pattern: [UInt8], _ alphabet: Alphabet, using random: inout SeededGenerator
  ) -> [[UInt8]] {
    let letters = (0..<256).map { UInt8($0) }.filter(alphabet.contains)
    let own = pattern.filter(alphabet.contains)
    return (0..<12).map { number in
      var value: [UInt8] = []
      for _ in 0..<Int.random(in: 0...6, using: &random) {
        if number % 3 != 0, !own.isEmpty {
          let start = Int.random(in: 0..<own.count, using: &random)
          value += own[start...].prefix(Int.random(in: 1...12, using: &random))
        } else {
          value += (0..<Int.random(in: 1...4, using: &random)).compactMap { _ in
            letters.randomElement(using: &random)
          }
        }
      }
      return number == 0 ? own : value
    }
  }

  /// Patterns that may match plain values, those that can't, and matches of the latter.
  private static func check(
    _ patterns: [[UInt8]], using random: inout SeededGenerator
  ) throws -> (can: Int, cannot: Int) {
    let (scratch, bytes) = (RegexScratch(), Arena())
    var (can, cannot) = (0, 0)
    for pattern in patterns {
      guard let regex = try? Regex(pattern) else { continue }
      for alphabet in Alphabet.allCases {
        if PatternAlphabet.canMatch(pattern, within: alphabet) {
          can += 1
          continue
        }
        cannot += 1
        for value in values(like: pattern, alphabet, using: &random) {
          let outcome = regex.firstMatch(in: bytes.copy(value), scratch)
          let texts = (String(decoding: pattern, as: UTF8.self), String(decoding: value, as: UTF8.self))
          #expect(outcome != .match, "\(texts.0) matches \"\(texts.1)\", which is all \(alphabet)")
        }
        bytes.reset()
      }
    }
    return (can, cannot)
  }

  @Test func whatCannotMatchDoesNotFuzz() throws {
    var grammar = RuleGrammar(random: .forTest("PatternAlphabetFuzz"))
    var counts = (can: 0, cannot: 0)
    try repeatFuzzing(rounds: 4) { _ in
      let patterns = (0..<50).map { _ in Array(grammar.pattern().utf8) }
      let found = try Self.check(patterns, using: &grammar.random)
      counts = (counts.can + found.can, counts.cannot + found.cannot)
    }
    print("PatternAlphabetFuzz: \(counts)")
    #expect(counts.can > 10 && counts.cannot > 10)
  }

  @Test(.enabled(if: FirewallData.isThere, FirewallData.missing))
  func whatCannotMatchDoesNotInPublishedRules() throws {
    var random = SeededGenerator.forTest("PatternAlphabet of rule sets")
    let files = FirewallData.ruleFiles("crs-3.3") + FirewallData.ruleFiles("crs-4")
    let patterns = RuleSource(paths: files, loader: DiskLoader()).directives.compactMap {
      directive -> [UInt8]? in
      guard case .rule(let rule) = directive.kind, rule.operation.name == "rx",
        !rule.operation.argument.contains("%{")
      else { return nil }
      return Array(rule.operation.argument.utf8)
    }
    let counts = try Self.check(patterns, using: &random)
    print("PatternAlphabet of rule sets: \(patterns.count) patterns, \(counts)")
    #expect(patterns.count > 400)
    #expect(counts.cannot > 300)
  }

  /// By hand: what is left out, what isn't, and what isn't understood.
  @Test(arguments: [
    ("select", true, true), ("a b", false, true), ("a'b", false, false), ("a'?b", true, true),
    ("a|'", true, true),
    ("(?:'|\")x", false, false), ("['\"a]", true, true), ("[^a-zA-Z0-9_.-]", false, true),
    ("\\s+or", false, true),
    ("a{0,2}", true, true), ("'{0}", true, true), ("'{2,3}a", false, false), ("(?i)UNION", true, true),
    ("(?=')a", true, true), ("\\x27", false, false), ("\\Qa'\\E", true, true), ("[[:alpha:]']", true, true),
    ("(?#')a", true, true), ("\\bx", true, true), ("'{,2}a", true, true), ("<script", false, false),
    ("", true, true),
  ])
  func isDecided(pattern: String, identifier: Bool, text: Bool) {
    #expect(PatternAlphabet.canMatch(Array(pattern.utf8), within: .identifier) == identifier)
    #expect(PatternAlphabet.canMatch(Array(pattern.utf8), within: .text) == text)
  }
}
