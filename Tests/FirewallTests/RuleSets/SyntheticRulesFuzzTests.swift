// The engine against its plain evaluator over rules and requests that are made by chance: needs no data.

import Dispatch
import Firewall
import Testing

@Suite struct SyntheticRulesFuzzTests {
  private static func policy(_ directives: [DirectiveSyntax], _ evaluation: Evaluation) throws -> Policy {
    var options = evaluation.options
    options.cache = nil
    return try Policy.compile(directives, options: options)
  }

  @Test func threeEvaluationsSayTheSameOfRandomRulesFuzz() throws {
    var grammar = RuleGrammar(random: .forTest("SyntheticRulesFuzz"))
    var (sets, refused, requests, matches, differences) = (0, 0, 0, 0, 0)
    var faults: [String: Int] = [:]
    try repeatFuzzing(seconds: 3, rounds: 12) { _ in
      let text = grammar.ruleSet()
      let source = RuleText.source(text)
      sets += 1
      let plainPolicy: Policy
      do {
        guard source.faults.isEmpty else { throw RuleFaults(source.faults) }
        plainPolicy = try Self.policy(source.directives, .plain)
      } catch {
        refused += 1
        faults["\(error)".prefix(200).description, default: 0] += 1
        return
      }
      var plain = EngineRun(policy: plainPolicy)
      var others = [
        ("databases", EngineRun(policy: try Self.policy(source.directives, .fast))),
        ("no databases", EngineRun(policy: try Self.policy(source.directives, .withoutDatabases))),
      ]
      for number in 0..<20 {
        let request = grammar.request(number)
        requests += 1
        plain.keepsAllMatches = number % 2 == 0
        plain.isEnforcing = number % 4 > 1
        let truth = plain.outcome(of: request)
        matches += truth.matches.count
        for index in others.indices {
          others[index].1.keepsAllMatches = plain.keepsAllMatches
          others[index].1.isEnforcing = plain.isEnforcing
          let outcome = others[index].1.outcome(of: request)
          guard let difference = OutcomeDifference.between(plain: truth, fast: outcome, isLong: false) else {
            continue
          }
          differences += 1
          if differences <= 3 {
            Issue.record("\(others[index].0): \(difference)\n\(request.jsonLine)\n\(text)")
          }
        }
      }
    }
    print("SyntheticRulesFuzz: \(sets) sets (\(refused) refused), \(requests) requests, \(matches) matches")
    for fault in faults.sorted(by: { $0.value > $1.value }).prefix(3) {
      print("  \(fault.value): \(fault.key)")
    }
    #expect(differences == 0)
    #expect(refused * 5 <= sets, "most sets must compile")
    #expect(matches > requests)
  }
}
