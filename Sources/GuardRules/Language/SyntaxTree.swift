// What a file of rules says, as a tree. Names follow the language's documents (Guard 3).

/// A file of rules.
public struct RuleFile: Sendable {
  /// As it is called in messages.
  public let name: String
  /// Variables of the file, in order.
  let variables: [Assignment]
  /// Rules, in order. Clauses outside any rule are the rule `default`.
  public let rules: [Rule]
  /// Rules that are called with arguments.
  let called: [CalledRule]
  /// Places of rules by name.
  let index: [String: [Int]]
  /// What comments say of rules, by their names; those without notes are not there.
  public let notes: [String: RuleNotes]
  /// What clauses `%variable empty` ask for, by their places.
  let selections: [TextPlace: AskedSelection]

  init(
    name: String, variables: [Assignment], rules: [Rule], called: [CalledRule],
    notes: [String: RuleNotes] = [:]
  ) {
    self.name = name
    self.notes = notes
    self.variables = variables
    self.rules = rules
    self.called = called
    index = Dictionary(grouping: rules.indices) { rules[$0].name }
    selections = Self.selections(variables, rules.map(\.body) + called.map(\.body))
  }

  /// Whether there is nothing in it but blanks and comments.
  public var isEmpty: Bool { rules.isEmpty && called.isEmpty && variables.isEmpty }
}

/// `rule name when conditions { … }`
public struct Rule: Sendable {
  /// Its name.
  public let name: String
  /// Where it begins.
  public let place: TextPlace
  let conditions: [Disjunction]
  let body: Block
}

/// `rule name(a, b) { … }`
struct CalledRule: Sendable {
  let name: String
  let place: TextPlace
  let parameters: [String]
  let body: Block
}

/// `let name = …`
struct Assignment: Sendable {
  let name: String
  let place: TextPlace
  let operand: Operand
}

/// Variables and clauses: all of them must hold.
struct Block: Sendable {
  let variables: [Assignment]
  let clauses: [Disjunction]
}

/// Clauses joined by `or`: one of them must hold.
typealias Disjunction = [Clause]

indirect enum Clause: Sendable {
  case comparison(Comparison)
  /// Another rule by name.
  case reference(RuleReference)
  /// A rule called with arguments.
  case call(RuleCall)
  /// `query { … }`: for each value that is selected.
  case each(EachBlock)
  /// `when conditions { … }`
  case when([Disjunction], Block)
  /// `AWS::S3::Bucket { … }`
  case type(TypeBlock)
}

extension Clause {
  var place: TextPlace {
    switch self {
    case .comparison(let clause): clause.place
    case .reference(let clause): clause.place
    case .call(let clause): clause.place
    case .each(let clause): clause.place
    case .type(let clause): clause.place
    case .when(_, let body): body.clauses.first?.first?.place ?? .none
    }
  }
}

struct Comparison: Sendable {
  let query: Query
  let comparator: Comparator
  /// `!op`, `not op`.
  let isNegated: Bool
  /// `not` before the whole clause.
  let isInverted: Bool
  let right: Operand?
  let message: String?
  let place: TextPlace
  /// As it would be written.
  let text: String

  init(
    query: Query, comparator: Comparator, isNegated: Bool, isInverted: Bool, right: Operand?,
    message: String?, place: TextPlace
  ) {
    (self.query, self.comparator, self.right) = (query, comparator, right)
    (self.isNegated, self.isInverted, self.message, self.place) = (isNegated, isInverted, message, place)
    let sign = isNegated ? (comparator == .equal ? "!=" : "not \(comparator.rawValue)") : comparator.rawValue
    let rest =
      switch right {
      case nil: ""
      case .value(let value)?: " \(value.text)"
      case .query(let query)?: " \(query.text)"
      case .call(let call)?: " \(call.function.rawValue)(…)"
      }
    text = (isInverted ? "not " : "") + query.text + " " + sign + rest
  }
}

struct RuleReference: Sendable {
  let name: String
  let isInverted: Bool
  let message: String?
  let place: TextPlace
}

struct RuleCall: Sendable {
  let name: String
  let arguments: [Operand]
  let isInverted: Bool
  let message: String?
  let place: TextPlace
}

struct EachBlock: Sendable {
  let query: Query
  /// Written `query !empty { … }`: nothing selected is a failure.
  let wantsSome: Bool
  let body: Block
  let place: TextPlace
}

struct TypeBlock: Sendable {
  let type: String
  let query: Query
  let conditions: [Disjunction]
  let body: Block
  let place: TextPlace
}

/// How values are compared.
enum Comparator: String, Sendable {
  case equal = "=="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case isIn = "in"
  case exists, empty
  case isString = "is_string"
  case isList = "is_list"
  case isStruct = "is_struct"
  case isBool = "is_bool"
  case isInt = "is_int"
  case isFloat = "is_float"
  case isNull = "is_null"

  /// Whether it looks at one value only.
  var isUnary: Bool {
    switch self {
    case .equal, .less, .lessOrEqual, .greater, .greaterOrEqual, .isIn: false
    default: true
    }
  }
}

/// What stands on the right of a comparison or of `let`.
indirect enum Operand: Sendable {
  case value(Value)
  case query(Query)
  case call(FunctionCall)
}

struct FunctionCall: Sendable {
  let function: Function
  let arguments: [Operand]
  let place: TextPlace
}

/// What selects values.
struct Query: Sendable {
  let steps: [Step]
  /// `some`: one of the values must hold, and what isn't there is left out.
  let isSome: Bool
  let place: TextPlace
  /// As it was written, blanks made one.
  let text: String

  /// A variable and nothing behind it.
  var isBareVariable: Bool {
    if case .variable = steps.first { return steps.count == 1 }
    return false
  }

  /// Whether `empty` asks for the selected values rather than for what each is.
  var asksForSelection: Bool {
    switch steps.last {
    case .filter, .keys: true
    default: isBareVariable
    }
  }
}

indirect enum Step: Sendable {
  /// At the beginning: the values of a variable.
  case variable(String)
  case this
  case key(String)
  /// The names that a variable's values are.
  case keysOf(String)
  /// `.*`, with the name that is bound to each key.
  case members(String?)
  /// `[*]`, with the name that is bound to each place.
  case elements(String?)
  case index(Int)
  case filter(String?, [Disjunction])
  /// `[ keys == … ]`
  case keys(String?, Comparator, isNegated: Bool, Operand)
}

/// A function, by its name in rules.
enum Function: String, Sendable, CaseIterable {
  case count, join
  case jsonParse = "json_parse"
  case now
  case parseBoolean = "parse_boolean"
  case parseChar = "parse_char"
  case parseEpoch = "parse_epoch"
  case parseFloat = "parse_float"
  case parseInt = "parse_int"
  case parseString = "parse_string"
  case regexReplace = "regex_replace"
  case substring
  case toLower = "to_lower"
  case toUpper = "to_upper"
  case urlDecode = "url_decode"

  /// How many arguments it takes.
  var arity: Int {
    switch self {
    case .now: 0
    case .join: 2
    case .regexReplace, .substring: 3
    default: 1
    }
  }
}
