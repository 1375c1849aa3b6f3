// What holds for every transformation and every value.

import Testing

@testable import Firewall

struct TransformationFuzzTests {
  /// Pieces that transformations look for.
  static let pieces = [
    "a", "Z", "f", "x", "u", "0", "7", "9", "%", "+", "&", "#", ";", "\\", "/", "*", "-", "--", "-->", "<!--",
    "/*",
    "*/", ".", "..", "/..", "/.", "//", " ", "\t", "\n", "\r", "=", "==", "QUJD", "quot", "&amp", "LT", "&#x",
    "&#",
    "\\u", "\\x", "%u", "%uff", "ff", "(", "\"", "'", "^", ",", "0x", "4142", "é", "日", "🎌", "\0", "[", "]",
  ]

  /// The most bytes that may come of one.
  static func bound(_ transformation: Transformation, _ count: Int) -> Int {
    switch transformation.name {
    case "length", "md5", "sha1": 20
    case "base64Encode": (count + 2) / 3 * 4
    case "hexEncode": count * 2
    case "urlEncode": count * 3
    case "utf8toUnicode": count * 4
    case "removeComments": count + 1
    default: count
    }
  }

  static let idempotent: Set<String> = [
    "cmdLine", "compressWhitespace", "lowercase", "uppercase", "parityZero7bit", "removeNulls",
    "removeWhitespace",
    "replaceComments", "replaceNulls", "trim", "trimLeft", "trimRight",
  ]

  @Test func transformationsKeepTheirPromisesFuzz() throws {
    var random = SeededGenerator.forTest("transformationsKeepTheirPromisesFuzz")
    let arena = Arena()
    repeatFuzzing { _ in
      let alphabet = (0..<(2 + random.below(8))).map { _ in random.pick(Self.pieces) }
      let bytes = random.value(most: 1 << random.below(10), alphabet: alphabet)
      arena.reset()
      withView(bytes) { value in
        for transformation in Transformations.all {
          let name = transformation.name
          let result = transformation.apply(value, arena)
          #expect(value.array == bytes, "\(name) writes into its input")
          #expect(result.count <= Self.bound(transformation, value.count), "\(name) of \(bytes)")
          if transformation.leavesAlone(value.classes) {
            #expect(result == value, "\(name) changes \(bytes), which has none of its triggers")
          }
          if result == value, value.count > 0 {
            #expect(result.start == value.start, "\(name) copies \(bytes), which it doesn't change")
          }
          if Self.idempotent.contains(name) {
            #expect(transformation.apply(result, arena) == result, "\(name) twice, of \(bytes)")
          }
        }
      }
    }
  }

  /// A value of bytes that are no triggers comes back as the very view, and asks for nothing.
  @Test func valuesWithoutTriggersComeBackFuzz() {
    var random = SeededGenerator.forTest("valuesWithoutTriggersComeBackFuzz")
    let arena = Arena()
    let harmless = Transformations.all.filter { $0.triggers != .anything }.map { transformation in
      (
        transformation,
        (0...255).map(UInt8.init).filter {
          ByteClass.table[Int($0)].isDisjoint(with: transformation.triggers)
        }
      )
    }
    #expect(harmless.count == 26)
    repeatFuzzing(seconds: 0.5) { _ in
      for (transformation, bytes) in harmless {
        let text = (0..<random.below(60)).map { _ in random.pick(bytes) }
        withView(text) { value in
          let result = transformation.apply(value, arena)
          #expect(
            result.start == value.start && result.count == value.count, "\(transformation.name) of \(text)")
        }
      }
      arena.reset()
    }
  }

  /// Encoding and decoding again gives the value back.
  @Test func encodingsAreUndoneFuzz() {
    var random = SeededGenerator.forTest("encodingsAreUndoneFuzz")
    let arena = Arena()
    let pairs: [(Transformation, Transformation)] = [
      (.base64Encode, .base64Decode), (.base64Encode, .base64DecodeExt), (.hexEncode, .hexDecode),
      (.urlEncode, .urlDecode), (.urlEncode, .urlDecodeUni),
    ]
    repeatFuzzing(seconds: 0.3) { _ in
      withView(random.value(most: 100)) { value in
        for (encode, decode) in pairs {
          let back = decode.apply(encode.apply(value, arena), arena)
          #expect(back == value, "\(encode.name), \(decode.name) of \(value.array)")
        }
      }
      arena.reset()
    }
  }

  /// Dot segments against a plain reading of RFC 3986, 5.2.4, for absolute paths.
  @Test func pathsAreNormalizedAsTheStandardSaysFuzz() {
    var random = SeededGenerator.forTest("pathsAreNormalizedAsTheStandardSaysFuzz")
    let arena = Arena()
    repeatFuzzing(seconds: 0.5) { _ in
      let path =
        "/"
        + String(
          decoding: random.value(most: 30, alphabet: ["/", "/", ".", "..", "a", "b.", "/../"]).map {
            $0 & 0x7F
          },
          as: UTF8.self)
      var segments: [Substring] = []
      for segment in path.split(separator: "/") where segment != "." {
        if segment != ".." { segments.append(segment) } else { _ = segments.popLast() }
      }
      var expected = "/" + segments.joined(separator: "/")
      // A slash at the end is there if it was in the original, and only then.
      if path.last == "/", !segments.isEmpty { expected += "/" }
      if path.last != "/", segments.isEmpty { expected = "" }
      withView([UInt8](path.utf8)) { value in
        #expect(Transformation.normalizePath.apply(value, arena).text == expected, "\(path)")
      }
      arena.reset()
    }
  }
}
