// How much of a thread's stack was taken since a place: what goes into itself (blocks in blocks, values in values) stops
// with a fault long before the stack ends, however large a build makes its frames.
//
// Invariant: a mark is asked on the thread that made it.

/// A place on a thread's stack.
public struct StackMark: Sendable {
  private let place: UInt

  /// What may be taken behind a mark: some platforms give threads 512 KiB in all.
  private static var mostBytes: UInt { 256 * 1024 }

  /// Here.
  public init() { place = Self.here() }

  /// Whether there is room to go further in.
  public var hasRoom: Bool {
    let now = Self.here()
    return (now > place ? now - place : place - now) <= Self.mostBytes
  }

  @inline(never) private static func here() -> UInt {
    var mark: UInt8 = 0
    return withUnsafeMutablePointer(to: &mark) { UInt(bitPattern: $0) }
  }
}
