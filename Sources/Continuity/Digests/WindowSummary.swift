// The sums of one window, as one node tells them to another, and what differs between two.

public import MarketData

/// A window's sum over all records.
public struct DigestWindow: BitwiseCopyable, Sendable, Equatable {
  /// First sequence number of the window; 0 is the first window's.
  public var start: UInt64
  /// Over all records.
  public var sum: UInt64

  /// A sum.
  public init(start: UInt64, sum: UInt64) {
    self.start = start
    self.sum = sum
  }
}

/// The sums of one window.
public struct WindowSummary: Sendable {
  /// First sequence number of the window.
  public var start: UInt64
  /// Over all records.
  public var sum: UInt64
  /// By instrument, ascending codes.
  public var instruments: [(InstrumentCode, UInt64)]
  /// By message, from `start` on.
  public var messages: [UInt64]

  /// Sums.
  public init(start: UInt64, sum: UInt64, instruments: [(InstrumentCode, UInt64)], messages: [UInt64]) {
    self.start = start
    self.sum = sum
    self.instruments = instruments
    self.messages = messages
  }

  /// What differs between this window and another node's; nil where nothing does or they aren't the same window.
  public func difference(from other: WindowSummary) -> DigestDifference? {
    guard start == other.start, sum != other.sum else { return nil }
    var theirs: [InstrumentCode: UInt64] = [:]
    for (code, sum) in other.instruments { theirs[code, default: 0] &+= sum }
    var codes: [InstrumentCode] = []
    for (code, sum) in instruments {
      if theirs[code] != sum { codes.append(code) }
      theirs[code] = nil
    }
    codes += theirs.filter { $0.value != 0 }.keys
    var first: UInt64?
    for place in 0..<min(messages.count, other.messages.count)
    where messages[place] != other.messages[place] {
      first = start + UInt64(place)
      break
    }
    return DigestDifference(
      instruments: codes.sorted(), windowStart: start, windowLength: UInt64(messages.count), sequence: first)
  }

  /// As it crosses between nodes, little-endian: start, sum, counts, instruments, messages.
  public func encoded() -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(24 + instruments.count * 16 + messages.count * 8)
    func put(_ value: UInt64) { withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) } }
    put(start)
    put(sum)
    put(UInt64(instruments.count) << 32 | UInt64(messages.count))
    for (code, sum) in instruments {
      put(code.rawValue)
      put(sum)
    }
    for message in messages { put(message) }
    return bytes
  }

  /// Sums from bytes of another node; nil where they are none.
  public init?(decoding bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= 24, bytes.count <= 64 << 20, bytes.count % 8 == 0 else { return nil }
    func word(_ place: Int) -> UInt64 {
      UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place * 8, as: UInt64.self))
    }
    let instrumentCount = Int(word(2) >> 32)
    let messageCount = Int(word(2) & 0xffff_ffff)
    guard bytes.count / 8 == 3 + instrumentCount * 2 + messageCount, word(0) < 1 << 62 else { return nil }
    start = word(0)
    sum = word(1)
    instruments = (0..<instrumentCount).map { (InstrumentCode(word(3 + $0 * 2)), word(4 + $0 * 2)) }
    messages = (0..<messageCount).map { word(3 + instrumentCount * 2 + $0) }
  }
}

/// Where two plants differ.
public struct DigestDifference: Sendable, Equatable, CustomStringConvertible {
  /// Instruments with different sums, ascending; empty where the messages differ but no instrument does.
  public var instruments: [InstrumentCode]
  /// First message of the window.
  public var windowStart: UInt64
  /// Messages of the window.
  public var windowLength: UInt64
  /// The first message that differs; nil where only the totals do.
  public var sequence: UInt64?

  /// A difference.
  public init(instruments: [InstrumentCode], windowStart: UInt64, windowLength: UInt64, sequence: UInt64?) {
    self.instruments = instruments
    self.windowStart = windowStart
    self.windowLength = windowLength
    self.sequence = sequence
  }

  /// For people.
  public var description: String {
    let shown = instruments.prefix(5).map(\.description).joined(separator: ", ")
    let names =
      instruments.isEmpty
      ? "no instrument by itself"
      : shown + (instruments.count > 5 ? " and \(instruments.count - 5) more" : "")
    let place = sequence.map { "from message \($0) on" } ?? "somewhere"
    return
      "the plants differ in \(names), \(place), within messages \(windowStart) to \(windowStart + windowLength - 1)"
  }
}
