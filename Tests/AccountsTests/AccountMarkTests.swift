// The mark of an account that is being provisioned, against a played IAM that makes a name once: who has it keeps it, a run
// knows its own journal's mark again, and no mark of others is taken away.

import Controls
import Foundation
import Synchronization
import Testing

@testable import Governance

@Suite struct AccountMarkTests {
  /// IAM, as far as instance profiles go.
  final class PlayedIAM: Sendable {
    /// The path of each instance profile, by its name.
    private let profiles: Mutex<[String: String]>
    /// Actions of which the answer is lost once, after they were carried out; with what happens in the meantime.
    private let lost: Mutex<[String: String?]>
    /// Looks that don't see it yet.
    private let blind: Mutex<Int>

    init(run: String? = nil, path: String? = nil, losing lost: [String: String?] = [:], blind: Int = 0) {
      let path = path ?? run.map { "/kabuto/provision/\($0)/" }
      profiles = Mutex(path.map { [AccountMark.name: $0] } ?? [:])
      self.lost = Mutex(lost)
      self.blind = Mutex(blind)
    }

    /// The path of the mark; nil = there is none.
    var path: String? { profiles.withLock { $0[AccountMark.name] } }
    var run: String? { path.map { String($0.dropFirst("/kabuto/provision/".count).dropLast()) } }
    var names: Set<String> { profiles.withLock { Set($0.keys) } }

    private static func fault(_ status: Int, _ code: String) -> Said {
      Said(
        status: status,
        body: "<ErrorResponse><Error><Code>\(code)</Code><Message>m</Message></Error></ErrorResponse>")
    }

    func play(_ asked: Asked) -> Said? {
      let said = answer(asked)
      let meanwhile = lost.withLock { $0.removeValue(forKey: asked.action) }
      guard let meanwhile else { return said }
      if let run = meanwhile { profiles.withLock { $0[AccountMark.name] = "/kabuto/provision/\(run)/" } }
      return nil
    }

    private func answer(_ asked: Asked) -> Said {
      func given(_ name: String) -> String {
        let field = asked.body.split(separator: "&").first { $0.hasPrefix("\(name)=") }
        return field.map { String($0.dropFirst(name.utf8.count + 1)) }?.removingPercentEncoding ?? ""
      }
      let name = given("InstanceProfileName")
      switch asked.action {
      case "CreateInstanceProfile":
        return profiles.withLock { profiles in
          if profiles[name] != nil { return Self.fault(409, "EntityAlreadyExists") }
          profiles[name] = given("Path")
          return Said(body: "<CreateInstanceProfileResponse/>")
        }
      case "GetInstanceProfile":
        let isBlind = blind.withLock { left in
          left -= 1
          return left >= 0
        }
        guard !isBlind, let path = profiles.withLock({ $0[name] }) else {
          return Self.fault(404, "NoSuchEntity")
        }
        return Said(
          body: """
            <GetInstanceProfileResponse><GetInstanceProfileResult><InstanceProfile><Path>\(path)</Path>\
            <CreateDate>2026-11-26T01:02:03Z</CreateDate></InstanceProfile></GetInstanceProfileResult>\
            </GetInstanceProfileResponse>
            """)
      case "DeleteInstanceProfile":
        let had = profiles.withLock { $0.removeValue(forKey: name) }
        return had == nil ? Self.fault(404, "NoSuchEntity") : Said(body: "<DeleteInstanceProfileResponse/>")
      default: return Self.fault(403, "AccessDenied")
      }
    }
  }

  private func with<T: Sendable>(
    _ iam: PlayedIAM, _ body: (AccountMark, PlayedService) async throws -> T
  ) async throws -> T {
    try await ServiceClientTests.with({ asked, _ in iam.play(asked) }) { client, service in
      var options = ProvisionOptions()
      options.policy = ServiceClientTests.quick
      options.looks = 3
      let settings = AccountSettings(
        client: client, account: ProvisionTests.account, baseline: try Baseline("baseline: b"), now: { 0 })
      return try await body(AccountMark(settings: settings, options: options), service)
    }
  }

  private static let since = "2026-11-26T01:02:03Z"

  @Test func whoComesFirstHasIt() async throws {
    let iam = PlayedIAM()
    try await with(iam) { mark, _ in
      let first = try await mark.take("one", known: [])
      #expect(first == .taken)
      #expect(iam.run == "one")
      let other = try await mark.take("two", known: ["three"])
      #expect(other == .held(.init(run: "one", since: Self.since)))
      #expect(iam.run == "one")
      let told = try #require(other.refusal)
      #expect(told.en.contains("another run has it: one, since 2026") && told.en.contains("--take-over one"))
      #expect(told.ja.contains("--take-over one"))
      // It isn't the other's to take away.
      try await mark.remove(of: ["two", "three"])
      #expect(iam.run == "one")
      try await mark.remove(of: ["one"])
      #expect(iam.run == nil)
      let second = try await mark.take("two", known: [])
      #expect(second == .taken)
      #expect(AccountMark.Taking.taken.refusal == nil)
    }
  }

  @Test func theJournalsOwnRunIsKnownAgain() async throws {
    let iam = PlayedIAM(run: "killed")
    try await with(iam) { mark, service in
      let first = try await mark.take("next", known: ["killed", "older"])
      #expect(first == .taken)
      // It stays as it is, so that nobody comes in between.
      #expect(iam.run == "killed")
      #expect(!service.asked.contains { $0.action == "DeleteInstanceProfile" })
      try await mark.remove(of: ["killed", "older", "next"])
      #expect(iam.run == nil)
    }
  }

  @Test func ofTwoWhoTakeARunOverOneDoes() async throws {
    let iam = PlayedIAM(run: "lost")
    try await with(iam) { mark, _ in
      // Both were told that the lost run has it.
      let first = try await mark.takingOver("lost").take("one", known: [])
      #expect(first == .taken)
      let second = try await mark.takingOver("lost").take("two", known: [])
      #expect(second == .held(.init(run: "one", since: Self.since)))
      let told = try #require(second.refusal(toTakeOver: "lost"))
      #expect(told.en.contains("being taken over by another: one, since 2026") && told.ja.contains("one"))
      #expect(told.en.contains("delete the instance profile kabuto-provision-after-lost"))
      #expect(first.refusal(toTakeOver: "lost") == nil)
      try await mark.remove(of: ["lost"])
      let own = try await mark.take("one", known: [])
      #expect(own == .taken && iam.names == ["kabuto-provision", "kabuto-provision-after-lost"])
      // One that was ended here knows both again by its journal.
      let again = try await mark.takingOver("lost").take("next", known: ["one"])
      #expect(again == .taken)
      // It ended, and another has the account; who comes late with the same word takes nothing away.
      try await mark.remove(of: ["one"])
      try await mark.takingOver("lost").remove(of: ["one", "next"])
      let third = try await mark.take("three", known: [])
      let late = try await mark.takingOver("lost").take("two", known: [])
      #expect(third == .taken && late == .taken)
      try await mark.remove(of: ["lost"])
      #expect(iam.run == "three")
    }
  }

  @Test func answersThatAreLostAreLookedAfter() async throws {
    let iam = PlayedIAM(losing: ["CreateInstanceProfile": nil])
    try await with(iam) { mark, service in
      let first = try await mark.take("one", known: [])
      #expect(first == .taken)
      #expect(service.asked.count { $0.action == "CreateInstanceProfile" } == 1)
    }
    // The delete was carried out, and another run came: its mark stays.
    let second = PlayedIAM(run: "one", losing: ["DeleteInstanceProfile": "two"])
    try await with(second) { mark, _ in
      try await mark.remove(of: ["one"])
      #expect(second.run == "two")
    }
    let third = PlayedIAM(run: "one", losing: ["DeleteInstanceProfile": nil])
    try await with(third) { mark, _ in
      try await mark.remove(of: ["one"])
      #expect(third.run == nil)
    }
  }

  @Test func whatIsToldLateIsWaitedFor() async throws {
    let iam = PlayedIAM(run: "one", blind: 2)
    try await with(iam) { mark, _ in
      let first = try await mark.take("two", known: [])
      #expect(first == .held(.init(run: "one", since: Self.since)))
    }
    // Never told: nobody says whose it is, and it isn't ours.
    let silent = PlayedIAM(run: "one", blind: 1_000)
    try await with(silent) { mark, _ in
      let taking = try await mark.take("two", known: ["one"])
      #expect(taking == .held(nil))
      #expect(taking.refusal?.en.contains("names no run of this program") == true)
      #expect(silent.run == "one")
    }
  }

  @Test func whatSomebodyElseMadeIsNoMark() async throws {
    for path in ["/", "/other/one/", "/kabuto/provision/"] {
      let iam = PlayedIAM(path: path)
      try await with(iam) { mark, _ in
        let taking = try await mark.take("one", known: ["", "one"])
        #expect(taking == .held(.init(run: nil, since: Self.since)), "\(path)")
        try await mark.remove(of: ["", "one"])
        #expect(iam.path == path)
      }
    }
  }

  @Test func withoutTheRightNothingIsTaken() async throws {
    let denied = Said(
      status: 403,
      body: "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>")
    try await ServiceClientTests.with({ _, _ in denied }) { client, service in
      var options = ProvisionOptions()
      options.policy = ServiceClientTests.quick
      let mark = AccountMark(
        settings: AccountSettings(
          client: client, account: ProvisionTests.account, baseline: try Baseline("baseline: b"), now: { 0 }),
        options: options)
      let fault = await #expect(throws: CallFailure.self) { _ = try await mark.take("one", known: []) }
      #expect(fault?.text.contains("iam CreateInstanceProfile") == true)
      #expect(service.asked.count == 1)
    }
  }
}
