// Bytes as hexadecimal digits, and SHA-256 in them.

import Crypto
import Foundation

/// See the head of this file.
enum HexText {
  /// Two small digits a byte.
  static func of(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// SHA-256 of a text's UTF-8.
  static func hash(_ text: String) -> String { hash(Data(text.utf8)) }

  /// SHA-256.
  static func hash(_ bytes: some DataProtocol) -> String { of(SHA256.hash(data: bytes)) }
}
