// Frames of the instruments that somebody takes one by one.

public import MarketData
import TickerPlant

extension StreamPublisher {
  /// Somebody wants these instruments from now on, for the time of a lease.
  /// - Returns: how many are wanted now.
  @discardableResult
  public mutating func want(_ instruments: some Sequence<InstrumentCode>, at now: UInt64) -> Int {
    // The chain begins behind what the next frame of the market will begin with.
    for code in instruments {
      let isNew = wanted.want(
        code.rawValue, until: now &+ configuration.leaseNanoseconds, told: max(complete, openMessage ?? 0),
        at: now, most: configuration.mostWanted, codes: codes)
      if isNew == nil { counters.notWanted &+= 1 }
    }
    return wanted.slots.count
  }

  /// Instruments that are wanted now.
  public var wantedCodes: [InstrumentCode] { wanted.slots.map { InstrumentCode($0.code) } }

  mutating func emitWanted(
    at now: UInt64, wall: UInt64, emit: (Destination, UnsafeRawBufferPointer) -> Void
  ) {
    let head = header(.records, flags: [.single], from: 0, through: told, wall: wall)
    while let slot = wanted.takeDirty() {
      guard slot.told <= told else { continue }
      Self.send(slot, head, at: now, into: &out, emit: emit)
      counters.instrumentFrames &+= 1
      counters.instrumentBytes &+= UInt64(out.count)
    }
  }

  /// Says of wanted instruments without news up to where there was none.
  mutating func emitIdle(
    at now: UInt64, wall: UInt64, emit: (Destination, UnsafeRawBufferPointer) -> Void
  ) {
    guard openMessage == nil, complete == told, !(opens && complete == 0) else { return }
    let head = header(.records, flags: [.single], from: 0, through: told, wall: wall)
    for slot in wanted.slots
    where !slot.isDirty && slot.told <= told && now &- slot.sentAt >= configuration.idleNanoseconds {
      Self.send(slot, head, at: now, into: &out, emit: emit)
      counters.instrumentFrames &+= 1
      counters.instrumentBytes &+= UInt64(out.count)
    }
  }

  private static func send(
    _ slot: WantedInstruments.Slot, _ head: FrameHeader, at now: UInt64, into buffer: inout ByteStore,
    emit: (Destination, UnsafeRawBufferPointer) -> Void
  ) {
    var head = head
    head.from = slot.told
    if slot.opens { head.flags.insert(.opens) }
    slot.builder.mention(code: slot.code)
    slot.builder.finish(head, into: &buffer)
    slot.told = head.through
    slot.sentAt = now
    slot.opens = false
    emit(.instrument(InstrumentCode(slot.code)), buffer.bytes)
  }
}
