// The variables that libmodsecurity 3.0.9 derives from a request's URI. They are its own, not RFC 3986's: paths come
// decoded once, PATH_INFO is all of the path.
// One departure: the query is cut off before the path is decoded, not after, as libmodsecurity does since 3.0.12: an
// encoded question mark must not hide what follows it (CVE-2024-1019).

/// What the rules know of a request's URI.
public struct RequestURI {
  /// REQUEST_URI_RAW: as sent.
  public let raw: ByteView
  /// REQUEST_URI: decoded, without fragment, scheme and host; the query stays.
  public let uri: ByteView
  /// QUERY_STRING: as sent, between the first question mark and the fragment.
  public let queryString: ByteView
  /// REQUEST_FILENAME: what is before the first question mark, decoded; scheme and host stay, if any were sent.
  public let filename: ByteView
  /// REQUEST_BASENAME: what follows the last slash or backslash of the filename; empty without one.
  public let basename: ByteView

  /// PATH_INFO: the same as the filename.
  public var pathInfo: ByteView { filename }

  /// Takes `raw`, a request line's target, apart.
  public init(_ raw: ByteView, arena: Arena) {
    self.raw = raw
    let sent = raw.prefix(raw.firstIndex(of: UInt8(ascii: "#")) ?? raw.count)
    let mark = sent.firstIndex(of: UInt8(ascii: "?")) ?? sent.count
    queryString = sent.dropFirst(mark + 1)
    var invalid = 0
    let decoded = sent.percentDecoded(plusIsSpace: false, arena: arena, invalid: &invalid)
    // No escape spans a question mark: the decoded path is the beginning of the decoded whole.
    filename = decoded.prefix(RequestURI.decodedCount(sent.prefix(mark)))
    uri = RequestURI.withoutAuthority(decoded)
    var after = filename.count
    while after > 0, filename[after - 1] != UInt8(ascii: "/"), filename[after - 1] != UInt8(ascii: "\\") {
      after -= 1
    }
    basename = after > 0 ? filename.dropFirst(after) : .empty
  }

  /// How long `path` is once decoded.
  private static func decodedCount(_ path: ByteView) -> Int {
    var count = path.count
    var at = 0
    while let percent = path.firstIndex(of: UInt8(ascii: "%"), from: at) {
      at = percent + 1
      guard percent + 2 < path.count, hexDigit(path[percent + 1]) != nil, hexDigit(path[percent + 2]) != nil
      else { continue }
      count -= 2
      at = percent + 3
    }
    return count
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
