// Fields that are meant for the message's last reader, and that Connection can therefore not name (RFC 9110 section
// 7.6.1: "A sender MUST NOT send a connection option corresponding to a field that is intended for all recipients").
//
// Were they taken away on a client's word, the backend would read a message that the rules did not see: a body without
// the Content-Type it was inspected by, a request without its session. All other names are honoured as the section says.

enum EndToEnd {
  /// - Parameter name: in any case.
  static func isField(_ name: UnsafeRawBufferPointer) -> Bool {
    guard let first = name.first else { return false }
    switch first | 0x20 {
    case UInt8(ascii: "a"):
      return Octets.hasPrefix(name, "accept") || Octets.hasPrefix(name, "access-control-")
        || Octets.equals(name, "authorization") || Octets.equals(name, "age") || Octets.equals(name, "allow")
    case UInt8(ascii: "c"):
      return Octets.hasPrefix(name, "content-") || Octets.equals(name, "cookie")
        || Octets.equals(name, "cache-control") || Octets.hasPrefix(name, "cross-origin-")
    case UInt8(ascii: "d"): return Octets.equals(name, "date")
    case UInt8(ascii: "e"):
      return Octets.equals(name, "etag") || Octets.equals(name, "expect") || Octets.equals(name, "expires")
    case UInt8(ascii: "f"): return Octets.equals(name, "from")
    case UInt8(ascii: "h"): return Octets.equals(name, "host")
    case UInt8(ascii: "i"): return Octets.hasPrefix(name, "if-")
    case UInt8(ascii: "l"): return Octets.equals(name, "location") || Octets.equals(name, "last-modified")
    case UInt8(ascii: "o"): return Octets.equals(name, "origin")
    case UInt8(ascii: "p"): return Octets.equals(name, "pragma")
    case UInt8(ascii: "r"):
      return Octets.equals(name, "range") || Octets.equals(name, "referer")
        || Octets.equals(name, "referrer-policy") || Octets.equals(name, "retry-after")
    case UInt8(ascii: "s"):
      return Octets.hasPrefix(name, "sec-") || Octets.equals(name, "set-cookie")
        || Octets.equals(name, "server") || Octets.equals(name, "strict-transport-security")
    case UInt8(ascii: "u"): return Octets.equals(name, "user-agent")
    case UInt8(ascii: "v"): return Octets.equals(name, "vary")
    case UInt8(ascii: "w"): return Octets.equals(name, "www-authenticate")
    case UInt8(ascii: "x"):
      return Octets.equals(name, "x-http-method-override") || Octets.equals(name, "x-method-override")
        || Octets.equals(name, "x-http-method") || Octets.equals(name, "x-content-type-options")
        || Octets.equals(name, "x-frame-options") || Octets.equals(name, "x-csrf-token")
        || Octets.equals(name, "x-requested-with")
    default: return false
    }
  }
}
