// What a query selects.

/// One of the values that a query selected, or what it couldn't reach.
enum Selected: Sendable {
  /// Written in the rules.
  case literal(Value)
  /// Found.
  case found(Value)
  /// Found, but whether it is meant isn't known: a filter looked at what isn't known yet.
  case perhaps(Value)
  /// Not there.
  case missing(Missing)

  /// Whether it isn't known whether it is meant, or whether it is there.
  var isUncertain: Bool {
    switch self {
    case .literal: false
    case .found(let value): value.mayBeAbsent
    case .perhaps: true
    case .missing(let missing): missing.reached.isUnknown
    }
  }

  /// The value; nil = there is none.
  var value: Value? {
    switch self {
    case .literal(let value), .found(let value), .perhaps(let value): value
    case .missing: nil
    }
  }
}

/// How far a query came.
struct Missing: Sendable {
  /// The last value that was there.
  let reached: Value
  /// What of it wasn't.
  let wanted: String
  /// Where what was reached was made for the purpose: the value of the document that it stands for.
  var holder: Value?
}

extension Value {
  /// Whether it isn't known yet.
  var isUnknown: Bool {
    if case .unknown = content { return true }
    return false
  }

  /// Whether something in it isn't known yet.
  var holdsUnknown: Bool {
    switch content {
    case .unknown: true
    case .list(let values): values.contains(where: \.holdsUnknown)
    case .map(let members):
      members.rest != nil || !members.perhaps.isEmpty || members.all.contains { $0.value.holdsUnknown }
    default: false
    }
  }

  /// Whether it isn't known, and may turn out not to be there.
  var mayBeAbsent: Bool {
    if case .unknown(let unknown) = content { return unknown.mayBeAbsent }
    return false
  }
}

extension [Selected] {
  /// What was selected from a place on, now that it isn't known whether it is meant.
  mutating func doubt(from start: Int) {
    for place in indices[start...] {
      switch self[place] {
      case .literal(let value), .found(let value), .perhaps(let value): self[place] = .perhaps(value)
      case .missing(let missing):
        guard !missing.reached.isUnknown else { continue }
        let reached = Value(.unknown(Unknown("whether it is meant isn't known")), at: missing.reached.place)
        self[place] = .missing(
          Missing(reached: reached, wanted: missing.wanted, holder: missing.holder ?? missing.reached))
      }
    }
  }

  /// The one literal that it is.
  var literal: Value? {
    if count == 1, case .literal(let value)? = first { return value }
    return nil
  }
}
