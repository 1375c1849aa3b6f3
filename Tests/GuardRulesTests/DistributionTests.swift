// Rules that are said to distribute do: on made rules and made documents, whatever the parts, verdicts and failures of the
// parts are those of the whole. And what rules are said to be able to look at is all that they look at.

import GuardRules
import TestChance
import Testing

@testable import GuardRules

/// Makes rules over resources, and documents of resources.
private struct Maker {
  var chance: Chance

  static let types = ["T::A::A", "T::B::B", "T::C::C"]

  mutating func scalar() -> Value {
    let all: [Value.Content] = [
      .string("x"), .string("y"), .string(""), .bool(true), .null, .int(1), .int(5), .list([]),
      .map(Members([])),
    ]
    return Value(chance.pick(all))
  }

  mutating func value(_ depth: Int, _ unknownOneIn: Int) -> Value {
    if chance.below(unknownOneIn) == 0 {
      return Value(.unknown(Unknown("test", mayBeAbsent: chance.below(2) == 0)))
    }
    guard depth > 0 else { return scalar() }
    switch chance.below(5) {
    case 0, 1: return scalar()
    case 2:
      var values: [Value] = []
      for _ in 0..<chance.below(4) { values.append(value(depth - 1, unknownOneIn)) }
      return Value(.list(values))
    default: return map(depth, unknownOneIn)
    }
  }

  mutating func map(_ depth: Int, _ unknownOneIn: Int) -> Value {
    var members: [(name: String, value: Value)] = []
    for key in ["a", "b", "c"] where chance.below(4) > 0 {
      members.append((key, value(depth - 1, unknownOneIn)))
    }
    let rest = chance.below(unknownOneIn) == 0 ? Members.Rest(Unknown("rest"), absent: ["c"]) : nil
    return Value(.map(Members(members, rest: rest)))
  }

  mutating func resources() -> [(name: String, value: Value)] {
    let unknownOneIn = chance.pick([4, 12, 10_000])
    var all: [(name: String, value: Value)] = []
    for number in 0...chance.below(6) {
      all.append(
        (
          "r\(number)",
          Value(
            .map(
              Members([
                ("Type", Value(.string(chance.pick(Self.types)))), ("Properties", map(3, unknownOneIn)),
              ])))
        ))
    }
    return all
  }

  mutating func inner(_ depth: Int = 1) -> String {
    var text = chance.pick(["a", "b", "c"])
    for _ in 0..<chance.below(3) {
      switch chance.below(7) {
      case 0, 1: text += "." + chance.pick(["a", "b", "c"])
      case 2: text += ".*"
      case 3: text += "[*]"
      case 4: text += "[ keys == /[ab]/ ]"
      case 5: text += "[0]"
      default: if depth > 0 { text += "[ \(test(inner(0))) ]" }
      }
    }
    return text
  }

  /// A clause on a query.
  mutating func test(_ query: String, isSome: Bool = false) -> String {
    let query = isSome ? "some " + query : query
    switch chance.below(4) {
    case 0, 1:
      return query + " "
        + chance.pick([
          "exists", "!exists", "is_string", "!is_string", "is_list", "is_struct", "is_null", "empty",
          "!empty",
        ])
    case 2:
      return (isSome ? "" : chance.pick(["", "not "])) + query + " "
        + chance.pick(["==", "!=", "in", "not in", ">", "<="]) + " "
        + chance.pick([
          "'x'", "['x','y']", "1", "/x/", "[]", "{}", "null", "%lit", "%list", "%c", "%made",
          "%x.Properties.a",
        ])
    default: return query + " == " + chance.pick(["'x'", "true", "1", "%lit"])
    }
  }

  /// Clauses about one value.
  mutating func local(_ depth: Int = 2) -> String {
    switch chance.below(depth > 0 ? 7 : 2) {
    case 0, 1: return test(inner(), isSome: chance.below(3) == 0)
    case 2: return local(0) + " or " + local(0)
    case 3: return "when \(test(inner())) { \(local(depth - 1)) }"
    case 4: return inner() + chance.pick([" ", " !empty "]) + "{ \(local(depth - 1)) }"
    case 5: return "let own = \(inner())\n \(test("%own"))"
    default: return local(depth - 1) + "\n " + local(depth - 1)
    }
  }

  mutating func selection() -> String {
    chance.pick([
      "%x", "%x", "%y", "%z", "%w", "%e", "Resources.*[ Type == 'T::A::A' ]", "Resources.*",
      "%x[ Properties.b exists ]",
      "%x[*]", "Resources[ Type == 'T::C::C' ]",
    ])
  }

  mutating func condition() -> String {
    switch chance.below(10) {
    case 0, 1, 2, 3: return "\(chance.pick(["%x", "%y", "%z", "%w"])) !empty"
    case 4: return "not %x empty"
    case 5: return "%x !empty or %y !empty"
    case 6: return chance.pick(["P.flag == true", "P.flag == false", "%c !empty", "Resources exists"])
    case 7: return "%x !empty\n P.flag == true"
    case 8: return "%x !empty\n %y !empty"
    default: return test(selection() + ".Properties." + inner())
    }
  }

  mutating func clause(_ depth: Int = 2) -> String {
    switch chance.below(depth > 0 ? 14 : 6) {
    case 0, 1, 2: return test(selection() + ".Properties." + inner())
    case 3: return selection() + " { \(local()) }"
    case 4: return selection() + ".Properties { \(local()) }"
    case 5: return chance.pick(["%x", "%z", "%x[ Properties.\(inner()) exists ]"]) + " empty"
    case 6: return "T::A::A { \(local()) }"
    case 7: return "T::B::B when \(condition()) { Properties { \(local()) } }"
    case 8: return "when \(condition()) { \(clause(depth - 1)) }"
    case 9: return "let bad = %x[ \(test("Properties." + inner())) ]\n %bad empty"
    case 10: return "called(\(selection()))"
    case 11:
      return chance.pick([
        "%x !empty", test("%x.Properties.a", isSome: true), "let n = count(%x)\n %n > 1", "r0", "not r0",
      ])
    case 12: return clause(0) + " or " + clause(0)
    default: return clause(depth - 1) + "\n " + clause(depth - 1)
    }
  }

  mutating func file() -> String {
    var text = """
      let x = \(chance.pick(["", "some "]))Resources.*[ Type == 'T::A::A' \(chance.pick(["", "Properties.a exists", "Metadata !exists"])) ]
      let y = Resources.*[ Type in ['T::B::B', 'T::C::C'] ]
      let z = %x[ \(test("Properties." + inner())) ]
      let w = %x
      let e = \(chance.pick(["", "some "]))%x.Properties.\(inner())
      let lit = 'x'
      let list = ['x', 1]
      let c = P.list
      let made = to_upper(%lit)
      rule called(p) { \(chance.pick(["%p exists", "%p empty", "%p { \(local(1)) }", "%p.Properties.a == 'x'"])) }

      """
    for number in 0..<4 {
      text += "rule r\(number)"
      if chance.below(3) > 0 { text += " when " + condition() }
      text += " {\n  \(clause())\n}\n"
    }
    return text
  }
}

/// What is compared of a failure.
private struct Told: Equatable, CustomStringConvertible {
  let resource: Int
  let description: String
}

/// Failures by resource, each one's in their order.
private func told(_ failures: [Failure], _ resources: [(name: String, value: Value)]) -> [Told] {
  var owners: [ObjectIdentifier: Int] = [:]
  func add(_ value: Value, _ place: Int) {
    owners[ObjectIdentifier(value)] = place
    switch value.content {
    case .list(let values): values.forEach { add($0, place) }
    case .map(let members): members.all.forEach { add($0.value, place) }
    default: break
    }
  }
  for (place, resource) in resources.enumerated() { add(resource.value, place) }
  func owner(_ value: Value?) -> Int? { value.flatMap { owners[ObjectIdentifier($0)] } }
  let all = failures.map { failure in
    Told(
      resource: owner(failure.value) ?? owner(failure.within) ?? -1,
      description:
        "\(failure.place) \(failure.clause) \(failure.value?.text ?? "-") \(failure.missing ?? "-") \(failure.wanted?.text ?? "-") \(failure.isUnknown)"
    )
  }
  return all.indices.sorted { (all[$0].resource, $0) < (all[$1].resource, $1) }.map { all[$0] }
}

private func document(_ resources: [(name: String, value: Value)]) -> PreparedDocument {
  let parameters = Value(
    .map(
      Members([
        ("flag", Value(.bool(true))), ("list", Value(.list([Value(.string("x")), Value(.string("y"))]))),
      ])))
  return PreparedDocument(
    Value(.map(Members([("Resources", Value(.map(Members(resources)))), ("P", parameters)]))))
}

@Suite struct DistributionTests {
  @Test func partsSayWhatTheWholeSaysFuzz() throws {
    var (compared, failed, unknown, whole) = (0, 0, 0, 0)
    fuzz(rounds: 3_000) { round in
      var maker = Maker(chance: Chance(round: round))
      let text = maker.file()
      // Some set a name twice.
      guard let file = try? RuleFile(text, name: "made") else { return }
      let reach = file.reaches
      let wanted = reach.indices.filter { reach[$0].distributes }
      whole += reach.count - wanted.count
      guard !wanted.isEmpty else { return }
      for _ in 0..<3 {
        let resources = maker.resources()
        var parts: [[(name: String, value: Value)]] = []
        for resource in resources {
          if parts.isEmpty || maker.chance.below(2) == 0 { parts.append([]) }
          parts[parts.count - 1].append(resource)
        }
        let all = file.evaluate(document(resources), rules: wanted, now: 0)
        let each = parts.map { file.evaluate(document($0), rules: wanted, now: 0) }
        for (number, result) in all.enumerated() {
          guard case .success(let expected) = result else { continue }
          let found = each.compactMap { try? $0[number].get() }
          guard found.count == parts.count else { continue }
          compared += 1
          if expected.status == .fail { failed += 1 }
          if expected.status == .unknown { unknown += 1 }
          let status = found.status
          // Of a rule that fails parts may tell more of what can't be told than the whole does.
          func counts(_ failure: Failure) -> Bool { status != .fail || !failure.isUnknown }
          let first = told(expected.failures.filter(counts), resources)
          let second = told(found.flatMap(\.failures).filter(counts), resources)
          if status != expected.status || first != second {
            Issue.record(
              """
              \(expected.name): whole \(expected.status) \(first.map(\.description)), parts \(status) \
              \(second.map(\.description)), \(seedNote), round \(round)
              \(text)
              \(parts.map { $0.map { "\($0.name): \($0.value.text)" } })
              """)
            return
          }
        }
      }
    }
    print(
      "DistributionTests: \(compared) verdicts, \(failed) failed, \(unknown) unknown; \(whole) rules don't")
    #expect(compared > 2_000 && failed > 200 && unknown > 200 && whole > 1_000)
  }

  @Test func resourcesOutOfReachChangeNothingFuzz() throws {
    var compared = 0
    fuzz(rounds: 2_000) { round in
      var maker = Maker(chance: Chance(round: round))
      let text = maker.file()
      guard let file = try? RuleFile(text, name: "made") else { return }
      let reach = file.reaches
      for index in reach.indices {
        guard let types = reach[index].types else { continue }
        let resources = maker.resources()
        let near = resources.filter { types.contains($0.value.typeName) }
        let other = (
          name: "other", value: Value(.map(Members([("Type", Value(.string("T::Other::Other")))])))
        )
        let all = file.evaluate(document(resources), rules: [index], now: 0)[0]
        let some = file.evaluate(document(near.isEmpty ? [other] : near), rules: [index], now: 0)[0]
        guard case .success(let first) = all, case .success(let second) = some else { continue }
        compared += 1
        let (own, others) = (told(first.failures, resources), told(second.failures, resources))
        if first.status != second.status || own.map(\.description) != others.map(\.description) {
          Issue.record(
            "\(first.name) of \(types): \(first.status) \(own), without others \(second.status) \(others), \(seedNote), round \(round)\n\(text)"
          )
          return
        }
      }
    }
    #expect(compared > 1_000)
  }

  static let names =
    "let x = Resources.*[ Type == 'A::B::C' ]\nlet y = Resources.*[ Type == 'D::E::F' ]\nlet lit = 'x'\n"

  @Test(arguments: [
    "rule r when %x !empty { %x.Properties.A == 1 }",
    "rule r when %x !empty or %y !empty { %x.Properties.A == %lit\n %y { B exists or C exists } }",
    "rule r { let bad = %x[ Properties.A != 1 ]\n %bad empty }",
    "rule r when %x !empty { let bad = %x[ some Properties.A[*] == 1 ]\n %bad empty <<never>> }",
    "rule r { A::B::C when Resources.*[ Type == \"A::B::C\" ] !empty { Properties.A in [1, 2] } }",
    "rule r when P.flag == true { %x { when Properties.A exists { Properties.A is_string } } }",
    "rule c(p) { %p.Properties.A exists }\nrule r { c(%x) }",
    "let names = P.names\nrule r { %x { Properties.A in %names } }",
  ])
  func distributes(_ rules: String) throws {
    #expect(try RuleFile(Self.names + rules, name: "t").reaches.last?.distributes == true)
  }

  @Test(arguments: [
    // One of all; all or all; how many; each other; what another rule says.
    "rule r { some %x.Properties.A == 1 }", "rule r { %x !empty }", "rule r { %x !empty { A exists } }",
    "rule r { %x.Properties.A exists or %x.Properties.B exists }",
    "let n = count(%x)\nrule r { %n < 5 }", "rule r { %x.Properties.A == %y.Properties.B }",
    "rule r { %x { Properties.A in %y.Properties.B } }",
    "let z = %x[ Properties.A in %y.Properties.B ]\nrule r { %z empty }",
    "rule a { %x exists }\nrule r when a { %x.B exists }", "rule a { %x exists }\nrule r { a }",
    "rule a { %x exists }\nrule r { %x { a } }",
    // Conditions that hold for all or none, and bodies that look at something else.
    "rule r when %x.Properties.A exists { %x.Properties.B exists }",
    "rule r when %x empty { %y.Properties.B exists }",
    "rule r when %x !empty { %y.Properties.B exists }", "rule r when %x !empty { %y empty }",
    "rule r when %x !empty %y !empty { %x.A exists }",
    // One by name; what isn't there is looked for in other letter cases; captures; the document itself.
    "rule r { Resources.One.Properties.A == 1 }", "rule r { resources.*.Properties.A == 1 }",
    "rule r { Resources.*[ name | Type == 'A::B::C' ].Properties.A == 1 }", "rule r { Resources !empty }",
    "rule r { P.flag == true }", "rule r { this.Resources.*.A exists }",
    "let t = to_upper(%x.Properties.A)\nrule r { %t == 'X' }",
  ])
  func doesNotDistribute(_ rules: String) throws {
    #expect(try RuleFile(Self.names + rules, name: "t").reaches.last?.distributes == false)
  }

  @Test(
    arguments: [
      ("rule r { %x.A exists }", ["A::B::C"]), ("rule r { some %x.A in %y.B }", ["A::B::C", "D::E::F"]),
      ("rule r { P.flag == true }", []), ("rule r { A::B::C { X exists } }", ["A::B::C"]),
      ("rule r { Resources.*[ Type == 'Q' or Type in ['R', 'S'] ] !empty }", ["Q", "R", "S"]),
      ("rule a { %y exists }\nrule r when a { %x.B exists }", ["A::B::C", "D::E::F"]),
      ("rule c(p) { %p.A exists\n %y !empty }\nrule r { c(%x) }", ["A::B::C", "D::E::F"]),
      ("rule r { Resources.*[ Type == /A/ ] !empty }", nil), ("rule r { Resources.One exists }", nil),
      ("rule r { Resources exists\n %x !empty }", ["A::B::C"]), ("rule r { this exists }", nil),
      ("rule r { resources.* exists }", nil), ("rule r { Resources.*[ Type != 'A' ] empty }", nil),
    ] as [(String, [String]?)])
  func looksAt(_ rules: String, _ types: [String]?) throws {
    #expect(try RuleFile(Self.names + rules, name: "t").reaches.last?.types == types.map { Set($0) })
  }

  @Test(.enabled(if: GovernanceData.isThere, GovernanceData.missing))
  func mostPublishedRulesDistribute() throws {
    var (all, distributing, typed) = (0, 0, 0)
    for path in GovernanceData.files(".guard") where path.contains("aws-guard-rules-registry") {
      let file = try RuleFile(try GovernanceData.text(path), name: path)
      for (rule, reach) in zip(file.rules, file.reaches) {
        all += 1
        if reach.distributes { distributing += 1 } else { print("doesn't distribute: \(rule.name)") }
        if reach.types != nil { typed += 1 }
      }
    }
    print(
      "DistributionTests: \(distributing) of \(all) published rules distribute, \(typed) name their types")
    #expect(all > 80 && distributing * 10 > all * 7 && typed * 10 > all * 8)
  }
}

extension Value {
  fileprivate var typeName: String {
    if case .map(let members) = content, case .string(let type)? = members["Type"]?.content { return type }
    return ""
  }
}
