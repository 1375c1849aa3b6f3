// JSON bodies: known answers, a plain parser beside ours, Foundation's idea of what JSON is, limits, hostile input.

import Firewall
import Foundation
import Testing

@Suite struct JSONBodyTests {
  struct Found {
    var pairs: [TextPair]
    var error: String?
    var errorOffset: Int?
    var limitReached: Bool
  }

  private func parse(_ bytes: [UInt8], limits: BodyLimits = BodyLimits()) -> Found {
    let held = HeldBytes(bytes)
    let arena = Arena()
    var content = BodyContent()
    JSONBody.parse(held.view, limits: limits, arena: arena, into: &content)
    return Found(
      pairs: content.pairs, error: content.error, errorOffset: content.errorOffset,
      limitReached: content.limitReached)
  }

  /// `~xx` is a byte.
  static func unescape(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "~") {
        bytes.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? 0)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return bytes
  }

  @Test func whatLibmodsecurityMakesOfThem() {
    let lines = JSONCases.observed.split(separator: "\n")
    #expect(lines.count == 128)
    for line in lines {
      let parts = (line + " ").components(separatedBy: " | ")
      guard parts.count == 3 else {
        Issue.record("not a case: \(line)")
        continue
      }
      let found = parse(JSONBodyTests.unescape(parts[0]))
      let arguments = parts[1].split(separator: " ").map { latin1(JSONBodyTests.unescape(String($0))) }
      #expect(found.pairs.map(\.description) == arguments, "\(line)")
      let error = parts[2].trimmingCharacters(in: .whitespaces)
      #expect(found.error == (error.isEmpty ? nil : "JSON parsing error: " + error), "\(line)")
      #expect((found.errorOffset != nil) == (found.error != nil), "\(line)")
    }
  }

  @Test func unclosedStringBehindTheTextIsGarbage() {
    #expect(parse(Array("{\"a\":1}\"".utf8)).error == "JSON parsing error: parse error: trailing garbage")
  }

  @Test(arguments: [
    ("{\"a\":01}", 6), ("[1,2", 4), ("{\"a\":\"\\x\"}", 6), ("[\"ab\u{1}\"]", 4), ("{\"a\" 1}", 5),
    ("{\"a\":1} x", 8),
    ("[1,]", 3),
  ])
  func errorsSayWhere(text: String, offset: Int) {
    #expect(parse(Array(text.utf8)).errorOffset == offset)
  }

  @Test func depthIsLimited() {
    var limits = BodyLimits()
    limits.jsonDepth = 3
    #expect(parse(Array("[[[1]]]".utf8), limits: limits).error == nil)
    let over = parse(Array("{\"a\":1,\"b\":[[[5]]],\"c\":1}".utf8), limits: limits)
    #expect(over.pairs == [TextPair("json.a", "1")] && over.limitReached && over.errorOffset == 13)
    let hostile = parse(Array(repeating: UInt8(ascii: "["), count: 1_000_000))
    #expect(hostile.limitReached && hostile.error?.contains("depth limit exceeded") == true)
  }

  @Test func argumentsOverTheLimitAreAnError() {
    var limits = BodyLimits()
    limits.argumentCount = 5
    #expect(parse(Array("[1,2,3,4,5]".utf8), limits: limits).error == nil)
    let over = parse(Array("[1,2,3,4,5,6]".utf8), limits: limits)
    #expect(over.pairs.count == 5 && over.limitReached && over.error != nil)
  }

  @Test func namesAltogetherAreLimited() {
    // A long key above many values: each of their names repeats it.
    let key = String(repeating: "k", count: 100_000)
    let text = "{\"\(key)\":[" + Array(repeating: "1", count: 900).joined(separator: ",") + "]}"
    let found = parse(Array(text.utf8))
    #expect(found.limitReached && found.error != nil)
    #expect(found.pairs.reduce(0) { $0 + $1.name.count } <= 32 * text.utf8.count + 65536)
  }

  @Test func stringsWithoutEscapesAreNotCopied() {
    let held = HeldBytes("{\"a\":\"plain\",\"b\":12}")
    var content = BodyContent()
    JSONBody.parse(held.view, limits: BodyLimits(), arena: Arena(), into: &content)
    #expect(content.arguments[0].value.start == held.view.start + 6)
    #expect(content.arguments[1].value.start == held.view.start + 17)
  }

  /// Every place of a byte that ends a plain run, in runs around the width of a word.
  @Test func specialBytesAreSeenAtEveryPlace() {
    for length in 0..<40 {
      for place in 0..<length {
        var text = [UInt8](repeating: UInt8(ascii: "a"), count: length)
        text[place] = UInt8(ascii: "\u{1F}")
        #expect(parse([0x22] + text + [0x22]).errorOffset == place + 1)
        text[place] = 0xFF
        #expect(parse([0x22] + text + [0x22]).errorOffset == place + 1)
        text[place] = 0x22
        #expect(parse([0x22] + text + [0x22]).error != nil)
        text[place] = 0x7F
        #expect(parse([0x22] + text + [0x22]).error == nil)
      }
    }
  }

  // MARK: Against others

  /// A random document, mostly well-formed.
  private func document(_ random: inout BodyRandom, depth: Int = 0) -> String {
    let strings = [
      "", "a", "key", "x y", "\\n", "\\u0041", "\\ud83d\\ude00", "é", "日本", "\\\"", "\\/",
      "longer than eight",
    ]
    switch random.below(depth > 4 ? 6 : 9) {
    case 0: return "null"
    case 1: return random.below(2) == 0 ? "true" : "false"
    case 2: return ["0", "-1", "12", "1.5", "-0.5e3", "1E+2", "3e-1"][random.below(7)]
    case 3...5: return "\"" + strings[random.below(strings.count)] + "\""
    case 6, 7:
      return "{"
        + (0..<random.below(4)).map { _ in
          "\"" + strings[random.below(strings.count)] + "\"" + (random.below(5) == 0 ? " : " : ":")
            + document(&random, depth: depth + 1)
        }.joined(separator: ",") + "}"
    default:
      return "["
        + (0..<random.below(4)).map { _ in document(&random, depth: depth + 1) }.joined(separator: ", ") + "]"
    }
  }

  /// Whether it has a number too large for a Double, wherever it stands.
  private static func hasNumberOutOfRange(_ bytes: [UInt8]) -> Bool {
    latin1(bytes).split(whereSeparator: { !"0123456789.eE+-".contains($0) }).contains {
      Double($0).map { !$0.isFinite } ?? false
    }
  }

  /// A number is its text: how large it is doesn't matter. Found by `foundationTakesWhatWeTake`, seed facfe2f6d0cd4f11.
  @Test(arguments: ["12121e1212", "-1e999", "1e-999"])
  func numbersOutOfRangeAreTakenAsTheyAre(number: String) {
    let found = parse(Array("[\(number)]".utf8))
    #expect(found.error == nil)
    #expect(found.pairs == [TextPair("json.array_0", number)])
  }

  @Test func foundationTakesWhatWeTake() {
    var random = BodyRandom()
    var taken = 0
    var refused = 0
    for _ in 0..<3000 {
      var bytes = Array(document(&random).utf8)
      if random.below(2) == 0 { bytes = random.mutate(bytes, with: Array("{}[]:,\"1e-.tn ".utf8)) }
      // Here the two differ by intent: forms of UTF-8, surrogates alone, bytes below space, zero bytes.
      guard String(validating: bytes, as: UTF8.self) != nil,
        !bytes.contains(where: { $0 < 0x20 || $0 == 0x7F }),
        !bytes.isEmpty, !latin1(bytes).contains("\\ud"),
        latin1(bytes).allSatisfy({ $0 != "\u{FE}" && $0 != "\u{FF}" })
      else { continue }
      // Foundation takes a comma before a closing bracket.
      guard !latin1(bytes).filter({ $0 != " " }).contains(",]"),
        !latin1(bytes).filter({ $0 != " " }).contains(",}")
      else { continue }
      // Foundation makes a Double of each number and refuses one that is out of its range; we keep the text, as YAJL does.
      guard !Self.hasNumberOutOfRange(bytes) else { continue }
      let theirs = (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil
      let ours = parse(bytes).error == nil
      #expect(ours == theirs, "\(latin1(bytes)) \(random.comment)")
      if ours { taken += 1 } else { refused += 1 }
    }
    #expect(taken > 300 && refused > 300)
  }

  @Test func jsonFuzz() {
    var random = BodyRandom()
    let alphabet = Array("{}[]:,\"\\u0d8e1+-.tfn /\u{1}é".utf8)
    let rounds = fuzzing {
      let bytes = random.mutate(Array(document(&random).utf8), with: alphabet)
      let held = HeldBytes(bytes)
      let arena = Arena()
      var content = BodyContent()
      JSONBody.parse(held.view, limits: BodyLimits(), arena: arena, into: &content)
      let mark: Comment = "\(latin1(bytes)) \(random.comment)"
      #expect(content.readAll() <= 40 * bytes.count + 2 * 65536, mark)
      #expect(content.errorOffset.map { $0 >= 0 && $0 <= bytes.count } ?? (content.error == nil), mark)
      var plain = PlainJSON(bytes)
      let wellFormed = plain.run()
      #expect((content.error == nil) == (wellFormed || bytes.isEmpty), mark)
      if wellFormed { #expect(content.pairs == plain.pairs, mark) }
    }
    #expect(rounds > 0)
  }
}

/// JSON as YAJL has it, the plain way: recursion, one byte at a time.
private struct PlainJSON {
  private let bytes: [UInt8]
  private var at = 0
  private(set) var pairs: [TextPair] = []

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  private var byte: UInt8? { at < bytes.count ? bytes[at] : nil }
  private mutating func skip() { while let byte, [9, 10, 11, 12, 13, 32].contains(byte) { at += 1 } }
  private mutating func take(_ text: String) -> Bool {
    guard bytes[at...].starts(with: Array(text.utf8)) else { return false }
    at += text.utf8.count
    return true
  }

  mutating func run() -> Bool {
    guard value("json", "json") else { return false }
    skip()
    return at == bytes.count
  }

  /// `name` of a value, `prefix` of a container.
  private mutating func value(_ name: String, _ prefix: String) -> Bool {
    skip()
    switch byte {
    case UInt8(ascii: "{"):
      at += 1
      skip()
      if take("}") { return true }
      repeat {
        skip()
        guard var key = string() else { return false }
        if key.isEmpty { key = "empty-key" }
        skip()
        guard take(":"), value(prefix + "." + key, prefix + "." + key) else { return false }
        skip()
      } while take(",")
      return take("}")
    case UInt8(ascii: "["):
      at += 1
      skip()
      if take("]") { return true }
      var index = 0
      repeat {
        guard value(prefix + ".array_\(index)", prefix + ".array_\(index)") else { return false }
        index += 1
        skip()
      } while take(",")
      return take("]")
    case UInt8(ascii: "\""):
      guard let text = string() else { return false }
      pairs.append(TextPair(name, text))
      return true
    default:
      for literal in ["true", "false", "null"] where take(literal) {
        pairs.append(TextPair(name, literal == "null" ? "" : literal))
        return true
      }
      let rest = String(decoding: bytes[at...].prefix { $0 < 0x80 }, as: UTF8.self)
      guard
        let range = rest.range(
          of: "^-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?", options: .regularExpression)
      else { return false }
      // YAJL doesn't step back: a number begun must be ended.
      let after = rest[range.upperBound...].unicodeScalars.first
      if after == "." && !rest[range].contains(where: { ".eE".contains($0) }) { return false }
      if after == "e" || after == "E", !rest[range].contains(where: { "eE".contains($0) }) { return false }
      pairs.append(TextPair(name, String(rest[range])))
      at += rest[range].utf8.count
      return true
    }
  }

  private mutating func string() -> String? {
    guard take("\"") else { return nil }
    var text: [UInt8] = []
    while let byte {
      at += 1
      switch byte {
      case UInt8(ascii: "\""): return latin1(text)
      case UInt8(ascii: "\\"):
        guard let letter = self.byte else { return nil }
        at += 1
        if letter == UInt8(ascii: "u") {
          guard let first = unit() else { return nil }
          if first & 0xFC00 == 0xD800 {
            let before = at
            if take("\\u") {
              guard let second = unit() else { return nil }
              text += utf8(0x10000 + (first & 0x3FF) * 0x400 + second & 0x3FF)
            } else {
              at = before
              text.append(UInt8(ascii: "?"))
            }
          } else {
            text += utf8(first)
          }
        } else if let plain = ["\"": 0x22, "\\": 0x5C, "/": 0x2F, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9][
          latin1([letter])] as UInt8?
        {
          text.append(plain)
        } else {
          return nil
        }
      case 0..<0x20: return nil
      case 0x80...:
        let more = byte & 0xE0 == 0xC0 ? 1 : byte & 0xF0 == 0xE0 ? 2 : byte & 0xF8 == 0xF0 ? 3 : 0
        guard more > 0 else { return nil }
        text.append(byte)
        for _ in 0..<more {
          guard let next = self.byte, next & 0xC0 == 0x80 else { return nil }
          text.append(next)
          at += 1
        }
      default: text.append(byte)
      }
    }
    return nil
  }

  private mutating func unit() -> UInt32? {
    let digits = String(decoding: bytes[at...].prefix(4), as: UTF8.self)
    guard digits.utf8.count == 4, digits.allSatisfy(\.isHexDigit), let unit = UInt32(digits, radix: 16) else {
      return nil
    }
    at += 4
    return unit
  }

  private func utf8(_ scalar: UInt32) -> [UInt8] {
    switch scalar {
    case 0..<0x80: [UInt8(scalar)]
    case 0x80..<0x800: [0xC0 | UInt8(scalar >> 6), 0x80 | UInt8(scalar & 0x3F)]
    case 0x800..<0x10000:
      [0xE0 | UInt8(scalar >> 12), 0x80 | UInt8(scalar >> 6 & 0x3F), 0x80 | UInt8(scalar & 0x3F)]
    default:
      [
        0xF0 | UInt8(scalar >> 18), 0x80 | UInt8(scalar >> 12 & 0x3F), 0x80 | UInt8(scalar >> 6 & 0x3F),
        0x80 | UInt8(scalar & 0x3F),
      ]
    }
  }
}
