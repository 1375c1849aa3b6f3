// Signature version 4: known answers.

import Testing

@testable import Governance

@Suite struct SigningTests {
  static let key = Credentials(
    accessKeyID: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
  static let time: Int64 = 1_440_938_160

  struct Vector: Sendable, CustomTestStringConvertible {
    let name: String
    var method = "GET"
    var path = "/"
    var query: [(name: String, value: String)] = []
    var headers: [(name: String, value: String)] = []
    var body = ""
    let signature: String
    var testDescription: String { name }
  }

  /// Of AWS's published suite of vectors, by their names there.
  static let vectors: [Vector] = [
    Vector(
      name: "get-vanilla", signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    Vector(
      name: "get-vanilla-query-order-key-case", query: [("Param2", "value2"), ("Param1", "value1")],
      signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
    Vector(
      name: "get-vanilla-utf8-query", query: [("ሴ", "bar")],
      signature: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"),
    Vector(
      name: "post-vanilla", method: "POST",
      signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    Vector(
      name: "post-x-www-form-urlencoded", method: "POST",
      headers: [("content-type", "application/x-www-form-urlencoded")], body: "Param1=value1",
      signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
    // Not of the suite: a path that is encoded already is encoded once more (signed so by AWS's own library).
    Vector(
      name: "encoded path", path: "/%E1%88%B4",
      signature: "697b34846207a3f72246f99d74ae1ee4fe54f44bb06730c58a0d339eb079596d"),
  ]

  static func sent(_ request: ServiceRequest, _ name: String) -> String? {
    request.headers.first { $0.name == name }?.value
  }

  @Test(arguments: vectors) func publishedVectorsAreSignedAlike(vector: Vector) {
    var request = ServiceRequest(
      method: vector.method, origin: "https://example.amazonaws.com", path: vector.path, query: vector.query,
      headers: vector.headers, body: Array(vector.body.utf8))
    RequestSigner.sign(&request, with: Self.key, service: "service", region: "us-east-1", time: Self.time)
    let names = (vector.headers.map(\.name) + ["host", "x-amz-date"]).sorted().joined(separator: ";")
    #expect(
      Self.sent(request, "authorization")
        == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        + "SignedHeaders=\(names), Signature=\(vector.signature)")
    #expect(Self.sent(request, "x-amz-date") == "20150830T123600Z")
  }

  /// Amazon S3 API Reference, "Signature Calculations for the Authorization Header", example "GET Object".
  @Test func objectOfS3IsSignedAsInItsReference() {
    var request = ServiceRequest(
      method: "GET", origin: "https://examplebucket.s3.amazonaws.com", path: "/test.txt",
      headers: [("range", "bytes=0-9")])
    let key = Credentials(
      accessKeyID: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    RequestSigner.sign(&request, with: key, service: "s3", region: "us-east-1", time: 1_369_353_600)
    #expect(
      Self.sent(request, "authorization")?
        .hasSuffix("Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41") == true)
  }

  @Test func temporaryKeysSendTheirToken() {
    var request = ServiceRequest(method: "GET", origin: "https://a.example", path: "/")
    let key = Credentials(accessKeyID: "A", secretKey: "B", sessionToken: "token-of-a-session")
    RequestSigner.sign(&request, with: key, service: "sts", region: "us-east-1", time: Self.time)
    #expect(Self.sent(request, "x-amz-security-token") == "token-of-a-session")
    #expect(Self.sent(request, "authorization")?.contains("x-amz-security-token") == true)
  }

  @Test(
    arguments: [
      (0, "19700101T000000Z"), (951_782_399, "20000228T235959Z"), (951_782_400, "20000229T000000Z"),
      (1_440_938_160, "20150830T123600Z"), (4_107_542_399, "21000228T235959Z"),
      (4_107_542_400, "21000301T000000Z"),
    ] as [(Int64, String)]) func timesAreWrittenByTheCalendar(time: Int64, stamp: String)
  {
    #expect(RequestSigner.stamp(time) == stamp)
  }

  @Test func secretsDescribeThemselvesAsHidden() {
    let key = Credentials(
      accessKeyID: "AKIDEXAMPLE", secretKey: "very-secret-key", sessionToken: "very-secret-token")
    var dumped = ""
    dump(key, to: &dumped)
    for text in [
      "\(key)", String(reflecting: key), "\(key.secretKey)", String(reflecting: key.sessionToken), dumped,
    ] {
      #expect(!text.contains("very-secret"), "\(text)")
    }
    #expect(
      Secret.cleaned("no very-secret-key here, nor very-secret-token", most: 300)
        == "no (hidden) here, nor (hidden)")
  }
}
