// Known answers of each operator, from the reference manual, the standards and libmodsecurity 3.0.9; they need no data
// from outside.

import Testing

@testable import Firewall

struct OperatorAnswerTests {
  struct Answer: Sendable, CustomTestStringConvertible {
    let name: String
    let argument: String
    let value: String
    /// The part that matched; nil for no match.
    let part: Range<Int>?
    let captures: [String]
    var testDescription: String { "\(name) \(argument.debugDescription) on \(value.debugDescription)" }

    init(_ name: String, _ argument: String, _ value: String, _ part: Range<Int>?, _ captures: [String] = [])
    {
      self.name = name
      self.argument = argument
      self.value = value
      self.part = part
      self.captures = captures
    }
  }

  static let context = OperatorContext { path in
    struct Missing: Error {}
    guard path == "list" else { throw Missing() }
    return [UInt8]("# comment\r\n\n  # another\nabc\r\nwith space\n192.0.2.0/24\n".utf8)
  }

  static let answers: [Answer] = [
    Answer("beginsWith", "ab", "abc", 0..<2), Answer("beginsWith", "Ab", "abc", nil),
    Answer("contains", "bc", "abcbc", 1..<3), Answer("contains", "x", "abc", nil),
    Answer("containsWord", "bc", "abc 1bc2", 5..<7), Answer("containsWord", "bc", "abcd bcd", nil),
    Answer("detectSQLi", "", "1' or '1'='1", 0..<12, ["s&sos"]), Answer("detectSQLi", "", "select", nil),
    Answer("detectXSS", "", "<script>", 0..<8, ["<script>"]), Answer("detectXSS", "", "a=1", nil),
    Answer("endsWith", "bc", "abc", 1..<3), Answer("endsWith", "abc", "bc", nil),
    Answer("eq", " 5x", "+5", 0..<2), Answer("eq", "", "", 0..<0), Answer("eq", "0", "4294967296", nil),
    Answer("ge", "9223372036854775807", "99999999999999999999", 0..<20), Answer("ge", "1", "0", nil),
    Answer("gt", "-2", "-1", 0..<2), Answer("gt", "5", "5", nil), Answer("le", "5", "5", 0..<1),
    Answer("le", "5", "6", nil), Answer("lt", "5", "-99999999999999999999", 0..<21),
    Answer("lt", "5", "5", nil),
    Answer("geoLookup", "", "192.0.2.1", nil), Answer("rbl", "example.org", "192.0.2.1", nil),
    Answer("ipMatch", "192.0.2.0/24, 2001:db8::/32", "2001:db8:ff::1", 0..<14),
    Answer("ipMatch", "192.0.2.0/24", "192.0.3.0", nil),
    Answer("ipMatch", "::ffff:192.0.2.1", "192.0.2.1", nil),
    Answer("ipMatch", "192.0.2.1", " 192.0.2.1", nil),
    Answer("noMatch", "", "a", nil), Answer("unconditionalMatch", "", "a", 0..<1),
    Answer("pm", "def ABC", "xaBcdef", 1..<4, ["aBc"]), Answer("pm", "abcd bc", "abce", 1..<3, ["bc"]),
    Answer("pm", "bc abc", "xabc", 1..<4, ["abc"]), Answer("pm", "a|42 43|d é", "xABCD", 1..<5, ["ABCD"]),
    Answer("pm", "é", "café", 3..<5, ["é"]), Answer("pm", #"a\;b"#, "a;b", 0..<3, ["a;b"]),
    Answer("pm", #"a\x"#, #"a\x"#, 0..<3, [#"a\x"#]), Answer("pm", "x", "x", 0..<1, ["x"]),
    Answer("pm", "", "x", nil),
    Answer("rx", "b(c)?(d)", "abd", 1..<3, ["bd", "", "d"]), Answer("rx", "", "abc", 0..<3),
    Answer("rx", "a.b", "a\nb", 0..<3, ["a\nb"]), Answer("rx", "^b$", "a\nb\nc", 2..<3, ["b"]),
    Answer("rx", "(?i)AB", "xab", 1..<3, ["ab"]), Answer("rx", "x", "abc", nil),
    Answer(
      "rx", "(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)", "abcdefghijkl", 0..<11,
      ["abcdefghijk", "a", "b", "c", "d", "e", "f", "g", "h", "i"]),
    Answer("rxGlobal", "[a-z](\\d)", "a1-b2", 0..<2, ["a1", "1", "b2", "2"]),
    Answer("rxGlobal", "x", "abc", nil),
    Answer("streq", "abc", "abc", 0..<3), Answer("streq", "abc", "abcd", nil),
    Answer("strmatch", "bc", "abc", 1..<3), Answer("strmatch", "x", "abc", nil),
    Answer("validateByteRange", "97-99, 10", "a\nbd", 3..<4), Answer("validateByteRange", "0-255", "é", nil),
    Answer("validateByteRange", "", "a", 0..<1),
    Answer("validateUrlEncoding", "", "a%20%2", 4..<6), Answer("validateUrlEncoding", "", "%41", nil),
    Answer("validateUtf8Encoding", "", "日本🎌", nil),
    Answer(
      "verifyCC", "\\b\\d{13,16}\\b", "no 4111111111111112, 4111111111111111", 21..<37, ["4111111111111111"]),
    Answer("verifyCC", "\\b\\d{13,16}\\b", "4111111111111112", nil),
    Answer("verifyCPF", "[0-9.-]+", "529.982.247-25", 0..<14, ["529.982.247-25"]),
    Answer("verifyCPF", "[0-9.-]+", "111.111.111-11", nil),
    Answer("verifySSN", "\\d{3}-\\d{2}-\\d{4}", "x 574-57-8065", 2..<13, ["574-57-8065"]),
    Answer("verifySSN", "\\d{3}-\\d{2}-\\d{4}", "666-57-8065", nil),
    Answer("verifySVNR", "\\d{10}", "1237010180", 0..<10, ["1237010180"]),
    Answer("verifySVNR", "\\d{10}", "1234567890", nil),
    Answer("within", "GET HEAD", "HEAD", 0..<4), Answer("within", "GET HEAD", "POST", nil),
    Answer("pmFromFile", "list", "a WITH SPACE", 2..<12, ["WITH SPACE"]),
    Answer("pmf", "list", "# comment", nil),
    Answer("ipMatchFromFile", "addresses", "192.0.2.7", 0..<9),
  ]

  @Test(arguments: answers)
  func answersAreKnown(_ answer: Answer) throws {
    let definition = try #require(Operators.named(answer.name))
    let context = OperatorContext { path in
      path == "addresses" ? [UInt8]("192.0.2.0/24 # a comment\n\n::1".utf8) : try Self.context.file(path)
    }
    let made = try definition.make([UInt8](answer.argument.utf8), context)
    let scratch = OperatorScratch(arena: Arena())
    withView([UInt8](answer.value.utf8)) { value in
      scratch.clear(for: value)
      #expect(made.matches(value, scratch) == (answer.part != nil))
      guard let part = answer.part else { return }
      #expect(scratch.offset == part.lowerBound && scratch.length == part.count)
      #expect(scratch.captures.map(\.text) == answer.captures)
    }
  }

  @Test func everyOperatorHasAnAnswer() {
    let missing = Set(Operators.all.map(\.name)).subtracting(Self.answers.map(\.name))
    #expect(
      missing == [
        "fuzzyHash", "gsbLookup", "inspectFile", "rsub", "validateDTD", "validateHash", "validateSchema",
      ])
    for name in missing {
      #expect(throws: OperatorFault.self) { try Operators.named(name)?.make([], Self.context) }
    }
  }

  @Test(arguments: [
    ("rx", "a(b"), ("rx", "(*UTF)a"), ("rxGlobal", "["), ("verifyCC", "\\"), ("ipMatch", "192.0.2.256"),
    ("ipMatch", "192.0.2.0/33"), ("ipMatch", "::1/129"), ("ipMatch", "192.0.2.1/"), ("ipMatch", "1.2.3"),
    ("validateByteRange", "256"), ("validateByteRange", "9-5"), ("validateByteRange", "a"),
    ("validateByteRange", "1-"), ("pmFromFile", "nowhere"), ("ipMatchFromFile", "list"),
  ])
  func argumentsThatMeanNothingAreRefused(name: String, argument: String) throws {
    let definition = try #require(Operators.named(name))
    let fault = #expect(throws: OperatorFault.self) {
      try definition.make([UInt8](argument.utf8), Self.context)
    }
    #expect(fault?.found.isEmpty == false && fault?.wanted.isEmpty == false)
  }

  @Test(
    arguments: [
      ([0x80], 0), ([0x61, 0xC3], 1), ([0xC1, 0x81], 0), ([0xE0, 0x80, 0x80], 0), ([0xED, 0xA0, 0x80], 0),
      ([0xF0, 0x80, 0x80, 0x80], 0), ([0xF5, 0x80, 0x80, 0x80], 0), ([0xFF], 0), ([0xE3, 0x81, 0x41], 0),
      ([0x61, 0x62, 0xE3, 0x81], 2),
    ] as [([UInt8], Int)])
  func utf8ThatIsWrongMatches(bytes: [UInt8], at offset: Int) {
    let scratch = OperatorScratch(arena: Arena())
    withView(bytes) { value in
      #expect(ValidateUtf8Encoding().matches(value, scratch))
      #expect(scratch.offset == offset && scratch.length == bytes.count - offset)
    }
  }

  @Test func compilerCanAskForLiteralsAndPatterns() throws {
    let pm = try Pm(argument: [UInt8]("ABC |44|e".utf8))
    #expect((pm as any LiteralSet).literals == [[UInt8]("abc".utf8), [UInt8]("de".utf8)])
    let rx = try #require(Operators.named("RX")).make([UInt8]("a+".utf8), Self.context)
    #expect((rx as? any PatternOperator)?.pattern == [UInt8]("a+".utf8))
  }
}
