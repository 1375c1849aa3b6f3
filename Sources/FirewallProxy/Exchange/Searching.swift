// Small questions about field values.

enum Searching {
  /// Whether `literal` (lower case) is in it, ignoring ASCII case.
  static func contains(_ bytes: UnsafeRawBufferPointer, _ literal: StaticString) -> Bool {
    let count = literal.utf8CodeUnitCount
    guard bytes.count >= count else { return false }
    for start in 0...(bytes.count - count)
    where Octets.equals(UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]), literal) {
      return true
    }
    return false
  }

  /// Whether Japanese comes before English in Accept-Language; weights are rarely out of order, and a block page is no
  /// matter for more.
  static func prefersJapanese(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var answer: Bool?
    Octets.elements(bytes) { element in
      guard answer == nil else { return }
      if Octets.hasPrefix(element, "ja") { answer = true }
      if Octets.hasPrefix(element, "en") { answer = false }
    }
    return answer ?? false
  }

  /// Letters, digits and a few signs, up to 128: safe in a field, a log and a page.
  static func isIdentifier(_ bytes: UnsafeRawBufferPointer) -> Bool {
    (1...128).contains(bytes.count)
      && bytes.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
          UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
          UInt8(ascii: ":"), UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "@"):
          true
        default: false
        }
      }
  }
}
