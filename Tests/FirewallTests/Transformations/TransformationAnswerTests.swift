// Known answers of each transformation, from the reference manual, the standards and libmodsecurity 3.0.9; they need no
// data from outside.

import Testing

@testable import Firewall

struct TransformationAnswerTests {
  struct Answer: Sendable, CustomTestStringConvertible {
    let name: String
    let input: String
    let output: [UInt8]
    var testDescription: String { "\(name) of \(input.debugDescription)" }

    init(_ name: String, _ input: String, _ output: String) {
      self.init(name, input, [UInt8](output.utf8))
    }

    init(_ name: String, _ input: String, _ output: [UInt8]) {
      self.name = name
      self.input = input
      self.output = output
    }
  }

  static let answers: [Answer] = [
    Answer("base64Decode", "VGVz\r\ndA==", "Test"), Answer("base64Decode", "VGVzdA", "Tes"),
    Answer("base64Decode", "VG Vz", ""), Answer("base64Decode", "VGVz!A==", ""),
    Answer("base64Decode", "=", ""),
    Answer("base64DecodeExt", "V.G-V z", "Tes"), Answer("base64DecodeExt", "V=GVz", ""),
    Answer("base64Encode", "Tes", "VGVz"), Answer("base64Encode", "Test", "VGVzdA=="),
    Answer("base64Encode", "", ""),
    Answer("cmdLine", "C^M\\D, ;/c \"D'IR (x", "cmd/c dir(x"), Answer("cmdLine", "a b", "a b"),
    Answer("compressWhitespace", " \t a \u{0B}\r\n b\u{0C}", " a b "),
    Answer("cssDecode", #"ja\0076 ascript"#, "javascript"), Answer("cssDecode", #"\ff21 x\FF5e"#, "Ax~"),
    Answer("cssDecode", "a\\\nb\\", "ab"), Answer("cssDecode", "a\\\0b", "a\0b"),
    Answer("escapeSeqDecode", #"\x41\101\n\q\777\"#, [0x41, 0x41, 0x0A, 0x71, 0xFF, 0x5C]),
    Answer("hexDecode", "414", "A"), Answer("hexDecode", "0z", "#"), Answer("hexEncode", "A\n~", "410a7e"),
    Answer(
      "htmlEntityDecode", "&#65&#x42;&QUOT;&nbsp;&bogus;&", [0x41, 0x42, 0x22, 0xA0] + Array("&bogus;&".utf8)),
    Answer("htmlEntityDecode", "&#99999999999999999999;&#x;&#;", [0xFF] + Array("&#x;&#;".utf8)),
    Answer("jsDecode", #"\u0041\uff22\x43\104\n\8\400\"#, "ABCD\n8 0\\"),
    Answer("jsDecode", #"\u00\x4"#, "u00x4"),
    Answer("length", "", "0"), Answer("length", String(repeating: "é", count: 60), "120"),
    Answer("lowercase", "AZaz[É", "azaz[É"), Answer("uppercase", "AZaz{é", "AZAZ{é"),
    Answer("normalizePath", "/a/./b/../../c//d/", "/c/d/"), Answer("normalizePath", "a/../../b", "../b"),
    Answer("normalizePath", "/../../etc/passwd", "/etc/passwd"),
    Answer("normalizePath", "/etc/passwd..", "/etc/passwd.."),
    Answer("normalizePath", "./", ""), Answer("normalizePath", "/a/..", ""),
    Answer("normalizePath", "a/..", ""),
    Answer("normalizePathWin", #"C:\a\..\b\\c"#, "C:/b/c"), Answer("normalizePathWin", #"\\\"#, "/"),
    Answer("parityEven7bit", "CA", [0xC3, 0x41]), Answer("parityOdd7bit", "CA", [0x43, 0xC1]),
    Answer("parityZero7bit", "é", [0x43, 0x29]),
    Answer("phpArgsNames", " a.b[c][ ].x", "a_b[c][]"), Answer("phpArgsNames", "=a", ""),
    Answer("removeComments", "a/*b*/c<!--d-->e--f", "ace"), Answer("removeComments", "a#b", "a"),
    Answer("removeComments", "a/*b", "a "), Answer("removeComments", "a/*b*/", "a\0"),
    Answer("removeComments", "/**//**/x", "/**/x"),
    Answer("removeCommentsChar", "a/*b*/c<!--d-->e--f#g", "abcdefg"),
    Answer("removeNulls", "\0a\0\0b\0", "ab"), Answer("replaceNulls", "a\0b", "a b"),
    Answer("removeWhitespace", " a\u{A0}b\tc ", "abc"),
    Answer("replaceComments", "a/*b*/c/*d", "a c "), Answer("replaceComments", "a*/b", "a*/b"),
    Answer("sqlHexDecode", "0x4142 0X430x0", "AB C0x0"), Answer("sqlHexDecode", "abc", "abc"),
    Answer("trim", " \ta b\n", "a b"), Answer("trimLeft", " a ", "a "), Answer("trimRight", " a ", " a"),
    Answer("trim", " \n", ""),
    Answer("urlDecode", "a%20b+c%zz%4", "a b c%zz%4"), Answer("urlDecode", "%u0041", "%u0041"),
    Answer("urlDecodeUni", "%u0041%uff22%u1243%uzzzz%u+%44", "ABC%uzzzz%u D"),
    Answer("urlDecodeUni", "%u12f", "%u12f"), Answer("urlEncode", "a b*é~", "a+b*%c3%a9%7e"),
    Answer("utf8toUnicode", "aé日🎌\0", "a%u00e9%u65e5%u1f38c"),
  ]

  @Test(arguments: answers)
  func answersAreKnown(_ answer: Answer) throws {
    let transformation = try #require(Transformations.named(answer.name))
    let arena = Arena()
    withView([UInt8](answer.input.utf8)) { value in
      #expect(transformation.apply(value, arena).array == answer.output)
    }
  }

  @Test func everyTransformationHasAnAnswer() {
    let missing = Set(Transformations.all.map(\.name)).subtracting(Self.answers.map(\.name))
    #expect(missing.subtracting(["md5", "sha1"]).isEmpty)
    #expect(Transformations.all.count == 36)
  }

  @Test func utf8ThatIsWrong() throws {
    let transformation = Transformation.utf8toUnicode
    let arena = Arena()
    for (input, output) in [
      ([0xC3], ""), ([0x80], "\u{80}"), ([0xE3, 0x81, 0x41], "\u{81}A"), ([0xC1, 0x81], "%u0041\u{C1}"),
      ([0xED, 0xA0, 0x80], "%ud800\u{ED}"), ([0xF5, 0x80, 0x80, 0x80], "\u{F5}%u140000"), ([0xFF], "\u{FF}"),
    ] as [([UInt8], String)] {
      withView(input) { value in
        let expected = output.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
        #expect(transformation.apply(value, arena).array == expected, "\(input)")
      }
    }
  }

  // RFC 1321, A.5; RFC 3174, 7.3; lengths around the padding's limits.
  @Test(arguments: [
    ("md5", "", "d41d8cd98f00b204e9800998ecf8427e"), ("md5", "abc", "900150983cd24fb0d6963f7d28e17f72"),
    (
      "md5", "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
      "57edf4a22be3c955ac49da2e2107b67a"
    ),
    ("sha1", "", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    ("sha1", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    (
      "sha1", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
    ),
    (
      "sha1", "0123456701234567012345670123456701234567012345670123456701234567",
      "e0c094e867ef46c350ef54a7f59dd60bed92ae83"
    ),
  ])
  func digestsAreTheirStandards(name: String, input: String, digest: String) throws {
    let arena = Arena()
    let transformation = try #require(Transformations.named(name))
    withView([UInt8](input.utf8)) { value in
      #expect(Transformation.hexEncode.apply(transformation.apply(value, arena), arena).text == digest)
    }
  }

  @Test func namesAreFoundInAnyCase() {
    #expect(Transformations.named("NORMALISEPATH")?.name == "normalizePath")
    #expect(Transformations.named("normalisePathWin")?.name == "normalizePathWin")
    #expect(Transformations.named("UrlDecodeUni")?.name == "urlDecodeUni")
    #expect(Transformations.named("cmd_line") == nil)
    #expect(Transformations.named("none") == nil)
  }

  @Test func unicodeMapDecides() throws {
    let file = """
      1250  (ANSI)
      00c0:61

      20127 (US-ASCII)
      00c0:41 00a0:20 ff01:21 zz:1 0100:141

      28591 (Latin)
      00c1:41
      """
    let map = try #require(UnicodeMap(file: [UInt8](file.utf8), codePage: 20127))
    let carriageReturns = [UInt8](file.replacing("\n", with: "\r\n").utf8)
    #expect(UnicodeMap(file: carriageReturns, codePage: 20127)?[0xC0] == 0x41)
    let arena = Arena()
    withView([UInt8]("%u00c0%u00c1%uff01%u00A0%uff22%u0100".utf8)) { value in
      // What the map doesn't know stays its low byte, full-width forms made ASCII.
      let decoded = Transformation.urlDecodeUni(map).apply(value, arena).array
      #expect(decoded == [0x41, 0xC1, 0x21, 0x20, 0x42, 0x00])
    }
    #expect(UnicodeMap(file: [UInt8](file.utf8), codePage: 1251) == nil)
  }
}
