// What libmodsecurity's debug and error logs would say about a request, as far as an outcome can tell.
//
// Its regression tests read values off the debug log (`Target value: "…" (Variable: …)`), matched or not. So a rule of
// ours is put before each rule: the same variables and transformations, a test that is always true, and a TX variable
// that collects what it saw.

import Firewall
import Foundation

struct RuleObservation {
  /// Ids of the rules that observe begin here.
  static let firstID = 90_000_000
  /// The TX variable, and what parts its fields and its entries.
  static let collector = "observed"
  private static let fieldEnd = "<|>"
  private static let entryEnd = "<||>"

  /// The directives with the rules that observe; nil where those would disturb the test: rules that count rules, and
  /// variables that tell of the rule before.
  static func observing(_ directives: [DirectiveSyntax], text: String) -> [DirectiveSyntax]? {
    let lower = text.lowercased()
    if ["skip:", "matched_var", "rule.", "rule:"].contains(where: lower.contains) { return nil }
    var result: [DirectiveSyntax] = []
    var isInChain = false
    for directive in directives {
      if case .rule(let rule) = directive.kind {
        if !isInChain { result.append(observer(of: rule, at: directive.place, number: result.count)) }
        isInChain = rule.actions.contains { $0.name.lowercased() == "chain" }
      } else {
        isInChain = false
      }
      result.append(directive)
    }
    return result
  }

  private static func observer(of rule: RuleSyntax, at place: Place, number: Int) -> DirectiveSyntax {
    let kept = rule.actions.filter { ["phase", "t", "multimatch"].contains($0.name.lowercased()) }
    let names = kept.filter { $0.name.lowercased() == "t" }.compactMap(\.argument)
    let transformations = names.lastIndex(of: "none").map { Array(names[($0 + 1)...]) } ?? names
    let last = transformations.last.map { "[9]  T (\(transformations.count - 1)) t:\($0)" } ?? ""
    let entry =
      ["%{tx.\(collector)}\(last)", "%{MATCHED_VAR_NAME}", "%{MATCHED_VAR}"].joined(separator: fieldEnd)
      + entryEnd
    let own = [
      ActionSyntax(name: "id", argument: String(firstID + number)), ActionSyntax(name: "pass"),
      ActionSyntax(name: "nolog"), ActionSyntax(name: "setvar", argument: "tx.\(collector)=\(entry)"),
    ]
    return DirectiveSyntax(
      place: place,
      kind: .rule(
        RuleSyntax(
          targets: rule.targets,
          operation: OperatorSyntax(negated: false, name: "unconditionalMatch", argument: ""),
          actions: own + kept)))
  }

  /// What a text of a log can be compared with.
  enum Kind {
    /// Found anywhere, so it says nothing.
    case anything
    case debugLines
    case errorLines
    /// A rule that is left out.
    case skipped(rule: Int)
    /// Which part of the value matched. Where the variable lay in the request (`v23,6`) isn't kept here.
    case part(offset: Int, length: Int)
    case notTransferable
  }

  static func kind(ofDebugText pattern: String) -> Kind {
    if pattern.isEmpty || pattern == ".*" { return .anything }
    let trimmed = pattern.drop { $0 == " " }
    for known in [
      "Target value", "Variable: ", "Rule returned", "Saving msg:", "Rule tag:", "Executing operator \"",
    ]
    where trimmed.hasPrefix(known) { return .debugLines }
    if trimmed.contains(/^(T \\\(\d\\\) )?t:\w+: "/) || trimmed.contains(/^\\\[\d\\\]  T \\\(/) {
      return .debugLines
    }
    if trimmed.contains(#/^\w+" \\\(Variable: /#) { return .debugLines }
    if let skipped = trimmed.firstMatch(of: /^(?:\\\[9\\\] )?(?:Skipped rule id|Rule id:)\D*(\d+)/),
      let rule = Int(skipped.1)
    {
      return .skipped(rule: rule)
    }
    return .notTransferable
  }

  static func kind(ofErrorText pattern: String) -> Kind {
    if pattern.isEmpty { return .anything }
    if let part = pattern.firstMatch(of: /^o(\d+),(\d+)/), let offset = Int(part.1), let length = Int(part.2)
    {
      return .part(offset: offset, length: length)
    }
    for known in [
      "line \"", "against variable", "msg \"", "Matched \"Operator", "MatchedVar On", "with parameter",
    ]
    where pattern.contains(known) { return .errorLines }
    return .notTransferable
  }

  /// Both logs, as far as they can be told. `rules` are the ids of all rules of the test.
  static func logs(
    _ outcome: EngineOutcome, directives: [DirectiveSyntax], rules: Set<Int>
  ) -> (debug: String, error: String) {
    var debug: [String] = []
    var error: [String] = []
    var operators: [Place: OperatorSyntax] = [:]
    for directive in directives {
      guard case .rule(let rule) = directive.kind else { continue }
      operators[directive.place] = rule.operation
      // That a rule is there is all that these lines say.
      let name = RuleObservation.title(rule.operation.name)
      let targets = rule.targets.map(RuleObservation.text).joined(separator: "|")
      debug.append(
        "Executing operator \"\(name)\" with param \"\(rule.operation.argument)\" against \(targets).")
    }
    for entry in outcome.observed.components(separatedBy: entryEnd) {
      let fields = entry.components(separatedBy: fieldEnd)
      guard fields.count == 3 else { continue }
      let value = escaped(Array(fields[2].utf8))
      debug.append("[9] Target value: \"\(value)\" (Variable: \(fields[1]))")
      if !fields[0].isEmpty { debug.append("\(fields[0]): \"\(value)\"") }
    }
    for match in outcome.matches {
      let value = escaped(match.value)
      debug.append("[9] Target value: \"\(value)\" (Variable: \(match.variable))")
      if let last = match.transformations.last {
        debug.append("[9]  T (\(match.transformations.count - 1)) t:\(last): \"\(value)\"")
      }
      guard match.rule < firstID else { continue }
      debug.append("Rule returned 1.")
      debug.append("Saving msg: \(match.message)")
      debug += match.tags.map { "Rule tag: \($0)" }
      guard match.logged else { continue }
      let test = operators[match.place]
      let name = test.map { title($0.name) } ?? ""
      error.append(
        "Matched \"Operator `\(name)' with parameter `\(test?.argument ?? "")' against variable `\(match.variable)'"
          + " (Value: `\(value)' ) [file \"\(match.place.file)\"] [line \"\(match.place.line)\"] [id \"\(match.rule)\"]"
          + " [msg \"\(match.message)\"] [data \"\(match.data)\"]"
          + match.tags.map { " [tag \"\($0)\"]" }.joined())
    }
    if !rules.isSubset(of: Set(outcome.matches.map(\.rule))) { debug.append("Rule returned 0.") }
    return (debug.joined(separator: "\n"), error.joined(separator: "\n"))
  }

  /// `rx` as `Rx`.
  private static func title(_ name: String) -> String { name.prefix(1).uppercased() + name.dropFirst() }

  private static func text(_ target: TargetSyntax) -> String {
    let mark = target.mode == .count ? "&" : target.mode == .exclude ? "!" : ""
    return switch target.selector {
    case .all: mark + target.collection
    case .name(let name), .xpath(let name): "\(mark)\(target.collection):\(name)"
    case .regex(let pattern): "\(mark)\(target.collection):/\(pattern)/"
    }
  }

  /// Bytes outside of printable ASCII as `\xHH`, as that log has them.
  private static func escaped(_ bytes: [UInt8]) -> String {
    bytes.map { byte in
      0x20...0x7E ~= byte
        ? String(UnicodeScalar(byte)) : "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }

  /// Whether `pattern` is found in `text`, as libmodsecurity's test runner looks for it.
  static func isFound(_ pattern: String, in text: String) -> Bool {
    let options: NSRegularExpression.Options = [.dotMatchesLineSeparators, .anchorsMatchLines]
    guard let expression = try? NSRegularExpression(pattern: pattern, options: options) else {
      return text.contains(pattern)
    }
    return expression.firstMatch(in: text, range: NSRange(text.startIndex..., in: text)) != nil
  }
}
