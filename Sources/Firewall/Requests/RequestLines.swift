// Requests as JSON lines: {"id", "client", "method", "uri", "version", "headers": [[name, value]…], "body_base64",
// "response": {"status", "headers", "body_base64"}}. All but method and uri may be missing. Texts are UTF-8, or for bytes
// that aren't: `"headers_base64": [[name, value]…]`, `"uri_base64"`.

extension CapturedRequest {
  /// All requests of a file of JSON lines; blank lines are passed over.
  public static func lines(_ bytes: [UInt8], file: String) throws(CaptureFault) -> [CapturedRequest] {
    var requests: [CapturedRequest] = []
    var number = 0
    for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      number += 1
      if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) { continue }
      let place = "\(file):\(number)"
      let json: CapturedJSON
      do throws(CapturedJSON.Fault) {
        json = try CapturedJSON(Array(line))
      } catch {
        throw CaptureFault(
          place: place, found: "no JSON: \(error)", wanted: "an object with method and uri on each line")
      }
      requests.append(try CapturedRequest(json, place: place))
    }
    return requests
  }

  init(_ json: CapturedJSON, place: String) throws(CaptureFault) {
    guard json.members != nil else {
      throw CaptureFault(
        place: place, found: "JSON that is no object", wanted: "an object with method and uri")
    }
    self.init()
    if let bytes = json["id"]?.bytes { id = String(decoding: bytes, as: UTF8.self) }
    if let bytes = json["client"]?.bytes { client = String(decoding: bytes, as: UTF8.self) }
    method = json["method"]?.bytes ?? method
    uri = try Self.decoded(json["uri_base64"], "uri_base64", place) ?? json["uri"]?.bytes ?? uri
    if let version = json["version"]?.bytes {
      self.version = version
    }
    headers = try Self.headers(json, place)
    body = try Self.decoded(json["body_base64"], "body_base64", place) ?? json["body"]?.bytes ?? []
    if let answer = json["response"], answer.members != nil {
      var response = Response()
      if let status = answer["status"]?.bytes, let number = Int(String(decoding: status, as: UTF8.self)) {
        response.status = number
      }
      response.headers = try Self.headers(answer, place)
      response.body =
        try Self.decoded(answer["body_base64"], "body_base64", place) ?? answer["body"]?.bytes ?? []
      self.response = response
    }
  }

  private static func headers(_ json: CapturedJSON, _ place: String) throws(CaptureFault) -> [Header] {
    var result: [Header] = []
    for (key, isEncoded) in [("headers", false), ("headers_base64", true)] {
      guard let list = json[key]?.elements else { continue }
      for pair in list {
        guard let pair = pair.elements, pair.count == 2, let name = pair[0].bytes, let value = pair[1].bytes
        else {
          throw CaptureFault(place: place, found: "a header that is no pair", wanted: "[name, value]")
        }
        if isEncoded {
          guard let name = base64(name), let value = base64(value) else {
            throw CaptureFault(place: place, found: "a header that is no base64", wanted: "[base64, base64]")
          }
          result.append(Header(name: name, value: value))
        } else {
          result.append(Header(name: name, value: value))
        }
      }
    }
    return result
  }

  private static func decoded(_ json: CapturedJSON?, _ key: String, _ place: String) throws(CaptureFault)
    -> [UInt8]?
  {
    guard let text = json?.bytes else { return nil }
    guard let bytes = base64(text) else {
      throw CaptureFault(place: place, found: "\(key) that is no base64", wanted: "RFC 4648, with padding")
    }
    return bytes
  }

  /// RFC 4648, section 4; nil where it is something else.
  static func base64(_ text: [UInt8]) -> [UInt8]? {
    var result: [UInt8] = []
    result.reserveCapacity(text.count / 4 * 3)
    var bits: UInt32 = 0
    var count = 0
    var padding = 0
    for byte in text {
      let value: UInt32
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = UInt32(byte - 65)
      case UInt8(ascii: "a")...UInt8(ascii: "z"): value = UInt32(byte - 71)
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = UInt32(byte + 4)
      case UInt8(ascii: "+"): value = 62
      case UInt8(ascii: "/"): value = 63
      case UInt8(ascii: "="):
        padding += 1
        continue
      default: return nil
      }
      guard padding == 0 else { return nil }
      bits = bits << 6 | value
      count += 1
      if count == 4 {
        result += [UInt8(bits >> 16 & 255), UInt8(bits >> 8 & 255), UInt8(bits & 255)]
        (bits, count) = (0, 0)
      }
    }
    switch (count, padding) {
    case (0, 0): break
    case (2, 2): result.append(UInt8(bits >> 4 & 255))
    case (3, 1): result += [UInt8(bits >> 10 & 255), UInt8(bits >> 2 & 255)]
    default: return nil
    }
    return result
  }
}
