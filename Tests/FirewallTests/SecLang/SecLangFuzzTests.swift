// Hostile rule files: nothing crashes, and every fault has a place inside its file.

import Firewall
import Testing

@Suite(.enabled(if: FirewallData.isThere, FirewallData.missing))
struct SecLangFuzzTests {
  @Test func mutatedRuleFilesAreReadOrReportedFuzz() throws {
    var random = SeededGenerator.forTest("mutatedRuleFilesAreReadOrReportedFuzz")
    let files = FirewallData.ruleFiles("crs-3.3") + FirewallData.ruleFiles("crs-4")
    let texts = try files.map { try FirewallData.bytes($0) }
    let special = Array("\"'\\\n\r|,:/!&@#<>= \t".utf8) + [0, 0x80, 0xFF]
    var faulty = 0
    try repeatFuzzing(rounds: 20) { _ in
      let whole = try #require(texts.randomElement(using: &random))
      let start = Int.random(in: 0..<whole.count, using: &random)
      var text = Array(whole[start..<min(whole.count, start + 4000)])
      for _ in 0..<Int.random(in: 1...30, using: &random) where !text.isEmpty {
        let at = Int.random(in: 0..<text.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: text[at] = special.randomElement(using: &random) ?? 0
        case 1: text.insert(special.randomElement(using: &random) ?? 0, at: at)
        case 2: text.removeSubrange(at..<min(text.count, at + Int.random(in: 1...20, using: &random)))
        default: text.insert(contentsOf: text[at..<min(text.count, at + 30)], at: at)
        }
      }
      let lines = text.count { $0 == 10 } + 1
      for quoting in [Quoting.libmodsecurity, .apache] {
        var directives: [DirectiveSyntax] = []
        var faults: [RuleFault] = []
        SecLangParser.parse(text, file: "f", quoting: quoting, into: &directives, faults: &faults)
        if !faults.isEmpty { faulty += 1 }
        for fault in faults {
          #expect(fault.place.file == "f" && 1...lines ~= fault.place.line, "\(fault)")
          #expect(!fault.found.isEmpty && !fault.wanted.isEmpty)
          #expect(!fault.description.contains("\n"))
        }
        for directive in directives { #expect(1...lines ~= directive.place.line) }
      }
    }
    // A canary: damage is noticed.
    #expect(faulty > 0)
  }

  /// What is read twice is the same: a rule written down from its tree gives that tree again.
  @Test func randomWordsAreReadOrReportedFuzz() {
    var random = SeededGenerator.forTest("randomWordsAreReadOrReportedFuzz")
    let alphabet = Array("a1'\"\\/|,:;!&@ =%{}\n\t".utf8)
    repeatFuzzing { _ in
      let count = Int.random(in: 0...24, using: &random)
      let text = String(
        decoding: (0..<count).map { _ in alphabet.randomElement(using: &random) ?? 0 }, as: UTF8.self)
      var faults: [RuleFault] = []
      let place = Place(file: "f", line: 7)
      let targets = TargetList.parse(text, place: place, faults: &faults)
      #expect(!targets.isEmpty || !faults.isEmpty, "\(text.debugDescription)")
      #expect(faults.count <= 1)
      faults = []
      let actions = ActionList.parse(text, place: place, faults: &faults)
      #expect(actions.allSatisfy { !$0.name.isEmpty })
      #expect(faults.count <= 1)
      #expect(faults.allSatisfy { $0.place.file == "f" && $0.place.line >= 7 })
    }
  }
}
