// From the buses' threads to one receiver: messages one behind the other in a buffer that is swapped with the taker's.
// Bound: `mostBytes`; what comes then is passed over and counted, and asked for again by the merger.

import FeedHandler
import Synchronization

/// See the head of this file.
final class StreamInbox: Sendable {
  /// What a message is, and whence.
  struct Head: BitwiseCopyable {
    enum Kind: UInt8, BitwiseCopyable { case beat, frame, answer }

    var kind: Kind
    var rail: UInt8
    /// Of an answer: which taking of the stream it was asked in.
    var taking: UInt16
    /// Candidate of a beat or frame, the merger's stream of an answer.
    var number: UInt32
    var count: UInt32
    /// When it came, nanoseconds of the monotonic clock.
    var at: UInt64
  }

  private struct Shared {
    var bytes: [UInt8] = []
    var passedOver: UInt64 = 0
  }

  let signal = EventSignal()
  private let mostBytes: Int
  private let shared = Mutex(Shared())

  init(mostBytes: Int) { self.mostBytes = mostBytes }

  /// Copies a message in; any thread.
  func put(
    _ kind: Head.Kind, rail: Int, number: Int, taking: UInt16 = 0, _ payload: UnsafeRawBufferPointer,
    at now: UInt64
  ) {
    guard let number = UInt32(exactly: number) else { return }
    let head = Head(
      kind: kind, rail: UInt8(truncatingIfNeeded: rail), taking: taking, number: number,
      count: UInt32(truncatingIfNeeded: payload.count), at: now)
    let wakes = shared.withLock { shared in
      guard shared.bytes.count + payload.count <= mostBytes else {
        shared.passedOver += 1
        return false
      }
      let wasEmpty = shared.bytes.isEmpty
      withUnsafeBytes(of: head) { shared.bytes.append(contentsOf: $0) }
      shared.bytes.append(contentsOf: payload)
      return wasEmpty
    }
    if wakes { signal.set() }
  }

  /// Messages passed over because too many waited.
  var passedOver: UInt64 { shared.withLock { $0.passedOver } }
  /// Bytes that wait.
  var waitingBytes: Int { shared.withLock { $0.bytes.count } }

  /// Takes all there is; `room` is the taker's buffer and holds them afterwards.
  func take(into room: inout [UInt8]) {
    room.removeAll(keepingCapacity: true)
    // What a flood needed is given back.
    if room.capacity > 8 << 20 { room = [] }
    shared.withLock { swap(&room, &$0.bytes) }
  }

  /// Walks over what was taken.
  static func walk(_ bytes: UnsafeRawBufferPointer, _ body: (Head, UnsafeRawBufferPointer) -> Void) {
    var offset = 0
    while offset + MemoryLayout<Head>.size <= bytes.count {
      let head = bytes.loadUnaligned(fromByteOffset: offset, as: Head.self)
      offset += MemoryLayout<Head>.size
      body(head, UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Int(head.count)]))
      offset += Int(head.count)
    }
  }
}
