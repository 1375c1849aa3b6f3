// Rules that have nothing to look at in an input aren't evaluated on it: what is said of them all the same is what an
// evaluation says.

import GuardRules
import Resources
import TestChance
import Testing

@testable import Governance

@Suite struct IdleRuleTests {
  private static let rules = """
    let a = Resources.*[ Type == 'T::A' ]
    let b = Resources.*[ Type in ['T::B', 'T::C'] ]
    let n = count(%a)
    rule plain { %a.Properties.X == 1 }
    rule given when %a !empty { %a.Properties.X == 1 }
    rule wanted { %a !empty }
    rule none { %a empty }
    rule either { %a.Properties.X exists or %b.Properties.X exists }
    rule few { %n < 2 }
    rule many { %n > 2 }
    rule block { T::B { Properties { X exists } } }
    rule other { Parameters exists
      %a.Properties.X == 1 }
    rule cased { resources.*[ Type == 'T::A' ].Properties.X == 1 }
    rule when_other when Region == 'x' { %b empty }
    rule all { Resources.* { Type exists } }
    rule regular { Resources.*[ Type == /A$/ ] empty }
    rule names when plain { %b empty }
    rule not_named { not plain }
    rule time { let t = now()
      %a.Properties.X != %t }
    rule called(x) { %x.Properties.X == 1 }
    rule calls { called(%b) }
    rule faulty { let p = parse_int(%a.Properties.X)
      %p == 1 }
    rule itself when itself { %a empty }
    """

  private static func brief(_ rule: RuleResult) -> String {
    "\(rule.name) \(rule.status) \(rule.hasUnknown) \(!rule.lacks.isEmpty) \(rule.failures.count)"
  }

  @Test func whatIsNotEvaluatedSaysWhatAnEvaluationSays() throws {
    let rules = try RuleSet(text: Self.rules, name: "t.guard")
    let check = Check(rules, now: 5)
    let file = rules.files[0]
    for round in 0..<300 {
      var chance = Chance(round: round)
      var resources: [(name: String, value: Value)] = []
      for number in 0..<chance.below(4) {
        var members: [(name: String, value: Value)] = []
        if chance.below(8) > 0 {
          members.append(("Type", Value(.string(chance.pick(["T::A", "T::B", "T::C", "T::D", "T::E"])))))
        }
        let x: Value.Content = chance.pick([.int(1), .string("1"), .unknown(Unknown("test")), .string("x")])
        members.append(("Properties", Value(.map(Members([("X", Value(x))])))))
        resources.append(("r\(number)", Value(.map(Members(members)))))
      }
      let rest = chance.once(in: 8) ? Members.Rest(Unknown("test"), absent: []) : nil
      var members: [(name: String, value: Value)] = []
      if chance.below(8) > 0 { members.append(("Resources", Value(.map(Members(resources, rest: rest))))) }
      if chance.flip() { members.append(("Parameters", Value(.map(Members([]))))) }
      if chance.once(in: 4) { members.append(("resources", Value(.map(Members(resources))))) }
      let document = Value(.map(Members(members)))
      var result = CheckResult()
      check.look(at: InputFile(path: "t", kind: .document, document: document), &result)
      let wanted = file.evaluate(PreparedDocument(document), rules: Array(file.rules.indices), now: 5)
      let expected = wanted.compactMap { try? $0.get() }.map(Self.brief)
      var counts: [String: Int] = [:]
      for finding in result.findings { counts[finding.rule, default: 0] += 1 }
      let found = result.results.map {
        "\($0.rule) \($0.status) \($0.hasUnknown) \($0.isLacking) \(counts[$0.rule] ?? 0)"
      }
      #expect(found == expected, "\(seedNote) round \(round) \(document.text)")
      #expect(result.faults.isEmpty == (expected.count == file.rules.count))
      guard found == expected else { return }
    }
  }

  @Test func onlyRulesThatHangOnNothingElseAreLeftOut() throws {
    let reach = try RuleFile(Self.rules, name: "t").reaches
    let names = try RuleFile(Self.rules, name: "t").rules.map(\.name)
    let elsewhere = Set(zip(names, reach).filter { $0.1.looksElsewhere }.map(\.0))
    #expect(elsewhere == ["other", "cased", "when_other", "all", "regular"])
  }
}
