// The options of curl (curl(1), 8.x) that decide what is sent, and those that don't and are passed over.
//
// What would read a file is refused: a captured request carries its bytes with it.

/// What the options of one operation add up to.
struct CurlOperation {
  enum BodyKind { case none, form, json, multipart }
  var urls: [[UInt8]] = []
  var method: [UInt8]?
  var headers: [[UInt8]] = []
  var kind = BodyKind.none
  var data: [UInt8] = []
  var parts: [FormPart] = []
  var query: [[UInt8]] = []
  var isGet = false
  var isHead = false
  var cookies: [[UInt8]] = []
  var agent: [UInt8]?
  var referer: [UInt8]?
  var range: [UInt8]?
  var user: [UInt8]?
  var bearer: [UInt8]?
  var target: [UInt8]?
  var isCompressed = false
  var keepsPath = false
  var takesBrackets = false
  var version = "HTTP/1.1"

  var isEmpty: Bool { urls.isEmpty }
}

enum CurlOption: String {
  case request, header, data, dataRaw, dataBinary, dataAscii, dataUrlencode, json, form, formString, get, head
  case cookie, userAgent, referer, user, url, compressed, range, oauth2Bearer, requestTarget, pathAsIs,
    globoff
  case http10 = "http1.0"
  case http2, http2PriorKnowledge, urlQuery
  case next
  /// Without influence on the request: alone, and with a value.
  case flag, valued

  var takesValue: Bool {
    switch self {
    case .get, .head, .compressed, .pathAsIs, .globoff, .http10, .http2, .http2PriorKnowledge, .next, .flag:
      false
    default: true
    }
  }

  static func long(_ name: String) -> CurlOption? {
    if flagNames.contains(name) || (name.hasPrefix("no-") && flagNames.contains(String(name.dropFirst(3)))) {
      return .flag
    }
    if valuedNames.contains(name) { return .valued }
    if name == "http1.0" { return .http10 }
    guard name != "flag", name != "valued", !name.contains(where: \.isUppercase) else { return nil }
    var camel = ""
    var isUpper = false
    for character in name {
      if character == "-" {
        isUpper = true
      } else {
        camel += isUpper ? character.uppercased() : String(character)
        isUpper = false
      }
    }
    return CurlOption(rawValue: camel)
  }

  static func short(_ letter: UInt8) -> CurlOption? {
    switch letter {
    case UInt8(ascii: "X"): .request
    case UInt8(ascii: "H"): .header
    case UInt8(ascii: "d"): .data
    case UInt8(ascii: "F"): .form
    case UInt8(ascii: "G"): .get
    case UInt8(ascii: "I"): .head
    case UInt8(ascii: "b"): .cookie
    case UInt8(ascii: "A"): .userAgent
    case UInt8(ascii: "e"): .referer
    case UInt8(ascii: "u"): .user
    case UInt8(ascii: "r"): .range
    case UInt8(ascii: "g"): .globoff
    case UInt8(ascii: "0"): .http10
    case UInt8(ascii: ":"): .next
    default:
      "#46BafiJjkLlNOpqRsSvZ".utf8.contains(letter)
        ? .flag : "cDEmowxUYy".utf8.contains(letter) ? .valued : nil
    }
  }

  private static let flagNames: Set<String> = [
    "silent", "show-error", "insecure", "location", "location-trusted", "verbose", "include", "fail",
    "fail-with-body", "fail-early", "buffer", "progress-bar", "progress-meter", "remote-name",
    "remote-name-all",
    "remote-header-name", "remote-time", "create-dirs", "ipv4", "ipv6", "http1.1", "http3", "tlsv1",
    "tlsv1.0",
    "tlsv1.1", "tlsv1.2", "tlsv1.3", "tcp-nodelay", "tcp-fastopen", "keepalive", "parallel",
    "parallel-immediate",
    "styled-output", "raw", "ssl", "ssl-reqd", "basic", "anyauth", "post301", "post302",
    "post303",
    "retry-connrefused", "retry-all-errors", "compressed-ssh", "junk-session-cookies", "sessionid", "alpn",
    "npn",
    "disable", "trace-time", "clobber", "ca-native", "cert-status", "doh-insecure", "proxy-insecure",
  ]
  private static let valuedNames: Set<String> = [
    "output", "output-dir", "max-time", "connect-timeout", "retry", "retry-delay", "retry-max-time", "proxy",
    "preproxy", "proxy-user", "noproxy", "socks4", "socks4a", "socks5", "socks5-hostname", "resolve",
    "connect-to",
    "interface", "local-port", "cacert", "capath", "cert", "cert-type", "key", "key-type", "pass",
    "pinnedpubkey",
    "ciphers", "tls13-ciphers", "curves", "tls-max", "write-out", "cookie-jar", "dump-header", "limit-rate",
    "rate", "max-redirs", "max-filesize", "stderr", "trace", "trace-ascii", "speed-limit", "speed-time",
    "keepalive-time", "expect100-timeout", "happy-eyeballs-timeout-ms", "dns-servers", "doh-url", "proto",
    "proto-default", "proto-redir", "parallel-max", "unix-socket", "abstract-unix-socket", "crlfile",
  ]
}
