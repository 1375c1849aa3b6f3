// Query strings and forms: known answers from libmodsecurity 3.0.9, round trips, hostile input.

import Firewall
import Testing

@Suite struct URLEncodedBodyTests {
  private func parse(
    _ bytes: [UInt8], separator: UInt8 = UInt8(ascii: "&"), limit: Int = 1000
  ) -> (pairs: [TextPair], invalid: Bool, limitReached: Bool) {
    let held = HeldBytes(bytes)
    let arena = Arena()
    var limits = BodyLimits()
    limits.argumentCount = limit
    var content = BodyContent()
    URLEncodedBody.parse(held.view, separator: separator, limits: limits, arena: arena, into: &content)
    return (content.pairs, content.hasInvalidEscape, content.limitReached)
  }

  @Test(arguments: [
    ("a=1&b=2", ["a=1", "b=2"], false), ("a", ["a="], false), ("a=", ["a="], false), ("=a", ["=a"], false),
    ("=", ["="], false), ("", [], false), ("&", ["="], false), ("&&a=1", ["=", "=", "a=1"], false),
    ("a=1&", ["a=1"], false), ("a=1&&", ["a=1", "="], false), ("a=1;b=2", ["a=1;b=2"], false),
    ("a=%41%4&b=%zz%u0041", ["a=A%4", "b=%zz%u0041"], true), ("a=+b%20c", ["a= b c"], false),
    ("a=%00x&b=y", ["a=\0x", "b=y"], false), ("a=1=2==3", ["a=1=2==3"], false), ("%", ["%="], true),
    ("%4", ["%4="], true), ("a=%2", ["a=%2"], true), ("x%3dy=z", ["x=y=z"], false),
    ("a=1&a=2&A=3", ["a=1", "a=2", "A=3"], false), ("a=b\0c&d=e", ["a=b\0c", "d=e"], false),
    (" a = b ", [" a = b "], false), ("a=%2541", ["a=%41"], false),
    ("a=%e3%81%82", ["a=\u{e3}\u{81}\u{82}"], false),
    ("%61%3D=%26", ["a==&"], false),
  ])
  func knownAnswers(text: String, expected: [String], invalid: Bool) {
    let found = parse(latin1Bytes(text))
    #expect(found.pairs.map(\.description) == expected)
    #expect(found.invalid == invalid)
    #expect(!found.limitReached)
  }

  @Test func anotherSeparator() {
    #expect(
      parse(Array("a=1;b=2&c".utf8), separator: UInt8(ascii: ";")).pairs == [
        TextPair("a", "1"), TextPair("b", "2&c"),
      ])
  }

  @Test func argumentsOverTheLimitAreReported() {
    let within = parse(Array("a=1&b=2&c=3".utf8), limit: 3)
    #expect(within.pairs.count == 3 && !within.limitReached)
    let over = parse(Array("a=1&b=2&c=3".utf8), limit: 2)
    #expect(over.pairs == [TextPair("a", "1"), TextPair("b", "2")] && over.limitReached)
  }

  @Test func plainTextIsNotCopied() {
    let held = HeldBytes("name=value&x=%ZZ")
    let arena = Arena()
    var content = BodyContent()
    URLEncodedBody.parse(held.view, limits: BodyLimits(), arena: arena, into: &content)
    #expect(content.arguments[0].name.start == held.view.start)
    #expect(content.arguments[0].value.start == held.view.start + 5)
    #expect(content.arguments[1].value.start == held.view.start + 13)
  }

  @Test func clearingForgetsTheBodyBefore() {
    let held = HeldBytes("a=%4")
    var content = BodyContent()
    URLEncodedBody.parse(held.view, limits: BodyLimits(), arena: Arena(), into: &content)
    content.clear()
    #expect(content.arguments.isEmpty && !content.hasInvalidEscape && content.error == nil)
  }

  /// Whatever is encoded comes back.
  @Test func roundTrip() {
    var random = BodyRandom()
    func encode(_ bytes: [UInt8]) -> [UInt8] {
      bytes.flatMap { byte -> [UInt8] in
        switch byte {
        case UInt8(ascii: " ") where random.below(2) == 0: return [UInt8(ascii: "+")]
        case UInt8(ascii: "a")...UInt8(ascii: "z") where random.below(4) > 0: return [byte]
        default:
          let digits = String(byte, radix: 16, uppercase: random.below(2) == 0)
          return Array(("%" + (digits.count < 2 ? "0" : "") + digits).utf8)
        }
      }
    }
    for _ in 0..<500 {
      let pairs = (0..<random.below(8)).map { _ in
        (0..<2).map { _ in (0..<random.below(20)).map { _ in UInt8(truncatingIfNeeded: random.next()) } }
      }
      let text = pairs.map { encode($0[0]) + [UInt8(ascii: "=")] + encode($0[1]) }
        .joined(separator: [UInt8(ascii: "&")])
      let found = parse(Array(text))
      #expect(
        found.pairs == pairs.map { TextPair(latin1($0[0]), latin1($0[1])) } && !found.invalid,
        "\(random.comment)")
    }
  }

  @Test func urlEncodedFuzz() {
    var random = BodyRandom()
    let alphabet = Array("&=%+;41aF\0".utf8)
    let rounds = fuzzing {
      let bytes = random.mutate(Array("a=1&b=%41+c&%zz=x&&=&d".utf8), with: alphabet)
      let held = HeldBytes(bytes)
      let arena = Arena()
      var content = BodyContent()
      URLEncodedBody.parse(held.view, limits: BodyLimits(), arena: arena, into: &content)
      #expect(content.readAll() <= bytes.count && arena.usedBytes <= bytes.count, "\(random.comment)")
      #expect(
        content.arguments.count == pieces(bytes).count, "\(random.comment)")
    }
    #expect(rounds > 0)
  }

  /// The plain way to cut a form.
  private func pieces(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
    var pieces = bytes.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false)
    if pieces.last?.isEmpty == true { pieces.removeLast() }
    return pieces
  }
}
