// From an instrument's code to a number from 0 in the order of coming: a flat hash table, so that a look-up per frame
// and instrument costs no more than a load.

import MarketData

/// See the head of this file.
struct CodeTable: ~Copyable {
  private var keys: UnsafeMutablePointer<UInt64>
  private var values: UnsafeMutablePointer<Int32>
  private var capacity = 64
  /// Codes by number.
  private(set) var codes: [InstrumentCode] = []

  init() {
    keys = .allocate(capacity: 64)
    values = .allocate(capacity: 64)
    values.initialize(repeating: -1, count: 64)
    keys.initialize(repeating: 0, count: 64)
  }

  deinit {
    keys.deallocate()
    values.deallocate()
  }

  /// How many there are.
  var count: Int { codes.count }

  /// The number of a code; -1 = not known.
  @inline(__always)
  func number(of code: InstrumentCode) -> Int {
    var slot = Int(truncatingIfNeeded: StateDigest.mix(code.rawValue)) & (capacity - 1)
    while values[slot] >= 0 {
      if keys[slot] == code.rawValue { return Int(values[slot]) }
      slot = (slot + 1) & (capacity - 1)
    }
    return -1
  }

  /// The number of a code, a new one where it isn't known.
  mutating func add(_ code: InstrumentCode) -> Int {
    let known = number(of: code)
    if known >= 0 { return known }
    if codes.count * 2 >= capacity { grow() }
    put(code.rawValue, Int32(codes.count))
    codes.append(code)
    return codes.count - 1
  }

  private func put(_ key: UInt64, _ value: Int32) {
    var slot = Int(truncatingIfNeeded: StateDigest.mix(key)) & (capacity - 1)
    while values[slot] >= 0 { slot = (slot + 1) & (capacity - 1) }
    keys[slot] = key
    values[slot] = value
  }

  private mutating func grow() {
    keys.deallocate()
    values.deallocate()
    capacity *= 2
    keys = .allocate(capacity: capacity)
    values = .allocate(capacity: capacity)
    keys.initialize(repeating: 0, count: capacity)
    values.initialize(repeating: -1, count: capacity)
    for (number, code) in codes.enumerated() { put(code.rawValue, Int32(number)) }
  }
}
