// Which bytes may stand where in HTTP/1 (RFC 9110 section 5.6, RFC 9112 section 2 and 3), as one table.
// Pure.

enum Octets {
  /// May stand in a token: a method, a field's name.
  static let token: UInt8 = 1
  /// May stand in a field's value: visible ASCII, space, tab, and 0x80 and above (obs-text).
  static let value: UInt8 = 2
  /// May stand in a request target: visible ASCII and, as clients send them, bytes of 0x80 and above.
  static let target: UInt8 = 4

  static let classes: [UInt8] = (0..<256).map { byte in
    let byte = UInt8(byte)
    var found: UInt8 = 0
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      found |= token
    default: if "!#$%&'*+-.^_`|~".utf8.contains(byte) { found |= token }
    }
    if byte == 9 || byte == 32 || (byte > 32 && byte != 127) { found |= value }
    if byte > 32 && byte != 127 { found |= target }
    return found
  }

  /// A copy of `classes` that needs no counting of references; it lives for ever.
  nonisolated(unsafe) private static let table: UnsafePointer<UInt8> = {
    let table = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
    for (index, value) in classes.enumerated() { (table + index).initialize(to: value) }
    return UnsafePointer(table)
  }()

  /// Whether all bytes have this class; true for none.
  @inline(__always)
  static func all(_ bytes: UnsafeRawBufferPointer, _ wanted: UInt8) -> Bool {
    guard let start = bytes.baseAddress else { return true }
    let table = table
    var found = wanted
    for index in 0..<bytes.count { found &= table[Int(start.load(fromByteOffset: index, as: UInt8.self))] }
    return found == wanted
  }

  @inline(__always)
  static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 65 < 26 ? byte | 0x20 : byte }

  /// Equal but for ASCII case; `literal` is lower case.
  @inline(__always)
  static func equals(_ bytes: UnsafeRawBufferPointer, _ literal: StaticString) -> Bool {
    let count = literal.utf8CodeUnitCount
    guard bytes.count == count else { return false }
    let other = literal.utf8Start
    for index in 0..<count where lowercased(bytes[index]) != other[index] { return false }
    return true
  }

  static func hasPrefix(_ bytes: UnsafeRawBufferPointer, _ literal: StaticString) -> Bool {
    bytes.count >= literal.utf8CodeUnitCount
      && equals(UnsafeRawBufferPointer(rebasing: bytes[..<literal.utf8CodeUnitCount]), literal)
  }

  static func equals(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    guard a.count == b.count else { return false }
    for index in 0..<a.count where lowercased(a[index]) != lowercased(b[index]) { return false }
    return true
  }

  /// Without spaces and tabs at both ends.
  static func trimmed(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    var lower = 0
    var upper = bytes.count
    while lower < upper, bytes[lower] == 32 || bytes[lower] == 9 { lower += 1 }
    while upper > lower, bytes[upper - 1] == 32 || bytes[upper - 1] == 9 { upper -= 1 }
    return UnsafeRawBufferPointer(rebasing: bytes[lower..<upper])
  }

  /// The elements of a list with commas between (RFC 9110 section 5.6.1), empty ones left out.
  static func elements(_ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
    var start = 0
    for index in 0...bytes.count where index == bytes.count || bytes[index] == UInt8(ascii: ",") {
      let element = trimmed(UnsafeRawBufferPointer(rebasing: bytes[start..<index]))
      if !element.isEmpty { body(element) }
      start = index + 1
    }
  }

  /// Digits alone, and not too many of them.
  static func decimal(_ bytes: UnsafeRawBufferPointer) -> Int? {
    guard !bytes.isEmpty, bytes.count <= 18 else { return nil }
    var value = 0
    for byte in bytes {
      let digit = byte &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      value = value &* 10 &+ Int(digit)
    }
    return value
  }
}
