// Forms of texts: names, addresses, sources, backends; and secrets, which have no place in an estate.

import Foundation

enum TextForms {
  static let schemes = ["sim", "itch", "pcap", "mold", "soup"]
  /// A key with one of these words asks for a secret.
  static let secretKeys = ["password", "passwd", "secret", "token", "private_key", "api_key", "passphrase"]

  static func isGood(_ text: String, as shape: Shape) -> Bool {
    switch shape {
    case .name: isName(text)
    case .marketCode:
      (1...10).contains(text.utf8.count) && text.utf8.allSatisfy { isCapital($0) || isDigit($0) }
    case .address: isAddress(text)
    case .source: isLine(text) && schemes.contains { text.hasPrefix($0 + ":") }
    case .backend: isBackend(text)
    case .account: text.utf8.count == 12 && text.utf8.allSatisfy(isDigit)
    case .cloudName:
      (1...40).contains(text.utf8.count)
        && text.utf8.allSatisfy { (97...122).contains($0) || isDigit($0) || $0 == 45 || $0 == 46 }
        && text.utf8.first.map { $0 != 45 && $0 != 46 } ?? false
    case .text: isLine(text)
    default: true
    }
  }

  /// What kind of secret a text carries, if one.
  static func secret(in text: String, _ shape: Shape) -> String? {
    if case .source = shape, let question = text.firstIndex(of: "?") {
      let settings = text[text.index(after: question)...].split(separator: "&")
      if settings.contains(where: { $0.lowercased().hasPrefix("password=") }) { return "password" }
    }
    if let scheme = text.range(of: "://") {
      let authority = text[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }
      if let at = authority.lastIndex(of: "@"), authority[..<at].contains(":") { return "password" }
    }
    return text.contains("-----BEGIN") && text.contains("PRIVATE KEY") ? "private key" : nil
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
  private static func isCapital(_ byte: UInt8) -> Bool { (65...90).contains(byte) }
  private static func isLetter(_ byte: UInt8) -> Bool { isCapital(byte) || (97...122).contains(byte) }

  static func isName(_ text: String) -> Bool {
    guard let first = text.utf8.first, text.utf8.count <= 63, isLetter(first) || isDigit(first) else {
      return false
    }
    return text.utf8.allSatisfy {
      isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
    }
  }

  private static func isLine(_ text: String) -> Bool {
    !text.isEmpty && text.unicodeScalars.count <= 1_024
      && text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control && $0.value != 0xFEFF }
  }

  /// An IPv4 or IPv6 address, or a host name.
  static func isAddress(_ text: String) -> Bool {
    if text.utf8.contains(UInt8(ascii: ":")) { return isIPv6(text) }
    let labels = text.split(separator: ".", omittingEmptySubsequences: false)
    // What looks like an address must be one: 10.0.0.256 is nobody's host name.
    if labels.last?.utf8.allSatisfy(isDigit) ?? true { return isIPv4(text) }
    return text.utf8.count <= 253
      && labels.allSatisfy { label in
        (1...63).contains(label.utf8.count) && label.utf8.first != 45 && label.utf8.last != 45
          && label.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == 45 }
      }
  }

  static func isIPv4(_ text: String) -> Bool {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts.allSatisfy { Shape.digits($0).map { $0 <= 255 } ?? false }
  }

  static func isIPv6(_ text: String) -> Bool {
    let halves = text.components(separatedBy: "::")
    guard halves.count <= 2 else { return false }
    var words = 0
    for (number, half) in halves.enumerated() where !half.isEmpty {
      let parts = half.split(separator: ":", omittingEmptySubsequences: false)
      for (place, part) in parts.enumerated() {
        if part.contains(".") {
          guard number == halves.count - 1, place == parts.count - 1, isIPv4(String(part)) else {
            return false
          }
          words += 2
        } else {
          guard (1...4).contains(part.utf8.count),
            part.utf8.allSatisfy({ UnicodeScalar($0).properties.isASCIIHexDigit })
          else { return false }
          words += 1
        }
      }
    }
    return halves.count == 2 ? words <= 7 : words == 8
  }

  private static func isBackend(_ text: String) -> Bool {
    guard let scheme = ["http://", "https://"].first(where: text.hasPrefix) else { return false }
    let rest = text.dropFirst(scheme.count)
    guard let colon = rest.lastIndex(of: ":"), let port = Shape.digits(rest[rest.index(after: colon)...]),
      (1...65_535).contains(port)
    else { return false }
    let host = rest[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") { return isIPv6(String(host.dropFirst().dropLast())) }
    return !host.contains(":") && isAddress(String(host))
  }
}
