// A response's head from a backend, read as strictly as a request's: what leaves two readings is an error of the
// backend (502), not the client's to guess at (RFC 9112 sections 4 and 6.3).

import NIOCore

struct ResponseHead {
  var head = MessageHead()
  var status = 0
  /// After the status: the reason, for what is passed on.
  var reason: Range<Int> = 0..<0
  var isOldVersion = false
  var framing = BodyFraming.none
  var refusal: Refusal?
  var keepsAlive = true
  var isEventStream = false
  /// Its body is compressed.
  var isEncoded = false
  var upgradesToWebSocket = false
  var hasWebSocketExtensions = false

  mutating func clear() {
    head.clear()
    status = 0
    reason = 0..<0
    isOldVersion = false
    framing = .none
    refusal = nil
    keepsAlive = true
    isEventStream = false
    isEncoded = false
    upgradesToWebSocket = false
    hasWebSocketExtensions = false
  }

  /// - Parameter isForHead: the request was HEAD, so that no body follows whatever the fields say.
  mutating func parse(_ bytes: ByteBuffer, isForHead: Bool) {
    clear()
    head.bytes = bytes
    head.bytes.withUnsafeReadableBytes { parse($0, isForHead: isForHead) }
    head.markHopFields()
  }

  private mutating func parse(_ all: UnsafeRawBufferPointer, isForHead: Bool) {
    guard let start = all.baseAddress else { return }
    var parser = FieldParser()
    let feed = Bytes.find(10, start, from: 0, to: all.count) ?? all.count
    let end = parser.contentEnd(start, lineStart: 0, feed: feed)
    let line = UnsafeRawBufferPointer(rebasing: all[..<end])
    if end >= 12, line.starts(with: "HTTP/1.".utf8), line[7] == 48 || line[7] == 49, line[8] == 32,
      let status = Octets.decimal(UnsafeRawBufferPointer(rebasing: line[9..<12])), status >= 100,
      end == 12 || line[12] == 32
    {
      self.status = status
      isOldVersion = line[7] == 48
      reason = min(13, end)..<end
      if !Octets.all(UnsafeRawBufferPointer(rebasing: line[reason]), Octets.value) {
        parser.refuse(.statusLine)
      }
    } else {
      parser.refuse(.statusLine)
    }
    parser.parse(all, from: min(feed + 1, all.count), into: &head)
    meaning(all, &parser, isForHead: isForHead)
    refusal = parser.refusal
  }

  private mutating func meaning(
    _ all: UnsafeRawBufferPointer, _ parser: inout FieldParser, isForHead: Bool
  ) {
    var asksClose = false
    var asksKeepAlive = false
    var connectionUpgrades = false
    var hasUpgrade = false
    for field in head.fields {
      let value = head.value(field, all)
      switch field.known {
      case .connection:
        Octets.elements(value) { token in
          if Octets.equals(token, "close") { asksClose = true }
          if Octets.equals(token, "keep-alive") { asksKeepAlive = true }
          if Octets.equals(token, "upgrade") { connectionUpgrades = true }
        }
      case .upgrade: if Octets.equals(value, "websocket") { hasUpgrade = true }
      case .contentType: if Octets.hasPrefix(value, "text/event-stream") { isEventStream = true }
      case .contentEncoding: if !Octets.equals(value, "identity") { isEncoded = true }
      case .webSocketExtensions: hasWebSocketExtensions = true
      default: break
      }
    }
    let given = parser.framing(head, all, isOldVersion: isOldVersion)
    if isForHead || status < 200 || status == 204 || status == 304 {
      framing = .none
    } else {
      framing = given ?? .untilClose
      if framing == .length(0) { framing = .none }
    }
    keepsAlive = (isOldVersion ? asksKeepAlive && !asksClose : !asksClose) && framing != .untilClose
    upgradesToWebSocket = status == 101 && hasUpgrade && connectionUpgrades
  }
}
