// A file of rules against a document. Statuses follow the language: a conjunction fails where any part fails, passes
// where any passes, else it is skipped. One evaluation belongs to one thread.

extension RuleFile {
  /// Evaluates all rules against a document.
  /// - Parameter now: seconds since 1970 UTC, for the function `now`.
  /// - Throws: `EvaluationFault`.
  public func evaluate(_ document: Value, now: Int64) throws(EvaluationFault) -> [RuleResult] {
    try evaluate(PreparedDocument(document), now: now)
  }

  /// Evaluates all rules against a document that other files look at too.
  /// - Parameter now: seconds since 1970 UTC, for the function `now`.
  /// - Throws: `EvaluationFault`.
  public func evaluate(_ document: PreparedDocument, now: Int64) throws(EvaluationFault) -> [RuleResult] {
    let evaluation = Evaluation(self, document, now: now)
    var results: [RuleResult] = []
    for index in rules.indices { results.append(try evaluation.result(of: index)) }
    return results
  }

  /// Evaluates some rules, each for itself: a rule that can't be evaluated hides no other.
  /// - Parameters:
  ///   - wanted: places of rules in `rules`, in order.
  ///   - now: seconds since 1970 UTC, for the function `now`.
  /// - Returns: what came of each of them, in the same order.
  public func evaluate(
    _ document: PreparedDocument, rules wanted: [Int], now: Int64
  ) -> [Result<RuleResult, EvaluationFault>] {
    var evaluation = Evaluation(self, document, now: now)
    var results: [Result<RuleResult, EvaluationFault>] = []
    results.reserveCapacity(wanted.count)
    for index in wanted {
      do throws(EvaluationFault) { results.append(.success(try evaluation.result(of: index))) } catch {
        results.append(.failure(error))
        // What was in work when it ended is of no use to the others.
        evaluation = Evaluation(self, document, now: now)
      }
    }
    return results
  }
}

final class Evaluation {
  let file: RuleFile
  let document: PreparedDocument
  let now: Int64
  private let scope: Scope
  var results: [Int: EvaluatedRule] = [:]
  private var open: Set<Int> = []
  private var depth = 0
  private var steps = 0
  /// Of the rule that is evaluated now.
  var failures: [Failure] = []
  private(set) var rule = ""
  /// Of the outermost block that is evaluated now.
  private(set) var within: Value?
  /// Whether anything of it couldn't be told so far, though another part may have decided.
  var isUncertain = false
  /// Outermost names that weren't there, of the rule, or the variable, that is evaluated now.
  var lacks: Set<String> = []
  /// Whether nobody asks why: in filters, which tell only whether they hold.
  private(set) var isSilent = false
  /// References of it whose reasons were told.
  var told: Set<ToldReference> = []
  /// Whether it isn't known of what a query walks now whether it is meant, or there.
  var isDoubting = false

  /// What functions and filters made: the value of the document that each was made from. Kept with the made value, so that
  /// no other can be in its place.
  private var origins: [ObjectIdentifier: (made: Value, source: Value)] = [:]

  private var rightSides: [RightSide] = []
  private static var mostRightSides: Int { 4 }

  /// Where the evaluation began.
  private let stack = StackMark()

  /// Rules that name rules, blocks in blocks, queries in filters, variables that need variables.
  private static var mostDepth: Int { 200 }
  /// Of all rules of a file on a document: rules that call rules twice that call rules twice would never end.
  private static var mostSteps: Int { 100_000_000 }

  init(_ file: RuleFile, _ document: PreparedDocument, now: Int64) {
    self.file = file
    self.document = document
    self.now = now
    scope = Scope(file.variables, root: document.root, in: nil)
  }

  func fault(_ reason: String, _ place: TextPlace) -> EvaluationFault {
    EvaluationFault(file: file.name, place: place == .made ? .none : place, reason: reason)
  }

  // MARK: - Rules

  func result(of index: Int) throws(EvaluationFault) -> RuleResult { try evaluated(index).result }

  func evaluated(_ index: Int) throws(EvaluationFault) -> EvaluatedRule {
    if let known = results[index] {
      lacks.formUnion(known.result.lacks)
      return known
    }
    let rule = file.rules[index]
    guard open.insert(index).inserted else { throw fault("rule \(rule.name) needs itself", rule.place) }
    let outer = (self.rule, failures, within, isUncertain, lacks, isSilent, self.told)
    self.rule = rule.name
    (failures, within, isUncertain, lacks, isSilent, self.told) = ([], nil, false, [], false, [])
    let verdict = try guarded(rule.conditions, rule.body, scope)
    let status = verdict.status
    let told = status == .fail || status == .unknown ? failures : []
    let result = RuleResult(
      name: rule.name, status: status, failures: told, hasUnknown: status == .fail && isUncertain,
      lacks: lacks)
    (self.rule, failures, within, isUncertain, lacks, isSilent, self.told) = outer
    // A rule that needs this one lacks what it lacks.
    lacks.formUnion(result.lacks)
    open.remove(index)
    let evaluated = EvaluatedRule(result: result, verdict: verdict)
    results[index] = evaluated
    return evaluated
  }

  // MARK: - Blocks

  private func guarded(
    _ conditions: [Disjunction], _ body: Block, _ scope: Scope
  ) throws(EvaluationFault) -> Verdict {
    guard !conditions.isEmpty else { return try block(body, scope.root, scope) }
    return try when(conditions, scope) { () throws(EvaluationFault) in try block(body, scope.root, scope) }
  }

  /// Where it can't be told whether conditions hold, what would fail can't be told either; what would hold is no fault.
  private func when(
    _ conditions: [Disjunction], _ scope: Scope, _ body: () throws(EvaluationFault) -> Verdict
  ) throws(EvaluationFault) -> Verdict {
    let before = failures.count
    let condition = try conjunction(conditions, scope)
    let reasons = failures[before...].filter(\.isUnknown)
    failures.removeSubrange(before...)
    switch condition {
    case .pass: return try body()
    case .fail, .skip: return .skip
    case .unknown, .passOrSkip:
      let status = try body()
      if status == .pass || status == .passOrSkip { return .passOrSkip }
      guard status == .fail || status == .unknown else { return status }
      // Where it isn't known of a selected value whether it is meant, what would be wrong with it says more than that.
      let asksForSelection = Set(conditions.joined().compactMap(\.placeOfSelection))
      if reasons.allSatisfy({ asksForSelection.contains($0.place) }), failures.count > before {
        makeUnknown(after: before)
      } else {
        failures.removeSubrange(before...)
        failures += reasons
      }
      return .unknown
    }
  }

  func block(
    _ body: Block, _ root: Value, _ scope: Scope, given: [String: [Selected]] = [:]
  ) throws(EvaluationFault) -> Verdict {
    try deeper(body.clauses.first?.first?.place ?? .none) { () throws(EvaluationFault) in
      try conjunction(body.clauses, Scope(body.variables, root: root, in: scope, given: given))
    }
  }

  /// Counts steps.
  /// - Parameter reason: what was too much, where there are too many.
  func charge(_ count: Int, _ place: TextPlace, _ reason: StaticString) throws(EvaluationFault) {
    steps += count
    guard steps <= Self.mostSteps else { throw fault("more than \(Self.mostSteps) steps: \(reason)", place) }
  }

  /// What is known of a right side; of a large one it is kept, since a filter compares each of many values with the same.
  func rightSide(_ values: [Selected]) -> RightSide {
    guard values.count >= TextSet.least else { return RightSide(values) }
    if let known = rightSides.first(where: { $0.is(values) }) { return known }
    let side = RightSide(values)
    rightSides.append(side)
    if rightSides.count > Self.mostRightSides { rightSides.removeFirst() }
    return side
  }

  /// Keeps what a value was made from.
  func note(_ made: Value, from source: Value) {
    let source = origins[ObjectIdentifier(source)]?.source ?? source
    origins[ObjectIdentifier(made)] = (made, source)
  }

  /// Does something one level further in.
  func deeper<T>(_ place: TextPlace, _ body: () throws(EvaluationFault) -> T) throws(EvaluationFault) -> T {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.mostDepth, stack.hasRoom else {
      throw fault("rules, blocks, filters and variables need each other too deep", place)
    }
    try charge(1, place, "rules, blocks and filters need each other too often")
    return try body()
  }

  /// Clauses without variables of their own, for one value: filters.
  func holds(_ clauses: [Disjunction], _ scope: Scope) throws(EvaluationFault) -> Verdict {
    let (before, outer) = (failures.count, isSilent)
    isSilent = true
    defer {
      failures.removeSubrange(before...)
      isSilent = outer
    }
    return try conjunction(clauses, scope)
  }

  private func conjunction(_ clauses: [Disjunction], _ scope: Scope) throws(EvaluationFault) -> Verdict {
    var whole = Verdict.skip
    for disjunction in clauses { whole.and(try self.disjunction(disjunction, scope)) }
    return whole
  }

  private func disjunction(_ clauses: Disjunction, _ scope: Scope) throws(EvaluationFault) -> Verdict {
    let before = failures.count
    var parts: [Verdict] = []
    parts.reserveCapacity(clauses.count)
    var isOneEach = clauses.count > 1
    for clause in clauses {
      let own = failures.count
      let status = try status(of: clause, scope)
      isOneEach = isOneEach && (status == .skip || failures.count == own + 1)
      if !status.isCertain { isUncertain = true }
      if status == .pass {
        failures.removeSubrange(before...)
        return .pass
      }
      parts.append(status)
    }
    let whole = Verdict.any(parts)
    // One that fails for certain beside one that can't be told is no failure yet.
    if whole == .unknown { makeUnknown(after: before) }
    if isOneEach, whole == .fail || whole == .unknown { join(after: before) }
    return whole
  }

  /// Alternatives that all fail of the same are one failure.
  private func join(after count: Int) {
    let all = failures[count...]
    guard all.count > 1, let first = all.first(where: { $0.value?.place.line ?? 0 > 0 }) ?? all.first,
      within != nil || all.allSatisfy({ $0.value != nil && $0.value === first.value })
    else { return }
    let joined = Failure(
      rule: first.rule, place: first.place, clause: all.map(\.clause).joined(separator: " or "),
      message: all.lazy.compactMap(\.message).first, value: first.value, missing: first.missing,
      wanted: first.wanted, isUnknown: all.allSatisfy(\.isUnknown), within: first.within)
    failures.replaceSubrange(count..., with: [joined])
  }

  // MARK: - Clauses

  private func status(of clause: Clause, _ scope: Scope) throws(EvaluationFault) -> Verdict {
    switch clause {
    case .comparison(let comparison): return try compare(comparison, scope)
    case .reference(let reference): return try status(of: reference)
    case .call(let call): return try status(of: call, scope)
    case .when(let conditions, let body): return try guarded(conditions, body, scope)
    case .each(let each):
      return try eachOf(
        each.query, each.body, ifNone: each.wantsSome ? .fail : .skip, each.place, scope)
    case .type(let type):
      func each() throws(EvaluationFault) -> Verdict {
        // A document without resources has none of the type: there is nothing that could be missing.
        let isThere = try select(type.query, scope).contains { $0.value != nil || $0.isUncertain }
        return isThere ? try eachOf(type.query, type.body, ifNone: .skip, type.place, scope) : .skip
      }
      return try type.conditions.isEmpty ? each() : when(type.conditions, scope, each)
    }
  }

  private func status(of call: RuleCall, _ scope: Scope) throws(EvaluationFault) -> Verdict {
    guard let rule = file.called.first(where: { $0.name == call.name }),
      rule.parameters.count == call.arguments.count
    else {
      throw fault("no rule \(call.name) takes arguments", call.place)
    }
    var given: [String: [Selected]] = [:]
    for (name, argument) in zip(rule.parameters, call.arguments) {
      given[name] = try values(of: argument, scope)
    }
    let before = failures.count
    let status = try block(rule.body, scope.root, scope, given: given)
    guard call.isInverted, status != .unknown else { return status }
    failures.removeSubrange(before...)
    if !status.isCertain {
      fail(call.place, "not \(call.name)(…)", call.message, nil, nil, nil, isUnknown: true)
      return .unknown
    }
    let holds = status != .pass
    if !holds { fail(call.place, "not \(call.name)(…)", call.message, nil, nil, nil) }
    return holds ? .pass : .fail
  }

  private func eachOf(
    _ query: Query, _ body: Block, ifNone: Verdict, _ place: TextPlace, _ scope: Scope
  ) throws(EvaluationFault) -> Verdict {
    let values = try select(query, scope)
    if values.isEmpty {
      if ifNone == .fail { fail(place, query.text + " !empty", nil, nil, nil, nil) }
      return ifNone
    }
    var parts: [Verdict] = []
    let before = failures.count
    let outermost = within
    defer { within = outermost }
    for value in values {
      if outermost == nil { within = value.value }
      switch value {
      case .missing(let missing):
        let isUnknown = missing.reached.isUnknown
        fail(
          place, query.text, nil, missing.reached, missing.wanted, nil, isUnknown: isUnknown,
          holder: missing.holder)
        parts.append(isUnknown ? .unknown : .fail)
      case .found(let value) where value.mayBeAbsent:
        // Where it isn't there after all, that is a failure, or there was nothing to look at.
        fail(place, query.text, nil, value, nil, nil, isUnknown: true)
        parts.append(.unknown)
      case .found(let value), .literal(let value): parts.append(try block(body, value, scope))
      case .perhaps(let value):
        // It may not be selected: then there is nothing to fail.
        let own = failures.count
        let status = try block(body, value, scope)
        if status == .fail { makeUnknown(after: own) }
        parts.append(status == .fail ? .unknown : status == .pass ? .passOrSkip : status)
      }
    }
    within = outermost
    if ifNone == .fail, values.allSatisfy({ if case .perhaps = $0 { true } else { false } }) {
      fail(place, query.text + " !empty", nil, nil, nil, nil, isUnknown: true)
      parts.append(.unknown)
    }
    guard query.isSome else { return .all(parts) }
    let status = Verdict.any(parts)
    if status == .pass { failures.removeSubrange(before...) }
    if status == .unknown { makeUnknown(after: before) }
    return status
  }

  /// What failed of a value that may not be meant at all, or of one of which another one may hold.
  func makeUnknown(after count: Int) {
    isUncertain = true
    for place in failures.indices[count...] where !failures[place].isUnknown {
      let failure = failures[place]
      failures[place] = Failure(
        rule: failure.rule, place: failure.place, clause: failure.clause, message: failure.message,
        value: failure.value, missing: failure.missing, wanted: failure.wanted, isUnknown: true,
        within: failure.within)
    }
  }

  func fail(
    _ place: TextPlace, _ clause: String, _ message: String?, _ value: Value?, _ missing: String?,
    _ wanted: Value?, isUnknown: Bool = false, holder: Value? = nil
  ) {
    if isUnknown { isUncertain = true }
    guard !isSilent else { return }
    var (value, within) = (value, holder ?? within)
    if let known = value {
      // What came from elsewhere than the document stands in no text, and belongs to nothing in it.
      if let source = origins[ObjectIdentifier(known)]?.source, source.place.line > 0 || within == nil {
        within = source
      }
      if known.place == .made {
        value = Value(known.content, at: within?.place ?? .none, isSecret: known.isSecret)
      }
    }
    failures.append(
      Failure(
        rule: rule, place: place, clause: clause, message: message, value: value, missing: missing,
        wanted: wanted, isUnknown: isUnknown, within: within))
  }

  /// Forgets failures of a clause that holds all the same (`some`).
  func forgetFailures(after count: Int) { failures.removeSubrange(count...) }
  var failureCount: Int { failures.count }
}
