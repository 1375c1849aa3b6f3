// Instruments that somebody takes one by one: each has a chain of frames of its own. A want is a lease: who doesn't
// renew it is forgotten.

import MarketData
import TickerPlant

/// See the head of this file.
struct WantedInstruments: ~Copyable {
  /// One of them; a class, so that its buffers stay where they are.
  final class Slot {
    let code: UInt64
    var builder = FrameBuilder()
    var until: UInt64
    /// The last message that a frame has covered.
    var told: UInt64
    /// Time of the last frame.
    var sentAt: UInt64
    var opens: Bool
    var isDirty = false

    init(code: UInt64, until: UInt64, told: UInt64, at now: UInt64) {
      self.code = code
      self.until = until
      self.told = told
      sentAt = now
      opens = false
    }
  }

  private(set) var slots: [Slot] = []
  private var byCode: [UInt64: Int] = [:]
  /// By the plant's number; -1 = nobody wants it.
  private var byNumber: [Int32] = []
  /// The plant's number of each instrument that it has announced.
  private var numbers: [UInt64: Int] = [:]
  private var dirty: [Int32] = []

  init() {}

  var hasAny: Bool { !slots.isEmpty }

  /// Renews or begins a want. Returns true where it is new.
  mutating func want(
    _ code: UInt64, until: UInt64, told: UInt64, at now: UInt64, most: Int, codes: borrowing [UInt64]
  ) -> Bool? {
    if let place = byCode[code] {
      slots[place].until = max(slots[place].until, until)
      return false
    }
    guard slots.count < most else { return nil }
    byCode[code] = slots.count
    slots.append(Slot(code: code, until: until, told: told, at: now))
    if let number = numbers[code], codes[number] == code { bind(number, code) }
    return true
  }

  mutating func bind(_ number: Int, _ code: UInt64) {
    numbers[code] = number
    while byNumber.count <= number { byNumber.append(-1) }
    byNumber[number] = Int32(byCode[code] ?? -1)
  }

  @inline(__always)
  mutating func append(_ record: UnsafeRawPointer, _ header: UpdateHeader, number: Int, code: UInt64) {
    guard number < byNumber.count, byNumber[number] >= 0 else { return }
    let place = byNumber[number]
    let slot = slots[Int(place)]
    // Of a message that was open when it was first wanted the beginning is missing: the snapshot has it.
    guard header.sequence > slot.told || slot.opens else { return }
    // In its own table it is the only one.
    var own = header
    own.instrument = 0
    slot.builder.append(record, own, code: code)
    if !slot.isDirty {
      slot.isDirty = true
      dirty.append(place)
    }
  }

  /// The chains begin anew.
  mutating func begin(at sequence: UInt64, opens: Bool) {
    for slot in slots {
      slot.builder.removeAll()
      slot.told = sequence
      slot.opens = opens
      slot.isDirty = false
    }
    dirty.removeAll(keepingCapacity: true)
  }

  /// Forgets what nobody renewed; `codes` are by the plant's number.
  mutating func expire(at now: UInt64, codes: borrowing [UInt64]) {
    guard slots.contains(where: { $0.until <= now }) else { return }
    slots.removeAll { $0.until <= now }
    byCode.removeAll(keepingCapacity: true)
    dirty.removeAll(keepingCapacity: true)
    for (place, slot) in slots.enumerated() {
      byCode[slot.code] = place
      if slot.isDirty { dirty.append(Int32(place)) }
    }
    for number in codes.indices where codes[number] != 0 { bind(number, codes[number]) }
  }

  /// The next slot that has something to tell; nil where none has.
  mutating func takeDirty() -> Slot? {
    guard let place = dirty.popLast() else { return nil }
    slots[Int(place)].isDirty = false
    return slots[Int(place)]
  }
}
