// What can be wrong with the bytes of a SoupBinTCP stream: where, what was found, what was wanted. A TCP stream that
// is wrong once can't be trusted on: who reads it closes the connection and logs in again.

/// Why bytes are not SoupBinTCP.
public struct SoupBinTCPError: Error, Sendable, Hashable {
  /// What is wrong.
  public enum Reason: Sendable, Hashable {
    /// A length of zero: not even a type byte.
    case emptyPacket
    /// The packet is longer than its reader takes.
    case tooLong(type: UInt8, found: Int, wanted: Int)
    /// A type that this side doesn't send.
    case type(UInt8, wanted: String)
    /// The payload isn't as long as its type's.
    case length(type: UInt8, found: Int, wanted: Int)
    /// A field isn't what it should be; a password is never shown.
    case field(String, found: [UInt8], wanted: String)
  }

  /// Offset of the fault: from the packet's length prefix, or from the stream's beginning where a cutter found it.
  public var offset: UInt64
  /// What is wrong.
  public var reason: Reason

  /// An error from its parts.
  public init(offset: UInt64, reason: Reason) {
    self.offset = offset
    self.reason = reason
  }

  init(offset: Int, reason: Reason) { self.init(offset: UInt64(max(0, offset)), reason: reason) }

  /// The same fault, seen from the stream's beginning.
  public func moved(by start: UInt64) -> SoupBinTCPError {
    SoupBinTCPError(offset: offset &+ start, reason: reason)
  }

  static func require(
    _ isRight: Bool, _ type: UInt8, found: Int, wanted: Int
  ) throws(SoupBinTCPError) {
    if !isRight {
      throw SoupBinTCPError(offset: 0, reason: .length(type: type, found: found + 1, wanted: wanted + 1))
    }
  }
}

extension SoupBinTCPError: CustomStringConvertible {
  /// Place, what was found and what is wanted.
  public var description: String {
    let what =
      switch reason {
      case .emptyPacket: "packet length 0 found, 1 or more wanted"
      case .tooLong(let type, let found, let wanted):
        "packet \(SoupBinTCPType.text(type)): length \(found) found, at most \(wanted) wanted"
      case .type(let type, let wanted):
        "packet type \(SoupBinTCPType.text(type)) found, \(wanted) wanted"
      case .length(let type, let found, let wanted):
        "packet \(SoupBinTCPType.text(type)): length \(found) found, \(wanted) wanted"
      case .field(let name, let found, let wanted):
        found.isEmpty
          ? "\(name): \(wanted) wanted"
          : "\(name): \"\(Self.shown(found))\" found, \(wanted) wanted"
      }
    return "SoupBinTCP offset \(offset): \(what)"
  }

  private static func shown(_ bytes: [UInt8]) -> String {
    String(decoding: bytes.prefix(64).map { (0x20...0x7e).contains($0) ? $0 : 0x3f }, as: UTF8.self)
  }
}
