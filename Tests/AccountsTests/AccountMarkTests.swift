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
    /// The path of the mark; nil = there is none.
    let path: Mutex<String?>
    /// Actions of which the answer is lost once, after they were carried out; with what happens in the meantime.
    private let lost: Mutex<[String: String?]>
    /// Looks that don't see it yet.
    private let blind: Mutex<Int>

    init(run: String? = nil, path: String? = nil, losing lost: [String: String?] = [:], blind: Int = 0) {
      self.path = Mutex(path ?? run.map { "/kabuto/provision/\($0)/" })
      self.lost = Mutex(lost)
      self.blind = Mutex(blind)
    }

    var run: String? {
      path.withLock { $0.map { String($0.dropFirst("/kabuto/provision/".count).dropLast()) } }
    }

    private static func fault(_ status: Int, _ code: String) -> Said {
      Said(
        status: status,
        body: "<ErrorResponse><Error><Code>\(code)</Code><Message>m</Message></Error></ErrorResponse>")
    }

    func play(_ asked: Asked) -> Said? {
      let said = answer(asked)
      let meanwhile = lost.withLock { $0.removeValue(forKey: asked.action) }
      guard let meanwhile else { return said }
      if let run = meanwhile { path.withLock { $0 = "/kabuto/provision/\(run)/" } }
      return nil
    }

    private func answer(_ asked: Asked) -> Said {
      switch asked.action {
      case "CreateInstanceProfile":
        let given = asked.body.split(separator: "&").first { $0.hasPrefix("Path=") }?.dropFirst(5)
        let wanted = given.map(String.init)?.removingPercentEncoding ?? ""
        return path.withLock { path in
          if path != nil { return Self.fault(409, "EntityAlreadyExists") }
          path = wanted
          return Said(body: "<CreateInstanceProfileResponse/>")
        }
      case "GetInstanceProfile":
        let isBlind = blind.withLock { left in
          left -= 1
          return left >= 0
        }
        guard !isBlind, let path = path.withLock({ $0 }) else { return Self.fault(404, "NoSuchEntity") }
        return Said(
          body: """
            <GetInstanceProfileResponse><GetInstanceProfileResult><InstanceProfile><Path>\(path)</Path>\
            <CreateDate>2026-11-26T01:02:03Z</CreateDate></InstanceProfile></GetInstanceProfileResult>\
            </GetInstanceProfileResponse>
            """)
      case "DeleteInstanceProfile":
        return path.withLock { path in
          if path == nil { return Self.fault(404, "NoSuchEntity") }
          path = nil
          return Said(body: "<DeleteInstanceProfileResponse/>")
        }
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
      #expect(try await mark.take("one", known: []) == .taken)
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
      #expect(try await mark.take("two", known: []) == .taken)
      #expect(AccountMark.Taking.taken.refusal == nil)
    }
  }

  @Test func theJournalsOwnRunIsKnownAgain() async throws {
    let iam = PlayedIAM(run: "killed")
    try await with(iam) { mark, service in
      #expect(try await mark.take("next", known: ["killed", "older"]) == .taken)
      // It stays as it is, so that nobody comes in between.
      #expect(iam.run == "killed")
      #expect(!service.asked.contains { $0.action == "DeleteInstanceProfile" })
      try await mark.remove(of: ["killed", "older", "next"])
      #expect(iam.run == nil)
    }
  }

  @Test func answersThatAreLostAreLookedAfter() async throws {
    let iam = PlayedIAM(losing: ["CreateInstanceProfile": nil])
    try await with(iam) { mark, service in
      #expect(try await mark.take("one", known: []) == .taken)
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
      #expect(try await mark.take("two", known: []) == .held(.init(run: "one", since: Self.since)))
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
        #expect(iam.path.withLock { $0 } == path)
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
