// Two values beside each other. nil = they can't be compared: a number is never equal to a text, and never unequal.

enum Equality {
  /// - Throws: `Pattern.TooMuch` where a regular expression was too much work.
  static func equal(_ left: Value, _ right: Value) throws(Pattern.TooMuch) -> Bool? {
    switch Value.comparable(left, right) {
    // By bytes, as everywhere in the language: Swift's own == takes different writings of a character for the same.
    case (.string(let left), .string(let right)): return left.utf8.elementsEqual(right.utf8)
    case (.string(let text), .pattern(let pattern)), (.pattern(let pattern), .string(let text)):
      return try pattern.occurs(in: text)
    case (.pattern(let left), .pattern(let right)): return left.source == right.source
    case (.int(let left), .int(let right)): return left == right
    case (.float(let left), .float(let right)): return left == right
    case (.bool(let left), .bool(let right)): return left == right
    case (.null, .null): return true
    case (.character(let left), .character(let right)): return left == right
    case (.range(let bounds), let content), (let content, .range(let bounds)): return bounds.contains(content)
    case (.list(let left), .list(let right)):
      guard left.count == right.count else {
        // What may turn out not to be there can make them equal yet.
        return (left + right).contains(where: \.mayBeAbsent) ? nil : false
      }
      for (left, right) in zip(left, right) {
        guard let same = try equal(left, right) else { return nil }
        if !same { return false }
      }
      return true
    case (.map(let left), .map(let right)):
      return try equal(left, right)
    default: return nil
    }
  }

  private static func equal(_ left: Members, _ right: Members) throws(Pattern.TooMuch) -> Bool? {
    var isCertain = left.rest == nil && right.rest == nil && left.perhaps.isEmpty && right.perhaps.isEmpty
    for member in left.all {
      guard let other = right[member.name] else {
        if right.unknown(member.name) == nil, !member.value.mayBeAbsent, !left.perhaps.contains(member.name) {
          return false
        }
        isCertain = false
        continue
      }
      guard let same = try equal(member.value, other) else { return nil }
      // Where neither has it they are the same yet.
      if !same, !left.perhaps.contains(member.name) || !right.perhaps.contains(member.name) { return false }
    }
    for member in right.all where left[member.name] == nil {
      if left.unknown(member.name) == nil, !member.value.mayBeAbsent, !right.perhaps.contains(member.name) {
        return false
      }
      isCertain = false
    }
    return isCertain ? true : nil
  }

  /// Whether the left value is before the right one (`<`), and whether they are the same; nil = not of one kind.
  static func order(_ left: Value, _ right: Value) -> (isBefore: Bool, isSame: Bool)? {
    switch Value.comparable(left, right) {
    case (.int(let left), .int(let right)): return (left < right, left == right)
    case (.float(let left), .float(let right)): return (left < right, left == right)
    case (.character(let left), .character(let right)): return (left < right, left == right)
    case (.string(let left), .string(let right)):
      let isSame = left.utf8.elementsEqual(right.utf8)
      return (left.utf8.lexicographicallyPrecedes(right.utf8), isSame)
    default: return nil
    }
  }

  /// Whether a value is in another one. `anyCounts`: of a list one element that is in suffices, as `not in` asks.
  static func contained(
    _ value: Value, in other: Value, isText: Bool, anyCounts: Bool
  ) throws(Pattern.TooMuch) -> Bool? {
    if isText, case .string(let whole) = other.content, let text = value.textAsAsked {
      return Bytes.occurs(text, in: whole)
    }
    switch (value.content, other.content) {
    case (.list(let values), .list(let others)):
      if let first = others.first, case .list = first.content { return try isElement(value, of: others) }
      // Of the empty list everything is in, asked either way.
      if values.isEmpty { return true }
      for element in values where try isElement(element, of: others) == anyCounts { return anyCounts }
      return !anyCounts
    case (.list, _): return nil
    case (_, .list(let others)): return try isElement(value, of: others)
    default: return try equal(value, other)
    }
  }

  static func isElement(_ value: Value, of others: [Value]) throws(Pattern.TooMuch) -> Bool {
    for other in others where try equal(value, other) == true { return true }
    return false
  }
}

/// Texts as bytes.
enum Bytes {
  /// Whether a text stands in another one.
  static func occurs(_ text: String, in whole: String) -> Bool {
    let (text, whole) = (Array(text.utf8), Array(whole.utf8))
    guard let first = text.first else { return true }
    guard text.count <= whole.count else { return false }
    return (0...(whole.count - text.count)).contains { start in
      whole[start] == first && whole[start..<start + text.count].elementsEqual(text)
    }
  }
}
