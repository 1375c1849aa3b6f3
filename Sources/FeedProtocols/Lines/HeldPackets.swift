// Packets that came before their turn, by sequence, with their own copy of the bytes. Bounded: beyond it a packet is
// not taken, and what it carried is asked for later.

/// A packet's message blocks (two-byte length, message), with consecutive sequence numbers.
public struct HeldPacket: Sendable {
  /// Sequence number of the first message.
  public var sequence: UInt64
  /// Messages.
  public var count: Int
  /// The blocks.
  public var bytes: [UInt8]
  /// When the host received it, nanoseconds since 1970.
  public var receivedAt: UInt64

  /// One past the last message.
  public var end: UInt64 { sequence &+ UInt64(count) }

  /// Bytes of memory, what holds the bytes included.
  var cost: Int { bytes.count + 112 }
}

/// See the head of this file.
struct HeldPackets: Sendable {
  /// Most bytes held.
  let maximumBytes: Int
  private(set) var byteCount = 0
  /// By sequence, lowest first, from `head` on: what comes is mostly the highest, what leaves is the lowest.
  private var packets: [HeldPacket] = []
  private var head = 0

  init(maximumBytes: Int) { self.maximumBytes = maximumBytes }

  var isEmpty: Bool { head == packets.count }

  /// Takes a packet in; false where there is no room.
  mutating func insert(_ packet: HeldPacket) -> Bool {
    guard byteCount + packet.cost <= maximumBytes else { return false }
    var low = head
    var high = packets.count
    while low < high {
      let middle = (low + high) / 2
      if packets[middle].sequence <= packet.sequence { low = middle + 1 } else { high = middle }
    }
    byteCount += packet.cost
    packets.insert(packet, at: low)
    return true
  }

  /// The packet with the lowest sequence, where it begins at or before `next`.
  mutating func take(at next: UInt64) -> HeldPacket? {
    guard head < packets.count, packets[head].sequence <= next else { return nil }
    let packet = packets[head]
    packets[head].bytes = []
    head += 1
    byteCount -= packet.cost
    if head == packets.count || head > 1024 {
      packets.removeSubrange(..<head)
      head = 0
    }
    return packet
  }

  /// The packet that has that message.
  func packet(with sequence: UInt64) -> HeldPacket? {
    var low = head
    var high = packets.count
    while low < high {
      let middle = (low + high) / 2
      if packets[middle].sequence <= sequence { low = middle + 1 } else { high = middle }
    }
    guard low > head, packets[low - 1].end > sequence else { return nil }
    return packets[low - 1]
  }

  mutating func removeAll() {
    packets.removeAll()
    head = 0
    byteCount = 0
  }
}
