// A rule as the walk uses it: names resolved to numbers, texts taken apart, operators made. Immutable, shared by threads.

final class CompiledRule: Sendable {
  let id: Int
  let phase: Int
  let place: Place
  /// The head and, of a chain, its further links.
  let links: [CompiledLink]
  let message: Macro
  let data: Macro
  let severity: Severity?
  let tags: [String]
  let version: String
  let revision: String
  let disruption: Disruption
  let isLogged: Bool
  /// How many rules to skip after a match (`skip`).
  let skip: Int
  /// Where to go on after a match: a position in the phase (`skipAfter`), at its end where no such marker follows.
  let skipTo: Int?
  /// Its number in the policy.
  let index: Int

  init(
    id: Int, phase: Int, place: Place, links: [CompiledLink], message: Macro, data: Macro,
    severity: Severity?,
    tags: [String], version: String, revision: String, disruption: Disruption, isLogged: Bool, skip: Int,
    skipTo: Int?, index: Int
  ) {
    self.id = id
    self.phase = phase
    self.place = place
    self.links = links
    self.message = message
    self.data = data
    self.severity = severity
    self.tags = tags
    self.version = version
    self.revision = revision
    self.disruption = disruption
    self.isLogged = isLogged
    self.skip = skip
    self.skipTo = skipTo
    self.index = index
  }
}

/// The severities of syslog, as rules name them.
enum Severity: Int, Sendable, CaseIterable {
  case emergency, alert, critical, error, warning, notice, info, debug

  static func named(_ text: String) -> Severity? {
    if let number = Int(text) { return Severity(rawValue: number) }
    return allCases.first { "\($0)" == text.lowercased() }
  }
  var text: String { "\(self)".uppercased() }
}

/// What a full match does to the transaction.
enum Disruption: Sendable {
  case pass
  case deny(status: Int)
  case drop
  case redirect(Macro, status: Int)
  case allow(AllowScope)
}

enum AllowScope: Sendable {
  /// No further rules, but phase 5.
  case all
  case phase
  case request
}

/// One test with its actions.
final class CompiledLink: @unchecked Sendable {
  let targets: UnsafeBufferPointer<Target>
  let exclusions: UnsafeBufferPointer<Target>
  /// Nil for SecAction: always matches, once.
  let test: Test?
  /// The test's operator and its negation, where its argument is constant: at hand without copying the test.
  let operation: (any Operator)?
  let isNegated: Bool
  let transformations: [Transformation]
  let isMultiMatch: Bool
  let isCapturing: Bool
  /// Collections that a match opens, before anything is written to them.
  let openings: [Effect]
  /// Done for each value that matches.
  let settings: [VariableSetting]
  /// Done once, after the whole chain matched.
  let effects: [Effect]
  /// Variables whose every value is meant.
  let whole: VariableSet
  let place: Place

  init(
    targets: [Target], exclusions: [Target], test: Test?, transformations: [Transformation],
    isMultiMatch: Bool,
    isCapturing: Bool, settings: [VariableSetting], effects: [Effect], place: Place
  ) {
    self.targets = CompiledLink.kept(targets)
    self.exclusions = CompiledLink.kept(exclusions)
    self.test = test
    operation = test?.constant
    isNegated = test?.isNegated ?? false
    self.transformations = transformations
    self.isMultiMatch = isMultiMatch
    self.isCapturing = isCapturing
    self.settings = settings
    openings = effects.filter(\.opensCollection)
    self.effects = effects.filter { !$0.opensCollection }
    self.place = place
    var whole = VariableSet()
    for target in targets where !target.isCount {
      if target.selector == .all { whole.insert(target.variable) }
    }
    self.whole = whole
  }

  deinit {
    targets.deallocate()
    exclusions.deallocate()
  }

  private static func kept(_ targets: [Target]) -> UnsafeBufferPointer<Target> {
    let memory = UnsafeMutableBufferPointer<Target>.allocate(capacity: targets.count)
    _ = memory.initialize(from: targets)
    return UnsafeBufferPointer(memory)
  }

  /// Whether a value of `variable` called `name` is among its targets.
  func selects(_ variable: Variable, _ name: ByteView, _ scratch: RegexScratch) -> Bool {
    var isSelected = whole.contains(variable)
    if !isSelected {
      for target in targets where !target.isCount && target.matches(variable, name, scratch) {
        isSelected = true
        break
      }
    }
    return isSelected && !excludes(variable, name, scratch)
  }

  @inline(__always)
  func excludes(_ variable: Variable, _ name: ByteView, _ scratch: RegexScratch) -> Bool {
    for target in exclusions where target.matches(variable, name, scratch) { return true }
    return false
  }
}

/// An operator with its argument.
struct Test: Sendable {
  let isNegated: Bool
  let name: String
  /// The operator, where its argument has no macro.
  let constant: (any Operator)?
  let argument: Macro
  let definition: OperatorDefinition
  /// What is asked where the argument has macros: known operators without being made anew.
  let macroOperator: MacroOperator
}

/// Operators that are common with a macro for an argument.
enum MacroOperator: Sendable {
  case compare(Relation), within, streq, contains, beginsWith, endsWith, other

  init(_ name: String) {
    switch name.lowercased() {
    case "within": self = .within
    case "streq": self = .streq
    case "contains": self = .contains
    case "beginswith": self = .beginsWith
    case "endswith": self = .endsWith
    default: self = Relation.named(name).map { .compare($0) } ?? .other
    }
  }
}

/// `setvar`: what is written where.
struct VariableSetting: Sendable {
  enum Operation: UInt8, BitwiseCopyable, Sendable { case assign, add, subtract, remove }
  let variable: Variable
  /// TX with a plain name: its slot; -1 otherwise.
  let slot: Int
  let name: Macro
  let operation: Operation
  let value: Macro
}

/// What a full match changes besides variables.
enum Effect: Sendable {
  case removeRules(ClosedRange<Int>)
  case removeRulesByTag(String)
  case removeTarget(rules: ClosedRange<Int>, Target)
  case removeTargetByTag(String, Target)
  case engine(EngineMode)
  case bodyProcessor(BodyProcessorKind)
  case forceRequestBody(Bool)
  case requestBodyAccess(Bool)
  case responseBodyAccess(Bool)
  case openCollection(Variable, key: Macro)
  case expire(Variable, name: Macro, seconds: Macro)
  case setEnvironment(name: Macro, value: Macro)
  case setUser(Macro)
  case setSession(Macro)
  case setResource(Macro)
}

extension Effect {
  var opensCollection: Bool {
    switch self {
    case .openCollection, .setUser, .setSession, .setResource: true
    default: false
    }
  }
}

enum BodyProcessorKind: String, Sendable, CaseIterable { case urlencoded, multipart, json, xml }
