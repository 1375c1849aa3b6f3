// The values that rules look at and are written with: documents, literals, results of functions. Immutable trees; a
// value of a document knows where it stands in its text.

/// A place in a text.
public struct TextPlace: Sendable, Hashable, CustomStringConvertible {
  /// From 1; 0 = the value stands in no text.
  public var line: Int32
  /// From 1, in characters.
  public var column: Int32

  /// A place.
  public init(line: Int, column: Int) {
    self.line = Int32(clamping: line)
    self.column = Int32(clamping: column)
  }

  /// No place: made by a function, or given by the program.
  public static var none: TextPlace { TextPlace(line: 0, column: 0) }
  /// Of what is written in rules or made of nothing in particular: findings of it stand where the clause looks. Told to
  /// nobody outside.
  static var made: TextPlace { TextPlace(line: 0, column: -1) }

  /// `line:column`.
  public var description: String { "\(line):\(column)" }
}

/// A value.
public final class Value: Sendable {
  /// What it is.
  public enum Content: Sendable {
    /// Nothing, written down.
    case null
    /// True or false.
    case bool(Bool)
    /// A whole number of 64 bits.
    case int(Int64)
    /// A floating number.
    case float(Double)
    /// Text.
    case string(String)
    /// A character, which is never equal to a text: made by `parse_char` only.
    case character(Unicode.Scalar)
    /// A regular expression; in rules only.
    case pattern(Pattern)
    /// From one bound to another; in rules only.
    case range(Bounds)
    /// Values in an order.
    case list([Value])
    /// Values by name, in the order of the text.
    case map(Members)
    /// What can't be told before it is deployed: an intrinsic function of a template, or what a plan says is known only
    /// later. Never in literal evaluation.
    case unknown(Unknown)
  }

  /// What it is.
  public let content: Content
  /// Where it stands.
  public let place: TextPlace
  /// Whether it is never to be shown (Secrets.swift).
  public let isSecret: Bool
  /// Whether it is of the type that is asked for, if it can be read so: what CloudFormation makes of a parameter, of which
  /// only the property's schema says whether it is a text, a number, true or false (Coercion.swift).
  public let isLoose: Bool

  /// A value.
  public init(
    _ content: Content, at place: TextPlace = .none, isSecret: Bool = false, isLoose: Bool = false
  ) {
    self.content = content
    self.place = place
    self.isSecret = isSecret
    self.isLoose = isLoose
  }
}

/// A value that isn't known yet.
public final class Unknown: Sendable {
  /// As it is written: what rules see that look at the writing itself.
  public let written: Value?
  /// Why it isn't known, for people.
  public let reason: String
  /// Whether it may be empty.
  public let mayBeEmpty: Bool
  /// Whether it may not be there at all.
  public let mayBeAbsent: Bool
  /// Whether it is the name of a resource: a text, in which nothing else can be looked for.
  public let isName: Bool
  /// Whether it may be null.
  let mayBeNull: Bool

  /// An unknown value.
  /// - Parameter mayBeAbsent: nil = what is written is there, what isn't written may be absent if it may be empty.
  public convenience init(
    _ reason: String, written: Value? = nil, mayBeEmpty: Bool = true, mayBeAbsent: Bool? = nil,
    isName: Bool = false
  ) {
    self.init(
      reason, written, mayBeEmpty: mayBeEmpty, mayBeAbsent: mayBeAbsent, mayBeNull: true, isName: isName)
  }

  /// The same, of which more may be known.
  init(
    _ reason: String, _ written: Value?, mayBeEmpty: Bool, mayBeAbsent: Bool?, mayBeNull: Bool, isName: Bool
  ) {
    self.mayBeNull = mayBeNull
    self.isName = isName
    self.reason = reason
    self.written = written
    self.mayBeEmpty = mayBeEmpty
    self.mayBeAbsent = mayBeAbsent ?? (written == nil && mayBeEmpty)
  }
}

/// Values by name. Small maps are searched one by one; of large ones an index is kept.
public struct Members: Sendable {
  /// A name and its value.
  public struct Member: Sendable {
    /// The name.
    public let name: String
    /// The value.
    public let value: Value

    /// A name and its value.
    public init(name: String, value: Value) { (self.name, self.value) = (name, value) }
  }

  /// What isn't known of a map beyond its members: where it was made from something that doesn't say all.
  public struct Rest: Sendable {
    /// Why.
    public let unknown: Unknown
    /// Names that are known not to be there.
    public let absent: Set<String>

    /// All but some names is unknown.
    public init(_ unknown: Unknown, absent: Set<String>) {
      self.unknown = unknown
      self.absent = absent
    }
  }

  /// All, in the order of the text.
  public let all: [Member]
  /// What isn't known beyond them; nil = they are all.
  public let rest: Rest?
  /// Names of members of which it isn't known whether they are there: resources with a condition. Of a map that has such
  /// members at least one of all is there in the end.
  public let perhaps: Set<String>
  private let index: [String: Int]?
  /// Signs of all names; all bits where they aren't gathered.
  private let signs: UInt64

  private static var mostSearched: Int { 12 }

  /// Of two members with one name the later one counts.
  public init(_ members: [(name: String, value: Value)], rest: Rest? = nil, perhaps: Set<String> = []) {
    self.rest = rest
    self.perhaps = perhaps
    var all: [Member] = []
    all.reserveCapacity(members.count)
    guard members.count > Self.mostSearched else {
      // Most names differ in what is quickly looked at.
      var signs: UInt64 = 0
      for member in members {
        let sign = Self.sign(member.name)
        if signs & sign != 0, let same = all.firstIndex(where: { $0.name == member.name }) {
          all[same] = Member(name: member.name, value: member.value)
        } else {
          all.append(Member(name: member.name, value: member.value))
        }
        signs |= sign
      }
      (self.all, self.signs) = (all, signs)
      index = nil
      return
    }
    var index: [String: Int] = [:]
    index.reserveCapacity(members.count)
    for member in members {
      if let same = index[member.name] {
        all[same] = Member(name: member.name, value: member.value)
      } else {
        index[member.name] = all.count
        all.append(Member(name: member.name, value: member.value))
      }
    }
    self.all = all
    self.index = index
    signs = .max
  }

  private init(_ all: [Member], index: [String: Int]?, signs: UInt64 = .max) {
    (self.all, rest, perhaps, self.index, self.signs) = (all, nil, [], index, signs)
  }

  /// Members as a reader has them: kept as they are, but where two have one name: then the later one counts.
  public static func read(_ members: [Member]) -> Members {
    if members.count <= mostSearched {
      var signs: UInt64 = 0
      for (place, member) in members.enumerated() {
        let sign = sign(member.name)
        if signs & sign != 0, members[..<place].contains(where: { $0.name == member.name }) {
          return Members(members.map { ($0.name, $0.value) })
        }
        signs |= sign
      }
      return Members(members, index: nil, signs: signs)
    }
    var index: [String: Int] = [:]
    index.reserveCapacity(members.count)
    for (place, member) in members.enumerated() {
      if index.updateValue(place, forKey: member.name) != nil {
        return Members(members.map { ($0.name, $0.value) })
      }
    }
    return Members(members, index: index)
  }

  /// Members as they are, also of one name: each counts where all are walked, the first where one is asked for. For maps
  /// that are walked: no index is kept.
  public init(walked members: [(name: String, value: Value)]) {
    all = members.map { Member(name: $0.name, value: $0.value) }
    (rest, perhaps, index, signs) = (nil, [], nil, .max)
  }

  /// One of 64 bits, by the length and the ends of a name.
  static func sign(_ name: String) -> UInt64 {
    let bytes = name.utf8
    let ends = Int(bytes.first ?? 0) &+ Int(bytes.last ?? 0) &* 7
    return 1 << UInt64(truncatingIfNeeded: (bytes.count &* 31 &+ ends) & 63)
  }

  /// Why it isn't known whether there is a name; nil = it is known.
  func unknown(_ name: String) -> Unknown? {
    guard let rest, !rest.absent.contains(name) else { return nil }
    return rest.unknown
  }

  /// Whether there is a member that is there whatever becomes of what isn't known.
  var hasCertain: Bool { !perhaps.isEmpty || all.contains { !$0.value.mayBeAbsent } }

  /// Whether one of some names may be there, by their signs.
  func mayHave(anyOf signs: UInt64) -> Bool { self.signs & signs != 0 }

  /// The value of a name.
  public subscript(name: String) -> Value? {
    if let index { return index[name].map { all[$0].value } }
    guard signs & Self.sign(name) != 0 else { return nil }
    return all.first { $0.name == name }?.value
  }
}

/// From one bound to another.
public struct Bounds: Sendable {
  /// Of what kind the bounds are.
  public enum Kind: Sendable {
    /// Whole numbers.
    case ints(Int64, Int64)
    /// Floating numbers.
    case floats(Double, Double)
    /// Single characters, by their scalars.
    case characters(Unicode.Scalar, Unicode.Scalar)
  }

  /// The bounds.
  public let kind: Kind
  /// Whether the lower bound is within.
  public let includesLower: Bool
  /// Whether the upper bound is within.
  public let includesUpper: Bool

  private func holds<T: Comparable>(_ value: T, _ lower: T, _ upper: T) -> Bool {
    (includesLower ? value >= lower : value > lower) && (includesUpper ? value <= upper : value < upper)
  }

  /// Whether a value is within; nil = it is of another kind.
  func contains(_ content: Value.Content) -> Bool? {
    switch (kind, content) {
    case (.ints(let lower, let upper), .int(let value)): return holds(value, lower, upper)
    case (.characters(let lower, let upper), .character(let only)): return holds(only, lower, upper)
    case (.floats(let lower, let upper), .float(let value)): return holds(value, lower, upper)
    case (.characters(let lower, let upper), .string(let text)):
      guard let only = text.unicodeScalars.first, text.unicodeScalars.count == 1 else { return nil }
      return holds(only, lower, upper)
    default: return nil
    }
  }
}

extension Value {
  /// About how much memory it takes with all that is in it; shared parts are counted each time.
  public var estimatedBytes: Int {
    func text(_ text: String) -> Int { text.utf8.count > 15 ? 48 + text.utf8.count : 0 }
    switch content {
    case .null, .bool, .int, .float, .character, .pattern, .range: return 80
    case .string(let value): return 80 + text(value)
    case .unknown(let unknown): return 96 + (unknown.written?.estimatedBytes ?? 0)
    case .list(let values): return values.reduce(112 + 8 * values.count) { $0 + $1.estimatedBytes }
    case .map(let members):
      // Names are mostly shared; an index is not.
      let each = members.all.count > 12 ? 64 : 24
      return members.all.reduce(112 + each * members.all.count) { $0 + $1.value.estimatedBytes }
    }
  }

  /// The same without places: what comes from another text than the one that findings point at.
  /// - Precondition: it was read, so it isn't deeper than what can be read.
  public var withoutPlaces: Value {
    switch content {
    case .list(let values): Value(.list(values.map(\.withoutPlaces)), isSecret: isSecret)
    case .map(let members):
      Value(
        .map(
          Members(
            members.all.map { ($0.name, $0.value.withoutPlaces) }, rest: members.rest,
            perhaps: members.perhaps)
        ), isSecret: isSecret)
    default: Value(content, isSecret: isSecret)
    }
  }

  /// Whether it is nothing, written down.
  public var isNull: Bool {
    if case .null = content { return true }
    return false
  }

  /// What kind it is, for people.
  public var kind: String {
    switch content {
    case .null: "null"
    case .bool: "bool"
    case .int: "int"
    case .float: "float"
    case .string: "string"
    case .character: "character"
    case .pattern: "regular expression"
    case .range: "range"
    case .list: "list"
    case .map: "map"
    case .unknown: "unknown value"
    }
  }

  /// As it would be written in a rule, cut where it is long; what is secret is hidden.
  public var text: String { shown(depth: 3, limit: 400) }

  private func shown(as name: String, depth: Int) -> String {
    if case .string = content, Self.isSecretName(name) { return Self.hiddenText }
    return shown(depth: depth, limit: 100)
  }

  /// As `text`, of a value that has a way to it: what it is called may tell that it is secret.
  public func text(at path: String) -> String {
    if case .string = content, Self.isSecretName(String(path.split(separator: ".").last ?? "")) {
      return Self.hiddenText
    }
    return text
  }

  private func shown(depth: Int, limit: Int) -> String {
    if isSecret, !isUnknown { return Self.hiddenText }
    let whole: String
    switch content {
    case .null: whole = "null"
    case .bool(let value): whole = value ? "true" : "false"
    case .int(let value): whole = String(value)
    case .float(let value): whole = String(value)
    case .string(let value): whole = "\"\(value)\""
    case .character(let value): whole = "'\(value)'"
    case .pattern(let pattern): whole = "/\(pattern.source)/"
    case .range(let bounds):
      let (lower, upper) =
        switch bounds.kind {
        case .ints(let lower, let upper): (String(lower), String(upper))
        case .floats(let lower, let upper): (String(lower), String(upper))
        case .characters(let lower, let upper): ("'\(lower)'", "'\(upper)'")
        }
      whole = "r\(bounds.includesLower ? "[" : "(")\(lower),\(upper)\(bounds.includesUpper ? "]" : ")")"
    case .unknown(let unknown):
      whole = unknown.written.map { $0.shown(depth: depth, limit: limit) } ?? "(\(unknown.reason))"
    case .list(let values):
      guard depth > 0 else { return "[…]" }
      whole =
        "[" + values.prefix(20).map { $0.shown(depth: depth - 1, limit: 100) }.joined(separator: ",") + "]"
    case .map(let members):
      guard depth > 0 else { return "{…}" }
      whole =
        "{"
        + members.all.prefix(20).map { "\"\($0.name)\":" + $0.value.shown(as: $0.name, depth: depth - 1) }
        .joined(separator: ",") + "}"
    }
    return whole.count <= limit ? whole : whole.prefix(limit) + "…"
  }
}
