// What a rule can look at, read from its queries: types of resources, and names of their properties. A scan calls only for
// what rules can look at; a change is evaluated again only by rules that can see it.
//
// Invariant: whatever happens to resources of other types (or to other properties, where names are known), the rule's
// verdict and findings stay the same, as long as `Resources` has a member at all: `Resources.*` of an empty map is
// something missing, of other resources nothing. Where a query isn't by type the answer is "anything".

/// See the head of this file.
public struct RuleReach: Sendable, Equatable {
  /// CloudFormation's types; nil = a resource of any type.
  public internal(set) var types: Set<String>?
  /// Names of properties of those resources, in each letter case that would do; nil = any.
  public internal(set) var names: Set<String>?
  /// Whether it asks for the time: its verdict may change though nothing else does.
  public internal(set) var asksTime: Bool
  /// Whether it can be evaluated on parts of the resources (Distribution).
  public internal(set) var distributes = false
  /// Whether it may matter to it how many resources there are, or what they are called: it counts, joins, or looks at
  /// their names, wherever in its queries; or it was too much to read. Where a list of resources failed nothing can be said
  /// of it by trying what one more would change.
  public internal(set) var counts = false
  /// Whether it looks at anything of the document but `Resources`.
  public internal(set) var looksElsewhere = false

  /// Nothing at all.
  public static let nothing = RuleReach(types: [], names: [], asksTime: false)
  /// All that there is.
  public static let anything = RuleReach(types: nil, names: nil, asksTime: true)

  /// Whether resources of a type can be looked at.
  public func reaches(type: String) -> Bool { types?.contains(type) ?? true }
  /// Whether a property can be looked at.
  public func reaches(property: String) -> Bool { names?.contains(property) ?? true }

  mutating func formUnion(_ other: RuleReach) {
    if let own = types { types = other.types.map { own.union($0) } }
    if let own = names { names = other.names.map { own.union($0) } }
    asksTime = asksTime || other.asksTime
    distributes = distributes && other.distributes
    counts = counts || other.counts
    looksElsewhere = looksElsewhere || other.looksElsewhere
  }
}

extension RuleFile {
  /// What each of `rules` can look at, the rules that it names included.
  public var reaches: [RuleReach] {
    rules.indices.map { place in
      var reach = ReachReader(self).reach(of: place)
      reach.distributes = rules[place].distributes(in: self)
      return reach
    }
  }
}

extension Query {
  /// `Resources` itself.
  fileprivate var isResources: Bool {
    if steps.count == 1, case .key("Resources") = steps[0] { return true }
    return false
  }
}

/// Reads one rule.
private final class ReachReader {
  /// How far into the document a value stands.
  enum Level { case root, resources, resource, properties, below }

  /// Variables of a file, a rule or a block, and what their queries begin at.
  private struct Frame {
    let variables: [Assignment]
    let root: Level
    var given: [String: Level] = [:]
  }

  private let file: RuleFile
  private var found = RuleReach.nothing
  private var frames: [Frame]
  private var open: Set<Int> = []
  private var openVariables: Set<String> = []
  private var counts = false
  private var looksElsewhere = false
  /// Bounds the work on files whose rules call each other in all ways.
  private var steps = 0
  private let stack = StackMark()
  private static var mostSteps: Int { 20_000 }

  init(_ file: RuleFile) {
    self.file = file
    frames = [Frame(variables: file.variables, root: .root)]
  }

  func reach(of index: Int) -> RuleReach {
    rule(index)
    if steps > Self.mostSteps { giveUp() }
    found.counts = counts
    found.looksElsewhere = looksElsewhere || found.types == nil
    return found
  }

  /// Too much to read: then it may be anything.
  private func giveUp() {
    found = .anything
    counts = true
  }

  private var root: Level { frames.last?.root ?? .root }
  private var isTooMuch: Bool {
    steps += 1
    // Rules that need rules that need rules.
    return steps > Self.mostSteps || !stack.hasRoom
  }

  // MARK: - Rules and clauses

  private func rule(_ index: Int) {
    guard open.insert(index).inserted else { return }
    // A rule sees the file's variables, not those of who names it.
    let outer = frames
    frames = [frames[0]]
    conjunction(file.rules[index].conditions)
    block(file.rules[index].body, .root)
    frames = outer
  }

  private func block(_ body: Block, _ root: Level, given: [String: Level] = [:]) {
    guard !isTooMuch, frames.count < 100 else { return giveUp() }
    frames.append(Frame(variables: body.variables, root: root, given: given))
    conjunction(body.clauses)
    frames.removeLast()
  }

  private func conjunction(_ clauses: [Disjunction]) {
    for clause in clauses.joined() { self.clause(clause) }
  }

  private func clause(_ clause: Clause) {
    guard !isTooMuch else { return giveUp() }
    switch clause {
    case .comparison(let comparison):
      // A document has them.
      if comparison.comparator == .exists, root == .root, comparison.query.isResources { return }
      let level = level(of: comparison.query)
      switch comparison.comparator {
      case .exists: break
      case .empty where comparison.query.asksForSelection: break
      default: readsWhole(level)
      }
      if let right = comparison.right { readsWhole(self.level(of: right)) }
    case .reference(let reference): for index in file.index[reference.name] ?? [] { rule(index) }
    case .call(let call):
      guard let called = file.called.first(where: { $0.name == call.name }) else { return }
      var given: [String: Level] = [:]
      for (name, argument) in zip(called.parameters, call.arguments) { given[name] = level(of: argument) }
      block(called.body, root, given: given)
    case .when(let conditions, let body):
      conjunction(conditions)
      block(body, root)
    case .each(let each): block(each.body, level(of: each.query))
    case .type(let type):
      let level = level(of: type.query)
      conjunction(type.conditions)
      block(type.body, level)
    }
  }

  /// A whole resource, or all its properties, is compared.
  private func readsWhole(_ level: Level) {
    switch level {
    case .below: break
    case .resource, .properties: found.names = nil
    case .root, .resources: found = .anything
    }
  }

  // MARK: - Queries

  private func level(of operand: Operand) -> Level {
    switch operand {
    case .value: return .below
    case .query(let query): return level(of: query)
    case .call(let call):
      if call.function == .now { found.asksTime = true }
      if call.function == .count || call.function == .join { counts = true }
      for argument in call.arguments {
        let level = level(of: argument)
        // How many there are is told by their types.
        if call.function != .count || level == .root || level == .resources { readsWhole(level) }
      }
      return .below
    }
  }

  private func level(of query: Query) -> Level {
    guard !isTooMuch else {
      giveUp()
      return .below
    }
    var level = root
    var place = 0
    if case .variable(let name)? = query.steps.first {
      level = self.level(ofVariable: name)
      place = 1
    }
    while place < query.steps.count {
      let step = query.steps[place]
      switch (level, step) {
      case (_, .this): break
      case (.root, .key(let key)):
        // In another letter case it may be another member.
        if key != "Resources" { looksElsewhere = true }
        level = Self.spellings(key).contains("Resources") ? .resources : .below
      case (.resources, .members(nil)):
        guard place + 1 < query.steps.count, case .filter(let capture, let clauses) = query.steps[place + 1]
        else { return anything(query.steps[place...]) }
        place += 1
        if capture != nil { counts = true }
        filter(clauses)
        level = .resource
      case (.resources, .filter(let capture, let clauses)):
        if capture != nil { counts = true }
        filter(clauses)
        level = .resource
      case (.resources, .keys(_, _, _, let right)):
        // By their names, and then by type: those of other types don't matter.
        counts = true
        guard place + 1 < query.steps.count, case .filter(_, let clauses) = query.steps[place + 1] else {
          return anything(query.steps[place...])
        }
        place += 1
        readsWhole(self.level(of: right))
        filter(clauses)
        level = .resource
      case (.resources, .key), (.resources, .keysOf), (.resources, .members):
        // By their names.
        counts = true
        return anything(query.steps[place...])
      case (.root, _), (.resources, _): return anything(query.steps[place...])
      case (.resource, .key(let key)):
        level = Self.spellings(key).contains("Properties") ? .properties : .below
      case (.properties, .key(let key)):
        found.names?.formUnion(Self.spellings(key))
        level = .below
      case (_, .filter(_, let clauses)):
        // As the first step it goes through the members; behind others it looks at the value itself.
        if level == .properties || (level == .resource && place == 0) {
          found.names = nil
          level = .below
        }
        inner(clauses, level)
      case (.resource, .elements), (.properties, .elements): break
      case (.resource, _), (.properties, _):
        found.names = nil
        operands(of: step)
        level = .below
      case (.below, _): operands(of: step)
      }
      place += 1
    }
    if level == .root || level == .resources {
      found = .anything
      return .below
    }
    return level
  }

  /// A query that isn't by type. What stands in it is read all the same: it may count.
  private func anything(_ steps: ArraySlice<Step>) -> Level {
    found = .anything
    for step in steps {
      switch step {
      case .filter(let capture, let clauses):
        if capture != nil { counts = true }
        inner(clauses, .resource)
      case .keys, .members(.some), .elements(.some): counts = true
      default: break
      }
      operands(of: step)
    }
    return .below
  }

  /// A filter of `Resources`: by type, or by anything.
  private func filter(_ clauses: [Disjunction]) {
    // What ends in an error on resources of other types depends on them.
    guard let types = clauses.lazy.compactMap({ self.types(of: $0) }).first,
      clauses.allSatisfy({ $0.endsWithoutError || self.types(of: $0) != nil })
    else {
      found = .anything
      inner(clauses, .resource)
      return
    }
    found.types?.formUnion(types)
    inner(clauses, .resource)
  }

  /// The types that alternatives let through, and no other: `Type == 'X'`, `Type in ['X', 'Y']`, `Type in %names`.
  private func types(of alternatives: Disjunction) -> Set<String>? {
    var types: Set<String> = []
    for clause in alternatives {
      guard case .comparison(let only) = clause, !only.isNegated, !only.isInverted, !only.query.isSome,
        only.query.steps.count == 1, case .key("Type") = only.query.steps[0],
        let value = only.right.flatMap(literal)
      else { return nil }
      switch (only.comparator, value.content) {
      case (.equal, .string(let type)): types.insert(type)
      case (.isIn, .list(let values)):
        for each in values {
          guard case .string(let type) = each.content else { return nil }
          types.insert(type)
        }
      default: return nil
      }
    }
    return alternatives.isEmpty ? nil : types
  }

  /// A value as it is written, or that a variable is set to.
  private func literal(_ operand: Operand) -> Value? {
    switch operand {
    case .value(let value): return value
    case .query(let query):
      guard query.steps.count == 1, case .variable(let name) = query.steps[0] else { return nil }
      for frame in frames.reversed() {
        if frame.given[name] != nil { return nil }
        guard let variable = frame.variables.last(where: { $0.name == name }) else { continue }
        guard case .value(let value) = variable.operand else { return nil }
        return value
      }
      return nil
    case .call: return nil
    }
  }

  /// Clauses for one value.
  private func inner(_ clauses: [Disjunction], _ level: Level) {
    guard frames.count < 100 else { return giveUp() }
    frames.append(Frame(variables: [], root: level))
    conjunction(clauses)
    frames.removeLast()
  }

  private func operands(of step: Step) {
    switch step {
    case .keysOf(let name), .variable(let name): _ = level(ofVariable: name)
    case .keys(_, _, _, let right): readsWhole(level(of: right))
    default: break
    }
  }

  private func level(ofVariable name: String) -> Level {
    for place in frames.indices.reversed() {
      if let level = frames[place].given[name] { return level }
      guard let variable = frames[place].variables.last(where: { $0.name == name }) else { continue }
      // One that needs itself is an error when it is evaluated.
      let mark = "\(place) \(name)"
      guard openVariables.insert(mark).inserted else { return .below }
      let outer = frames
      frames = Array(frames[...place])
      let level = level(of: variable.operand)
      frames = outer
      openVariables.remove(mark)
      return level
    }
    // A name that a query captured: a key.
    return .below
  }

  private static func spellings(_ key: String) -> Set<String> {
    Set(LetterCase.conversions(of: key).names + [key])
  }
}
