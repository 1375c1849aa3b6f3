// Files with requests: raw HTTP, HAR, JSON; which it is shows by itself.

import Firewall
import Testing

@Suite struct RequestFileTests {
  private func all(_ text: String) throws -> [CapturedRequest] {
    try CapturedRequest.all(in: Array(text.utf8), file: "f")
  }

  private func fault(_ text: String) -> CaptureFault? {
    do {
      _ = try all(text)
      return nil
    } catch { return error as? CaptureFault }
  }

  // MARK: raw HTTP

  @Test func severalRawRequestsFollowOneAnother() throws {
    let text = """
      POST /a b?c HTTP/1.1\r
      Host: h\r
      Content-Length: 5\r
      X-Folded: one\r
      \u{20} two\r
      \r
      a=1\r
      GET /2 HTTP/1.0
      Empty:

      POST /3 HTTP/1.1
      transfer-encoding: Chunked

      3;x=y
      abc
      2
      de
      0
      Trailer: t

      PUT /4 HTTP/1.1

      the rest
      is a body

      """
    let requests = try all(text)
    #expect(requests.map { String(decoding: $0.uri, as: UTF8.self) } == ["/a b?c", "/2", "/3", "/4"])
    #expect(
      requests.map { String(decoding: $0.body, as: UTF8.self) } == [
        "a=1\r\n", "", "abcde", "the rest\nis a body\n",
      ])
    #expect(requests[0].header("x-folded") == Array("one two".utf8))
    #expect(requests[1].version == Array("HTTP/1.0".utf8))
    #expect(requests[1].headers == [CapturedRequest.Header("Empty", "")])
    #expect(requests.map(\.id) == ["f#1", "f#2", "f#3", "f#4"])
  }

  @Test(arguments: [
    ("GET /\nHost: h\n\n", "f:1", "`GET /`"), ("GET / HTTP/1.1\nHost h\n\n", "f:2", "`Host h`"),
    ("POST / HTTP/1.1\nContent-Length: 9\n\nabc", "f:4", "a body of 3 bytes"),
    ("POST / HTTP/1.1\nContent-Length: x\n\nabc", "f:3", "Content-Length: x"),
    ("POST / HTTP/1.1\nContent-Length: 1\n\nabc", "f:4", "`bc`"),
    ("POST / HTTP/1.1\nTransfer-Encoding: chunked\n\nzz\n", "f:4", "`zz`"),
    ("POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n1\nab\n", "f:6", "a chunk that goes on"),
    ("\n \n", "f", "nothing"),
  ]) func rawFaultsHaveAPlace(_ text: String, _ place: String, _ found: String) {
    #expect(fault(text)?.place == place)
    #expect(fault(text)?.found == found)
  }

  // MARK: HAR

  @Test func entriesOfAnArchiveBecomeRequests() throws {
    let text = #"""
      {"log": {"version": "1.2", "entries": [
        {"request": {"method": "POST", "url": "https://www.example.com:8443?q=1#f", "httpVersion": "h2",
          "headers": [{"name": ":method", "value": "POST"}, {"name": ":authority", "value": "example.com"},
                      {"name": "content-length", "value": "99"}],
          "cookies": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}],
          "postData": {"mimeType": "application/x-www-form-urlencoded", "params": [{"name": "x", "value": "a%20b"}, {"name": "y"}]}},
         "response": {"status": 200, "headers": [{"name": "content-type", "value": "text/plain"}],
          "content": {"text": "aGk=", "encoding": "base64"}}},
        {"request": {"method": "GET", "url": "data:text/plain,x"}},
        {"request": {"method": "POST", "url": "http://h/up", "httpVersion": "HTTP/1.1",
          "headers": [{"name": "Host", "value": "h"}],
          "postData": {"mimeType": "multipart/form-data; boundary=\"xyz\"", "text": "",
            "params": [{"name": "f", "fileName": "a.txt", "contentType": "text/plain", "value": "hello"}]}},
         "response": {"status": 0}},
        {"request": {"url": "http://h/raw", "postData": {"mimeType": "text/plain", "text": "body"}}}
      ]}}
      """#
    let requests = try all(text)
    #expect(requests.map(\.id) == ["f#1", "f#3", "f#4"])
    #expect(
      requests[0].wire == """
        POST /?q=1 HTTP/2.0\r
        Host: example.com\r
        content-length: 9\r
        Cookie: a=1; b=2\r
        Content-Type: application/x-www-form-urlencoded\r
        \r
        x=a%20b&y
        """)
    #expect(requests[0].response?.status == 200)
    #expect(requests[0].response?.body == Array("hi".utf8))
    #expect(
      requests[1].wire == """
        POST /up HTTP/1.1\r
        Host: h\r
        Content-Type: multipart/form-data; boundary="xyz"\r
        Content-Length: 111\r
        \r
        --xyz\r
        Content-Disposition: form-data; name="f"; filename="a.txt"\r
        Content-Type: text/plain\r
        \r
        hello\r
        --xyz--\r

        """)
    #expect(requests[1].response == nil)
    #expect(requests[2].body == Array("body".utf8))
    #expect(requests[2].header("content-type") == Array("text/plain".utf8))
  }

  @Test(.enabled(if: FirewallData.isThere, FirewallData.missing)) func archivesOfBrowsersAreReadWhole() throws
  {
    for name in ["firefox47", "ie11", "noPages-1"] {
      let bytes = try FirewallData.bytes("benign/har/\(name).json")
      let count = try #require(try CapturedJSON(bytes).elements?.count)
      let requests = try CapturedRequest.all(in: bytes, file: name)
      #expect(requests.count == count && count > 0, "\(name)")
      #expect(requests.allSatisfy { $0.header("host") != nil && $0.uri.first == UInt8(ascii: "/") })
    }
  }

  // MARK: which it is

  @Test func formatsAreRecognised() throws {
    #expect(
      try all("\u{FEFF}{\"method\":\"GET\",\"uri\":\"/1\"}\n{\"method\":\"GET\",\"uri\":\"/2\"}\n").count == 2
    )
    #expect(try all("{\n\"method\":\"GET\",\n\"uri\":\"/1\"}").map(\.uri) == [Array("/1".utf8)])
    #expect(try all("[{\"uri\":\"/1\"},\n{\"uri\":\"/2\"}]").count == 2)
    #expect(
      try all("{\"log\":{\"entries\":[{\"request\":{\"url\":\"http://h/1\"}}]}}").map(\.uri) == [
        Array("/1".utf8)
      ])
    #expect(try all("\ncurl http://h/1\n$ curl http://h/2").count == 2)
    #expect(try all("\r\nGET /1 HTTP/1.1\r\n\r\n").count == 1)
    #expect(fault("{\n\"method\":,")?.place == "f:2:10")
    #expect(fault("{\"uri\":\"/1\"}\n{")?.place == "f:2")
    #expect(fault("{\"log\":{}}")?.found == "JSON without log.entries")
    #expect(fault("{\"log\":{\"entries\":[{}]}}")?.place == "f#1")
  }

  @Test func neverTrapsFuzz() throws {
    var random = SeededGenerator.forTest("neverTrapsFuzz")
    let seeds = [
      "POST /a HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
      "{\"log\":{\"entries\":[{\"request\":{\"url\":\"http://h/1?a#b\",\"headers\":[{\"name\":\":a\",\"value\":\"\"}],\"postData\":{\"params\":[{\"name\":\"a\"}]}}}]}}",
      "{\"uri\":\"/1\"}\n{\"uri\":\"/2\"}\n", "[{\"uri\":\"/1\"}]",
    ].map { Array($0.utf8) }
    repeatFuzzing { _ in
      guard var bytes = seeds.randomElement(using: &random) else { return }
      for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
        let at = Int.random(in: bytes.indices, using: &random)
        switch Int.random(in: 0...2, using: &random) {
        case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: at)
        default: bytes.insert(contentsOf: bytes[at...].prefix(5), at: at)
        }
      }
      do throws(CaptureFault) {
        let requests = try CapturedRequest.all(in: bytes, file: "f")
        #expect(requests.allSatisfy { !$0.method.isEmpty || bytes.first == UInt8(ascii: "{") })
      } catch { #expect(error.place.hasPrefix("f")) }
    }
  }
}
