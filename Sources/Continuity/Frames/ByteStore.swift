// A growing buffer of bytes that is used again and again. Owner: whoever holds it.

/// See the head of this file.
struct ByteStore: ~Copyable {
  private(set) var base: UnsafeMutableRawPointer
  private(set) var capacity: Int
  private(set) var count = 0

  init(capacity: Int = 4096) {
    self.capacity = max(256, capacity)
    base = .allocate(byteCount: self.capacity, alignment: 16)
  }

  deinit { base.deallocate() }

  /// What is in it, valid until it changes.
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

  @inline(__always)
  mutating func removeAll() { count = 0 }

  /// Room for `extra` more bytes at the end; counts them as used.
  @inline(__always)
  mutating func extend(by extra: Int) -> UnsafeMutableRawPointer {
    if count + extra > capacity { grow(toFit: extra) }
    let place = base + count
    count += extra
    return place
  }

  @inline(__always)
  mutating func append(_ other: UnsafeRawBufferPointer) {
    guard let start = other.baseAddress, other.count > 0 else { return }
    extend(by: other.count).copyMemory(from: start, byteCount: other.count)
  }

  @inline(__always)
  mutating func append<Value: BitwiseCopyable>(_ value: Value, as type: Value.Type = Value.self) {
    extend(by: MemoryLayout<Value>.size).storeBytes(of: value, as: Value.self)
  }

  /// Removes bytes from the end.
  mutating func truncate(to count: Int) { self.count = min(self.count, max(0, count)) }

  @inline(never)
  private mutating func grow(toFit extra: Int) {
    capacity = max(capacity * 2, count + extra)
    let bigger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
    bigger.copyMemory(from: base, byteCount: count)
    base.deallocate()
    base = bigger
  }
}
