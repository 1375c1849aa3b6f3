// The variables that libmodsecurity 3.0.9 derives from a request's URI. They are its own, not RFC 3986's: paths come
// decoded once, and a decoded question mark ends a path as a plain one does.

public struct RequestURI {
  /// REQUEST_URI_RAW: as sent.
  public let raw: ByteView
  /// REQUEST_URI: decoded, without fragment, scheme and host; the query stays.
  public let uri: ByteView
  /// QUERY_STRING: as sent, between the first question mark and the fragment.
  public let queryString: ByteView
  /// REQUEST_FILENAME: decoded, up to the first question mark; scheme and host stay, if any were sent.
  public let filename: ByteView
  /// REQUEST_BASENAME: what follows the last slash or backslash of the filename; empty without one.
  public let basename: ByteView

  /// PATH_INFO: the same as the filename.
  public var pathInfo: ByteView { filename }

  public init(_ raw: ByteView, arena: Arena) {
    self.raw = raw
    let sent = raw.prefix(raw.firstIndex(of: UInt8(ascii: "#")) ?? raw.count)
    if let mark = sent.firstIndex(of: UInt8(ascii: "?")) {
      queryString = sent.dropFirst(mark + 1)
    } else {
      queryString = .empty
    }
    var invalid = 0
    let decoded = sent.percentDecoded(plusIsSpace: false, arena: arena, invalid: &invalid)
    filename = decoded.prefix(decoded.firstIndex(of: UInt8(ascii: "?")) ?? decoded.count)
    uri = RequestURI.withoutAuthority(decoded)
    var after = filename.count
    while after > 0, filename[after - 1] != UInt8(ascii: "/"), filename[after - 1] != UInt8(ascii: "\\") {
      after -= 1
    }
    basename = after > 0 ? filename.dropFirst(after) : .empty
  }

  /// From the path on, where a scheme and a host stand before it.
  private static func withoutAuthority(_ decoded: ByteView) -> ByteView {
    guard !decoded.isEmpty, decoded[0] != UInt8(ascii: "/"),
      let colon = decoded.firstIndex(of: UInt8(ascii: ":")),
      decoded.dropFirst(colon + 1).hasPrefix(ByteView("//")),
      let path = decoded.firstIndex(of: UInt8(ascii: "/"), from: colon + 3)
    else { return decoded }
    return decoded.dropFirst(path)
  }
}
