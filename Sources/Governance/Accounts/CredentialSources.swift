// Where keys come from: the environment, the shared files, the instance's metadata (version 2 only), and roles assumed with
// any of them, in other accounts too. Faults name the place where something is missing, never what is there.

import AsyncHTTPClient
import Foundation
import GuardRules
import NIOCore
import Resources

/// Whose resources are looked at.
public enum AccountTarget: Sendable, Equatable {
  /// Those of the key at hand.
  case own
  /// Those of a profile in the shared files.
  case profile(String)
  /// Those that a role may see, by its ARN.
  case role(String)
  /// Those of an account by its number: with the key at hand where it is that account's, else by the role of that name.
  case account(String, role: String)

  /// The account that is meant, where it is named.
  var number: String? {
    switch self {
    case .own, .profile: nil
    case .role(let arn): AmazonResourceName(arn)?.account
    case .account(let number, _): number
    }
  }

  /// For people.
  public var name: String {
    switch self {
    case .own: "own account"
    case .profile(let name): "profile \(name)"
    case .role(let arn): arn
    case .account(let number, _): "account \(number)"
    }
  }
}

struct CredentialSources: Sendable {
  let environment: [String: String]
  let http: HTTPClient
  let policy: RetryPolicy
  let endpoints: Endpoints
  let now: @Sendable () -> Int64
  private let file: ProfileFile

  init(
    environment: [String: String], http: HTTPClient, policy: RetryPolicy, endpoints: Endpoints,
    now: @escaping @Sendable () -> Int64
  ) {
    (self.environment, self.http, self.policy, self.endpoints, self.now) = (
      environment, http, policy, endpoints, now
    )
    let home = environment["HOME"] ?? NSHomeDirectory()
    var file = ProfileFile()
    for (variable, usual, isConfig) in [
      ("AWS_CONFIG_FILE", "\(home)/.aws/config", true),
      ("AWS_SHARED_CREDENTIALS_FILE", "\(home)/.aws/credentials", false),
    ] {
      let path = Self.set(variable, in: environment) ?? usual
      if let data = FileManager.default.contents(atPath: path) {
        file.read(String(decoding: data, as: UTF8.self), isConfig: isConfig)
      }
    }
    self.file = file
  }

  /// A variable's text; empty is as good as not set, and blanks around (a file's line end) are none of it.
  private static func set(_ name: String, in environment: [String: String]) -> String? {
    let text = environment[name]?.trimmingCharacters(in: .whitespacesAndNewlines)
    return text?.isEmpty == false ? text : nil
  }

  private func set(_ name: String) -> String? { Self.set(name, in: environment) }

  /// The region that is asked first.
  func homeRegion(_ target: AccountTarget) -> String {
    var profile = set("AWS_PROFILE") ?? "default"
    if case .profile(let name) = target { profile = name }
    let written = file.profiles[profile]?["region"].flatMap { $0.isEmpty ? nil : $0 }
    let named = set("AWS_REGION") ?? set("AWS_DEFAULT_REGION")
    if case .profile = target { return written ?? named ?? "us-east-1" }
    return named ?? written ?? "us-east-1"
  }

  /// A keeper for a target.
  func keeper(_ target: AccountTarget) -> CredentialKeeper {
    let home = homeRegion(target)
    switch target {
    case .own:
      return CredentialKeeper(now: now) { () async throws(GovernanceFaults) in try await self.own() }
    case .profile(let name):
      return CredentialKeeper(now: now) { () async throws(GovernanceFaults) in
        try await self.profile(name, seen: [])
      }
    case .role(let arn):
      let base = keeper(.own)
      return CredentialKeeper(now: now) { () async throws(GovernanceFaults) in
        try await self.assume(arn, with: base, region: home, externalID: nil)
      }
    case .account(let number, let role):
      let base = keeper(.own)
      return CredentialKeeper(now: now) { () async throws(GovernanceFaults) in
        let own: (account: String, partition: String)
        do throws(CallFailure) { own = try await self.client(base).identity(home) } catch {
          throw GovernanceFaults(["account \(number) can't be entered: sts GetCallerIdentity: \(error.text)"])
        }
        if own.account == number { return try await base.current() }
        return try await self.assume(
          "arn:\(own.partition):iam::\(number):role/\(role)", with: base, region: home, externalID: nil)
      }
    }
  }

  private func client(_ keeper: CredentialKeeper) -> ServiceClient {
    ServiceClient(
      http: http, keeper: keeper, endpoints: endpoints, policy: policy, traffic: Traffic(mostAtOnce: 1),
      now: now)
  }

  /// Environment, then the files, then the instance.
  func own() async throws(GovernanceFaults) -> Credentials {
    if let found = try Self.key(in: environment) { return found }
    try refuse(["AWS_WEB_IDENTITY_TOKEN_FILE"])
    if let name = set("AWS_PROFILE") { return try await profile(name, seen: []) }
    // One that only says a region or a format says nothing of whose key it is.
    let names = Set((file.profiles["default"] ?? [:]).keys)
    if !names.isDisjoint(with: Self.identityNames) || names.contains(where: { $0.hasPrefix("sso_") }) {
      return try await profile("default", seen: [])
    }
    try refuse(["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"])
    return try await instance()
  }

  private static let identityNames: Set<String> = [
    "aws_access_key_id", "aws_secret_access_key", "aws_session_token", "role_arn", "source_profile",
    "credential_source", "credential_process", "web_identity_token_file", "login_session",
  ]

  /// A source of keys that isn't supported was meant: another identity would act in its place.
  private func refuse(_ names: [String]) throws(GovernanceFaults) {
    for name in names where set(name) != nil {
      throw GovernanceFaults([
        "environment: \(name) is set, which isn't supported; wanted temporary keys in AWS_ACCESS_KEY_ID, "
          + "AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or that it isn't set (then the shared files of "
          + "AWS and the instance's role are asked)"
      ])
    }
  }

  /// Half a key is a slip: another identity than the one that was meant would act.
  static func key(in environment: [String: String]) throws(GovernanceFaults) -> Credentials? {
    let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
    let (id, secret) = (set(names[0], in: environment) ?? "", set(names[1], in: environment) ?? "")
    if id.isEmpty, secret.isEmpty { return nil }
    if id.isEmpty || secret.isEmpty {
      let (there, missing) = id.isEmpty ? (names[1], names[0]) : (names[0], names[1])
      throw GovernanceFaults([
        "environment: \(there) is set and \(missing) isn't; wanted both, or neither (then the shared files of AWS and the "
          + "instance's role are asked)"
      ])
    }
    return Credentials(accessKeyID: id, secretKey: secret, sessionToken: environment["AWS_SESSION_TOKEN"])
  }

  /// A profile: a key, or a role assumed with another profile's key.
  func profile(_ name: String, seen: Set<String>) async throws(GovernanceFaults) -> Credentials {
    guard let profile = file.profiles[name] else {
      throw GovernanceFaults([
        "no profile \(name) in the shared files of AWS; there are: "
          + (file.profiles.isEmpty ? "none" : file.profiles.keys.sorted().joined(separator: ", "))
      ])
    }
    if let arn = profile["role_arn"], !seen.contains(name) {
      let source: @Sendable () async throws(GovernanceFaults) -> Credentials
      if let from = profile["source_profile"] {
        source = { () async throws(GovernanceFaults) in try await self.profile(from, seen: seen.union([name]))
        }
      } else {
        switch profile["credential_source"] {
        case "Environment":
          source = { () async throws(GovernanceFaults) in
            guard let found = try Self.key(in: self.environment) else {
              throw GovernanceFaults(["profile \(name): no key in the environment"])
            }
            return found
          }
        case "Ec2InstanceMetadata":
          source = { () async throws(GovernanceFaults) in try await self.instance() }
        case let other:
          throw GovernanceFaults([
            "profile \(name): role_arn with \(other.map { "credential_source \($0)" } ?? "no source"); wanted "
              + "source_profile, or credential_source Environment or Ec2InstanceMetadata"
          ])
        }
      }
      return try await assume(
        arn, with: CredentialKeeper(now: now, source: source), region: profile["region"] ?? homeRegion(.own),
        externalID: profile["external_id"])
    }
    guard let id = profile["aws_access_key_id"], let secret = profile["aws_secret_access_key"] else {
      throw GovernanceFaults([
        "profile \(name): no key; wanted aws_access_key_id and aws_secret_access_key, or role_arn and source_profile"
      ])
    }
    return Credentials(accessKeyID: id, secretKey: secret, sessionToken: profile["aws_session_token"])
  }

  // MARK: - Roles

  static let sts = AccountService(
    name: "sts", protocolKind: .query, version: "2011-06-15", jsonVersion: "", isGlobal: false)

  /// A role's temporary key.
  func assume(
    _ arn: String, with base: CredentialKeeper, region: String, externalID: String?
  ) async throws(GovernanceFaults) -> Credentials {
    guard let role = AmazonResourceName(arn), role.service == "iam", role.resource.hasPrefix("role/") else {
      throw GovernanceFaults(["\(arn): no role; wanted arn:aws:iam::ACCOUNT:role/NAME"])
    }
    var parameters = [
      CallParameter(name: "RoleArn", value: arn),
      CallParameter(name: "RoleSessionName", value: "kabuto-govern"),
    ]
    if let externalID { parameters.append(CallParameter(name: "ExternalId", value: externalID)) }
    let client = client(base)
    let answer: Value
    do throws(CallFailure) {
      answer = try await client.call(
        Self.sts, AccountCall(action: "AssumeRole", parameters: parameters), item: nil,
        scope: CallScope(region: region, account: role.account, partition: role.partition))
    } catch { throw GovernanceFaults(["\(arn) can't be assumed: \(error.text)"]) }
    guard let key = answer["Credentials"], let found = Self.credentials(key, "AccessKeyId", "SessionToken")
    else {
      throw GovernanceFaults(["\(arn) can't be assumed: the answer has no key"])
    }
    return found
  }

  private static func credentials(_ value: Value, _ id: String, _ token: String) -> Credentials? {
    guard let id = value[id]?.string, let secret = value["SecretAccessKey"]?.string else { return nil }
    let expires = value["Expiration"]?.string.flatMap(seconds)
    return Credentials(
      accessKeyID: id, secretKey: secret, sessionToken: value[token]?.string, expiresAt: expires)
  }

  /// `2026-01-02T03:04:05Z`, with or without fractions.
  static func seconds(_ text: String) -> Int64? {
    let whole = text.split(separator: ".").first.map { $0.hasSuffix("Z") ? String($0) : $0 + "Z" } ?? text
    return (try? Date(whole, strategy: .iso8601)).flatMap {
      Int64(exactly: $0.timeIntervalSince1970.rounded(.down))
    }
  }

  // MARK: - The instance

  /// Instance metadata service, version 2: a token first, so that nobody who only forwards a request gets at the key.
  func instance() async throws(GovernanceFaults) -> Credentials {
    let nothing =
      "no key of AWS: none in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), no profile in the shared files"
    if environment["AWS_EC2_METADATA_DISABLED"]?.lowercased() == "true" { throw GovernanceFaults([nothing]) }
    let origin = environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] ?? "http://169.254.169.254"
    let base = origin.hasSuffix("/") ? String(origin.dropLast()) : origin
    var quick = policy
    quick.answerMilliseconds = min(policy.answerMilliseconds, 2_000)
    func ask(_ method: String, _ path: String, _ header: (String, String)) async throws(GovernanceFaults)
      -> String
    {
      let request = ServiceRequest(
        method: method, origin: base, path: path, headers: [(name: header.0, value: header.1)])
      switch await ServiceClient.send(request, http, quick) {
      case .success(let answer) where answer.status == 200:
        return String(decoding: answer.body, as: UTF8.self)
      case .success(let answer):
        throw GovernanceFaults(["\(nothing); the instance's metadata answered \(answer.status) at \(path)"])
      case .failure: throw GovernanceFaults(["\(nothing), and no instance's metadata"])
      }
    }
    let token = try await ask("PUT", "/latest/api/token", ("x-aws-ec2-metadata-token-ttl-seconds", "21600"))
    let header = ("x-aws-ec2-metadata-token", token)
    let folder = "/latest/meta-data/iam/security-credentials/"
    let role =
      try await ask("GET", folder, header).split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
    let text = try await ask("GET", folder + RequestSigner.encoded(role), header)
    guard let value = try? JSONReader.value(of: text),
      let found = Self.credentials(value, "AccessKeyId", "Token")
    else { throw GovernanceFaults(["\(nothing); the instance's metadata has no key of a role"]) }
    return found
  }
}
