// What things are called: instruments, orders, trades, sources, updates. Structs, never bare integers.

/// Buy or sell.
public enum Side: UInt8, Sendable, Hashable {
  case buy = 0
  case sell = 1

  /// The other side.
  @inlinable
  public var opposite: Side { self == .buy ? .sell : .buy }
}

/// An order's number, unique within its market and day.
public struct OrderReference: Sendable, Hashable, Comparable {
  /// The number on the feed.
  public var rawValue: UInt64
  /// An order's number.
  @inlinable
  public init(_ rawValue: UInt64) { self.rawValue = rawValue }
  /// Orders by value.
  @inlinable
  public static func < (a: OrderReference, b: OrderReference) -> Bool { a.rawValue < b.rawValue }
}

/// A match's number, unique within its market and day.
public struct MatchNumber: Sendable, Hashable {
  /// The number on the feed.
  public var rawValue: UInt64
  /// A match's number.
  @inlinable
  public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// The feed's own number of a message, from 1 within an epoch.
public struct SequenceNumber: Sendable, Hashable, Comparable {
  /// The number; 0 = before the first message.
  public var rawValue: UInt64
  /// A sequence number.
  @inlinable
  public init(_ rawValue: UInt64) { self.rawValue = rawValue }
  /// Orders by value.
  @inlinable
  public static func < (a: SequenceNumber, b: SequenceNumber) -> Bool { a.rawValue < b.rawValue }
}

/// An instrument's code as on the feed: eight ASCII bytes, right padded with spaces, first byte highest.
public struct InstrumentCode: BitwiseCopyable, Sendable, Hashable, Comparable {
  /// The eight bytes.
  public var rawValue: UInt64
  /// A code from its eight bytes.
  @inlinable
  public init(_ rawValue: UInt64) { self.rawValue = rawValue }

  /// A code from text of one to eight printable ASCII characters without spaces; nil for anything else.
  public init?(_ text: some StringProtocol) {
    var value: UInt64 = 0
    var count = 0
    for byte in text.utf8 {
      guard (0x21...0x7e).contains(byte), count < 8 else { return nil }
      value = value << 8 | UInt64(byte)
      count += 1
    }
    guard count > 0 else { return nil }
    for _ in count..<8 { value = value << 8 | 0x20 }
    rawValue = value
  }

  /// Orders by value.
  @inlinable
  public static func < (a: InstrumentCode, b: InstrumentCode) -> Bool { a.rawValue < b.rawValue }
}

extension InstrumentCode: CustomStringConvertible {
  /// The characters without padding; bytes that aren't printable ASCII show as `?`.
  public var description: String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(8)
    for shift in stride(from: UInt64(56), through: 0, by: -8) {
      let byte = UInt8(truncatingIfNeeded: rawValue >> shift)
      bytes.append((0x20...0x7e).contains(byte) ? byte : 0x3f)
    }
    while bytes.last == 0x20 { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }
}
