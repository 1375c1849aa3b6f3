// Memory of the plant's tables: zeros, and in huge pages where a table is large (a random access to a table of tens
// of megabytes in small pages misses the TLB each time, which costs as much as the cache miss itself).

import CHardware

enum TableMemory {
  /// From here on a table has pages of its own.
  private static var hugePage: Int { 1 << 21 }

  private static func pagedBytes(_ bytes: Int) -> Int { (bytes + hugePage - 1) & ~(hugePage - 1) }

  /// Room for `capacity` elements whose bytes are all zero. Stops where the system has no memory left, as every
  /// allocation does.
  static func allocate<Element: BitwiseCopyable>(
    _ type: Element.Type, capacity: Int
  ) -> UnsafeMutablePointer<Element> {
    let bytes = capacity * MemoryLayout<Element>.stride
    if bytes >= hugePage {
      guard let memory = kabuto_map(pagedBytes(bytes)) else {
        preconditionFailure("no memory for a table of \(bytes) bytes")
      }
      return memory.bindMemory(to: Element.self, capacity: capacity)
    }
    let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    return memory.bindMemory(to: Element.self, capacity: capacity)
  }

  /// Gives back what `allocate` gave, with the same capacity.
  static func deallocate<Element: BitwiseCopyable>(_ memory: UnsafeMutablePointer<Element>, capacity: Int) {
    let bytes = capacity * MemoryLayout<Element>.stride
    if bytes >= hugePage { kabuto_unmap(memory, pagedBytes(bytes)) } else { memory.deallocate() }
  }

  /// Hands the elements of a table to `take`, in order, and gives the memory back on the way: a new table that fills
  /// up meanwhile gets the pages that the old one needed no more.
  static func consume<Element: BitwiseCopyable>(
    _ memory: UnsafeMutablePointer<Element>, capacity: Int, _ take: (UnsafeMutablePointer<Element>) -> Void
  ) {
    let piece = hugePage / MemoryLayout<Element>.stride
    // An element across two pieces couldn't be given back in part.
    guard capacity >= piece, hugePage % MemoryLayout<Element>.stride == 0 else {
      for index in 0..<capacity { take(memory + index) }
      return deallocate(memory, capacity: capacity)
    }
    var first = 0
    while first < capacity {
      let count = min(piece, capacity - first)
      for index in first..<first + count { take(memory + index) }
      kabuto_unmap(memory + first, hugePage)
      first += count
    }
  }

  /// Moves a table of `count` elements to memory of another capacity, not smaller than `count`.
  static func resize<Element: BitwiseCopyable>(
    _ memory: inout UnsafeMutablePointer<Element>, count: Int, from capacity: Int, to wanted: Int
  ) {
    let moved = allocate(Element.self, capacity: wanted)
    moved.update(from: memory, count: count)
    deallocate(memory, capacity: capacity)
    memory = moved
  }
}
