// The engine against its plain evaluator: the same requests through the same rules, scanned ahead with databases, scanned
// ahead without, and rule by rule. What the plain evaluation says is the truth.
//
// The default run draws requests by a seed; KABUTO_FULL=1 takes all regression requests and 50,000 mutations.

import Firewall
import Foundation
import Testing

@Suite(.enabled(if: FirewallData.isThere, FirewallData.missing))
struct PlainEvaluatorTests {
  /// Requests and mutations for each rule set.
  static let counts = Depth.isFull ? (requests: Int.max, mutations: 25_000) : (requests: 100, mutations: 150)

  static func requests(using random: inout SeededGenerator) throws -> [TestRequest] {
    func drawn(_ all: [TestRequest], _ count: Int) -> [TestRequest] {
      all.count <= count ? all : Array(all.shuffled(using: &random).prefix(count))
    }
    let tests = try CoreRuleSetCase.all(in: "crs-3.3-tests").map(\.request)
    let harmless = try BenignCorpus.all().flatMap { corpus in
      drawn(corpus.requests, Depth.isFull ? 500 : 5)
    }
    var result = drawn(tests, counts.requests) + harmless
    let sources = tests + harmless
    for _ in 0..<counts.mutations {
      guard let source = sources.randomElement(using: &random) else { break }
      result.append(RequestMutation.mutated(source, using: &random))
    }
    return result.enumerated().map { number, request in
      var request = request
      request.headers.append(.init("X-Level", number % 2 == 0 ? "1" : "4"))
      return request
    }
  }

  @Test(arguments: ["crs-3.3", "crs-4"]) func threeEvaluationsSayTheSame(ruleSet: String) throws {
    var random = SeededGenerator.forTest("PlainEvaluator \(ruleSet)")
    let requests = try Self.requests(using: &random)
    var plain = EngineRun(policy: try RuleSetPolicy.levelByRequest(ruleSet, .plain), keepsAllMatches: true)
    var fast = EngineRun(policy: try RuleSetPolicy.levelByRequest(ruleSet, .fast), keepsAllMatches: true)
    var withoutDatabases = EngineRun(
      policy: try RuleSetPolicy.levelByRequest(ruleSet, .withoutDatabases), keepsAllMatches: true)
    var (matches, differences) = (0, 0)
    for (number, request) in requests.enumerated() {
      // With matches that aren't logged too, guards are asked as rules are.
      plain.keepsAllMatches = number % 4 > 1
      fast.keepsAllMatches = plain.keepsAllMatches
      withoutDatabases.keepsAllMatches = plain.keepsAllMatches
      let truth = plain.outcome(of: request)
      matches += truth.matches.count
      // Where PCRE2 gave up on a whole value, the plain evaluation isn't the truth: pieces and databases tell more.
      if truth.notes.contains(where: { $0.contains("SecPcreMatchLimit") }) { continue }
      for (name, outcome) in [
        ("databases", fast.outcome(of: request)), ("no databases", withoutDatabases.outcome(of: request)),
      ] {
        guard
          let difference = OutcomeDifference.between(
            plain: truth, fast: outcome, isLong: RequestMutation.isLong(request))
        else { continue }
        differences += 1
        if differences <= 5 {
          Issue.record("\(request.id), \(name): \(difference)\n\(request.jsonLine.prefix(4000))")
        }
      }
    }
    #expect(differences == 0)
    // What never matches would prove nothing.
    #expect(matches > requests.count * 3)
  }
}
