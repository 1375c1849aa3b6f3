// Two dashes in a row: all that a boundary of multipart bodies begins with. A dash alone is too common in text for a
// search byte by byte; here 32 bytes at a time are asked for a pair, whatever they hold.

extension ByteView {
  /// The first place at or after `from` of two dashes.
  func firstDoubleDash(from: Int) -> Int? {
    let dashes: UInt64 = 0x2D2D_2D2D_2D2D_2D2D
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highs: UInt64 = 0x8080_8080_8080_8080
    let bytes = UnsafeRawPointer(start)
    var index = Swift.max(from, 0)
    /// A byte of the word is zero where a dash and another after it are.
    @inline(__always) func pairs(_ at: Int) -> UInt64 {
      (bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self) ^ dashes)
        | (bytes.loadUnaligned(fromByteOffset: at + 1, as: UInt64.self) ^ dashes)
    }
    @inline(__always) func zeros(_ word: UInt64) -> UInt64 { (word &- ones) & ~word & highs }
    while index + 33 <= count {
      let first = zeros(pairs(index))
      let second = zeros(pairs(index + 8))
      let third = zeros(pairs(index + 16))
      let fourth = zeros(pairs(index + 24))
      if first | second | third | fourth != 0 { break }
      index += 32
    }
    while index + 9 <= count {
      let found = zeros(UInt64(littleEndian: pairs(index)))
      if found != 0 { return index + found.trailingZeroBitCount / 8 }
      index += 8
    }
    while index + 1 < count {
      if start[index] == UInt8(ascii: "-"), start[index + 1] == UInt8(ascii: "-") { return index }
      index += 1
    }
    return nil
  }
}
