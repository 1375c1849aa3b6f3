// Writes JSON into one growing block of memory: integers, exact prices, times, escaped text.
// For the fan-out path: no String is made, nothing is allocated once the block has grown.

public import MarketData

/// A growing block of JSON text. Owner: one event loop.
public struct JSONWriter: ~Copyable {
  private var base: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  /// Bytes written.
  public private(set) var count = 0

  /// An empty block.
  public init(capacity: Int = 4096) {
    self.capacity = max(256, capacity)
    base = .allocate(capacity: self.capacity)
  }

  deinit { base.deallocate() }

  /// What was written, valid until the next change.
  public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

  /// What was written, as text.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  /// Forgets what was written.
  public mutating func removeAll() { count = 0 }

  /// Gives memory back where what is written at present needs little of it. Call it before `removeAll`.
  mutating func trim() {
    guard capacity > 16 << 10, count < capacity / 8 else { return }
    capacity = max(16 << 10, count)
    let smaller = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    smaller.update(from: base, count: count)
    base.deallocate()
    base = smaller
  }

  /// Puts the length of what was written from `start` on before it, as a varint.
  mutating func prefixLength(from start: Int) {
    let length = count - start
    var bytes = 1
    while length >> (7 * bytes) > 0 { bytes += 1 }
    room(bytes)
    UnsafeMutableRawPointer(base + start + bytes).copyMemory(from: base + start, byteCount: length)
    var rest = length
    for place in 0..<bytes {
      base[start + place] = UInt8(truncatingIfNeeded: rest & 0x7f) | (place < bytes - 1 ? 0x80 : 0)
      rest >>= 7
    }
    count += bytes
  }

  /// Forgets what was written after the first `length` bytes.
  mutating func truncate(to length: Int) { count = min(count, max(0, length)) }

  /// Leaves `length` bytes at the beginning to whoever takes the block, and writes after them.
  mutating func begin(after length: Int) {
    count = 0
    room(length)
    count = length
  }

  /// Where byte `offset` of the block lies, valid until the next change.
  func pointer(at offset: Int) -> UnsafeMutableRawPointer { UnsafeMutableRawPointer(base + offset) }

  /// Makes the block `length` bytes longer; the caller writes them.
  mutating func extend(by length: Int) -> UnsafeMutableRawPointer {
    room(length)
    defer { count += length }
    return pointer(at: count)
  }

  @inline(__always)
  private mutating func room(_ extra: Int) {
    if count + extra > capacity { grow(extra) }
  }

  private mutating func grow(_ extra: Int) {
    capacity = max(capacity * 2, count + extra)
    let bigger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    bigger.update(from: base, count: count)
    base.deallocate()
    base = bigger
  }

  /// One byte.
  @inline(__always)
  public mutating func byte(_ value: UInt8) {
    room(1)
    base[count] = value
    count += 1
  }

  /// Text of this program, taken as it is.
  @inline(__always)
  public mutating func raw(_ text: StaticString) {
    let length = text.utf8CodeUnitCount
    room(length)
    (base + count).update(from: text.utf8Start, count: length)
    count += length
  }

  /// Bytes that are JSON already.
  @inline(__always)
  public mutating func raw(_ other: UnsafeRawBufferPointer) {
    guard let start = other.baseAddress else { return }
    room(other.count)
    UnsafeMutableRawPointer(base + count).copyMemory(from: start, byteCount: other.count)
    count += other.count
  }

  mutating func raw(_ other: [UInt8]) { other.withUnsafeBytes { raw($0) } }

  /// An integer.
  @inline(__always)
  public mutating func integer(_ value: UInt64) {
    room(20)
    var value = value
    if value < 10 {
      base[count] = 0x30 + UInt8(truncatingIfNeeded: value)
      count += 1
      return
    }
    var digits = 1
    var limit: UInt64 = 10
    while digits < 20, value >= limit {
      digits += 1
      let (next, overflow) = limit.multipliedReportingOverflow(by: 10)
      if overflow { break }
      limit = next
    }
    var position = count + digits
    count = position
    for _ in 0..<digits {
      position -= 1
      base[position] = 0x30 + UInt8(truncatingIfNeeded: value % 10)
      value /= 10
    }
  }

  /// An integer.
  public mutating func integer(_ value: Int64) {
    if value < 0 { byte(0x2d) }
    integer(value.magnitude)
  }

  /// Exactly `width` digits.
  @inline(__always)
  mutating func padded(_ value: UInt64, _ width: Int) {
    room(width)
    var value = value
    for index in stride(from: count + width - 1, through: count, by: -1) {
      base[index] = 0x30 + UInt8(truncatingIfNeeded: value % 10)
      value /= 10
    }
    count += width
  }

  /// An exact decimal of `decimals` places without trailing zeros.
  public mutating func decimal(_ units: Int64, decimals: Int = 4) {
    if units < 0 { byte(0x2d) }
    decimal(units.magnitude, decimals: decimals)
  }

  /// An exact decimal of `decimals` places without trailing zeros.
  public mutating func decimal(_ units: UInt64, decimals: Int = 4) {
    var scale: UInt64 = 1
    for _ in 0..<decimals { scale *= 10 }
    integer(units / scale)
    var fraction = units % scale
    if fraction == 0 { return }
    var places = decimals
    while fraction % 10 == 0 {
      fraction /= 10
      places -= 1
    }
    byte(0x2e)
    padded(fraction, places)
  }

  /// A price, or null for `noPrice`.
  public mutating func price(_ units: Int64) {
    if units == .min { raw("null") } else { decimal(units) }
  }

  /// A quoted, escaped text.
  public mutating func string(_ text: some StringProtocol) {
    byte(0x22)
    for byte in text.utf8 {
      switch byte {
      case 0x22: raw("\\\"")
      case 0x5c: raw("\\\\")
      case 0x0a: raw("\\n")
      case 0x0d: raw("\\r")
      case 0x09: raw("\\t")
      case 0..<0x20:
        raw("\\u00")
        let digits = Array("0123456789abcdef".utf8)
        self.byte(digits[Int(byte >> 4)])
        self.byte(digits[Int(byte & 15)])
      default: self.byte(byte)
      }
    }
    byte(0x22)
  }

  /// A quoted instrument code, as in its description: without padding, `?` for what isn't printable ASCII.
  public mutating func code(_ code: InstrumentCode) {
    byte(0x22)
    let padding = min(64, UInt64((code.rawValue ^ 0x2020_2020_2020_2020).trailingZeroBitCount) & ~7)
    var shift: UInt64 = 64
    while shift > padding {
      shift -= 8
      let character = UInt8(truncatingIfNeeded: code.rawValue >> shift)
      if character == 0x22 || character == 0x5c { byte(0x5c) }
      byte((0x20...0x7e).contains(character) ? character : 0x3f)
    }
    byte(0x22)
  }

  /// `true` or `false`.
  public mutating func boolean(_ value: Bool) { if value { raw("true") } else { raw("false") } }

  /// Times of one day: its date is written once, and copied.
  struct DayStamp {
    var day: TradingDay
    private var prefix: [UInt8]
    private var suffix: [UInt8]

    init(_ day: TradingDay) {
      self.day = day
      prefix = Array("\"\(day.date)T".utf8)
      suffix = Array("\(day.offsetText)\"".utf8)
    }

    /// A quoted RFC 3339 time with nanoseconds, from nanoseconds since midnight.
    func write(_ nanoseconds: UInt64, into writer: inout JSONWriter) {
      if nanoseconds >= 86_400_000_000_000 {
        writer.string(day.text(ofNanosecondsSinceMidnight: nanoseconds))
        return
      }
      let seconds = nanoseconds / 1_000_000_000
      writer.raw(prefix)
      writer.padded(seconds / 3600, 2)
      writer.byte(0x3a)
      writer.padded(seconds / 60 % 60, 2)
      writer.byte(0x3a)
      writer.padded(seconds % 60, 2)
      writer.byte(0x2e)
      writer.padded(nanoseconds % 1_000_000_000, 9)
      writer.raw(suffix)
    }
  }
}
