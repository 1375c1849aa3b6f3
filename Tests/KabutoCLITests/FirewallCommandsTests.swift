// What outsiders rely on: exit status and output of firewall check, rules and lint.

import Foundation
import Testing

@Suite struct FirewallCommandsTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func rules() throws -> String {
    try folder.file(
      "rules.conf",
      Array(
        #"""
        SecRuleEngine On
        SecAction "id:1,phase:1,nolog,pass,setvar:tx.level=1"
        SecRule TX:level "@lt 1" "id:2,phase:2,nolog,pass,skipAfter:END"
        SecRule ARGS "@rx union\s+select" \
          "id:3,phase:2,deny,status:403,msg:'SQL',severity:CRITICAL,t:none,t:lowercase,tag:'paranoia-level/1'"
        SecRule ARGS "@pm evil" "id:4,phase:2,pass,msg:'Evil',severity:WARNING"
        SecMarker END
        """#.utf8))
  }

  /// Compiled patterns of tests stay with the test.
  private func kabuto(_ arguments: String...) throws -> Program.Outcome {
    try Program.run(["firewall"] + arguments, environment: ["XDG_CACHE_HOME": folder.path + "/cache"])
  }

  // MARK: check

  @Test func checkTakesACurlLine() throws {
    let rules = try rules()
    let denied = try kabuto("check", "--rules", rules, "--curl", "curl -d 'q=1 UNION  SELECT 2' http://h/")
    #expect(denied.status == 1)
    #expect(
      denied.text == """
        --curl:1: POST /
          denied with 403 by rule 3 in phase 2
          3  SQL  [CRITICAL]  \(rules):4
            in ARGS:q: 1 «union  select» 2
            after lowercase

        """)
    let passes = try kabuto("check", "--rules", rules, "--curl", "curl http://h/?q=1")
    #expect(passes.status == 0)
    #expect(passes.text == "--curl:1: GET /?q=1\n  passes\n")
    let wrong = try kabuto("check", "--rules", rules, "--curl", "curl --wibble http://h/")
    #expect(wrong.status == 2)
    #expect(wrong.text.isEmpty)
    #expect(wrong.complaints.contains("--curl:1: found the option `--wibble`; wanted"))
  }

  @Test func checkTakesFilesOfEachKind() throws {
    let rules = try rules()
    let raw = try folder.file(
      "raw.http", Array("GET /?q=union%20select HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\n\r\n".utf8))
    let har = try folder.file(
      "a.har", Array(#"{"log":{"entries":[{"request":{"method":"GET","url":"http://h/?q=evil"}}]}}"#.utf8))
    let lines = try folder.file(
      "a.jsonl", Array("{\"id\":\"x\",\"method\":\"GET\",\"uri\":\"/?q=union+select\"}\n".utf8))
    let checked = try kabuto("check", "--rules", rules, "--input", raw, "--json")
    #expect(checked.status == 1)
    let verdicts = try checked.text.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    #expect(verdicts.map { $0["id"] as? String } == ["\(raw)#1", "\(raw)#2"])
    #expect(verdicts.map { $0["action"] as? String } == ["block", "pass"])
    let archive = try kabuto("check", "--rules", rules, "--input", har)
    #expect(archive.status == 0)
    #expect(archive.text.contains("4  Evil  [WARNING]"))
    #expect(try kabuto("check", "--rules", rules, "--input", lines).status == 1)
    let bad = try folder.file("bad.http", Array("GET /\n".utf8))
    let fault = try kabuto("check", "--rules", rules, "--input", bad)
    #expect(fault.status == 2)
    #expect(fault.complaints.contains("\(bad):1: found `GET /`; wanted a request line"))
    #expect(try kabuto("check", "--rules", rules, "--input", folder.path + "/none").status == 2)
    #expect(try kabuto("check", "--rules", rules).status == 64)
  }

  // MARK: rules

  @Test func rulesSaysWhatIsLoaded() throws {
    let rules = try rules()
    let shown = try kabuto("rules", "--rules", rules, "--list")
    #expect(shown.status == 0)
    let lines = shown.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(
      lines.prefix(3) == [
        "4 rules (phase 1: 1, phase 2: 3)", "  paranoia levels: 1: 1, none: 3",
        "  2 scanned ahead, 1 always visited, 1 guards",
      ])
    #expect(
      lines.suffix(5) == [
        "1  phase 1  always  SecAction  \(rules):2", "2  phase 2  guard  TX:level @lt  \(rules):3",
        "3  phase 2  scanned  level 1  ARGS @rx  lowercase  \"SQL\"  \(rules):4",
        "4  phase 2  scanned  ARGS @pm  \"Evil\"  \(rules):6", "",
      ])
  }

  @Test func rulesMeasuresTraffic() throws {
    let rules = try rules()
    let traffic = try folder.file(
      "t", Array("curl http://h/?a=evil\ncurl http://h/?a=x\ncurl 'http://h/?a=union+select'".utf8))
    let measured = try kabuto("rules", "--rules", rules, "--input", traffic, "--json")
    #expect(measured.status == 0)
    let report = try measured.json()
    #expect((report["traffic"] as? [String: Any])?["requests"] as? Int == 3)
    #expect((report["summary"] as? [String: Any])?["scanned"] as? Int == 2)
    let costs = try #require(report["rules"] as? [[String: Any]])
    let nanoseconds = costs.compactMap { $0["ns"] as? Double }
    #expect(nanoseconds.count == 4 && nanoseconds == nanoseconds.sorted(by: >))
    func cost(_ id: Int) -> [Int]? {
      costs.first { $0["id"] as? Int == id }.map { rule in
        ["visited", "asked", "hits", "matched"].compactMap { rule[$0] as? Int }
      }
    }
    #expect(cost(1) == [3, 3, 0, 3])
    #expect(cost(3) == [1, 1, 1, 1])
    #expect(cost(4) == [1, 1, 1, 1])
    #expect(
      try #require(report["scans"] as? [[String: Any]]).contains { $0["variable"] as? String == "ARGS" })
    #expect(try kabuto("rules", "--rules", rules, "--input", folder.path + "/none").status == 2)
    #expect(try kabuto("rules", "--rules", folder.path + "/none").status == 2)
  }

  // MARK: lint

  @Test func lintWarnsWithPlaces() throws {
    let good = try kabuto("lint", "--rules", try rules())
    #expect(good.status == 0)
    #expect(good.text.isEmpty)
    let bad = try folder.file(
      "bad.conf",
      Array("SecRule ARGS \"@streq A\" \"id:1,phase:2,deny,t:lowercase\"\nSecRuleRemoveById 7\n".utf8))
    let warned = try kabuto("lint", "--rules", bad)
    #expect(warned.status == 1)
    #expect(
      warned.text == """
        \(bad):1: warning: rule 1: @streq "A" of a value in lower case: it never is found; the same in lower case [capitals]
        \(bad):1: warning: rule 1: it blocks without msg and severity; what whoever reads the log needs to know [no-message]
        \(bad):2: warning: there is no rule 7 that could be removed; an id that is there [unknown-rule]

        """)
    let json = try kabuto("lint", "--rules", bad, "--json")
    #expect(json.status == 1)
    let warnings = try #require(try json.json()["warnings"] as? [[String: Any]])
    #expect(warnings.map { $0["check"] as? String } == ["capitals", "no-message", "unknown-rule"])
    #expect(warnings.map { $0["line"] as? Int } == [1, 1, 2])
    #expect(warnings.allSatisfy { $0["file"] as? String == bad })
    let less = try kabuto("lint", "--rules", bad, "--except", "capitals", "no-message")
    #expect(less.text.split(separator: "\n").count == 1)
    let unreadable = try folder.file("not.conf", Array("SecRule\n".utf8))
    #expect(try kabuto("lint", "--rules", unreadable).status == 2)
    #expect(try kabuto("lint", "--rules", bad, "--except", "wibble").status == 2)
  }
}
