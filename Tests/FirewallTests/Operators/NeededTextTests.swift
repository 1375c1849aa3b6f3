import Testing

@testable import Firewall

struct NeededTextTests {
  @Test(arguments: [
    ("^header_name_", "header_name_"), ("__utm", "__utm"), ("^MULTIPART_HEADERS_*", "multipart_headers"),
    ("a|b", ""), ("ab?cd", "cd"), ("(abc)d", ""), ("LEAKAGE\\\\\\/ERRORS", "leakage\\/errors"),
    ("abc\\d", "abc"),
    ("ab+", "ab"), ("ab{0}", "a"), ("x.yz$", "yz"), ("", ""),
  ])
  func theLongestRunIsFound(pattern: String, text: String) {
    #expect(String(decoding: NeededText.of(Array(pattern.utf8)), as: UTF8.self) == text)
  }

  /// No match without it, whatever the pattern.
  @Test func whatIsNeededIsInEveryMatch() throws {
    var random = SeededGenerator.forTest("NeededText")
    let scratch = RegexScratch()
    let bytes = Arena()
    let letters = Array("abAB_.-\\[]()?*+{}|^$2\n".utf8)
    try repeatFuzzing(seconds: 0.5) { _ in
      for _ in 0..<200 {
        let pattern = (0..<Int.random(in: 1...7, using: &random)).map { _ in
          letters.randomElement(using: &random) ?? 0x61
        }
        guard let plain = try? Regex(Array("(?i)".utf8) + pattern) else { continue }
        let quick = try Regex(Array("(?i)".utf8) + pattern, needed: NeededText.of(pattern))
        for _ in 0..<20 {
          let value = bytes.copy(
            (0..<Int.random(in: 0...8, using: &random)).map { _ in
              letters.randomElement(using: &random) ?? 0x61
            })
          let isMatch = plain.firstMatch(in: value, scratch) == .match
          #expect(
            quick.matches(value, scratch) == isMatch,
            "\(String(decoding: pattern, as: UTF8.self)) \(value.text)")
        }
      }
      bytes.reset()
    }
  }

  @Test func slotsAreFoundByName() {
    let arena = Arena()
    let names = (0..<300).map { arena.copy("name_\($0)") }
    let table = SlotTable(names)
    for number in names.indices { #expect(table[arena.copy("name_\(number)")] == number) }
    #expect(table[arena.copy("name_300")] == nil)
    #expect(SlotTable([])[arena.copy("x")] == nil)
  }
}
