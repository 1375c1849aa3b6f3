// Conditions of a template: whether they hold, as far as that is known.
// Source: AWS CloudFormation User Guide, "Conditions section", "Condition functions".

import GuardRules

extension TemplateResolver {
  /// Whether a condition holds; nil = it depends on what isn't known.
  mutating func condition(_ name: String, _ depth: Int) throws(DocumentFault) -> Bool? {
    if let holds = known[name] { return holds }
    // One that needs itself is never known.
    guard let written = conditions?[name], open.insert(name).inserted else { return nil }
    let holds = try evaluate(written, depth + 1)
    open.remove(name)
    known[name] = .some(holds)
    return holds
  }

  mutating func evaluate(_ written: Value, _ depth: Int) throws(DocumentFault) -> Bool? {
    budget -= 1
    guard budget > 0 else { throw tooMuch("more than \(Self.mostValues) values", written.place) }
    guard depth < Self.mostDepth, stack.hasRoom else {
      throw tooMuch("too many conditions in a row", written.place)
    }
    guard let only = written.members.first, written.members.count == 1 else {
      if case .bool(let holds) = written.content { return holds }
      return written.string == "true" ? true : written.string == "false" ? false : nil
    }
    switch only.name {
    case "Condition":
      guard let name = only.value.string else { return nil }
      return try condition(name, depth + 1)
    case "Fn::Equals":
      guard let parts = only.value.list, parts.count == 2,
        let left = try resolve(parts[0], depth + 1)?.plainText,
        let right = try resolve(parts[1], depth + 1)?.plainText
      else { return nil }
      return left == right
    case "Fn::Not":
      guard let part = only.value.list?.first else { return nil }
      return try evaluate(part, depth + 1).map { !$0 }
    case "Fn::And", "Fn::Or":
      let isAnd = only.name == "Fn::And"
      var isUnknown = false
      for part in only.value.list ?? [] {
        guard let holds = try evaluate(part, depth + 1) else {
          isUnknown = true
          continue
        }
        if holds != isAnd { return holds }
      }
      return isUnknown ? nil : isAnd
    default: return nil
    }
  }

  /// `Fn::If`. (Apart from the others: these stand within each other, and a level takes as little of the stack as can be.)
  mutating func choice(
    _ argument: Value, _ written: Value, _ depth: Int
  ) throws(DocumentFault) -> Value? {
    guard let parts = argument.list, parts.count == 3, let name = parts[0].string else {
      return unknown("Fn::If wants a condition and two values", written)
    }
    if let holds = try condition(name, depth) { return try resolve(parts[holds ? 1 : 2], depth) }
    // It is there whichever it is, unless one of them isn't.
    var mayBeAbsent = false
    for part in parts.dropFirst() {
      guard let value = try resolve(part, depth) else {
        mayBeAbsent = true
        continue
      }
      if case .unknown(let unknown) = value.content, unknown.mayBeAbsent { mayBeAbsent = true }
    }
    return Value(
      .unknown(
        Unknown("condition \(name) depends on what isn't known", written: written, mayBeAbsent: mayBeAbsent)),
      at: written.place)
  }
}
