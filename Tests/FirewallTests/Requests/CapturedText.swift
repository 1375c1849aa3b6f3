// Captured requests as the text that goes over the wire, to compare them.

import Firewall

extension CapturedRequest {
  var wire: String {
    func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
    let head = headers.map { "\(text($0.name)):\($0.value.isEmpty ? "" : " ")\(text($0.value))\r\n" }.joined()
    return "\(text(method)) \(text(uri)) \(text(version))\r\n\(head)\r\n\(text(body))"
  }
}
