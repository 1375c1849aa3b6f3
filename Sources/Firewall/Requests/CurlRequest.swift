// From what a curl command says to the request that curl sends: its address taken apart, its headers in curl's order.

struct CurlRequest {
  let operation: CurlOperation
  let place: String
  /// What the command reports itself as; the version with which the order of headers was compared.
  static let agent = "curl/7.88.1"

  init(operation: CurlOperation, place: String) {
    self.operation = operation
    self.place = place
  }

  private func fault(_ found: String, _ wanted: String) -> CaptureFault {
    CaptureFault(place: place, found: found, wanted: wanted)
  }

  func made(_ url: [UInt8]) throws(CaptureFault) -> CapturedRequest {
    let address = try CurlAddress(
      try unglobbed(url), keepsPath: operation.keepsPath, place: place)
    var request = CapturedRequest()
    let isInAddress = operation.isGet
    let hasBody = operation.kind != .none && !isInAddress
    request.method = operation.method ?? Array((operation.isHead ? "HEAD" : hasBody ? "POST" : "GET").utf8)
    request.version = Array(operation.version.utf8)
    var uri = address.path
    var queries = address.query.map { [$0] } ?? []
    queries += operation.query
    if isInAddress, operation.kind != .none { queries.append(Self.lowerEscapes(operation.data)) }
    if !queries.isEmpty {
      uri += [UInt8(ascii: "?")] + queries.filter { !$0.isEmpty }.joined(separator: [UInt8(ascii: "&")])
    }
    if operation.target == nil, uri.contains(where: { $0 <= 0x20 || $0 == 0x7F }) {
      throw CaptureFault(
        place: place, found: "a blank or a control character in data that goes into the address",
        wanted: "it percent-encoded, or --data-urlencode")
    }
    request.uri = operation.target ?? uri

    var custom: [CurlHeader] = []
    for text in operation.headers {
      if let header = try CurlHeader(text, place: place) { custom.append(header) }
    }
    let named = custom
    func isCustom(_ name: String) -> Bool { named.contains { $0.isNamed(name) } }
    func add(_ name: String, _ value: [UInt8]?) {
      guard let value, !isCustom(name) else { return }
      request.headers.append(CapturedRequest.Header(name: Array(name.utf8), value: value))
    }
    if let host = custom.first(where: { $0.isNamed("host") }) {
      if let value = host.value { request.headers.append(.init(name: Array("Host".utf8), value: value)) }
    } else {
      add("Host", address.host)
    }
    if let bearer = operation.bearer {
      add("Authorization", Array("Bearer ".utf8) + bearer)
    } else if let user = operation.user ?? address.user {
      let pair = user.contains(Ascii.colon) ? user : user + [Ascii.colon]
      add("Authorization", Array("Basic ".utf8) + base64(pair))
    }
    add("Range", operation.range.map { Array("bytes=".utf8) + $0 })
    let agent = operation.agent ?? Array(Self.agent.utf8)
    if !agent.isEmpty { add("User-Agent", agent) }
    if operation.kind != .json { add("Accept", Array("*/*".utf8)) }
    if operation.isCompressed { add("Accept-Encoding", Array("deflate, gzip, br, zstd".utf8)) }
    if let referer = operation.referer, !referer.isEmpty { add("Referer", referer) }
    if !operation.cookies.isEmpty {
      request.headers.append(
        .init(
          name: Array("Cookie".utf8), value: Array(operation.cookies.joined(separator: [UInt8(ascii: ";")])))
      )
    }
    let multipart = operation.kind == .multipart && hasBody
    var formType = Array("multipart/form-data".utf8)
    for header in custom where !header.isNamed("host") {
      guard let value = header.value else { continue }
      if multipart, header.isNamed("content-type") {
        formType = value
      } else {
        request.headers.append(.init(name: header.name, value: value))
      }
    }
    if operation.kind == .json {
      add("Content-Type", Array("application/json".utf8))
      add("Accept", Array("application/json".utf8))
    }
    guard hasBody else { return request }
    request.body = multipart ? FormPart.body(operation.parts) : operation.data
    add("Content-Length", Array(String(request.body.count).utf8))
    if multipart {
      request.headers.append(
        .init(
          name: Array("Content-Type".utf8), value: formType + Array("; boundary=\(FormPart.boundary)".utf8)))
    } else if operation.kind == .form {
      add("Content-Type", Array("application/x-www-form-urlencoded".utf8))
    }
    if request.body.count > 1 << 20 { add("Expect", Array("100-continue".utf8)) }
    return request
  }

  /// What curl puts into an address it writes with small hexadecimal digits.
  private static func lowerEscapes(_ data: [UInt8]) -> [UInt8] {
    var data = data
    for at in data.indices where data[at] == UInt8(ascii: "%") {
      for place in (at + 1)..<min(at + 3, data.count) where hexDigit(data[place]) != nil {
        data[place] = lowercased(data[place])
      }
    }
    return data
  }

  /// Brackets and braces mean lists of addresses unless -g is given; with a backslash they mean themselves.
  private func unglobbed(_ url: [UInt8]) throws(CaptureFault) -> [UInt8] {
    guard !operation.takesBrackets else { return url }
    var result: [UInt8] = []
    var at = 0
    while at < url.count {
      let byte = url[at]
      at += 1
      if byte == Ascii.backslash, at < url.count, "[]{}".utf8.contains(url[at]) {
        result.append(url[at])
        at += 1
        continue
      }
      // An address of IPv6 in the authority is none.
      let isHost = byte == UInt8(ascii: "[") && result.suffix(2).elementsEqual("//".utf8)
      if isHost, let end = url[at...].firstIndex(of: UInt8(ascii: "]")) {
        result += url[(at - 1)...end]
        at = end + 1
        continue
      }
      if "[]{}".utf8.contains(byte) {
        throw fault(
          "`\(Character(Unicode.Scalar(byte)))` in the address, with which curl makes many of one",
          "-g to let it mean itself, or a \\ before it")
      }
      result.append(byte)
    }
    return result
  }

  private func base64(_ bytes: [UInt8]) -> [UInt8] {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var result: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let bits = (0..<3).reduce(UInt32(0)) { $0 << 8 | ($1 < group.count ? UInt32(group[start + $1]) : 0) }
      for place in 0..<4 {
        result.append(place <= group.count ? digits[Int(bits >> UInt32(18 - 6 * place) & 63)] : Ascii.equals)
      }
    }
    return result
  }
}

/// `Name: value` sets, `Name;` sets to nothing, `Name:` takes curl's own away.
private struct CurlHeader {
  let name: [UInt8]
  /// Nil: not sent.
  let value: [UInt8]?

  init?(_ text: [UInt8], place: String) throws(CaptureFault) {
    if text.contains(Ascii.lineFeed) || text.contains(Ascii.carriageReturn) {
      throw CaptureFault(
        place: place, found: "a line break in the header \"\(ArgumentText.excerpt(text))\"",
        wanted: "one -H for each")
    }
    guard let split = text.firstIndex(of: Ascii.colon) else {
      guard let end = text.firstIndex(of: UInt8(ascii: ";")), end == text.count - 1, end > 0 else {
        return nil
      }
      (name, value) = (Array(text[..<end]), [])
      return
    }
    name = Array(text[..<split])
    let rest = text[(split + 1)...].drop { $0 == 0x20 || $0 == 0x09 }
    value = rest.isEmpty ? nil : Array(rest)
  }

  func isNamed(_ wanted: String) -> Bool { name.map(lowercased).elementsEqual(wanted.lowercased().utf8) }
}

/// An address as curl understands it.
private struct CurlAddress {
  var host: [UInt8]
  var user: [UInt8]?
  var path: [UInt8]
  var query: [UInt8]?

  init(_ url: [UInt8], keepsPath: Bool, place: String) throws(CaptureFault) {
    if let byte = url.first(where: { $0 <= 0x20 || $0 == 0x7F }) {
      throw CaptureFault(
        place: place, found: byte == 0x20 ? "a blank in the address" : "a control character in the address",
        wanted: "it percent-encoded, as %20")
    }
    var rest = url[...]
    var port = 80
    if let colon = rest.firstIndex(of: Ascii.colon), rest[colon...].starts(with: Array("://".utf8)),
      !rest[..<colon].contains(where: { !Ascii.isWord($0) && $0 != UInt8(ascii: "+") })
    {
      let scheme = String(decoding: rest[..<colon].map(lowercased), as: UTF8.self)
      guard ["http", "https", "ws", "wss"].contains(scheme) else {
        throw CaptureFault(place: place, found: "the scheme \"\(scheme)\"", wanted: "http or https")
      }
      port = scheme == "https" || scheme == "wss" ? 443 : 80
      rest = rest[(colon + 3)...]
    }
    if let hash = rest.firstIndex(of: Ascii.hash) { rest = rest[..<hash] }
    let end = rest.firstIndex { $0 == Ascii.slash || $0 == UInt8(ascii: "?") } ?? rest.endIndex
    var authority = rest[..<end]
    rest = rest[end...]
    if let sign = authority.lastIndex(of: Ascii.at) {
      user = percentDecoded(authority[..<sign])
      authority = authority[(sign + 1)...]
    }
    let standard = Array(":\(port)".utf8)
    if authority.count > standard.count, authority.suffix(standard.count).elementsEqual(standard) {
      authority = authority.dropLast(standard.count)
    }
    guard !authority.isEmpty else {
      throw CaptureFault(
        place: place, found: "the address \"\(ArgumentText.excerpt(url))\" without a host",
        wanted: "one, as in http://www.example.com/")
    }
    host = Array(authority)
    if let mark = rest.firstIndex(of: UInt8(ascii: "?")) {
      query = Array(rest[(mark + 1)...])
      rest = rest[..<mark]
    }
    path = rest.isEmpty ? [Ascii.slash] : Array(rest)
    if !keepsPath { path = withoutDots(path) }
  }
}

/// RFC 3986, section 5.2.4.
private func withoutDots(_ path: [UInt8]) -> [UInt8] {
  let segments = path.split(separator: Ascii.slash, omittingEmptySubsequences: false)
  var kept: [ArraySlice<UInt8>] = []
  for (index, segment) in segments.enumerated() {
    let isLast = index == segments.count - 1
    if segment.elementsEqual(".".utf8) {
      if isLast { kept.append([]) }
    } else if segment.elementsEqual("..".utf8) {
      if kept.count > 1 { kept.removeLast() }
      if isLast { kept.append([]) }
    } else {
      kept.append(segment)
    }
  }
  return Array(kept.joined(separator: [Ascii.slash]))
}

private func percentDecoded(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
  var result: [UInt8] = []
  var at = bytes.startIndex
  while at < bytes.endIndex {
    if bytes[at] == UInt8(ascii: "%"), at + 2 < bytes.endIndex, let high = hexDigit(bytes[at + 1]),
      let low = hexDigit(bytes[at + 2])
    {
      result.append(high << 4 | low)
      at += 3
    } else {
      result.append(bytes[at])
      at += 1
    }
  }
  return result
}
