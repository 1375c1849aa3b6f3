// Patterns that run over many bytes must be found in values of all lengths: the AVX-512 code of Vectorscan 5.4.9 loses
// most of them past 64 bytes, which hid rules 932130 and 941340 from long values. Found by PlainEvaluatorTests.

import Testing

@testable import Firewall

@Suite struct LongSpanTests {
  @Test func theLibraryIsSoundHere() {
    // Otherwise all is left to PCRE2: right, and slow. Then this machine's Vectorscan needs a look.
    #expect(ScanCode.function != nil)
  }

  @Test(arguments: [
    (
      #"\$(?:\((?:[^\)]+|\([^\)]+\))\)|\{[^\}]+\}|\[[^\]]*\])|[<>]\([^\)]+\)|/[0-9A-Z_a-z]*\[[^\]]+\]"#, "${",
      "}"
    ),
    (#"(?i)['][ ]*(?:[^a-z0-9~_:' ]|in).+?[.].+?="#, "'--.", "="), ("x[^y]+y", "x", "y"), ("a.+b", "a", "b"),
    (#"<[^>]{3,}>"#, "<", ">"), (#"(?i)union\s*all[^;]*select"#, "UNION all", "Select"),
  ])
  func aSpanOfAnyLengthIsFound(pattern: String, start: String, end: String) throws {
    var run = EngineRun(
      policy: try RuleText.policy("SecRule ARGS:q \"@rx \(pattern)\" \"id:1,phase:1,pass\""))
    for lead in [0, 5, 63] {
      for count in Array(3...140) + [255, 256, 257, 1000, 2047, 5000] {
        let value = String(repeating: "k", count: lead) + start + String(repeating: "c", count: count) + end
        let request = TestRequest(
          id: "t",
          uri: "/?q=" + String(decoding: TestRequest.percentEncoded(Array(value.utf8)), as: UTF8.self))
        #expect(run.outcome(of: request).logged == [1], "\(lead) + \(count)")
      }
    }
  }
}
