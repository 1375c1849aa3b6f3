// Which types of resources a rule can look at: queries of resources mostly begin with a filter that names them. Where all
// queries of a rule do, resources of other types needn't be there while it is evaluated.

/// The analysis of one rule.
final class TypesInReach {
  private let file: RuleFile
  private let root: NameScope
  private var found: Set<String> = []
  private var isAny = false
  private var seen: Set<String> = []
  private var depth = 0
  private var steps = 0

  private static var mostDepth: Int { 64 }
  private static var mostSteps: Int { 20_000 }

  init(_ file: RuleFile) {
    self.file = file
    root = NameScope(file.variables, in: nil)
  }

  /// - Returns: nil where it can look at any.
  func types(of rule: Rule) -> Set<String>? {
    visit(rule)
    return isAny ? nil : found
  }

  private func deeper(_ body: () -> Void) {
    (depth, steps) = (depth + 1, steps + 1)
    defer { depth -= 1 }
    if depth < Self.mostDepth, steps < Self.mostSteps { body() } else { isAny = true }
  }

  private func visit(_ rule: Rule) {
    guard seen.insert("\(rule.place)").inserted else { return }
    visit(rule.conditions, root, isRoot: true)
    visit(rule.body, root, isRoot: true)
  }

  /// - Parameter isRoot: whether queries begin at the document.
  private func visit(_ body: Block, _ outer: NameScope, isRoot: Bool, given: [String: NameClass] = [:]) {
    deeper {
      let scope = NameScope(body.variables, in: outer, given: given)
      for variable in body.variables { visit(variable.operand, scope, isRoot: isRoot) }
      visit(body.clauses, scope, isRoot: isRoot)
    }
  }

  private func visit(_ clauses: [Disjunction], _ scope: NameScope, isRoot: Bool) {
    for clause in clauses.joined() { visit(clause, scope, isRoot: isRoot) }
  }

  private func visit(_ clause: Clause, _ scope: NameScope, isRoot: Bool) {
    switch clause {
    case .comparison(let comparison):
      let isThere =
        [.exists, .empty, .isStruct].contains(comparison.comparator) && comparison.query.isResources
      // Whether there are any at all is the same without some.
      if !isThere { visit(comparison.query, scope, isRoot: isRoot) }
      if let right = comparison.right { visit(right, scope, isRoot: isRoot) }
    case .reference(let reference):
      for index in file.index[reference.name] ?? [] { visit(file.rules[index]) }
    case .call(let call):
      for argument in call.arguments { visit(argument, scope, isRoot: isRoot) }
      guard let rule = file.called(call) else {
        isAny = true
        return
      }
      let names = rule.parameters.map { ($0, NameClass.local) }
      deeper {
        visit(
          rule.body, NameScope([], in: scope, given: Dictionary(names) { first, _ in first }), isRoot: isRoot)
      }
    case .each(let each):
      visit(each.query, scope, isRoot: isRoot)
      // Of what isn't a resource, or part of one, there is nothing below either.
      visit(each.body, scope, isRoot: false)
    case .when(let conditions, let body):
      visit(conditions, scope, isRoot: isRoot)
      visit(body, scope, isRoot: isRoot)
    case .type(let type):
      visit(type.query, scope, isRoot: isRoot)
      visit(type.conditions, scope, isRoot: isRoot)
      visit(type.body, scope, isRoot: false)
    }
  }

  private func visit(_ operand: Operand, _ scope: NameScope, isRoot: Bool) {
    switch operand {
    case .value: break
    case .query(let query): visit(query, scope, isRoot: isRoot)
    case .call(let call): for argument in call.arguments { visit(argument, scope, isRoot: isRoot) }
    }
  }

  private func visit(_ query: Query, _ scope: NameScope, isRoot: Bool) {
    deeper {
      if isRoot { begin(query, scope) }
      for step in query.steps {
        switch step {
        case .variable(let name), .keysOf(let name):
          _ = scope.find(name) { variable, scope in
            // Variables of blocks were visited where they are set; those of the file are of the document.
            if scope === self.root, self.seen.insert("%\(name)").inserted {
              self.visit(variable.operand, scope, isRoot: true)
            }
            return .other
          }
        case .filter(_, let clauses): visit(clauses, scope, isRoot: false)
        case .keys(_, _, _, let right): visit(right, scope, isRoot: false)
        case .this, .key, .index, .members, .elements: break
        }
      }
    }
  }

  /// What a query that begins at the document can look at.
  private func begin(_ query: Query, _ scope: NameScope) {
    switch query.steps.first {
    case .variable?: break
    case .key("Resources")?:
      var rest = query.steps.dropFirst()
      if case .members(nil)? = rest.first { rest = rest.dropFirst() }
      guard case .filter(_, let clauses)? = rest.first,
        let types = clauses.lazy.compactMap({ self.types(of: $0, scope) }).first
      else {
        isAny = true
        return
      }
      found.formUnion(types)
    case .key(let name)?: if LetterCase.leads(from: name, to: "Resources") { isAny = true }
    default: isAny = true
    }
  }
}

extension TypesInReach {
  /// The types that alternatives leave: `Type == 'X'`, `Type in ['X', 'Y']`, `Type in %names`; nil = any.
  fileprivate func types(of alternatives: Disjunction, _ scope: NameScope) -> Set<String>? {
    var types: Set<String> = []
    for clause in alternatives {
      guard case .comparison(let only) = clause, !only.isNegated, !only.isInverted, !only.query.isSome,
        only.query.steps.count == 1, case .key("Type") = only.query.steps[0],
        let value = only.right.flatMap({ literal($0, scope) })
      else { return nil }
      switch (only.comparator, value.content) {
      case (.equal, .string(let type)): types.insert(type)
      case (.isIn, .list(let values)):
        for value in values {
          guard case .string(let type) = value.content else { return nil }
          types.insert(type)
        }
      default: return nil
      }
    }
    return types
  }

  private func literal(_ operand: Operand, _ scope: NameScope) -> Value? {
    switch operand {
    case .value(let value): return value
    case .query(let query):
      guard query.isBareVariable, case .variable(let name)? = query.steps.first else { return nil }
      var found: Value?
      _ = scope.find(name) { variable, _ in
        if case .value(let value) = variable.operand { found = value }
        return .other
      }
      return found
    case .call: return nil
    }
  }
}

extension Query {
  fileprivate var isResources: Bool {
    if case .key("Resources")? = steps.first { return steps.count == 1 }
    return false
  }
}
