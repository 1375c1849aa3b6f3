// Where a transaction's derived bytes live: transformed values, decoded arguments, expanded macros.
//
// A bump allocator in chunks. Nothing is freed one by one; `reset` gives all back at once and keeps the first chunk, so
// that a transaction in steady state asks the system for nothing.
// Owner: one transaction, on one thread.

public final class Arena {
  static let firstChunkBytes = 64 * 1024
  private var chunks: [UnsafeMutableBufferPointer<UInt8>]
  private var current: UnsafeMutablePointer<UInt8>
  private var left: Int
  /// What was handed out since the last reset, in bytes.
  public private(set) var usedBytes = 0

  public init() {
    let chunk = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: Arena.firstChunkBytes)
    chunks = [chunk]
    current = chunk.baseAddress.unsafelyUnwrapped
    left = chunk.count
  }

  deinit { for chunk in chunks { chunk.deallocate() } }

  /// Room for `count` bytes, not initialised.
  public func allocate(_ count: Int) -> UnsafeMutablePointer<UInt8> {
    if count > left { grow(count) }
    let place = current
    current += count
    left -= count
    usedBytes += count
    return place
  }

  /// Writes up to `capacity` bytes and keeps as many as `write` says it wrote.
  @inline(__always)
  public func build(_ capacity: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Int) -> ByteView {
    let place = allocate(capacity)
    let count = write(place)
    precondition(count >= 0 && count <= capacity, "more was written than was asked for")
    // Nothing else was allocated meanwhile: the rest goes back.
    if place + capacity == current {
      current = place + count
      left += capacity - count
      usedBytes -= capacity - count
    }
    return ByteView(start: place, count: count)
  }

  public func copy(_ view: ByteView) -> ByteView {
    build(view.count) { place in
      place.update(from: view.start, count: view.count)
      return view.count
    }
  }

  public func copy(_ text: String) -> ByteView {
    var text = text
    return text.withUTF8 { copy(ByteView(UnsafeRawBufferPointer($0))) }
  }

  public func copy(_ bytes: [UInt8]) -> ByteView {
    bytes.withUnsafeBytes { copy(ByteView($0)) }
  }

  public func join(_ parts: ByteView...) -> ByteView {
    let total = parts.reduce(0) { $0 + $1.count }
    return build(total) { place in
      var at = place
      for part in parts {
        at.update(from: part.start, count: part.count)
        at += part.count
      }
      return total
    }
  }

  public func reset() {
    for chunk in chunks.dropFirst() { chunk.deallocate() }
    chunks.removeLast(chunks.count - 1)
    current = chunks[0].baseAddress.unsafelyUnwrapped
    left = chunks[0].count
    usedBytes = 0
  }

  private func grow(_ count: Int) {
    let chunk = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(count, 256 * 1024))
    chunks.append(chunk)
    current = chunk.baseAddress.unsafelyUnwrapped
    left = chunk.count
  }
}
