// YAML (and with it JSON) → values with places. Short intrinsic tags become their long forms; aliases are refused, as the
// language's own loader does, so that no document stands for more than it is long.

import Yams

/// How plain scalars are read.
public enum ScalarRules: Sendable {
  /// As the language reads documents: `yes`, `on`, `y` and their opposites are booleans.
  case documents
  /// As it reads files of tests: only `true` and `false` are.
  case tests
}

extension Value {
  private static var mostDepth: Int { 256 }

  /// Reads a document.
  /// - Throws: `DocumentFault`.
  public static func reading(yaml text: String, _ rules: ScalarRules = .documents) throws(DocumentFault) -> Value {
    let node: Node?
    do {
      let parser = try Parser(yaml: text, encoding: .utf8)
      node = try parser.singleRoot()
      guard let node else {
        throw DocumentFault(place: TextPlace(line: 1, column: 1), found: "an empty document", wanted: "a document")
      }
      return try withExtendedLifetime(parser) { try value(of: node, rules, depth: 0) }
    } catch let fault as DocumentFault {
      throw fault
    } catch { throw told(error) }
  }

  private static func told(_ error: any Error) -> DocumentFault {
    switch error {
    case YamlError.scanner(let context, let problem, let mark, _),
      YamlError.parser(let context, let problem, let mark, _),
      YamlError.composer(let context, let problem, let mark, _):
      return DocumentFault(
        place: TextPlace(line: mark.line, column: mark.column),
        found: [context?.text, problem].compactMap(\.self).joined(separator: ", "), wanted: "YAML or JSON")
    case YamlError.duplicatedKeysInMapping(let duplicates, let context):
      return DocumentFault(
        place: TextPlace(line: context.mark.line, column: context.mark.column),
        found: "the key \"\(duplicates.first ?? "")\" twice", wanted: "each key once")
    default:
      return DocumentFault(place: TextPlace(line: 1, column: 1), found: "\(error)", wanted: "YAML or JSON")
    }
  }

  private static func place(_ node: Node) -> TextPlace {
    TextPlace(line: node.mark?.line ?? 0, column: node.mark?.column ?? 0)
  }

  private static func value(of node: Node, _ rules: ScalarRules, depth: Int) throws(DocumentFault) -> Value {
    let place = place(node)
    guard depth < mostDepth else {
      throw DocumentFault(place: place, found: "more than \(mostDepth) levels", wanted: "fewer")
    }
    guard node.anchor == nil else {
      throw DocumentFault(place: place, found: "an anchor", wanted: "values without anchors and aliases")
    }
    let tag = node.tag.rawValue
    let short = tag.hasPrefix("!") && !tag.hasPrefix("!!") ? String(tag.dropFirst()) : ""
    let content: Content
    switch node {
    case .scalar(let scalar):
      content = short.isEmpty ? plain(scalar, tag, rules) : .string(scalar.string)
    case .sequence(let sequence):
      var values: [Value] = []
      values.reserveCapacity(sequence.count)
      for element in sequence { values.append(try value(of: element, rules, depth: depth + 1)) }
      content = .list(values)
    case .mapping(let mapping):
      var members: [(name: String, value: Value)] = []
      members.reserveCapacity(mapping.count)
      for (key, element) in mapping {
        guard case .scalar(let scalar) = key, rules == .tests || isText(scalar, key.tag.rawValue, rules) else {
          throw DocumentFault(place: Self.place(key), found: "a key that isn't text", wanted: "text as a key")
        }
        members.append((scalar.string, try value(of: element, rules, depth: depth + 1)))
      }
      content = .map(Members(members))
    case .alias:
      throw DocumentFault(place: place, found: "an alias", wanted: "values without anchors and aliases")
    }
    let value = Value(content, at: place)
    return short.isEmpty ? value : long(short, value)
  }

  private static func isText(_ scalar: Node.Scalar, _ tag: String, _ rules: ScalarRules) -> Bool {
    switch plain(scalar, tag, rules) {
    case .string, .bool: true
    default: false
    }
  }

  /// `!Ref x` → `{Ref: x}`, `!GetAtt A.B` → `{Fn::GetAtt: [A, B]}`, `!Sub x` → `{Fn::Sub: x}`.
  private static func long(_ tag: String, _ value: Value) -> Value {
    switch tag {
    case "Ref", "Condition": return Value(.map(Members([(tag, value)])), at: value.place)
    case "GetAtt":
      if case .string(let text) = value.content {
        let parts = text.split(separator: ".", maxSplits: 1).map { Value(.string(String($0)), at: value.place) }
        return Value(.map(Members([("Fn::GetAtt", Value(.list(parts), at: value.place))])), at: value.place)
      }
      return Value(.map(Members([("Fn::GetAtt", value)])), at: value.place)
    default: return Value(.map(Members([("Fn::" + tag, value)])), at: value.place)
    }
  }

  private static func plain(_ scalar: Node.Scalar, _ tag: String, _ rules: ScalarRules) -> Content {
    let text = scalar.string
    // `!!str` and its kin say it themselves.
    if tag.hasSuffix(":str"), scalar.style != .plain { return .string(text) }
    guard scalar.style == .plain || scalar.style == .any else { return .string(text) }
    if let number = number(text) { return number }
    switch text {
    case "true": return .bool(true)
    case "false": return .bool(false)
    case "null", "~": return .null
    case "": return .null
    default: break
    }
    if rules == .documents {
      if ["yes", "on", "y"].contains(text) { return .bool(true) }
      if ["no", "off", "n"].contains(text) { return .bool(false) }
    }
    return .string(text)
  }

  private static func number(_ text: String) -> Content? {
    var bytes = text.utf8[...]
    if let sign = bytes.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { bytes = bytes.dropFirst() }
    guard let first = bytes.first, (48...57).contains(first) || first == UInt8(ascii: ".") else { return nil }
    if let whole = Int64(text) { return .int(whole) }
    // What Double takes besides: hexadecimal, inf, nan.
    guard bytes.allSatisfy({ (48...57).contains($0) || $0 == 46 || $0 | 32 == 101 || $0 == 43 || $0 == 45 }),
      let number = Double(text), number.isFinite
    else { return nil }
    return .float(number)
  }
}
