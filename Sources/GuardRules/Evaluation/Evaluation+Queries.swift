// Queries: from a value to the values that they select.

extension Evaluation {
  /// The values of what stands on a right side.
  func values(of operand: Operand, _ scope: Scope) throws(EvaluationFault) -> [Selected] {
    switch operand {
    case .value(let value): return [.literal(value)]
    case .query(let query):
      let values = try select(query, scope)
      return query.isSome ? values.filter { $0.value != nil } : values
    case .call(let call): return try self.call(call, scope)
    }
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
        let inner = Scope([], root: value, in: scope)
        try walk(query.steps, next, value, inner, LetterCase.none, &out)
      }
      return out
    }
    try walk(query.steps, 0, scope.root, scope, LetterCase.none, &out)
    return out
  }

  private func walk(
    _ steps: [Step], _ index: Int, _ value: Value, _ scope: Scope, _ letters: LetterCase, _ out: inout [Selected]
  ) throws(EvaluationFault) {
    guard index < steps.count else {
      out.append(.found(value))
      return
    }
    func missing(_ wanted: String) { out.append(.missing(Missing(reached: value, wanted: wanted))) }
    if case .unknown(let unknown) = value.content {
      // Rules that look at the writing itself (`Ref`, `"Fn::GetAtt"`) see it.
      if case .key(let key) = steps[index], let written = unknown.written, case .map(let members) = written.content,
        members[key] != nil
      {
        return try walk(steps, index, written, scope, letters, &out)
      }
      if case .this = steps[index] { return try walk(steps, index + 1, value, scope, letters, &out) }
      return missing("what isn't known yet: \(unknown.reason)")
    }
    switch steps[index] {
    case .this: try walk(steps, index + 1, value, scope, letters, &out)
    case .variable(let name): missing("%\(name)")
    case .key(let key):
      guard case .map(let members) = value.content else { return missing("key \(key) of a \(value.kind)") }
      if let next = members[letters.convert(key)] ?? members[key] {
        return try walk(steps, index + 1, next, scope, letters, &out)
      }
      if let unknown = members.unknown(key) {
        return out.append(
          .missing(Missing(reached: Value(.unknown(unknown), at: value.place), wanted: "key \(key)")))
      }
      guard letters == .none else { return missing("key \(key)") }
      for other in LetterCase.others {
        if let next = members[other.convert(key)] {
          return try walk(steps, index + 1, next, scope, other, &out)
        }
      }
      missing("key \(key)")
    case .keysOf(let name):
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
      for key in keys {
        guard let key = key.value else {
          out.append(key)
          continue
        }
        for key in key.elements {
          guard case .string(let text) = key.content else {
            throw fault("%\(name) is a \(key.kind), and no key", key.place)
          }
          if let member = members[text] {
            try walk(steps, next, member, scope, letters, &out)
          } else {
            missing("key \(text)")
          }
        }
      }
    case .index(let place):
      guard case .list(let values) = value.content else { return missing("element \(place) of a \(value.kind)") }
      guard let element = values.element(at: place) else { return missing("element \(place)") }
      try walk(steps, index + 1, element, scope, letters, &out)
    case .elements(let capture):
      guard case .list(let values) = value.content else {
        return try walk(steps, index + 1, value, scope, letters, &out)
      }
      if values.isEmpty { return missing("an element of the empty list") }
      for (place, element) in values.enumerated() {
        if let capture { scope.capture(capture, Value(.int(Int64(place)))) }
        try walk(steps, index + 1, element, scope, letters, &out)
      }
    case .members(let capture):
      switch value.content {
      case .map(let members):
        if members.all.isEmpty { return missing("a value of the empty map") }
        for member in members.all {
          if let capture { scope.capture(capture, Value(.string(member.name))) }
          try walk(steps, index + 1, member.value, scope, letters, &out)
        }
      case .list(let values):
        if values.isEmpty { return missing("an element of the empty list") }
        for element in values { try walk(steps, index + 1, element, scope, letters, &out) }
      default: try walk(steps, index + 1, value, scope, letters, &out)
      }
    case .filter(let capture, let clauses):
      try filter(steps, index, value, capture, clauses, scope, letters, &out)
    case .keys(let capture, let comparator, let isNegated, let right):
      guard case .map(let members) = value.content else { return missing("keys of a \(value.kind)") }
      let wanted = try values(of: right, scope)
      for member in members.all {
        let key = Value(.string(member.name), at: member.value.place)
        guard try matches(key, comparator, isNegated, wanted) else { continue }
        if let capture { scope.capture(capture, key) }
        try walk(steps, index + 1, member.value, scope, letters, &out)
      }
    }
  }

  private func filter(
    _ steps: [Step], _ index: Int, _ value: Value, _ capture: String?, _ clauses: [Disjunction], _ scope: Scope,
    _ letters: LetterCase, _ out: inout [Selected]
  ) throws(EvaluationFault) {
    func take(_ value: Value, _ key: @autoclosure () -> Value?) throws(EvaluationFault) {
      let inner = Scope([], root: value, in: scope)
      let status = try holds(clauses, inner)
      guard status == .pass || status == .unknown else { return }
      if let capture, let key = key() { scope.capture(capture, key) }
      let before = out.count
      try walk(steps, index + 1, value, scope, letters, &out)
      if status == .unknown {
        for place in out.indices[before...] { if let value = out[place].value { out[place] = .perhaps(value) } }
      }
    }
    // Behind what has already walked the values, a map is one of them; behind a key its values are looked at.
    let hasWalked: Bool
    let isBehindElements: Bool
    if index == 0 {
      (hasWalked, isBehindElements) = (false, false)
    } else {
      switch steps[index - 1] {
      case .elements, .members, .filter, .keys, .variable, .this, .index: (hasWalked, isBehindElements) = (true, true)
      case .key, .keysOf: (hasWalked, isBehindElements) = (false, false)
      }
    }
    switch value.content {
    case .map(let members):
      if hasWalked { return try take(value, nil) }
      for member in members.all { try take(member.value, Value(.string(member.name))) }
    case .list(let values):
      for (place, element) in values.enumerated() { try take(element, Value(.int(Int64(place)))) }
    default:
      if isBehindElements { return try take(value, nil) }
      out.append(.missing(Missing(reached: value, wanted: "a map or a list to be filtered")))
    }
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
  /// The elements of a list, else the value itself.
  var elements: [Value] {
    if case .list(let values) = content { return values }
    return [self]
  }
}
