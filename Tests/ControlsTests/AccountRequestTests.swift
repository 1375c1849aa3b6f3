// Requests for accounts: what they must say, and which conditions they meet.

import Controls
import Testing

@Suite struct AccountRequestTests {
  static let filled = """
    id: payments-production
    account: "011122223333"
    name: payments production
    environment: guardrail
    purpose: Card payments of the shop, production.
    data-class: confidential
    requester: {name: T. Ito, mail: ito@example.co.jp}
    owner:
      name: A. Sato
      mail: sato@example.co.jp
      certificate: {name: cloud-owner, valid-until: 2027-03-31}
    billing-contact: {name: Accounts, mail: bills@example.co.jp}
    budget-contact: {name: K. Abe, mail: abe@example.co.jp}
    root-custody:
      place: safe 3
      keeper: {name: M. Ono, mail: ono@example.co.jp}
      mfa: hardware
    """
  static let today = CalendarDay("2026-11-26") ?? CalendarDay(of: 0)
  static let approver = Person(name: "R. Mori", mail: "mori@example.co.jp")

  private func conditions() throws -> AccountConditions {
    try AccountConditions(AccountConditions.standardText)
  }

  private func unmet(
    _ change: (inout String) -> Void = { _ in }, approver: Person? = approver, today: CalendarDay = today
  ) throws -> [String] {
    var text = Self.filled
    change(&text)
    return try conditions().unmet(try AccountRequest(text), on: today, approver: approver).map(\.condition)
  }

  @Test func isWrittenAsItIsRead() throws {
    var request = try AccountRequest(Self.filled)
    #expect(request.account == "011122223333")
    request.purpose = "A \"quote\", a\nline, # and: 日本"
    request.requestedAt = 1_795_700_000
    request.approval = AccountRequest.Approval(
      by: Self.approver, at: 1_795_700_001, conditions: "accounts/1", hash: "sha256:00")
    #expect(try AccountRequest(request.text) == request)
  }

  @Test func approvedTextIsOfAllButTheApproval() throws {
    var request = try AccountRequest(Self.filled)
    let text = request.approvedText
    request.approval = AccountRequest.Approval(by: Self.approver, at: 1, conditions: "c", hash: "h")
    #expect(request.approvedText == text)
    request.custody = nil
    #expect(request.approvedText != text)
  }

  @Test func whoMeetsAllIsNotRefused() throws { #expect(try unmet().isEmpty) }

  @Test func certificateThatRanOutIsNotMet() throws {
    let last = try #require(CalendarDay("2027-03-31"))
    #expect(try unmet(today: try #require(CalendarDay("2027-03-01"))).isEmpty)
    // Thirty days must be left.
    #expect(try unmet(today: try #require(CalendarDay("2027-03-02"))) == ["owner-certificate"])
    #expect(try unmet(today: last) == ["owner-certificate"])
    let gone = try conditions().unmet(
      try AccountRequest(Self.filled), on: CalendarDay(of: last.end), approver: Self.approver)
    #expect(gone.map(\.found) == ["cloud-owner, which ran out on 2027-03-31"])
  }

  @Test func everyConditionIsNamed() throws {
    let poor = """
      id: poor
      account: "111122223333"
      name: poor
      environment: guardrail
      purpose: because
      data-class: secret
      requester: {name: T. Ito, mail: Ito@example.co.jp}
      owner: {name: A. Sato, mail: sato@example.co.jp}
      """
    let found = try conditions().unmet(
      try AccountRequest(poor), on: Self.today, approver: Person(name: "T. Ito", mail: "ito@example.co.jp"))
    #expect(
      found.map(\.condition) == [
        "owner-certificate", "billing-contact", "budget-contact", "root-custody", "purpose", "data-classes",
        "approver",
      ])
  }

  @Test func whatIsLeftOutIsAConditionThatIsNotMet() throws {
    let text = Self.filled.split(separator: "\n")
      .filter { line in !["environment:", "purpose:", "data-class:"].contains { line.hasPrefix($0) } }
      .joined(separator: "\n")
    let request = try AccountRequest(text)
    let found = try conditions().unmet(request, on: Self.today, approver: Self.approver)
    #expect(found.map(\.condition) == ["purpose", "environments", "data-classes"])
    #expect(found.map(\.found) == ["0 letters", "nothing", "nothing"])
    #expect(try AccountRequest(request.text) == request)
    #expect(request.approvedText != (try AccountRequest(Self.filled)).approvedText)
  }

  @Test(arguments: [
    ("name: A. Sato", "name: \"\\u200b\""), ("mail: sato@example.co.jp", "mail: \"\\u200b@example.co.jp\""),
    ("mail: ito@example.co.jp", "mail: \"ito@\\u200b.\\u200b\""),
  ]) func whoCanNotBeSeenIsNobody(_ seen: String, _ unseen: String) {
    #expect(throws: DocumentFaults.self) { try AccountRequest(Self.filled.replacing(seen, with: unseen)) }
  }

  @Test func ownerAndRequesterDoNotApprove() throws {
    #expect(try unmet(approver: Person(name: "x", mail: "SATO@example.co.jp")) == ["approver"])
    #expect(try unmet(approver: Person(name: "x", mail: "ito@EXAMPLE.co.jp")) == ["approver"])
    #expect(try unmet(approver: Person(name: "x", mail: "ｓａｔｏ@example.co.jp")).contains("approver"))
    #expect(try unmet(approver: Person(name: "x", mail: "sa\u{200B}to@example.co.jp")).contains("approver"))
  }

  @Test func certificateAndFactorMustBeThoseThatAreDemanded() throws {
    #expect(try unmet { $0 = $0.replacing("cloud-owner", with: "driving") } == ["owner-certificate"])
    #expect(try unmet { $0 = $0.replacing("mfa: hardware", with: "mfa: none") } == ["root-custody"])
  }

  @Test func domainsAndApproversAreThoseOfTheDocument() throws {
    let demanded = try AccountConditions(
      "conditions: c\nmail-domains: [example.co.jp]\napprover: {one-of: [mori@example.co.jp]}")
    let request = try AccountRequest(Self.filled.replacing("abe@example.co.jp", with: "abe@example.com"))
    #expect(
      demanded.unmet(request, on: Self.today, approver: Self.approver).map(\.found) == ["abe@example.com"])
    let other = Person(name: "x", mail: "x@example.co.jp.evil.com")
    #expect(
      demanded.unmet(try AccountRequest(Self.filled), on: Self.today, approver: other).map(\.condition)
        == ["mail-domains", "approver"])
  }

  @Test func allFaultsAreTold() {
    let bad = """
      id: ../etc
      account: 12
      name:
      environment: production
      purpose: x
      data-class: y
      requester: {name: a, mail: nobody}
      owner: {name: b, mail: b@example.com, certificate: {name: c, valid-until: 2026-02-30}}
      boss: {}
      """
    do {
      _ = try AccountRequest(bad)
      Issue.record("it was read")
    } catch {
      let told = error.description
      for wanted in [
        "id: ../etc", "account: 12", "name: an empty text", "environment: production",
        "requester.mail: nobody",
        "2026-02-30", "boss",
      ] {
        #expect(told.contains(wanted), "\(wanted) in \(told)")
      }
    }
  }

  @Test func formAndConditionsCanBeRead() throws {
    #expect(try conditions().text == "accounts/1")
    // As it is shipped it must be filled in.
    #expect(throws: DocumentFaults.self) { try AccountRequest(AccountRequest.form) }
    let filled = AccountRequest.form.replacing("{name: , mail: }", with: "{name: a, mail: a@b.c}")
      .replacing("  name:\n  mail:\n", with: "  name: a\n  mail: a@b.c\n")
    #expect(try AccountRequest(filled).environment == "guardrail")
  }

  @Test(arguments: ["2026-11-26T17:36:00Z", "1969-12-31T23:59:59Z", "2000-02-29T00:00:00Z"])
  func timesAreWrittenAsTheyAreRead(text: String) throws {
    let seconds = try #require(RecordTime.seconds(text))
    #expect(RecordTime.text(seconds) == text)
  }

  @Test(arguments: [
    "2026-11-26T24:00:00Z", "2026-11-26 17:36:00Z", "2026-11-26T17:36:00", "", "2026-11-26T1a:36:00Z",
  ])
  func otherTimesAreNone(text: String) { #expect(RecordTime.seconds(text) == nil) }
}
