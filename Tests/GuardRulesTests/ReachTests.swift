// What rules can look at: read from their queries, and held against evaluations in which all else is changed.

import TestChance
import Testing

@testable import GuardRules

@Suite struct ReachTests {
  static func reach(_ text: String, _ name: String = "r") throws -> RuleReach {
    let file = try RuleFile(text, name: "t.guard")
    let place = try #require(file.rules.firstIndex { $0.name == name })
    return file.reaches[place]
  }

  static let bucket = "Resources.*[ Type == 'AWS::S3::Bucket' ]"

  static let typed: [(String, Set<String>)] = [
    ("let b = Resources.*[ Type == 'A' ]\nrule r when %b !empty { %b.Properties.X == 1 }", ["A"]),
    ("let b = Resources[ Type == 'A' ]\nrule r { %b.Properties.X == 1 }", ["A"]),
    ("rule r { A::B::C { Properties.X == 1 } }", ["A::B::C"]),
    ("rule r { A::B::C when Properties.Y exists { Properties.X == 1 } }", ["A::B::C"]),
    ("rule r { Resources.*[ Type == 'A' ] { Properties { X == 1 } } }", ["A"]),
    ("rule r { Resources.*[ Type in ['A', 'B'] ].Properties.X == 1 }", ["A", "B"]),
    ("rule r { Resources.*[ Type == 'A' or Type == 'B' ].Properties.X == 1 }", ["A", "B"]),
    ("rule r { Resources.*[ Properties.X == 1\n Type == 'A' ].Properties.Y == 1 }", ["A"]),
    ("rule a { Resources.*[ Type == 'A' ].P exists }\nrule r when a { Region == 'x' }", ["A"]),
    ("rule r { Region == 'eu' }", []), ("rule r { Resources exists }", []),
    ("let t = 'A'\nrule r { Resources.*[ Type == %t ].Properties.X == 1 }", ["A"]),
    ("rule r { let t = ['A', 'B']\n Resources.*[ Type in %t ].Properties.X == 1 }", ["A", "B"]),
    ("rule r when Region != 'global' { let d = Resources.*[ Type == 'D' ]\n %d !empty }", ["D"]),
    // Two types: one asks for the other.
    (
      "rule r { let a = Resources.*[ Type == 'A' ].Properties.Id\n Resources.*[ Type == 'B' ].Properties.Id in %a }",
      ["A", "B"]
    ),
    ("rule c(x) { %x.Properties.X == 1 }\nrule r { c(Resources.*[ Type == 'A' ]) }", ["A"]),
    ("rule c(x) { Resources.*[ Type == 'B' ].Properties.X == %x }\nrule r { c('1') }", ["B"]),
    // A variable that no clause asks for isn't evaluated.
    ("let all = Resources.*\nrule r { Resources.*[ Type == 'A' ] exists }", ["A"]),
    ("rule r { Resources.*[ n | Type == 'A' ].Properties.X == 1 }", ["A"]),
  ]

  @Test(arguments: typed) func typesAreThoseOfItsQueries(text: String, types: Set<String>) throws {
    #expect(try Self.reach(text).types == types)
  }

  @Test(arguments: [
    "rule r { Resources.* { Type exists } }", "rule r { Resources !empty }",
    "rule r { Resources.Name.Type == 'A' }", "rule r { Resources.*[ Type != 'A' ].Properties.X == 1 }",
    "rule r { Resources.*[ Type == /^AWS/ ].Properties.X == 1 }",
    "rule r { Resources.*[ Properties.X == 1 ].Type == 'A' }",
    "rule r { Resources.*[ some Type == 'A' ].Properties.X == 1 }",
    "rule r { Resources.*[ not Type == 'A' ].Properties.X == 1 }",
    "rule r { resources.*.Type == 'A' }", "rule r { this.* exists }",
    "rule r { Resources.n | *[ Type == 'A' ] exists }",
    "let all = Resources.*\nrule r { %all[ Type == 'A' ].Properties.X == 1 }",
    "rule a { Resources.* exists }\nrule r when a { Region == 'x' }",
    // On another type it may end in an error.
    "rule r { Resources.*[ Type == 'A'\n Properties.X empty ].Properties.Y == 1 }",
  ]) func whatIsNotByTypeReachesAnything(text: String) throws {
    guard let file = try? RuleFile(text, name: "t.guard") else { return }
    let place = try #require(file.rules.firstIndex { $0.name == "r" })
    #expect(file.reaches[place].types == nil, "\(text)")
  }

  /// By their names, and then by type: which names others have doesn't matter.
  @Test func namesBeforeTypesAreByType() throws {
    let reach = try Self.reach(
      "let n = some \(Self.bucket).Properties.N.Ref\n"
        + "rule r { Resources[ keys not in %n ][ Type == 'T' ][ Properties.A exists ] empty }")
    #expect(reach.types == ["T", "AWS::S3::Bucket"] && reach.counts && !reach.looksElsewhere)
    #expect(try Self.reach("rule r { Resources[ keys == 'a' ] exists }").types == nil)
    #expect(try Self.reach("rule r { Resources[ keys == 'a' ].Properties exists }").types == nil)
  }

  @Test func namesOfPropertiesAreThoseOfItsQueries() throws {
    let plain = try Self.reach(
      "let b = \(Self.bucket)\nrule r when %b !empty { %b.Properties { A.B.C == 1\n D !empty\n some E[*].F in [1] } }"
    )
    for name in ["A", "D", "E"] { #expect(plain.reaches(property: name), "\(name)") }
    for name in ["B", "C", "F", "AccessControl"] { #expect(!plain.reaches(property: name), "\(name)") }
    // In other letter cases too, as keys are looked for.
    #expect(
      try Self.reach("rule r { \(Self.bucket).Properties.access_control == 1 }").reaches(
        property: "AccessControl"))
    let block = try Self.reach("rule r { AWS::S3::Bucket { Properties.A exists\n Metadata.Z exists } }")
    #expect(block.reaches(property: "A") && !block.reaches(property: "Z"))
  }

  @Test(arguments: [
    "rule r { \(bucket).Properties.* != 'x' }", "rule r { \(bucket).* exists }",
    "rule r { \(bucket).Properties == {} }", "rule r { \(bucket).Properties[ this == 1 ] exists }",
    "rule r { \(bucket).Properties[ keys == /A/ ] exists }", "rule r { \(bucket).Properties !empty }",
    "let n = 'A'\nrule r { \(bucket).Properties.%n exists }",
    "rule r { \(bucket) { Properties { * exists } } }",
  ]) func whatGoesThroughAllPropertiesReachesAny(text: String) throws {
    guard let file = try? RuleFile(text, name: "t.guard"), let last = file.reaches.last else { return }
    #expect(last.names == nil, "\(text)")
    #expect(last.types == ["AWS::S3::Bucket"], "\(text)")
  }

  @Test func theTimeIsAskedForOnlyWhereItIs() throws {
    #expect(try !Self.reach("rule r { Region == 'x' }").asksTime)
    #expect(try Self.reach("let t = now()\nrule r { Region == %t }").asksTime)
    #expect(try !Self.reach("let t = now()\nrule r { Region == 'x' }").asksTime)
  }

  @Test func rulesThatNeedEachOtherEnd() throws {
    let text = "rule a when b { Region == 'x' }\nrule b when a { Resources.*[ Type == 'T' ] exists }"
    #expect(try RuleFile(text, name: "t.guard").reaches.map(\.types) == [["T"], ["T"]])
    var deep = "rule c0(x) { Region == %x }\n"
    for level in 1..<40 { deep += "rule c\(level)(x) { c\(level - 1)(%x)\n c\(level - 1)(%x) }\n" }
    deep += "rule r { c39('x') }"
    // Too much to follow: then it is anything.
    #expect(try Self.reach(deep).types == nil)
  }

  /// Rules over random documents: what lies out of reach changes nothing.
  @Test func whatIsOutOfReachChangesNothing() throws {
    let clauses = [
      "%a.Properties.X == 1", "%a !empty", "%a.Properties { X exists\n Y == 'y' }",
      "some %a.Properties.L[*] == 2",
      "%a empty or %b !empty", "%b.Properties.X in %x", "Region == 'eu'",
      "%a[ Properties.X == 1 ].Properties.Y exists",
      "%n == 2", "T::B { Properties.Y exists }", "%a.Properties.L !empty",
      "not other", "when %b !empty { %a.Properties.Y == 'y' }",
      "Resources[ keys != '0' ][ Type == 'T::A' ].Properties.X == 1",
      "Resources[ keys in ['1', '2'] ][ Type == 'T::B' ] empty",
    ]
    var looked = 0
    for round in 0..<400 {
      var chance = Chance(round: round)
      var text = "let a = Resources.*[ Type == 'T::A' ]\nlet b = Resources.*[ Type == 'T::B' ]\n"
      text += "let x = %a.Properties.X\nlet n = count(%a)\n"
      text += "rule other { \(chance.pick(["%b.Properties.X == 1", "%a exists", "Region == 'us'"])) }\n"
      for number in 0..<3 {
        let body = (0...chance.below(2)).map { _ in chance.pick(clauses) }.joined(separator: "\n  ")
        text += "rule r\(number) { \(body) }\n"
      }
      let file = try RuleFile(text, name: "t.guard")
      func resource(_ type: String) -> Value {
        var members: [(name: String, value: Value)] = []
        if chance.below(3) > 0 { members.append(("X", Value(.int(Int64(chance.below(3)))))) }
        if chance.below(3) > 0 { members.append(("Y", Value(.string(chance.pick(["y", "z"]))))) }
        if chance.below(2) > 0 { members.append(("L", Value(.list([Value(.int(2)), Value(.int(3))])))) }
        return Value(
          .map(Members([("Type", Value(.string(type))), ("Properties", Value(.map(Members(members))))])))
      }
      var all: [(name: String, value: Value)] = []
      for number in 0..<(1 + chance.below(6)) {
        all.append(("\(number)", resource(chance.pick(["T::A", "T::B", "T::C"]))))
      }
      func document(_ resources: [(name: String, value: Value)]) -> Value {
        // As long as there is a member at all.
        let mark = (name: "none", value: Value(.map(Members([("Type", Value(.string("Kabuto::Nothing")))]))))
        return Value(
          .map(
            Members([
              ("Resources", Value(.map(Members(resources.isEmpty ? [mark] : resources)))),
              ("Region", Value(.string("eu"))),
            ])))
      }
      let whole = PreparedDocument(document(all))
      for (place, reach) in file.reaches.enumerated() {
        guard let types = reach.types else { continue }
        var rest = all.filter { types.contains($0.value["Type"]?.text.replacing("\"", with: "") ?? "") }
        // Others in the place of those that are out of reach.
        if chance.below(2) == 0, !types.contains("T::C") { rest.append(("more", resource("T::C"))) }
        let before = file.evaluate(whole, rules: [place], now: 0)[0]
        let after = file.evaluate(PreparedDocument(document(rest)), rules: [place], now: 0)[0]
        switch (before, after) {
        case (.success(let before), .success(let after)):
          #expect(before.status == after.status, "\(seedNote) \(text) \(file.rules[place].name)")
          #expect(before.failures.map(\.clause) == after.failures.map(\.clause), "\(seedNote) \(text)")
          if rest.count != all.count { looked += 1 }
        case (.failure, .failure): break
        default: Issue.record("\(seedNote) one of both has a fault: \(text)")
        }
      }
    }
    #expect(looked > 200)
  }
}

extension Value {
  fileprivate subscript(name: String) -> Value? {
    if case .map(let members) = content { return members[name] }
    return nil
  }
}
