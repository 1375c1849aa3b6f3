// A view of bytes: the one shape in which values pass through the firewall.
//
// HTTP is bytes, not text, so nothing here is a String. A view doesn't own: its bytes belong to the caller's request
// (for the length of the call), to a transaction's `Arena` (until it is reset), or to the policy. It is two words,
// trivially copied, and never counted.

/// Bytes that somebody else owns; see the head of this file.
public struct ByteView: BitwiseCopyable, @unchecked Sendable {
  /// The first byte.
  public let start: UnsafePointer<UInt8>
  /// How many bytes.
  public let count: Int

  /// A view of bytes that outlive it.
  @inlinable public init(start: UnsafePointer<UInt8>, count: Int) {
    self.start = start
    self.count = count
  }

  /// A byte that lives for ever, so that an empty view needs no optional.
  @usableFromInline nonisolated(unsafe) static let nothing: UnsafePointer<UInt8> = {
    let byte = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)
    byte.initialize(to: 0)
    return UnsafePointer(byte)
  }()

  /// No bytes.
  public static let empty = ByteView(start: nothing, count: 0)

  /// The bytes of a literal, which live as long as the program.
  public init(_ literal: StaticString) {
    self.init(start: literal.utf8Start, count: literal.utf8CodeUnitCount)
  }

  /// A view of bytes that outlive it.
  public init(_ buffer: UnsafeRawBufferPointer) {
    if let base = buffer.baseAddress, buffer.count > 0 {
      self.init(start: base.assumingMemoryBound(to: UInt8.self), count: buffer.count)
    } else {
      self = .empty
    }
  }

  /// Whether there are none.
  @inlinable public var isEmpty: Bool { count == 0 }

  /// The byte at `index`, which the caller knows to be inside.
  @inlinable public subscript(index: Int) -> UInt8 {
    assert(index >= 0 && index < count)
    return start[index]
  }

  /// A part of it; clamped, so that a wrong range gives less and never something outside.
  @inlinable public subscript(range: Range<Int>) -> ByteView {
    let lower = Swift.max(0, Swift.min(range.lowerBound, count))
    let upper = Swift.max(lower, Swift.min(range.upperBound, count))
    return ByteView(start: start + lower, count: upper - lower)
  }

  /// Without the first `n`.
  @inlinable public func dropFirst(_ n: Int = 1) -> ByteView { self[n..<Swift.max(n, count)] }

  /// The first `n`.
  @inlinable public func prefix(_ n: Int) -> ByteView { self[0..<n] }

  /// For loops.
  @inlinable public var buffer: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: start, count: count) }

  /// For calls that take raw memory.
  @inlinable public var raw: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

  /// A copy.
  public var array: [UInt8] { Array(buffer) }

  /// As text for people: what is not UTF-8 becomes U+FFFD.
  public var text: String { String(decoding: buffer, as: UTF8.self) }
}
