// A frame in the making: records with the publisher's own instrument numbers go in, their numbers become places in the
// frame's table. All buffers are used again.

import MarketData
import TickerPlant

/// See the head of this file.
struct FrameBuilder: ~Copyable {
  private var codes = ByteStore()
  private(set) var records = ByteStore(capacity: 16 << 10)
  /// By the publisher's number: in which frame it was given a place, and which.
  private var stamps: [UInt32] = []
  private var places: [UInt32] = []
  private var frame: UInt32 = 1
  private var codeCount: UInt32 = 0

  init() {}

  /// Bytes that a frame of this would have.
  @inline(__always)
  var byteCount: Int { FrameHeader.byteCount + codes.count + records.count }
  var isEmpty: Bool { records.count == 0 }

  /// Adds a record, which stands `header.byteCount` bytes from `start` on; `code` is what its number means.
  @inline(__always)
  mutating func append(
    _ start: UnsafeRawPointer, _ header: UpdateHeader, code: UInt64
  ) {
    let number = Int(header.instrument)
    if number >= stamps.count { widen(to: number) }
    if stamps[number] != frame {
      stamps[number] = frame
      places[number] = codeCount
      codeCount &+= 1
      codes.append(code.littleEndian)
    }
    let place = records.extend(by: Int(header.byteCount))
    place.copyMemory(from: start, byteCount: Int(header.byteCount))
    place.storeBytes(of: places[number], toByteOffset: 4, as: UInt32.self)
  }

  /// Puts a code into the table though nothing is said of it.
  mutating func mention(code: UInt64) {
    guard codeCount == 0 else { return }
    codeCount = 1
    codes.append(code.littleEndian)
  }

  @inline(never)
  private mutating func widen(to number: Int) {
    let more = max(number + 1, stamps.count * 2) - stamps.count
    stamps.append(contentsOf: repeatElement(0, count: more))
    places.append(contentsOf: repeatElement(0, count: more))
  }

  /// Writes the frame and begins the next.
  mutating func finish(_ header: FrameHeader, into out: inout ByteStore) {
    out.removeAll()
    let place = out.extend(by: FrameHeader.byteCount)
    header.store(to: place, codes: Int(codeCount), recordBytes: records.count)
    out.append(codes.bytes)
    out.append(records.bytes)
    removeAll()
  }

  /// Forgets what was put in.
  mutating func removeAll() {
    codes.removeAll()
    records.removeAll()
    codeCount = 0
    frame &+= 1
    if frame == 0 {
      for place in stamps.indices { stamps[place] = 0 }
      frame = 1
    }
  }
}
