// Multipart bodies: known answers from libmodsecurity 3.0.9, departures from it, limits, round trips, hostile input.

import Firewall
import Foundation
import Testing

@Suite struct MultipartBodyTests {
  struct Found {
    var pairs: [TextPair]
    var files: [(name: String, fileName: String, content: String)]
    var partHeaders: [TextPair]
    var names: [String]
    var fileNames: [String]
    var flags: MultipartFlags
    var error: String?
    var limitReached: Bool
  }

  private func parse(
    _ body: String, _ contentType: String = "multipart/form-data; boundary=0000",
    limits: BodyLimits = BodyLimits()
  ) -> Found {
    let held = HeldBytes(latin1Bytes(body))
    let type = HeldBytes(latin1Bytes(contentType))
    let arena = Arena()
    var content = BodyContent()
    MultipartBody.parse(held.view, contentType: type.view, limits: limits, arena: arena, into: &content)
    return Found(
      pairs: content.pairs,
      files: content.files.map { (latin1($0.name), latin1($0.fileName), latin1($0.content)) },
      partHeaders: content.partHeaders.map(TextPair.init), names: content.partNames.map { latin1($0) },
      fileNames: content.partFileNames.map { latin1($0) }, flags: content.multipart ?? MultipartFlags(),
      error: content.error, limitReached: content.limitReached)
  }

  private func part(_ headers: String, _ value: String) -> String {
    "--0000\r\n\(headers)\r\n\r\n\(value)\r\n"
  }
  private let field = "Content-Disposition: form-data; name=\"a\""
  private let file = "Content-Disposition: form-data; name=\"f\"; filename=\"x.txt\""
  private let end = "--0000--\r\n"

  private func names(of flags: MultipartFlags, error: String?) -> [String] {
    var names: [String] = []
    func add(_ name: String, _ isSet: Bool) { if isSet { names.append(name) } }
    add("ERR", error != nil)
    add("STRICT", flags.strictError)
    add("BQ", flags.boundaryQuoted)
    add("BW", flags.boundaryWhitespace)
    add("DB", flags.dataBefore)
    add("DA", flags.dataAfter)
    add("HF", flags.headerFolding)
    add("LF", flags.lfLine)
    add("CRLF_LF", flags.crlfLFLines)
    add("MS", flags.missingSemicolon)
    add("IQ", flags.invalidQuoting)
    add("IP", flags.invalidPart)
    add("IHF", flags.invalidHeaderFolding)
    add("UB\(flags.unmatchedBoundary)", flags.unmatchedBoundary != 0)
    return names.sorted()
  }

  @Test func whatLibmodsecurityMakesOfThem() {
    func decode(_ text: String) -> String {
      var text = text.replacingOccurrences(of: "{D}", with: "Content-Disposition: form-data")
        .replacingOccurrences(of: "~", with: "\r\n")
      while let range = text.range(of: #"\\[0-9a-f]{2}"#, options: .regularExpression) {
        let byte = UInt8(text[range].dropFirst(), radix: 16) ?? 0
        // A backslash that is meant comes back from a place apart, so that it isn't read twice.
        text.replaceSubrange(range, with: byte == 0x5C ? "\u{F000}" : latin1([byte]))
      }
      return text.replacingOccurrences(of: "\u{F000}", with: "\\")
    }
    let lines = MultipartCases.observed.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count == 225)
    for line in lines {
      let parts = (line + " ").components(separatedBy: " | ")
      guard parts.count == 4 else {
        Issue.record("not a case: \(line)")
        continue
      }
      let type = parts[0].isEmpty ? "; boundary=0000" : decode(parts[0])
      let found = parse(decode(parts[1]), "multipart/form-data" + type)
      #expect(
        names(of: found.flags, error: found.error) == parts[2].split(separator: " ").map(String.init),
        "\(line)")
      guard found.error == nil else { continue }
      let values = (found.pairs.map(\.description) + found.files.map { "file \($0.name)=\($0.fileName)" })
        .sorted()
      #expect(
        values.joined(separator: " ") == decode(parts[3].trimmingCharacters(in: .whitespaces)), "\(line)")
    }
  }

  @Test func fieldsKeepTheirLineEnds() {
    #expect(parse(part(field, "1\r\n2\n\r\n") + end).pairs == [TextPair("a", "1\r\n2\n\r\n")])
  }

  @Test func filesAndHeaders() {
    let found = parse(
      part(field, "1") + part(file + "\r\nContent-Type: text/plain", "data\r\nmore\r\n\r\nend") + end)
    #expect(found.pairs == [TextPair("a", "1")])
    #expect(found.files.count == 1)
    #expect(found.files.first?.content == "data\r\nmore\r\n\r\nend")
    #expect(
      found.partHeaders == [
        TextPair("a", field), TextPair("f", file), TextPair("f", "Content-Type: text/plain"),
      ])
    #expect(found.names == ["a", "f"] && found.fileNames == ["x.txt"])
    #expect(!found.flags.strictError && found.flags.unmatchedBoundary == 2)
  }

  @Test func foldedHeadersAreJoined() {
    let found = parse(part(field + ";\r\n filename=\"q\"\r\nX: a\r\n b\r\n\tc", "v") + end)
    #expect(found.files.map(\.fileName) == ["q"])
    #expect(found.partHeaders.map(\.value) == [field + "; filename=\"q\"", "X: a b c"])
    #expect(found.flags.headerFolding && !found.flags.invalidHeaderFolding)
  }

  @Test func boundaryMustBeThere() {
    let found = parse(part(field, "1") + end, "multipart/form-data")
    #expect(found.error == "Multipart parsing error: Multipart: Boundary not found in C-T.")
    #expect(found.flags.strictError && found.pairs.isEmpty)
  }

  @Test func emptyBoundaryIsAnError() {
    for type in ["multipart/form-data; boundary=", "multipart/form-data; boundary=\"\""] {
      let found = parse(part(field, "1") + end, type)
      #expect(found.error == "Multipart parsing error: Multipart: Invalid boundary in C-T (empty).")
      #expect(found.flags.strictError)
    }
  }

  @Test func unclosedQuoteIsAnError() {
    let found = parse(part("Content-Disposition: form-data; name=\"a", "1") + end)
    #expect(found.error?.contains("Invalid Content-Disposition header (-9)") == true)
    #expect(found.names == ["a"])
  }

  @Test(arguments: [
    ("form-data", "missing name field"), ("attachment", "(-1)"), ("form-data, name=\"a\"", "(-2)"),
    ("form-data; ", "(-3)"), ("form-data; name", "(-4)"), ("form-data; name ", "(-5)"),
    ("form-data; name=", "(-6)"),
    ("form-data; name=\"", "(-7)"), ("form-data; name=\"a\\", "(-8)"),
    ("form-data; name=\"a\"; foo=\"f\"", "(-11)"),
    ("form-data; name=\"a\"b", "(-12)"), ("form-data; name x=\"a\"", "(-13)"),
    ("form-data; name=\"a\"; name=\"b\"", "(-14)"), ("form-data; filename=\"a\"; filename=\"b\"", "(-15)"),
    ("form-data; name=\"a\"; filename*=abc", "(-16)"),
    ("form-data; name=\"a\"; filename*=UTF-8'abc", "(-17)"),
    ("form-data; name=\"a\"; filename*=UTF-8''a%2", "(-18)"),
    ("form-data; name=\"a\"; filename*=UTF-8''a b", "(-19)"),
    ("form-data; name=\"a\"; filename*=U''a; filename*=U''b", "(-20)"),
    ("form-data; name=\"a\"; filename*=UTF-8''a", "(-21)"),
    ("form-data; name=\"a\"; filename = \"b\"", "Invalid Content-Disposition header (filename)"),
  ])
  func dispositionsThatAreRefused(value: String, reason: String) {
    let found = parse(part("Content-Disposition: " + value, "1") + end)
    #expect(found.error?.contains(reason) == true)
    #expect(found.pairs.isEmpty && found.flags.invalidPart)
  }

  @Test func whatWasReadBeforeAnErrorIsShown() {
    let cut = parse(part(field, "1") + part("Content-Disposition: form-data; name=\"b\"", "begun"))
    #expect(cut.error == "Multipart parsing error: Multipart: Final boundary missing.")
    #expect(cut.pairs == [TextPair("a", "1"), TextPair("b", "begun")])
  }

  @Test func limits() {
    var limits = BodyLimits()
    limits.fileCount = 1
    let files = parse(part(file, "1") + part(file, "2") + end, limits: limits)
    #expect(
      files.files.count == 1 && files.flags.fileLimitExceeded && files.limitReached && files.error != nil)
    limits.argumentCount = 1
    let fields = parse(part(field, "1") + part(field, "2") + end, limits: limits)
    #expect(fields.pairs.count == 1 && fields.limitReached)
    limits.partHeaderBytes = 100
    let headers = parse(
      part(field + "\r\nX: " + String(repeating: "x", count: 90), "1") + end, limits: limits)
    #expect(headers.limitReached && headers.flags.error)
    let many = parse(part(field + (0..<100).map { "\r\nX\($0): y" }.joined(), "1") + end)
    #expect(many.limitReached && many.flags.error)
    let line = parse(part(field + "\r\nX: " + String(repeating: "x", count: 4092), "1") + end)
    #expect(line.flags.error && line.error?.contains("over 4096 bytes") == true)
  }

  @Test func doubleDashesAreFoundAtEveryPlace() {
    // Content of every length around a word and around the step of the search, the boundary behind it.
    for length in 0..<120 {
      let text = String(repeating: "-x", count: length / 2) + (length % 2 == 1 ? "-" : "")
      let found = parse(part(file, text) + end)
      #expect(found.files.first?.content == text && found.flags.unmatchedBoundary == 2)
      let cut = parse(part(file, text + "x--0000y"))
      #expect(cut.flags.unmatchedBoundary == 1)
    }
  }

  @Test func aBoundaryBehindTheFirstPieceOfALineIsPassedOver() {
    let long = String(repeating: "a", count: 4096)
    #expect(parse(part(file, long + "--0000")).flags.unmatchedBoundary == 0)
    #expect(parse(part(file, long.dropLast(6) + "--0000")).flags.unmatchedBoundary == 1)
    #expect(parse(part(file, long.dropLast(5) + "--0000")).flags.unmatchedBoundary == 0)
    #expect(parse(part(file, long + "\n" + long.dropLast(6) + "--0000")).flags.unmatchedBoundary == 1)
  }

  /// A form that was put together comes apart the same.
  @Test func roundTrip() {
    var random = BodyRandom()
    for _ in 0..<300 {
      let boundary = "----B\(random.next())"
      var body: [UInt8] = []
      var expected: [String] = []
      for _ in 0...random.below(6) {
        let name = String((0...random.below(8)).map { _ in "abcXYZ019 %&=+"[random.below(14)] })
        let isFile = random.below(2) == 0
        let content = (0..<random.below(200)).map { _ in
          random.below(3) == 0
            ? UInt8(truncatingIfNeeded: random.next()) : [0x2D, 0x0D, 0x0A, 0x78][random.below(4)]
        }
        body += Array("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"".utf8)
        if isFile { body += Array("; filename=\"\(name).bin\"".utf8) }
        body += Array("\r\n\r\n".utf8) + content + Array("\r\n".utf8)
        expected.append("\(isFile) \(name) \(latin1(content))")
      }
      let found = parse(latin1(body) + "--\(boundary)--\r\n", "multipart/form-data; boundary=\(boundary)")
      let fields = found.pairs.map { "false \($0.name) \($0.value)" }
      let files = found.files.map { "true \($0.name) \($0.content)" }
      #expect((fields + files).sorted() == expected.sorted(), "\(random.comment)")
      #expect(found.error == nil && !found.flags.strictError, "\(random.comment)")
    }
  }

  @Test func multipartFuzz() {
    var random = BodyRandom()
    let seeds = [
      part(field, "1") + part(file + "\r\nContent-Type: text/plain", "data\r\n--x\r\ny--0000") + end,
      part(field + ";\r\n filename=\"q\"", "--\r\n-- 0000\n")
        + part("X: y\r\n" + field, String(repeating: "z", count: 5000)) + end,
      "pre\r\n" + part(file + "; filename*=UTF-8''a%20b", "1\n2") + "--0000--",
    ].map(latin1Bytes)
    let types = ["; boundary=0000", "; boundary=\"0000\"", " boundary= 0000; x=y", "; boundary=0"].map {
      Array(("multipart/form-data" + $0).utf8)
    }
    let alphabet = Array("-0\r\n:;=\"' \t\\a\0".utf8)
    var limits = BodyLimits()
    limits.fileCount = 3
    let rounds = fuzzing {
      let bytes = random.mutate(seeds[random.below(3)], with: alphabet)
      var type = types[random.below(4)]
      if random.below(4) == 0 { type = random.mutate(type, with: alphabet) }
      let held = HeldBytes(bytes)
      let heldType = HeldBytes(type)
      let arena = Arena()
      var content = BodyContent()
      MultipartBody.parse(held.view, contentType: heldType.view, limits: limits, arena: arena, into: &content)
      let mark: Comment = "\(latin1(bytes).debugDescription) \(random.comment)"
      // Names stand again beside every header line of their part.
      #expect(content.readAll() <= 80 * bytes.count, mark)
      #expect(arena.usedBytes <= 2 * bytes.count + type.count + 2, mark)
      #expect(content.errorOffset.map { $0 >= 0 && $0 <= bytes.count } ?? true, mark)
      #expect(content.multipart != nil, mark)
      for argument in content.arguments { #expect(inside(argument.value, held.view), mark) }
      for file in content.files { #expect(inside(file.content, held.view), mark) }
    }
    #expect(rounds > 0)
  }

  private func inside(_ part: ByteView, _ whole: ByteView) -> Bool {
    part.start >= whole.start && part.start + part.count <= whole.start + whole.count
  }
}

extension String {
  fileprivate subscript(index: Int) -> Character { self[self.index(startIndex, offsetBy: index)] }
}
