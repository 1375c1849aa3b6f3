// curl's options (its manual, 7.88): what shapes the request, and what is passed over because it doesn't.

enum CurlOption {
  case url, request, header, data, dataRaw, dataBinary, dataURLEncode, json, form, formString, upload
  case get, head, cookie, agent, referer, user, bearer, range, compressed, pathAsIs, http10, http11, http2
  /// Says how to connect, what to show or what to write.
  case nothing, nothingWithValue

  var takesValue: Bool {
    switch self {
    case .get, .head, .compressed, .pathAsIs, .http10, .http11, .http2, .nothing: false
    default: true
    }
  }

  static let short: [UInt8: CurlOption] = {
    var options: [UInt8: CurlOption] = [:]
    let shaping: [(Unicode.Scalar, CurlOption)] = [
      ("X", .request), ("H", .header), ("d", .data), ("F", .form), ("T", .upload), ("G", .get), ("I", .head),
      ("b", .cookie), ("A", .agent), ("e", .referer), ("u", .user), ("r", .range), ("0", .http10),
    ]
    for (letter, option) in shaping { options[UInt8(letter.value)] = option }
    for letter in "sSkLvifgNnqjRJO#Zaplt46123".utf8 { options[letter] = .nothing }
    for letter in "owmxcEyYDPQU".utf8 { options[letter] = .nothingWithValue }
    return options
  }()

  static let long: [String: CurlOption] = {
    var options: [String: CurlOption] = [
      "url": .url, "request": .request, "header": .header, "data": .data, "data-ascii": .data,
      "data-raw": .dataRaw,
      "data-binary": .dataBinary, "data-urlencode": .dataURLEncode, "json": .json, "form": .form,
      "form-string": .formString, "upload-file": .upload, "get": .get, "head": .head, "cookie": .cookie,
      "user-agent": .agent, "referer": .referer, "user": .user, "oauth2-bearer": .bearer, "range": .range,
      "compressed": .compressed, "path-as-is": .pathAsIs, "http1.0": .http10, "http1.1": .http11,
      "http2": .http2,
      "http2-prior-knowledge": .http2,
    ]
    let plain = """
      silent show-error insecure location location-trusted verbose include fail fail-early fail-with-body globoff
      no-buffer netrc basic ipv4 ipv6 tlsv1 tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3 ssl-reqd progress-bar no-progress-meter
      remote-name remote-header-name remote-time create-dirs parallel no-keepalive tcp-nodelay disable raw styled-output
      no-alpn http3 ssl-no-revoke retry-connrefused retry-all-errors
      """
    for name in plain.split(whereSeparator: \.isWhitespace) { options[String(name)] = .nothing }
    let valued = """
      output write-out max-time connect-timeout proxy proxy-user proxy-header cookie-jar cert key cacert capath cert-type
      key-type pass ciphers resolve connect-to interface retry retry-delay retry-max-time limit-rate speed-limit
      speed-time dump-header max-redirs noproxy socks5 socks5-hostname dns-servers trace trace-ascii stderr output-dir
      max-filesize keepalive-time unix-socket local-port tls-max
      """
    for name in valued.split(whereSeparator: \.isWhitespace) { options[String(name)] = .nothingWithValue }
    return options
  }()
}
