// Memory of the sides' arrays: thousands of small blocks, cut from few large pieces, because the large pieces get huge
// pages. Blocks from the general allocator lie in small pages, and asking for one ahead then waits for the TLB.
// Owner: BookTable. A block is a power of two of levels; what is given back is used again for the same number.

struct SideMemory: ~Copyable {
  /// From the first piece on, for small markets, to pieces that are pages of their own.
  private static var smallestPiece: Int { 1 << 16 }
  private static var largestPiece: Int { 1 << 21 }
  private static var line: Int { 64 }

  private var pieces: [(start: UnsafeMutablePointer<UInt8>, bytes: Int)] = []
  private var next: UnsafeMutablePointer<UInt8>?
  private var left = 0
  private var pieceBytes = SideMemory.smallestPiece
  /// The block that was given back last, by size in lines; each holds the address of the one before.
  private var free: [Int: UnsafeMutableRawPointer] = [:]

  init() {}

  deinit { for piece in pieces { TableMemory.deallocate(piece.start, capacity: piece.bytes) } }

  private static func rounded(_ bytes: Int) -> Int { (bytes + line - 1) & ~(line - 1) }

  /// A block of at least `bytes`, all zero.
  mutating func take(_ bytes: Int) -> UnsafeMutableRawPointer {
    let bytes = Self.rounded(bytes)
    if let block = free[bytes] {
      free[bytes] = block.load(as: UnsafeMutableRawPointer?.self)
      block.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
      return block
    }
    if let start = next, left >= bytes {
      next = start + bytes
      left -= bytes
      return UnsafeMutableRawPointer(start)
    }
    // What is left of the last piece stays unused: at most a block.
    let size = max(pieceBytes, bytes)
    pieceBytes = min(pieceBytes * 8, Self.largestPiece)
    let start = TableMemory.allocate(UInt8.self, capacity: size)
    pieces.append((start, size))
    next = start + bytes
    left = size - bytes
    return UnsafeMutableRawPointer(start)
  }

  /// Takes back a block of `bytes`, which `take` gave.
  mutating func giveBack(_ block: UnsafeMutableRawPointer, _ bytes: Int) {
    let bytes = Self.rounded(bytes)
    block.storeBytes(of: free[bytes], as: UnsafeMutableRawPointer?.self)
    free[bytes] = block
  }
}
