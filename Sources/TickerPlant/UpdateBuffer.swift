// Where records are written and how they are read: a buffer that grows, and a cursor over whole records
// (UpdateRecord.swift says what they hold).
// Owner: the plant's thread of the buffer, anyone of a cursor. Invariant: a cursor stops at the first record that isn't
// whole, and never reads beyond its bytes.

/// A growing buffer of records. Owner: the plant's thread.
public struct UpdateBuffer: ~Copyable {
  @usableFromInline var base: UnsafeMutableRawPointer
  @usableFromInline var capacity: Int
  @usableFromInline var used = 0

  /// A buffer with room for `capacity` bytes before it grows.
  public init(capacity: Int = 1 << 20) {
    self.capacity = max(4096, capacity)
    base = .allocate(byteCount: self.capacity, alignment: 16)
  }

  deinit { base.deallocate() }

  /// The records, valid until the buffer changes.
  @inlinable
  public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: used) }

  /// Forgets all records, and gives back what only a whole market's state needed.
  @inlinable
  public mutating func removeAll() {
    used = 0
    if capacity > Self.keptBytes { shrink() }
  }

  /// Batches of messages stay far below it.
  @usableFromInline static var keptBytes: Int { 16 << 20 }

  @usableFromInline
  mutating func shrink() {
    base.deallocate()
    capacity = 1 << 20
    base = .allocate(byteCount: capacity, alignment: 16)
  }

  @inline(never) @usableFromInline
  mutating func grow(toFit extra: Int) {
    capacity = max(capacity * 2, used + extra)
    let bigger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
    bigger.copyMemory(from: base, byteCount: used)
    base.deallocate()
    base = bigger
  }

  /// Appends a record without payload.
  @inlinable @inline(__always)
  public mutating func append(_ header: UpdateHeader) {
    let size = MemoryLayout<UpdateHeader>.size
    if used + size > capacity { grow(toFit: size) }
    var header = header
    header.byteCount = UInt16(size)
    base.storeBytes(of: header, toByteOffset: used, as: UpdateHeader.self)
    used += size
  }

  /// Appends a record. `Payload` is one of this file's payload structs.
  @inlinable @inline(__always)
  public mutating func append<Payload: BitwiseCopyable>(_ header: UpdateHeader, _ payload: Payload) {
    let payloadSize = (MemoryLayout<Payload>.size + 7) & ~7
    let size = MemoryLayout<UpdateHeader>.size + payloadSize
    if used + size > capacity { grow(toFit: size) }
    var header = header
    header.byteCount = UInt16(truncatingIfNeeded: size)
    base.storeBytes(of: header, toByteOffset: used, as: UpdateHeader.self)
    base.storeBytes(of: payload, toByteOffset: used + MemoryLayout<UpdateHeader>.size, as: Payload.self)
    used += size
  }
}

/// Walks over the records of a buffer.
public struct UpdateCursor {
  @usableFromInline let bytes: UnsafeRawBufferPointer
  @usableFromInline var offset = 0
  /// Header of the current record.
  public private(set) var header = UpdateHeader(
    kind: 0, flags: 0, byteCount: 0, instrument: 0, sequence: 0, time: 0, receivedAt: 0)
  @usableFromInline var current = 0

  /// A cursor before the first record of `bytes`, which must hold whole records.
  public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// Steps to the next record; false at the end.
  public mutating func next() -> Bool {
    guard offset + MemoryLayout<UpdateHeader>.size <= bytes.count else { return false }
    header = bytes.loadUnaligned(fromByteOffset: offset, as: UpdateHeader.self)
    current = offset
    guard header.byteCount >= 32, offset + Int(header.byteCount) <= bytes.count else { return false }
    offset += Int(header.byteCount)
    return true
  }

  /// The current record's kind.
  public var kind: UpdateKind? { UpdateKind(rawValue: header.kind) }

  /// The current record's payload, `skip` bytes into it.
  @inlinable
  public func payload<Payload: BitwiseCopyable>(as type: Payload.Type = Payload.self, skip: Int = 0)
    -> Payload
  {
    bytes.loadUnaligned(
      fromByteOffset: current + MemoryLayout<UpdateHeader>.size + skip, as: Payload.self)
  }
}
