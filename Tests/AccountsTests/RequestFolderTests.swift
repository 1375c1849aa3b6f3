// Approvals of requests: what undoes them.

import Controls
import Foundation
import Testing

@testable import Governance

@Suite struct RequestFolderTests {
  /// As the version before wrote it: its hash is of the request, who approved it and when, not of the conditions.
  static let older = """
    id: "shop"
    account: "111122223333"
    name: "shop"
    environment: "guardrail"
    purpose: "The shop's card payments, production."
    data-class: "confidential"
    requester: {name: "T. Ito", mail: "ito@example.co.jp"}
    owner:
      name: "A. Sato"
      mail: "sato@example.co.jp"
      certificate: {name: "cloud-owner", valid-until: "2099-03-31"}
    billing-contact: {name: "B", mail: "b@example.co.jp"}
    budget-contact: {name: "C", mail: "c@example.co.jp"}
    root-custody:
      place: "safe 3"
      keeper: {name: "M. Ono", mail: "ono@example.co.jp"}
      mfa: "hardware"
    requested-at: "2026-11-27T09:55:27Z"
    approval:
      by: {name: "R. Mori", mail: "mori@example.co.jp"}
      at: "2026-11-27T09:55:27Z"
      conditions: "accounts/1"
      hash: "sha256:eb645189a6913f11d0d7611ac9701fd3db8ae22af5d27316315fa5c84b65fc89"
    """

  private func state(_ text: String) throws -> RequestFolder.Standing.State {
    RequestFolder.standing(
      try AccountRequest(text), try AccountConditions(AccountConditions.standardText),
      today: try #require(CalendarDay("2026-11-28"))
    ).state
  }

  @Test func approvalOfAnOlderVersionIsWantedAnew() throws {
    #expect(try state(Self.older) == .outdated)
    #expect(try state(Self.older.replacing("safe 3", with: "safe 4")) == .changed)
    let name = "requests-\(UUID().uuidString)"
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try Self.older.write(toFile: "\(folder)/shop.yaml", atomically: true, encoding: .utf8)
    let requests = RequestFolder(folder)
    let conditions = try AccountConditions(AccountConditions.standardText)
    let day = try #require(CalendarDay("2026-11-28"))
    let permission = try requests.permission(for: "111122223333", conditions, today: day)
    guard case .refused(let why) = permission else {
      Issue.record("it counts")
      return
    }
    #expect(why.en.contains("approve it anew"))

    // Approved anew it counts, and no longer once its conditions are others.
    let approver = Person(name: "R. Mori", mail: "mori@example.co.jp")
    let approving = try requests.approve("shop", by: approver, conditions, now: day.end)
    guard case .approved(let request) = approving else {
      Issue.record("it isn't approved")
      return
    }
    #expect(try state(request.text) == .approved)
    #expect(try state(request.text.replacing("accounts/1", with: "strict/99")) == .changed)
  }
}
