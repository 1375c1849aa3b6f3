// The vectors of the ModSecurity project (secrules-language-tests): a JSON array for each operator and transformation.

import Foundation
import Testing

@testable import Firewall

/// One vector, its text escapes undone.
struct Vector {
  let name: String
  let parameter: [UInt8]
  let input: [UInt8]
  let output: [UInt8]
  let matches: Bool
  let groups: [[UInt8]]?
  let note: Comment

  static let folder = "vectors/secrules-language-tests"
  static let areThere = FirewallData.isThere

  /// The vectors of a file, `transformations/trim`.
  static func all(_ file: String) throws -> [Vector] {
    let data = Data(try FirewallData.bytes("\(folder)/\(file).json"))
    let list = try #require(try JSONSerialization.jsonObject(with: data) as? [[String: Any]])
    return try list.enumerated().map { index, entry in
      Vector(
        name: try #require(entry["name"] as? String),
        parameter: [UInt8]((entry["param"] as? String ?? "").utf8),
        input: unescaped(try #require(entry["input"] as? String)),
        output: unescaped(entry["output"] as? String ?? ""),
        matches: entry["ret"] as? Int == 1,
        groups: (entry["re_groups"] as? [String])?.map { [UInt8]($0.utf8) },
        note: Comment(rawValue: "\(file), entry \(index): \(entry)"))
    }
  }

  /// `\xHH` is that byte, `\uHHHH` the byte of its last two digits.
  static func unescaped(_ text: String) -> [UInt8] {
    let bytes = [UInt8](text.utf8)
    var result: [UInt8] = []
    var index = 0
    while index < bytes.count {
      let digits =
        index + 1 < bytes.count && bytes[index] == 0x5C ? [0x78: 2, 0x75: 4][bytes[index + 1]] : nil
      if let digits, index + 2 + digits <= bytes.count,
        let number = UInt32(
          String(decoding: bytes[(index + 2)..<(index + 2 + digits)], as: UTF8.self), radix: 16)
      {
        result.append(UInt8(truncatingIfNeeded: number))
        index += 2 + digits
      } else {
        result.append(bytes[index])
        index += 1
      }
    }
    return result
  }
}

/// Calls `body` with a view of `bytes`, at a place where a byte more or less would be seen by the address sanitizer.
func withView<Result>(_ bytes: [UInt8], _ body: (ByteView) throws -> Result) rethrows -> Result {
  let place = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
  defer { place.deallocate() }
  place.copyBytes(from: bytes)
  return try body(ByteView(UnsafeRawBufferPointer(place)))
}

extension SeededGenerator {
  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }
  mutating func pick<Element>(_ list: [Element]) -> Element { list[below(list.count)] }

  /// Up to `most` bytes: any, or pieces of `alphabet` for the most part.
  mutating func value(most: Int, alphabet: [String] = []) -> [UInt8] {
    let count = below(most + 1)
    var bytes: [UInt8] = []
    while bytes.count < count {
      if !alphabet.isEmpty, below(8) > 0 {
        bytes += Array(pick(alphabet).utf8)
      } else {
        bytes.append(UInt8(truncatingIfNeeded: next()))
      }
    }
    return Array(bytes.prefix(count))
  }
}
