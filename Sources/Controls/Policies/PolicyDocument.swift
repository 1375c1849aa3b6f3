// Documents of IAM: statements, and their JSON without a blank more than needed. Source: IAM User Guide, "Grammar of the IAM
// JSON policy language".

/// A condition: operator, key, values.
public struct PolicyCondition: Sendable, Hashable {
  /// `StringNotEquals`.
  public let comparison: String
  /// `aws:RequestedRegion`.
  public let key: String
  /// Any of them.
  public let values: [String]

  /// A condition.
  public init(_ comparison: String, _ key: String, _ values: [String]) {
    self.comparison = comparison
    self.key = key
    self.values = values
  }
}

/// A statement.
public struct PolicyStatement: Sendable, Equatable {
  /// What it does.
  public enum Effect: String, Sendable {
    /// It allows.
    case allow = "Allow"
    /// It denies.
    case deny = "Deny"
  }

  /// What it does.
  public var effect: Effect
  /// Patterns of actions.
  public var actions: [String]
  /// Whether all other actions are meant.
  public var isNotAction = false
  /// Patterns of ARNs.
  public var resources = ["*"]
  /// Whether all other resources are meant.
  public var isNotResource = false
  /// All of them must hold.
  public var conditions: [PolicyCondition] = []

  /// A statement on all resources.
  public init(
    _ effect: Effect, _ actions: [String], not isNotAction: Bool = false, conditions: [PolicyCondition] = []
  ) {
    self.effect = effect
    self.actions = actions
    self.isNotAction = isNotAction
    self.conditions = conditions
  }

  /// The JSON.
  public var text: String {
    var out =
      "{\"Effect\":\"\(effect.rawValue)\",\"\(isNotAction ? "NotAction" : "Action")\":\(Self.list(actions))"
    out += ",\"\(isNotResource ? "NotResource" : "Resource")\":\(Self.list(resources))"
    if !conditions.isEmpty {
      var operators: [String] = []
      for condition in conditions where !operators.contains(condition.comparison) {
        operators.append(condition.comparison)
      }
      let parts = operators.map { name in
        let keys = conditions.filter { $0.comparison == name }.map {
          "\(Self.quoted($0.key)):\(Self.list($0.values))"
        }
        return "\(Self.quoted(name)):{\(keys.joined(separator: ","))}"
      }
      out += ",\"Condition\":{\(parts.joined(separator: ","))}"
    }
    return out + "}"
  }

  static func list(_ texts: [String]) -> String {
    texts.count == 1 ? quoted(texts[0]) : "[\(texts.map(quoted).joined(separator: ","))]"
  }

  /// A text of JSON (RFC 8259, section 7).
  static func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\u{0}"..."\u{1F}":
        let hex = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}

/// A document.
public struct PolicyDocument: Sendable, Equatable {
  /// Its statements.
  public var statements: [PolicyStatement]

  /// A document.
  public init(_ statements: [PolicyStatement]) { self.statements = statements }

  private static let head = "{\"Version\":\"2012-10-17\",\"Statement\":["

  /// The JSON, without blanks between.
  public var text: String { Self.head + statements.map(\.text).joined(separator: ",") + "]}" }

  /// Its length as IAM and Organizations count it: characters, blanks between left out.
  public var characterCount: Int { text.unicodeScalars.count }

  /// What is left for statements in a document of some length.
  static func room(of limit: Int) -> Int { limit - head.unicodeScalars.count - 2 }

  /// Whether another says the same: order and letter case of actions don't matter.
  public func says(_ other: PolicyDocument) -> Bool { normal == other.normal }

  private var normal: Set<String> { Set(statements.map(\.normal.text)) }

  /// Whether it allows nothing that another doesn't. Sound: never true where it isn't so; conditions and resources are
  /// compared as they are written.
  func isWithin(_ other: PolicyDocument) -> Bool {
    func covers(_ wide: [String], _ narrow: [String]) -> Bool {
      let patterns = wide.map { Wildcard($0, ignoresCase: true) }
      return narrow.allSatisfy { action in
        patterns.contains { $0.contains(Wildcard(action, ignoresCase: true)) }
      }
    }
    func all(_ effect: PolicyStatement.Effect, _ document: PolicyDocument) -> [PolicyStatement] {
      document.statements.filter { $0.effect == effect }
    }
    let denials = all(.deny, self)
    for denial in all(.deny, other) {
      let alike = denials.filter { $0.frame == denial.frame }
      let isKept =
        denial.isNotAction
        ? alike.contains { covers(denial.actions, $0.actions) }
        : covers(alike.flatMap(\.actions), denial.actions)
      guard isKept else { return false }
    }
    let allowances = all(.allow, other)
    return all(.allow, self).allSatisfy { statement in
      let alike = allowances.filter { $0.frame == statement.frame || !$0.isNotAction && $0.isUnlimited }
      return statement.isNotAction
        ? alike.contains { $0.isNotAction && covers(statement.actions, $0.actions) }
        : covers(alike.filter { !$0.isNotAction }.flatMap(\.actions), statement.actions)
    }
  }
}

extension PolicyStatement {
  /// The same for all that say the same.
  fileprivate var normal: PolicyStatement {
    var out = self
    out.actions = Set(actions.map { $0.lowercased() }).sorted()
    out.resources = Set(resources).sorted()
    out.conditions = conditions.map {
      PolicyCondition($0.comparison, $0.key.lowercased(), Set($0.values).sorted())
    }.sorted { ($0.comparison, $0.key) < ($1.comparison, $1.key) }
    return out
  }

  /// All but the actions.
  fileprivate var frame: String {
    var out = normal
    out.actions = []
    return out.text
  }

  fileprivate var isUnlimited: Bool { resources == ["*"] && !isNotResource && conditions.isEmpty }
}
