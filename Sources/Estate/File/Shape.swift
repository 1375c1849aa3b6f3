// What the keys of an estate file may hold. One table of shapes (`EstateShapes`) is read by the reader, by the JSON
// Schema and by the reference of docs/ESTATE.md, so that they can't say different things.

/// What a value must be.
indirect enum Shape: Sendable {
  /// A name: letters, digits, `-` and `_`, at most 63, beginning with a letter or digit. Names become words of
  /// subjects and parts of files' names.
  case name
  /// Code of a market: capitals and digits, at most 10.
  case marketCode
  /// Any text of one line, not empty, at most 1,024 characters.
  case text
  /// IP address or host name.
  case address
  /// Where a feed comes from: `sim:`, `itch:`, `pcap:`, `mold:` or `soup:` and more.
  case source
  /// `http://HOST:PORT` or `https://HOST:PORT`.
  case backend
  /// Number of an account of Amazon's cloud: twelve digits.
  case account
  /// A name of Amazon's cloud: small letters, digits, `-` and `.`, at most 40: a region, a zone, a type of instance.
  case cloudName
  case integer(ClosedRange<Int>)
  /// A number of milliseconds with at most three decimals; the range is in microseconds.
  case milliseconds(ClosedRange<Int>)
  case boolean
  case choice([String])
  case list(Shape, count: ClosedRange<Int>)
  /// Names of the writer's choice.
  case map(key: Shape, value: Shape)
  case object(ObjectShape)

  /// What people read that a value should be.
  var wanted: String {
    switch self {
    case .name: "a name of letters, digits, - and _ (at most 63, beginning with a letter or digit)"
    case .marketCode: "the code of a market: capitals and digits, at most 10, such as XTKS"
    case .text: "a text of one line, at most 1,024 characters"
    case .address: "an IP address or a host name"
    case .source: "a source: sim:, itch:, pcap:, mold: or soup: and what belongs to it"
    case .backend: "http://HOST:PORT or https://HOST:PORT"
    case .account: "the number of an account: twelve digits in quotes"
    case .cloudName:
      "a name of small letters, digits, - and . (at most 40), such as ap-northeast-1a or m7i.large"
    case .integer(let range): "an integer from \(range.lowerBound) to \(range.upperBound)"
    case .milliseconds(let range):
      "milliseconds from \(Shape.milliseconds(range.lowerBound)) to \(Shape.milliseconds(range.upperBound))"
        + ", at most three decimals"
    case .boolean: "true or false"
    case .choice(let words): words.count == 1 ? words[0] : "one of \(words.joined(separator: ", "))"
    case .list(let shape, let count):
      count.lowerBound == count.upperBound
        ? "a list of \(count.lowerBound), each \(shape.wanted)"
        : "a list\(count.lowerBound > 0 ? " of at least \(count.lowerBound)" : ""), each \(shape.wanted)"
    case .map(_, let value): "names and their values, each \(value.wanted)"
    case .object(let object): "\(object.title): \(object.keys.map(\.name).joined(separator: ", "))"
    }
  }

  /// Microseconds as milliseconds, without zeros that say nothing.
  static func milliseconds(_ microseconds: Int) -> String {
    let (whole, rest) = microseconds.quotientAndRemainder(dividingBy: 1000)
    guard rest != 0 else { return "\(whole)" }
    var decimals = String(rest)
    while decimals.utf8.count < 3 { decimals = "0" + decimals }
    while decimals.hasSuffix("0") { decimals.removeLast() }
    return "\(whole).\(decimals)"
  }

  /// Milliseconds as microseconds; nil where it isn't such a number.
  static func microseconds(_ text: String) -> Int? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, let whole = digits(parts[0]), whole <= 1_000_000_000 else { return nil }
    guard parts.count == 2 else { return whole * 1000 }
    guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ (48...57).contains($0) }),
      let rest = Int(parts[1] + String(repeating: "0", count: 3 - parts[1].utf8.count))
    else { return nil }
    return whole * 1000 + rest
  }

  /// A whole number as everybody writes it: digits, no sign, no leading zero.
  static func digits(_ text: Substring) -> Int? {
    guard let first = text.utf8.first, text.utf8.allSatisfy({ (48...57).contains($0) }),
      first != 48 || text.utf8.count == 1
    else { return nil }
    return Int(text)
  }
}

/// A key of an object.
struct ShapeKey: Sendable {
  var name: String
  var shape: Shape
  var isRequired: Bool
  /// What holds where it is left out, as people read it.
  var otherwise: String?
  /// What it is, one sentence, for schema and reference.
  var what: String

  init(
    _ name: String, _ shape: Shape, required: Bool = false, otherwise: String? = nil, _ what: String
  ) {
    self.name = name
    self.shape = shape
    self.isRequired = required
    self.otherwise = otherwise
    self.what = what
  }
}

/// An object: its keys, in the order in which they are written.
struct ObjectShape: Sendable {
  /// Such as "a link".
  var title: String
  var what: String
  var keys: [ShapeKey]
}
