// Many values beside many: the verdict is that of comparing each with each, and work is bounded.

import TestChance
import Testing

@testable import GuardRules

@Suite struct ManyValuesTests {
  private static func list(_ texts: [String]) -> Value {
    Value(.list(texts.map { Value(.string($0)) }))
  }

  private static func verdicts(_ rules: String, _ members: [(name: String, value: Value)]) throws
    -> [RuleStatus]
  {
    try RuleFile(rules, name: "t.guard").evaluate(Value(.map(Members(members))), now: 1_700_000_000).map(
      \.status)
  }

  @Test func manyTextsAreLookedForAsOneByOne() throws {
    // Two writings of one character are two texts.
    let words = (0..<60).map { "w\($0)" } + ["é", "e\u{301}", ""]
    for round in 0..<200 {
      var chance = Chance(round: round)
      let all = (0..<chance.below(80)).map { _ in chance.pick(words) }
      let some = (0..<1 + chance.below(5)).map { _ in chance.pick(words) }
      let found = try Self.verdicts(
        """
        let all = all[*]
        rule are_in { some[*] in %all }
        rule are_not_in { some[*] not in %all }
        rule one_is_in { some some[*] in %all }
        rule are_same { some[*] == %all }
        rule filtered { some[ this in %all ] !empty }
        """, [("all", Self.list(all)), ("some", Self.list(some))])
      func isIn(_ text: String) -> Bool { all.contains { $0.utf8.elementsEqual(text.utf8) } }
      func isAmong(_ text: String) -> Bool { some.contains { $0.utf8.elementsEqual(text.utf8) } }
      func status(_ holds: Bool) -> RuleStatus { holds && !all.isEmpty ? .pass : .fail }
      let same = some.count > all.count ? some.allSatisfy(isIn) : all.allSatisfy(isAmong)
      #expect(
        found.prefix(4) == [
          status(some.allSatisfy(isIn)), status(!some.contains(where: isIn)),
          status(some.contains(where: isIn)),
          status(same),
        ], seedNote)
      if !all.isEmpty { #expect(found[4] == (some.contains(where: isIn) ? .pass : .fail), seedNote) }
    }
  }

  @Test func comparingTooMuchWithTooMuchIsAFault() throws {
    let numbers = Value(.list((0..<11_000).map { Value(.int(Int64($0))) }))
    #expect(throws: EvaluationFault.self) {
      _ = try Self.verdicts("let a = a[*]\nrule r { a[*] in %a }", [("a", numbers)])
    }
  }

  @Test func whereOneMustHoldAndNothingIsThereSomethingIsTold() throws {
    let results = try RuleFile("rule r { some a[*] == 'x' <<none>> }", name: "t.guard").evaluate(
      Value(.map(Members([("a", Value(.list([])))]))), now: 1_700_000_000)
    #expect(results.map(\.status) == [.fail])
    #expect(results.flatMap(\.failures).map(\.message) == ["none"])
  }

  @Test func namesTellOfSecrets() {
    let value = Value(
      .map(
        Members([
          ("MasterUserPassword", Value(.string("hunter3"))), ("DB_API_KEY", Value(.string("hunter4"))),
          ("HttpTokens", Value(.string("optional"))), ("UsePassword", Value(.bool(true))),
        ])))
    #expect(
      value.text
        == #"{"MasterUserPassword":(hidden),"DB_API_KEY":(hidden),"HttpTokens":"optional","UsePassword":true}"#
    )
    #expect(Value(.string("hunter3")).text(at: "Properties.MasterUserPassword") == "(hidden)")
    #expect(Value(.string("x")).text(at: "Properties.Name") == #""x""#)
  }
}
