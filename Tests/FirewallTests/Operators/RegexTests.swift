// Regular expressions: where a match lies, limits, faults, and memory that is used again.

import Testing

@testable import Firewall

struct RegexTests {
  let scratch = RegexScratch()

  private func regex(_ pattern: String, _ change: (inout RegexOptions) -> Void = { _ in }) throws -> Regex {
    var options = RegexOptions()
    change(&options)
    return try Regex([UInt8](pattern.utf8), options: options)
  }

  @Test func groupsAreFound() throws {
    let regex = try regex("(a)(x)?(c)")
    #expect(regex.groupCount == 3)
    withView([UInt8]("--ac".utf8)) { value in
      #expect(regex.firstMatch(in: value, scratch) == .match)
      #expect(scratch.match == 2..<4)
      #expect(scratch.groupCount == 4)
      #expect(scratch.group(1) == 2..<3)
      #expect(scratch.group(2) == nil)
      #expect(scratch.group(3) == 3..<4)
      #expect(scratch.group(4) == nil && scratch.group(-1) == nil)
      #expect(regex.firstMatch(in: value, from: 3, scratch) == .noMatch)
      #expect(scratch.groupCount == 0)
      for from in [-1, 5, .max, .min] {
        #expect(regex.firstMatch(in: value, from: from, scratch) == .noMatch)
      }
    }
  }

  @Test func moreGroupsThanAreKept() throws {
    let regex = try regex(String(repeating: "(.)", count: 40))
    withView([UInt8](repeating: 0x61, count: 40)) { value in
      #expect(regex.firstMatch(in: value, scratch) == .match)
      #expect(scratch.groupCount == RegexScratch.groupsKept)
      #expect(scratch.group(9) == 8..<9 && scratch.group(10) == nil)
    }
  }

  private func outcome(
    of pattern: String, on bytes: [UInt8], multiline: Bool = true, canBeEmpty: Bool = true
  ) throws -> RegexOutcome {
    let regex = try regex(pattern) { $0.multiline = multiline }
    return withView(bytes) { regex.firstMatch(in: $0, canBeEmpty: canBeEmpty, scratch) }
  }

  @Test func linesMatterOnlyWhereTheyAreAskedFor() throws {
    let lines = [UInt8]("a\nb\n".utf8)
    #expect(try outcome(of: "^b$", on: lines) == .match)
    #expect(try outcome(of: "^b$", on: lines, multiline: false) == .noMatch)
    // Not before a line feed at the end either.
    #expect(try outcome(of: "b$", on: lines, multiline: false) == .noMatch)
    #expect(try outcome(of: "a.b", on: lines, multiline: false) == .match)
  }

  @Test func bytesAreNoText() throws {
    let bytes: [UInt8] = [0xFF, 0x00, 0xC3]
    #expect(try outcome(of: "\0\\xc3", on: bytes) == .match)
    #expect(try outcome(of: "\\xff\\x00[^\\x21-\\x7e]$", on: bytes) == .match)
  }

  @Test func emptyValuesAreSearched() throws {
    #expect(try outcome(of: "^$", on: []) == .match)
    #expect(try outcome(of: "", on: []) == .match)
    #expect(try outcome(of: "^$", on: [], canBeEmpty: false) == .noMatch)
  }

  /// A pattern that would go on for ever stops at the limit and says so, and the next one is not the worse for it.
  @Test(arguments: ["(a+)+$", "^(a|aa)+$", "(a*)*[bd]", "(x+x+)+y|(a+a+)+b"])
  func catastrophesStopAtTheLimit(pattern: String) throws {
    let catastrophic = try regex(pattern)
    let harmless = try regex("b$") { $0.matchLimit = 50_000 }
    withView([UInt8](repeating: 0x61, count: 5000) + [UInt8]("c".utf8)) { value in
      #expect(catastrophic.firstMatch(in: value, scratch) == .limitExceeded)
      #expect(harmless.firstMatch(in: value, scratch) == .noMatch)
    }
  }

  @Test func anOperatorReportsTheLimit() throws {
    let rx = try Rx([UInt8]("(a+)+$".utf8), RegexOptions())
    let operatorScratch = OperatorScratch(arena: Arena())
    withView([UInt8](repeating: 0x61, count: 5000) + [0x62]) { value in
      operatorScratch.clear(for: value)
      #expect(!rx.matches(value, operatorScratch))
      #expect(operatorScratch.limitExceeded)
      #expect(operatorScratch.captures.isEmpty)
    }
  }

  /// Without machine code the same limits hold: (*NO_JIT) asks for the interpreter.
  @Test func theInterpreterIsLimitedToo() throws {
    let interpreted = try regex("(*NO_JIT)(a+)+$")
    #expect(!interpreted.isCompiledToMachineCode)
    withView([UInt8](repeating: 0x61, count: 5000) + [0x62]) { value in
      #expect(interpreted.firstMatch(in: value, scratch) == .limitExceeded)
    }
    withView([UInt8]("xaa".utf8)) { value in
      #expect(interpreted.firstMatch(in: value, scratch) == .match)
      #expect(scratch.match == 1..<3)
    }
  }

  @Test func faultsSayWhereAndWhy() {
    let fault = #expect(throws: OperatorFault.self) { try Regex([UInt8]("ab(c".utf8)) }
    #expect(fault?.found.contains("at offset 4") == true)
    #expect(fault?.found.contains("missing closing parenthesis") == true)
  }

  /// The same value and pattern, interpreted and compiled, on random patterns: the wrapper reads both alike.
  @Test func bothEnginesAgreeFuzz() throws {
    var random = SeededGenerator.forTest("bothEnginesAgreeFuzz")
    let parts = ["a", "b", "(a|b)", "[ab]+", "a?", "(b)*", "^", "$", "\\n", ".", "(?:ab)?", "\\b"]
    try repeatFuzzing { _ in
      let pattern = (0..<(1 + random.below(6))).map { _ in random.pick(parts) }.joined()
      let compiled = try regex(pattern)
      let interpreted = try regex("(*NO_JIT)" + pattern)
      for _ in 0..<10 {
        withView(random.value(most: 12, alphabet: ["a", "b", "\n"])) { value in
          let first = compiled.firstMatch(in: value, scratch)
          let groups = (0..<scratch.groupCount).map(scratch.group)
          #expect(interpreted.firstMatch(in: value, scratch) == first, "\(pattern) on \(value.array)")
          #expect((0..<scratch.groupCount).map(scratch.group) == groups, "\(pattern) on \(value.array)")
        }
      }
    }
  }
}
