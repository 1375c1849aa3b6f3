// What a file of rules says of itself must fit: rules that are named exist, are called with as many arguments as they
// take, and variables are set where they are used.

struct RuleCheck {
  private let file: RuleFile
  private let rules: Set<String>
  private let called: [String: Int]
  private var found: [RuleFault] = []

  init(_ file: RuleFile) {
    self.file = file
    rules = Set(file.rules.map(\.name))
    called = Dictionary(file.called.map { ($0.name, $0.parameters.count) }) { first, _ in first }
  }

  mutating func faults() -> [RuleFault] {
    let known = scope(file.variables, within: [])
    for rule in file.rules {
      check(rule.conditions, known)
      check(rule.body, known)
    }
    for rule in file.called { check(rule.body, known.union(rule.parameters)) }
    return found
  }

  private mutating func scope(_ variables: [Assignment], within outer: Set<String>) -> Set<String> {
    var own: Set<String> = []
    for variable in variables where !own.insert(variable.name).inserted {
      found.append(
        RuleFault(
          file: file.name, place: variable.place, found: "variable \(variable.name) set twice",
          wanted: "a name once in a block"))
    }
    let known = outer.union(own)
    for variable in variables { check(variable.operand, known) }
    return known
  }

  private mutating func check(_ block: Block, _ outer: Set<String>) {
    check(block.clauses, scope(block.variables, within: outer))
  }

  private mutating func check(_ clauses: [Disjunction], _ known: Set<String>) {
    // What one clause captures the next ones know.
    var known = known
    for clause in clauses.joined() { check(clause, &known) }
  }

  private mutating func check(_ clause: Clause, _ known: inout Set<String>) {
    switch clause {
    case .comparison(let comparison):
      check(comparison.query, &known)
      if let right = comparison.right { check(right, known) }
    case .reference(let reference):
      if !rules.contains(reference.name) {
        let isCalled = called[reference.name] != nil
        found.append(
          RuleFault(
            file: file.name, place: reference.place, found: "\"\(reference.name)\"",
            wanted: isCalled
              ? "its arguments in parentheses" : "a rule of this file, or an operator behind a query"))
      }
    case .call(let call):
      if let count = called[call.name] {
        if count != call.arguments.count {
          found.append(
            RuleFault(
              file: file.name, place: call.place, found: "\(call.arguments.count) arguments of \(call.name)",
              wanted: "\(count)"))
        }
      } else {
        found.append(
          RuleFault(
            file: file.name, place: call.place, found: "\"\(call.name)(\"",
            wanted: "a rule of this file that takes arguments"))
      }
      for argument in call.arguments { check(argument, known) }
    case .each(let each):
      check(each.query, &known)
      check(each.body, known)
    case .when(let conditions, let body):
      check(conditions, known)
      check(body, known)
    case .type(let type):
      check(type.conditions, known)
      check(type.body, known)
    }
  }

  private mutating func check(_ operand: Operand, _ known: Set<String>) {
    switch operand {
    case .value: break
    case .query(let query):
      var known = known
      check(query, &known)
    case .call(let call): for argument in call.arguments { check(argument, known) }
    }
  }

  private mutating func check(_ query: Query, _ known: inout Set<String>) {
    for step in query.steps {
      switch step {
      case .variable(let name), .keysOf(let name):
        if !known.contains(name) {
          found.append(
            RuleFault(
              file: file.name, place: query.place, found: "%\(name)", wanted: "a variable that is set (let)"))
        }
      case .filter(let capture, let clauses):
        check(clauses, known)
        if let capture { known.insert(capture) }
      case .keys(let capture, _, _, let right):
        check(right, known)
        if let capture { known.insert(capture) }
      case .members(let capture), .elements(let capture): if let capture { known.insert(capture) }
      case .this, .key, .index: break
      }
    }
  }
}
