// One text for values that mean the same, so that what is there can be compared with what is wanted, and what was approved
// can be recognised: names in order, no blanks.

public import GuardRules

/// See the head of this file.
public enum CanonicalJSON {
  /// A value as JSON (RFC 8259) with names in order of their scalars and nothing between.
  public static func text(_ value: Value) -> String {
    var out = ""
    write(value, isPolicy: false, &out)
    return out
  }

  /// A part of an IAM policy: besides, a list of one is its element, and lists of texts are in order, since services give
  /// back either form.
  public static func policy(_ value: Value) -> String {
    var out = ""
    write(value, isPolicy: true, &out)
    return out
  }

  /// A text in quotes.
  public static func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case _
      where scalar.value < 0x20 || scalar.value == 0x7F || (0x80..<0xA0).contains(scalar.value)
        || scalar.value == 0x2028 || scalar.value == 0x2029 || scalar.value == 0xFEFF:
        let digits = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }

  private static func write(_ value: Value, isPolicy: Bool, _ out: inout String) {
    switch value.content {
    case .null, .unknown, .pattern, .range: out += "null"
    // A policy's condition says "true" as text or as itself.
    case .bool(let flag): out += isPolicy ? quoted(flag ? "true" : "false") : flag ? "true" : "false"
    case .int(let number): out += isPolicy ? quoted(String(number)) : String(number)
    case .float(let number): out += String(number)
    case .string(let text): out += quoted(text)
    case .character(let character): out += quoted(String(character))
    case .list(let values):
      if isPolicy, values.count == 1 { return write(values[0], isPolicy: true, &out) }
      var parts = values.map { part in
        var text = ""
        write(part, isPolicy: isPolicy, &text)
        return text
      }
      if isPolicy { parts.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) } }
      out += "[" + parts.joined(separator: ",") + "]"
    case .map(let members):
      let sorted = members.all.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
      out += "{"
      for (place, member) in sorted.enumerated() {
        if place > 0 { out += "," }
        out += quoted(member.name) + ":"
        write(member.value, isPolicy: isPolicy, &out)
      }
      out += "}"
    }
  }
}
