// What holds for every operator and every value; fast ways against plain ones.

import Foundation
import Testing

@testable import Firewall

struct OperatorFuzzTests {
  /// Whatever comes, the answer is an answer, and what is left behind lies in the value or the arena.
  @Test func operatorsTakeAnyValueFuzz() throws {
    var random = SeededGenerator.forTest("operatorsTakeAnyValueFuzz")
    let arguments = [
      "beginsWith": "ab", "contains": "ab", "containsWord": "ab", "endsWith": "ab", "eq": "5", "ge": "5",
      "gt": "5",
      "ipMatch": "10.0.0.0/8,::/0", "le": "5", "lt": "5", "pm": "ab cd |00|", "rx": "(a)|(b)+?|[^c]{3}",
      "rxGlobal": "a*(b)?", "streq": "ab", "strmatch": "ab", "validateByteRange": "32-126",
      "verifyCC": "[0-9 -]+",
      "verifyCPF": "[0-9.]+", "verifySSN": "[0-9-]+", "verifySVNR": "[0-9 ]+", "within": "abcdef",
    ]
    let context = OperatorContext { _ in [UInt8]("10.0.0.1\n::1\n".utf8) }
    let made = try Operators.all.compactMap { definition -> (String, any Operator)? in
      guard
        !["fuzzyHash", "gsbLookup", "inspectFile", "rsub", "validateDTD", "validateHash", "validateSchema"]
          .contains(definition.name)
      else { return nil }
      return (definition.name, try definition.make([UInt8]((arguments[definition.name] ?? "").utf8), context))
    }
    #expect(made.count == 31)
    let scratch = OperatorScratch(arena: Arena())
    repeatFuzzing { _ in
      let alphabet = [
        "a", "b", "c", " ", "%", "%4", "0", "5", "-", ".", ":", "1.2", "::", "'", "=", "<", "or", "é",
      ]
      withView(random.value(most: 80, alphabet: alphabet)) { value in
        for (name, made) in made {
          scratch.clear(for: value)
          let matched = made.matches(value, scratch)
          #expect(scratch.offset >= 0 && scratch.length >= 0, "\(name)")
          #expect(scratch.offset + scratch.length <= value.count, "\(name) of \(value.array)")
          #expect(matched || scratch.captures.isEmpty, "\(name) captures without a match")
          #expect(scratch.captures.count <= 10, "\(name)")
        }
      }
      scratch.arena.reset()
    }
    #expect(!scratch.limitExceeded)
  }

  @Test func phrasesAgainstPlainSearchFuzz() {
    var random = SeededGenerator.forTest("phrasesAgainstPlainSearchFuzz")
    func lower(_ bytes: some Sequence<UInt8>) -> [UInt8] { bytes.map { $0 >= 65 && $0 <= 90 ? $0 + 32 : $0 } }
    repeatFuzzing { round in
      let alphabet = round % 2 == 0 ? ["a", "B"] : ["a", "b", "A", "C", "Z", "z", "\u{0}", "é"]
      let phrases = (0..<(1 + random.below(12))).map { _ in random.value(most: 5, alphabet: alphabet) }
        .filter { !$0.isEmpty }
      guard let table = AhoCorasick(phrases) else {
        Issue.record("no table of \(phrases)")
        return
      }
      for _ in 0..<10 {
        let bytes = random.value(most: 40, alphabet: alphabet)
        let text = lower(bytes)
        // The end that comes first; the longest phrase there.
        var expected: Range<Int>?
        search: for end in 0..<text.count {
          let lengths = phrases.filter {
            $0.count <= end + 1 && lower($0) == Array(text[(end + 1 - $0.count)...end])
          }
          guard let longest = lengths.map(\.count).max() else { continue }
          expected = end + 1 - longest..<end + 1
          break search
        }
        withView(bytes) { value in
          #expect(table.firstMatch(in: value) == expected, "\(phrases) in \(bytes)")
        }
      }
    }
  }

  /// All bytes in use, none shared.
  @Test func phrasesOfAllBytes() throws {
    let phrases = (0...255).map { [UInt8($0)] }
    let table = try #require(AhoCorasick(phrases))
    for byte in phrases { withView(byte) { #expect(table.firstMatch(in: $0) == 0..<1) } }
    let one = try #require(AhoCorasick([[0x00]]))
    for byte in phrases { withView(byte) { #expect(one.firstMatch(in: $0) == (byte == [0] ? 0..<1 : nil)) } }
    #expect(AhoCorasick([])?.firstMatch(in: ByteView("abc")) == nil)
  }

  /// The address as the system reads it.
  private static func system(_ text: String) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 16)
    if text.utf8.contains(UInt8(ascii: ":")) { return inet_pton(AF_INET6, text, &bytes) == 1 ? bytes : nil }
    return inet_pton(AF_INET, text, &bytes) == 1 ? Array(bytes.prefix(4)) : nil
  }

  private static func bytes(_ address: IPAddress) -> [UInt8] {
    let all = [address.high, address.low].flatMap { half in
      withUnsafeBytes(of: half.bigEndian) { Array($0) }
    }
    return address.isIPv6 ? all : Array(all.suffix(4))
  }

  @Test func addressesAreReadAsTheSystemDoesFuzz() {
    var random = SeededGenerator.forTest("addressesAreReadAsTheSystemDoesFuzz")
    let pieces = [
      "1", "0", "25", "255", "256", ".", ".", ":", ":", "::", "ffff", "1.2.3.4", "a", "G", "00", "01", "%",
      " ",
    ]
    var read = 0
    repeatFuzzing(rounds: 50) { _ in
      // Half of them whole addresses with something changed.
      var parts = (0..<(1 + random.below(12))).map { _ in random.pick(pieces) }
      if random.below(2) == 0 {
        let groups = (0..<8).map { _ in String(random.below(65536), radix: 16) }
        parts = [groups.joined(separator: ":")]
        if random.below(3) == 0 {
          parts = [groups[..<random.below(8)].joined(separator: ":"), "::", groups[7]]
        }
        if random.below(3) == 0 { parts.append(random.pick(pieces)) }
      }
      let text = parts.joined()
      let mine = withView([UInt8](text.utf8)) { IPAddress($0) }
      if mine != nil { read += 1 }
      #expect(mine.map(Self.bytes) == Self.system(text), "\(text)")
    }
    #expect(read > 0)
  }

  @Test func networksAgainstBitByBitFuzz() throws {
    var random = SeededGenerator.forTest("networksAgainstBitByBitFuzz")
    try repeatFuzzing { _ in
      let isIPv6 = random.below(2) == 0
      let width = isIPv6 ? 128 : 32
      let network = (0..<(width / 8)).map { _ in UInt8(random.below(256)) }
      let prefix = random.below(width + 1)
      // An address that shares the first bits, about as many as it must.
      var address = network
      let flipped = random.below(width)
      if random.below(3) > 0 { address[flipped / 8] ^= 0x80 >> UInt8(flipped % 8) }
      func text(_ bytes: [UInt8]) -> String {
        guard isIPv6 else { return bytes.map { String($0) }.joined(separator: ".") }
        return stride(from: 0, to: 16, by: 2).map {
          String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16)
        }.joined(separator: ":")
      }
      let expected = (0..<prefix).allSatisfy { bit in
        (network[bit / 8] ^ address[bit / 8]) & (0x80 >> UInt8(bit % 8)) == 0
      }
      let argument = "203.0.113.7,\(text(network))/\(prefix)"
      let made = try IpMatch(argument: [UInt8](argument.utf8))
      let scratch = OperatorScratch(arena: Arena())
      withView([UInt8](text(address).utf8)) { value in
        #expect(made.matches(value, scratch) == expected, "\(argument) on \(text(address))")
      }
    }
  }

  /// What the gates keep from libinjection is nothing that it would have found.
  @Test func gatesLoseNoInjectionFuzz() {
    var random = SeededGenerator.forTest("gatesLoseNoInjectionFuzz")
    let scratch = OperatorScratch(arena: Arena())
    let words = [
      "union", "select", "or", "and", "1", "0x", "0x41", "1e", "e5", "0b1", "null", "true", "like", "in",
      "is", "not",
      "N", "U", "x", "sleep", "exec", "_utf8", "mod", "div", "between", "having", "a", "_", "declare",
      "binary", "x41",
    ]
    let marks = [
      "on", "onload", "style", "href", "javascript:", "xmlns", "`", "'", "\"", ">", "/", " ", "\t", "!--",
      "?", "%",
      "[if", "import", "script", "svg", "\0", "-", ":", ";", "(", ")", "data:", "!", "]]>", "xml", "&#",
    ]
    var sqlFound = 0
    var xssFound = 0
    repeatFuzzing(seconds: 2, rounds: 200) { round in
      let isWords = round % 4 < 2
      var bytes = random.value(most: 60, alphabet: isWords ? words : words + marks)
      if isWords {
        bytes = bytes.filter { $0 == 0x5F || (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) }
      }
      if round % 4 == 2 { bytes = bytes.filter { $0 != 0x3C && $0 != 0x3D } }
      if round % 4 == 3 {
        bytes += Array(["' or '1'='1", "<script>", "=javascript:x", " onload=x"][random.below(4)].utf8)
      }
      withView(bytes) { value in
        scratch.clear(for: value)
        let fingerprint = DetectSQLi.fingerprint(value)
        let isSQL = DetectSQLi().matches(value, scratch)
        #expect(isSQL == (fingerprint != 0), "\(value.text)")
        if isSQL {
          sqlFound += 1
          #expect(scratch.captures.count == 1 && (1...7).contains(scratch.captures[0].count))
        }
        scratch.clear(for: value)
        let isScript = DetectXSS().matches(value, scratch)
        #expect(isScript == DetectXSS.isInjection(value), "\(value.text)")
        if isScript { xssFound += 1 }
      }
      scratch.arena.reset()
    }
    // The comparison has seen both answers.
    #expect(sqlFound > 0 && xssFound > 0)
  }

  /// Every single word and pair of words that libinjection knows by itself is harmless, number before it or not.
  @Test func wordsAloneAreNoInjection() {
    let words = [
      "", "0", "1", "0x1", "0b1", "1e1", "1e", "x", "n", "u", "e", "b", "union", "select", "or", "and",
      "exec",
    ]
    for first in words {
      for second in words {
        for third in words {
          withView([UInt8]((first + second + third).utf8)) { value in
            #expect(DetectSQLi.fingerprint(value) == 0, "\(value.text)")
          }
        }
      }
    }
  }
}
