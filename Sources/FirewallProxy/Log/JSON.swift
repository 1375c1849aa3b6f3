// Bytes as the inside of JSON strings, and numbers.

enum JSON {
  /// Escapes; what is not UTF-8 becomes U+FFFD.
  static func escape(_ bytes: UnsafeRawBufferPointer, to out: inout [UInt8]) {
    var runStart = 0
    for index in 0..<bytes.count {
      let byte = bytes[index]
      if byte >= 0x80 {
        // Rare: the rest the slow way, which mends what is broken.
        out.append(contentsOf: bytes[runStart..<index])
        for unit in String(decoding: bytes[index...], as: UTF8.self).utf8 { escape(unit, to: &out) }
        return
      }
      if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7f {
        out.append(contentsOf: bytes[runStart..<index])
        escape(byte, to: &out)
        runStart = index + 1
      }
    }
    out.append(contentsOf: bytes[runStart...])
  }

  static func escape(_ bytes: [UInt8], to out: inout [UInt8]) {
    bytes.withUnsafeBytes { escape($0, to: &out) }
  }

  static func escape(_ text: String, to out: inout [UInt8]) {
    var text = text
    text.withUTF8 { escape(UnsafeRawBufferPointer($0), to: &out) }
  }

  private static func escape(_ byte: UInt8, to out: inout [UInt8]) {
    switch byte {
    case UInt8(ascii: "\""): out += "\\\"".utf8
    case UInt8(ascii: "\\"): out += "\\\\".utf8
    case 10: out += "\\n".utf8
    case 13: out += "\\r".utf8
    case 9: out += "\\t".utf8
    case 0..<0x20, 0x7f:
      out += "\\u00".utf8
      for digit in [byte >> 4, byte & 15] {
        out.append(digit < 10 ? digit + UInt8(ascii: "0") : digit - 10 + UInt8(ascii: "a"))
      }
    default: out.append(byte)
    }
  }

  static func number(_ value: Int, to out: inout [UInt8]) {
    guard value >= 0 else {
      out += String(value).utf8
      return
    }
    if value < 10 { return out.append(UInt8(truncatingIfNeeded: value) + UInt8(ascii: "0")) }
    let start = out.count
    var rest = value
    while rest > 0 {
      out.append(UInt8(truncatingIfNeeded: rest % 10) + UInt8(ascii: "0"))
      rest /= 10
    }
    out[start...].reverse()
  }
}

extension Array where Element == UInt8 {
  /// A literal's bytes.
  static func += (out: inout [UInt8], literal: StaticString) {
    out.append(contentsOf: UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
  }
}

extension StaticString {
  var utf8: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: utf8Start, count: utf8CodeUnitCount) }
}
