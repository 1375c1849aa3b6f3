// S3: the account's block of public access, and the bucket for logs.

import Controls
import Foundation
import GuardRules
import Resources

extension AccountSettings {
  private static let blocks = [
    "BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets",
  ]
  private static let blockXML =
    "<PublicAccessBlockConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
    + blocks.map { "<\($0)>true</\($0)>" }.joined() + "</PublicAccessBlockConfiguration>"

  private static func blocks(of answer: Value) -> FoundSetting {
    if answer.isNull { return .absent }
    return .set((answer["PublicAccessBlockConfiguration"] ?? answer).properties(blocks))
  }

  // MARK: - The account

  private func accountBlock(_ method: String) -> ServiceAction {
    var action = ServiceAction(
      "\(method == "GET" ? "Get" : "Put")PublicAccessBlock", method,
      path: ["v20180820", "configuration", "publicAccessBlock"], isRepeatable: true,
      absent: method == "GET" ? ["NoSuchPublicAccessBlockConfiguration"] : [])
    action.answer.root = "PublicAccessBlockConfiguration"
    action.headers = [("x-amz-account-id", account.number)]
    action.hostPrefix = "\(account.number)."
    return action
  }

  func accountPublicAccess() async throws(CallFailure) -> FoundSetting {
    Self.blocks(of: try await ask("s3-control", accountBlock("GET")))
  }

  func setAccountPublicAccess() async throws(CallFailure) {
    var action = accountBlock("PUT")
    action.text = Self.blockXML.replacing(
      "s3.amazonaws.com/doc/2006-03-01", with: "awss3control.amazonaws.com/doc/2018-08-20")
    try await act("s3-control", action)
  }

  // MARK: - The bucket

  private func bucket() throws(CallFailure) -> String {
    guard let name = baseline.logBucket(of: account) else {
      throw CallFailure(code: "NoBucket", message: "the baseline has no bucket for logs")
    }
    return name
  }

  /// A call on the bucket. Names of buckets are the world's: one of that name that is another account's is refused by S3
  /// (AccessDenied), and so unknown.
  private func call(
    bucket part: String, _ method: String, isRepeatable: Bool? = nil, absent: Set<String> = []
  ) throws(CallFailure) -> ServiceAction {
    var action = ServiceAction(
      (method == "GET" ? "Get" : "Put") + (Self.parts[part]?.name ?? part), method, path: [try bucket()],
      query: [(part, "")], isRepeatable: isRepeatable,
      absent: absent)
    if method == "GET" { action.answer.root = Self.parts[part]?.root }
    action.headers = [("x-amz-expected-bucket-owner", account.number)]
    return action
  }

  /// What a bucket says of itself; null = there is none such, or no bucket.
  private func ask(bucket part: String, absent: String) async throws(CallFailure) -> Value {
    try await ask("s3", call(bucket: part, "GET", absent: [absent, "NoSuchBucket"]))
  }

  /// What calls of a part of a bucket are called, and the outermost element of what it says.
  private static let parts = [
    "encryption": (name: "BucketEncryption", root: "ServerSideEncryptionConfiguration"),
    "location": (name: "BucketLocation", root: "LocationConstraint"),
    "policy": (name: "BucketPolicy", root: "json"),
    "publicAccessBlock": (name: "PublicAccessBlock", root: "PublicAccessBlockConfiguration"),
    "versioning": (name: "BucketVersioning", root: "VersioningConfiguration"),
  ]

  private func put(bucket part: String, _ text: String, type: String = "application/xml")
    async throws(CallFailure)
  {
    var action = try call(bucket: part, "PUT", isRepeatable: true)
    action.text = text
    action.headers.append(("content-type", type))
    try await act("s3", action)
  }

  func logBucket() async throws(CallFailure) -> FoundSetting {
    let name = try bucket()
    let answer = try await ask("s3", call(bucket: "location", "GET", absent: ["NoSuchBucket"]))
    // The oldest region has no name here, and its answer is an empty element: what isn't there has a code instead.
    if answer.isNull, try await isMissing() { return .absent }
    let region = RegionScan.region(answer.string ?? answer["LocationConstraint"]?.string) ?? "us-east-1"
    guard region == account.home || answer.isNull && account.home == "us-east-1" else {
      throw CallFailure(
        code: "WrongRegion", message: "\(name) is in \(region), and the baseline's home is \(account.home)")
    }
    return .set(["Name": name, "Region": region])
  }

  /// Whether a bucket isn't there: its versioning tells that, too.
  private func isMissing() async throws(CallFailure) -> Bool {
    do throws(CallFailure) {
      _ = try await ask("s3", call(bucket: "versioning", "GET"))
      return false
    } catch {
      if error.code == "NoSuchBucket" { return true }
      throw error
    }
  }

  func makeLogBucket() async throws(CallFailure) {
    // Whoever owns it already has nothing to make.
    var action = ServiceAction(
      "CreateBucket", "PUT", path: [try bucket()], isRepeatable: true, absent: ["BucketAlreadyOwnedByYou"])
    if account.home != "us-east-1" {
      action.text =
        "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>"
        + "\(account.home)</LocationConstraint></CreateBucketConfiguration>"
    }
    try await act("s3", action)
  }

  func logBucketPublicAccess() async throws(CallFailure) -> FoundSetting {
    Self.blocks(
      of: try await ask(bucket: "publicAccessBlock", absent: "NoSuchPublicAccessBlockConfiguration"))
  }

  func setLogBucketPublicAccess() async throws(CallFailure) {
    try await put(bucket: "publicAccessBlock", Self.blockXML)
  }

  func logBucketEncryption() async throws(CallFailure) -> FoundSetting {
    let answer = try await ask(bucket: "encryption", absent: "ServerSideEncryptionConfigurationNotFoundError")
    guard let rule = answer.all(at: ["Rule"]).first, let set = rule["ApplyServerSideEncryptionByDefault"]
    else {
      return .absent
    }
    var properties = set.properties()
    properties["BucketKeyEnabled"] = rule["BucketKeyEnabled"]?.plainText
    return .set(properties)
  }

  func setLogBucketEncryption(_ goal: BaselineGoal) async throws(CallFailure) {
    let algorithm = goal.target("SSEAlgorithm") ?? "AES256"
    let key =
      goal.target("KMSMasterKeyID").map { "<KMSMasterKeyID>\(Self.escaped($0))</KMSMasterKeyID>" } ?? ""
    var hasBucketKey = algorithm == "aws:kms"
    if case .set(let there) = try await logBucketEncryption(), let found = there["BucketKeyEnabled"] {
      hasBucketKey = found == "true"
    }
    try await put(
      bucket: "encryption",
      "<ServerSideEncryptionConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule>"
        + "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>\(algorithm)</SSEAlgorithm>\(key)"
        + "</ApplyServerSideEncryptionByDefault><BucketKeyEnabled>\(hasBucketKey)</BucketKeyEnabled></Rule>"
        + "</ServerSideEncryptionConfiguration>")
  }

  func logBucketVersioning() async throws(CallFailure) -> FoundSetting {
    let answer = try await ask(bucket: "versioning", absent: "NoSuchBucket")
    guard answer["Status"] != nil else { return .absent }
    return .set(answer.properties(["Status"]))
  }

  func setLogBucketVersioning() async throws(CallFailure) {
    try await put(
      bucket: "versioning",
      "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>Enabled</Status>"
        + "</VersioningConfiguration>")
  }

  /// Statements by their `Sid`.
  func logBucketPolicy() async throws(CallFailure) -> FoundSetting {
    let policy = try await ask(bucket: "policy", absent: "NoSuchBucketPolicy")
    if policy.isNull { return .absent }
    var properties: [String: String] = [:]
    for statement in policy.all(at: ["Statement"]) {
      if let name = statement["Sid"]?.string { properties[name] = CanonicalJSON.policy(statement) }
    }
    return .set(properties)
  }

  /// Others' statements stay; those of the baseline's names are replaced.
  func setLogBucketPolicy(_ goal: BaselineGoal) async throws(CallFailure) {
    let policy = try await ask(bucket: "policy", absent: "NoSuchBucketPolicy")
    let names = Set(goal.wanted.map(\.name))
    let others = policy.all(at: ["Statement"]).filter { !names.contains($0["Sid"]?.string ?? "") }
    let statements = others.map { CanonicalJSON.text($0) } + goal.wanted.map(\.value.target)
    let version = policy["Version"]?.string ?? "2012-10-17"
    let id = policy["Id"]?.string.map { "\"Id\":\(CanonicalJSON.quoted($0))," } ?? ""
    try await put(
      bucket: "policy",
      "{\(id)\"Version\":\(CanonicalJSON.quoted(version)),\"Statement\":[\(statements.joined(separator: ","))]}",
      type: "application/json")
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }
}
