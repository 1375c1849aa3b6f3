// The head of a request or response: one piece of bytes, and where in it things stand.
//
// Nothing is copied out of it: fields are offsets, and what is forwarded is copied from here in runs. For HTTP/2 the
// same shape is built from a header block, so that everything after knows one form only.
// Invariant: all offsets are inside `bytes`; `fields` lie in order and each ends where the next line begins.

import Firewall
import NIOCore

/// Fields that the proxy acts on itself.
enum KnownField: UInt8 {
  case other, host, connection, contentLength, transferEncoding, expect, upgrade, te, trailer, keepAlive
  case proxyConnection, forwardedFor, forwardedProto, forwardedHost, forwarded, requestID, accept
  case acceptLanguage, acceptEncoding, http2Settings, contentType, webSocketExtensions, via, contentEncoding
  /// `Proxy`, which programs behind CGI take for a setting of their own (CVE-2016-5385).
  case proxy
  /// By which proxies tell backends who the client is and what it asked for: `X-Real-IP` and its like.
  case proxysWord
}

struct FieldPlace {
  var nameStart: Int32
  var nameCount: Int32
  var valueStart: Int32
  var valueCount: Int32
  /// Where the next line begins.
  var lineEnd: Int32
  var known: KnownField
  /// Named by Connection: of this hop alone.
  var isOfThisHop = false
}

struct MessageHead {
  var bytes = ByteBuffer()
  var fields: [FieldPlace] = []
  /// Where the first field's line begins.
  var fieldsStart = 0

  mutating func clear() {
    bytes = ByteBuffer()
    fields.removeAll(keepingCapacity: true)
    fieldsStart = 0
  }

  /// The whole as memory.
  @inline(__always)
  func withBytes<T>(_ body: (UnsafeRawBufferPointer) -> T) -> T { bytes.withUnsafeReadableBytes(body) }

  @inline(__always)
  static func part(_ all: UnsafeRawBufferPointer, _ start: Int32, _ count: Int32) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: all[Int(start)..<Int(start) + Int(count)])
  }

  func value(_ field: FieldPlace, _ all: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    Self.part(all, field.valueStart, field.valueCount)
  }

  func name(_ field: FieldPlace, _ all: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    Self.part(all, field.nameStart, field.nameCount)
  }

  /// The values of all fields of this kind, as text.
  func texts(_ known: KnownField) -> [String] {
    withBytes { all in
      fields.filter { $0.known == known }.map { String(decoding: value($0, all), as: UTF8.self) }
    }
  }

  /// The fields as the engine wants them; the views hold as long as `all`.
  func views(_ all: UnsafeRawBufferPointer, into views: inout [Field]) {
    views.removeAll(keepingCapacity: true)
    for field in fields {
      views.append(Field(name: ByteView(name(field, all)), value: ByteView(value(field, all))))
    }
  }

  /// Copies the lines of all fields but those that `drops` names, in as few runs as possible.
  func copyFields(to out: inout ByteBuffer, drops: (FieldPlace) -> Bool) {
    withBytes { all in
      var runStart = fieldsStart
      var runEnd = fieldsStart
      for field in fields {
        if field.isOfThisHop || drops(field) {
          if runEnd > runStart { out.writeBytes(UnsafeRawBufferPointer(rebasing: all[runStart..<runEnd])) }
          runStart = Int(field.lineEnd)
        }
        runEnd = Int(field.lineEnd)
      }
      if runEnd > runStart { out.writeBytes(UnsafeRawBufferPointer(rebasing: all[runStart..<runEnd])) }
    }
  }

  /// Which field this is, by its name.
  @inline(__always)
  static func known(_ name: UnsafeRawBufferPointer) -> KnownField {
    switch name.count {
    case 2: return Octets.equals(name, "te") ? .te : .other
    case 3: return Octets.equals(name, "via") ? .via : .other
    case 4: return Octets.equals(name, "host") ? .host : .other
    case 5: return Octets.equals(name, "proxy") ? .proxy : .other
    case 6:
      if Octets.equals(name, "accept") { return .accept }
      return Octets.equals(name, "expect") ? .expect : .other
    case 7:
      if Octets.equals(name, "upgrade") { return .upgrade }
      return Octets.equals(name, "trailer") ? .trailer : .other
    case 9:
      if Octets.equals(name, "forwarded") { return .forwarded }
      return Octets.equals(name, "x-real-ip") ? .proxysWord : .other
    case 10:
      if Octets.equals(name, "connection") { return .connection }
      return Octets.equals(name, "keep-alive") ? .keepAlive : .other
    case 11: return Octets.equals(name, "x-client-ip") ? .proxysWord : .other
    case 12:
      if Octets.equals(name, "x-request-id") { return .requestID }
      return Octets.equals(name, "content-type") ? .contentType : .other
    case 13: return Octets.equals(name, "x-rewrite-url") ? .proxysWord : .other
    case 14:
      if Octets.equals(name, "true-client-ip") || Octets.equals(name, "x-original-url") { return .proxysWord }
      if Octets.equals(name, "content-length") { return .contentLength }
      return Octets.equals(name, "http2-settings") ? .http2Settings : .other
    case 15:
      if Octets.equals(name, "accept-encoding") { return .acceptEncoding }
      if Octets.equals(name, "accept-language") { return .acceptLanguage }
      return Octets.equals(name, "x-forwarded-for") ? .forwardedFor : .other
    case 16:
      if Octets.equals(name, "cf-connecting-ip") { return .proxysWord }
      if Octets.equals(name, "x-forwarded-host") { return .forwardedHost }
      if Octets.equals(name, "content-encoding") { return .contentEncoding }
      return Octets.equals(name, "proxy-connection") ? .proxyConnection : .other
    case 17:
      if Octets.equals(name, "transfer-encoding") { return .transferEncoding }
      return Octets.equals(name, "x-forwarded-proto") ? .forwardedProto : .other
    case 24: return Octets.equals(name, "sec-websocket-extensions") ? .webSocketExtensions : .other
    default: return .other
    }
  }

  /// Whether a name is one of those with `_` in place of `-`. Gateways to programs (CGI, WSGI) take both for the same, so
  /// that such a field would speak with our voice behind us; it isn't passed on.
  @inline(__always)
  static func isDisguised(_ name: UnsafeRawBufferPointer) -> Bool {
    let longest = 24
    guard let start = name.baseAddress, name.count <= longest,
      Bytes.find(UInt8(ascii: "_"), start, from: 0, to: name.count) != nil
    else { return false }
    return withUnsafeTemporaryAllocation(byteCount: longest, alignment: 1) { copy in
      for (index, byte) in name.enumerated() {
        copy[index] = byte == UInt8(ascii: "_") ? UInt8(ascii: "-") : byte
      }
      return known(UnsafeRawBufferPointer(rebasing: copy[..<name.count])) != .other
    }
  }

  /// Marks the fields that Connection names as of this hop alone. What carries the message itself is not theirs to
  /// take away.
  mutating func markHopFields() {
    guard fields.contains(where: { $0.known == .connection }) else { return }
    let bytes = self.bytes
    bytes.withUnsafeReadableBytes { all in
      for index in fields.indices where fields[index].known == .connection {
        Octets.elements(Self.part(all, fields[index].valueStart, fields[index].valueCount)) { token in
          if Octets.equals(token, "close") || Octets.equals(token, "keep-alive") { return }
          for other in fields.indices {
            switch fields[other].known {
            case .host, .contentLength, .transferEncoding, .connection: continue
            default: break
            }
            let name = Self.part(all, fields[other].nameStart, fields[other].nameCount)
            if Octets.equals(name, token), !EndToEnd.isField(name) { fields[other].isOfThisHop = true }
          }
        }
      }
    }
  }

  /// Fields that never pass a hop (RFC 9110 section 7.6.1), and those whose place the proxy's own take.
  @inline(__always)
  static func isHopByHop(_ known: KnownField) -> Bool {
    switch known {
    case .connection, .transferEncoding, .upgrade, .te, .trailer, .keepAlive, .proxyConnection,
      .http2Settings:
      true
    default: false
    }
  }
}
