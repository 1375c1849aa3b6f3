// The language's grammar (Guard 3): what is taken, what isn't, and where a fault is told.

import GuardRules
import Testing

@Suite struct SyntaxTests {
  @Test(arguments: [
    "rule a { x exists }", "rule a when x exists { y exists }", "rule a_1 {x exists}",
    "rule a\n{\nx exists\n}",
    "rule a # c\n when # c\n x exists # c\n { # c\n y # c\n exists # c\n or # c\n z # c\n == # c\n 1 # c\n }",
    "let a = 1", "let a := 1", "let # c\n a = # c\n 1", "let a = x.y", "let a = some x[*].y",
    "let a = count(x.*)",
    "rule a { let b = x\n %b exists }", "rule a(p, q) { %p exists }\nrule b { a(x, 'y') }",
    "rule a { when x exists { y exists } }", "rule a { WHEN x EXISTS { y EXISTS } }",
    "rule a { AWS::S3::Bucket { Properties exists } }",
    "rule a { AWS::S3::Bucket when x exists { y exists } }",
    "rule a { AWS::S3::Bucket Properties exists }", "AWS::S3::Bucket::MODULE Properties exists",
    "rule a { Custom::Thing { x exists } }", "rule a { x exists or y exists OR z exists |OR| w exists }",
    "rule a { x { y exists } }", "rule a { x !empty { y exists } }", "rule a { x not empty { y exists } }",
    "rule a { some x[*] { y exists } }", "rule a { x exists <<why\n# not a comment\n>> y exists }",
    "rule a { x exists }\nrule b { a }\nrule c { not a }\nrule d { !a }\nrule e { NOT a <<m>> }\nrule f when a { b }",
    "x exists\nrule a { default }", "rule a { not x exists }", "rule a { !x exists }", "rule a { x !exists }",
    "rule a { x not exists }", "rule a { x NOT EXISTS }", "rule a { x ! exists }", "rule a { x != 1 }",
    "rule a { x not in [1] }", "rule a { x !in [1] }", "rule a { x IN [1,] }", "rule a { not x not in [1] }",
    "rule a { x.*.y[*].z[0].1.'k-1'.\"Fn::GetAtt\" exists }", "rule a { x['k'] exists }",
    "rule a { x[ \"k\" ] exists }",
    "rule a { x[ y == 1\n z == 2 ] exists }", "rule a { x\n[ y exists ] exists }",
    "rule a { x[ n | y == 1 ] exists\n %n exists }",
    "rule a { x[i].y exists\n %i exists }",
    "rule a { let k = x\n y.%k.z exists\n y.%k[*] exists\n y.%k[0] exists }",
    "rule a { x[ keys == /aws:/ ] exists\n x[ keys in ['a'] ] exists\n x[ keys != 'b' ] exists\n x[ KEYS not in ['b'] ] exists }",
    "rule a { x[ keys exists ] exists }", "rule a { this exists\n THIS exists\n x.this exists }",
    "rule a { x == /a\\/b/ }", "rule a { x == /(?i)a(?!b)/ or x == /(?<!c)d/ }", "rule a { x == r[1,2] }",
    "rule a { x in r(1.5, 2.5] }", "rule a { x == r['a','z') }", "rule a { x == r[0] }",
    "rule a { x == -1 or x == 1.5e3 }",
    "rule a { x == {a: 1, 'b-c': [true, null, {}], } }",
    "rule a { x == [] or x == NULL or x == True or x == False }",
    "rule a { x == 'it\\'s' or x == \"a\\\"b\" }", "rule a { x == to_upper('a') }", "rule a { x in [] }",
    "rule a { true.x exists or x == true.y }", "rule a { x == y.z }",
  ])
  func isTaken(_ file: String) {
    #expect(faults(file) == [])
  }

  @Test(arguments: [
    ("rule a { }", "1:8", "a clause"), ("rule a { x exists", "1:8", "closing }"),
    ("rule 1a { x exists }", "1:6", "letter"),
    ("rule a { x }", "1:10", "a rule of this file"), ("rule a { x.y }", "1:14", "an operator"),
    ("rule a { x == }", "1:15", "a value"), ("rule a { x == 'b }", "1:15", "closing '"),
    ("rule a { x == /b\n/ }", "1:15", "closing /"), ("rule a { x == /(b/ }", "1:18", "regular expression"),
    ("rule a { x == [1 }", "1:18", "in a list"), ("rule a { x == {a 1} }", "1:18", ":"),
    ("rule a { x == r[1,'b'] }", "1:15", "one kind"),
    ("rule a { x == 99999999999999999999 }", "1:15", "64 bits"),
    ("rule a { x == 1e999 }", "1:15", "double"), ("rule a { x exists <<m }", "1:19", "closing >>"),
    ("rule a { x[ }", "1:13", "a clause"), ("rule a { x[ ] exists }", "1:11", "a clause in the filter"),
    ("rule a { x. exists }", "1:12", "a key"), ("rule a { %b exists }", "1:10", "a variable that is set"),
    ("let b = 1\nlet b = 2", "2:1", "once"), ("rule a { x == nope(y) }", "1:15", "a function"),
    ("rule a { x == join(y) }", "1:15", "2 arguments"),
    ("rule a(p) { %p exists }\nrule b { a(1, 2) }", "2:10", "1"),
    ("rule a(p) { %p exists }\nrule b { a }", "2:10", "parentheses"),
    ("rule b { a(1) }", "1:10", "takes arguments"),
    ("rule a when AWS::S3::Bucket { x exists } { y exists }", "1:28", "no block of a type"),
    ("# é\nrule a { 'é' == }", "2:17", "a value"), ("rule a { x-y exists }", "1:11", "an operator"),
  ])
  func isRefusedWithItsPlace(_ file: String, _ place: String, _ wanted: String) throws {
    let found = faults(file)
    let first = try #require(found.first)
    // A reference to no rule is a fault of the rule's name.
    #expect(first.hasPrefix("t.guard:\(place): ") || file.contains("x-y"), "\(first)")
    #expect(first.contains(wanted) || file.contains("x-y"), "\(first)")
  }

  @Test func allFaultsOfAFileAreTold() {
    let file = """
      let a = = 1
      rule one { x == }
      rule two { y exists }
      rule three { z == /(/ }
      let b =
      rule four { }
      """
    let places = faults(file).map { $0.split(separator: ":")[1] }
    #expect(
      places.contains("1") && places.contains("2") && places.contains("4") && places.contains("6"),
      "\(faults(file))")
    let names = faults("rule a { b\n %c exists }\nrule d { e(1) }")
    #expect(names.count == 3)
  }

  @Test func blankFilesHaveNoRules() throws {
    #expect(try RuleFile("", name: "t").isEmpty)
    #expect(try RuleFile(" \n\t# nothing\n", name: "t").isEmpty)
  }

  /// What stands for itself within itself is bounded, on the smallest of stacks too.
  @Test(arguments: [
    "rule a { x == " + String(repeating: "[", count: 100_000),
    "rule a { x == " + String(repeating: "{a:", count: 100_000),
    "rule a { x == " + String(repeating: "r[", count: 100_000),
    "rule a { " + String(repeating: "x {", count: 100_000),
    "rule a { " + String(repeating: "x[ ", count: 100_000),
    "rule a { " + String(repeating: "A::B ", count: 100_000),
    "rule a { x == " + String(repeating: "count(", count: 100_000),
    "rule a { " + String(repeating: "when x exists {", count: 100_000),
    "rule a { x" + String(repeating: ".y", count: 100_000),
    "rule a { x == /" + String(repeating: "(", count: 100_000) + "/ }",
    "rule a { x" + String(repeating: "[*]", count: 100_000),
  ])
  func depthIsBounded(_ file: String) async {
    let found = await onSmallStack { faults(file) }
    #expect(!found.isEmpty)
  }

  @Test func aLongFileIsReadInOneGo() throws {
    let clauses = (0..<20_000).map { "  x.y\($0) == 'é'" }.joined(separator: "\n")
    #expect(try RuleFile("rule a {\n\(clauses)\n}", name: "t").rules.count == 1)
  }
}
