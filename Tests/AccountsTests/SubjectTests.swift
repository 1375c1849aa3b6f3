// Which resource a finding is about where resources have the same value, so that an exception of one hides nothing of
// another.

import Controls
import Foundation
import GuardRules
import Resources
import TestChance
import Testing

@testable import Governance

@Suite struct SubjectTests {
  static let template = """
    Parameters: {S: {Type: Number, Default: 5}, L: {Type: CommaDelimitedList, Default: 'a,b'}}
    Mappings: {M: {a: {k: 7}}}
    Resources:
      V1: {Type: AWS::EC2::Volume, Properties: {Size: !Ref S, Tags: !Ref L}}
      V2: {Type: AWS::EC2::Volume, Properties: {Size: !Ref S, Tags: !Ref L}}
      W1: {Type: AWS::EC2::Thing, Properties: {Size: !FindInMap [M, a, k], Other: !Ref S}}
      W2: {Type: AWS::EC2::Other, Properties: {Size: !FindInMap [M, a, k]}}
    Outputs: {O: {Value: !Ref S}}
    """

  static func check(_ rule: String, parameters: [String: Value] = [:]) throws -> CheckResult {
    var context = Template.Context()
    context.parameters = parameters
    let check = Check(try RuleSet(text: rule, name: "t.guard"), context: context, now: 0)
    let document = try Template(try Value.reading(yaml: template), context).resolved
    var result = CheckResult()
    check.look(at: InputFile(path: "t.yaml", kind: .template, document: document), &result)
    return result
  }

  @Test(arguments: [
    ("rule r { AWS::EC2::Volume { Properties.Size >= 14 } }", ["V1 Properties.Size", "V2 Properties.Size"]),
    ("rule r { AWS::EC2::Thing { Properties.Size >= 14 } }", ["W1 Properties.Size"]),
    ("rule r { AWS::EC2::Thing { Properties.Other >= 14 } }", ["W1 Properties.Other"]),
    ("rule r { Resources.*[ Type == 'AWS::EC2::Other' ].Properties.Size >= 14 }", ["W2 Properties.Size"]),
    ("rule r { Resources.V1.Properties.Size >= 14 }", ["V1 Properties.Size"]),
    (
      "let v = Resources.*[ Type == /Volume/ ].Properties.Tags\nrule r { %v[*] == 'a' }",
      ["V1 Properties.Tags[1]", "V2 Properties.Tags[1]"]
    ),
    (
      "let t = Resources.*[ Type == 'AWS::EC2::Thing' ]\nrule r { let bad = %t[ Properties.Size < 14 ] %bad empty }",
      ["W1 "]
    ),
    ("rule r { Parameters.S.Default >= 14 }", [" "]), ("rule r { Mappings.M.a.k >= 14 }", [" "]),
    ("rule r { Outputs.O.Value >= 14 }", [" "]),
  ])
  func isTheOneThatTheClauseIsAbout(_ rule: String, _ subjects: [String]) throws {
    let found = try Self.check(rule)
    #expect(found.findings.map { "\($0.resource) \($0.path)" } == subjects)
    #expect(found.findings.allSatisfy { $0.status == "FAIL" && $0.line > 0 })
    #expect(Set(found.findings.map(\.identity.id)).count == subjects.count)
    let given = try Self.check(rule, parameters: ["S": Value(.int(6))])
    #expect(
      given.findings.filter { !$0.resource.isEmpty }.map { "\($0.resource) \($0.path)" }
        == subjects.filter { $0 != " " })
  }

  @Test func anExceptionOfOneHidesNothingOfAnother() throws {
    for (mine, other) in [("V1", "V2"), ("V2", "V1")] {
      var record = ExceptionRecord(
        id: "E", rules: [Wildcard("*")], owner: "o", reason: "r",
        requested: .init(by: "a", on: CalendarDay(of: 0)), expires: CalendarDay(of: 86_400))
      record.scope.resource = [Wildcard(mine)]
      record.approved = .init(by: "b", on: CalendarDay(of: 0))
      record.sum = Exceptions.digest(record.approvedText)
      let folder = try TestFolder()
      let path = "\(folder.path)/e.yaml"
      try record.lines().joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
      var result = try Self.check("rule r { AWS::EC2::Volume { Properties.Size >= 14 } }")
      try Exceptions(path).apply(to: &result, now: 0)
      #expect(result.findings.filter { $0.status == "EXCEPTED" }.map(\.resource) == [mine])
      #expect(result.findings.filter { $0.status == "FAIL" }.map(\.resource) == [other])
      #expect(result.status == .fail)
    }
  }

  /// Where a source of resources shares a value all the same, the block tells whose it is, or nobody is named.
  @Test func ofASharedValueTheBlockTells() throws {
    let size = Value(.int(5))
    let document = Value(
      .map(
        Members([
          (
            "Resources",
            Value(
              .map(
                Members(
                  ["V1", "V2"].map { name in
                    let properties = Value(.map(Members([("Size", size)])))
                    let type = Value(.string(name == "V1" ? "A::B::C" : "A::B::D"))
                    return (name, Value(.map(Members([("Type", type), ("Properties", properties)]))))
                  })))
          )
        ])))
    func subjects(_ rule: String) throws -> [String] {
      var result = CheckResult()
      Check(try RuleSet(text: rule, name: "t.guard"), now: 0).look(
        at: InputFile(path: "t.yaml", kind: .document, document: document), &result)
      return result.findings.map { "\($0.resource) \($0.path)" }
    }
    #expect(try subjects("rule r { A::B::C { Properties.Size >= 14 } }") == ["V1 Properties.Size"])
    #expect(try subjects("rule r { A::B::D { Properties.Size >= 14 } }") == ["V2 Properties.Size"])
    #expect(try subjects("rule r { Resources.V1.Properties.Size >= 14 }") == [" "])
  }
}
