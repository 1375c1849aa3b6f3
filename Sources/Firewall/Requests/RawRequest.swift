// Requests as text of HTTP/1 (RFC 9112), as they are kept in files: lines end with CRLF or LF, several follow one another.
//
// Not the proxy's parser: what that would refuse can be looked at here. A body is as long as its Content-Length says,
// or chunked; where neither is said it is what follows, unless that is another request.

/// Reads requests of HTTP/1 from text.
public enum RawRequest {
  /// All requests of `bytes`, in order. `file` is what faults call it.
  public static func requests(_ bytes: [UInt8], file: String) throws(CaptureFault) -> [CapturedRequest] {
    var reader = RawReader(bytes: bytes, file: file)
    var requests: [CapturedRequest] = []
    reader.skipBlankLines()
    while !reader.isAtEnd {
      var request = try reader.request()
      request.id = "\(file)#\(requests.count + 1)"
      requests.append(request)
      reader.skipBlankLines()
    }
    guard !requests.isEmpty else {
      throw CaptureFault(place: file, found: "nothing", wanted: "a request line, as in GET / HTTP/1.1")
    }
    return requests
  }
}

private struct RawReader {
  let bytes: [UInt8]
  let file: String
  var at = 0

  var isAtEnd: Bool { at >= bytes.count }

  private func fault(_ found: String, _ wanted: String, at offset: Int) -> CaptureFault {
    let line = bytes.prefix(offset).count { $0 == Ascii.lineFeed } + 1
    return CaptureFault(place: "\(file):\(line)", found: found, wanted: wanted)
  }

  mutating func skipBlankLines() {
    while at < bytes.count, bytes[at] == Ascii.lineFeed || bytes[at] == Ascii.carriageReturn { at += 1 }
  }

  /// The next line without its end.
  private mutating func line() -> ArraySlice<UInt8> {
    let end = bytes[at...].firstIndex(of: Ascii.lineFeed) ?? bytes.count
    var line = bytes[at..<end]
    at = min(end + 1, bytes.count)
    if line.last == Ascii.carriageReturn { line = line.dropLast() }
    return line
  }

  mutating func request() throws(CaptureFault) -> CapturedRequest {
    var request = CapturedRequest()
    let start = at
    let first = line()
    guard let words = RawReader.requestLine(first) else {
      throw fault(
        "`\(ArgumentText.excerpt(first, limit: 40))`", "a request line, as in GET / HTTP/1.1", at: start)
    }
    (request.method, request.uri, request.version) = words
    while at < bytes.count {
      let place = at
      let header = line()
      if header.isEmpty { break }
      if header.first == 0x20 || header.first == 0x09, !request.headers.isEmpty {
        // A folded line belongs to the one before.
        request.headers[request.headers.count - 1].value += [0x20] + RawReader.trimmed(header)
        continue
      }
      guard let colon = header.firstIndex(of: Ascii.colon) else {
        throw fault(
          "`\(ArgumentText.excerpt(header, limit: 40))`",
          "a header, as in Host: www.example.com, or a blank line",
          at: place)
      }
      request.headers.append(
        CapturedRequest.Header(
          name: Array(header[..<colon]), value: RawReader.trimmed(header[(colon + 1)...])))
    }
    request.body = try body(of: request)
    return request
  }

  private static func trimmed(_ value: ArraySlice<UInt8>) -> [UInt8] {
    var value = value.drop { $0 == 0x20 || $0 == 0x09 }
    while let last = value.last, last == 0x20 || last == 0x09 { value = value.dropLast() }
    return Array(value)
  }

  /// The target may hold blanks: the method ends at the first, the version begins after the last.
  private static func requestLine(_ line: ArraySlice<UInt8>) -> (
    method: [UInt8], uri: [UInt8], version: [UInt8]
  )? {
    guard let first = line.firstIndex(of: 0x20), let last = line.lastIndex(of: 0x20), first < last,
      line[(last + 1)...].starts(with: Array("HTTP/".utf8)), first > line.startIndex
    else { return nil }
    return (Array(line[..<first]), trimmed(line[(first + 1)..<last]), Array(line[(last + 1)...]))
  }

  private mutating func body(of request: CapturedRequest) throws(CaptureFault) -> [UInt8] {
    if let coding = request.header("transfer-encoding"), coding.map(lowercased).elementsEqual("chunked".utf8)
    {
      return try chunks()
    }
    guard let text = request.header("content-length") else {
      var ahead = self
      ahead.skipBlankLines()
      if ahead.isAtEnd || RawReader.requestLine(ahead.line()) != nil { return [] }
      defer { at = bytes.count }
      return Array(bytes[at...])
    }
    guard let length = Int(String(decoding: text, as: UTF8.self)), length >= 0 else {
      throw fault("Content-Length: \(ArgumentText.excerpt(text))", "a number of bytes", at: max(0, at - 1))
    }
    guard length <= bytes.count - at else {
      throw fault("a body of \(bytes.count - at) bytes", "\(length), as its Content-Length says", at: at)
    }
    defer { at += length }
    return Array(bytes[at..<at + length])
  }

  /// RFC 9112, section 7.1.
  private mutating func chunks() throws(CaptureFault) -> [UInt8] {
    var body: [UInt8] = []
    while true {
      let start = at
      let size = line().prefix { $0 != UInt8(ascii: ";") && $0 != 0x20 }
      guard let length = Int(String(decoding: size, as: UTF8.self), radix: 16), length >= 0,
        length <= bytes.count - at
      else {
        throw fault(
          "`\(ArgumentText.excerpt(size, limit: 20))`", "the size of a chunk, in hexadecimal", at: start)
      }
      if length == 0 {
        // Trailers end with a blank line; they aren't part of the body.
        while at < bytes.count, !line().isEmpty {}
        return body
      }
      body += bytes[at..<at + length]
      at += length
      guard at < bytes.count, line().isEmpty else {
        throw fault("a chunk that goes on", "a line's end after \(length) bytes", at: at)
      }
    }
  }
}
