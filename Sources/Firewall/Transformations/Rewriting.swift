// What transformations share: a cursor that writes, and the digits of escapes.
//
// A transformation finds the first byte that it may change, copies what stands before as one run, and goes on from
// trigger to trigger. It says before how much it will write at most, so the arena is asked once.

/// A cursor into a place that is known to be large enough.
struct ByteWriter {
  private(set) var at: UnsafeMutablePointer<UInt8>

  @inline(__always) init(_ place: UnsafeMutablePointer<UInt8>) { at = place }

  @inline(__always) mutating func put(_ byte: UInt8) {
    at.pointee = byte
    at += 1
  }

  @inline(__always) mutating func put(_ run: ByteView) {
    at.update(from: run.start, count: run.count)
    at += run.count
  }

  /// Takes back the last byte.
  @inline(__always) mutating func back() { at -= 1 }
}

extension Arena {
  /// Writes a new value of at most `capacity` bytes; gives `original` back where the result says the same.
  @inline(__always)
  func rewrite(_ original: ByteView, capacity: Int, _ body: (inout ByteWriter) -> Void) -> ByteView {
    let result = build(capacity) { place in
      var writer = ByteWriter(place)
      body(&writer)
      return writer.at - place
    }
    return result == original ? original : result
  }
}

extension UInt8 {
  /// The value of a hexadecimal digit; above 15 for any other byte.
  @inline(__always) var hexDigit: UInt8 {
    if self &- 0x30 < 10 { return self &- 0x30 }
    let letter = (self | 0x20) &- 0x61
    return letter < 6 ? letter + 10 : 0xFF
  }

  @inline(__always) var isHexDigit: Bool { hexDigit < 16 }
  @inline(__always) var isOctalDigit: Bool { self &- 0x30 < 8 }
  @inline(__always) var isDigit: Bool { self &- 0x30 < 10 }
  @inline(__always) var isLetter: Bool { (self | 0x20) &- 0x61 < 26 }

  /// C's `isspace` in the C locale.
  @inline(__always) var isSpace: Bool { self == 0x20 || self &- 0x09 < 5 }
}

extension ByteView {
  /// The byte of two hexadecimal digits at `index`; nil where they aren't both there.
  @inline(__always) func hexPair(at index: Int) -> UInt8? {
    guard index + 1 < count else { return nil }
    let high = start[index].hexDigit
    let low = start[index + 1].hexDigit
    return (high | low) < 16 ? high << 4 | low : nil
  }

  /// The offset of the first byte of which `test` holds, at or after `from`; `count` if there is none.
  @inline(__always) func first(from: Int = 0, where test: (UInt8) -> Bool) -> Int {
    var index = from
    while index < count, !test(start[index]) { index += 1 }
    return index
  }
}

/// The lower digits of hexadecimal.
@inline(__always) func hexCharacter(_ digit: UInt8) -> UInt8 {
  digit < 10 ? UInt8(ascii: "0") &+ digit : UInt8(ascii: "a") &+ digit &- 10
}
