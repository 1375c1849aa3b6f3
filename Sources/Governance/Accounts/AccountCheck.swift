// Rules on what a scan found. Where calls failed, the rules are evaluated twice: with something of the type that couldn't be
// listed, of which nothing is known, and without it. A rule on which both agree holds; any other is unknown, so that neither
// "there is none" nor "all are well" is said of what nobody saw.

import GuardRules
import Resources

struct AccountCheck: Sendable {
  private let rules: RuleSet
  private let parameters: InputParameters
  private let isPart: Bool
  private let now: Int64

  /// Names that are beside a region's resources.
  static let names = ["Resources", "Account", "Region"]

  /// - Parameters:
  ///   - parameters: what is put beside them; none of the same names.
  ///   - isPart: whether there may be resources that weren't asked for.
  ///   - now: seconds since 1970 UTC, for the rules' function `now`.
  init(_ rules: RuleSet, parameters: InputParameters = .none, isPart: Bool = false, now: Int64) {
    self.rules = rules
    self.parameters = parameters
    self.isPart = isPart
    self.now = now
  }

  /// An account that nothing was told of.
  func unreached(_ account: String, _ reason: String, _ result: inout CheckResult) {
    result.inputs += 1
    result.add(
      Finding(unknown: "the account answers", found: reason, input: "aws:\(account)", resource: "", type: ""))
  }

  /// A region of an account.
  func look(at region: ScannedRegion, _ result: inout CheckResult) {
    result.inputs += 1
    let path = "aws:\(region.account)/\(region.region)"
    // What stands for lists that failed, one a type.
    var unlisted: [String: ShapedResource] = [:]
    let seen = Set(region.resources.map { "\($0.type ?? "") \($0.name)" })
    for failed in region.failed
    where failed.type.contains("::") && !seen.contains("\(failed.type) \(failed.resource)") {
      unlisted[failed.type] = ShapedResource(
        name: "(\(failed.call))", type: failed.type, foundType: failed.type,
        properties: Value(
          .map(Members([], rest: Members.Rest(Unknown("\(failed.call): \(failed.failure.text)"), absent: [])))
        ),
        place: .none)
    }
    let input = InputFile(
      account: path,
      document: document(region, region.resources + unlisted.keys.sorted().compactMap { unlisted[$0] }))
    let known =
      unlisted.isEmpty ? nil : InputFile(account: path, document: document(region, region.resources))
    var index: ResourceIndex?
    let (prepared, preparedKnown) = (
      PreparedDocument(input.document), known.map { PreparedDocument($0.document) }
    )
    for file in rules.files {
      do throws(EvaluationFault) {
        let all = try file.evaluate(prepared, now: now)
        let others = try preparedKnown.map { (known) throws(EvaluationFault) in
          try file.evaluate(known, now: now)
        }
        for (place, rule) in all.enumerated() {
          let other = others.flatMap { $0.indices.contains(place) ? $0[place] : nil }
          let agrees = other == nil || other?.status == rule.status
          let status = agrees ? rule.status : .unknown
          result.results.append(
            CheckResult.RuleOnInput(rule: rule.name, ruleFile: file.name, input: path, status: status))
          if agrees || rule.status == .unknown {
            guard !rule.failures.isEmpty else { continue }
            let owners = index ?? ResourceIndex(input.document)
            index = owners
            result.findings += rule.failures.map { Finding($0, file, input, owners) }
          } else {
            result.findings.append(Finding(undecided: rule.name, file, input, region.failed))
          }
        }
      } catch {
        result.faults.append("\(path): \(error)")
      }
    }
    for failed in region.failed {
      result.add(
        Finding(
          unknown: "the call \(failed.call) answers",
          found: "\(failed.call) in \(region.region) of \(region.account): \(failed.failure.text)",
          input: path,
          resource: failed.resource, type: failed.type))
    }
  }

  private func document(_ region: ScannedRegion, _ resources: [ShapedResource]) -> Value {
    let isEmpty = isPart && !resources.contains { $0.type != nil }
    let document = (isEmpty ? [.nothing] : resources).document.adding(
      "Account", Value(.string(region.account))
    )
    .adding("Region", Value(.string(region.region)))
    return (try? parameters.added(to: document)) ?? document
  }
}

extension RuleSet {
  /// Rules of one text.
  /// - Throws: `RuleFaults`.
  init(text: String, name: String) throws {
    files = [try RuleFile(text, name: name)]
    empty = []
  }
}

extension CheckResult {
  /// A finding of no rule.
  fileprivate mutating func add(_ finding: Finding) {
    findings.append(finding)
    guard !results.contains(where: { $0.rule == finding.rule && $0.input == finding.input }) else { return }
    results.append(RuleOnInput(rule: finding.rule, ruleFile: "", input: finding.input, status: .unknown))
  }
}

extension InputFile {
  /// What a scan found, as rules see it.
  fileprivate init(account path: String, document: Value) {
    self.path = path
    kind = .document
    self.document = document
    shapeless = []
  }
}

extension Finding {
  /// What a call that failed didn't tell.
  fileprivate init(unknown clause: String, found: String, input: String, resource: String, type: String) {
    self.init(
      status: "UNKNOWN", rule: "kabuto_call", ruleFile: "", ruleLine: 0, input: input, line: 0, column: 0,
      resource: resource, resourceType: type, path: "", clause: clause, found: found, wanted: "",
      message:
        "What this call tells isn't known, and counts as neither good nor bad. Allow it to the scan's role, or "
        + "try again.")
  }

  /// A rule whose verdict hangs on what couldn't be listed.
  fileprivate init(undecided rule: String, _ file: RuleFile, _ input: InputFile, _ failed: [FailedCall]) {
    let calls = Set(failed.filter { $0.resource.isEmpty }.map(\.call)).sorted().joined(separator: ", ")
    self.init(
      status: "UNKNOWN", rule: rule, ruleFile: file.name, ruleLine: 0, input: input.path, line: 0, column: 0,
      resource: "", resourceType: "", path: "", clause: rule,
      found: "it hangs on what couldn't be listed: \(calls)", wanted: "", message: "")
  }
}
