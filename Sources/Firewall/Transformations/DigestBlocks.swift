// What MD5 and SHA-1 share: blocks of 64 bytes, padded (RFC 1321, 3.1 and 3.2), and words.

/// The blocks of 64 bytes of a message, padded with a one, zeros and its length in bits.
func withDigestBlocks(_ value: ByteView, bigEndianLength: Bool, _ body: (UnsafePointer<UInt8>) -> Void) {
  let whole = value.count / 64 * 64
  for start in stride(from: 0, to: whole, by: 64) { body(value.start + start) }
  let rest = value.count - whole
  let size = rest < 56 ? 64 : 128
  withUnsafeTemporaryAllocation(of: UInt8.self, capacity: size) { tail in
    guard let base = tail.baseAddress else { return }
    tail.initialize(repeating: 0)
    for index in 0..<rest { tail[index] = value.start[whole + index] }
    tail[rest] = 0x80
    let bits = UInt64(value.count) &* 8
    for index in 0..<8 {
      let shift = UInt64(bigEndianLength ? 7 - index : index) * 8
      tail[size - 8 + index] = UInt8(truncatingIfNeeded: bits >> shift)
    }
    for start in stride(from: 0, to: size, by: 64) { body(base + start) }
  }
}

@inline(__always) func loadWord(_ block: UnsafePointer<UInt8>, _ word: Int) -> UInt32 {
  UnsafeRawPointer(block).loadUnaligned(fromByteOffset: word * 4, as: UInt32.self)
}

@inline(__always) func storeWord(_ word: UInt32, _ index: Int, at place: UnsafeMutablePointer<UInt8>) {
  UnsafeMutableRawPointer(place).storeBytes(of: word, toByteOffset: index * 4, as: UInt32.self)
}

@inline(__always) func rotated(_ word: UInt32, by bits: UInt32) -> UInt32 {
  word << bits | word >> (32 - bits)
}
