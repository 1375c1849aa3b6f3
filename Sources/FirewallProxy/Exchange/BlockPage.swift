// Answers of the firewall's own: HTML for who asks for it, `application/problem+json` (RFC 9457) for all others; English
// or Japanese. Why a request was denied isn't said, only the support ID under which the log has it.

import NIOCore

/// Whom a page is for.
protocol PageAudience {
  var wantsHTML: Bool { get }
  var wantsJapanese: Bool { get }
  /// The request's id, which is the support ID.
  var idText: String { get }
}

extension Exchange: PageAudience {}

enum BlockPage {
  static func denied(_ exchange: some PageAudience, status: Int) -> Page {
    page(
      exchange, status: status, type: "request-blocked",
      english: (
        "Request blocked", "The request was blocked. If you think this is an error, tell us the support ID."
      ),
      japanese: ("リクエストを遮断しました", "このリクエストは遮断されました。お心当たりのない場合は、サポートIDをお知らせください。"))
  }

  static func redirect(_ exchange: some PageAudience, location: String, status: Int) -> Page {
    // A control byte here would begin another field.
    let isSafe = location.utf8.allSatisfy { $0 > 32 && $0 != 127 }
    guard isSafe, !location.isEmpty else { return denied(exchange, status: 403) }
    return Page(
      status: status,
      fields: [("Location", location), ("Cache-Control", "no-store"), ("X-Request-ID", exchange.idText)],
      body: ByteBuffer())
  }

  static func refused(_ exchange: some PageAudience, _ refusal: Refusal) -> Page {
    page(
      exchange, status: refusal.status, type: "request-refused",
      english: (reason(refusal.status), "The request can't be accepted as it was sent."),
      japanese: ("リクエストを受け付けられません", "送信されたリクエストは受け付けられませんでした。"))
  }

  static func unavailable(_ exchange: some PageAudience, _ failure: BackendFailure) -> Page {
    var page = page(
      exchange, status: failure.status, type: "service-unavailable",
      english: (reason(failure.status), "The service can't be reached now. Please try again later."),
      japanese: ("サービスに接続できません", "現在サービスに接続できません。しばらくしてからもう一度お試しください。"))
    if failure == .busy { page.fields.append(("Retry-After", "1")) }
    return page
  }

  private static func page(
    _ exchange: some PageAudience, status: Int, type: String, english: (String, String),
    japanese: (String, String)
  ) -> Page {
    let (title, text) = exchange.wantsJapanese ? japanese : english
    // Of letters, digits and a few harmless signs, whether ours or a trusted proxy's.
    let id = exchange.idText
    let language = exchange.wantsJapanese ? "ja" : "en"
    var fields = [
      ("Content-Type", exchange.wantsHTML ? "text/html; charset=utf-8" : "application/problem+json"),
      ("Content-Language", language), ("Cache-Control", "no-store"), ("X-Request-ID", id),
    ]
    var body = ByteBuffer()
    if exchange.wantsHTML {
      fields.append(("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"))
      body.writeString(
        """
        <!doctype html><html lang="\(language)"><meta charset="utf-8"><title>\(title)</title>\
        <style>body{font:16px/1.5 system-ui,sans-serif;max-width:34em;margin:15vh auto;padding:0 1em}\
        code{user-select:all}</style><h1>\(title)</h1><p>\(text)</p>\
        <p>\(exchange.wantsJapanese ? "サポートID" : "Support ID"): <code>\(id)</code></p></html>

        """)
    } else {
      body.writeString(
        "{\"type\":\"urn:kabuto:\(type)\",\"title\":\"\(title)\",\"status\":\(status),\"detail\":\"\(text)\",\"support_id\":\"\(id)\"}\n"
      )
    }
    if status == 405 { fields.append(("Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH")) }
    return Page(status: status, fields: fields, body: body)
  }

  static func reason(_ status: Int) -> String {
    switch status {
    case 301: "Moved Permanently"
    case 302: "Found"
    case 303: "See Other"
    case 307: "Temporary Redirect"
    case 308: "Permanent Redirect"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 406: "Not Acceptable"
    case 408: "Request Timeout"
    case 413: "Content Too Large"
    case 414: "URI Too Long"
    case 417: "Expectation Failed"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 502: "Bad Gateway"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    case 505: "HTTP Version Not Supported"
    default: "Status"
    }
  }
}
