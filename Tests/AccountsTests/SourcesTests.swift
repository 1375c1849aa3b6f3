// Where keys come from, and pauses.

import AsyncHTTPClient
import Foundation
import GuardRules
import Synchronization
import Testing

@testable import Governance

@Suite struct SourcesTests {
  @Test func filesOfProfilesAreRead() {
    var file = ProfileFile()
    file.read(
      """
      # a comment
      [default]
      region = us-west-2
      s3 =
          max_concurrent_requests = 20
      [profile audit]
      role_arn=arn:aws:iam::111122223333:role/Audit
      source_profile = default
      [sso-session x]
      a = b
      """, isConfig: true)
    file.read("[default]\naws_access_key_id = A\naws_secret_access_key = B=C\n", isConfig: false)
    #expect(file.profiles["default"]?["region"] == "us-west-2")
    #expect(file.profiles["default"]?["aws_secret_access_key"] == "B=C")
    #expect(file.profiles["default"]?["max_concurrent_requests"] == nil)
    #expect(file.profiles["audit"]?["source_profile"] == "default")
    #expect(file.profiles.count == 2)
  }

  static func with<T: Sendable>(
    _ environment: [String: String], _ play: @escaping PlayedService.Play,
    _ body: (CredentialSources, PlayedService) async throws -> T
  ) async throws -> T {
    let service = try await PlayedService(play)
    let http = HTTPClient(eventLoopGroupProvider: .singleton)
    var all = ["AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere"]
    all.merge(environment) { _, new in new }
    all["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = service.origin
    let sources = CredentialSources(
      environment: all, http: http, policy: ServiceClientTests.quick,
      endpoints: Endpoints(only: service.origin),
      now: { 1_440_938_160 })
    let result: Result<T, any Error>
    do { result = .success(try await body(sources, service)) } catch { result = .failure(error) }
    try await http.shutdown()
    try await service.end()
    return try result.get()
  }

  @Test func environmentComesFirst() async throws {
    try await Self.with(["AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "B"], { _, _ in nil }) {
      sources, service in
      let found = try await sources.own()
      #expect(found.accessKeyID == "A")
      #expect(service.asked.isEmpty)
    }
  }

  static let metadata: PlayedService.Play = { asked, _ in
    switch (asked.method, asked.uri) {
    case ("PUT", "/latest/api/token"): return Said(body: "token-1")
    case ("GET", "/latest/meta-data/iam/security-credentials/")
    where asked.header("x-aws-ec2-metadata-token") == "token-1":
      return Said(body: "scanner\n")
    case ("GET", "/latest/meta-data/iam/security-credentials/scanner")
    where asked.header("x-aws-ec2-metadata-token") == "token-1":
      return Said(
        body: #"{"AccessKeyId":"I","SecretAccessKey":"S","Token":"T","Expiration":"2015-08-30T18:36:00Z"}"#)
    default: return Said(status: 401)
    }
  }

  @Test func instanceIsAskedByVersionTwoOnly() async throws {
    try await Self.with([:], Self.metadata) { sources, service in
      let found = try await sources.own()
      #expect(found.accessKeyID == "I")
      #expect(found.sessionToken?.exposed == "T")
      #expect(found.expiresAt == 1_440_959_760)
      #expect(service.asked.first?.method == "PUT")
    }
  }

  @Test(arguments: [
    "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  ]) func sourceThatIsNotSupportedIsRefusedByItsNameAndNobodyElseActs(variable: String) async throws {
    try await Self.with([variable: "/x"], Self.metadata) { sources, service in
      let fault = await #expect(throws: GovernanceFaults.self) { _ = try await sources.own() }
      #expect(fault?.description.contains("\(variable) is set") == true)
      #expect(service.asked.isEmpty)
    }
    let key = ["AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "B\r\n", variable: "/x"]
    try await Self.with(key, Self.metadata) { sources, _ in
      let found = try await sources.own()
      #expect(found.secretKey.exposed == "B")
    }
    try await Self.with([variable: ""], Self.metadata) { sources, _ in
      let found = try await sources.own()
      #expect(found.accessKeyID == "I")
    }
  }

  private static func with(
    config: String, _ environment: [String: String] = [:],
    _ body: (CredentialSources, PlayedService) async throws -> Void
  ) async throws {
    let path = NSTemporaryDirectory() + "kabuto-config-\(UUID().uuidString)"
    try Data(config.utf8).write(to: URL(filePath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    var environment = environment
    environment["AWS_CONFIG_FILE"] = path
    try await with(environment, metadata, body)
  }

  @Test func profileThatOnlySaysARegionLeavesTheInstanceToBeAsked() async throws {
    try await Self.with(config: "[default]\nregion = eu-north-1\noutput = json\n", ["AWS_REGION": ""]) {
      sources, _ in
      let found = try await sources.own()
      #expect(found.accessKeyID == "I")
      #expect(sources.homeRegion(.own) == "eu-north-1")
    }
    for line in [
      "sso_session = x", "credential_process = x", "aws_access_key_id = A", "role_arn = x",
      "web_identity_token_file = x",
    ] {
      try await Self.with(config: "[default]\n\(line)\n") { sources, service in
        await #expect(throws: GovernanceFaults.self) { _ = try await sources.own() }
        #expect(service.asked.isEmpty)
      }
    }
    // One that was asked for by its name must have a key.
    let named = "[profile p]\nregion = eu-north-1\n"
    try await Self.with(config: named, ["AWS_PROFILE": "p"]) { sources, _ in
      await #expect(throws: GovernanceFaults.self) { _ = try await sources.own() }
    }
    try await Self.with(config: named, ["AWS_PROFILE": ""]) { sources, _ in
      let found = try await sources.own()
      #expect(found.accessKeyID == "I")
    }
  }

  @Test(
    arguments: [
      ("\u{FEFF}[default]", true, "default"), ("[profile \"my prof\"]", true, "my prof"),
      ("[profile\tp]", true, "p"), ("[ profile p ]", true, "p"), ("[my prof]", false, "my prof"),
      ("[p]", true, nil), ("[sso-session x]", true, nil), ("[services s]", true, nil),
    ] as [(String, Bool, String?)]) func sectionsAreReadAsTheyAreWritten(
      section: String, isConfig: Bool, name: String?
    )
  {
    var file = ProfileFile()
    file.read("\(section)\r\nregion = r\r\n", isConfig: isConfig)
    #expect(file.profiles == (name.map { [$0: ["region": "r"]] } ?? [:]))
  }

  @Test func accountThatIsNotTheOneAskedForIsNotLookedAtInItsPlace() async throws {
    let play: PlayedService.Play = { asked, _ in
      switch asked.action {
      case "AssumeRole":
        Said(
          body: "<R><AssumeRoleResult><Credentials><AccessKeyId>R</AccessKeyId><SecretAccessKey>S"
            + "</SecretAccessKey><SessionToken> T </SessionToken></Credentials></AssumeRoleResult></R>")
      case "GetCallerIdentity":
        Said(
          body: "<R><GetCallerIdentityResult><Account>777788889999</Account></GetCallerIdentityResult></R>")
      default: Said(status: 403)
      }
    }
    let service = try await PlayedService(play)
    var options = ScanOptions()
    (options.endpoint, options.regions, options.policy) = (
      service.origin, ["eu-west-1"], ServiceClientTests.quick
    )
    let scan = AccountScan(
      options, environment: ["AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "B"], now: { 0 })
    let (result, _) = try await scan.run(
      [.account("444455556666", role: "r"), .role("arn:aws:iam::444455556666:role/r")],
      try ServiceClientTests.rules("rule a { Region == 'eu-west-1' }"))
    try await service.end()
    #expect(result.findings.count == 2)
    for finding in result.findings { #expect(finding.found.contains("it is account 777788889999")) }
    #expect(!service.asked.contains { !["AssumeRole", "GetCallerIdentity"].contains($0.action) })
  }

  @Test func namesOfRegionsMustBeSuch() {
    for name in ["eu-west-1", "us-gov-west-1"] { #expect(ScanOptions.isRegion(name)) }
    for name in ["global", "", "eu-west-1.example.com/", "EU", "é", "a b"] {
      #expect(!ScanOptions.isRegion(name))
    }
  }

  @Test func instanceIsNotAskedWhereThatIsForbidden() async throws {
    try await Self.with(["AWS_EC2_METADATA_DISABLED": "true"], Self.metadata) { sources, service in
      await #expect(throws: GovernanceFaults.self) { _ = try await sources.own() }
      #expect(service.asked.isEmpty)
    }
  }

  @Test func roleIsAssumedWithTheKeyAtHand() async throws {
    let play: PlayedService.Play = { asked, _ in
      guard asked.action == "AssumeRole",
        asked.body.contains("RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2FAudit")
      else { return Said(status: 403) }
      return Said(
        body: """
          <AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>R</AccessKeyId>\
          <SecretAccessKey>S&amp;1</SecretAccessKey><SessionToken>T</SessionToken>\
          <Expiration>2015-08-30T13:36:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>
          """)
    }
    try await Self.with(["AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "B"], play) { sources, service in
      let keeper = sources.keeper(.role("arn:aws:iam::111122223333:role/Audit"))
      let found = try await keeper.current()
      #expect(found.accessKeyID == "R")
      #expect(found.secretKey.exposed == "S&1")
      #expect(service.asked.count == 1)
      let wrong = sources.keeper(.role("nonsense"))
      await #expect(throws: GovernanceFaults.self) { _ = try await wrong.current() }
    }
  }

  @Test func keyThatExpiresSoonIsFetchedAnewAndAnotherIsKept() async throws {
    let fetched = Mutex(0)
    let life = Mutex<Int64>(100)
    let now = Mutex<Int64>(1_000)
    let keeper = CredentialKeeper(now: { now.withLock { $0 } }) { () async throws(GovernanceFaults) in
      fetched.withLock { $0 += 1 }
      return Credentials(
        accessKeyID: "A", secretKey: "B", expiresAt: now.withLock { $0 } + life.withLock { $0 })
    }
    // Whoever gives such keys gives them again: not for every call.
    for _ in 0..<3 { _ = try await keeper.current() }
    await keeper.forget()
    _ = try await keeper.current()
    #expect(fetched.withLock { $0 } == 1)
    now.withLock { $0 += 60 }
    _ = try await keeper.current()
    #expect(fetched.withLock { $0 } == 2)
    life.withLock { $0 = 3_600 }
    now.withLock { $0 += 60 }
    for _ in 0..<3 { _ = try await keeper.current() }
    #expect(fetched.withLock { $0 } == 3)
  }

  @Test func manyThatAskAtOnceFetchOnce() async throws {
    let fetched = Mutex(0)
    let keeper = CredentialKeeper(now: { 1_000 }) { () async throws(GovernanceFaults) in
      fetched.withLock { $0 += 1 }
      await Task.yield()
      return Credentials(accessKeyID: "A", secretKey: "B", expiresAt: 9_000)
    }
    let found = await boundedMap(Array(0..<50), atOnce: 50) { _ in
      (try? await keeper.current())?.accessKeyID
    }
    #expect(found.allSatisfy { $0 == "A" })
    #expect(fetched.withLock { $0 } == 1)
  }

  @Test func pausesAreJitteredFromNothingToABoundThatDoubles() {
    let policy = RetryPolicy()
    for attempt in 1..<policy.mostAttempts {
      let bound = min(policy.mostMilliseconds, policy.baseMilliseconds << (attempt - 1))
      #expect(policy.pauseMilliseconds(after: .trouble, attempt: attempt, random: 0) == 0)
      let most = policy.pauseMilliseconds(after: .trouble, attempt: attempt, random: 0.999_999) ?? -1
      #expect((bound - 1...bound).contains(most))
    }
    #expect(policy.pauseMilliseconds(after: .trouble, attempt: policy.mostAttempts, random: 0) == nil)
    #expect(policy.pauseMilliseconds(after: .final, attempt: 1, random: 0) == nil)
    #expect(policy.pauseMilliseconds(after: .silence, attempt: policy.mostConnections, random: 0) == nil)
    #expect(policy.pauseMilliseconds(after: .throttled(afterSeconds: 3), attempt: 1, random: 0) == 3_000)
    #expect(policy.pauseMilliseconds(after: .throttled(afterSeconds: 9_999), attempt: 1, random: 0) == 60_000)
  }

  @Test(arguments: [
    (400, "Throttling", RetryPolicy.Outcome.throttled(afterSeconds: nil)),
    (429, "", .throttled(afterSeconds: nil)),
    (503, "SlowDown", .throttled(afterSeconds: nil)), (503, "", .trouble), (500, "InternalFailure", .trouble),
    (403, "AccessDenied", .final), (404, "NoSuchBucket", .final),
  ]) func answersAreToldApart(status: Int, code: String, outcome: RetryPolicy.Outcome) {
    #expect(RetryPolicy.outcome(status: status, code: code, retryAfter: nil) == outcome)
  }

  @Test func hostsAreThoseOfThePartition() {
    let own = Endpoints(only: nil)
    func origin(_ service: String, _ region: String, _ isGlobal: Bool, _ partition: String) -> String {
      own.find(service, region: region, isGlobal: isGlobal, partition: partition).origin
    }
    #expect(origin("ec2", "eu-west-1", false, "aws") == "https://ec2.eu-west-1.amazonaws.com")
    #expect(origin("iam", "eu-west-1", true, "aws") == "https://iam.amazonaws.com")
    #expect(origin("s3", "eu-west-1", true, "aws") == "https://s3.eu-west-1.amazonaws.com")
    #expect(origin("ec2", "cn-north-1", false, "aws-cn") == "https://ec2.cn-north-1.amazonaws.com.cn")
    #expect(own.find("iam", region: "eu-west-1", isGlobal: true, partition: "aws").region == "us-east-1")
  }
}
