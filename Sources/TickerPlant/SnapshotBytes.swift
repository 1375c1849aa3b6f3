// The bytes of a snapshot: magic, version, values of 8 bytes' multiples, and a checksum of all before it (little-endian;
// they never leave this product). What is in them: TickerPlant+Snapshot.
// Owner: the plant's thread. Invariant: the reader never reads beyond the bytes, whatever they are.

import MarketData

/// Writes a snapshot's body into memory that is large enough for it.
struct SnapshotWriter {
  private let buffer: UnsafeMutableRawBufferPointer
  private var used = 16

  init(_ buffer: UnsafeMutableBufferPointer<UInt8>) { self.buffer = UnsafeMutableRawBufferPointer(buffer) }

  /// What a value takes: its own bytes, up to a multiple of 8.
  static func bytes<Value>(_ type: Value.Type) -> Int { (MemoryLayout<Value>.size + 7) & ~7 }

  @inline(__always)
  mutating func raw<Value: BitwiseCopyable>(_ value: Value) {
    let end = used + Self.bytes(Value.self)
    precondition(end <= buffer.count, "the memory was asked for by the same sizes")
    if MemoryLayout<Value>.size & 7 != 0 {
      buffer.storeBytes(of: 0, toByteOffset: end - 8, as: UInt64.self)
    }
    withUnsafeBytes(of: value) {
      UnsafeMutableRawBufferPointer(rebasing: buffer[used..<end]).copyMemory(from: $0)
    }
    used = end
  }
  mutating func put(_ value: UInt64) { raw(value.littleEndian) }
  mutating func put(_ value: Int64) { put(UInt64(bitPattern: value)) }
  mutating func put(_ text: String) {
    put(UInt64(text.utf8.count))
    for byte in text.utf8 {
      buffer[used] = byte
      used += 1
    }
    while used % 8 != 0 {
      buffer[used] = 0
      used += 1
    }
  }

  /// Puts the head before and the checksum behind; the number of bytes of all.
  mutating func finish(magic: UInt64, version: UInt64) -> Int {
    buffer.storeBytes(of: magic.littleEndian, toByteOffset: 0, as: UInt64.self)
    buffer.storeBytes(of: version.littleEndian, toByteOffset: 8, as: UInt64.self)
    put(SnapshotReader.checksum(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<used])))
    return used
  }
}

/// Reads a snapshot's body; every read is checked.
struct SnapshotReader {
  let bytes: [UInt8]
  /// The layout that the bytes are in.
  let version: UInt64
  var offset = 16
  let end: Int

  static func checksum(_ raw: UnsafeRawBufferPointer) -> UInt64 {
    // Four lanes, so that a large snapshot is checked at memory speed.
    var lanes: (UInt64, UInt64, UInt64, UInt64) = (1, 2, 3, 4)
    var offset = 0
    while offset + 32 <= raw.count {
      lanes.0 = StateDigest.mix(lanes.0 ^ raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      lanes.1 = StateDigest.mix(lanes.1 ^ raw.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
      lanes.2 = StateDigest.mix(lanes.2 ^ raw.loadUnaligned(fromByteOffset: offset + 16, as: UInt64.self))
      lanes.3 = StateDigest.mix(lanes.3 ^ raw.loadUnaligned(fromByteOffset: offset + 24, as: UInt64.self))
      offset += 32
    }
    var digest = StateDigest()
    for lane in [lanes.0, lanes.1, lanes.2, lanes.3] { digest.combine(lane) }
    while offset < raw.count {
      digest.combine(UInt64(raw[offset]))
      offset += 1
    }
    return digest.value
  }

  init(_ bytes: [UInt8], magic: UInt64, versions: ClosedRange<UInt64>) throws(SnapshotError) {
    self.bytes = bytes
    guard bytes.count >= 24, bytes.count % 8 == 0 else {
      throw SnapshotError(
        "\(bytes.count) bytes found, wanted a multiple of 8 from 24 up: the snapshot is cut off")
    }
    end = bytes.count - 8
    let words = bytes.withUnsafeBytes { raw in
      (
        raw.loadUnaligned(as: UInt64.self).littleEndian,
        raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self).littleEndian,
        raw.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self).littleEndian
      )
    }
    guard words.0 == magic else {
      throw SnapshotError("not a snapshot: the first eight bytes are not its mark")
    }
    version = words.1
    guard versions.contains(version) else {
      throw SnapshotError(
        "version \(version) found, \(versions.lowerBound) to \(versions.upperBound) wanted: it was made by a newer "
          + "program, begin without it")
    }
    guard words.2 == bytes.withUnsafeBytes({ Self.checksum(UnsafeRawBufferPointer(rebasing: $0[..<end])) })
    else {
      throw SnapshotError("the checksum is wrong: the snapshot is damaged")
    }
  }

  var remaining: Int { end - offset }

  mutating func raw<Value: BitwiseCopyable>(_ type: Value.Type = Value.self) throws(SnapshotError) -> Value {
    let size = (MemoryLayout<Value>.size + 7) & ~7
    guard offset + size <= end else {
      throw SnapshotError("the snapshot ends at byte \(offset) in the middle of a value")
    }
    let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Value.self) }
    offset += size
    return value
  }
  mutating func unsigned() throws(SnapshotError) -> UInt64 { try raw(UInt64.self).littleEndian }
  mutating func signed() throws(SnapshotError) -> Int64 { Int64(bitPattern: try unsigned()) }
  mutating func text() throws(SnapshotError) -> String {
    let count = Int(truncatingIfNeeded: try unsigned())
    let size = (count &+ 7) & ~7
    guard (0...64).contains(count), offset + size <= end else { throw SnapshotError("a text is too long") }
    let text = String(decoding: bytes[offset..<offset + count], as: UTF8.self)
    offset += size
    return text
  }
}
