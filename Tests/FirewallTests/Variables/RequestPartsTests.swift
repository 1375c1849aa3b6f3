// URIs and cookies: known answers from libmodsecurity 3.0.9, properties, hostile input.

import Firewall
import Testing

@Suite struct RequestURITests {
  struct Case: Sendable {
    let raw: String
    let uri: String
    let query: String
    let filename: String
    let basename: String
    init(_ raw: String, uri: String, query: String = "", filename: String, basename: String = "") {
      self.raw = raw
      self.uri = uri
      self.query = query
      self.filename = filename
      self.basename = basename
    }
  }

  static let cases = [
    Case("/", uri: "/", filename: "/"),
    Case("/a/b.php?x=1", uri: "/a/b.php?x=1", query: "x=1", filename: "/a/b.php", basename: "b.php"),
    Case(
      "/a/b.php/p/info?x", uri: "/a/b.php/p/info?x", query: "x", filename: "/a/b.php/p/info", basename: "info"
    ),
    Case("http://host/a?b", uri: "/a?b", query: "b", filename: "http://host/a", basename: "a"),
    Case("http://h:80/a%20b?c", uri: "/a b?c", query: "c", filename: "http://h:80/a b", basename: "a b"),
    Case("http://host", uri: "http://host", filename: "http://host", basename: "host"),
    Case("https://h?x", uri: "https://h?x", query: "x", filename: "https://h", basename: "h"),
    Case("/a%2fb%3fc?d", uri: "/a/b?c?d", query: "d", filename: "/a/b?c", basename: "b?c"),
    Case("/a%3Fb=c", uri: "/a?b=c", filename: "/a?b=c", basename: "a?b=c"),
    Case("/a%2?b", uri: "/a%2?b", query: "b", filename: "/a%2", basename: "a%2"),
    Case("/a%?41", uri: "/a%?41", query: "41", filename: "/a%", basename: "a%"),
    Case("/a#frag", uri: "/a", filename: "/a", basename: "a"),
    Case("/a#frag?q", uri: "/a", filename: "/a", basename: "a"),
    Case("/a?q#frag", uri: "/a?q", query: "q", filename: "/a", basename: "a"),
    Case("/a%23b#c", uri: "/a#b", filename: "/a#b", basename: "a#b"),
    Case("", uri: "", filename: ""),
    Case("?x", uri: "?x", query: "x", filename: ""),
    Case("?x=a://b/c", uri: "/c", query: "x=a://b/c", filename: ""),
    Case("*", uri: "*", filename: "*"),
    Case("/a//b/", uri: "/a//b/", filename: "/a//b/"),
    Case("/a\\b", uri: "/a\\b", filename: "/a\\b", basename: "b"),
    Case("//host/a", uri: "//host/a", filename: "//host/a", basename: "a"),
    Case("host:80", uri: "host:80", filename: "host:80"),
    Case("/%zz%41", uri: "/%zzA", filename: "/%zzA", basename: "%zzA"),
    Case("/a+b", uri: "/a+b", filename: "/a+b", basename: "a+b"),
    Case("/a%00b?c", uri: "/a\0b?c", query: "c", filename: "/a\0b", basename: "a\0b"),
    Case("ftp:/a", uri: "ftp:/a", filename: "ftp:/a", basename: "a"),
    Case("a//b/c", uri: "a//b/c", filename: "a//b/c", basename: "c"),
    Case("http:///a", uri: "/a", filename: "http:///a", basename: "a"),
    Case("/?", uri: "/?", filename: "/"),
    Case("/??a=b", uri: "/??a=b", query: "?a=b", filename: "/"),
    Case("http%3a//host/x", uri: "/x", filename: "http://host/x", basename: "x"),
    Case("/a/b%5cc", uri: "/a/b\\c", filename: "/a/b\\c", basename: "c"),
    Case("/p?a=%41%4", uri: "/p?a=A%4", query: "a=%41%4", filename: "/p", basename: "p"),
  ]

  @Test(arguments: cases) func knownAnswers(known: Case) {
    let held = HeldBytes(latin1Bytes(known.raw))
    let arena = Arena()
    defer { withExtendedLifetime((held, arena)) {} }
    let found = RequestURI(held.view, arena: arena)
    #expect(latin1(found.raw) == known.raw)
    #expect(latin1(found.uri) == known.uri)
    #expect(latin1(found.queryString) == known.query)
    #expect(latin1(found.filename) == known.filename)
    #expect(latin1(found.pathInfo) == known.filename)
    #expect(latin1(found.basename) == known.basename)
  }

  @Test func requestURIFuzz() {
    var random = BodyRandom()
    let alphabet = Array("/?#%2fA:\\.h".utf8)
    let rounds = fuzzing {
      let bytes = random.mutate(Array("http://host/a/b%2fc?x=1#y".utf8), with: alphabet)
      let held = HeldBytes(bytes)
      let arena = Arena()
      let found = RequestURI(held.view, arena: arena)
      #expect(found.uri.count <= bytes.count && arena.usedBytes <= bytes.count, "\(random.comment)")
      let path = bytes.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
      #expect(latin1(found.filename) == decoded(Array(path)), "\(random.comment)")
      #expect(found.queryString.firstIndex(of: UInt8(ascii: "#")) == nil, "\(random.comment)")
      #expect(found.filename.hasSuffix(found.basename), "\(random.comment)")
    }
    #expect(rounds > 0)
  }
}

/// Percent-decoding the plain way.
private func decoded(_ bytes: [UInt8]) -> String {
  var text: [UInt8] = []
  var rest = bytes[...]
  while let byte = rest.popFirst() {
    let digits = String(decoding: rest.prefix(2), as: UTF8.self)
    if byte == UInt8(ascii: "%"), digits.utf8.count == 2,
      digits.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
      let value = UInt8(digits, radix: 16)
    {
      text.append(value)
      rest = rest.dropFirst(2)
    } else {
      text.append(byte)
    }
  }
  return latin1(text)
}

@Suite struct CookiesTests {
  private func parse(_ bytes: [UInt8]) -> [TextPair] {
    let held = HeldBytes(bytes)
    var cookies: [Argument] = []
    Cookies.parse(held.view, into: &cookies)
    return cookies.map(TextPair.init)
  }

  @Test(arguments: [
    ("a=1; b=2", ["a=1", "b=2"]), ("a", ["a="]), ("a=", ["a="]), ("=b", []), ("", []),
    ("  a=1 ;b =2 ", ["a=1 ", "b =2"]), ("a=1;;b=2", ["a=1", "b=2"]), (";;", []), (";a=1", ["a=1"]),
    ("a=b=c", ["a=b=c"]), ("a=%41", ["a=%41"]), ("a=1,b=2", ["a=1,b=2"]), ("a=1\t", ["a=1"]),
    ("\ta=1;\tb", ["a=1", "b="]), ("a=\"x;y\"; c", ["a=\"x", "y\"=", "c="]), ("   ", []),
    ("; ;a=2; ", ["a=2"]),
    ("a=1; a=2", ["a=1", "a=2"]), ("a=1;  ", ["a=1"]), ("a=1 ;", ["a=1"]), ("a= ; ;", ["a= "]),
    ("b=; a= 1  =; c=\t; ", ["b=", "a= 1  =", "c=\t"]), (" \t; a = b", ["a = b"]), ("=; =x; y=", ["y="]),
    ("a b=c d", ["a b=c d"]),
  ])
  func knownAnswers(value: String, expected: [String]) {
    #expect(parse(Array(value.utf8)).map(\.description) == expected)
  }

  @Test func roundTrip() {
    var random = BodyRandom()
    let letters = Array("abcXYZ019%!.\"=".utf8)
    for _ in 0..<500 {
      let pairs = (0..<random.below(6)).map { _ in
        (
          [UInt8(ascii: "n")] + (0..<random.below(5)).map { _ in letters[random.below(13)] },
          (0..<random.below(9)).map { _ in letters[random.below(14)] }
        )
      }
      let value = pairs.map { $0.0 + [UInt8(ascii: "=")] + $0.1 }.joined(separator: Array("; ".utf8))
      #expect(
        parse(Array(value)) == pairs.map { TextPair(latin1($0.0), latin1($0.1)) }, "\(random.comment)")
    }
  }

  @Test func cookiesFuzz() {
    var random = BodyRandom()
    let rounds = fuzzing {
      let bytes = random.mutate(Array("a=1; b=2;c;=d; e=\"f\"".utf8), with: Array("=; \t\"a".utf8))
      let found = parse(bytes)
      #expect(found.reduce(0) { $0 + $1.name.count + $1.value.count } <= bytes.count, "\(random.comment)")
      #expect(found.allSatisfy { !$0.name.isEmpty }, "\(random.comment)")
    }
    #expect(rounds > 0)
  }
}
