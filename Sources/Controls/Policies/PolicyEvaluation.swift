// What documents of IAM say of a request. Source: IAM User Guide, "Policy evaluation logic", "IAM JSON policy elements:
// Condition operators", "Variables and tags". Operators on text, ARNs and booleans, variables in resources; what it can't
// evaluate is unknown, never allowed or denied.

/// A call that somebody makes.
public struct PolicyRequest: Sendable {
  /// `s3:GetObject`.
  public var action: String
  /// The ARN of what it is about.
  public var resource: String
  /// Values by key, keys in small letters: `aws:requestedregion`.
  public var context: [String: [String]]

  /// A call.
  public init(_ action: String, resource: String = "*", context: [String: [String]] = [:]) {
    self.action = action
    self.resource = resource
    self.context = context
  }
}

/// What documents say of it.
public enum PolicyVerdict: Sendable, Equatable {
  /// One allows it, none denies it.
  case allowed
  /// One denies it.
  case denied
  /// None says anything of it: it isn't allowed.
  case silent
  /// It hangs on an operator that isn't known here.
  case unknown(String)
}

extension PolicyRequest {
  /// The verdict of documents that are attached to one thing: allowances add up, and so do denials.
  public func verdict(of documents: some Sequence<PolicyDocument>) -> PolicyVerdict {
    var isAllowed = false
    var open: String?
    for statement in documents.flatMap(\.statements) {
      switch applies(statement) {
      case .no: continue
      case .unknown(let why): open = open ?? why
      case .yes:
        if statement.effect == .deny { return .denied }
        isAllowed = true
      }
    }
    if let open { return .unknown(open) }
    return isAllowed ? .allowed : .silent
  }

  private enum Answer {
    case yes, no
    case unknown(String)
  }

  private func applies(_ statement: PolicyStatement) -> Answer {
    let action = action.lowercased()
    let names = statement.actions.contains { Wildcard($0, ignoresCase: true).matches(action) }
    guard names != statement.isNotAction else { return .no }
    var patterns: [String] = []
    for pattern in statement.resources {
      // A variable without a value may make the whole statement invalid.
      guard let filled = filled(pattern) else { return .unknown("a variable of \(pattern)") }
      patterns.append(filled)
    }
    let holds = patterns.contains { Wildcard($0).matches(resource) }
    guard holds != statement.isNotResource else { return .no }
    var open: String?
    for condition in statement.conditions {
      switch self.holds(condition) {
      case true?: continue
      case false?: return .no
      case nil: open = "\(condition.comparison) \(condition.key)"
      }
    }
    return open.map { .unknown($0) } ?? .yes
  }

  /// A pattern with its variables' values; nil = one has no single plain value.
  private func filled(_ pattern: String) -> String? {
    guard pattern.utf8.contains(UInt8(ascii: "$")) else { return pattern }
    var out = ""
    var rest = pattern[...]
    while let start = rest.firstRange(of: "${") {
      guard let end = rest[start.upperBound...].firstIndex(of: "}") else { return nil }
      let key = rest[start.upperBound..<end]
      guard let values = context[key.lowercased()], values.count == 1, let value = values.first,
        !value.contains(where: { "*?$".contains($0) })
      else { return nil }
      out += rest[..<start.lowerBound] + value
      rest = rest[rest.index(after: end)...]
    }
    return out + rest
  }

  /// - Returns: nil where the operator isn't known.
  private func holds(_ condition: PolicyCondition) -> Bool? {
    var comparison = condition.comparison
    let values = context[condition.key.lowercased()] ?? []
    if comparison == "Null" { return condition.values.contains { ($0 == "true") == values.isEmpty } }
    let mayLack = comparison.hasSuffix("IfExists")
    if mayLack { comparison.removeLast("IfExists".count) }
    // A set of a key's values, and a key that isn't there, aren't looked at closer than this.
    guard !comparison.contains(":"), values.count <= 1 else { return nil }
    let isNot = comparison.contains("Not")
    let compare: (String, String) -> Bool
    switch comparison {
    case "StringEquals", "StringNotEquals": compare = { $0 == $1 }
    case "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase":
      compare = { $0.lowercased() == $1.lowercased() }
    case "StringLike", "StringNotLike", "ArnLike", "ArnNotLike", "ArnEquals", "ArnNotEquals":
      compare = { Wildcard($0).matches($1) }
    case "Bool": compare = { $0.lowercased() == $1.lowercased() }
    default: return nil
    }
    // Without a value a negated operator holds, and so does one with IfExists; any other doesn't.
    guard let value = values.first else { return isNot || mayLack }
    return condition.values.contains { compare($0, value) } != isNot
  }
}
