// Clauses with an operator: each selected value holds or doesn't.

extension Evaluation {
  /// What came of one value.
  private enum Answer {
    case yes, no
    /// It can't be compared, or isn't there: it fails, negated or not.
    case neither
    /// It isn't known yet.
    case unknown

    init(_ holds: Bool?) { self = holds.map { $0 ? .yes : .no } ?? .neither }

    func negated(_ isNegated: Bool) -> Answer {
      switch self {
      case .yes where isNegated: .no
      case .no where isNegated: .yes
      default: self
      }
    }
  }

  private struct Outcome {
    var answer: Answer
    var left: Selected?
    var right: Value?
  }

  func compare(_ comparison: Comparison, _ scope: Scope) throws(EvaluationFault) -> Verdict {
    let left = try select(comparison.query, scope)
    if left.count == 1, let only = left.first, let verdict = try plainly(comparison, only) { return verdict }
    var outcomes: [Outcome] = []
    if comparison.comparator.isUnary {
      if comparison.comparator == .empty, comparison.query.asksForSelection {
        outcomes = selectionIsEmpty(left)
      } else {
        if left.isEmpty { return .skip }
        for each in left {
          outcomes.append(
            Outcome(answer: try test(comparison.comparator, each, comparison.place), left: each))
        }
      }
      for place in outcomes.indices {
        outcomes[place].answer = outcomes[place].answer.negated(comparison.isNegated)
      }
    } else {
      guard let operand = comparison.right else { throw fault("nothing to compare with", comparison.place) }
      let right = try values(of: operand, scope)
      if left.isEmpty || right.isEmpty { return .skip }
      outcomes = try self.outcomes(
        left, comparison.comparator, comparison.isNegated, right, comparison.place)
      // Nothing was compared. Where one must hold that fails, unless there is nothing to compare; what may not be there
      // at all fails where it isn't.
      if outcomes.isEmpty {
        let isOpen = comparison.query.isSome && left.allSatisfy(\.isUncertain)
        outcomes = left.filter { isOpen || $0.mayBeMissing }.map { Outcome(answer: .unknown, left: $0) }
        // Else there is nothing of which it doesn't hold: an empty list beside a value.
        if outcomes.isEmpty, !comparison.query.isSome {
          return left.contains { if case .perhaps = $0 { false } else { true } } ? .pass : .passOrSkip
        }
      }
    }
    return settle(outcomes, comparison)
  }

  /// The commonest clauses by far: whether one value is there, or is just what is written; nil = it is another clause, or
  /// more is to be told than whether it holds.
  private func plainly(_ comparison: Comparison, _ only: Selected) throws(EvaluationFault) -> Verdict? {
    var answer: Answer
    switch (comparison.comparator, comparison.right) {
    case (.exists, _): answer = try test(.exists, only, comparison.place)
    case (.equal, .value(let literal)?):
      guard case .found(let value) = only else { return nil }
      switch (value.content, literal.content) {
      case (.string, .string), (.int, .int), (.bool, .bool): break
      default: return nil
      }
      do throws(Pattern.TooMuch) { answer = Answer(try Equality.equal(value, literal)) } catch { return nil }
    default: return nil
    }
    if case .perhaps = only { return nil }
    answer = answer.negated(comparison.isNegated).negated(comparison.isInverted)
    switch answer {
    case .yes: return .pass
    case .no, .neither: return isSilent ? .fail : nil
    case .unknown: return nil
    }
  }

  /// Of values of which none is certain to be meant it can't be told whether there are any.
  private func selectionIsEmpty(_ values: [Selected]) -> [Outcome] {
    if values.isEmpty { return [Outcome(answer: .yes, left: nil)] }
    let hasCertain = values.contains { !$0.isUncertain }
    return values.map { each in
      var isDoubtful = each.isUncertain
      // Beside others it doesn't matter whether it is meant.
      if hasCertain, case .perhaps(let value) = each { isDoubtful = value.mayBeNull }
      return Outcome(answer: isDoubtful ? .unknown : each.isNothing ? .yes : .no, left: each)
    }
  }

  private func settle(_ outcomes: [Outcome], _ comparison: Comparison) -> Verdict {
    let before = failureCount
    var parts: [Verdict] = []
    for outcome in outcomes {
      var status: Verdict =
        switch outcome.answer.negated(comparison.isInverted) {
        case .yes: .pass
        case .no, .neither: .fail
        case .unknown: .unknown
        }
      // What may not be meant at all doesn't fail for certain.
      if case .perhaps? = outcome.left { status = status == .pass ? .passOrSkip : .unknown }
      parts.append(status)
      guard status != .pass, status != .passOrSkip else { continue }
      var (value, missing, holder): (Value?, String?, Value?) = (outcome.left?.value, nil, nil)
      if case .missing(let gone)? = outcome.left {
        (value, missing, holder) = (gone.reached, gone.wanted, gone.holder)
      }
      fail(
        comparison.place, comparison.text, comparison.message, value, missing, outcome.right,
        isUnknown: status == .unknown, holder: holder)
    }
    guard comparison.query.isSome else { return .all(parts) }
    if outcomes.isEmpty {
      fail(comparison.place, comparison.text, comparison.message, nil, "value that it could hold of", nil)
    }
    let status = Verdict.any(parts)
    if status == .pass { forgetFailures(after: before) }
    if status == .unknown { makeUnknown(after: before) }
    return status == .skip ? .fail : status
  }

  // MARK: - One value

  private func test(_ comparator: Comparator, _ each: Selected, _ place: TextPlace) throws(EvaluationFault)
    -> Answer
  {
    if case .missing(let missing) = each {
      return missing.reached.isUnknown ? .unknown : comparator == .empty ? .yes : .no
    }
    guard let value = each.value else { return .no }
    switch (comparator, value.content) {
    case (.exists, .unknown(let unknown)): return unknown.mayBeAbsent ? .unknown : .yes
    case (.empty, .unknown(let unknown)): return unknown.mayBeEmpty ? .unknown : .no
    // A rule that asks for a map asks for the writing: a reference instead of a value.
    case (.isStruct, .unknown(let unknown)):
      if value.dynamicReference != nil { return .no }
      return unknown.written == nil || unknown.mayBeAbsent ? .unknown : .yes
    case (.isString, .unknown) where value.dynamicReference != nil: return .yes
    case (_, .unknown): return .unknown
    case (.exists, _): return .yes
    case (.empty, .list(let values)):
      return values.isEmpty ? .yes : values.allSatisfy(\.mayBeAbsent) ? .unknown : .no
    case (.empty, .map(let members)) where members.rest != nil: return members.hasCertain ? .no : .unknown
    case (.empty, .map(let members)): return members.all.isEmpty ? .yes : members.hasCertain ? .no : .unknown
    case (.empty, .string(let text)): return text.isEmpty ? .yes : .no
    case (.empty, .bool): return .no
    // As a text it is one with something in it.
    case (.empty, .int) where value.isLoose, (.empty, .float) where value.isLoose: return .no
    case (.empty, .null): return .yes
    case (.empty, _): throw fault("empty can't be asked of a \(value.kind) (\(value.text))", place)
    case (.isString, .string), (.isList, .list), (.isStruct, .map), (.isBool, .bool), (.isInt, .int),
      (.isFloat, .float), (.isNull, .null):
      return .yes
    // Of which type it is says the property.
    case (.isBool, .string), (.isInt, .string), (.isFloat, .string), (.isString, .int), (.isString, .float),
      (.isString, .bool):
      return value.isLoose ? .unknown : .no
    default: return .no
    }
  }

  // MARK: - Two sides

  /// Whether a key is selected by `[ keys … ]`.
  func matches(
    _ key: Value, _ comparator: Comparator, _ isNegated: Bool, _ wanted: [Selected]
  ) throws(EvaluationFault) -> Verdict {
    let answers = try outcomes([.found(key)], comparator, isNegated, wanted, key.place, isKey: true).map(
      \.answer)
    if answers.contains(where: { $0 == .no || $0 == .neither }) { return .fail }
    return answers.isEmpty ? .skip : answers.contains(.unknown) ? .unknown : .pass
  }

  private func outcomes(
    _ left: [Selected], _ comparator: Comparator, _ isNegated: Bool, _ right: [Selected], _ place: TextPlace,
    isKey: Bool = false
  ) throws(EvaluationFault) -> [Outcome] {
    // What isn't there fails, on either side.
    var out: [Outcome] = []
    let side = rightSide(right)
    let isLeftOpen = left.allSatisfy(\.isUncertain)
    for each in [left, side.missing] {
      for case .missing(let missing) in each {
        let isUnknown = isLeftOpen || missing.reached.isUnknown
        out.append(Outcome(answer: isUnknown ? .unknown : .neither, left: .missing(missing)))
      }
    }
    let (lefts, rights) = (left.filter { $0.value != nil }, side.values)
    // Where it isn't known what there is to compare with, nothing can be told.
    var isOpen = side.isUncertain
    if comparator == .equal, left.literal == nil, right.literal == nil {
      // How many there are says which side must be on the other.
      isOpen = isOpen || left.contains(where: \.isUncertain)
    }
    if isOpen { return left.map { Outcome(answer: .unknown, left: $0, right: rights.first) } }
    let texts = left.literal == nil && right.literal == nil ? side.texts : nil
    if texts == nil {
      try charge(lefts.count * rights.count, place, "too many values are compared with too many")
    }
    do throws(Pattern.TooMuch) {
      switch comparator {
      case .equal: try equal(left.literal, lefts, right.literal, rights, texts, isNegated, &out)
      case .isIn: try isIn(left.literal, lefts, right.literal, rights, texts, isNegated, isKey, &out)
      default:
        let rights = rights.flatMap(\.elements)
        // Compared with nothing, what isn't there fails all the same.
        if rights.isEmpty {
          out += lefts.filter(\.mayBeMissing).map { Outcome(answer: .unknown, left: $0) }
        }
        for left in lefts.flatMap({ each in (each.value?.elements ?? []).map { each.holding($0) } }) {
          for right in rights {
            if left.value?.isUnknown == true || right.isUnknown {
              out.append(Outcome(answer: .unknown, left: left, right: right))
              continue
            }
            let holds = left.value.flatMap { Equality.order($0, right) }.map { order in
              switch comparator {
              case .less: order.isBefore
              case .lessOrEqual: order.isBefore || order.isSame
              case .greater: !order.isBefore && !order.isSame
              default: !order.isBefore
              }
            }
            out.append(Outcome(answer: Answer(holds).negated(isNegated), left: left, right: right))
          }
        }
      }
    } catch { throw fault("a regular expression needs too many steps", place) }
    return out
  }

  private func equal(
    _ leftLiteral: Value?, _ lefts: [Selected], _ rightLiteral: Value?, _ rights: [Value], _ texts: TextSet?,
    _ isNegated: Bool, _ out: inout [Outcome]
  ) throws(Pattern.TooMuch) {
    func add(_ left: Value, _ right: Value, shown: Selected) throws(Pattern.TooMuch) {
      let (left, right) = (left.written(for: right), right.written(for: left))
      let isUnknown = left.holdsUnknown || right.holdsUnknown
      let holds = try Equality.equal(left, right)
      // Where known parts differ already, the rest doesn't matter.
      let answer: Answer = isUnknown && holds != false ? .unknown : Answer(holds)
      out.append(Outcome(answer: answer.negated(isNegated), left: shown, right: right))
    }
    switch (leftLiteral, rightLiteral) {
    case (let left?, let right?): try add(left, right, shown: .literal(left))
    case (nil, let literal?):
      for each in lefts {
        guard let value = each.value else { continue }
        try against(literal, value) { (v, l) throws(Pattern.TooMuch) in try add(v, l, shown: each.holding(v))
        }
      }
    case (let literal?, nil):
      for value in rights {
        try against(literal, value) { (v, l) throws(Pattern.TooMuch) in try add(l, v, shown: .literal(l)) }
      }
    case (nil, nil):
      // Sets: what the larger side has must all be on the other.
      let isLeftLarger = lefts.count > rights.count
      let larger = isLeftLarger ? lefts : rights.map(Selected.found)
      let smaller = isLeftLarger ? rights : lefts.compactMap(\.value)
      let set = isLeftLarger ? texts : smaller.count < TextSet.least ? nil : TextSet(smaller)
      var answers: [Outcome] = []
      for each in larger {
        guard let value = each.value else { continue }
        let occurs: Bool
        if let known = set?.contains(value) {
          occurs = known
        } else {
          occurs = try Equality.isElement(value, of: smaller)
        }
        let isUnknown = !occurs && (value.holdsUnknown || smaller.contains(where: \.holdsUnknown))
        let answer: Answer = isUnknown ? .unknown : Answer(occurs)
        answers.append(Outcome(answer: answer.negated(isNegated), left: each, right: smaller.first))
      }
      // It holds as a whole or not at all, and of nothing where there is nothing on the left.
      for decisive in [Answer.no, .unknown] where answers.contains(where: { $0.answer == decisive }) {
        answers.removeAll { $0.answer != decisive }
      }
      if !lefts.isEmpty || answers.contains(where: { $0.answer != .yes }) { out += answers }
    }
  }

  /// A scalar literal is compared with every value, lists among these being walked; a list literal with each as a whole,
  /// but for the one element of a list beside a scalar.
  private func against(
    _ literal: Value, _ value: Value, _ body: (Value, Value) throws(Pattern.TooMuch) -> Void
  ) throws(Pattern.TooMuch) {
    switch (literal.content, value.content) {
    case (.list, .list): try body(value, literal)
    case (.list(let values), _): try body(value, values.count == 1 ? values[0] : literal)
    case (_, .list(let elements)): for element in elements { try body(element, literal) }
    default: try body(value, literal)
    }
  }

  private func isIn(
    _ leftLiteral: Value?, _ lefts: [Selected], _ rightLiteral: Value?, _ rights: [Value], _ texts: TextSet?,
    _ isNegated: Bool, _ isKey: Bool, _ out: inout [Outcome]
  ) throws(Pattern.TooMuch) {
    let others = rightLiteral.map { [$0] } ?? rights
    let isText = leftLiteral != nil || rightLiteral != nil
    var lefts = lefts
    if case .string? = rightLiteral?.content {
      // Each element of a list is looked for in a text.
      lefts = lefts.flatMap { each in (each.value?.elements ?? []).map { each.holding($0) } }
    }
    for each in lefts {
      guard var left = each.value else { continue }
      if let isContained = texts?.contains(left) {
        out.append(
          Outcome(answer: Answer(isContained).negated(isNegated), left: each, right: others.first))
        continue
      }
      for other in others where try left.isWritten(in: other) {
        left = left.dynamicReference ?? left
        break
      }
      // What can't be compared with a literal, and a key that can't be compared, fails; of what is found it is just not in.
      var (isContained, isComparable, isUnknown) = (false, !isText && !isKey, left.holdsUnknown)
      for right in others {
        isUnknown = isUnknown || right.holdsUnknown
        guard let holds = try Equality.contained(left, in: right, isText: isText, anyCounts: isNegated) else {
          continue
        }
        isComparable = true
        isContained = isContained || holds
      }
      let answer: Answer =
        isUnknown && (!isContained || left.holdsUnknown)
        ? .unknown : isComparable ? Answer(isContained) : .neither
      out.append(Outcome(answer: answer.negated(isNegated), left: each, right: others.first))
    }
  }
}

extension Selected {
  /// Another value in its place: an element of it.
  fileprivate func holding(_ value: Value) -> Selected {
    switch self {
    case .literal: .literal(value)
    case .found, .missing: .found(value)
    case .perhaps: .perhaps(value)
    }
  }

  /// Whether it may turn out not to be there, though it is meant.
  fileprivate var mayBeMissing: Bool {
    if case .perhaps = self { return false }
    return isUncertain
  }

  /// Whether it counts as nothing where a selection is asked whether it is empty.
  fileprivate var isNothing: Bool {
    guard let value else { return true }
    if case .null = value.content { return true }
    return false
  }
}

extension Value {
  /// Whether it is null, or may turn out to be.
  fileprivate var mayBeNull: Bool {
    if case .unknown(let unknown) = content { return unknown.mayBeNull }
    return isNull
  }
}

extension Clause {
  /// Where it asks whether anything is selected; nil = it asks for something else.
  var placeOfSelection: TextPlace? {
    guard case .comparison(let comparison) = self else { return nil }
    return comparison.placeOfSelection
  }
}

extension Comparison {
  /// Where it asks whether anything is selected; nil = it asks for something else.
  var placeOfSelection: TextPlace? { comparator == .empty && query.asksForSelection ? place : nil }
}
