// What `%variable empty` asks for, in words.

import Testing

@testable import GuardRules

@Suite struct AskedSelectionTests {
  static let rules = """
    let all = Resources.*[ Type == 'A' ]
    rule one {
      let bad = %all[ Properties.X !exists  or Properties.X == 1 or Properties.Y.Z[*] == 2 or Type == 'A' ]
      %bad empty
    }
    rule two when %all !empty {
      let bad = %all[ Properties.Password == 'x' ]
      when %bad !empty { let bad = %all.Properties.Q %bad empty }
      %bad empty
    }
    rule three { %all empty %all.Properties empty let n = 'x' %n empty }
    """

  @Test(arguments: [
    (
      4, 3, "%all[ Properties.X !exists or Properties.X == 1 or Properties.Y.Z[*] == 2 or Type == 'A' ]",
      [["Properties", "X"], ["Properties", "Y", "Z"]]
    ),
    (8, 50, "%all.Properties.Q", []),
    (9, 3, "%all[ Properties.Password == 'x' ]", [["Properties", "Password"]]),
    (11, 14, "Resources.*[ Type == 'A' ]", []),
  ])
  func isTheInnermostVariable(_ line: Int, _ column: Int, _ text: String, _ ways: [[String]]) throws {
    let file = try RuleFile(Self.rules, name: "t.guard")
    let name = line == 11 ? "all" : "bad"
    let found = file.selection(asked: "%\(name) empty", at: TextPlace(line: line, column: column))
    #expect(found == AskedSelection(text: text, ways: ways))
  }

  @Test func otherClausesAskForSomethingElse() throws {
    #expect(AskedSelection.variable(of: "%a not empty") == "a")
    for clause in ["%a.b empty", "a empty", "%a exists", "%a == 1", "%a[ x == 1 ] empty", "empty", ""] {
      #expect(AskedSelection.variable(of: clause) == nil)
    }
    let file = try RuleFile(Self.rules, name: "t.guard")
    #expect(file.selections.count == 4)
    #expect(file.selection(asked: "%bad empty or %all exists", at: TextPlace(line: 4, column: 3)) == nil)
  }

  @Test(arguments: [
    ("{Properties: {X: 1}}", "Properties.X: 1; no Properties.Y"),
    ("{Properties: {x: 1, Y: 2}}", "Properties.X: 1; Properties.Y.Z: 2"),
    ("{Properties: [1]}", "Properties.X: [1]; Properties.Y.Z: [1]"), ("{}", "no Properties"),
    ("{Properties: {Y: {Z: a}}}", "no Properties.X; Properties.Y.Z: \"a\""),
  ])
  func whatAValueHasThereIsFound(_ value: String, _ text: String) throws {
    let asked = AskedSelection(text: "", ways: [["Properties", "X"], ["Properties", "Y", "Z"]])
    #expect(asked.found(in: try Value.reading(yaml: value, .documents)) == text)
  }

  @Test func secretsStaySo() throws {
    let asked = AskedSelection(text: "", ways: [["Properties", "Password"]])
    let value = try Value.reading(yaml: "{Properties: {Password: s3cret}}", .documents)
    #expect(asked.found(in: value) == "Properties.Password: (hidden)")
    #expect(asked.found(in: value.hidden) == nil)
  }
}
