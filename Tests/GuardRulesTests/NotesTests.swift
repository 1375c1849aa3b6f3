// What comments above a rule say of it, and where a note that can't be meant is told.

import GuardRules
import Testing

@Suite struct NotesTests {
  private func faults(_ text: String) -> [String] {
    do {
      _ = try RuleFile(text, name: "r.guard")
      return []
    } catch { return error.all.map(\.description) }
  }

  @Test func allKeysAreRead() throws {
    let file = try RuleFile(
      """
      # A file's head.
      let a = x
      # @severity critical
      # An ordinary comment between notes.
      #   @title  No open port 22
      # @title.ja ポート22を開放しない
      # @mend Close it. # @control isn't read from a text
      # @mend.ja 閉じる
      # @control CIS 5.2
      # @control PCI 1.3.1
      rule ssh { %a exists }
      # @severity low
      rule other when ssh { %a empty }
      rule plain { %a exists }
      """, name: "r.guard")
    var ssh = RuleNotes()
    ssh.severity = .critical
    ssh.title = "No open port 22"
    ssh.titleJa = "ポート22を開放しない"
    ssh.mend = "Close it. # @control isn't read from a text"
    ssh.mendJa = "閉じる"
    ssh.controls = ["CIS 5.2", "PCI 1.3.1"]
    #expect(file.notes["ssh"] == ssh)
    #expect(file.notes["other"]?.severity == .low)
    #expect(file.notes["other"]?.title == "")
    #expect(file.notes["plain"] == nil)
  }

  @Test func linesMayEndAsOnWindows() throws {
    let file = try RuleFile(
      "# @severity high\r\n# @title A\r\nrule a {\r\n x exists }\r\n", name: "r.guard")
    #expect(file.notes["a"]?.severity == .high)
    #expect(file.notes["a"]?.title == "A")
  }

  @Test(arguments: [
    ("# @severtiy high\nrule a { x exists }", "1:3", "\"@severtiy\""),
    ("# @severity grave\nrule a { x exists }", "1:3", "@severity grave"),
    ("# @severity\nrule a { x exists }", "1:3", "@severity without a text"),
    ("  #@title A\n  # @title B\nrule a { x exists }", "2:5", "@title a second time"),
    ("# @title A\n\nrule a { x exists }", "1:3", "\"@title\" above no rule"),
    ("# @title A\nlet a = x", "1:3", "\"@title\" above no rule"),
    ("# @title A\nrule a(p) { %p exists }", "1:3", "\"@title\" above no rule"),
    ("rule a { x exists }\n# @mend M", "2:3", "\"@mend\" above no rule"),
    ("rule a {\n# @mend M\n x exists }", "2:3", "\"@mend\" above no rule"),
    ("# @title A\nrule a { x exists }\n# @title B\nrule a { y exists }", "3:3", "notes of rule a a second time"),
  ])
  func faultIsToldWhereItStands(_ text: String, _ place: String, _ found: String) {
    let all = faults(text)
    #expect(all.count == 1)
    #expect(all.first?.hasPrefix("r.guard:\(place): found \(found); wanted ") == true, "\(all)")
  }

  @Test func faultsOfNotesAndOfRulesAreToldTogetherInOrder() {
    let all = faults(
      "# @severity x\nrule a { x == }\n# @nope y\nrule b { y exists }\n# @title T\n# @mend\nrule 1 { z exists }")
    #expect(all.map { String($0.prefix(12)) } == ["r.guard:1:3:", "r.guard:2:15", "r.guard:3:3:", "r.guard:7:6:"])
  }

  @Test(arguments: [
    "rule a { x exists } # @severity none", "rule a { x == '\n# @title' }",
    "rule a { x exists <<\n# @title\n>> }", "# user@example.com\nrule a { x exists }",
  ])
  func otherTextIsNoNote(_ text: String) {
    #expect(faults(text) == [])
  }

  @Test func graverIsGreater() {
    #expect(Severity.allCases.sorted() == [.info, .low, .medium, .high, .critical])
    #expect(Severity.allCases.map(\.rank) == [4, 3, 2, 1, 0])
  }
}
