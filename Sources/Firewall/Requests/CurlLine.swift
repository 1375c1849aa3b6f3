// A request as a curl command line, as people paste it and browsers copy it (curl's manual, 7.88).
//
// What shapes the request is taken as curl would send it, its own headers included; what only concerns the connection or
// the output is passed over. An option that isn't known is a fault: the request might be another one.

extension CapturedRequest {
  /// The requests of one command, one for each URL. `file` gives what `@name` stands for.
  public static func curl(
    _ bytes: [UInt8], place: String, file: @escaping (String) throws -> [UInt8]
  ) throws(CaptureFault) -> [CapturedRequest] {
    var words = try ShellWords.split(bytes, place: place)[...]
    // A prompt, copied with the command.
    if words.first == Array("$".utf8) { words = words.dropFirst() }
    guard let name = words.first, String(decoding: name, as: UTF8.self).split(separator: "/").last == "curl"
    else {
      throw CaptureFault(
        place: place, found: words.first.map { "`\(ArgumentText.excerpt($0))`" } ?? "nothing",
        wanted: "a command that begins with curl")
    }
    var command = CurlCommand(place: place, file: file)
    try command.read(Array(words.dropFirst()))
    return try command.requests()
  }
}

/// What the options of a command say.
private struct CurlCommand {
  let place: String
  let file: (String) throws -> [UInt8]
  var urls: [[UInt8]] = []
  var method: [UInt8]?
  var version = "HTTP/1.1"
  var headers: [CapturedRequest.Header] = []
  var data: [[UInt8]]?
  var form = MultipartText()
  var isJSON = false
  var isGet = false
  var isHead = false
  var upload: [UInt8]?
  var agent: [UInt8]? = Array("curl/7.88.1".utf8)
  var referer: [UInt8]?
  var cookies: [[UInt8]] = []
  var user: [UInt8]?
  var bearer: [UInt8]?
  var range: [UInt8]?
  var isCompressed = false
  var keepsPath = false

  init(place: String, file: @escaping (String) throws -> [UInt8]) {
    self.place = place
    self.file = file
  }

  func fault(_ found: String, _ wanted: String) -> CaptureFault {
    CaptureFault(place: place, found: found, wanted: wanted)
  }

  func content(_ name: some Collection<UInt8>) throws(CaptureFault) -> [UInt8] {
    let path = String(decoding: name, as: UTF8.self)
    do { return try file(path) } catch {
      throw fault("`@\(path)`, which can't be read: \(error)", "a file that is there and may be read")
    }
  }

  // MARK: - Options

  mutating func read(_ words: [[UInt8]]) throws(CaptureFault) {
    var index = 0
    var takesOptions = true
    while index < words.count {
      let word = words[index]
      index += 1
      guard takesOptions, word.first == UInt8(ascii: "-"), word.count > 1 else {
        urls.append(word)
        continue
      }
      if word == Array("--".utf8) {
        takesOptions = false
        continue
      }
      let text = String(decoding: word, as: UTF8.self)
      if text.hasPrefix("--") {
        guard let option = CurlOption.long[String(text.dropFirst(2))] else { throw unknown(text) }
        if option.takesValue {
          guard index < words.count else { throw fault("`\(text)` at the end", "its value behind it") }
          index += 1
        }
        try apply(option, option.takesValue ? words[index - 1] : [], name: text)
        continue
      }
      // -sSXPOST is -s -S -X POST.
      var rest = word.dropFirst()
      while let letter = rest.first {
        rest = rest.dropFirst()
        let name = "-" + String(decoding: [letter], as: UTF8.self)
        guard let option = CurlOption.short[letter] else { throw unknown(name) }
        guard option.takesValue else {
          try apply(option, [], name: name)
          continue
        }
        if rest.isEmpty {
          guard index < words.count else { throw fault("`\(name)` at the end", "its value behind it") }
          index += 1
          rest = words[index - 1][...]
        }
        try apply(option, Array(rest), name: name)
        rest = []
      }
    }
  }

  private func unknown(_ name: String) -> CaptureFault {
    fault(
      "the option `\(ArgumentText.excerpt(Array(name.utf8)))`, which isn't known",
      "-X -H -d --data-raw --data-binary --data-urlencode --json -F -T -G -I -b -A -e -u -r --url, or options that don't"
        + " change the request")
  }

  private mutating func apply(_ option: CurlOption, _ value: [UInt8], name: String) throws(CaptureFault) {
    switch option {
    case .nothing, .nothingWithValue: break
    case .url: urls.append(value)
    case .request: method = value
    case .header: try add(header: value)
    case .data: try add(data: value, readsFiles: true, stripsLines: true)
    case .dataRaw: try add(data: value, readsFiles: false, stripsLines: false)
    case .dataBinary: try add(data: value, readsFiles: true, stripsLines: false)
    case .dataURLEncode: data = (data ?? []) + [try encoded(value)]
    case .json:
      isJSON = true
      try add(data: value, readsFiles: true, stripsLines: false)
    case .form: try add(form: value, isPlain: false)
    case .formString: try add(form: value, isPlain: true)
    case .upload: upload = value == Array("-".utf8) ? [] : try content(value)
    case .get: isGet = true
    case .head: isHead = true
    case .cookie:
      guard value.contains(Ascii.equals) else {
        throw fault(
          "`\(name) \(ArgumentText.excerpt(value))`, a file of cookies",
          "cookies as text: `\(name) \"a=1; b=2\"`")
      }
      cookies.append(value)
    case .agent: agent = value.isEmpty ? nil : value
    case .referer: referer = value
    case .user: user = value
    case .bearer: bearer = value
    case .range: range = value
    case .compressed: isCompressed = true
    case .pathAsIs: keepsPath = true
    case .http10: version = "HTTP/1.0"
    case .http11: version = "HTTP/1.1"
    case .http2: version = "HTTP/2.0"
    }
  }

  private mutating func add(header value: [UInt8]) throws(CaptureFault) {
    if value.first == Ascii.at {
      for line in try content(value.dropFirst()).split(whereSeparator: { $0 == 10 || $0 == 13 }) {
        try add(header: Array(line))
      }
      return
    }
    if let colon = value.firstIndex(of: Ascii.colon) {
      headers.append(
        .init(name: Array(value[..<colon]), value: Array(value[(colon + 1)...].drop(while: Ascii.isBlank))))
    } else if value.last == UInt8(ascii: ";") {
      // Without a value, and sent all the same.
      headers.append(.init(name: Array(value.dropLast()) + [0], value: []))
    } else {
      throw fault("the header `\(ArgumentText.excerpt(value))`", "`Name: value`")
    }
  }

  private mutating func add(data value: [UInt8], readsFiles: Bool, stripsLines: Bool) throws(CaptureFault) {
    var bytes = value
    if readsFiles, value.first == Ascii.at {
      bytes = try content(value.dropFirst())
      if stripsLines { bytes.removeAll { $0 == 10 || $0 == 13 || $0 == 0 } }
    }
    // Parts of a form are joined by &, parts of JSON by nothing.
    var parts = data ?? []
    if isJSON, let last = parts.popLast() { bytes = last + bytes }
    parts.append(bytes)
    data = parts
  }

  /// `content`, `=content`, `name=content`, `@file`, `name@file`.
  private func encoded(_ value: [UInt8]) throws(CaptureFault) -> [UInt8] {
    let blank = Array("%20".utf8)
    guard let mark = value.firstIndex(where: { $0 == Ascii.equals || $0 == Ascii.at }) else {
      return FormText.encoded(value, blank: blank)
    }
    let rest = value[(mark + 1)...]
    let bytes = value[mark] == Ascii.at ? try content(rest) : Array(rest)
    return Array(value[..<mark]) + (mark > 0 ? [Ascii.equals] : []) + FormText.encoded(bytes, blank: blank)
  }

  private mutating func add(form value: [UInt8], isPlain: Bool) throws(CaptureFault) {
    guard let equals = value.firstIndex(of: Ascii.equals) else {
      throw fault("the form field `\(ArgumentText.excerpt(value))`", "`name=value` or `name=@file`")
    }
    let name = Array(value[..<equals])
    let rest = value[(equals + 1)...]
    guard !isPlain, let mark = rest.first, mark == Ascii.at || mark == Ascii.less else {
      let (content, attributes) = isPlain ? (Array(rest), [:]) : MultipartText.attributes(rest)
      form.add(name: name, content: content, fileName: attributes["filename"], type: attributes["type"])
      return
    }
    let (path, attributes) = MultipartText.attributes(rest.dropFirst())
    let bytes = try content(path)
    let isFile = mark == Ascii.at
    let last = path.split(separator: Ascii.slash).last.map(Array.init) ?? path
    form.add(
      name: name, content: bytes, fileName: attributes["filename"] ?? (isFile ? last : nil),
      type: attributes["type"] ?? (isFile ? Array("application/octet-stream".utf8) : nil))
  }

  // MARK: - Requests

  func requests() throws(CaptureFault) -> [CapturedRequest] {
    guard !urls.isEmpty else { throw fault("a curl command without a URL", "a URL") }
    var result: [CapturedRequest] = []
    for url in urls { result.append(try request(url)) }
    return result
  }

  private func request(_ url: [UInt8]) throws(CaptureFault) -> CapturedRequest {
    guard var parts = URLParts(url), !url.contains(where: { $0 <= 0x20 || $0 == 0x7F }) else {
      throw fault(
        "the URL `\(ArgumentText.excerpt(url, limit: 60))`", "http:// or https:// and a host, without blanks")
    }
    if !keepsPath { parts.target = DotSegments.removed(from: parts.target) }
    var request = CapturedRequest()
    request.version = Array(version.utf8)
    var content = data.map { Array($0.joined(separator: [Ascii.ampersand])) }
    var type: [UInt8]? = data == nil ? nil : Array("application/x-www-form-urlencoded".utf8)
    if isGet, let query = content {
      parts.target += [parts.target.contains(UInt8(ascii: "?")) ? Ascii.ampersand : UInt8(ascii: "?")] + query
      content = nil
    }
    var standard = "GET"
    if content != nil { standard = "POST" }
    if let body = form.body {
      (content, type, standard) = (body, form.contentType, "POST")
    }
    if let upload { (content, type, standard) = (upload, nil, "PUT") }
    if isHead { standard = "HEAD" }
    request.method = method ?? Array(standard.utf8)
    request.uri = parts.target
    request.id =
      "\(place): \(ArgumentText.excerpt(request.method)) \(ArgumentText.excerpt(parts.target, limit: 60))"
    request.headers = fields(parts, body: content, type: type)
    request.body = content ?? []
    return request
  }

  /// In curl's order; a header that is given replaces curl's own, and one given without a value takes it away.
  private func fields(_ parts: URLParts, body: [UInt8]?, type: [UInt8]?) -> [CapturedRequest.Header] {
    func isGiven(_ name: String) -> Bool {
      headers.contains { String(decoding: $0.name, as: UTF8.self).lowercased() == name.lowercased() }
    }
    var result: [CapturedRequest.Header] = []
    func add(_ name: String, _ value: [UInt8]?) {
      if let value, !isGiven(name) { result.append(.init(name: Array(name.utf8), value: value)) }
    }
    let given = headers.first {
      String(decoding: $0.name, as: UTF8.self).lowercased() == "host" && !$0.value.isEmpty
    }
    result.append(given ?? .init(name: Array("Host".utf8), value: parts.host))
    let credentials = user ?? parts.user
    add("Authorization", credentials.map { Array("Basic ".utf8) + FormText.base64($0) })
    if credentials == nil { add("Authorization", bearer.map { Array("Bearer ".utf8) + $0 }) }
    add("Range", range.map { Array("bytes=".utf8) + $0 })
    add("User-Agent", agent)
    add("Accept", Array((isJSON ? "application/json" : "*/*").utf8))
    if isCompressed { add("Accept-Encoding", Array("deflate, gzip, br, zstd".utf8)) }
    add("Referer", referer)
    if !cookies.isEmpty { add("Cookie", Array(cookies.joined(separator: Array("; ".utf8)))) }
    for header in headers {
      var header = header
      if header.name.last == 0 { header.name.removeLast() } else if header.value.isEmpty { continue }
      if String(decoding: header.name, as: UTF8.self).lowercased() != "host" { result.append(header) }
    }
    if let body {
      add("Content-Length", Array(String(body.count).utf8))
      add("Content-Type", isJSON ? Array("application/json".utf8) : type)
    }
    return result
  }
}
