// All vectors of operators, counted file by file.

import Testing

@testable import Firewall

@Suite(.enabled(if: Vector.areThere, FirewallData.missing))
struct OperatorVectorTests {
  /// The files and how many vectors each holds.
  static let files: [(name: String, count: Int)] = [
    ("beginsWith", 6), ("contains", 10), ("containsWord", 15), ("detectSQLi", 3), ("detectXSS", 3),
    ("endsWith", 7), ("eq", 13), ("ge", 12), ("geoLookup", 5), ("gt", 12), ("ipMatch", 3623), ("le", 12),
    ("lt", 12), ("noMatch", 3), ("pm", 15), ("pmFromFile", 6), ("rx", 20), ("rxGlobal", 21), ("streq", 7),
    ("strmatch", 5), ("unconditionalMatch", 3), ("validateByteRange", 8), ("validateUrlEncoding", 14),
    ("validateUtf8Encoding", 32), ("verifyCC", 69), ("verifycpf", 3), ("verifyssn", 5), ("verifysvnr", 4),
    ("within", 7),
  ]

  /// Arguments that mean nothing. libmodsecurity loads such a rule, which then never does what its author meant; here
  /// the rule is refused.
  static let refused: [String: Set<Int>] = [
    "ipMatch": [16],  // 10.0.0.0/100
    "validateByteRange": [2, 3],  // xxx
  ]

  @Test(arguments: files)
  func vectorsGiveTheirAnswer(name: String, count: Int) throws {
    let vectors = try Vector.all("operators/\(name)")
    #expect(vectors.count == count)
    let context = OperatorContext { path in
      try FirewallData.bytes(path.replacing("test-cases/secrules-language-tests", with: Vector.folder))
    }
    let arena = Arena()
    let scratch = OperatorScratch(arena: arena)
    for (index, vector) in vectors.enumerated() {
      let definition = try #require(Operators.named(vector.name), vector.note)
      if Self.refused[name]?.contains(index) == true {
        #expect(throws: OperatorFault.self, vector.note) { try definition.make(vector.parameter, context) }
        continue
      }
      let made = try definition.make(vector.parameter, context)
      withView(vector.input) { value in
        scratch.clear(for: value)
        #expect(made.matches(value, scratch) == vector.matches, vector.note)
        guard let groups = vector.groups else { return }
        // The vectors of rxGlobal name the groups of the first matches only.
        let captures = scratch.captures.map(\.array)
        #expect(name == "rxGlobal" ? captures.starts(with: groups) : captures == groups, vector.note)
      }
    }
  }
}
