// What a clause, a block and a rule come to: a vector for each statement of the language's documents (CLAUSES, QUERY AND
// FILTERING, COMPLEX COMPOSITION, KNOWN ISSUES) and of the reference's behaviour where these are silent.

import GuardRules
import Testing

@Suite struct SemanticsTests {
  static let document = """
    s: abc
    upper: ABC
    n: 5
    f: 1.5
    t: true
    nothing: null
    e: ''
    l: [1, 2, 3]
    texts: [a, b]
    same: [a, a]
    lists: [[1, 2], [3]]
    none: []
    m: {a: 1, b: 2}
    hollow: {}
    deep: [{k: 1, n: x}, {k: 2}]
    map: {one: {k: 1}, two: {k: 2}}
    'dash-key': 1
    bucket_name: snake
    camelCase: camel
    Entry: 1
    Box: 2
    Glass: 3
    Volume: 4
    name: one
    names: [one, two]
    Resources:
      A: {Type: 'AWS::S3::Bucket', Properties: {Name: x, On: true}}
      B: {Type: 'AWS::S3::Bucket', Properties: {Name: y}}
      C: {Type: 'AWS::EC2::Volume'}
    """

  @Test(
    arguments: [
      // Queries.
      ("m.a == 1", .pass), ("m.* >= 1", .pass), ("l[*] >= 1", .pass), ("l[0] == 1", .pass),
      ("l.1 == 2", .pass),
      ("l[3] !exists", .pass), ("'dash-key' == 1", .pass), ("m['a'] == 1", .pass), ("s[*] == 'abc'", .pass),
      ("m[*].a == 1", .pass), ("l.* >= 1", .pass), ("s.* == 'abc'", .pass), ("s.k exists", .fail),
      ("none[*] exists", .fail), ("hollow.* exists", .fail), ("none[ this == 1 ] exists", .skip),
      ("none[*] == 1", .fail), ("l[ this > 1 ] == 1", .fail), ("l[ this > 1 ] > 1", .pass),
      ("l[ this > 9 ] > 1", .skip),
      ("map[ k == 1 ].k == 1", .pass), ("map.*[ k == 2 ].k == 2", .pass), ("deep[ n exists ].k == 1", .pass),
      ("deep[*].n exists", .fail), ("some deep[*].n exists", .pass), ("this exists", .pass),
      ("THIS.m.this.a == 1", .pass),
      ("deep[ k == 1 ][ n == 'x' ].k == 1", .pass), ("m[ keys == 'a' ] == 1", .pass),
      ("m[ keys == /[ab]/ ] >= 1", .pass),
      ("m[ keys in ['b'] ] == 2", .pass), ("m[ keys != 'b' ] == 1", .pass),
      ("m[ keys not in ['a','b'] ] == 9", .skip),
      ("BucketName == 'snake'", .pass), ("bucketName == 'snake'", .pass), ("camel_case == 'camel'", .pass),
      ("CamelCase == 'camel'", .pass), ("CAMELCASE exists", .fail), ("Entries == 1", .pass),
      ("boxes == 2", .pass), ("Glasses == 3", .pass),
      ("Volumes == 4", .pass),
      ("let v = deep\n %v.k >= 1", .fail), ("let v = deep[*]\n %v[*].k >= 1", .pass),
      ("map.%names.k >= 1\nlet names = names", .pass),
      ("let n = name\n map.%n.k == 1", .pass), ("let n = 'three'\n map.%n exists", .fail),
      ("let n = names\n map.%n[*].k >= 1", .pass),
      ("map[ key | k == 2 ] exists\n %key == 'two'", .pass),
      ("map.*[ key | k == 2 ] exists\n %key == 'two'", .pass),
      ("l[ i | this == 3 ] exists\n %i == 2", .pass), ("l[i] exists\n %i >= 0", .pass),
      ("map[ key | k == 9 ] exists\n %key == 'two'", .skip),
      ("let v = map\n %v.*[ key | k == 2 ] exists\n %key == 'two'", .pass),
      ("let v = l\n %v[ i | this == 3 ] exists\n %i == 2", .pass),
      // Equality.
      ("s == 'abc'", .pass), ("s == 'ABC'", .fail), ("s == /b/", .pass), ("s == /^b/", .fail),
      ("s != /b/", .fail),
      ("s == /(?i)ABC/", .pass), ("s == /a(?!c)/", .pass), ("s == /(?<!a)b/", .fail), ("n == 5", .pass),
      ("n == '5'", .fail),
      ("n != '5'", .fail), ("n == 5.0", .fail), ("n != 5.0", .fail), ("f == 1.5", .pass),
      ("t == true", .pass),
      ("nothing == null", .pass), ("n == r[1,5]", .pass), ("n == r[1,5)", .fail), ("n == r(5,9]", .fail),
      ("f == r(1.0,2.0)", .pass),
      ("texts[0] == r['a','c']", .pass), ("s == r['a','c']", .fail), ("l == [1,2,3]", .pass),
      ("l == [3,2,1]", .fail),
      ("l == [1,2]", .fail), ("m == {b: 2, a: 1}", .pass), ("m == {a: 1}", .fail),
      ("m == {a: 1, b: '2'}", .fail),
      ("same == 'a'", .pass), ("texts == 'a'", .fail), ("some texts == 'a'", .pass), ("n == [5]", .pass),
      ("n == [5,6]", .fail),
      ("missing == 1", .fail), ("missing != 1", .fail), ("not missing == 1", .fail), ("n == missing", .fail),
      ("l[*] == deep[*].k", .fail), ("deep[*].k == l[*]", .fail), ("l[ this < 3 ] == deep[*].k", .pass),
      ("deep[*].k != l[ this > 2 ]", .pass), ("l[ this > 9 ] == 1", .skip), ("n == l[ this > 9 ]", .skip),
      // Order.
      ("n > 4", .pass), ("n >= 5", .pass), ("n < 5", .fail), ("n <= 5", .pass), ("n > 4.0", .fail),
      ("f < 2.0", .pass), ("s < 'abd'", .pass), ("s > 'ABC'", .pass), ("l > 0", .pass), ("l > 1", .fail),
      ("some l > 2", .pass),
      ("n > l", .pass), ("missing > 1", .fail), ("not n > 4", .fail), ("t > false", .fail),
      // In.
      ("n in [4,5]", .pass), ("n in [4]", .fail), ("n not in [4]", .pass), ("s in [/b/]", .pass),
      ("n in [r[1,9]]", .pass),
      ("texts in ['a','b','c']", .pass), ("texts in ['a']", .fail), ("texts not in ['a']", .fail),
      ("texts not in ['z']", .pass),
      ("l in [[1,2,3]]", .pass), ("l in [[1,2]]", .fail), ("s in 'xabcx'", .pass), ("s in 'ab'", .fail),
      ("n in 5", .pass),
      ("l in 1", .fail), ("l not in 1", .fail), ("name in names", .pass), ("name in names[*]", .pass),
      ("s in names[*]", .fail),
      ("s not in names[*]", .pass), ("names[*] in names[*]", .pass), ("missing in [1]", .fail),
      ("missing not in [1]", .fail),
      // One side.
      ("s exists", .pass), ("nothing exists", .pass), ("none exists", .pass), ("missing exists", .fail),
      ("missing !exists", .pass),
      ("not missing exists", .pass), ("!s !exists", .pass), ("not s exists", .fail), ("e empty", .pass),
      ("none empty", .pass), ("hollow empty", .pass),
      ("missing empty", .pass), ("s empty", .fail), ("t empty", .fail), ("t !empty", .pass),
      ("l !empty", .pass),
      ("let v = missing\n %v empty", .pass), ("let v = s\n %v !empty", .pass),
      ("let v = none\n %v empty", .fail),
      ("let v = nothing\n %v empty", .pass), ("l[ this > 9 ] empty", .pass), ("l[ this > 1 ] !empty", .pass),
      ("let v = some deep[*].n\n %v !empty", .pass), ("let v = some deep[*].zz\n %v empty", .pass),
      ("s is_string", .pass), ("n is_int", .pass), ("f is_float", .pass), ("t is_bool", .pass),
      ("l is_list", .pass),
      ("m is_struct", .pass), ("nothing is_null", .pass), ("n is_string", .fail), ("n !is_string", .pass),
      ("missing is_string", .fail),
      ("missing !is_string", .pass), ("n IS_INT", .pass),
      // Blocks.
      ("deep[*] { k exists }", .pass), ("deep[*] { n exists }", .fail), ("some deep[*] { n exists }", .pass),
      ("some deep[*] { zz exists }", .fail), ("l[ this > 9 ] { this exists }", .skip),
      ("l[ this > 9 ] !empty { this exists }", .fail),
      ("missing { this exists }", .fail), ("deep[*] { when n exists { n == 'x' } }", .pass),
      ("deep[*] { when zz exists { n == 'x' } }", .skip), ("when s exists { n == 5 }", .pass),
      ("when missing exists { n == 6 }", .skip),
      ("when l[ this > 9 ] == 1 { n == 6 }", .skip), ("AWS::S3::Bucket { Properties.Name exists }", .pass),
      ("AWS::S3::Bucket { Properties.On exists }", .fail),
      ("AWS::RDS::DBInstance { Properties.On exists }", .skip),
      ("AWS::S3::Bucket Properties.Name exists", .pass),
      ("AWS::S3::Bucket::MODULE { Properties exists }", .pass),
      ("AWS::S3::Bucket when Resources exists { Properties exists }", .pass),
      ("AWS::S3::Bucket when Properties exists { Nope exists }", .skip),
      // Conjunctions and disjunctions.
      ("n == 5\n s == 'abc'", .pass), ("n == 5\n s == 'x'", .fail), ("n == 6 or s == 'abc'", .pass),
      ("n == 6 or s == 'x'", .fail),
      ("l[ this > 9 ] == 1 or l[ this > 9 ] == 2", .skip), ("l[ this > 9 ] == 1 or n == 6", .fail),
      ("l[ this > 9 ] == 1\n n == 5", .pass),
      ("n == 6 or n == 5\n s == 'abc'", .pass), ("n == 5\n s == 'x' or s == 'abc' OR s == 'y'", .pass),
      // Scopes.
      ("let a = n\n m { let a = b\n %a == 2 }\n %a == 5", .pass), ("let a = this\n m { %a.n == 5 }", .pass),
    ] as [(String, RuleStatus)])
  func comesTo(_ clauses: String, _ expected: RuleStatus) throws {
    #expect(try status(clauses, Self.document) == expected)
  }

  @Test(arguments: [
    "{}", "Resources: {}", "Resources: []", "Resources: {A: {Type: 'AWS::X::Y'}}", "Resources: {A: {}}",
  ])
  func aTypeBlockWithoutAMatchingResourceIsSkipped(_ document: String) throws {
    #expect(try status("AWS::S3::Bucket { Properties exists }", document) == .skip)
  }

  @Test func rulesThatNameRules() throws {
    let found = try statuses(
      """
      rule pass { n == 5 }
      rule fail { n == 6 }
      rule skip when n == 6 { n == 5 }
      rule a { pass }
      rule b { fail }
      rule c { skip }
      rule d { not pass }
      rule e { not fail }
      rule f { !skip }
      rule g when skip { n == 6 }
      rule h when not skip { n == 5 }
      rule i(x, y) { %x == %y }
      rule j { i(n, 5) }
      rule k { i(n, 6) }
      rule l { not i(n, 6) }
      s == 'abc'
      """, Self.document)
    let wanted: [String: RuleStatus] = [
      "pass": .pass, "fail": .fail, "skip": .skip, "a": .pass, "b": .fail, "c": .fail, "d": .fail, "e": .pass,
      "f": .pass,
      "g": .skip, "h": .pass, "j": .pass, "k": .fail, "l": .pass, "default": .pass,
    ]
    #expect(found == wanted)
  }

  @Test func aNameDefinedTwiceHasSeveralStatuses() throws {
    let file = try RuleFile("rule a when n == 6 { n == 5 }\nrule a { n == 5 }\nrule b { a }", name: "t")
    for (word, isMet) in [("PASS", true), ("SKIP", false), ("FAIL", false)] {
      let test = "- input: {n: 5}\n  expectations: {rules: {a: \(word), b: PASS, gone: FAIL}}"
      let outcomes = try RuleTest.reading(test)[0].run(file, now: 0)
      #expect(outcomes.map(\.isMet) == [isMet, true, true])
    }
  }

  @Test func theFileFailsIfAnyRuleFails() throws {
    func of(_ file: String) throws -> RuleStatus {
      try RuleFile(file, name: "t").evaluate(try Value.reading(yaml: "n: 5"), now: 0).status
    }
    #expect(try of("rule a { n == 5 } rule b { n == 6 }") == .fail)
    #expect(try of("rule a { n == 5 } rule b when n == 6 { n == 6 }") == .pass)
    #expect(try of("rule b when n == 6 { n == 6 }") == .skip)
  }

  @Test func whatCannotBeAskedIsAnErrorAlsoInAnUnmetCondition() {
    #expect(throws: EvaluationFault.self) { try status("n empty", Self.document) }
    #expect(throws: EvaluationFault.self) { try status("when n empty { n == 5 }", Self.document) }
    #expect(throws: EvaluationFault.self) { try statuses("rule a { b }\nrule b { a }", "n: 5") }
    #expect(throws: EvaluationFault.self) { try status("let a = %b\nlet b = %a\n%a exists", "n: 5") }
    #expect(throws: EvaluationFault.self) { try status("let k = n\n m.%k exists", Self.document) }
    let costly = String(repeating: "a", count: 40) + "!"
    #expect(throws: EvaluationFault.self) { try status("s == /^(a+)+$/", "s: '\(costly)'") }
  }

  /// Texts are bytes: two ways to write é differ, and the end of a line is found behind a carriage return.
  @Test func textsAreComparedByBytes() throws {
    #expect(try status("a == b", "{a: \"\\u00e9\", b: \"e\\u0301\"}") == .fail)
    #expect(try status("a in \"e\u{301}x\"", "a: e") == .pass)
    #expect(try status("a in \"x\r\ny\"", "a: \"\\n\"") == .pass)
  }

  static let chains = [
    (0..<5_000).map { "let a\($0) = %a\($0 + 1).x" }.joined(separator: "\n")
      + "\nlet a5000 = x\nrule r { %a0 exists }",
    (0..<5_000).map { "rule a\($0) { a\($0 + 1) }" }.joined(separator: "\n") + "\nrule a5000 { x exists }",
    "rule f(p) { f(%p) }\nrule r { f(x) }", "rule f(p) { x[ f(%p) ] exists }\nrule r { f(x) }",
    "rule f(p) { let q = %p[ f(this) ]\n %q exists }\nrule r { f(x) }",
    "rule f(p) { x.*.*[*].*[ x { this.x { f(%p) } } ] exists }\nrule r { f(x) }",
    "rule f(p) { when x[ f(%p) or f(%p) ] exists { f(%p) } }\nrule r { f(x) }",
  ]

  /// Chains of rules, variables and blocks end with a fault, on the smallest of stacks too.
  @Test(arguments: chains)
  func chainsAreBounded(_ text: String) async throws {
    let deep = "x: " + String(repeating: "{x: ", count: 120) + "1" + String(repeating: "}", count: 120)
    let hasFault = await onSmallStack {
      do {
        let file = try RuleFile(text, name: "t")
        _ = try file.evaluate(try Value.reading(yaml: deep), now: 0)
        return false
      } catch { return error is EvaluationFault }
    }
    #expect(hasFault)
  }
}
