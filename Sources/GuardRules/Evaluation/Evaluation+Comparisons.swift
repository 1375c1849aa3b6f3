// Clauses with an operator: each selected value holds or doesn't.

extension Evaluation {
  /// What came of one value.
  private struct Outcome {
    /// nil = it can't be compared, or isn't there: it fails, negated or not.
    var holds: Bool?
    var left: Selected?
    var right: Value?
  }

  func compare(_ comparison: Comparison, _ scope: Scope) throws(EvaluationFault) -> RuleStatus {
    let left = try select(comparison.query, scope)
    var outcomes: [Outcome]
    if comparison.comparator.isUnary {
      if comparison.comparator == .empty, comparison.query.asksForSelection {
        outcomes =
          left.isEmpty ? [Outcome(holds: true, left: nil)] : left.map { Outcome(holds: $0.isNothing, left: $0) }
      } else {
        if left.isEmpty { return .skip }
        outcomes = []
        for each in left {
          outcomes.append(Outcome(holds: try test(comparison.comparator, each, comparison.place), left: each))
        }
      }
      if comparison.isNegated {
        for place in outcomes.indices { outcomes[place].holds = outcomes[place].holds.map { !$0 } }
      }
    } else {
      guard let operand = comparison.right else { throw fault("nothing to compare with", comparison.place) }
      let right = try values(of: operand, scope)
      if left.isEmpty || right.isEmpty { return .skip }
      outcomes = try self.outcomes(
        left, comparison.comparator, comparison.isNegated, right, comparison.place)
    }
    return settle(outcomes, comparison)
  }

  private func settle(_ outcomes: [Outcome], _ comparison: Comparison) -> RuleStatus {
    let before = failureCount
    var (hasPassed, hasFailed) = (false, false)
    for outcome in outcomes {
      if let holds = outcome.holds, holds != comparison.isInverted {
        hasPassed = true
      } else {
        hasFailed = true
        var (value, missing): (Value?, String?) = (outcome.left?.value, nil)
        if case .missing(let gone)? = outcome.left { (value, missing) = (gone.reached, gone.wanted) }
        fail(comparison.place, comparison.text, comparison.message, value, missing, outcome.right)
      }
    }
    if comparison.query.isSome {
      if hasPassed { forgetFailures(after: before) }
      return hasPassed ? .pass : .fail
    }
    return hasFailed ? .fail : .pass
  }

  // MARK: - One value

  private func test(_ comparator: Comparator, _ each: Selected, _ place: TextPlace) throws(EvaluationFault) -> Bool {
    guard let value = each.value else { return comparator == .empty }
    switch (comparator, value.content) {
    case (.exists, _): return true
    case (.empty, .list(let values)): return values.isEmpty
    case (.empty, .map(let members)): return members.all.isEmpty
    case (.empty, .string(let text)): return text.isEmpty
    case (.empty, .bool): return false
    case (.empty, .null): return true
    case (.empty, _): throw fault("empty can't be asked of a \(value.kind) (\(value.text))", place)
    case (.isString, .string), (.isList, .list), (.isStruct, .map), (.isBool, .bool), (.isInt, .int),
      (.isFloat, .float), (.isNull, .null):
      return true
    default: return false
    }
  }

  // MARK: - Two sides

  /// Whether a key is selected by `[ keys … ]`.
  func matches(
    _ key: Value, _ comparator: Comparator, _ isNegated: Bool, _ wanted: [Selected]
  ) throws(EvaluationFault) -> Bool {
    let outcomes = try outcomes([.found(key)], comparator, isNegated, wanted, key.place)
    return !outcomes.isEmpty && outcomes.allSatisfy { $0.holds == true }
  }

  private func outcomes(
    _ left: [Selected], _ comparator: Comparator, _ isNegated: Bool, _ right: [Selected], _ place: TextPlace
  ) throws(EvaluationFault) -> [Outcome] {
    // What isn't there fails, on either side.
    var out = left.filter { $0.value == nil }.map { Outcome(holds: nil, left: $0) }
    out += right.filter { $0.value == nil }.map { Outcome(holds: nil, left: $0) }
    let (lefts, rights) = (left.compactMap(\.value), right.compactMap(\.value))
    do throws(Pattern.TooMuch) {
      switch comparator {
      case .equal: try equal(left.literal, lefts, right.literal, rights, isNegated, &out)
      case .isIn: try isIn(left.literal, lefts, right.literal, rights, isNegated, &out)
      default:
        for left in lefts.flatMap(\.elements) {
          for right in rights.flatMap(\.elements) {
            let holds = Equality.order(left, right).map { order in
              switch comparator {
              case .less: order.isBefore
              case .lessOrEqual: order.isBefore || order.isSame
              case .greater: !order.isBefore && !order.isSame
              default: !order.isBefore
              }
            }
            out.append(Outcome(holds: holds.map { $0 != isNegated }, left: .found(left), right: right))
          }
        }
      }
    } catch { throw fault("a regular expression needs too many steps", place) }
    return out
  }

  private func equal(
    _ leftLiteral: Value?, _ lefts: [Value], _ rightLiteral: Value?, _ rights: [Value], _ isNegated: Bool,
    _ out: inout [Outcome]
  ) throws(Pattern.TooMuch) {
    func add(_ left: Value, _ right: Value, shown: Value) throws(Pattern.TooMuch) {
      let holds = try Equality.equal(left, right)
      out.append(Outcome(holds: holds.map { $0 != isNegated }, left: .found(shown), right: right))
    }
    switch (leftLiteral, rightLiteral) {
    case (let left?, let right?): try add(left, right, shown: left)
    case (nil, let literal?):
      for value in lefts { try against(literal, value) { v, l throws(Pattern.TooMuch) in try add(v, l, shown: v) } }
    case (let literal?, nil):
      for value in rights { try against(literal, value) { v, l throws(Pattern.TooMuch) in try add(l, v, shown: l) } }
    case (nil, nil):
      // Sets: what the larger side has must all be on the other.
      let (larger, smaller) = lefts.count > rights.count ? (lefts, rights) : (rights, lefts)
      for value in larger {
        let occurs = try Equality.isElement(value, of: smaller)
        out.append(Outcome(holds: occurs != isNegated, left: .found(value), right: smaller.first))
      }
    }
  }

  /// A scalar literal is compared with every value, lists among these being walked; a list literal with each as a whole,
  /// but for the one element of a list beside a scalar.
  private func against(
    _ literal: Value, _ value: Value, _ body: (Value, Value) throws(Pattern.TooMuch) -> Void
  ) throws(Pattern.TooMuch) {
    switch (literal.content, value.content) {
    case (.list(let values), .list): _ = values; try body(value, literal)
    case (.list(let values), _): try body(value, values.count == 1 ? values[0] : literal)
    case (_, .list(let elements)): for element in elements { try body(element, literal) }
    default: try body(value, literal)
    }
  }

  private func isIn(
    _ leftLiteral: Value?, _ lefts: [Value], _ rightLiteral: Value?, _ rights: [Value], _ isNegated: Bool,
    _ out: inout [Outcome]
  ) throws(Pattern.TooMuch) {
    for left in lefts {
      if let right = rightLiteral {
        let holds = try Equality.contained(left, in: right, isText: true, anyCounts: isNegated)
        out.append(Outcome(holds: holds.map { $0 != isNegated }, left: .found(left), right: right))
        continue
      }
      var (isContained, isComparable) = (false, false)
      for right in rights {
        guard
          let holds = try Equality.contained(left, in: right, isText: leftLiteral != nil, anyCounts: isNegated)
        else { continue }
        isComparable = true
        isContained = isContained || holds
      }
      out.append(
        Outcome(holds: isComparable ? isContained != isNegated : nil, left: .found(left), right: rights.first))
    }
  }
}

extension Selected {
  /// Whether it counts as nothing where a selection is asked whether it is empty.
  fileprivate var isNothing: Bool {
    guard let value else { return true }
    if case .null = value.content { return true }
    return false
  }
}

extension Comparison {
  /// As it would be written.
  var text: String {
    let sign = isNegated ? (comparator == .equal ? "!=" : "not \(comparator.rawValue)") : comparator.rawValue
    let rest =
      switch right {
      case nil: ""
      case .value(let value)?: " \(value.text)"
      case .query(let query)?: " \(query.text)"
      case .call(let call)?: " \(call.function.rawValue)(…)"
      }
    return (isInverted ? "not " : "") + query.text + " " + sign + rest
  }
}
