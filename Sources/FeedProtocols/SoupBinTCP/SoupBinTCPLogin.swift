// SoupBinTCP 3.00, logins: 2.3.1 login request, 2.2.1 login accepted. User and password stand left, session and
// sequence number right in their fields, filled up with spaces; reading takes either side, because servers differ.

/// What a client asks for.
public struct SoupBinTCPLoginRequest: Sendable, Hashable {
  /// Bytes of the payload.
  public static let byteCount = 46

  /// User name, at most 6 characters. Offset 0.
  public let user: String
  /// Password, at most 10 characters. Offset 6.
  public let password: String
  /// Session, at most 10 characters; empty = the one that is active. Offset 16.
  public let session: String
  /// The number of the first message wanted; 0 = the most recent one. Offset 26, 20 digits.
  public let sequence: UInt64

  /// A request.
  /// - Throws: `SoupBinTCPError` where a text is too long or isn't printable ASCII; offsets within the payload.
  public init(
    user: String, password: String, session: String, sequence: UInt64
  ) throws(SoupBinTCPError) {
    try SoupBinTCPField.check(user, "user", limit: 6, offset: 0)
    try SoupBinTCPField.check(password, "password", limit: 10, offset: 6, isSecret: true)
    try SoupBinTCPField.check(session, "session", limit: 10, offset: 16)
    self.user = user
    self.password = password
    self.session = session
    self.sequence = sequence
  }

  /// Reads a payload.
  /// - Throws: `SoupBinTCPError`, offsets from the packet's length prefix.
  public init(payload: RawSpan) throws(SoupBinTCPError) {
    try SoupBinTCPError.require(
      payload.byteCount == Self.byteCount, SoupBinTCPType.loginRequest, found: payload.byteCount,
      wanted: Self.byteCount)
    user = try SoupBinTCPField.text(payload, 0..<6, "user")
    password = try SoupBinTCPField.text(payload, 6..<16, "password", isSecret: true)
    session = try SoupBinTCPField.text(payload, 16..<26, "session")
    sequence = try SoupBinTCPField.number(payload, 26..<46, "sequence number")
  }

  /// Appends the packet.
  public func encode(into writer: inout ByteWriter) {
    writer.u16(UInt16(1 + Self.byteCount))
    writer.u8(SoupBinTCPType.loginRequest)
    SoupBinTCPField.left(user, 6, into: &writer)
    SoupBinTCPField.left(password, 10, into: &writer)
    SoupBinTCPField.right(session, 10, into: &writer)
    SoupBinTCPField.right(String(sequence), 20, into: &writer)
  }
}

/// What a server answers to a good login.
public struct SoupBinTCPLoginAccepted: Sendable, Hashable {
  /// Bytes of the payload.
  public static let byteCount = 30

  /// The session, at most 10 characters. Offset 0.
  public let session: String
  /// Number of the next sequenced message. Offset 10, 20 digits.
  public let sequence: UInt64

  /// An answer.
  /// - Throws: `SoupBinTCPError` where the session is too long or isn't printable ASCII.
  public init(session: String, sequence: UInt64) throws(SoupBinTCPError) {
    try SoupBinTCPField.check(session, "session", limit: 10, offset: 0)
    self.session = session
    self.sequence = sequence
  }

  /// Reads a payload.
  /// - Throws: `SoupBinTCPError`, offsets from the packet's length prefix.
  public init(payload: RawSpan) throws(SoupBinTCPError) {
    try SoupBinTCPError.require(
      payload.byteCount == Self.byteCount, SoupBinTCPType.loginAccepted, found: payload.byteCount,
      wanted: Self.byteCount)
    session = try SoupBinTCPField.text(payload, 0..<10, "session")
    sequence = try SoupBinTCPField.number(payload, 10..<30, "sequence number")
  }

  /// Appends the packet.
  public func encode(into writer: inout ByteWriter) {
    writer.u16(UInt16(1 + Self.byteCount))
    writer.u8(SoupBinTCPType.loginAccepted)
    SoupBinTCPField.right(session, 10, into: &writer)
    SoupBinTCPField.right(String(sequence), 20, into: &writer)
  }
}

/// Fixed-width fields of ASCII.
enum SoupBinTCPField {
  static func check(
    _ text: String, _ name: String, limit: Int, offset: Int, isSecret: Bool = false
  ) throws(SoupBinTCPError) {
    let bytes = Array(text.utf8)
    guard bytes.count <= limit, bytes.allSatisfy({ (0x20...0x7e).contains($0) }), bytes.first != 0x20,
      bytes.last != 0x20
    else {
      throw SoupBinTCPError(
        offset: offset,
        reason: .field(
          name, found: isSecret ? [] : bytes,
          wanted: "at most \(limit) printable ASCII characters without spaces around them"))
    }
  }

  /// The characters of a field without the spaces around them.
  static func text(
    _ payload: RawSpan, _ range: Range<Int>, _ name: String, isSecret: Bool = false
  ) throws(SoupBinTCPError) -> String {
    let bytes = range.map { payload.u8($0) }
    if let bad = bytes.firstIndex(where: { !(0x20...0x7e).contains($0) }) {
      throw SoupBinTCPError(
        offset: 3 + range.lowerBound + bad,
        reason: .field(name, found: isSecret ? [] : bytes, wanted: "printable ASCII"))
    }
    guard let first = bytes.firstIndex(where: { $0 != 0x20 }),
      let last = bytes.lastIndex(where: { $0 != 0x20 })
    else { return "" }
    return String(decoding: bytes[first...last], as: UTF8.self)
  }

  /// The number that a field's digits say; spaces may stand around them, all spaces are 0.
  static func number(
    _ payload: RawSpan, _ range: Range<Int>, _ name: String
  ) throws(SoupBinTCPError) -> UInt64 {
    let text = try text(payload, range, name)
    if text.isEmpty { return 0 }
    var value: UInt64 = 0
    var isNumber = true
    for byte in text.utf8 {
      let digit = byte &- 0x30
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
      if digit > 9 || overflow || carry {
        isNumber = false
        break
      }
      value = sum
    }
    guard isNumber else {
      throw SoupBinTCPError(
        offset: 3 + range.lowerBound,
        reason: .field(name, found: Array(text.utf8), wanted: "a number from 0 to \(UInt64.max)"))
    }
    return value
  }

  static func left(_ text: String, _ width: Int, into writer: inout ByteWriter) {
    writer.append(contentsOf: text.utf8)
    writer.append(contentsOf: repeatElement(0x20, count: max(0, width - text.utf8.count)))
  }

  static func right(_ text: String, _ width: Int, into writer: inout ByteWriter) {
    writer.append(contentsOf: repeatElement(0x20, count: max(0, width - text.utf8.count)))
    writer.append(contentsOf: text.utf8)
  }
}
