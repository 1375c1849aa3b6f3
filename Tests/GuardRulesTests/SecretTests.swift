// Secrets are compared and never shown: whatever functions make of them, and whatever is selected of that.

import GuardRules
import TestChance
import Testing

@testable import GuardRules

@Suite struct SecretTests {
  /// Letters that occur nowhere else in these tests.
  private static func word(_ chance: inout Chance) -> String {
    var text = ""
    for _ in 0..<8 { text += chance.pick(["Q", "z", "J", "x", "W", "k", "V", "q", "Z", "K"]) }
    return text
  }

  /// Calls of a function on secrets: `S` and `L` are secret, `o` and `l` aren't. `%a` is what is given.
  private static func calls(_ function: Function) -> [String] {
    switch function {
    case .count: ["count(S.*)"]
    case .now: ["now()"]
    case .join: ["join(L[*], '-')", "join(l[*], S.word)", "join(some S.word, '')"]
    case .regexReplace:
      [
        "regex_replace(S.word, '(.)', '<$1>')", "regex_replace(o, '.+', S.word)",
        "regex_replace(o, S.word, 'x')",
        "regex_replace(S.word, '(', 'x')", "regex_replace(o, S.broken, 'x')",
      ]
    case .substring: ["substring(S.word, 1, 6)", "substring(L[*], 2, 7)"]
    case .jsonParse:
      ["json_parse(S.json)", "json_parse(S.twice)", "json_parse(S.broken)", "json_parse(S.word)"]
    case .urlDecode: ["url_decode(S.encoded)", "url_decode(S.word)"]
    case .toLower, .toUpper: ["\(function.rawValue)(S.word)", "\(function.rawValue)(L[*])"]
    case .parseBoolean, .parseEpoch, .parseChar: ["\(function.rawValue)(S.word)"]
    case .parseInt, .parseFloat: ["\(function.rawValue)(S.word)", "\(function.rawValue)(S.number)"]
    case .parseString: ["parse_string(S.word)", "parse_string(S.int)"]
    }
  }

  private static let clauses = [
    "%v == 'never'", "%v !exists", "not %v exists", "%v empty", "%v is_struct", "%v == o", "o == %v",
    "%v in ['never']",
    "%v > 5", "%v.* == 'never'", "%v.*.* == 'never'", "%v[*] == 'never'", "%v { this == 'never' }",
    "%v.*[ name | this exists ] empty\n %name == 'never'", "%v[ keys != 'never' ] == 5", "o.%v exists",
    "P.%v exists", "let w = to_lower(%v)\n %w == 'never'", "let w = join(%v, '+')\n %w == 'never'",
    "let w = parse_int(%v)\n %w == 0", "let w = regex_replace(%v, '^(..)', '$1')\n %w == 'never'",
    "some %v == 'never' or %v == 'no'", "when %v exists { %v == 'never' }", "S.word == %v", "S == %v",
    "S.* != %v",
    "L == %v", "S[ keys == %v ] exists",
  ]

  /// Pieces of a secret that no output may hold, in lower case.
  private static func pieces(_ secret: String) -> Set<String> {
    let letters = Array(secret.lowercased())
    guard letters.count >= 4 else { return [] }
    return Set((0...(letters.count - 4)).map { String(letters[$0..<$0 + 4]) })
  }

  @Test func whatFunctionsMakeOfASecretIsNeverShownFuzz() throws {
    var (shown, hidden) = (0, 0)
    var asked: Set<Function> = []
    for round in 0..<20 {
      var chance = Chance(round: round)
      let words = (0..<8).map { _ in Self.word(&chance) }
      let digits = String((0..<8).map { _ in chance.pick(Array("4578")) })
      let encoded = words[1].utf8.map { "%" + String($0, radix: 16) }.joined()
      func text(_ text: String) -> Value { Value(.string(text)) }
      func map(_ members: [(String, Value)]) -> Value {
        Value(.map(Members(members.map { (name: $0.0, value: $0.1) })))
      }
      let secret = map([
        ("word", text(words[0])), ("encoded", text(encoded)), ("number", text(digits)),
        ("int", Value(.int(Int64(digits) ?? 0))),
        ("json", text("{\"\(words[2])\": {\"\(words[3])\": \"\(words[4])\"}}")),
        ("twice", text("{\"\(words[2])\": 1, \"\(words[2])\": 2}")), ("broken", text("(\(words[5]){[")),
      ]).hidden
      let list = Value(.list([text(words[6]), text(words[7])])).hidden
      let document = map([
        ("S", secret), ("L", list), ("o", text("open")), ("l", Value(.list([text("one"), text("two")]))),
        ("P", map([("A", Value(.int(1)))])),
      ])
      let forbidden = (words + [digits, encoded]).reduce(into: Set<String>()) {
        $0.formUnion(Self.pieces($1))
      }
      for function in Function.allCases {
        for call in Self.calls(function) {
          for clause in Self.clauses {
            let rules = "rule r {\n let v = \(call)\n \(clause)\n}"
            guard let file = try? RuleFile(rules, name: "t") else { continue }
            var told: [String] = []
            do throws(EvaluationFault) {
              let result = try file.evaluate(document, now: 1)[0]
              for failure in result.failures {
                told += [
                  failure.value?.text, failure.missing, failure.wanted?.text, failure.clause,
                  failure.within?.text,
                ]
                .compactMap { $0 }
              }
            } catch { told.append(error.description) }
            asked.insert(function)
            shown += told.count
            hidden += told.count { $0.contains("(hidden)") }
            let whole = told.joined(separator: " ").lowercased()
            if let leaked = forbidden.first(where: { whole.contains($0) }) {
              Issue.record("\(call), \(clause): \(leaked) in \(told), \(seedNote), round \(round)")
              return
            }
          }
        }
      }
    }
    #expect(asked.count == Function.allCases.count)
    #expect(shown > 5_000 && hidden > 2_000, "\(shown) \(hidden)")
  }

  @Test func secretsAreComparedAsTheyAre() throws {
    let document = Value(.map(Members([("S", Value(.string("aB")).hidden)])))
    func status(_ clauses: String) throws -> RuleStatus? {
      try RuleFile("rule r {\n\(clauses)\n}", name: "t").evaluate(document, now: 0).first?.status
    }
    #expect(try status("S == 'aB'") == .pass)
    #expect(try status("let v = to_upper(S)\n%v == 'AB'") == .pass)
    #expect(try status("S == /^a/") == .pass)
    #expect(try status("S == 'ab'") == .fail)
  }

  @Test func whatIsNotSecretIsShownBesideIt() {
    let value = Value(.map(Members([("a", Value(.string("x"))), ("b", Value(.string("y")).hidden)])))
    #expect(value.text == "{\"a\":\"x\",\"b\":(hidden)}")
    #expect(value.hidden.text == "(hidden)" && value.holdsSecret && !value.isSecret)
    let without = value.withoutSecrets
    #expect(!without.holdsSecret && without.text == "{\"a\":\"x\",\"b\":(it is hidden)}")
  }
}
