// Requests from curl lines, raw files and HTTP archives, as they would come over the wire.

import Firewall
import Testing

@Suite struct CapturedRequestTests {
  struct NoFile: Error, CustomStringConvertible { let description = "no such file" }

  static func curl(_ line: String, files: [String: String] = [:]) throws -> CapturedRequest {
    try #require(try curls(line, files: files).first)
  }

  static func curls(_ line: String, files: [String: String] = [:]) throws -> [CapturedRequest] {
    try CapturedRequest.curl(Array(line.utf8), place: "a.sh:1") { path in
      guard let text = files[path] else { throw NoFile() }
      return Array(text.utf8)
    }
  }

  static func fault(_ line: String) -> String {
    do {
      let requests = try curls(line)
      return "no fault: \(requests)"
    } catch { return "\(error)" }
  }

  /// The request as text, for known answers.
  static func text(_ request: CapturedRequest) -> String {
    func string(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
    let fields = request.headers.map { "\(string($0.name)): \(string($0.value))\n" }.joined()
    return
      "\(string(request.method)) \(string(request.uri)) \(string(request.version))\n\(fields)\n\(string(request.body))"
  }

  @Test func plainCommandSendsWhatCurlSends() throws {
    #expect(
      Self.text(try Self.curl("$ curl -sSkL 'http://example.com:8080/a/../b?q=1#x' --max-time 5"))
        == "GET /b?q=1 HTTP/1.1\nHost: example.com:8080\nUser-Agent: curl/7.88.1\nAccept: */*\n\n")
    #expect(
      Self.text(try Self.curl("curl --path-as-is example.com/a/../b")).hasPrefix("GET /a/../b HTTP/1.1"))
    #expect(Self.text(try Self.curl("curl -I --http1.0 example.com")).hasPrefix("HEAD / HTTP/1.0"))
    #expect(
      try Self.curls("curl http://a/1 http://a/2").map { String(decoding: $0.uri, as: UTF8.self) } == [
        "/1", "/2",
      ])
  }

  @Test func dataMakesAForm() throws {
    #expect(
      Self.text(
        try Self.curl(
          "curl example.com/ -d a=1 --data-raw '@b' --data-urlencode 'c= &' -d@f", files: ["f": "x\r\ny"]))
        == "POST / HTTP/1.1\nHost: example.com\nUser-Agent: curl/7.88.1\nAccept: */*\nContent-Length: 18\n"
        + "Content-Type: application/x-www-form-urlencoded\n\na=1&@b&c=%20%26&xy")
    #expect(
      Self.text(try Self.curl("curl -G 'example.com/?z=0' -d a=1 -d b=2")).hasPrefix(
        "GET /?z=0&a=1&b=2 HTTP/1.1"))
    let binary = try Self.curl("curl -XPUT example.com --data-binary @f", files: ["f": "x\r\ny"])
    #expect(binary.body == Array("x\r\ny".utf8) && binary.method == Array("PUT".utf8))
  }

  @Test func jsonHasItsTypeAndIsNoForm() throws {
    #expect(
      Self.text(try Self.curl(#"curl --json '{"a":1}' example.com/api"#))
        == "POST /api HTTP/1.1\nHost: example.com\nUser-Agent: curl/7.88.1\nAccept: application/json\n"
        + "Content-Length: 7\nContent-Type: application/json\n\n{\"a\":1}")
  }

  @Test func givenHeadersReplaceCurlsOwn() throws {
    #expect(
      Self.text(
        try Self.curl(
          "curl example.com -H 'Host: b' -HAccept: -H 'X-Empty;' -H 'X-A:  1' -A '' -e r -b 'a=1' -b 'b=2' -u u:p"
            + " --compressed -r 0-9"))
        == "GET / HTTP/1.1\nHost: b\nAuthorization: Basic dTpw\nRange: bytes=0-9\n"
        + "Accept-Encoding: deflate, gzip, br, zstd\nReferer: r\nCookie: a=1; b=2\nX-Empty: \nX-A: 1\n\n")
  }

  @Test func formIsMultipart() throws {
    let request = try Self.curl(
      "curl example.com -F a=1 -F 'f=@d/x.php;type=text/plain' --form-string 'c=@no;type=x'",
      files: ["d/x.php": "<?php"])
    let boundary = "------------------------d74496d66958873e"
    #expect(
      String(decoding: request.body, as: UTF8.self)
        == "--\(boundary)\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n"
        + "--\(boundary)\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.php\"\r\nContent-Type: text/plain"
        + "\r\n\r\n<?php\r\n--\(boundary)\r\nContent-Disposition: form-data; name=\"c\"\r\n\r\n@no;type=x\r\n"
        + "--\(boundary)--\r\n")
    #expect(request.header("content-type") == Array("multipart/form-data; boundary=\(boundary)".utf8))
  }

  @Test func shellQuotingIsUndone() throws {
    let line = """
      curl 'http://a/x' \\
        -H "X: \\"q\\" \\$5 \\n" \\
        --data-raw $'it\\'s\\r\\n\\u00e9\\x41\\101\\\\' \\
        a\\ b.example/'c'"d"
      """
    #expect(Self.fault(line).contains("the URL `a b.example/cd`"))
    let request = try Self.curl(line.replacing("a\\ b.example", with: "b.example"))
    #expect(request.header("x") == Array(#""q" $5 \n"#.utf8))
    #expect(request.body == Array("it's\r\néAA\\".utf8))
  }

  @Test func faultsSayPlaceFoundAndWanted() {
    #expect(Self.fault("wget http://a") == "a.sh:1: found `wget`; wanted a command that begins with curl")
    #expect(
      Self.fault("curl http://a/?a=1&b=2").hasPrefix(
        "a.sh:1, byte 19: found `&` outside of quotes; wanted one curl"))
    #expect(Self.fault("curl http://a -d 'x").hasPrefix("a.sh:1, byte 18: found a ' that is never closed"))
    #expect(
      Self.fault("curl \"http://$host/\"").hasPrefix(
        "a.sh:1, byte 14: found something that a shell would replace"))
    #expect(Self.fault("curl -d") == "a.sh:1: found `-d` at the end; wanted its value behind it")
    #expect(
      Self.fault("curl --frob x").hasPrefix(
        "a.sh:1: found the option `--frob`, which isn't known; wanted -X -H"))
    #expect(Self.fault("curl -K f").contains("`-K`, which isn't known"))
    #expect(
      Self.fault("curl -d @gone a").hasPrefix("a.sh:1: found `@gone`, which can't be read: no such file"))
    #expect(Self.fault("curl -s").hasPrefix("a.sh:1: found a curl command without a URL"))
    #expect(Self.fault("curl ftp://a/").hasPrefix("a.sh:1: found the URL `ftp://a/`"))
    #expect(Self.fault("curl a -H nonsense").hasPrefix("a.sh:1: found the header `nonsense`"))
  }

  @Test func rawRequestsAreReadWithEitherLineEnd() throws {
    let text = "POST /a?b HTTP/1.1\r\nHost: x\nX-Long: a\n  b\r\nContent-Length: 3\r\n\r\nabcd\n"
    #expect(
      Self.text(try CapturedRequest.raw(Array(text.utf8), file: "r"))
        == "POST /a?b HTTP/1.1\nHost: x\nX-Long: a b\nContent-Length: 3\n\nabc")
    let chunked =
      "POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"
    #expect(try CapturedRequest.raw(Array(chunked.utf8), file: "r").body == Array("abc0123456789".utf8))
    func fault(_ text: String) -> String {
      do { return "no fault: \(try CapturedRequest.raw(Array(text.utf8), file: "r"))" } catch {
        return "\(error)"
      }
    }
    #expect(
      fault("") == "r:1: found `` as the first line; wanted a request line such as `GET /path HTTP/1.1`")
    #expect(fault("GET /\nHost: a").hasPrefix("r:1: found `GET /` as the first line"))
    #expect(
      fault("GET / HTTP/1.1\nHost: a\nnonsense\n\n").hasPrefix("r:3: found `nonsense`; wanted a header"))
    #expect(
      fault("GET / HTTP/1.1\nContent-Length: 9\n\nabc").hasPrefix(
        "r:3: found a body of 3 bytes; wanted as many"))
    #expect(fault("GET / HTTP/1.1\nContent-Length: -1\n\nabc").contains("Content-Length says: -1"))
    #expect(
      fault("GET / HTTP/1.1\nTransfer-Encoding: chunked\n\nffffffffffffffff\n").contains(
        "isn't made of chunks"))
  }

  @Test func archivesHoldRequestsAndResponses() throws {
    let text = #"""
      {"log": {"entries": [
        {"request": {"method": "POST", "url": "https://a.example/x?y#z", "httpVersion": "h2",
          "headers": [{"name": ":authority", "value": "a.example"}, {"name": "accept", "value": "*/*"}],
          "postData": {"mimeType": "application/x-www-form-urlencoded", "params": [{"name": "p q", "value": "é"}]}},
         "response": {"status": 200, "headers": [{"name": "Server", "value": "s"}],
          "content": {"text": "aGk=", "encoding": "base64"}}},
        {"request": {"method": "GET", "url": "http://b", "headers": []}, "response": {"status": 0}}]}}
      """#
    let requests = try CapturedRequest.har(Array(text.utf8), file: "h.har")
    #expect(
      requests.map(Self.text) == [
        "POST /x?y HTTP/2.0\nHost: a.example\naccept: */*\n\np+q=%C3%A9", "GET / HTTP/1.1\nHost: b\n\n",
      ])
    #expect(requests[0].response?.body == Array("hi".utf8) && requests[0].response?.status == 200)
    #expect(requests[1].response == nil)
    func fault(_ text: String) -> String {
      do { return "no fault: \(try CapturedRequest.har(Array(text.utf8), file: "h"))" } catch {
        return "\(error)"
      }
    }
    #expect(fault("{\n \"log\": }") == "h:2:9: found `}`; wanted JSON: a value was expected")
    #expect(fault("{}") == "h: found JSON without log.entries; wanted an HTTP archive, as browsers save it")
    #expect(fault(#"{"log":{"entries":[{}]}}"#).hasPrefix("h: entry 1: found no request"))
    func url(_ url: String) -> String {
      #"{"log":{"entries":[{"request":{"method":"GET","url":"\#(url)"}}]}}"#
    }
    #expect(
      fault(url("nowhere")).hasPrefix("h: entry 1: found the url `nowhere`; wanted http:// or https://"))
    #expect(try CapturedRequest.har(Array(url("data:text/plain,a").utf8), file: "h").isEmpty)
  }

  @Test func jsonKeepsOrderAndRepeatedNames() throws {
    let json = try CapturedJSON(
      Array(#"{"a": 1, "a": [true, null, -1.5e3, "\ud83d\ude00\ud800x\u00e9"]}"#.utf8))
    #expect(json.members?.map(\.name) == ["a", "a"])
    #expect(json["a"]?.integer == 1)
    #expect(json.members?.last?.value.elements?.last?.text == "😀\u{FFFD}xé")
    func fault(_ text: String) -> String {
      do { return "no fault: \(try CapturedJSON(Array(text.utf8)))" } catch { return "\(error)" }
    }
    #expect(fault("[1,]") == "1:4: error: `]`; a value was expected")
    #expect(fault("[1 2]") == "1:4: error: `2]`; `,` or `]` was expected")
    #expect(fault("\"a") == "1:1: error: `\"a`; this string is never closed")
    #expect(fault("{\"a\" 1}") == "1:6: error: `1}`; `:` was expected")
    #expect(fault("1 1") == "1:3: error: `1`; nothing may follow the value")
    #expect(fault(String(repeating: "[", count: 100_000)).contains("no more than 200"))
  }

  @Test func hostileInputIsReadOrReportedFuzz() throws {
    var random = SeededGenerator.forTest("hostileInputIsReadOrReportedFuzz")
    let seeds = [
      "curl 'http://a/x?y' -H \"A: b\" -F a=@f;type=x --data-raw $'\\u00e9\\x1' -d @f -u a:b -b a=1 \\\n --json {}",
      "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n a\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
      #"{"log":{"entries":[{"request":{"method":"G","url":"http://a/","headers":[{"name":"a","value":"\u00e9"}]}}]}}"#,
    ].map { Array($0.utf8) }
    var read = 0
    repeatFuzzing { round in
      var text = seeds[round % 3]
      for _ in 0..<Int.random(in: 0...6, using: &random) where !text.isEmpty {
        let at = Int.random(in: 0..<text.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: text[at] = UInt8.random(in: 0...255, using: &random)
        case 1: text.remove(at: at)
        default: text.insert(text.randomElement(using: &random) ?? 0, at: at)
        }
      }
      do {
        switch round % 3 {
        case 0: _ = try CapturedRequest.curl(text, place: "p") { _ in Array("file".utf8) }
        case 1: _ = try CapturedRequest.raw(text, file: "p")
        default: _ = try CapturedRequest.har(text, file: "p")
        }
        read += 1
      } catch {
        let fault = error as? CaptureFault
        #expect(
          fault?.place.hasPrefix("p") == true && fault?.found.isEmpty == false
            && fault?.wanted.isEmpty == false)
      }
    }
    #expect(read > 0)
  }
}
