// How much of a document's resources a rule must see at once. A rule that only looks at resources one by one can be
// evaluated on a part of them after the other, so that a plan or a snapshot of any size is never in memory as a whole.
//
// What is promised (property test: DistributionTests): let the resources of a document be a map that is fully known, each
// of them a map, and let what stands beside them be fully known too. For a rule that distributes, however the resources
// are parted into parts of at least one: the worst of the parts' verdicts (FAIL, UNKNOWN, PASS, SKIP) is the rule's, and
// the parts' failures together are the rule's, but that parts may tell more of what can't be told beside a certain failure.
// What types a rule can look at: RuleReach.
//
// What distributes: clauses, blocks and blocks of a type over values selected from `Resources.*[…]`, compared with
// literals, for all of them; `%selection empty`; conditions that ask whether something of the same selection is there, or
// that don't look at resources. Anything else is taken not to: `some`, `count`, `join`, alternatives between whole
// resources, other rules, comparisons of resources with each other.

extension Rule {
  /// Whether it can be evaluated on parts of the resources.
  func distributes(in file: RuleFile) -> Bool { Distribution(file).holds(of: self) }
}

/// What a name or a query stands for.
enum NameClass {
  /// A literal.
  case literal
  /// Nothing of resources.
  case constant
  /// Values of resources, one by one. Where any selection of the chain is empty there are none. `isWhole`: each is a
  /// resource itself, so that none can be missing or null.
  case selection(chain: Set<String>, isWhole: Bool)
  /// Of the value that a block or a filter looks at.
  case local
  /// Of several resources, or of nobody knows what.
  case other
}

/// Names that are known at a place, as `Scope` has them when rules are evaluated.
final class NameScope {
  private let outer: NameScope?
  private let variables: [Assignment]
  private let given: [String: NameClass]
  private var open: Set<String> = []

  init(_ variables: [Assignment], in outer: NameScope?, given: [String: NameClass] = [:]) {
    (self.variables, self.outer, self.given) = (variables, outer, given)
  }

  /// What a name stands for; `made` says it of a variable, and of the scope that it is set in.
  func find(_ name: String, _ made: (Assignment, NameScope) -> NameClass) -> NameClass {
    if let known = given[name] { return known }
    guard let variable = variables.last(where: { $0.name == name }) else {
      // What no scope has was captured within a block or a filter: captures elsewhere are refused where they are made.
      return outer?.find(name, made) ?? .local
    }
    guard open.insert(name).inserted else { return .other }
    defer { open.remove(name) }
    return made(variable, self)
  }
}

/// The analysis of one rule.
private final class Distribution {
  private let file: RuleFile
  private let root: NameScope
  private var depth = 0
  private var steps = 0

  private static var mostDepth: Int { 64 }
  /// Rules that call rules twice that call rules twice: what takes longer to tell isn't told.
  private static var mostSteps: Int { 20_000 }

  init(_ file: RuleFile) {
    self.file = file
    root = NameScope(file.variables, in: nil)
  }

  func holds(of rule: Rule) -> Bool { guarded(rule.conditions, rule.body, root) != nil }

  /// One level further in; nil = too deep, or too long, to be told.
  private func deeper<T>(_ body: () -> T?) -> T? {
    (depth, steps) = (depth + 1, steps + 1)
    defer { depth -= 1 }
    return depth < Self.mostDepth && steps < Self.mostSteps ? body() : nil
  }

  // MARK: - Over all resources

  /// Of each clause the selections of which any, where it is empty, leaves the clause without a failure: skipped, or, if it
  /// says that nothing is there, passed. nil = it doesn't distribute.
  private typealias Effect = [Set<String>]

  private enum Condition {
    case constant
    /// Holds where any of these selections isn't empty; all of them are where any of the chain is.
    case selected(Set<String>, chain: Set<String>)
  }

  private func guarded(_ conditions: [Disjunction], _ body: Block, _ scope: NameScope) -> Effect? {
    guard !conditions.isEmpty else { return block(body, scope) }
    guard let condition = condition(conditions, scope), let inner = block(body, scope) else { return nil }
    guard case .selected(let any, let chain) = condition else { return inner }
    // On a part where the condition fails the clauses aren't asked: they must have nothing to say there.
    return inner.allSatisfy { !$0.isDisjoint(with: any) } ? [chain] : nil
  }

  private func block(_ body: Block, _ outer: NameScope) -> Effect? {
    deeper {
      let scope = NameScope(body.variables, in: outer)
      var whole: Effect = []
      for alternatives in body.clauses {
        guard alternatives.count == 1, let effect = effect(alternatives[0], scope) else { return nil }
        whole += effect
      }
      return whole
    }
  }

  private func effect(_ clause: Clause, _ scope: NameScope) -> Effect? {
    switch clause {
    case .comparison(let comparison):
      guard !comparison.query.isSome, case .selection(let chain, _) = kind(of: comparison.query, scope) else {
        return nil
      }
      if comparison.placeOfSelection != nil {
        // Nothing may be selected: each that is, is a failure of its own. The opposite asks for one among all.
        return comparison.isNegated == comparison.isInverted ? [chain] : nil
      }
      if let right = comparison.right {
        // Other values are compared as sets.
        guard case .literal = kind(of: right, scope) else { return nil }
      }
      return [chain]
    case .each(let each):
      guard !each.query.isSome, !each.wantsSome, case .selection(let chain, _) = kind(of: each.query, scope),
        isLocal(each.body, scope)
      else { return nil }
      return [chain]
    case .type(let type):
      guard case .selection(let chain, _) = kind(of: type.query, scope), isLocal(type.body, scope),
        let condition = condition(type.conditions, scope)
      else { return nil }
      guard case .selected(let any, let more) = condition else { return [chain] }
      return chain.isDisjoint(with: any) ? nil : [chain.union(more)]
    case .when(let conditions, let body): return guarded(conditions, body, scope)
    case .call(let call):
      guard !call.isInverted, let rule = file.called(call) else { return nil }
      var given: [String: NameClass] = [:]
      for (name, argument) in zip(rule.parameters, call.arguments) {
        given[name] = kind(of: argument, scope, own: "\(call.place) \(name)")
      }
      return block(rule.body, NameScope([], in: scope, given: given))
    case .reference: return nil
    }
  }

  private func condition(_ conditions: [Disjunction], _ scope: NameScope) -> Condition? {
    var whole = Condition.constant
    for alternatives in conditions {
      var any: Set<String> = []
      var chain: Set<String>?
      for clause in alternatives {
        guard case .comparison(let comparison) = clause else { return nil }
        if isConstant(comparison, scope) {
          // It may hold where nothing is selected.
          if alternatives.count > 1 { return nil }
          continue
        }
        guard case .selection(let own, isWhole: true) = kind(of: comparison.query, scope),
          comparison.placeOfSelection != nil, !comparison.query.isSome,
          comparison.isNegated != comparison.isInverted, let key = key(of: comparison.query, scope)
        else { return nil }
        any.insert(key)
        chain = chain?.intersection(own) ?? own
      }
      guard let chain else { continue }
      if case .selected(let before, _) = whole, before != any { return nil }
      whole = .selected(any, chain: chain)
    }
    return whole
  }

  private func isConstant(_ comparison: Comparison, _ scope: NameScope) -> Bool {
    // Whether there are resources at all is the same of each part.
    if case .key("Resources")? = comparison.query.steps.first, comparison.query.steps.count == 1,
      [.exists, .empty, .isStruct].contains(comparison.comparator)
    {
      return true
    }
    guard kind(of: comparison.query, scope).isConstant else { return false }
    return comparison.right.map { kind(of: $0, scope).isConstant } ?? true
  }

  // MARK: - Names and queries

  private func kind(of operand: Operand, _ scope: NameScope, own: String = "") -> NameClass {
    switch operand {
    case .value: return .literal
    case .query(let query): return kind(of: query, scope, own: own)
    case .call(let call):
      return call.arguments.allSatisfy { kind(of: $0, scope).isConstant } ? .constant : .other
    }
  }

  /// - Parameter own: a name for the selection, where it has one.
  private func kind(of query: Query, _ scope: NameScope, own: String = "") -> NameClass {
    deeper { () -> NameClass? in
      var rest = query.steps.dropFirst()
      var (chain, isWhole): (Set<String>, Bool) = ([], true)
      switch query.steps.first {
      case .variable(let name)?:
        let known = scope.find(name) { variable, scope in
          self.kind(of: variable.operand, scope, own: "\(variable.place)")
        }
        if rest.isEmpty { return known }
        guard case .selection(let names, let whole) = known else {
          return known.isConstant && areLocal(rest, scope, isOver: .constants) ? .constant : .other
        }
        (chain, isWhole) = (names, whole)
        if case .elements(nil)? = rest.first { rest = rest.dropFirst() }
      case .key("Resources")?:
        switch rest.first {
        case .members(nil): rest = rest.dropFirst()
        case .filter(nil, _): break
        default: return .other
        }
      case .key(let name)?:
        // A name that isn't there is looked for in other letter cases.
        guard !LetterCase.leads(from: name, to: "Resources"), areLocal(rest, scope, isOver: .constants) else {
          return .other
        }
        return .constant
      default: return .other
      }
      for step in rest {
        if case .filter = step { continue }
        isWhole = false
      }
      guard areLocal(rest, scope, isOver: .resources) else { return .other }
      if isWhole { chain.insert(own.isEmpty ? Self.name(of: query) : own) }
      return .selection(chain: chain, isWhole: isWhole)
    } ?? .other
  }

  /// A name for a selection that is written out: its text, where that means the same everywhere.
  private static func name(of query: Query) -> String {
    guard !query.text.contains("%") else { return "\(query.place)" }
    return query.text.hasPrefix("some ") ? String(query.text.dropFirst(5)) : query.text
  }

  /// The name of the selection that a query is.
  private func key(of query: Query, _ scope: NameScope) -> String? {
    guard query.isBareVariable, case .variable(let name)? = query.steps.first else {
      return Self.name(of: query)
    }
    var key: String?
    _ = scope.find(name) { variable, scope in
      if case .query(let inner) = variable.operand {
        key = inner.isBareVariable ? self.key(of: inner, scope) : "\(variable.place)"
      }
      return .other
    }
    return key
  }

  // MARK: - Within one resource

  private enum Over { case resources, constants, one }

  /// Whether a block looks at nothing but the value that it is given, and constants.
  private func isLocal(_ body: Block, _ outer: NameScope) -> Bool {
    deeper { () -> Bool? in
      let names = body.variables.map { ($0.name, NameClass.local) }
      let scope = NameScope([], in: outer, given: Dictionary(names) { first, _ in first })
      return body.variables.allSatisfy { isLocal($0.operand, scope) } && areLocal(body.clauses, scope)
    } ?? false
  }

  private func areLocal(_ clauses: [Disjunction], _ scope: NameScope) -> Bool {
    clauses.joined().allSatisfy { isLocal($0, scope) }
  }

  private func isLocal(_ clause: Clause, _ scope: NameScope) -> Bool {
    switch clause {
    case .comparison(let comparison):
      return isLocal(comparison.query, scope) && (comparison.right.map { isLocal($0, scope) } ?? true)
    case .each(let each): return isLocal(each.query, scope) && isLocal(each.body, scope)
    case .type(let type): return areLocal(type.conditions, scope) && isLocal(type.body, scope)
    case .when(let conditions, let body): return areLocal(conditions, scope) && isLocal(body, scope)
    case .call(let call):
      guard let rule = file.called(call) else { return false }
      let names = rule.parameters.map { ($0, NameClass.local) }
      return call.arguments.allSatisfy { isLocal($0, scope) }
        && isLocal(rule.body, NameScope([], in: scope, given: Dictionary(names) { first, _ in first }))
    case .reference: return false
    }
  }

  private func isLocal(_ operand: Operand, _ scope: NameScope) -> Bool {
    switch operand {
    case .value: true
    case .query(let query): isLocal(query, scope)
    case .call(let call): call.arguments.allSatisfy { isLocal($0, scope) }
    }
  }

  private func isLocal(_ query: Query, _ scope: NameScope) -> Bool {
    areLocal(query.steps[...], scope, isOver: .one)
  }

  /// Whether steps from a value on look at nothing but that value, and constants.
  private func areLocal(_ steps: ArraySlice<Step>, _ scope: NameScope, isOver over: Over) -> Bool {
    /// What one resource captures the next would see.
    func mayCapture(_ name: String?) -> Bool { name == nil || over == .one }
    return deeper { () -> Bool? in
      steps.allSatisfy { step in
        switch step {
        case .this, .key, .index: true
        case .variable(let name), .keysOf(let name): isSettled(name, scope, over)
        case .members(let capture), .elements(let capture): mayCapture(capture)
        case .filter(let capture, let clauses): mayCapture(capture) && areLocal(clauses, scope)
        case .keys(let capture, _, _, let right): mayCapture(capture) && isLocal(right, scope)
        }
      }
    } ?? false
  }

  private func isSettled(_ name: String, _ scope: NameScope, _ over: Over) -> Bool {
    let found = scope.find(name) { variable, scope in
      self.kind(of: variable.operand, scope, own: "\(variable.place)")
    }
    switch found {
    case .literal, .constant: return true
    case .local: return over == .one
    case .selection, .other: return false
    }
  }
}

extension NameClass {
  fileprivate var isConstant: Bool {
    switch self {
    case .literal, .constant: true
    case .selection, .local, .other: false
    }
  }
}

extension RuleFile {
  /// The rule that is called; nil = there is none with so many arguments.
  func called(_ call: RuleCall) -> CalledRule? {
    called.first { $0.name == call.name && $0.parameters.count == call.arguments.count }
  }
}

extension LetterCase {
  /// Whether a name that isn't there is looked for as another one.
  static func leads(from name: String, to other: String) -> Bool {
    name != other && conversions(of: name).names.contains(other)
  }
}
