// All vectors of transformations, counted file by file.

import Testing

@testable import Firewall

@Suite(.enabled(if: Vector.areThere, FirewallData.missing))
struct TransformationVectorTests {
  /// The files and how many vectors each holds.
  static let files: [(name: String, count: Int)] = [
    ("base64Decode", 6), ("base64DecodeExt", 6), ("base64Encode", 5), ("cmdLine", 6),
    ("compressWhitespace", 6),
    ("cssDecode", 6), ("escapeSeqDecode", 14), ("hexDecode", 7), ("hexEncode", 3), ("htmlEntityDecode", 8),
    ("jsDecode", 15), ("length", 4), ("lowercase", 5), ("md5", 5), ("normalisePath", 31),
    ("normalisePathWin", 31),
    ("parityEven7bit", 4), ("parityOdd7bit", 4), ("parityZero7bit", 4), ("phpArgsNames", 13),
    ("removeComments", 21), ("removeCommentsChar", 21), ("removeNulls", 8), ("removeWhitespace", 5),
    ("replaceComments", 21), ("replaceNulls", 7), ("sha1", 3), ("sqlHexDecode", 1), ("trim", 9),
    ("trimLeft", 9),
    ("trimRight", 9), ("urlDecode", 19), ("urlDecodeUni", 32), ("urlEncode", 21), ("utf8toUnicode", 7),
  ]

  /// Vectors that came to harm on their way into JSON, as they were meant.
  static let mended: [String: (input: String, output: String)] = [
    // `\0` had become a backslash and a NUL; as a hexadecimal escape it takes one of the two spaces with it.
    "cssDecode 3": (
      #"test\a\b\f\n\r\t\v\?\'\"\0\12\123\1234\12345\123456\ff01\ff5e"# + "\\\n" + #"\0  string"#,
      "test\n\u{0B}\u{0F}nrtv?'\"\0\u{12}#4EV!~\0 string"
    ),
    // \xag and \xga are read as two digits by the runner these vectors come from.
    "escapeSeqDecode 5": (#"\8\9\666\xag\xga\0123"#, #"89\xb6xagxga\x0a3"#),
  ]

  @Test(arguments: files)
  func vectorsGiveTheirOutput(name: String, count: Int) throws {
    let vectors = try Vector.all("transformations/\(name)")
    #expect(vectors.count == count)
    for (index, vector) in vectors.enumerated() {
      let mended = Self.mended["\(name) \(index)"]
      let input = mended.map { Vector.unescaped($0.input) } ?? vector.input
      let output = mended.map { Vector.unescaped($0.output) } ?? vector.output
      let transformation = try #require(
        Transformations.named(vector.name == "cmd_line" ? "cmdLine" : vector.name), vector.note)
      let arena = Arena()
      withView(input) { value in
        #expect(transformation.apply(value, arena).array == output, vector.note)
      }
    }
  }
}
