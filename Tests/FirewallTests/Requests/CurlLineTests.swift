// Curl command lines: what curl itself sent is the answer; what can't be known is a fault that says so.

import Firewall
import Testing

@Suite struct CurlLineTests {
  private func requests(_ line: String) throws -> [CapturedRequest] {
    try CurlLine.requests(Array(line.utf8), place: "line")
  }

  @Test(arguments: CurlCases.all.indices) func sendsWhatCurlSends(_ index: Int) throws {
    let (line, sent) = CurlCases.all[index]
    #expect(try requests(line).map(\.wire) == sent, "\(line)")
  }

  @Test func takesWhatBrowsersCopy() throws {
    let copied = #"""
      curl 'https://www.example.com/search?q=%E6%9D%B1' \
        -X 'POST' \
        -H 'accept: */*' \
        -H 'content-type: text/plain;charset=UTF-8' \
        -b 'sid=1; theme=dark' \
        --data-raw $'it\'s\u0021\n' \
        --compressed ;
      curl 'https://www.example.com/other' --insecure | jq . > out.json 2>&1
      """#
    let requests = try requests(copied)
    #expect(requests.count == 2)
    #expect(
      requests.first?.wire == """
        POST /search?q=%E6%9D%B1 HTTP/1.1\r
        Host: www.example.com\r
        User-Agent: curl/7.88.1\r
        Accept-Encoding: deflate, gzip, br, zstd\r
        Cookie: sid=1; theme=dark\r
        accept: */*\r
        content-type: text/plain;charset=UTF-8\r
        Content-Length: 6\r
        \r
        it's!

        """)
    #expect(requests.last?.uri == Array("/other".utf8))
  }

  @Test func nextBeginsAnew() throws {
    let requests = try requests("curl -X PUT -d a http://h/1 --next http://h/2")
    #expect(requests.map { String(decoding: $0.method, as: UTF8.self) } == ["PUT", "GET"])
    #expect(requests.last?.body == [])
  }

  @Test(arguments: [
    ("curl http://h/ --wibble", "the option `--wibble`"), ("curl -Q x http://h/", "the option `-Q`"),
    ("curl", "without an address"), ("wget http://h/", "the command `wget`"),
    ("curl http://h/?a=1&b=2", "the command `b=2`"), ("curl http://h/ -d @f", "the file \"f\""),
    ("curl http://h/ --data-urlencode n@f", "the file \"f\""), ("curl http://h/ -F n=@f", "the file \"f\""),
    ("curl http://h/ -F 'n=<f'", "the file \"f\""), ("curl http://h/ -b jar", "the file \"jar\""),
    ("curl http://h/ -H @f", "the file \"f\""), ("curl 'http://h/", "the quote at"),
    ("curl \"http://h/", "the quote at"), ("curl $'http://h/", "the quote at"),
    ("curl http://h/$x", "`$x`"), ("curl \"http://h/`date`\"", "`date`"),
    ("curl http://h/ -X", "`-X` at the end"),
    ("curl 'http://h/a b'", "a blank in the address"), ("curl http://h/[1-9]", "`[` in the address"),
    ("curl ftp://h/", "the scheme \"ftp\""), ("curl http:///x", "without a host"),
    ("curl http://h/ -F a=1 -d b", "another kind of body"), ("curl -I -d a http://h/", "-I with a body"),
    ("curl ^\"http://h/^\"", "cmd.exe"), ("curl http://h/ < f", "`<`"),
    ("curl http://h/ \\", "a backslash at the end"),
    ("curl http://h/ -H $'a: b\\nc: d'", "a line break in the header"), ("", "no command"),
  ]) func saysWhatCantBeTaken(_ line: String, _ found: String) {
    #expect { try requests(line) } throws: { error in
      guard let fault = error as? CaptureFault else { return false }
      return fault.found.contains(found) && fault.place.hasPrefix("line") && !fault.wanted.isEmpty
    }
  }

  @Test func faultsNameTheirLine() {
    #expect(
      throws: CaptureFault(
        place: "line:3", found: "the option `--wibble`",
        wanted: "options of curl that say what is sent, and no files")
    ) {
      try requests("curl http://h/\n\ncurl \\\n --wibble http://h/")
    }
  }

  @Test func neverTrapsFuzz() {
    var random = SeededGenerator.forTest("neverTrapsFuzz")
    let pieces =
      CurlCases.all.flatMap { $0.line.split(separator: " ").map(String.init) }
      + [
        "'", "\"", "$'", "\\", "\\x", "\\u", "--json", "-F", "n=\"", ";type=", "[", "http://", "?", "#", "@",
        "\n", "|", ">", "\u{0}",
      ]
    repeatFuzzing { _ in
      let line = (0..<Int.random(in: 0...12, using: &random)).map { _ in
        (pieces.randomElement(using: &random) ?? "") + (Bool.random(using: &random) ? " " : "")
      }.joined()
      guard let requests = try? requests("curl " + line) else { return }
      #expect(!requests.isEmpty)
      #expect(
        requests.allSatisfy { !$0.uri.isEmpty && !$0.uri.contains(0x20) || line.contains("request-target") })
    }
  }
}
