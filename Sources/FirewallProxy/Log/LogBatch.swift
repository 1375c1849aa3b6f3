// Log lines of one loop, gathered until the writer takes them: a batch a few times a second, or when it is large.
// Owner: the event loop.

final class LogBatch {
  private let file: TransactionLog
  private var bytes: [UInt8] = []
  private var lines: UInt64 = 0
  private var dates = TimeText()
  private static let batchBytes = 64 << 10

  init(_ file: TransactionLog) {
    self.file = file
    bytes.reserveCapacity(Self.batchBytes + 4096)
  }

  /// - Parameter wall: when the exchange began, in nanoseconds since 1970.
  func write(_ exchange: some LoggedExchange, end: Int64, wall: Int64) {
    LogLine.write(exchange, end: end, wall: wall, dates: &dates, to: &bytes)
    lines += 1
    if bytes.count >= Self.batchBytes { flush() }
  }

  func flush() {
    guard lines > 0 else { return }
    file.take(bytes, lines: lines)
    bytes = []
    bytes.reserveCapacity(Self.batchBytes + 4096)
    lines = 0
  }
}

/// RFC 3339 times in UTC with microseconds; the part down to the second is made once a second.
struct TimeText {
  private var second: Int64 = .min
  private var prefix: [UInt8] = []

  mutating func write(_ wall: Int64, to out: inout [UInt8]) {
    let now = wall / 1_000_000_000
    if now != second {
      second = now
      prefix = Self.text(now)
    }
    out += prefix
    out.append(UInt8(ascii: "."))
    var rest = wall % 1_000_000_000 / 1000
    var divisor: Int64 = 100_000
    for _ in 0..<6 {
      out.append(UInt8(truncatingIfNeeded: rest / divisor) &+ UInt8(ascii: "0"))
      rest %= divisor
      divisor /= 10
    }
    out.append(UInt8(ascii: "Z"))
  }

  /// `2026-11-26T05:45:10`; the civil date from days, as Howard Hinnant's algorithm has it.
  static func text(_ seconds: Int64) -> [UInt8] {
    let days = seconds / 86_400
    let time = Int(seconds % 86_400)
    let shifted = days + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return Array(
      "\(year)-\(two(month))-\(two(day))T\(two(Int64(time / 3600))):\(two(Int64(time / 60 % 60))):\(two(Int64(time % 60)))"
        .utf8)
  }
}
