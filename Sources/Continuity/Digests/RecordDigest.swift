// Sums over what a plant says, by window of sequence numbers, by instrument and by message: two plants that applied the
// same messages have the same sums, and where they don't, the instrument and the first message are named.
// Summed is what follows from the feed: not when it was received, not what reference data or an earlier day says, not
// the source's state. Owner: the publisher's thread.
// Invariant: a window is told of only when it was summed from its first message to its last.

import MarketData
import TickerPlant

/// See the head of this file.
public struct RecordDigest: ~Copyable {
  /// One window: 2^`windowBits` sequence numbers.
  private struct Window {
    var number: UInt64 = .max
    var sum: UInt64 = 0
    var instruments: [UInt64] = []
    var messages: [UInt64] = []
  }

  /// Windows that are kept unless otherwise said: with ten beats a second each of up to 1.2 million messages a second is
  /// told.
  public static let defaultKept = 32

  /// Binary logarithm of a window's length.
  public let windowBits: Int
  /// The last message up to which nothing was summed.
  public private(set) var base: UInt64 = 0
  private var windows: [Window]
  private var current: UInt64 = 0
  private var codes: [UInt64] = []

  /// Sums over windows of 2^`windowBits` messages, of which the last `kept` are kept.
  public init(windowBits: Int = 12, kept: Int = RecordDigest.defaultKept) {
    self.windowBits = min(20, max(1, windowBits))
    windows = Array(repeating: Window(), count: max(2, kept))
  }

  /// Begins anew behind `sequence`: what was before isn't known.
  public mutating func begin(at sequence: UInt64) {
    base = sequence
    for place in windows.indices { windows[place].number = .max }
    current = sequence >> UInt64(windowBits)
    open(current)
  }

  private mutating func open(_ number: UInt64) {
    let place = Int(number % UInt64(windows.count))
    let length = 1 << windowBits
    windows[place].number = number
    windows[place].sum = 0
    if windows[place].messages.isEmpty {
      windows[place].messages = Array(repeating: 0, count: length)
    } else {
      for message in 0..<length { windows[place].messages[message] = 0 }
    }
    for instrument in windows[place].instruments.indices { windows[place].instruments[instrument] = 0 }
  }

  /// Adds a record that stands at `start`, whose instrument is called `code`.
  @inline(__always)
  mutating func add(_ start: UnsafeRawPointer, _ header: UpdateHeader, code: UInt64) {
    let number = header.sequence >> UInt64(windowBits)
    if number != current { advance(to: number) }
    let place = Int(number % UInt64(windows.count))
    guard windows[place].number == number else { return }
    let part = Self.sum(start, header, code: code)
    let instrument = Int(header.instrument)
    if instrument >= windows[place].instruments.count { widen(place, instrument) }
    if instrument >= codes.count || codes[instrument] != code { name(instrument, code) }
    windows[place].sum &+= part
    windows[place].instruments[instrument] &+= part
    windows[place].messages[Int(header.sequence & (1 << UInt64(windowBits) - 1))] &+= part
  }

  @inline(never)
  private mutating func advance(to number: UInt64) {
    guard number > current else { return }
    let first = max(current + 1, number &- UInt64(min(windows.count - 1, Int(clamping: number))))
    for opened in first...number { open(opened) }
    current = number
  }

  @inline(never)
  private mutating func widen(_ place: Int, _ instrument: Int) {
    let count = windows[place].instruments.count
    windows[place].instruments.append(
      contentsOf: repeatElement(0, count: max(instrument + 1, count * 2) - count))
  }

  @inline(never)
  private mutating func name(_ instrument: Int, _ code: UInt64) {
    while codes.count <= instrument { codes.append(0) }
    codes[instrument] = code
  }

  /// First message and sum of the newest window that is over; nil where none is.
  public var lastFullWindow: (start: UInt64, sum: UInt64)? {
    guard current > 0, let window = window(current - 1) else { return nil }
    return ((current - 1) << UInt64(windowBits), window.sum)
  }

  /// The windows that are over and begin after message `start`, oldest first, of those that are kept; nil = all of them.
  public func fullWindows(after start: UInt64?) -> [DigestWindow] {
    let oldest = current > UInt64(windows.count) ? current - UInt64(windows.count) : 0
    let first = start.map { max(oldest, $0 >> UInt64(windowBits) + 1) } ?? oldest
    guard first < current else { return [] }
    return (first..<current).compactMap { number in
      window(number).map { DigestWindow(start: number << UInt64(windowBits), sum: $0.sum) }
    }
  }

  /// Whether a window is there and was summed whole.
  private func window(_ number: UInt64) -> Window? {
    let window = windows[Int(number % UInt64(windows.count))]
    // Message 0 is none: the first window begins with message 1.
    let first = max(1, number << UInt64(windowBits))
    guard window.number == number, number < current, first > base else { return nil }
    return window
  }

  /// All sums of the window that begins with message `start`; nil where it isn't kept or wasn't summed whole.
  public func summary(windowStart start: UInt64) -> WindowSummary? {
    guard let window = window(start >> UInt64(windowBits)) else { return nil }
    var instruments: [(InstrumentCode, UInt64)] = []
    for (number, sum) in window.instruments.enumerated() where sum != 0 && number < codes.count {
      instruments.append((InstrumentCode(codes[number]), sum))
    }
    return WindowSummary(
      start: (start >> UInt64(windowBits)) << UInt64(windowBits), sum: window.sum,
      instruments: instruments.sorted { $0.0 < $1.0 }, messages: window.messages)
  }

  // MARK: - One record

  /// A record's part of the sums: of what follows from the feed alone.
  static func sum(_ start: UnsafeRawPointer, _ header: UpdateHeader, code: UInt64) -> UInt64 {
    let payload = start + MemoryLayout<UpdateHeader>.size
    if RecordSizes.isFacts(kind: header.kind) {
      return sum(payload.loadUnaligned(as: FactsPayload.self), header, code: code)
    }
    // Whether an instrument begins empty or is emptied is a plant's own history, and so is what comes of it.
    guard header.kind != UpdateKind.cleared.rawValue, header.kind != UpdateKind.stamps.rawValue
    else { return 0 }
    var sum = StateDigest.mix(header.sequence &* 0x9e37_79b9_7f4a_7c15 ^ code)
    sum ^= UInt64(header.kind) << 8 | UInt64(header.flags)
    sum = (sum ^ header.time) &* 0xff51_afd7_ed55_8ccd
    var offset = 0
    let count = Int(header.byteCount) - MemoryLayout<UpdateHeader>.size
    while offset + 8 <= count {
      sum = (sum ^ payload.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* 0xc4ce_b9fe_1a85_ec53
      sum ^= sum >> 29
      offset += 8
    }
    return StateDigest.mix(sum)
  }

  /// Of facts only what is set counts, and not the trading state: a plant that knew the instrument yesterday says more
  /// of it before the feed names it than one that began today.
  private static func sum(_ facts: FactsPayload, _ header: UpdateHeader, code: UInt64) -> UInt64 {
    var total: UInt64 = 0
    let seed = StateDigest.mix(header.sequence &* 0x9e37_79b9_7f4a_7c15 ^ code)
    if facts.close != noPrice { total &+= part(seed, 1, UInt64(bitPattern: facts.close)) }
    if facts.collarUpper != noPrice { total &+= part(seed, 2, UInt64(bitPattern: facts.collarUpper)) }
    if facts.collarLower != noPrice { total &+= part(seed, 3, UInt64(bitPattern: facts.collarLower)) }
    if facts.auction.crossType != 0 {
      total &+= part(seed, 4, UInt64(bitPattern: facts.auction.price))
      total &+= part(seed, 5, UInt64(bitPattern: facts.auction.far))
      total &+= part(seed, 6, UInt64(bitPattern: facts.auction.near))
      total &+= part(seed, 7, facts.auction.paired)
      total &+= part(seed, 8, facts.auction.imbalance)
    }
    if facts.shortRestricted { total &+= part(seed, 9, 1) }
    if facts.suspect { total &+= part(seed, 10, 1) }
    return total
  }

  @inline(__always)
  private static func part(_ seed: UInt64, _ field: UInt64, _ value: UInt64) -> UInt64 {
    StateDigest.mix(seed ^ field << 56 ^ StateDigest.mix(value))
  }
}
