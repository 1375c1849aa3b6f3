// A request as the router sees it: path segments and query, decoded; and the answer it gives.

import Distribution
import NIOCore
import NIOHTTP1

struct Request {
  var method: HTTPMethod
  /// Path as sent, without query.
  var path: String
  /// Decoded path segments.
  var segments: [String]
  /// Decoded query; the first value of each name.
  var query: [String: String]
  var headers: HTTPHeaders

  /// Nil where the URI can't be decoded.
  init?(_ head: HTTPRequestHead) {
    method = head.method
    headers = head.headers
    let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, first.hasPrefix("/"), first.utf8.count <= 4096 else { return nil }
    path = String(first)
    segments = []
    for segment in first.split(separator: "/") {
      guard let decoded = Self.decode(segment, plus: false) else { return nil }
      segments.append(decoded)
    }
    query = [:]
    if parts.count > 1 {
      for pair in parts[1].split(separator: "&") {
        let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = Self.decode(sides[0], plus: true),
          let value = Self.decode(sides.count > 1 ? sides[1] : "", plus: true)
        else { return nil }
        if query[name] == nil { query[name] = value }
      }
    }
  }

  static func decode(_ text: Substring, plus: Bool) -> String? {
    var bytes: [UInt8] = []
    var iterator = text.utf8.makeIterator()
    while let byte = iterator.next() {
      switch byte {
      case 0x25:
        guard let high = iterator.next().flatMap(hex), let low = iterator.next().flatMap(hex) else {
          return nil
        }
        bytes.append(high << 4 | low)
      case 0x2b where plus: bytes.append(0x20)
      default: bytes.append(byte)
      }
    }
    guard !bytes.contains(0) else { return nil }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func hex(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x37
    case 0x61...0x66: byte - 0x57
    default: nil
    }
  }
}

struct Answer {
  var status: HTTPResponseStatus
  var contentType: String
  var body: ByteBuffer
  var headers: HTTPHeaders = [:]
  /// Whether pages of other origins may read it, where the configuration lets them.
  var isShared = true

  static func json(_ writer: borrowing JSONWriter, status: HTTPResponseStatus = .ok) -> Answer {
    var body = ByteBufferAllocator().buffer(capacity: writer.count)
    body.writeBytes(writer.bytes)
    return Answer(status: status, contentType: "application/json", body: body)
  }

  static func text(_ text: String, contentType: String) -> Answer {
    Answer(status: .ok, contentType: contentType, body: ByteBuffer(string: text))
  }

  /// RFC 9457.
  /// - Parameter more: writes further members, each with a comma before it.
  static func problem(
    _ status: HTTPResponseStatus, _ type: String, _ detail: String, instance: String, errors: [String] = [],
    more: (inout JSONWriter) -> Void = { _ in }
  ) -> Answer {
    var writer = JSONWriter(capacity: 512)
    writer.raw("{\"type\":")
    writer.string("/problems/\(type)")
    writer.raw(",\"title\":")
    writer.string(status.reasonPhrase)
    writer.raw(",\"status\":")
    writer.integer(UInt64(status.code))
    writer.raw(",\"detail\":")
    writer.string(detail)
    writer.raw(",\"instance\":")
    writer.string(instance)
    if !errors.isEmpty {
      writer.raw(",\"errors\":[")
      for (index, error) in errors.enumerated() {
        if index > 0 { writer.raw(",") }
        writer.raw("{\"detail\":")
        writer.string(error)
        writer.raw("}")
      }
      writer.raw("]")
    }
    more(&writer)
    writer.raw("}")
    var answer = json(writer, status: status)
    answer.contentType = "application/problem+json"
    return answer
  }

  static let notModified = Answer(status: .notModified, contentType: "", body: ByteBuffer())
}
