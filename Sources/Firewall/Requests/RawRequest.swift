// A request as it goes over an HTTP/1.1 wire, saved to a file (RFC 9112).
//
// Editors save such files with LF alone, so lines may end with either. A header continued on the next line is joined to
// one. The body is what Content-Length or the chunks say; without either, all that follows.

extension CapturedRequest {
  /// The request that `bytes` hold.
  public static func raw(_ bytes: [UInt8], file: String) throws(CaptureFault) -> CapturedRequest {
    var request = CapturedRequest()
    request.id = file
    var at = 0
    var number = 0
    func line() -> ArraySlice<UInt8>? {
      guard at < bytes.count else { return nil }
      let end = bytes[at...].firstIndex(of: Ascii.lineFeed) ?? bytes.count
      let text = bytes[at..<end]
      at = end + 1
      number += 1
      return text.last == Ascii.carriageReturn ? text.dropLast() : text
    }
    func fault(_ found: String, _ wanted: String) -> CaptureFault {
      CaptureFault(place: "\(file):\(number)", found: found, wanted: wanted)
    }
    guard let first = line(), let space = first.firstIndex(of: 0x20), let last = first.lastIndex(of: 0x20),
      space > first.startIndex, last > space + 1
    else {
      number = 1
      throw fault(
        "`\(ArgumentText.excerpt(bytes.prefix(40).prefix { $0 != 10 }))` as the first line",
        "a request line such as `GET /path HTTP/1.1`")
    }
    request.method = Array(first[..<space])
    request.uri = Array(first[(space + 1)..<last])
    request.version = Array(first[(last + 1)...])
    while let text = line(), !text.isEmpty {
      if let head = text.first, Ascii.isBlank(head), !request.headers.isEmpty {
        request.headers[request.headers.count - 1].value += [0x20] + text.drop(while: Ascii.isBlank)
        continue
      }
      guard let colon = text.firstIndex(of: Ascii.colon), colon > text.startIndex else {
        throw fault("`\(ArgumentText.excerpt(text, limit: 40))`", "a header such as `Host: example.com`")
      }
      var value = text[(colon + 1)...].drop(while: Ascii.isBlank)
      while let end = value.last, Ascii.isBlank(end) { value = value.dropLast() }
      request.headers.append(Header(name: Array(text[..<colon]), value: Array(value)))
    }
    let rest = at < bytes.count ? Array(bytes[at...]) : []
    if let coding = request.header("transfer-encoding"),
      String(decoding: coding, as: UTF8.self).lowercased() == "chunked"
    {
      guard let body = unchunked(rest) else {
        throw fault(
          "a body that isn't made of chunks", "chunks, as Transfer-Encoding says: a length in hexadecimal, …")
      }
      request.body = body
    } else if let text = request.header("content-length") {
      guard let length = Int(String(decoding: text, as: UTF8.self)), length >= 0, length <= rest.count else {
        throw fault(
          "a body of \(rest.count) bytes",
          "as many as Content-Length says: \(ArgumentText.excerpt(text, limit: 20))")
      }
      request.body = Array(rest.prefix(length))
    } else {
      request.body = rest
    }
    return request
  }

  /// The content of a chunked body; nil where it is none.
  static func unchunked(_ bytes: [UInt8]) -> [UInt8]? {
    var result: [UInt8] = []
    var at = 0
    while at < bytes.count {
      guard let end = bytes[at...].firstIndex(of: Ascii.lineFeed) else { return nil }
      let digits = bytes[at..<end].prefix { $0 != UInt8(ascii: ";") && !Ascii.isSpace($0) }
      guard let length = Int(String(decoding: digits, as: UTF8.self), radix: 16), length >= 0 else {
        return nil
      }
      if length == 0 { return result }
      guard length <= bytes.count - (end + 1) else { return nil }
      result += bytes[(end + 1)..<(end + 1 + length)]
      at = end + 1 + length
      if at < bytes.count, bytes[at] == Ascii.carriageReturn { at += 1 }
      guard at < bytes.count, bytes[at] == Ascii.lineFeed else { return nil }
      at += 1
    }
    return nil
  }
}
