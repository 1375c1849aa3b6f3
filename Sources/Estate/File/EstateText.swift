// An estate as YAML that `EstateFile` reads as the same estate; and the hash of its configuration.

import Yams

/// See the head of this file.
public enum EstateText {
  /// The text of an estate's file.
  public static func write(_ estate: Estate) -> String {
    var out = ""
    if case .map(let pairs) = Written(estate) { block(pairs, indent: "", first: "", into: &out) }
    return out
  }

  /// Pairs, one a line; the first line is written after `first` (the dash of a list).
  private static func block(
    _ pairs: [(key: String, value: Written)], indent: String, first: String, into out: inout String
  ) {
    for (number, pair) in pairs.enumerated() {
      out += (number == 0 && !first.isEmpty ? first : indent) + key(pair.key) + ":"
      switch pair.value {
      case .map(let inner)
      where !inner.isEmpty && inner.count <= 6 && inner.allSatisfy({ $0.value.isScalar }):
        out += " {" + inner.map { "\(key($0.key)): \(scalar($0.value))" }.joined(separator: ", ") + "}\n"
      case .map(let inner):
        out += inner.isEmpty ? " {}\n" : "\n"
        block(inner, indent: indent + "  ", first: "", into: &out)
      case .list(let elements) where elements.allSatisfy(\.isScalar):
        out += " [" + elements.map(scalar).joined(separator: ", ") + "]\n"
      case .list(let elements):
        out += "\n"
        for element in elements {
          if case .map(let inner) = element {
            block(inner, indent: indent + "    ", first: indent + "  - ", into: &out)
          } else {
            out += indent + "  - " + scalar(element) + "\n"
          }
        }
      case .text, .number, .boolean: out += " " + scalar(pair.value) + "\n"
      }
    }
  }

  private static func key(_ text: String) -> String { scalar(.text(text)) }

  private static func scalar(_ value: Written) -> String {
    switch value {
    case .text(let text): isPlain(text) ? text : quoted(text)
    case .number(let text): text
    case .boolean(let flag): flag ? "true" : "false"
    case .list, .map: "~"  // Lists of lists are in no shape.
    }
  }

  /// Whether no reader of YAML takes the text for anything else.
  private static func isPlain(_ text: String) -> Bool {
    guard let first = text.utf8.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "."),
      text.utf8.allSatisfy({ byte in
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
          || [45, 46, 47, 95].contains(byte)
      })
    else { return false }
    if ["y", "n", "null"].contains(text.lowercased()) { return false }
    return Resolver.default.resolveTag(of: Yams.Node(text)) == .str
  }

  private static func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case _
      where scalar.value < 0x20 || (0x7F...0xA0).contains(scalar.value) || scalar.value == 0xFEFF
        || scalar.value == 0x2028 || scalar.value == 0x2029 || (0xFFF0...0xFFFF).contains(scalar.value):
        let digits = String(scalar.value, radix: 16, uppercase: true)
        out += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}

extension Written {
  fileprivate var isScalar: Bool {
    switch self {
    case .text, .number, .boolean: true
    case .list, .map: false
    }
  }
}

extension Estate {
  /// A number for the whole configuration: equal for equal estates however their files are laid out, and different for
  /// different ones but for a chance in four thousand million. Nodes whose numbers differ don't merge their streams.
  public var configurationHash: UInt32 {
    var hash = ValueHash()
    hash.add(Written(self))
    return hash.folded
  }
}

/// FNV-1a over values, each with its kind and length before it, so that no two trees give the same bytes.
private struct ValueHash {
  private var state: UInt64 = 0xcbf2_9ce4_8422_2325

  private mutating func add(_ kind: UInt8, _ bytes: some Collection<UInt8>) {
    add(kind, count: bytes.count)
    for byte in bytes { step(byte) }
  }

  private mutating func add(_ kind: UInt8, count: Int) {
    step(kind)
    for shift in stride(from: 0, to: 32, by: 8) { step(UInt8(truncatingIfNeeded: count >> shift)) }
  }

  private mutating func step(_ byte: UInt8) { state = (state ^ UInt64(byte)) &* 0x100_0000_01b3 }

  mutating func add(_ value: Written) {
    switch value {
    case .text(let text): add(1, text.utf8)
    case .number(let text): add(2, text.utf8)
    case .boolean(let flag): add(3, [flag ? 1 : 0])
    case .list(let elements):
      add(4, count: elements.count)
      for element in elements { add(element) }
    case .map(let pairs):
      add(5, count: pairs.count)
      for (key, value) in pairs {
        add(6, key.utf8)
        add(value)
      }
    }
  }

  var folded: UInt32 { UInt32(truncatingIfNeeded: state ^ (state >> 32)) }
}
