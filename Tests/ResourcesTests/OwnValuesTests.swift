// What a template puts in is made anew each time: no value of a resource stands in two places, and none of it is a
// parameter's or a mapping's own.

import GuardRules
import Resources
import Testing

@Suite struct OwnValuesTests {
  static let template = """
    Parameters:
      S: {Type: Number, Default: 5}
      L: {Type: CommaDelimitedList, Default: 'a,b'}
      J: {Type: String, Default: {a: [1, {b: 2}]}}
      H: {Type: String, Default: x, NoEcho: true}
    Mappings: {M: {a: {k: 7, l: [1, [2]], m: [{x: 1}]}}}
    Conditions: {C: !Equals [!Ref S, 5]}
    Resources:
      V1: {Type: A::B::C, Properties: {Size: !Ref S, Again: !Ref S, List: !Ref L, Map: !Ref J, Hidden: !Ref H}}
      V2: {Type: A::B::C, Properties: {Size: !Ref S, List: !Ref L, Map: !Ref J, Hidden: !Ref H, Pick: !Select [0, !Ref L]}}
      W1: {Type: A::B::D, Properties: {Size: !FindInMap [M, a, k], List: !FindInMap [M, a, l], Maps: !FindInMap [M, a, m]}}
      W2: {Type: A::B::D, Properties: {Size: !FindInMap [M, a, k], List: !FindInMap [M, a, l], Maps: !FindInMap [M, a, m]}}
      X: {Type: A::B::D, Properties: {Size: !If [C, !Ref S, !FindInMap [M, a, k]], One: !Select [1, !FindInMap [M, a, l]]}}
      'Fn::ForEach::Loop': [N, [A, B], {'Y${N}': {Type: A::B::E, Properties: {Size: !Ref S, N: !Ref N}}}]
    Outputs: {O: {Value: !Ref S}, P: {Value: !FindInMap [M, a, l]}}

    """

  static func identities(_ value: Value, _ into: inout [ObjectIdentifier: Int]) {
    into[ObjectIdentifier(value), default: 0] += 1
    switch value.content {
    case .list(let values): for each in values { identities(each, &into) }
    case .map(let members): for each in members.all { identities(each.value, &into) }
    case .unknown(let unknown): if let written = unknown.written { identities(written, &into) }
    default: break
    }
  }

  @Test(arguments: [[:], ["S": Value(.string("6")), "J": Value(.string("text"))]])
  func noValueStandsInTwoPlaces(_ given: [String: Value]) throws {
    var context = Template.Context()
    context.parameters = given
    let resolved = try Template(try Value.reading(yaml: Self.template), context).resolved
    var all: [ObjectIdentifier: Int] = [:]
    Self.identities(resolved, &all)
    #expect(all.values.allSatisfy { $0 == 1 })
    #expect(all.count > 100)
  }

  @Test func whatIsGivenStandsWhereItIsUsed() throws {
    var context = Template.Context()
    context.parameters = ["S": Value(.string("6"))]
    let resolved = try Template(try Value.reading(yaml: Self.template), context).resolved
    let properties = resolved["Resources"]?["V2"]?["Properties"]
    #expect(properties?["Size"]?.place.line == 10)
    // A default keeps its own place: there it is mended.
    let mapped = resolved["Resources"]?["W1"]?["Properties"]?["Size"]
    #expect(mapped?.place.line == 6)
  }
}
