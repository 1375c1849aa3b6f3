// Where a transaction's derived bytes live: transformed values, decoded arguments, expanded macros.
//
// A bump allocator in chunks. Nothing is freed one by one; `reset` gives all back at once and keeps the first chunk, so
// that a transaction in steady state asks the system for nothing.
// Owner: one transaction, on one thread.

/// Memory that is given back at once; see the head of this file.
public final class Arena {
  static let firstChunkBytes = 64 * 1024
  /// Behind a pointer, outside the checks for exclusive access: this is touched for every derived value.
  private struct State {
    var current: UnsafeMutablePointer<UInt8>
    var left: Int
    var used = 0
  }
  private let state: UnsafeMutablePointer<State>
  private var chunks: [UnsafeMutableBufferPointer<UInt8>]
  /// What was handed out since the last reset, in bytes.
  public var usedBytes: Int { state.pointee.used }

  /// With its first chunk.
  public init() {
    let chunk = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: Arena.firstChunkBytes)
    chunks = [chunk]
    state = .allocate(capacity: 1)
    state.initialize(to: State(current: chunk.baseAddress.unsafelyUnwrapped, left: chunk.count))
  }

  deinit {
    for chunk in chunks { chunk.deallocate() }
    state.deallocate()
  }

  /// Room for `count` bytes, not initialised.
  public func allocate(_ count: Int) -> UnsafeMutablePointer<UInt8> {
    if count > state.pointee.left { grow(count) }
    let place = state.pointee.current
    state.pointee.current += count
    state.pointee.left -= count
    state.pointee.used += count
    return place
  }

  /// Writes up to `capacity` bytes and keeps as many as `write` says it wrote.
  @inline(__always)
  public func build(_ capacity: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Int) -> ByteView {
    let place = allocate(capacity)
    let count = write(place)
    precondition(count >= 0 && count <= capacity, "more was written than was asked for")
    // Nothing else was allocated meanwhile: the rest goes back.
    if place + capacity == state.pointee.current {
      state.pointee.current = place + count
      state.pointee.left += capacity - count
      state.pointee.used -= capacity - count
    }
    return ByteView(start: place, count: count)
  }

  /// The same bytes, in the arena.
  public func copy(_ view: ByteView) -> ByteView {
    build(view.count) { place in
      place.update(from: view.start, count: view.count)
      return view.count
    }
  }

  /// The same bytes, in the arena.
  public func copy(_ text: String) -> ByteView {
    var text = text
    return text.withUTF8 { copy(ByteView(UnsafeRawBufferPointer($0))) }
  }

  /// The same bytes, in the arena.
  public func copy(_ bytes: [UInt8]) -> ByteView {
    bytes.withUnsafeBytes { copy(ByteView($0)) }
  }

  /// The parts one after the other.
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

  /// Everything handed out is gone; what was grown is given back.
  public func reset() {
    if chunks.count > 1 {
      for chunk in chunks.dropFirst() { chunk.deallocate() }
      chunks.removeLast(chunks.count - 1)
    }
    state.pointee = State(current: chunks[0].baseAddress.unsafelyUnwrapped, left: chunks[0].count)
  }

  private func grow(_ count: Int) {
    let chunk = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(count, 256 * 1024))
    chunks.append(chunk)
    state.pointee.current = chunk.baseAddress.unsafelyUnwrapped
    state.pointee.left = chunk.count
  }
}
