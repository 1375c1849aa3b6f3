// What can be wrong with a capture file or a packet in it. Reasons name what was found and what was wanted.

/// A fault of a capture file, or of a packet within it.
public struct CaptureFault: Error, Sendable, Hashable {
  /// What is wrong.
  public enum Reason: Sendable, Hashable {
    /// The file begins with no magic number of a capture format.
    case notACapture(magic: UInt32)
    /// The file ends within a header, record or block.
    case truncated(what: String, found: Int, wanted: Int)
    /// A record or block is longer than any real one.
    case tooLong(what: String, bytes: UInt32, limit: Int)
    /// A field has an impossible value.
    case field(String, found: UInt64, wanted: String)
    /// A packet came in by an interface that the file doesn't describe.
    case unknownInterface(UInt32, known: Int)
    /// Only the beginning of the packet was captured.
    case cutShort(what: String, found: Int, wanted: Int)
    /// The link layer isn't one of those read.
    case linkType(UInt32)
    /// The packet carries something other than IPv4 or IPv6.
    case networkProtocol(UInt16)
    /// The packet carries something other than UDP.
    case transportProtocol(UInt8)
    /// The packet is one fragment of a datagram.
    case fragment(offset: Int)
  }

  /// Offset of the fault: in the file for faults of the file, in the packet for faults of a packet.
  public var offset: UInt64
  /// What is wrong.
  public var reason: Reason

  /// A fault from its parts.
  public init(offset: UInt64, reason: Reason) {
    self.offset = offset
    self.reason = reason
  }
}

extension CaptureFault: CustomStringConvertible {
  /// What was found and what is wanted.
  public var description: String {
    switch reason {
    case .notACapture(let magic):
      "begins with \(Self.hex(UInt64(magic))); wanted the magic number of pcap or pcapng"
    case .truncated(let what, let found, let wanted):
      "the file ends within a \(what): \(found) bytes found, \(wanted) wanted"
    case .tooLong(let what, let bytes, let limit):
      "\(what) of \(bytes) bytes found; at most \(limit) are read; what follows can't be found"
    case .field(let name, let found, let wanted): "\(name): \(found) found, \(wanted) wanted"
    case .unknownInterface(let number, let known):
      "packet of interface \(number); the section describes \(known)"
    case .cutShort(let what, let found, let wanted):
      "packet is cut short: \(what) has \(found) bytes, \(wanted) wanted"
    case .linkType(let type):
      "link type \(type) isn't read; wanted Ethernet, Linux cooked, raw IP or loopback"
    case .networkProtocol(let type): "network protocol \(Self.hex(UInt64(type))) found; wanted IPv4 or IPv6"
    case .transportProtocol(let number): "IP protocol \(number) found; wanted 17 (UDP)"
    case .fragment(let offset):
      "fragment of a datagram (its bytes from \(offset) on); fragments aren't put together"
    }
  }

  static func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
}
