// What a parameter or a function of a template gives is a text, and CloudFormation reads it as the property's type: "false"
// is false where a boolean is wanted. Without a schema of properties nobody knows which that is, so such a value is loose:
// it is compared as what it is compared with, where it can be read so. Everything else is compared as Guard does.

extension Value {
  /// The same, loose, where it may be read as another type.
  public var loose: Value {
    guard !isLoose else { return self }
    let mayBeOther =
      switch content {
      case .string(let text): Self.bool(text) != nil || Self.number(text) != nil
      case .int, .float, .bool: true
      default: false
      }
    return mayBeOther ? Value(content, at: place, isSecret: isSecret, isLoose: true) : self
  }

  /// As CloudFormation reads it: in any letter case.
  private static func bool(_ text: String) -> Bool? {
    switch text.lowercased() {
    case "true": true
    case "false": false
    default: nil
    }
  }

  private static func number(_ text: String) -> Double? {
    guard let first = text.utf8.first, first == UInt8(ascii: "-") || (48...57).contains(first) else {
      return nil
    }
    return Double(text).flatMap { $0.isFinite ? $0 : nil }
  }

  /// Text, number or boolean as CloudFormation writes it as text; nil for lists, maps and what isn't known.
  public var plainText: String? {
    switch content {
    case .string(let text): text
    case .bool(let flag): flag ? "true" : "false"
    case .int(let number): String(number)
    case .float(let number): String(number)
    default: nil
    }
  }

  /// The text where one is asked for: a loose number is one, too; nil = it is no text.
  var textAsAsked: String? {
    if case .string(let text) = content { return text }
    return isLoose ? plainText : nil
  }

  /// The contents of two values as they are compared: a loose one as the kind of the other.
  static func comparable(_ left: Value, _ right: Value) -> (Content, Content) {
    guard left.isLoose || right.isLoose else { return (left.content, right.content) }
    if left.isLoose, let read = left.read(like: right.content) { return (read, right.content) }
    if right.isLoose, let read = right.read(like: left.content) { return (left.content, read) }
    // A whole number beside one that isn't.
    if let left = left.asDouble, let right = right.asDouble { return (.float(left), .float(right)) }
    return (left.content, right.content)
  }

  /// Of a number, or a loose text that is one.
  private var asDouble: Double? {
    switch content {
    case .int(let number): Double(number)
    case .float(let number): number
    case .string(let text): isLoose ? Self.number(text) : nil
    default: nil
    }
  }

  /// What it is as another kind; nil = it is that kind already, or can't be read so.
  private func read(like other: Content) -> Content? {
    switch (content, other) {
    case (.string(let text), .bool): Self.bool(text).map { .bool($0) }
    case (.string(let text), .int): Int64(text).map { .int($0) }
    case (.string(let text), .float): Self.number(text).map { .float($0) }
    case (.string(let text), .range(let bounds)):
      switch bounds.kind {
      case .ints: Int64(text).map { .int($0) }
      case .floats: Self.number(text).map { .float($0) }
      case .characters: nil
      }
    case (.bool, .string), (.bool, .pattern), (.int, .string), (.int, .pattern), (.float, .string),
      (.float, .pattern):
      plainText.map { .string($0) }
    default: nil
    }
  }
}
