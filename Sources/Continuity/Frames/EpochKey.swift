// An epoch's name in fixed size, as headers carry it: comparing two allocates nothing.

import MarketData
import TickerPlant

/// Day and session in 32 bytes.
public struct EpochKey: BitwiseCopyable, Sendable, Hashable {
  /// Bytes of the longest session.
  public static let longestSession = 20

  /// Days since 1970.
  public var day: Int64
  /// The session's bytes in memory order, zero padded.
  public var first: UInt64
  /// The next eight bytes.
  public var second: UInt64
  /// The last four bytes.
  public var third: UInt64

  /// A key from what a source record says.
  @inlinable
  public init(day: Int64, first: UInt64, second: UInt64, third: UInt64 = 0) {
    self.day = day
    self.first = first
    self.second = second
    self.third = third
  }

  /// A key of a name; a session's bytes beyond the twentieth are left out.
  public init(_ name: EpochName) {
    var words: (UInt64, UInt64, UInt64) = (0, 0, 0)
    withUnsafeMutableBytes(of: &words) { raw in
      for (place, byte) in name.session.utf8.prefix(Self.longestSession).enumerated() { raw[place] = byte }
    }
    self.init(day: Int64(name.date.daysSince1970), first: words.0, second: words.1, third: words.2)
  }

  /// The session as text.
  public var session: String {
    var bytes: [UInt8] = []
    for word in [first, second, third] {
      withUnsafeBytes(of: word) { bytes.append(contentsOf: $0.prefix { $0 != 0 }) }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The name for people.
  public var name: EpochName {
    EpochName(session: session, date: CalendarDate(daysSince1970: Int(clamping: day)))
  }

  /// The session without the mark of a restart, and how often it began: `NAME~2` is the second time.
  var parts: (base: String, restarts: Int) {
    let parts = session.split(separator: "~", maxSplits: 1)
    return (parts.first.map(String.init) ?? "", parts.count == 2 ? max(1, Int(parts[1]) ?? 1) : 1)
  }
}
