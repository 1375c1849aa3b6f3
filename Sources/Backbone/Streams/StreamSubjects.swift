// The subjects of a market's streams (docs/BACKBONE.md), and the questions that are asked on them.

import Continuity
import Foundation
import MarketData

/// See the head of this file.
struct StreamSubjects: Sendable {
  let market: String
  let node: String

  var all: String { "px.\(market).\(node).all" }
  var beat: String { "beat.\(market).\(node)" }
  var want: String { "want.\(market).\(node)" }
  var replay: String { "ask.\(market).\(node).replay" }
  var snapshot: String { "ask.\(market).\(node).snapshot" }
  var digest: String { "ask.\(market).\(node).digest" }
  var feed: String { "feed.\(market).\(node)" }
  var askFeed: String { "ask.\(market).\(node).feed" }
  func instrument(_ code: InstrumentCode) -> String {
    "px.\(market).\(node).i.\(Self.word(code.description))"
  }

  /// Text as one word of a subject: what isn't a letter, a digit, `_` or `-` becomes `=` and two hex digits.
  static func word(_ text: String) -> String {
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      let isPlain =
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        || byte == 0x5F || byte == 0x2D
      if isPlain {
        bytes.append(byte)
      } else {
        let digits = Array("0123456789ABCDEF".utf8)
        bytes.append(contentsOf: [0x3D, digits[Int(byte >> 4)], digits[Int(byte & 15)]])
      }
    }
    return bytes.isEmpty ? "=" : String(decoding: bytes, as: UTF8.self)
  }
}

/// What a consumer asks a plant. Little-endian: version, three bytes of zeros, the market's or an instrument's code
/// (0 = the market), then what the question needs.
enum StreamQuestion: Equatable {
  /// (from, through] of an epoch again.
  case replay(from: UInt64, through: UInt64, epoch: EpochKey, code: InstrumentCode?)
  /// The state.
  case snapshot(code: InstrumentCode?)
  /// A window's sums by instrument and message.
  case digest(windowStart: UInt64)

  private static var version: UInt64 { 1 }

  /// Asked for as the state of no instrument's code: the list of all, their facts alone.
  static let list = InstrumentCode(.max)

  var encoded: [UInt8] {
    var words: [UInt64]
    switch self {
    case .replay(let from, let through, let epoch, let code):
      words = [
        code?.rawValue ?? 0, from, through, UInt64(bitPattern: epoch.day), epoch.first, epoch.second,
        epoch.third,
      ]
    case .snapshot(let code): words = [code?.rawValue ?? 0]
    case .digest(let start): words = [0, start]
    }
    words.insert(Self.version, at: 0)
    return words.flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } }
  }

  private static func words(_ bytes: UnsafeRawBufferPointer, _ count: Int) -> [UInt64]? {
    guard bytes.count == (count + 1) * 8 else { return nil }
    let words = (0...count).map {
      UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self))
    }
    return words[0] == version ? Array(words[1...]) : nil
  }

  static func replay(decoding bytes: UnsafeRawBufferPointer) -> StreamQuestion? {
    guard let words = words(bytes, 7) else { return nil }
    return .replay(
      from: words[1], through: words[2],
      epoch: EpochKey(day: Int64(bitPattern: words[3]), first: words[4], second: words[5], third: words[6]),
      code: words[0] == 0 ? nil : InstrumentCode(words[0]))
  }

  static func snapshot(decoding bytes: UnsafeRawBufferPointer) -> StreamQuestion? {
    guard let words = words(bytes, 1) else { return nil }
    return .snapshot(code: words[0] == 0 ? nil : InstrumentCode(words[0]))
  }

  static func digest(decoding bytes: UnsafeRawBufferPointer) -> StreamQuestion? {
    guard let words = words(bytes, 2) else { return nil }
    return .digest(windowStart: words[1])
  }
}

/// Codes that somebody wants, eight bytes each, as records have them.
enum WantedCodes {
  static func encoded(_ codes: some Sequence<InstrumentCode>) -> [UInt8] {
    codes.flatMap { code in withUnsafeBytes(of: code.rawValue.littleEndian) { Array($0) } }
  }

  static func decoded(_ bytes: UnsafeRawBufferPointer) -> [InstrumentCode] {
    (0..<bytes.count / 8).map {
      InstrumentCode(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self)))
    }
  }
}
