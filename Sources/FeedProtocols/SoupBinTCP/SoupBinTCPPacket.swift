// SoupBinTCP 3.00, logical packets: a two-byte big-endian length (of what follows), a type byte, a payload.
// Section 2.1 debug, 2.2 what servers send, 2.3 what clients send. Data keeps its place in the receiver's window;
// only logins are read into values. Pure: malformed bytes give a SoupBinTCPError, nothing here traps on them.

/// The type bytes of the specification.
public enum SoupBinTCPType {
  /// `+`: text for people, from either side.
  public static let debug: UInt8 = 0x2b
  /// `A`: login accepted.
  public static let loginAccepted: UInt8 = 0x41
  /// `J`: login rejected.
  public static let loginRejected: UInt8 = 0x4a
  /// `S`: sequenced data.
  public static let sequenced: UInt8 = 0x53
  /// `U`: unsequenced data, from either side.
  public static let unsequenced: UInt8 = 0x55
  /// `H`: server heartbeat.
  public static let serverHeartbeat: UInt8 = 0x48
  /// `Z`: end of session.
  public static let endOfSession: UInt8 = 0x5a
  /// `L`: login request.
  public static let loginRequest: UInt8 = 0x4c
  /// `R`: client heartbeat.
  public static let clientHeartbeat: UInt8 = 0x52
  /// `O`: logout request.
  public static let logout: UInt8 = 0x4f

  /// A type for people: the letter, hexadecimal where it isn't printable.
  static func text(_ type: UInt8) -> String {
    (0x21...0x7e).contains(type)
      ? "'\(Character(UnicodeScalar(type)))'" : "0x" + (type < 16 ? "0" : "") + String(type, radix: 16)
  }
}

/// What a server sends. Ranges are the payload's place in the bytes that were read.
public enum SoupBinTCPServerPacket: Sendable, Hashable {
  /// Text that means nothing to the protocol.
  case debug(Range<Int>)
  /// The login is good; sequenced data follow.
  case loginAccepted(SoupBinTCPLoginAccepted)
  /// The login isn't good; the server closes.
  case loginRejected(SoupBinTCPRejection)
  /// The next message of the session.
  case sequenced(Range<Int>)
  /// A message without a number.
  case unsequenced(Range<Int>)
  /// Nothing to say for a second.
  case heartbeat
  /// The session is over.
  case endOfSession

  /// Reads a packet of that type whose payload stands at `payload` in `bytes`.
  /// - Throws: `SoupBinTCPError`, offsets from the packet's length prefix.
  public init(type: UInt8, payload: Range<Int>, in bytes: RawSpan) throws(SoupBinTCPError) {
    switch type {
    case SoupBinTCPType.debug: self = .debug(payload)
    case SoupBinTCPType.sequenced: self = .sequenced(payload)
    case SoupBinTCPType.unsequenced: self = .unsequenced(payload)
    case SoupBinTCPType.loginAccepted:
      self = .loginAccepted(try SoupBinTCPLoginAccepted(payload: bytes.extracting(payload)))
    case SoupBinTCPType.loginRejected:
      try SoupBinTCPError.require(payload.count == 1, type, found: payload.count, wanted: 1)
      let code = bytes.u8(payload.lowerBound)
      guard let rejection = SoupBinTCPRejection(rawValue: code) else {
        throw SoupBinTCPError(offset: 3, reason: .field("reject code", found: [code], wanted: "'A' or 'S'"))
      }
      self = .loginRejected(rejection)
    case SoupBinTCPType.serverHeartbeat:
      try SoupBinTCPError.require(payload.isEmpty, type, found: payload.count, wanted: 0)
      self = .heartbeat
    case SoupBinTCPType.endOfSession:
      try SoupBinTCPError.require(payload.isEmpty, type, found: payload.count, wanted: 0)
      self = .endOfSession
    default: throw SoupBinTCPError(offset: 2, reason: .type(type, wanted: "a server's: + A J S U H Z"))
    }
  }
}

/// What a client sends.
public enum SoupBinTCPClientPacket: Sendable, Hashable {
  /// Text that means nothing to the protocol.
  case debug(Range<Int>)
  /// Who it is and what it wants.
  case login(SoupBinTCPLoginRequest)
  /// A message without a number.
  case unsequenced(Range<Int>)
  /// Nothing to say for a second.
  case heartbeat
  /// The client is done.
  case logout

  /// Reads a packet of that type whose payload stands at `payload` in `bytes`.
  /// - Throws: `SoupBinTCPError`, offsets from the packet's length prefix.
  public init(type: UInt8, payload: Range<Int>, in bytes: RawSpan) throws(SoupBinTCPError) {
    switch type {
    case SoupBinTCPType.debug: self = .debug(payload)
    case SoupBinTCPType.unsequenced: self = .unsequenced(payload)
    case SoupBinTCPType.loginRequest:
      self = .login(try SoupBinTCPLoginRequest(payload: bytes.extracting(payload)))
    case SoupBinTCPType.clientHeartbeat:
      try SoupBinTCPError.require(payload.isEmpty, type, found: payload.count, wanted: 0)
      self = .heartbeat
    case SoupBinTCPType.logout:
      try SoupBinTCPError.require(payload.isEmpty, type, found: payload.count, wanted: 0)
      self = .logout
    default: throw SoupBinTCPError(offset: 2, reason: .type(type, wanted: "a client's: + L U R O"))
    }
  }
}

/// Why a login was refused (section 2.2.2).
public enum SoupBinTCPRejection: UInt8, Sendable, Hashable {
  /// User name or password is wrong.
  case notAuthorized = 0x41
  /// The session asked for isn't available.
  case sessionNotAvailable = 0x53
}

extension SoupBinTCPRejection: CustomStringConvertible {
  /// Reason in words.
  public var description: String {
    switch self {
    case .notAuthorized: "not authorized (A): user name or password is wrong"
    case .sessionNotAvailable: "session not available (S): the server doesn't have the session asked for"
    }
  }
}

/// Writing packets, each with its length and type.
public enum SoupBinTCPWriter {
  /// Longest payload that the length can say.
  public static let maximumPayloadBytes = 65_534

  /// Appends a packet; `payload` must have at most 65,534 bytes, what is longer is cut off.
  public static func packet(_ type: UInt8, _ payload: some Collection<UInt8>, into writer: inout ByteWriter) {
    let count = min(payload.count, maximumPayloadBytes)
    writer.u16(UInt16(count + 1))
    writer.u8(type)
    writer.append(contentsOf: payload.prefix(count))
  }

  /// Appends a packet without payload: heartbeats, logout, end of session.
  public static func packet(_ type: UInt8, into writer: inout ByteWriter) {
    writer.u16(1)
    writer.u8(type)
  }

  /// Appends a refusal.
  public static func rejected(_ reason: SoupBinTCPRejection, into writer: inout ByteWriter) {
    packet(SoupBinTCPType.loginRejected, [reason.rawValue], into: &writer)
  }
}
