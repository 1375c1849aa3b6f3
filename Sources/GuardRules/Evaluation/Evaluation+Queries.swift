// Queries: from a value to the values that they select.

extension Evaluation {
  /// The values of what stands on a right side.
  func values(of operand: Operand, _ scope: Scope) throws(EvaluationFault) -> [Selected] {
    switch operand {
    case .value(let value): return [.literal(value)]
    case .query(let query): return try select(query, scope)
    case .call(let call): return try self.call(call, scope)
    }
  }

  /// The values that a variable is set to, or that a function is given: of `some` those that are there. What isn't known
  /// stays.
  func valuesThere(of operand: Operand, _ scope: Scope) throws(EvaluationFault) -> [Selected] {
    let values = try values(of: operand, scope)
    guard case .query(let query) = operand, query.isSome else { return values }
    return values.filter { $0.value != nil || $0.isUncertain }
  }

  /// What a query selects of the scope's value.
  func select(_ query: Query, _ scope: Scope) throws(EvaluationFault) -> [Selected] {
    var out: [Selected] = []
    if case .variable(let name)? = query.steps.first {
      let values = try scope.values(of: name, self)
      if query.steps.count == 1 { return values }
      // Every value of a variable is walked, said or not.
      var next = 1
      if case .elements? = query.steps.dropFirst().first { next = 2 }
      for each in values {
        guard let value = each.value, next < query.steps.count else {
          out.append(each)
          continue
        }
        let inner = Scope([], root: value, in: scope, isOfQuery: true)
        let before = out.count
        try walk(query.steps, next, value, inner, LetterCase.none, &out)
        if case .perhaps = each { out.doubt(from: before) }
      }
      return out
    }
    try walk(query.steps, 0, scope.root, scope, LetterCase.none, &out)
    return out
  }

  /// Goes on from a value. Steps that lead to one value are gone in a row; those that lead to many, one level further in.
  private func walk(
    _ steps: [Step], _ first: Int, _ start: Value, _ scope: Scope, _ before: LetterCase,
    _ out: inout [Selected],
    key: Value? = nil
  ) throws(EvaluationFault) {
    var (index, value, letters) = (first, start, before)
    while index < steps.count {
      func missing(_ wanted: String) { out.append(.missing(Missing(reached: value, wanted: wanted))) }
      if case .unknown(let unknown) = value.content {
        if case .this = steps[index] {
          index += 1
          continue
        }
        if let rest = steps.filtersSelection(index), !unknown.mayBeAbsent {
          return out.append(try perhapsSelected(value, unknown, rest, scope))
        }
        // Rules that look at the writing itself (`Ref`, `"Fn::GetAtt"`) see it.
        guard case .key(let key) = steps[index], let written = unknown.written, written.has(key) else {
          if case .key(let key) = steps[index], unknown.isName, let written = unknown.written {
            return out.append(.missing(Missing(reached: written, wanted: "key \(key)", holder: value)))
          }
          return missing("what isn't known yet: \(unknown.reason)")
        }
        value = written
      }
      switch steps[index] {
      case .this: index += 1
      case .variable(let name): return missing("%\(name)")
      case .index(let place):
        guard case .list(let values) = value.content else {
          return missing("element \(place) of a \(value.kind)")
        }
        guard let element = values.element(at: place) else { return missing("element \(place)") }
        if values.contains(where: \.mayBeAbsent), !element.isUnknown {
          out.append(
            .missing(
              Missing(
                reached: Value(.unknown(Unknown("which elements there are isn't known"))),
                wanted: "element \(place)", holder: value)))
          return
        }
        (index, value) = (index + 1, element)
      case .key(let key):
        guard case .map(let members) = value.content else { return missing("key \(key) of a \(value.kind)") }
        guard let (next, other) = member(key, of: members, letters) else {
          guard let unknown = members.unknown(key) else {
            if value === document.root { lacks.insert(key) }
            return missing("key \(key)")
          }
          out.append(
            .missing(
              Missing(
                reached: Value(.unknown(unknown), at: value.place), wanted: "key \(key)", holder: value)))
          return
        }
        if members.perhaps.contains(where: { members[$0] === next }) {
          let reached = Value(.unknown(Unknown("whether \(key) is there")), at: next.place)
          out.append(.missing(Missing(reached: reached, wanted: "key \(key)", holder: next)))
          return
        }
        (index, value, letters) = (index + 1, next, other)
      default:
        return try deeper(value.place) { () throws(EvaluationFault) in
          try fan(steps, index, value, scope, letters, &out, key: index == first ? key : nil)
        }
      }
    }
    out.append(.found(value))
  }

  /// A member, as it is written, in the letter case of the query so far, or in the first other one that is there.
  private func member(
    _ key: String, of members: Members, _ letters: LetterCase
  ) -> (value: Value, letters: LetterCase)? {
    if let value = members[key] ?? (letters == .none ? nil : members[letters.convert(key)]) {
      return (value, letters)
    }
    guard letters == .none, members.unknown(key) == nil else { return nil }
    let conversions = LetterCase.conversions(of: key)
    guard members.mayHave(anyOf: conversions.signs) else { return nil }
    for (other, name) in zip(LetterCase.others, conversions.names) {
      if let value = members[name] { return (value, other) }
    }
    return nil
  }

  /// A member's name as a value; secret where what it is a member of is.
  private static func name(of member: Members.Member, in map: Value) -> Value {
    Value(.string(member.name), at: member.value.place, isSecret: map.isSecret)
  }

  /// A step that leads to many values.
  private func fan(
    _ steps: [Step], _ index: Int, _ value: Value, _ scope: Scope, _ letters: LetterCase,
    _ out: inout [Selected],
    key: Value?
  ) throws(EvaluationFault) {
    func missing(_ wanted: String) { out.append(.missing(Missing(reached: value, wanted: wanted))) }
    switch steps[index] {
    case .this, .variable, .index, .key: missing("a step that leads to many values")
    case .keysOf(let name): try keysOf(name, steps, index, value, scope, letters, &out)
    case .elements(let capture):
      guard case .list(let values) = value.content else {
        return try walk(steps, index + 1, value, scope, letters, &out)
      }
      if values.isEmpty { return missing("an element of the empty list") }
      for (place, element) in values.enumerated() {
        if let capture { scope.capture(capture, Value(.int(Int64(place))), isDoubtful: isDoubting) }
        try walk(steps, index + 1, element, scope, letters, &out)
      }
    case .members(let capture):
      switch value.content {
      case .map(let members):
        let next = capture == nil && letters == .none && index + 1 < steps.count ? steps[index + 1] : nil
        let certain = document.certain(of: value, next)
        if let rest = members.rest, certain == nil {
          let reached = Value(.unknown(rest.unknown), at: value.place)
          out.append(.missing(Missing(reached: reached, wanted: "what else there is", holder: value)))
        } else if members.all.isEmpty, certain == nil {
          return missing("a value of the empty map")
        }
        for member in certain ?? document.candidates(of: value, next) ?? members.all {
          let key = Self.name(of: member, in: value)
          try doubting(members.perhaps.contains(member.name), &out) { (out) throws(EvaluationFault) in
            if let capture { scope.capture(capture, key, isDoubtful: isDoubting) }
            try walk(steps, index + 1, member.value, scope, letters, &out, key: key)
          }
        }
      case .list(let values):
        if values.isEmpty { return missing("an element of the empty list") }
        for element in values { try walk(steps, index + 1, element, scope, letters, &out) }
      default: try walk(steps, index + 1, value, scope, letters, &out)
      }
    case .filter(let capture, let clauses):
      try filter(steps, index, value, capture, clauses, scope, letters, &out, key: key)
    case .keys(let capture, let comparator, let isNegated, let right):
      guard case .map(let members) = value.content else { return missing("keys of a \(value.kind)") }
      let wanted = try values(of: right, scope)
      if let rest = members.rest {
        let reached = Value(.unknown(rest.unknown), at: value.place)
        out.append(.missing(Missing(reached: reached, wanted: "what other keys there are", holder: value)))
      }
      for member in members.all {
        let key = Self.name(of: member, in: value)
        let verdict = try matches(key, comparator, isNegated, wanted)
        guard verdict == .pass || verdict == .unknown else { continue }
        let isDoubtful = verdict == .unknown || members.perhaps.contains(member.name)
        try doubting(isDoubtful, &out) { (out) throws(EvaluationFault) in
          if let capture { scope.capture(capture, key, isDoubtful: isDoubting) }
          try walk(steps, index + 1, member.value, scope, letters, &out)
        }
      }
    }
  }

  /// Walks on; of what is doubtful all that is selected and captured is.
  private func doubting(
    _ isDoubtful: Bool, _ out: inout [Selected],
    _ body: (inout [Selected]) throws(EvaluationFault) -> Void
  ) throws(EvaluationFault) {
    guard isDoubtful else { return try body(&out) }
    let before = (out.count, isDoubting)
    isDoubting = true
    defer { isDoubting = before.1 }
    try body(&out)
    out.doubt(from: before.0)
  }

  /// The members whose names a variable's values are.
  private func keysOf(
    _ name: String, _ steps: [Step], _ index: Int, _ value: Value, _ scope: Scope, _ letters: LetterCase,
    _ out: inout [Selected]
  ) throws(EvaluationFault) {
    func missing(_ wanted: String) { out.append(.missing(Missing(reached: value, wanted: wanted))) }
    guard case .map(let members) = value.content else { return missing("keys %\(name) of a \(value.kind)") }
    var keys = try scope.values(of: name, self)
    var next = index + 1
    if next < steps.count {
      switch steps[next] {
      case .elements: next += 1
      case .index(let place):
        guard let key = keys.element(at: place) else { return missing("element \(place) of %\(name)") }
        keys = [key]
        next += 1
      default: break
      }
    }
    for selected in keys {
      guard let key = selected.value else {
        out.append(selected)
        continue
      }
      let before = out.count
      for key in key.elements {
        if key.isUnknown {
          out.append(.missing(Missing(reached: key, wanted: "a key")))
          continue
        }
        guard case .string(let text) = key.content else {
          throw fault("%\(name) is a \(key.kind), and no key", key.place)
        }
        let wanted = key.isSecret ? "key \(Value.hiddenText)" : "key \(text)"
        if let member = members[text] {
          guard !members.perhaps.contains(text) else {
            let reached = Value(.unknown(Unknown("whether it is there")), at: member.place)
            out.append(.missing(Missing(reached: reached, wanted: wanted, holder: member)))
            continue
          }
          try walk(steps, next, member, scope, letters, &out)
        } else if let unknown = members.unknown(text) {
          out.append(
            .missing(
              Missing(reached: Value(.unknown(unknown), at: value.place), wanted: wanted, holder: value)))
        } else {
          if value === document.root { lacks.insert(text) }
          missing(wanted)
        }
      }
      if case .perhaps = selected { out.doubt(from: before) }
    }
  }

  /// What filters may select of a value that isn't known: it, or elements of it. Whether null may be among these is known:
  /// all else that is selected is something.
  private func perhapsSelected(
    _ value: Value, _ unknown: Unknown, _ filters: [[Disjunction]], _ scope: Scope
  ) throws(EvaluationFault) -> Selected {
    var mayBeNull = unknown.mayBeNull
    for clauses in filters where mayBeNull {
      do throws(EvaluationFault) {
        let verdict = try holds(clauses, Scope([], root: Value(.null), in: scope))
        mayBeNull = verdict != .fail && verdict != .skip
      } catch {
        // Of null they can't be asked; nothing is known by that.
        continue
      }
    }
    let selected = Value(
      .unknown(
        Unknown(
          unknown.reason, nil, mayBeEmpty: true, mayBeAbsent: false, mayBeNull: mayBeNull,
          isName: unknown.isName)),
      at: value.place, isSecret: value.isSecret)
    note(selected, from: value)
    return .perhaps(selected)
  }

  private func filter(
    _ steps: [Step], _ index: Int, _ value: Value, _ capture: String?, _ clauses: [Disjunction],
    _ scope: Scope,
    _ letters: LetterCase, _ out: inout [Selected], key: Value?
  ) throws(EvaluationFault) {
    func take(
      _ value: Value, _ key: @autoclosure () -> Value?, isPerhaps: Bool = false
    ) throws(EvaluationFault) {
      let inner = Scope([], root: value, in: scope)
      let status = try holds(clauses, inner)
      guard status != .fail, status != .skip else { return }
      try doubting(isPerhaps || status != .pass, &out) { (out) throws(EvaluationFault) in
        if let capture, let key = key() { scope.capture(capture, key, isDoubtful: isDoubting) }
        try walk(steps, index + 1, value, scope, letters, &out)
      }
    }
    // Behind what has already walked the values, a map is one of them; behind a key its values are looked at.
    let hasWalked = index > 0 && steps[index - 1].walks
    switch value.content {
    case .map(let members):
      if hasWalked { return try take(value, key) }
      if let rest = members.rest {
        let reached = Value(.unknown(rest.unknown), at: value.place)
        out.append(.missing(Missing(reached: reached, wanted: "what else there is", holder: value)))
      }
      for member in members.all {
        try take(
          member.value, Self.name(of: member, in: value), isPerhaps: members.perhaps.contains(member.name))
      }
    case .list(let values):
      for (place, element) in values.enumerated() { try take(element, Value(.int(Int64(place)))) }
    default:
      if hasWalked { return try take(value, key) }
      out.append(.missing(Missing(reached: value, wanted: "a map or a list to be filtered")))
    }
  }
}

extension Step {
  /// Whether a filter behind it looks at the value itself, and not at what is in a map.
  fileprivate var walks: Bool {
    switch self {
    case .elements, .members, .filter, .keys, .variable, .this, .index: true
    case .key, .keysOf: false
    }
  }
}

extension [Step] {
  /// Where from a place on there are filters only, of what was walked before, that capture nothing: their clauses.
  fileprivate func filtersSelection(_ index: Int) -> [[Disjunction]]? {
    guard index > 0, self[index - 1].walks else { return nil }
    var all: [[Disjunction]] = []
    for step in self[index...] {
      guard case .filter(nil, let clauses) = step else { return nil }
      all.append(clauses)
    }
    return all
  }
}

extension Array {
  /// An element; from the end where the place is negative.
  fileprivate func element(at place: Int) -> Element? {
    let index = place < 0 ? count + place : place
    return indices.contains(index) ? self[index] : nil
  }
}

extension Value {
  fileprivate func has(_ key: String) -> Bool {
    if case .map(let members) = content { return members[key] != nil }
    return false
  }

  /// The elements of a list, else the value itself.
  var elements: [Value] {
    if case .list(let values) = content { return values }
    return [self]
  }
}
