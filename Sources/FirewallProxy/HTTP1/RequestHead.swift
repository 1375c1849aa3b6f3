// A request's head (RFC 9112 sections 3, 5 and 6, RFC 9110 section 7).

import NIOCore

enum RequestMethod: UInt8 {
  case get, head, post, put, delete, options, patch, trace, connect, other

  /// May be sent again when a connection broke before an answer (RFC 9110 section 9.2.2).
  var isIdempotent: Bool {
    switch self {
    case .get, .head, .put, .delete, .options, .trace: true
    default: false
    }
  }

  static func of(_ bytes: UnsafeRawBufferPointer) -> RequestMethod {
    func isExactly(_ literal: StaticString) -> Bool {
      bytes.count == literal.utf8CodeUnitCount
        && bytes.elementsEqual(
          UnsafeRawBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }
    switch bytes.count {
    case 3: return isExactly("GET") ? .get : isExactly("PUT") ? .put : .other
    case 4: return isExactly("POST") ? .post : isExactly("HEAD") ? .head : .other
    case 5: return isExactly("PATCH") ? .patch : isExactly("TRACE") ? .trace : .other
    case 6: return isExactly("DELETE") ? .delete : .other
    case 7: return isExactly("OPTIONS") ? .options : isExactly("CONNECT") ? .connect : .other
    default: return .other
    }
  }
}

struct RequestHead {
  var head = MessageHead()
  var method = RequestMethod.other
  var methodEnd = 0
  var target: Range<Int> = 0..<0
  var version: Range<Int> = 0..<0
  /// What is sent to the backend as target: the target, or the part after the authority.
  var path: Range<Int> = 0..<0
  /// In absolute form: the authority.
  var authority: Range<Int>?
  var isOldVersion = false
  private var isHTTP2 = false
  var framing = BodyFraming.none
  var refusal: Refusal?
  var keepsAlive = true
  var expectsContinue = false
  var upgradesToWebSocket = false

  mutating func clear() {
    head.clear()
    method = .other
    methodEnd = 0
    target = 0..<0
    version = 0..<0
    path = 0..<0
    authority = nil
    isOldVersion = false
    framing = .none
    refusal = nil
    keepsAlive = true
    expectsContinue = false
    upgradesToWebSocket = false
  }

  /// Reads a head that is whole; `bytes` ends with the empty line.
  /// - Parameter asHTTP2: the head was made from a header block of HTTP/2.
  mutating func parse(_ bytes: ByteBuffer, asHTTP2: Bool = false) {
    clear()
    isHTTP2 = asHTTP2
    head.bytes = bytes
    head.bytes.withUnsafeReadableBytes { parse($0) }
    head.markHopFields()
  }

  private mutating func parse(_ all: UnsafeRawBufferPointer) {
    guard let start = all.baseAddress else { return }
    var parser = FieldParser()
    let feed = Bytes.find(10, start, from: 0, to: all.count) ?? all.count
    let end = parser.contentEnd(start, lineStart: 0, feed: feed)
    requestLine(all, end: end, &parser)
    parser.parse(all, from: min(feed + 1, all.count), into: &head)
    meaning(all, &parser)
    refusal = parser.refusal
  }

  /// METHOD SP TARGET SP VERSION, one space each. Of a line that isn't, the first word is the method and the last,
  /// if it looks like one, the version.
  private mutating func requestLine(_ all: UnsafeRawBufferPointer, end: Int, _ parser: inout FieldParser) {
    let space = UInt8(ascii: " ")
    let line = UnsafeRawBufferPointer(rebasing: all[..<end])
    let firstSpace = line.firstIndex(of: space) ?? end
    methodEnd = firstSpace
    let methodBytes = UnsafeRawBufferPointer(rebasing: line[..<firstSpace])
    method = RequestMethod.of(methodBytes)
    if methodBytes.isEmpty || !Octets.all(methodBytes, Octets.token) { parser.refuse(.method) }
    guard firstSpace < end else { return parser.refuse(.requestLine) }
    let lastSpace = line.lastIndex(of: space) ?? firstSpace
    if lastSpace > firstSpace {
      target = firstSpace + 1..<lastSpace
      version = lastSpace + 1..<end
      let versionBytes = UnsafeRawBufferPointer(rebasing: line[version])
      if isHTTP2, versionBytes.elementsEqual("HTTP/2.0".utf8) {
        // As it was made.
      } else if !(versionBytes.count == 8 && versionBytes.starts(with: "HTTP/1.".utf8)
        && (versionBytes[7] == UInt8(ascii: "1") || versionBytes[7] == UInt8(ascii: "0")))
      {
        if !versionBytes.starts(with: "HTTP/".utf8) {
          parser.refuse(.requestLine)
        } else {
          parser.refuse(.version)
        }
      } else {
        isOldVersion = versionBytes[7] == UInt8(ascii: "0")
      }
    } else {
      target = firstSpace + 1..<end
      version = end..<end
      parser.refuse(.requestLine)
    }
    let targetBytes = UnsafeRawBufferPointer(rebasing: line[target])
    if targetBytes.isEmpty || !Octets.all(targetBytes, Octets.target) { parser.refuse(.target) }
    path = target
    form(targetBytes, &parser)
  }

  /// Origin-form, absolute-form, `*` for OPTIONS; CONNECT's form isn't ours.
  private mutating func form(_ bytes: UnsafeRawBufferPointer, _ parser: inout FieldParser) {
    if method == .connect { return parser.refuse(.connect) }
    guard let first = bytes.first, first != UInt8(ascii: "/") else { return }
    if first == UInt8(ascii: "*") {
      if bytes.count > 1 || method != .options { parser.refuse(.target) }
      return
    }
    let scheme = Octets.hasPrefix(bytes, "http://") ? 7 : Octets.hasPrefix(bytes, "https://") ? 8 : 0
    guard scheme > 0 else { return parser.refuse(.target) }
    var end = scheme
    while end < bytes.count, bytes[end] != UInt8(ascii: "/"), bytes[end] != UInt8(ascii: "?"),
      bytes[end] != UInt8(ascii: "#")
    { end += 1 }
    if end == scheme { return parser.refuse(.target) }
    // It may stand for Host (in HTTP/1.0, where there is none), so it must be one.
    if !Self.isAuthority(UnsafeRawBufferPointer(rebasing: bytes[scheme..<end])) {
      parser.refuse(.hostInvalid)
    }
    authority = target.lowerBound + scheme..<target.lowerBound + end
    path = target.lowerBound + end..<target.upperBound
  }

  private mutating func meaning(_ all: UnsafeRawBufferPointer, _ parser: inout FieldParser) {
    var hosts = 0
    var hasUpgrade = false
    var connectionUpgrades = false
    var asksClose = false
    var asksKeepAlive = false
    for field in head.fields {
      let value = head.value(field, all)
      switch field.known {
      case .host:
        hosts += 1
        if hosts > 1 { parser.refuse(.hostRepeated) }
        if !Self.isAuthority(value) { parser.refuse(.hostInvalid) }
        if let authority,
          !Octets.equals(value, UnsafeRawBufferPointer(rebasing: all[authority]))
        {
          parser.refuse(.hostDiffers)
        }
      case .connection:
        Octets.elements(value) { token in
          if Octets.equals(token, "close") { asksClose = true }
          if Octets.equals(token, "keep-alive") { asksKeepAlive = true }
          if Octets.equals(token, "upgrade") { connectionUpgrades = true }
        }
      case .upgrade: if Octets.equals(value, "websocket") { hasUpgrade = true }
      case .expect:
        if Octets.equals(value, "100-continue") {
          expectsContinue = !isOldVersion
        } else {
          parser.refuse(.expectation)
        }
      default: break
      }
    }
    if let framing = parser.framing(head, all, isOldVersion: isOldVersion) { self.framing = framing }
    if framing == .length(0) { framing = .none }
    if hosts == 0, !isOldVersion { parser.refuse(.hostMissing) }
    keepsAlive = isOldVersion ? asksKeepAlive && !asksClose : !asksClose
    upgradesToWebSocket =
      hasUpgrade && connectionUpgrades && method == .get && !isOldVersion && framing == .none
  }

  /// Host's value: a name or address and a port, nothing that could be read as more (RFC 9110 section 7.2).
  static func isAuthority(_ bytes: UnsafeRawBufferPointer) -> Bool {
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "@"), UInt8(ascii: "\\"),
        UInt8(ascii: " "), UInt8(ascii: ","), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""), 9:
        return false
      default: if byte < 33 || byte > 126 { return false }
      }
    }
    return true
  }
}
