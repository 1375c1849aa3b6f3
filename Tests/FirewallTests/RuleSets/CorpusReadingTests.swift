// The corpora are read whole: as many requests as are in them, completed as they should be.

import Foundation
import Testing

@Suite(.enabled(if: FirewallData.isThere, FirewallData.missing))
struct CorpusReadingTests {
  @Test func coreRuleSetTestsAreReadWhole() throws {
    let cases = try CoreRuleSetCase.all(in: "crs-3.3-tests")
    #expect(cases.count == 2403)
    #expect(Set(cases.map(\.file)).count == 178)
    #expect(cases.count { !$0.isEnabled } == 7)
    let expectations = cases.flatMap(\.expectations)
    func count(_ isCounted: (CoreRuleSetCase.Expectation) -> Bool) -> Int {
      expectations.count(where: isCounted)
    }
    #expect(count { if case .match = $0 { true } else { false } } == 2176)
    #expect(count { if case .noMatch = $0 { true } else { false } } == 199)
    #expect(count { $0 == .provesNothing } == 2)
    #expect(count { if case .status = $0 { true } else { false } } == 25)
    #expect(count { $0 == .mayBreak } == 3)
    #expect(cases.count { $0.title == "941160-10" } == 2)
    #expect(cases.allSatisfy { $0.rule > 900_000 })
  }

  @Test func debiansTestsAreReadWhole() throws {
    let cases = try CoreRuleSetCase.all(in: "crs-3.3-tests-debian")
    #expect(
      Set(cases.map(\.file)) == ["920620.yaml", "922110.yaml", "932180.yaml", "933110.yaml", "933111.yaml"])
  }

  @Test func requestsAreCompletedAsTheirRunnerDoes() throws {
    var request = TestRequest(id: "a", body: Array("a=b+ c&d=\"é\"&e".utf8))
    request.complete()
    #expect(String(decoding: request.body, as: UTF8.self) == "a=b++c&d=%22%C3%A9%22")
    #expect(request.value("content-type") == "application/x-www-form-urlencoded")
    #expect(request.value("Content-Length") == "21")
    for text in ["a=%20 b", "no pair", "=&a="] {
      var other = TestRequest(id: "b", body: Array(text.utf8))
      other.complete()
      #expect(String(decoding: other.body, as: UTF8.self) == text)
    }
    var typed = TestRequest(
      id: "c", headers: [.init("content-type", "text/plain")], body: Array("a=b c".utf8))
    typed.complete()
    #expect(typed.body == Array("a=b c".utf8))
    #expect(
      typed.headers.map { String(decoding: $0.name, as: UTF8.self) } == ["content-type", "Content-Length"])
  }

  @Test func rawRequestsAreTakenApart() throws {
    let request = TestRequest(id: "r", raw: Array("POST /a b HTTP/1.0\nHost: x\r\nNo colon\n\nbo\ndy".utf8))
    #expect(String(decoding: request.uri, as: UTF8.self) == "/a b")
    #expect(String(decoding: request.version, as: UTF8.self) == "HTTP/1.0")
    #expect(request.value("host") == "x")
    #expect(request.headers.count == 2)
    #expect(String(decoding: request.body, as: UTF8.self) == "bo\ndy")
    #expect(TestRequest(id: "", raw: []).method == Array("GET".utf8))
  }

  @Test func benignCorporaAreReadWhole() throws {
    let corpora = try BenignCorpus.all()
    #expect(corpora.map(\.name) == BenignCorpus.names)
    #expect(corpora.map(\.requests.count) == [72, 4, 12, 25_740, 4968, 91])
    #expect(Set(corpora.flatMap(\.requests).map(\.id)).count == 30_887)
    // The quotes of a quoted field are doubled.
    let shop = corpora[3].requests
    #expect(
      shop.contains {
        String(decoding: $0.body, as: UTF8.self).contains("leopoldo+alas+%22clarin%22+4%2C+6%3Fb")
      })
    #expect(shop.allSatisfy { !$0.isRefusedByServer })
    var random = SeededGenerator(seed: 1)
    let sample = corpora[4].sample(100, using: &random)
    #expect(sample.count == 100)
    var same = SeededGenerator(seed: 1)
    #expect(corpora[4].sample(100, using: &same) == sample)
  }

  @Test func requestsAreWrittenForOtherEngines() {
    let request = TestRequest(
      id: "x\"1", method: "POST", uri: "/é\\", headers: [.init("A", "b\u{1}")], body: [0, 255])
    #expect(
      request.jsonLine
        == #"{"id":"x\"1","client":"127.0.0.1","method":"POST","uri":"/é\\","version":"HTTP/1.1","#
        + #""headers":[["A","b\u0001"]],"body_base64":"AP8="}"#)
    var other = TestRequest(id: "y", headers: [.init(name: [0x41], value: [0xE9])])
    other.uri = [0x2F, 0xE9]
    #expect(other.jsonLine.contains(#""uri_base64":"L+k=""#))
    #expect(other.jsonLine.contains(#""headers_base64":[["QQ==","6Q=="]]"#))
  }

  /// Not a test of ours: KABUTO_EXPORT=FILE writes every request of the corpora to FILE, a JSON object on a line (see
  /// `TestRequest.jsonLine`), so that another engine can be asked about the same requests.
  /// `KABUTO_EXPORT=/tmp/requests.jsonl swift test --filter requestsAreExported`
  @Test(
    .enabled(if: ProcessInfo.processInfo.environment["KABUTO_EXPORT"] != nil, "KABUTO_EXPORT names no file"))
  func requestsAreExported() throws {
    let path = try #require(ProcessInfo.processInfo.environment["KABUTO_EXPORT"])
    var requests = try CoreRuleSetCase.all(in: "crs-3.3-tests").map(\.request)
    for test in try CoreRuleSetCase.all(in: "crs-3.3-tests-debian") {
      var request = test.request
      request.id = "debian:" + request.id
      requests.append(request)
    }
    requests += try ModSecurityCase.all().map(\.request)
    requests += try BenignCorpus.all().flatMap(\.requests)
    let text = requests.map { $0.jsonLine + "\n" }.joined()
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    print("\(requests.count) requests written to \(path)")
    #expect(requests.count > 33_000)
  }
}
