// Tests of rules in the language's own format: documents, and the statuses that are expected of them.

/// A case of a file of tests.
public struct RuleTest: Sendable {
  /// Its name; empty = it has none.
  public let name: String
  /// What is looked at.
  public let input: Value
  /// Status by rule, in the order of the text.
  public let expected: [(rule: String, status: RuleStatus)]
  /// Where it begins.
  public let place: TextPlace

  /// Reads a file of tests.
  /// - Throws: `DocumentFault`.
  public static func reading(_ text: String) throws(DocumentFault) -> [RuleTest] {
    let root = try Value.reading(yaml: text, .tests)
    guard case .list(let cases) = root.content else {
      throw DocumentFault(place: root.place, found: root.kind, wanted: "a list of cases")
    }
    var tests: [RuleTest] = []
    for each in cases {
      guard case .map(let members) = each.content, let input = members["input"] else {
        throw DocumentFault(place: each.place, found: each.kind, wanted: "a case with input and expectations")
      }
      guard case .map(let expectations)? = members["expectations"]?.content,
        case .map(let rules)? = expectations["rules"]?.content
      else {
        throw DocumentFault(
          place: each.place, found: "no expectations", wanted: "expectations: rules: NAME: STATUS")
      }
      var expected: [(rule: String, status: RuleStatus)] = []
      for rule in rules.all {
        guard case .string(let word) = rule.value.content, let status = RuleStatus(rawValue: word),
          status != .unknown
        else {
          throw DocumentFault(place: rule.value.place, found: rule.value.text, wanted: "PASS, FAIL or SKIP")
        }
        expected.append((rule.name, status))
      }
      var name = ""
      if case .string(let text)? = members["name"]?.content { name = text }
      tests.append(RuleTest(name: name, input: input, expected: expected, place: each.place))
    }
    return tests
  }

  /// What came of one expectation.
  public struct Outcome: Sendable {
    /// The rule.
    public let rule: String
    /// What was expected.
    public let expected: RuleStatus
    /// What came, of each rule of that name; empty = the file has no such rule, and nothing is expected of it.
    public let found: [RuleStatus]
    /// Whether it is as expected: one of several for PASS and FAIL, all for SKIP.
    public var isMet: Bool {
      expected == .skip ? found.allSatisfy { $0 == .skip } : found.isEmpty || found.contains(expected)
    }
  }

  /// Evaluates the rules and compares.
  /// - Parameter now: seconds since 1970 UTC.
  /// - Throws: `EvaluationFault`.
  public func run(_ file: RuleFile, now: Int64) throws(EvaluationFault) -> [Outcome] {
    let results = try file.evaluate(input, now: now)
    return expected.map { rule, status in
      Outcome(rule: rule, expected: status, found: results.filter { $0.name == rule }.map(\.status))
    }
  }
}
