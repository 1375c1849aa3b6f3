// HTTP Archive 1.2, as browsers' developer tools save it: each entry's request, and its response where there is one.
//
// What a browser leaves out of the file and yet sent is completed from the entry itself: Host and Content-Length of
// HTTP/2, a form's body from its parameters. Entries that went over no HTTP (data:, blob:) are left out.

/// Reads HAR files.
public enum HARFile {
  /// The requests of all entries.
  public static func requests(_ bytes: [UInt8], file: String) throws(CaptureFault) -> [CapturedRequest] {
    let json: CapturedJSON
    do throws(CapturedJSON.Fault) { json = try CapturedJSON(bytes) } catch {
      throw CaptureFault(
        place: "\(file):\(error.line):\(error.column)", found: error.found, wanted: error.wanted)
    }
    return try requests(json, file: file)
  }

  static func requests(_ json: CapturedJSON, file: String) throws(CaptureFault) -> [CapturedRequest] {
    guard let entries = json["log"]?["entries"]?.elements else {
      throw CaptureFault(place: file, found: "JSON without log.entries", wanted: "a HAR file")
    }
    var requests: [CapturedRequest] = []
    for (index, entry) in entries.enumerated() {
      let place = "\(file)#\(index + 1)"
      guard let request = entry["request"], let url = request["url"]?.bytes else {
        throw CaptureFault(
          place: place, found: "an entry without a request and its url", wanted: "entries of HAR 1.2")
      }
      guard var captured = try captured(request, url, place) else { continue }
      captured.id = place
      captured.response = try response(entry["response"], place)
      requests.append(captured)
    }
    return requests
  }

  /// The `request` objects of entries alone.
  static func requests(_ elements: [CapturedJSON], file: String) throws(CaptureFault) -> [CapturedRequest] {
    var requests: [CapturedRequest] = []
    for (index, element) in elements.enumerated() {
      let place = "\(file)#\(index + 1)"
      guard let url = element["url"]?.bytes else {
        throw CaptureFault(place: place, found: "a request without url", wanted: "requests of HAR 1.2")
      }
      guard var captured = try captured(element, url, place) else { continue }
      captured.id = place
      requests.append(captured)
    }
    return requests
  }

  private static func captured(
    _ json: CapturedJSON, _ url: [UInt8], _ place: String
  ) throws(CaptureFault) -> CapturedRequest? {
    var request = CapturedRequest()
    guard let colon = url.firstIndex(of: Ascii.colon), url[colon...].starts(with: Array("://".utf8)),
      ["http", "https", "ws", "wss"].contains(String(decoding: url[..<colon].map(lowercased), as: UTF8.self))
    else { return nil }
    let afterScheme = url[(colon + 3)...]
    let end =
      afterScheme.firstIndex { $0 == Ascii.slash || $0 == UInt8(ascii: "?") || $0 == Ascii.hash } ?? url.count
    var uri = url[end...]
    if let hash = uri.firstIndex(of: Ascii.hash) { uri = uri[..<hash] }
    request.uri = uri.first == Ascii.slash ? Array(uri) : [Ascii.slash] + uri
    request.method = json["method"]?.bytes ?? request.method
    request.version = version(json["httpVersion"]?.bytes ?? [])
    let headers = try fields(json, place)
    var authority = Array(afterScheme[..<end])
    // Of HTTP/2, some browsers keep what stands for the request line among the headers.
    for header in headers {
      guard header.name.first == Ascii.colon else {
        request.headers.append(header)
        continue
      }
      if header.name.elementsEqual(":authority".utf8) { authority = header.value }
    }
    if request.header("host") == nil {
      request.headers.insert(.init(name: Array("Host".utf8), value: authority), at: 0)
    }
    if request.header("cookie") == nil, let cookies = json["cookies"]?.elements, !cookies.isEmpty {
      let pairs = cookies.map { ($0["name"]?.bytes ?? []) + [Ascii.equals] + ($0["value"]?.bytes ?? []) }
      request.headers.append(
        .init(name: Array("Cookie".utf8), value: Array(pairs.joined(separator: Array("; ".utf8)))))
    }
    guard let post = json["postData"], post.members != nil else { return request }
    let type = request.header("content-type") ?? post["mimeType"]?.bytes ?? []
    request.body = try body(post, type: type, place)
    if request.body.isEmpty { return request }
    if request.header("content-type") == nil, !type.isEmpty {
      request.headers.append(.init(name: Array("Content-Type".utf8), value: type))
    }
    // The file holds a body as text, which needn't be as long as what was sent.
    let length = Array(String(request.body.count).utf8)
    if let at = request.headers.firstIndex(where: {
      $0.name.map(lowercased).elementsEqual("content-length".utf8)
    }) {
      request.headers[at].value = length
    } else {
      request.headers.append(.init(name: Array("Content-Length".utf8), value: length))
    }
    return request
  }

  private static func body(
    _ post: CapturedJSON, type: [UInt8], _ place: String
  ) throws(CaptureFault) -> [UInt8] {
    if let text = post["text"]?.bytes, !text.isEmpty {
      return try decoded(text, encoding: post["encoding"], "postData", place)
    }
    let parameters = post["params"]?.elements ?? []
    guard !parameters.isEmpty else { return [] }
    if type.map(lowercased).starts(with: Array("multipart/".utf8)) {
      return FormPart.body(
        parameters.map {
          FormPart(
            name: $0["name"]?.bytes ?? [], content: $0["value"]?.bytes ?? [], type: $0["contentType"]?.bytes,
            filename: $0["fileName"]?.bytes)
        }, boundary: boundary(of: type))
    }
    // Browsers write these names and values as they were sent, encoded.
    return Array(
      parameters.map { ($0["name"]?.bytes ?? []) + ($0["value"]?.bytes.map { [Ascii.equals] + $0 } ?? []) }
        .joined(separator: [UInt8(ascii: "&")]))
  }

  private static func boundary(of type: [UInt8]) -> String {
    let text = String(decoding: type, as: UTF8.self)
    for part in text.split(separator: ";").dropFirst() {
      let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
      guard pair.count == 2, pair[0].filter({ $0 != " " }).lowercased() == "boundary" else { continue }
      return pair[1].trimmingQuotes
    }
    return FormPart.boundary
  }

  private static func response(
    _ json: CapturedJSON?, _ place: String
  ) throws(CaptureFault) -> CapturedRequest.Response? {
    // 0: there was none (blocked, aborted).
    guard let json, let status = json["status"]?.integer, (100...599).contains(status) else { return nil }
    var response = CapturedRequest.Response()
    response.status = status
    response.headers = try fields(json, place).filter { $0.name.first != Ascii.colon }
    let content = json["content"]
    response.body = try decoded(
      content?["text"]?.bytes ?? [], encoding: content?["encoding"], "content", place)
    return response
  }

  private static func decoded(
    _ text: [UInt8], encoding: CapturedJSON?, _ name: String, _ place: String
  ) throws(CaptureFault) -> [UInt8] {
    guard encoding?.bytes?.elementsEqual("base64".utf8) ?? false else { return text }
    guard let bytes = CapturedRequest.base64(text) else {
      throw CaptureFault(place: place, found: "\(name) that is no base64", wanted: "RFC 4648, with padding")
    }
    return bytes
  }

  private static func fields(
    _ json: CapturedJSON, _ place: String
  ) throws(CaptureFault) -> [CapturedRequest.Header] {
    var fields: [CapturedRequest.Header] = []
    for header in json["headers"]?.elements ?? [] {
      guard let name = header["name"]?.bytes, let value = header["value"]?.bytes else {
        throw CaptureFault(place: place, found: "a header without a name or a value", wanted: "both")
      }
      fields.append(CapturedRequest.Header(name: name, value: value))
    }
    return fields
  }

  /// `h2`, `http/2.0`, `HTTP/2` and their kin.
  private static func version(_ text: [UInt8]) -> [UInt8] {
    let text = String(decoding: text.map(lowercased), as: UTF8.self)
    switch text {
    case "h2", "http/2", "http/2.0": return Array("HTTP/2.0".utf8)
    case "http/1.0": return Array("HTTP/1.0".utf8)
    // HTTP/3 has the same requests as HTTP/2.
    case "h3", "http/3", "http/3.0": return Array("HTTP/2.0".utf8)
    default: return Array("HTTP/1.1".utf8)
    }
  }
}
