// Requests changed by chance: bytes, encodings, case, white space and comments, places, lengths. What comes out is often
// no valid request; both evaluations must say the same of it all the same.

struct RequestMutation {
  private static let places = ["query", "form", "json", "multipart", "cookie", "header", "many", "path"]
  private static let fillers = [
    "/**/", "/*!50000*/", "--\n", "#", "\t", "\u{0B}", "  ", "\r\n", "\u{00}", "<!-- -->", "%0a", "\\", "'",
    "\"",
    "${", "`", ";", "|",
  ]
  private static let shells = [
    "1' OR '1'='1' -- ", "<script>alert(1)</script>", ";cat /etc/passwd", "../../../../etc/passwd",
    "php://input", "${jndi:ldap://x}", "1;WAITFOR DELAY '0:0:5'", "<img src=x onerror=alert(1)>",
    "() { :; }; /bin/id", "O:8:\"stdClass\":0:{}", "UNION ALL SELECT NULL,NULL,CONCAT(0x41)", "tea", "a=b&c",
  ]

  /// Values of two thirds of all requests stay short; of the rest some pass 2 KiB, and some 16.
  static func mutated(_ original: TestRequest, using random: inout SeededGenerator) -> TestRequest {
    var request = original
    request.id += "~"
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      switch Int.random(in: 0..<10, using: &random) {
      case 0: change(&request.uri, using: &random)
      case 1: change(&request.body, using: &random)
      case 2, 3:
        guard let index = request.headers.indices.randomElement(using: &random) else { continue }
        change(&request.headers[index].value, using: &random)
      default:
        var value = payload(request, using: &random)
        for _ in 0..<Int.random(in: 0...3, using: &random) { change(&value, using: &random) }
        place(value, in: &request, using: &random)
      }
    }
    return request
  }

  /// What an attack would be made of: one of ours, or what the request itself carries.
  private static func payload(_ request: TestRequest, using random: inout SeededGenerator) -> [UInt8] {
    if Bool.random(using: &random), let mark = request.uri.firstIndex(of: UInt8(ascii: "=")) {
      return percentDecoded(Array(request.uri[(mark + 1)...].prefix { $0 != UInt8(ascii: "&") }))
    }
    if Bool.random(using: &random), !request.body.isEmpty { return Array(request.body.prefix(4000)) }
    return Array((shells.randomElement(using: &random) ?? "").utf8)
  }

  private static func percentDecoded(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var at = 0
    while at < bytes.count {
      if bytes[at] == UInt8(ascii: "%"), at + 2 < bytes.count,
        let value = UInt8(String(decoding: bytes[(at + 1)...(at + 2)], as: UTF8.self), radix: 16)
      {
        result.append(value)
        at += 3
      } else {
        result.append(bytes[at] == UInt8(ascii: "+") ? 0x20 : bytes[at])
        at += 1
      }
    }
    return result
  }

  static func change(_ value: inout [UInt8], using random: inout SeededGenerator) {
    let at = Int.random(in: 0...value.count, using: &random)
    switch Int.random(in: 0..<9, using: &random) {
    case 0:
      if at < value.count { value[at] ^= 1 << UInt8.random(in: 0...7, using: &random) }
    case 1:
      if at < value.count { value[at] = UInt8.random(in: 0...255, using: &random) }
    case 2:
      if at < value.count { value.remove(at: at) }
    case 3: value.insert(contentsOf: Array((fillers.randomElement(using: &random) ?? "").utf8), at: at)
    case 4:
      for index in value.indices where Bool.random(using: &random) {
        if (0x41...0x5A).contains(value[index]) || (0x61...0x7A).contains(value[index]) {
          value[index] ^= 0x20
        }
      }
    case 5, 6: encode(&value, using: &random)
    case 7: value = Array(value[at...]) + Array(value[..<at])
    default:
      guard Int.random(in: 0..<3, using: &random) == 0 else { return }
      // Long: around the limit of a look from a database, and far beyond it.
      let count = [2040, 2048, 2049, 2100, 16_500].randomElement(using: &random) ?? 0
      let filler: UInt8 = [0x20, 0x61, 0x2E, 0x28, 0x27].randomElement(using: &random) ?? 0x20
      value.insert(contentsOf: [UInt8](repeating: filler, count: count), at: at)
    }
  }

  private static func encode(_ value: inout [UInt8], using random: inout SeededGenerator) {
    func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
    let kind = Int.random(in: 0..<7, using: &random)
    let share = Int.random(in: 1...4, using: &random)
    value = value.prefix(20_000).flatMap { byte -> [UInt8] in
      guard Int.random(in: 0..<4, using: &random) < share else { return [byte] }
      switch kind {
      case 0: return Array("%\(hex(byte))".utf8)
      case 1: return Array("%25\(hex(byte))".utf8)
      case 2: return Array("%u00\(hex(byte))".utf8)
      case 3: return Array("&#\(byte);".utf8)
      case 4: return Array("&#x\(hex(byte));".utf8)
      case 5: return Array("\\x\(hex(byte))".utf8)
      default: return Array("\\u00\(hex(byte))".utf8)
      }
    }
  }

  private static func place(
    _ value: [UInt8], in request: inout TestRequest, using random: inout SeededGenerator
  ) {
    func body(_ bytes: [UInt8], _ type: String) {
      request.method = Array("POST".utf8)
      request.headers.removeAll { $0.isNamed("Content-Type") || $0.isNamed("Content-Length") }
      request.headers.append(.init("Content-Type", type))
      request.headers.append(.init("Content-Length", String(bytes.count)))
      request.body = bytes
    }
    switch places.randomElement(using: &random) ?? "" {
    case "query": request.uri = Array("/a?p=".utf8) + TestRequest.percentEncoded(value)
    case "form":
      body(Array("p=1&q=".utf8) + TestRequest.percentEncoded(value), "application/x-www-form-urlencoded")
    case "json":
      let text = value.flatMap { byte -> [UInt8] in
        byte < 0x20 || byte == 0x22 || byte == 0x5C || byte > 0x7E
          ? Array("\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8) : [byte]
      }
      body(Array("{\"a\":{\"b\":[1,\"".utf8) + text + Array("\"]}}".utf8), "application/json")
    case "multipart":
      let parts = Array("--xx\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\n".utf8) + value
      let file =
        "\r\n--xx\r\nContent-Disposition: form-data; name=\"u\"; filename=\"a.txt\"\r\n\r\nhello\r\n--xx--\r\n"
      body(parts + Array(file.utf8), "multipart/form-data; boundary=xx")
    case "cookie":
      request.headers.append(.init(name: Array("Cookie".utf8), value: Array("id=7; v=".utf8) + value))
    case "header":
      let name =
        ["Referer", "User-Agent", "X-Forwarded-For", "Accept", "Range"].randomElement(using: &random) ?? ""
      request.headers.removeAll { $0.isNamed(name) }
      request.headers.append(.init(name: Array(name.utf8), value: value))
    case "many":
      let count = Int.random(in: 2...40, using: &random)
      request.uri = Array("/a?".utf8)
      for index in 0..<count { request.uri += Array("n\(index % 30)=\(index)&".utf8) }
      request.uri += Array("z=".utf8) + TestRequest.percentEncoded(value)
    default: request.uri = Array("/".utf8) + TestRequest.percentEncoded(value)
    }
  }

  /// Whether any value of it may be one that is only searched in part.
  static func isLong(_ request: TestRequest) -> Bool {
    let most = OutcomeDifference.longValueBytes
    return request.uri.count > most || request.body.count > most
      || request.headers.contains { $0.value.count > most }
  }
}
