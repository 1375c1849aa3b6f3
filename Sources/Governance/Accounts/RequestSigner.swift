// Signature version 4 (AWS, "Create a signed AWS API request"; test vectors "aws-sig-v4-test-suite"). Pure: the time comes
// in. S3's paths are encoded once, all others' twice; S3 wants the body's digest as a header too.

import Crypto
import Foundation

/// A request as it goes out.
struct ServiceRequest: Sendable {
  /// `GET`, `POST`, `PUT`, `DELETE`.
  var method: String
  /// `http://host:port` or `https://host`.
  var origin: String
  /// Percent-encoded once.
  var path: String
  /// Neither side encoded.
  var query: [(name: String, value: String)] = []
  /// Names in small letters.
  var headers: [(name: String, value: String)] = []
  var body: [UInt8] = []

  /// `host` or `host:port`, as the header has it.
  var host: String {
    origin.split(separator: "/", omittingEmptySubsequences: true).dropFirst().first.map(String.init) ?? ""
  }

  /// All of it.
  var url: String {
    let query = RequestSigner.canonical(self.query)
    return origin + path + (query.isEmpty ? "" : "?" + query)
  }
}

enum RequestSigner {
  /// Adds the headers that sign a request.
  /// - Parameter time: seconds since 1970 UTC.
  static func sign(
    _ request: inout ServiceRequest, with credentials: Credentials, service: String, region: String,
    time: Int64
  ) {
    let stamp = Self.stamp(time)
    let day = String(stamp.prefix(8))
    let digest = HexText.hash(request.body)
    let isS3 = service == "s3"
    request.headers.append(("host", request.host))
    request.headers.append(("x-amz-date", stamp))
    if isS3 { request.headers.append(("x-amz-content-sha256", digest)) }
    if let token = credentials.sessionToken {
      request.headers.append(("x-amz-security-token", token.exposed))
    }
    let headers = request.headers.sorted { $0.name < $1.name }
    let names = headers.map(\.name).joined(separator: ";")
    let path = request.path.isEmpty ? "/" : request.path
    let canonical = [
      request.method, isS3 ? path : encoded(path, keepsSlash: true), Self.canonical(request.query),
      headers.map { "\($0.name):\(Self.trimmed($0.value))\n" }.joined(), names, digest,
    ].joined(separator: "\n")
    let scope = "\(day)/\(region)/\(service)/aws4_request"
    let text = "AWS4-HMAC-SHA256\n\(stamp)\n\(scope)\n\(HexText.hash(canonical))"
    var key = SymmetricKey(data: Array(("AWS4" + credentials.secretKey.exposed).utf8))
    for part in [day, region, service, "aws4_request"] {
      key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(part.utf8), using: key))
    }
    let signature = HexText.of(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key))
    request.headers.append(
      (
        "authorization",
        "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope), SignedHeaders=\(names), Signature=\(signature)"
      ))
  }

  /// Names and values encoded and in order.
  static func canonical(_ query: [(name: String, value: String)]) -> String {
    query.map { (encoded($0.name), encoded($0.value)) }
      .sorted {
        $0.0 == $1.0
          ? $0.1.utf8.lexicographicallyPrecedes($1.1.utf8) : $0.0.utf8.lexicographicallyPrecedes($1.0.utf8)
      }
      .map { "\($0.0)=\($0.1)" }.joined(separator: "&")
  }

  /// All but letters, digits and `-._~` by `%XX`.
  static func encoded(_ text: String, keepsSlash: Bool = false) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var out: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        out.append(byte)
      case UInt8(ascii: "/") where keepsSlash: out.append(byte)
      default: out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// `20150830T123600Z`.
  static func stamp(_ time: Int64) -> String {
    let days = time >= 0 ? time / 86_400 : (time - 86_399) / 86_400
    let seconds = time - days * 86_400
    // The civil calendar by eras of 400 years.
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let ofEra = shifted - era * 146_097
    let year = (ofEra - ofEra / 1_460 + ofEra / 36_524 - ofEra / 146_096) / 365
    let ofYear = ofEra - (365 * year + year / 4 - year / 100)
    let month = (5 * ofYear + 2) / 153
    let day = ofYear - (153 * month + 2) / 5 + 1
    let civil = month < 10 ? month + 3 : month - 9
    func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(year + era * 400 + (civil <= 2 ? 1 : 0))\(two(civil))\(two(day))T"
      + "\(two(seconds / 3_600))\(two(seconds / 60 % 60))\(two(seconds % 60))Z"
  }

  /// Blanks around are dropped, blanks within are one.
  private static func trimmed(_ text: String) -> String {
    text.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
  }

  /// RFC 1864: base64 of the digest; a sum against damage, no protection.
  static func md5(_ bytes: [UInt8]) -> String {
    Data(Insecure.MD5.hash(data: bytes)).base64EncodedString()
  }
}
