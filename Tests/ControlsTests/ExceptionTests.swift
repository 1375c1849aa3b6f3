// Exceptions: what they are worth, what they mean, how their files are read and changed.

import Controls
import GuardRules
import Testing

@Suite struct ExceptionTests {
  /// A sum that tells texts apart; the real one is SHA-256.
  static func digest(_ text: String) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return String(hash, radix: 16)
  }

  static func day(_ text: String) -> CalendarDay { CalendarDay(text) ?? CalendarDay(of: 0) }

  static func record(
    approvedBy approver: String? = "suzuki", on: String = "2026-03-01", until: String = "2026-12-31"
  )
    -> ExceptionRecord
  {
    var record = ExceptionRecord(
      id: "EX-1", rules: [Wildcard("s3_*")], owner: "data", reason: "Old files: \"public\" #1",
      requested: .init(by: "tanaka", on: day("2026-02-01")), expires: day(until))
    record.scope.resource = [Wildcard("Logs*")]
    if let approver {
      record.approved = .init(by: approver, on: day(on))
      record.sum = digest(record.approvedText)
    }
    return record
  }

  static func state(_ record: ExceptionRecord, _ on: String = "2026-06-01") -> ExceptionState {
    record.state(on: day(on), digest: digest)
  }

  @Test func onlyWhatIsApprovedAndNotOverCounts() {
    #expect(Self.state(Self.record()) == .valid)
    #expect(Self.state(Self.record(), "2026-12-31") == .valid)
    #expect(Self.state(Self.record(), "2027-01-01") == .expired(Self.day("2026-12-31")))
    #expect(Self.state(Self.record(), "2026-02-28") == .notYet(Self.day("2026-03-01")))
    #expect(Self.state(Self.record(approvedBy: nil)) == .unapproved)
    #expect(Self.state(Self.record(approvedBy: "Tanaka")) == .selfApproved("Tanaka"))
    for same in [
      "tanaka ", " TANAKA", "\u{3000}tanaka\t", "ｔａｎａｋａ", "ＴＡＮＡＫＡ", "tan\u{200B}aka", "tana\u{AD}ka\u{FEFF}",
      "t\u{2060}anaka", "tanaka\u{FE0F}",
    ] {
      #expect(Self.state(Self.record(approvedBy: same)) == .selfApproved(same))
    }
    #expect(Self.state(Self.record(until: "2027-02-28")) == .valid)
    #expect(Self.state(Self.record(until: "2027-03-01")) == .tooLong(days: 366))
  }

  @Test(arguments: ["\u{200B}", "\u{3164}", "\u{2800}", "\u{AD}\u{FE0F}", "-", "\u{301}", "\u{E000}"])
  func aNameThatCanNotBeSeenIsNobodys(name: String) throws {
    #expect(Self.state(Self.record(approvedBy: name)) == .nameless)
    var asked = Self.record()
    asked.requested = .init(by: name, on: asked.requested.on)
    asked.sum = Self.digest(asked.approvedText)
    #expect(Self.state(asked) == .nameless)
    for record in [Self.record(approvedBy: name), asked] {
      let text = record.lines().joined(separator: "\n")
      let faults = try #require(throws: DocumentFaults.self) { try ExceptionRecord.records(yaml: text) }
      #expect(faults.all.map(\.description).contains { $0.contains("by: a name that can't be seen") })
    }
    #expect(Self.state(Self.record(approvedBy: "鈴木")) == .valid)
    #expect(Self.state(Self.record(approvedBy: "7")) == .valid)
  }

  @Test func anyChangeAfterTheApprovalEndsIt() {
    let changes: [(inout ExceptionRecord) -> Void] = [
      { $0.id = "EX-2" }, { $0.rules.append(Wildcard("*")) }, { $0.scope.resource = [] },
      { $0.scope.account = [Wildcard("1*")] }, { $0.owner = "x" }, { $0.reason += "." },
      { $0.coversUnknown = true },
      { $0.expires = Self.day("2027-01-31") }, { $0.requested = .init(by: "mori", on: $0.requested.on) },
      { $0.sum = String($0.sum.dropLast()) },
      { $0.approved = .init(by: "mori", on: Self.day("2026-03-01")) },
      { $0.approved = .init(by: "suzuki", on: Self.day("2026-03-02")) },
      {
        $0.scope.input = [Wildcard("Logs*")]; $0.scope.resource = []
      },
    ]
    for (place, change) in changes.enumerated() {
      var record = Self.record()
      change(&record)
      #expect(Self.state(record) == .altered, "\(place)")
    }
  }

  @Test func wildcardsWithoutAnythingPlainAreEverything() {
    var record = Self.record()
    for (rule, resource) in [("?*", "*"), ("*", "??*"), ("*?", "?")] {
      record.rules = [Wildcard(rule)]
      record.scope.resource = [Wildcard(resource)]
      #expect(record.coversEverything, "\(rule) \(resource)")
    }
    record.rules = [Wildcard("s?*")]
    #expect(!record.coversEverything)
  }

  @Test func whatItMeans() {
    var record = Self.record()
    func means(_ rule: String, _ resource: String, input: String = "a.yaml", type: String = "AWS::S3::Bucket")
      -> Bool
    {
      record.means(.init(rule: rule, input: input, resource: resource, type: type))
    }
    #expect(means("s3_encrypted", "Logs1"))
    #expect(!means("ec2_x", "Logs1"))
    #expect(!means("s3_encrypted", "Data"))
    record.scope = .init()
    record.scope.account = [Wildcard("111122223333")]
    record.scope.region = [Wildcard("eu-*")]
    #expect(means("s3_x", "arn:aws:rds:eu-west-1:111122223333:db:x"))
    #expect(!means("s3_x", "arn:aws:rds:us-east-1:111122223333:db:x"))
    #expect(means("s3_x", "arn:aws:s3:::bucket", input: "aws:111122223333/eu-west-1"))
    #expect(!means("s3_x", "arn:aws:s3:::bucket", input: "aws:444455556666/eu-west-1"))
    #expect(!means("s3_x", "Logs"))
  }

  @Test func whatIsWrittenIsReadAsTheSame() throws {
    for var record in [Self.record(), Self.record(approvedBy: nil)] {
      record.coversUnknown = record.approved == nil
      record.rules.append(Wildcard("a: b, c"))
      record.reason = "a\nb: \"c\" \\ # ' ü 日本語 \u{1}"
      var read = try #require(try ExceptionRecord.records(yaml: record.lines().joined(separator: "\n")).first)
      read.place = .none
      #expect(read == record)
      let list = "exceptions:\n" + record.lines(indent: "    ", isItem: true).joined(separator: "\n")
      #expect(try ExceptionRecord.records(yaml: list).map(\.id) == ["EX-1"])
    }
  }

  @Test func allFaultsAreTold() throws {
    let bad = """
      exceptions:
        - id: ../x
          rule: a
          owner: o
          reason: r
          requested: {by: x, on: 2026-01-01}
          expires: 2025-01-01
        - id: b
          rule: "*"
          owner: ""
          reson: r
          requested: {by: x}
          expires: tomorrow
        - {id: c, rule: "*", owner: o, reason: r, requested: {by: x, on: 2026-01-01}, expires: 2026-02-01, scope: {account: "*"}}
        - {id: c, rule: a, owner: o, reason: r, requested: {by: x, on: 2026-01-01}, expires: 2026-02-01, approved: {by: y, on: 2026-01-02}}
      """
    let faults = try #require(throws: DocumentFaults.self) { try ExceptionRecord.records(yaml: bad) }
    let told = faults.all.map(\.description)
    for (line, word) in [
      (2, "../x"), (7, "expires 2025-01-01"), (10, "an empty text"), (11, "did you mean \"reason\"?"),
      (12, "requested without on"), (13, "tomorrow"), (8, "without reason"), (14, "every rule on everything"),
      (15, "a second time"), (15, "without sum"),
    ] {
      #expect(
        told.contains { $0.hasPrefix("\(line):") && $0.contains(word) },
        "\(line) \(word)\n\(told.joined(separator: "\n"))")
    }
  }

  @Test func anEmptyListNarrowsNothingAndIsAFault() throws {
    func told(_ rule: String, _ more: String) -> [String] {
      let text = """
        exceptions:
          - id: a
            rule: \(rule)
            owner: o
            reason: r
            requested: {by: x, on: 2026-01-01}
            expires: 2026-02-01
            \(more)
        """
      do throws(DocumentFaults) {
        return try ExceptionRecord.records(yaml: text).map(\.id)
      } catch { return error.all.map(\.description) }
    }
    #expect(told("r", "scope: {type: x}") == ["a"])
    for name in ["input", "account", "region", "resource", "type"] {
      let found = told("r", "scope: {\(name): []}")
      #expect(found.count == 1 && found[0].hasPrefix("8:"), "\(name) \(found)")
      #expect(found.first?.contains("\(name): an empty list") == true)
    }
    #expect(told("[]", "").first?.hasPrefix("3:") == true)
    #expect(told("[]", "").first?.contains("rule: an empty list") == true)
    #expect(told("r", "scope: {}").first?.hasPrefix("8:") == true)
  }

  static let file = """
    # Exceptions of the platform.
    exceptions:
      # The archive.
      - id: OLD-1
        rule: a
        owner: o
        reason: >
          of two
          lines
        requested: {by: x, on: 2026-01-01}
        expires: 2026-06-01
        approved:
          by: yoko
          on: 2026-01-02
          sum: "0"

      # The lab.
      - id: OLD-2
        rule: [b, c]
        owner: o
        reason: r
        requested: {by: x, on: 2026-01-01}
        expires: 2026-06-01
    # The end.

    """

  @Test func aRecordMoreLeavesTheRestAsItIs() throws {
    let changed = try #require(ExceptionText.adding(Self.record(), to: Self.file))
    #expect(changed.hasPrefix(String(Self.file.dropLast(1))))
    #expect(try ExceptionRecord.records(yaml: changed).map(\.id) == ["OLD-1", "OLD-2", "EX-1"])
    for empty in ["", "exceptions:\n", "exceptions: []\n", "# Nothing yet.\nexceptions: [] # none\n"] {
      let filled = try #require(ExceptionText.adding(Self.record(), to: empty))
      #expect(try ExceptionRecord.records(yaml: filled).map(\.id) == ["EX-1"])
    }
    #expect(ExceptionText.adding(Self.record(), to: "exceptions: [{id: a}]\n") == nil)
    #expect(ExceptionText.adding(Self.record(), to: "id: a\n") == nil)
  }

  @Test func anApprovalLeavesTheRestAsItIs() throws {
    for id in ["OLD-1", "OLD-2"] {
      let records = try ExceptionRecord.records(yaml: Self.file)
      var record = try #require(records.first { $0.id == id })
      record.approved = .init(by: "suzuki", on: Self.day("2026-02-03"))
      record.sum = Self.digest(record.approvedText)
      let end = records.map { Int($0.place.line) }.filter { $0 > Int(record.place.line) }.min()
      let changed = try #require(
        ExceptionText.approving(
          record, in: Self.file, first: Int(record.place.line), column: Int(record.place.column), end: end))
      let again = try ExceptionRecord.records(yaml: changed)
      #expect(again.map(\.id) == ["OLD-1", "OLD-2"])
      #expect(Self.state(try #require(again.first { $0.id == id }), "2026-03-01") == .valid)
      #expect(again.first { $0.id != id }?.approved == records.first { $0.id != id }?.approved)
      let old = "    approved:\n      by: yoko\n      on: 2026-01-02\n      sum: \"0\"\n"
      let wanted =
        id == "OLD-1"
        ? Self.file.replacing(old, with: "(approval)\n")
        : Self.file.replacing("\n# The end.", with: "\n(approval)\n# The end.")
      #expect(changed.replacing("    \(record.approvalLine ?? "")\n", with: "(approval)\n") == wanted)
    }
  }
}
