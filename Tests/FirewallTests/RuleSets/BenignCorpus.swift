// Harmless requests from six places (folder benign of the test data): an alert on one of them is a false alarm.

import Firewall
import Foundation
import Yams

struct BenignCorpus: Sendable {
  let name: String
  let requests: [TestRequest]

  static let names = ["gotestwaf", "waf-bypass-fp", "wafefficacy", "http-params", "access-log", "har"]

  /// All of them, in the order of `names`.
  static func all() throws -> [BenignCorpus] {
    [
      BenignCorpus(name: names[0], requests: try sentences()),
      BenignCorpus(name: names[1], requests: try smallRequests()),
      BenignCorpus(name: names[2], requests: try values()),
      BenignCorpus(name: names[3], requests: try shopParameters()),
      BenignCorpus(name: names[4], requests: try accessLog()),
      BenignCorpus(name: names[5], requests: try browserRequests()),
    ]
  }

  /// `count` of the requests, drawn by `random`, in their order; all where there are no more.
  func sample(_ count: Int, using random: inout SeededGenerator) -> [TestRequest] {
    guard requests.count > count else { return requests }
    return requests.indices.shuffled(using: &random).prefix(count).sorted().map { requests[$0] }
  }

  /// What a browser sends.
  private static let browser: [TestRequest.Header] = [
    .init("Host", "www.example.com"),
    .init("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    .init("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    .init("Accept-Language", "en-US,en;q=0.5"), .init("Accept-Encoding", "gzip, deflate"),
    .init("Connection", "keep-alive"),
  ]

  private static func query(_ value: [UInt8], id: String, path: String = "/anything", name: String = "p")
    -> TestRequest
  {
    var request = TestRequest(id: id, headers: browser)
    request.uri = Array("\(path)?\(name)=".utf8) + TestRequest.percentEncoded(value)
    return request
  }

  private static func form(_ value: [UInt8], id: String, path: String = "/anything", name: String = "p")
    -> TestRequest
  {
    let body = Array("\(name)=".utf8) + TestRequest.percentEncoded(value)
    return post(body, type: "application/x-www-form-urlencoded", id: id, path: path)
  }

  private static func post(_ body: [UInt8], type: String, id: String, path: String = "/anything")
    -> TestRequest
  {
    TestRequest(
      id: id, method: "POST", uri: path,
      headers: browser + [.init("Content-Type", type), .init("Content-Length", String(body.count))],
      body: body)
  }

  private static func multipart(_ value: [UInt8], id: String) -> TestRequest {
    let boundary = "----geckoformboundary7d1c5c"
    let head = "--\(boundary)\r\nContent-Disposition: form-data; name=\"p\"\r\n\r\n"
    return post(
      Array(head.utf8) + value + Array("\r\n--\(boundary)--\r\n".utf8),
      type: "multipart/form-data; boundary=\(boundary)",
      id: id)
  }

  /// Sentences that look like attacks, each as a parameter, a form and a multipart form.
  private static func sentences() throws -> [TestRequest] {
    let text = String(decoding: try FirewallData.bytes("benign/gotestwaf/texts-even.yml"), as: UTF8.self)
    let payloads = try Yams.compose(yaml: text)?["payload"]?.sequence?.compactMap(\.scalar?.string) ?? []
    return payloads.enumerated().flatMap { index, payload in
      let value = Array(payload.utf8)
      return [
        query(value, id: "gotestwaf:\(index):query"), form(value, id: "gotestwaf:\(index):form"),
        multipart(value, id: "gotestwaf:\(index):multipart"),
      ]
    }
  }

  /// Small requests that name the place of each value.
  private static func smallRequests() throws -> [TestRequest] {
    try FirewallData.files(in: "benign/waf-bypass-fp", ending: ".json").flatMap { path -> [TestRequest] in
      let file = URL(fileURLWithPath: path).lastPathComponent
      let payloads = try CapturedJSON(try FirewallData.bytes(path))["payload"]?.elements ?? []
      return payloads.enumerated().map { index, payload in
        var request = TestRequest(id: "waf-bypass-fp:\(file):\(index)", headers: browser)
        for (name, value) in payload.members ?? [] {
          let bytes = value.bytes ?? []
          switch name {
          case "URL": request.uri = bytes
          case "ARGS": request.uri = Array("/?".utf8) + bytes
          case "BODY":
            request.method = Array("POST".utf8)
            request.body = bytes
            request.headers.append(.init("Content-Type", "text/plain"))
            request.headers.append(.init("Content-Length", String(bytes.count)))
          case "COOKIE": request.headers.append(.init(name: Array("Cookie".utf8), value: bytes))
          case "HEADER": request.headers.append(.init(name: Array("X-Trace".utf8), value: bytes))
          case "REFERER": request.headers.append(.init(name: Array("Referer".utf8), value: bytes))
          case "USER-AGENT": request.headers[1].value = bytes
          default: break
          }
        }
        return request
      }
    }
  }

  /// One value a line, as a parameter and as a form.
  private static func values() throws -> [TestRequest] {
    try ["cmdexe", "sqli"].flatMap { name in
      try lines("benign/wafefficacy/\(name).txt").enumerated().flatMap { index, value in
        [
          query(value, id: "wafefficacy:\(name):\(index):query"),
          form(value, id: "wafefficacy:\(name):\(index):form"),
        ]
      }
    }
  }

  /// Parameters of a web shop, as a parameter and as a form.
  private static func shopParameters() throws -> [TestRequest] {
    try lines("benign/http-params/values-train.csv").dropFirst().enumerated().flatMap { index, line in
      let value = firstField(line)
      return [query(value, id: "http-params:\(index):query"), form(value, id: "http-params:\(index):form")]
    }
  }

  /// The first field of a line of comma-separated values, where a quote in quotes is doubled.
  private static func firstField(_ line: [UInt8]) -> [UInt8] {
    guard line.first == UInt8(ascii: "\"") else { return Array(line.prefix { $0 != UInt8(ascii: ",") }) }
    var value: [UInt8] = []
    var at = 1
    while at < line.count {
      if line[at] == UInt8(ascii: "\"") {
        at += 1
        guard at < line.count, line[at] == UInt8(ascii: "\"") else { break }
      }
      value.append(line[at])
      at += 1
    }
    return value
  }

  /// Lines of Apache's combined format.
  private static func accessLog() throws -> [TestRequest] {
    try lines("benign/access-log/apache-combined-1.log").enumerated().compactMap { index, line in
      let fields = quotedFields(line)
      guard fields.count >= 3 else { return nil }
      var request = TestRequest(id: "access-log:\(index + 1)")
      let words = fields[0].split(separator: 32, omittingEmptySubsequences: false)
      guard words.count >= 3, let first = words.first, let last = words.last else { return nil }
      request.method = Array(first)
      request.version = Array(last)
      request.uri = Array(fields[0].dropFirst(first.count + 1).dropLast(last.count + 1))
      request.client = String(decoding: line.prefix { $0 != 32 }, as: UTF8.self)
      request.headers = [.init("Host", "www.semicomplete.com"), .init("Accept", "*/*")]
      let none = [UInt8(ascii: "-")]
      if fields[1] != none { request.headers.append(.init(name: Array("Referer".utf8), value: fields[1])) }
      if fields[2] != none { request.headers.append(.init(name: Array("User-Agent".utf8), value: fields[2])) }
      return request
    }
  }

  /// What stands in double quotes, `\"` undone.
  private static func quotedFields(_ line: [UInt8]) -> [[UInt8]] {
    var fields: [[UInt8]] = []
    var current: [UInt8]?
    var at = 0
    while at < line.count {
      switch (line[at], current) {
      case (UInt8(ascii: "\""), nil): current = []
      case (UInt8(ascii: "\""), .some(let field)):
        fields.append(field)
        current = nil
      case (UInt8(ascii: "\\"), .some) where at + 1 < line.count && line[at + 1] == UInt8(ascii: "\""):
        at += 1
        current?.append(line[at])
      case (_, .some): current?.append(line[at])
      default: break
      }
      at += 1
    }
    return fields
  }

  /// What three browsers sent.
  private static func browserRequests() throws -> [TestRequest] {
    try FirewallData.files(in: "benign/har", ending: ".json").flatMap { path -> [TestRequest] in
      let file = URL(fileURLWithPath: path).lastPathComponent
      let entries = try CapturedJSON(try FirewallData.bytes(path)).elements ?? []
      return entries.enumerated().map { index, entry in
        var request = TestRequest(id: "har:\(file):\(index)", method: entry["method"]?.text ?? "GET")
        request.version = entry["httpVersion"]?.bytes ?? request.version
        let url = entry["url"]?.text ?? "/"
        let rest = url.range(of: "://").map { url[$0.upperBound...] } ?? url[...]
        request.uri = Array((rest.firstIndex(of: "/").map { rest[$0...] } ?? "/").prefix { $0 != "#" }.utf8)
        request.headers = (entry["headers"]?.elements ?? []).map {
          .init(name: $0["name"]?.bytes ?? [], value: $0["value"]?.bytes ?? [])
        }
        return request
      }
    }
  }

  private static func lines(_ path: String) throws -> [[UInt8]] {
    try FirewallData.bytes(path).split(separator: 10).map { line in
      Array(line.last == 13 ? line.dropLast() : line)
    }
  }
}
