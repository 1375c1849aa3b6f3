// Requests and frames that know the grammar and break it now and then: for the fuzz of the gateway's entry.

import Foundation
import MarketData

/// Makes bytes that a client might send, or never would.
struct MadeUpTraffic {
  var random: SeededGenerator

  private static let paths = [
    "/", "/v1/quotes", "/v1/quotes/7203", "/v1/instruments?limit=3&q=%E3%83%88", "/v1/books/7203?levels=50",
    "/v1/trades/7203?limit=9&cursor=1.2.3", "/v1/bars/7203?interval=1m&from=2026-11-24T09:00:00%2B09:00",
    "/v1/status", "/metrics", "/openapi.json", "/health/ready", "/v1/stream", "/nothing", "*", "//",
    "/%2e%2e/%00",
    "http://x/v1/quotes", "/v1/events?channel=quotes&instruments=*&interval=0",
    "/v1/events?channel=books&instruments=7203&levels=5",
  ]
  private static let methods = [
    "GET", "GET", "GET", "GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "CONNECT", "TRACE", "PRI", "get",
    "G ET",
  ]
  private static let versions = [
    "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/9.9", "HTTQ/1.1", "",
  ]
  private static let fields = [
    "Connection: close", "Connection: keep-alive, Upgrade", "Upgrade: websocket", "Upgrade: h2c",
    "Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 12", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Key: short", "If-None-Match: \"a\", W/\"b\", *", "Accept-Encoding: gzip, deflate;q=0.1",
    "Accept-Encoding: br, *;q=0", "Origin: https://example.org", "Last-Event-ID: XTKS:2026-11-24:1",
    "Last-Event-ID: ,,:::::18446744073709551616", "Expect: 100-continue", "Host: y", ": nothing",
    "No colon at all",
    " folded: line", "X: \u{7f}\u{1}", "Content-Length: 0", "Content-Length: 4", "Content-Length: -1",
    "Content-Length: 99999999999999999999", "Transfer-Encoding: chunked",
    "Transfer-Encoding: identity, chunked",
    "Cookie: " + String(repeating: "c", count: 3_000), "TE: trailers", "Range: bytes=0-1",
  ]
  private static let commands = [
    #"{"op":"subscribe","id":"1","channel":"quotes","instruments":["*"],"interval":0}"#,
    #"{"op":"subscribe","id":"2","channel":"books","instruments":["*"],"levels":50}"#,
    #"{"op":"subscribe","id":"3","channel":"trades","instruments":["7203","no"],"interval":10,"timing":true}"#,
    #"{"op":"resume","id":"4","channel":"bars","instruments":["*"],"from":[{"market":"XTKS","epoch":"2026-11-24","seq":9}]}"#,
    #"{"op":"unsubscribe","id":"1"}"#, #"{"op":"ping","id":"p"}"#, #"{"op":"nothing"}"#, "[", "\"", "",
    #"{"op":"subscribe","id":"\ud800","channel":"quotes","instruments":[1]}"#,
  ]

  /// A request; now and then a damaged one.
  mutating func request() -> [UInt8] {
    var text =
      "\(random.pick(Self.methods)) \(random.pick(Self.paths)) \(random.pick(Self.versions))\r\nHost: x\r\n"
    if random.chance(80) { text = "GET \(random.pick(Self.paths)) HTTP/1.1\r\nHost: x\r\n" }
    for _ in 0..<random.below(4) { text += random.pick(Self.fields) + (random.chance(97) ? "\r\n" : "\n") }
    text += "\r\n"
    if random.chance(15) {
      text += random.pick(["5\r\nhello\r\n0\r\n\r\n", "4\r\nab", "zz\r\n", "body", "0\r\nT: x\r\n\r\n"])
    }
    var bytes = Array(text.utf8)
    if random.chance(25) { damage(&bytes) }
    return bytes
  }

  /// A frame of a client; now and then one that breaks RFC 6455.
  mutating func frame() -> [UInt8] {
    var opcode: UInt8 = random.pick([1, 1, 1, 1, 0, 2, 8, 9, 9, 10, UInt8(random.below(16))])
    var payload = Array(random.pick(Self.commands).utf8)
    switch opcode {
    case 8:
      payload = random.pick([[], [3], [3, 232], [3, 232] + Array("bye".utf8), [3, 237], [15, 160, 0xff]])
    case 9, 10: payload = random.bytes(random.below(random.chance(90) ? 126 : 400))
    default: if random.chance(20) { damage(&payload) }
    }
    if random.chance(3) { payload = random.bytes(random.below(70_000)) }
    if random.chance(90) { opcode |= 0x80 }
    if random.chance(3) { opcode |= 0x10 << UInt8(random.below(3)) }
    let mask = random.bytes(4)
    let isMasked = random.chance(97)
    var bytes = [opcode]
    let bit: UInt8 = isMasked ? 0x80 : 0
    // A length in more bytes than it needs, or one that nobody has.
    switch random.below(40) {
    case 0: bytes += [bit | 127] + (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
    case 1: bytes += [bit | 127] + random.bytes(8)
    case 2: bytes += [bit | 126] + random.bytes(2)
    default:
      if payload.count < 126 {
        bytes.append(bit | UInt8(payload.count))
      } else if payload.count < 65_536 {
        bytes += [bit | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
      } else {
        bytes += [bit | 127] + (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
      }
    }
    if isMasked {
      bytes += mask
      for (place, byte) in payload.enumerated() { bytes.append(byte ^ mask[place & 3]) }
    } else {
      bytes += payload
    }
    return bytes
  }

  /// What one connection sends: requests, perhaps a handshake, then frames.
  mutating func conversation() -> [UInt8] {
    switch random.below(10) {
    case 0: return random.bytes(random.below(3_000))
    case 1: return [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3] + random.bytes(200)  // TLS to a plain port
    case 2...5: return (0..<1 + random.below(random.chance(10) ? 200 : 8)).flatMap { _ in request() }
    default:
      var bytes = (0..<random.below(3)).flatMap { _ in
        Array("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
      }
      bytes += Array(Line.handshake.utf8)
      if random.chance(10) { damage(&bytes) }
      for _ in 0..<random.below(random.chance(10) ? 400 : 12) { bytes += frame() }
      if random.chance(10) { bytes.removeLast(min(bytes.count, random.below(20))) }
      return bytes
    }
  }

  /// Cuts what is sent into pieces, some of one byte.
  mutating func pieces(_ bytes: [UInt8]) -> [[UInt8]] {
    guard random.chance(60) else { return [bytes] }
    var pieces: [[UInt8]] = []
    var place = 0
    let largest = random.pick([1, 3, 40, 700, 20_000])
    while place < bytes.count, pieces.count < 400 {
      let end = min(bytes.count, place + 1 + random.below(largest))
      pieces.append(Array(bytes[place..<end]))
      place = end
    }
    if place < bytes.count { pieces.append(Array(bytes[place...])) }
    return pieces
  }

  private mutating func damage(_ bytes: inout [UInt8]) {
    for _ in 0...random.below(4) {
      let place = random.below(bytes.count + 1)
      switch random.below(5) {
      case 0 where !bytes.isEmpty: bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
      case 1: bytes.removeSubrange(place..<min(bytes.count, place + random.below(9)))
      case 2: bytes.insert(contentsOf: random.bytes(random.below(9)), at: place)
      case 3:
        bytes.insert(contentsOf: random.pick([[13, 10], [13], [10], [0], [32], [58], [0xff]]), at: place)
      default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + random.below(60))], at: place)
      }
    }
  }
}
