// Variables: set once in a file, a rule or a block, evaluated when they are first asked for, against the value that was
// current where they are set. A scope belongs to one evaluation and one thread.

final class Scope {
  let root: Value
  private let outer: Scope?
  private let variables: [Assignment]
  private var known: [String: [Selected]]
  /// Outermost names that weren't there when a variable was evaluated.
  private var lacks: [String: Set<String>] = [:]
  /// Made for the values of a variable: what is captured there is known where the query stands.
  private let isOfQuery: Bool
  /// Being evaluated now: a variable that needs itself is a fault.
  private var open: Set<String> = []

  init(
    _ variables: [Assignment], root: Value, in outer: Scope?, given: [String: [Selected]] = [:],
    isOfQuery: Bool = false
  ) {
    self.isOfQuery = isOfQuery
    self.variables = variables
    self.root = root
    self.outer = outer
    known = given
  }

  func values(of name: String, _ evaluation: Evaluation) throws(EvaluationFault) -> [Selected] {
    if let values = known[name] {
      if let own = lacks[name] { evaluation.lacks.formUnion(own) }
      return values
    }
    guard let variable = variables.last(where: { $0.name == name }) else {
      // A file's names were looked at when it was read: this one is a capture of a query that captured nothing.
      guard let outer else { return [] }
      return try outer.values(of: name, evaluation)
    }
    guard open.insert(name).inserted else {
      throw evaluation.fault("variable %\(name) needs itself", variable.place)
    }
    let outer = evaluation.lacks
    evaluation.lacks = []
    let values = try evaluation.deeper(variable.place) { () throws(EvaluationFault) in
      try evaluation.valuesThere(of: variable.operand, self)
    }
    if !evaluation.lacks.isEmpty { lacks[name] = evaluation.lacks }
    evaluation.lacks.formUnion(outer)
    open.remove(name)
    known[name] = values
    return values
  }

  /// Binds what a query captured.
  /// - Parameter isDoubtful: it isn't known whether it is meant.
  func capture(_ name: String, _ value: Value, isDoubtful: Bool = false) {
    if isOfQuery, let outer { return outer.capture(name, value, isDoubtful: isDoubtful) }
    known[name, default: []].append(isDoubtful ? .perhaps(value) : .found(value))
  }
}
