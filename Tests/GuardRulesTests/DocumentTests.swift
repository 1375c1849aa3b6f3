// Documents: scalars as the language's loader and as files of tests have them, short tags, keys, aliases, places.

import GuardRules
import Testing

@Suite struct DocumentTests {
  @Test(arguments: [
    ("yes", "bool", "string"), ("on", "bool", "string"), ("y", "bool", "string"), ("true", "bool", "bool"),
    ("no", "bool", "string"),
    ("off", "bool", "string"), ("n", "bool", "string"), ("False", "string", "string"),
    ("TRUE", "string", "string"),
    ("'true'", "string", "string"), ("5", "int", "int"), ("-5", "int", "int"), ("+5", "int", "int"),
    ("'5'", "string", "string"),
    ("1.5", "float", "float"), ("1e3", "float", "float"), (".5", "float", "float"),
    ("99999999999999999999", "float", "float"),
    ("0x1f", "string", "string"), ("1_000", "string", "string"), ("2026-11-24", "string", "string"),
    ("1.2.3", "string", "string"),
    ("~", "null", "null"), ("null", "null", "null"), ("NULL", "string", "string"), ("", "string", "null"),
    ("''", "string", "string"),
    ("!!str 5", "string", "string"), ("|\n  5", "string", "string"), ("[1]", "list", "list"),
    ("{a: 1}", "map", "map"),
    ("! 5", "string", "string"),
  ])
  func scalar(_ text: String, _ document: String, _ test: String) throws {
    func kind(_ rules: ScalarRules) throws -> String {
      guard case .map(let members) = try Value.reading(yaml: "k: \(text)", rules).content else { return "" }
      return members["k"]?.kind ?? "nothing"
    }
    #expect(try kind(.documents) == document)
    #expect(try kind(.tests) == test)
  }

  @Test(arguments: [
    ("!Ref a", "{\"Ref\":\"a\"}"), ("!Condition a", "{\"Condition\":\"a\"}"),
    ("!GetAtt a.b.c", "{\"Fn::GetAtt\":[\"a\",\"b.c\"]}"),
    ("!GetAtt [a, b]", "{\"Fn::GetAtt\":[\"a\",\"b\"]}"), ("!Sub 'x${a}'", "{\"Fn::Sub\":\"x${a}\"}"),
    ("!Sub ['x', {a: 1}]", "{\"Fn::Sub\":[\"x\",{\"a\":1}]}"),
    ("!Join ['', !Ref a]", "{\"Fn::Join\":[\"\",{\"Ref\":\"a\"}]}"),
    ("!If [a, 1, 2]", "{\"Fn::If\":[\"a\",1,2]}"), ("!ImportValue 5", "{\"Fn::ImportValue\":\"5\"}"),
    ("!Select [0, !GetAZs '']", "{\"Fn::Select\":[0,{\"Fn::GetAZs\":\"\"}]}"),
    ("!FindInMap [a, b, c]", "{\"Fn::FindInMap\":[\"a\",\"b\",\"c\"]}"),
  ])
  func shortTagsBecomeTheirLongForms(_ text: String, _ long: String) throws {
    for rules in [ScalarRules.documents, .tests] {
      #expect(try Value.reading(yaml: text, rules).text == long)
    }
  }

  @Test(arguments: [
    ("~: 1", "1:1"), ("[1, 2, 3]: foo", "1:1"), ("1: foo", "1:1"), ("1.0: foo", "1:1"),
    ("a:\n  SSE: {{CRASH}}", "2:9"), ("? {a: 1}\n: 2", "1:3"),
    ("a: &x 1\nb: *x", "1:4"), ("a: *x", "1:4"), ("? *a\n: 1", "1:3"), ("a: 1\na: 2", "2:4"), ("a: [", "2:1"),
    ("a: 'b", "2:1"), ("", "1:1"), ("# c\n", "1:1"),
    ("---\na: 1\n---\nb: 2", "3:1"), ("a: b: c", "1:5"), ("\ta: 1", "1:1"), ("{\"a\": 1", "2:1"),
    ("a: &x [*x]", "1:4"),
  ])
  func isRefusedWithItsPlace(_ text: String, _ place: String) {
    do throws(DocumentFault) {
      let value = try Value.reading(yaml: text)
      Issue.record("taken: \(value.text)")
    } catch {
      #expect(error.place.line == Int32(place.split(separator: ":")[0]) || error.place.line == 1, "\(error)")
      #expect(!error.found.isEmpty && !error.wanted.isEmpty)
    }
  }

  @Test func valuesKnowTheirPlace() throws {
    let value = try Value.reading(yaml: "a:\n  - b: é\n    c: [1, 2]\n")
    let file = try RuleFile("rule r { a[0].c[1] == 3 }", name: "t")
    let failure = try #require(try file.evaluate(value, now: 0).first?.failures.first)
    #expect(failure.value?.place == TextPlace(line: 3, column: 12))
    #expect(failure.wanted?.text == "3" && failure.clause == "a[0].c[1] == 3")
  }

  @Test(arguments: [
    String(repeating: "[", count: 10_000), String(repeating: "{a: ", count: 10_000),
    String(repeating: "- ", count: 10_000),
    (0..<10_000).map { String(repeating: " ", count: $0 % 4_000) + "a:" }.joined(separator: "\n"),
    String(repeating: "? ", count: 10_000),
    String(repeating: "[", count: 300) + String(repeating: "]", count: 300),
    "a: &a [x, x]\n"
      + (1..<40).map {
        "a\($0): &a\($0) [*a\($0 == 1 ? "" : String($0 - 1)), *a\($0 == 1 ? "" : String($0 - 1))]"
      }.joined(separator: "\n"),
  ])
  func bombsAreRefused(_ text: String) async {
    let isRefused = await onSmallStack { (try? Value.reading(yaml: text)) == nil }
    #expect(isRefused)
  }

  @Test func deepestDocumentIsReadAndLookedAtOnASmallStack() async throws {
    let deep = "x: " + String(repeating: "{x: ", count: 120) + "[1]" + String(repeating: "}", count: 120)
    let status = await onSmallStack { () -> RuleStatus? in
      guard let value = try? Value.reading(yaml: deep), let other = try? Value.reading(yaml: deep),
        let file = try? RuleFile("rule r { x == %y\n let y = x }", name: "t")
      else { return nil }
      return withExtendedLifetime(other) { try? file.evaluate(value, now: 0).first?.status }
    }
    #expect(status == .pass)
  }

  @Test(arguments: [
    "a: 1", "- a", "- input: 1", "- input: {}\n  expectations: {}",
    "- input: {}\n  expectations: {rules: {a: MAYBE}}",
    "- input: {}\n  expectations: {rules: {a: UNKNOWN}}", "- {}",
  ])
  func testFilesOfAnotherFormAreRefused(_ text: String) {
    #expect(throws: DocumentFault.self) { try RuleTest.reading(text) }
  }
}
