// YAML (and with it JSON) → values with places, from the parser's events and without recursion. Short intrinsic tags
// become their long forms; aliases are refused, as the language's own loader does, so that no document stands for more
// than it is long. Owner of the C parser: the call that reads.

import CYaml

/// How plain scalars are read.
public enum ScalarRules: Sendable {
  /// As the language reads documents: `yes`, `on`, `y` and their opposites are booleans, nothing is an empty text.
  case documents
  /// As it reads files of tests: only `true` and `false` are booleans, nothing is null.
  case tests
}

extension Value {
  /// Values within each other that a document may have.
  static var mostDepth: Int { 128 }

  /// Reads a document.
  /// - Parameter mostBytes: memory that its values may take, about.
  /// - Throws: `DocumentFault`.
  public static func reading(
    yaml text: String, _ rules: ScalarRules = .documents, mostBytes: Int = .max
  ) throws(DocumentFault) -> Value {
    var text = text
    let result: Result<Value, DocumentFault> = text.withUTF8 { bytes in
      Result { () throws(DocumentFault) -> Value in try reading(yaml: bytes, rules, mostBytes: mostBytes) }
    }
    return try result.get()
  }

  /// Reads a document from bytes of UTF-8.
  /// - Parameter mostBytes: memory that its values may take, about.
  /// - Throws: `DocumentFault`.
  public static func reading(
    yaml bytes: UnsafeBufferPointer<UInt8>, _ rules: ScalarRules = .documents, mostBytes: Int = .max
  ) throws(DocumentFault) -> Value {
    var reader = YAMLReader(rules, mostBytes: mostBytes)
    return try reader.read(bytes)
  }
}

/// Builds values of events.
private struct YAMLReader {
  /// A list or a map that is open.
  private struct Open {
    let place: TextPlace
    let tag: String
    let isMap: Bool
    var values: [Value] = []
    var members: [Members.Member] = []
    var key: (name: String, place: TextPlace)?
  }

  private let rules: ScalarRules
  private var open: [Open] = []
  private var root: Value?
  private var documents = 0

  private let mostBytes: Int
  private var spentBytes = 0

  init(_ rules: ScalarRules, mostBytes: Int) { (self.rules, self.mostBytes) = (rules, mostBytes) }

  /// Counts what a value takes, before it is kept.
  private mutating func spend(_ count: Int, _ place: TextPlace) throws(DocumentFault) {
    spentBytes += count
    guard spentBytes <= mostBytes else {
      throw DocumentFault(
        place: place, found: "more values than \(mostBytes >> 20) MiB hold",
        wanted: "a smaller document, or more memory")
    }
  }

  mutating func read(_ bytes: UnsafeBufferPointer<UInt8>) throws(DocumentFault) -> Value {
    var parser = yaml_parser_t()
    guard yaml_parser_initialize(&parser) == 1 else {
      throw DocumentFault(place: .none, found: "no memory for a parser", wanted: "a document")
    }
    defer { yaml_parser_delete(&parser) }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
    var none: UInt8 = 0
    let result: Result<Value, DocumentFault> = withUnsafePointer(to: &none) { none in
      yaml_parser_set_input_string(&parser, bytes.baseAddress ?? none, bytes.count)
      return Result { () throws(DocumentFault) -> Value in try events(&parser) }
    }
    return try result.get()
  }

  private mutating func events(_ parser: inout yaml_parser_t) throws(DocumentFault) -> Value {
    while true {
      var event = yaml_event_t()
      guard yaml_parser_parse(&parser, &event) == 1 else {
        let parts = [parser.context, parser.problem].compactMap { $0.map { String(cString: $0) } }
        throw DocumentFault(
          place: TextPlace(
            line: Int(parser.problem_mark.line) + 1, column: Int(parser.problem_mark.column) + 1),
          found: parts.isEmpty ? "no YAML" : parts.joined(separator: ", "), wanted: "YAML or JSON")
      }
      defer { yaml_event_delete(&event) }
      let mark = event.start_mark
      let place = TextPlace(line: Int(mark.line) + 1, column: Int(mark.column) + 1)
      switch event.type {
      case YAML_DOCUMENT_START_EVENT:
        documents += 1
        if documents > 1 {
          throw DocumentFault(place: place, found: "a second document", wanted: "one document")
        }
      case YAML_SCALAR_EVENT:
        let scalar = event.data.scalar
        try refuse(anchor: scalar.anchor, place)
        try spend(104 + (scalar.length > 15 ? 32 + scalar.length : 0), place)
        let text = String(
          decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
        try self.scalar(text, isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE, Self.text(scalar.tag), place)
      case YAML_SEQUENCE_START_EVENT:
        let start = event.data.sequence_start
        try begin(isMap: false, start.anchor, Self.text(start.tag), place)
      case YAML_MAPPING_START_EVENT:
        let start = event.data.mapping_start
        try begin(isMap: true, start.anchor, Self.text(start.tag), place)
      case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT:
        if let last = open.popLast() { try put(Self.closed(last), tag: last.tag) }
      case YAML_ALIAS_EVENT:
        throw DocumentFault(place: place, found: "an alias", wanted: "values without anchors and aliases")
      case YAML_STREAM_END_EVENT:
        guard let root else {
          throw DocumentFault(
            place: TextPlace(line: 1, column: 1), found: "an empty document", wanted: "a document")
        }
        return root
      default: break
      }
    }
  }

  private static func text(_ bytes: UnsafeMutablePointer<UInt8>?) -> String {
    bytes.map { String(cString: $0) } ?? ""
  }

  private func refuse(anchor: UnsafeMutablePointer<UInt8>?, _ place: TextPlace) throws(DocumentFault) {
    guard anchor == nil else {
      throw DocumentFault(place: place, found: "an anchor", wanted: "values without anchors and aliases")
    }
  }

  private mutating func begin(
    isMap: Bool, _ anchor: UnsafeMutablePointer<UInt8>?, _ tag: String, _ place: TextPlace
  ) throws(DocumentFault) {
    try refuse(anchor: anchor, place)
    if let last = open.last, last.isMap, last.key == nil {
      throw DocumentFault(place: place, found: "a key that isn't text", wanted: "text as a key")
    }
    guard open.count < Value.mostDepth else {
      throw DocumentFault(place: place, found: "more than \(Value.mostDepth) levels", wanted: "fewer")
    }
    try spend(200, place)
    open.append(Open(place: place, tag: tag, isMap: isMap))
  }

  private static func closed(_ open: Open) throws(DocumentFault) -> Value {
    guard open.isMap else { return Value(.list(open.values), at: open.place) }
    let members = Members.read(open.members)
    if members.all.count < open.members.count {
      var seen: Set<String> = []
      let twice = open.members.first { !seen.insert($0.name).inserted }
      throw DocumentFault(
        place: twice?.value.place ?? open.place, found: "the key \"\(twice?.name ?? "")\" twice",
        wanted: "each key once")
    }
    return Value(.map(members), at: open.place)
  }

  private mutating func scalar(
    _ text: String, isPlain: Bool, _ tag: String, _ place: TextPlace
  ) throws(DocumentFault) {
    let isShort = tag.hasPrefix("!")  // also `!` alone, which says that it is text
    // A tag of YAML's own: `!!str` makes a text of anything.
    let content: Value.Content =
      isShort || tag.hasSuffix(":str") ? .string(text) : plain(text, isPlain: isPlain)
    if let last = open.indices.last, open[last].isMap, open[last].key == nil {
      switch content {
      case .string, .bool: break
      default:
        guard rules == .tests else {
          throw DocumentFault(place: place, found: "a key that isn't text", wanted: "text as a key")
        }
      }
      open[last].key = (text, place)
      return
    }
    try put(Value(content, at: place), tag: tag)
  }

  private mutating func put(_ value: Value, tag: String) throws(DocumentFault) {
    let value = tag.hasPrefix("!") && tag != "!" ? Self.long(String(tag.dropFirst()), value) : value
    guard let last = open.indices.last else {
      root = value
      return
    }
    if !open[last].isMap {
      open[last].values.append(value)
    } else if let key = open[last].key {
      open[last].members.append(Members.Member(name: key.name, value: value))
      open[last].key = nil
    }
  }

  /// `!Ref x` → `{Ref: x}`, `!GetAtt A.B` → `{Fn::GetAtt: [A, B]}`, `!Sub x` → `{Fn::Sub: x}`.
  private static func long(_ tag: String, _ value: Value) -> Value {
    switch tag {
    case "Ref", "Condition": return Value(.map(Members([(tag, value)])), at: value.place)
    case "GetAtt":
      if case .string(let text) = value.content {
        let parts = text.split(separator: ".", maxSplits: 1).map {
          Value(.string(String($0)), at: value.place)
        }
        return Value(.map(Members([("Fn::GetAtt", Value(.list(parts), at: value.place))])), at: value.place)
      }
      return Value(.map(Members([("Fn::GetAtt", value)])), at: value.place)
    default: return Value(.map(Members([("Fn::" + tag, value)])), at: value.place)
    }
  }

  private func plain(_ text: String, isPlain: Bool) -> Value.Content {
    guard isPlain else { return .string(text) }
    if let number = Self.number(text) { return number }
    // No word that means something else is longer.
    guard text.utf8.count <= 5 else { return .string(text) }
    switch text {
    case "true": return .bool(true)
    case "false": return .bool(false)
    case "null", "~": return .null
    case "": return rules == .documents ? .string("") : .null
    default: break
    }
    if rules == .documents {
      switch text {
      case "yes", "on", "y": return .bool(true)
      case "no", "off", "n": return .bool(false)
      default: break
      }
    }
    return .string(text)
  }

  private static func number(_ text: String) -> Value.Content? {
    var bytes = text.utf8[...]
    if let sign = bytes.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
      bytes = bytes.dropFirst()
    }
    guard let first = bytes.first, (48...57).contains(first) || first == UInt8(ascii: ".") else { return nil }
    if let whole = Int64(text) { return .int(whole) }
    // What Double takes besides: hexadecimal, inf, nan.
    guard bytes.allSatisfy({ (48...57).contains($0) || $0 == 46 || $0 | 32 == 101 || $0 == 43 || $0 == 45 }),
      let number = Double(text), number.isFinite
    else { return nil }
    return .float(number)
  }
}
