// Clauses that name another rule: what is told of it, where, and how often.

import GuardRules
import Testing

@Suite struct ReferenceTests {
  static func document(_ count: Int) throws -> Value {
    let all = (0..<count).map { "B\($0): {Type: T, Properties: {N: \($0)}}" }.joined(separator: ", ")
    return try Value.reading(yaml: "Resources: {\(all)}")
  }

  /// In a block over many each tells of itself alone, however many rules name each other.
  @Test func aBlockOverManyTellsOfEachOnce() throws {
    let text = """
      let b = Resources.*[ Type == 'T' ]
      rule inner when %b !empty { %b { Properties.X exists  Properties.Y exists } }
      rule outer when %b !empty { %b { inner } }
      rule third when %b !empty { %b { outer or Properties.Z exists } }
      """
    let document = try Self.document(300)
    let results = try RuleFile(text, name: "t.guard").evaluate(document, now: 0)
    #expect(results.map(\.failures.count) == [600, 300, 300])
    guard case .map(let outer) = document.content, case .map(let resources)? = outer["Resources"]?.content
    else {
      Issue.record("no resources")
      return
    }
    for (place, failure) in results[1].failures.enumerated() {
      #expect(failure.within === resources.all[place].value && failure.clause == "inner")
    }
  }

  /// Outside of blocks it is told where that rule isn't kept.
  @Test func aRuleTellsOfAll() throws {
    let text = """
      let b = Resources.*[ Type == 'T' ]
      rule inner when %b !empty { %b { Properties.X exists << no X >> } }
      rule outer { inner }
      rule not_outer { not inner }
      """
    let results = try RuleFile(text, name: "t.guard").evaluate(try Self.document(3), now: 0)
    #expect(results.map(\.status) == [.fail, .fail, .pass])
    #expect(results[1].failures.map(\.message) == ["no X", "no X", "no X"])
    #expect(results[1].failures.allSatisfy { $0.rule == "outer" && $0.value != nil })
  }

  /// A filter asks only whether a rule is kept; what it says of it stays to be told.
  @Test func filtersTellNothing() throws {
    let text = """
      rule inner { Resources.*.Properties.X exists }
      rule outer { Resources.*[ Type exists  inner ] empty  inner }
      """
    let results = try RuleFile(text, name: "t.guard").evaluate(try Self.document(2), now: 0)
    #expect(results.map(\.status) == [.fail, .fail])
    #expect(results.map(\.failures.count) == [2, 2])
  }
}
