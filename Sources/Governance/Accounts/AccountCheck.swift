// Rules on what a scan found. Where calls failed, the rules are evaluated twice: with something of the type that couldn't be
// listed, of which nothing is known, and without it. A rule on which both agree holds; any other is unknown, so that neither
// "there is none" nor "all are well" is said of what nobody saw.
//
// A region's verdicts are kept by rule: after a change only rules are evaluated that can look at what changed, on resources
// of the types that they can look at. Invariant: what is kept then is what an evaluation of all would give.

import GuardRules
import Resources

/// What came of a rule on a region.
struct RuleVerdict: Sendable {
  /// nil = it couldn't be evaluated.
  var status: RuleStatus?
  var findings: [Finding] = []
  var fault: String?
  /// Whether it failed while other parts of it can't be told.
  var hasUnknown = false
}

/// What all rules say of a region; the places are those of `AccountCheck.rows`.
struct RegionVerdicts: Sendable {
  fileprivate(set) var rules: [RuleVerdict] = []
}

struct AccountCheck: Sendable {
  /// A rule of a file.
  struct Row: Sendable {
    let file: RuleFile
    let place: Int
    let reach: RuleReach
  }

  /// Names that are beside a region's resources.
  static let names = ["Resources", "Account", "Region"]

  let rows: [Row]
  private let parameters: InputParameters
  private let now: Int64

  /// - Parameters:
  ///   - parameters: what is put beside them; none of the same names.
  ///   - now: seconds since 1970 UTC, for the rules' function `now`.
  init(_ rules: RuleSet, parameters: InputParameters = .none, now: Int64) {
    self.init(
      rows: rules.files.flatMap { file in
        file.reaches.enumerated().map { Row(file: file, place: $0.offset, reach: $0.element) }
      }, parameters, now: now)
  }

  private init(rows: [Row], _ parameters: InputParameters, now: Int64) {
    (self.rows, self.parameters, self.now) = (rows, parameters, now)
  }

  /// The same rules at another time.
  func at(_ now: Int64) -> AccountCheck { AccountCheck(rows: rows, parameters, now: now) }

  /// An account that nothing was told of.
  func unreached(_ account: String, _ reason: String, _ result: inout CheckResult) {
    result.inputs += 1
    result.add(
      Finding(unknown: "the account answers", found: reason, input: "aws:\(account)", resource: "", type: ""))
  }

  /// A region of an account.
  func look(at region: RegionState, _ result: inout CheckResult) {
    var verdicts = RegionVerdicts()
    evaluate(region, changed: nil, &verdicts)
    add(verdicts, of: region, &result)
  }

  /// Adds what is kept of a region to a result.
  func add(_ verdicts: RegionVerdicts, of region: RegionState, _ result: inout CheckResult) {
    result.inputs += 1
    for (row, verdict) in zip(rows, verdicts.rules) {
      if let status = verdict.status {
        result.results.append(
          CheckResult.RuleOnInput(
            rule: row.file.rules[row.place].name, ruleFile: row.file.name, input: region.input,
            status: status,
            hasUnknown: verdict.hasUnknown))
      }
      result.findings += verdict.findings
      if let fault = verdict.fault { result.faults.append(fault) }
    }
    TakenPart.add(region.taken, to: &result, of: region.input)
    for failed in region.failed + region.taken.sorted(by: { $0.key < $1.key }).flatMap(\.value.failed) {
      result.add(
        Finding(
          unknown: "the call \(failed.call) answers",
          found: "\(failed.call) in \(region.region) of \(region.account): \(failed.failure.text)",
          input: region.input, resource: failed.resource, type: failed.type))
    }
  }

  /// Evaluates the rules that can look at what changed.
  /// - Parameters:
  ///   - changed: CloudFormation's types of what changed; nil = evaluate all.
  ///   - timeToo: whether rules that ask for the time are evaluated too.
  /// - Returns: how many rules were evaluated.
  @discardableResult
  func evaluate(
    _ region: RegionState, changed: Set<String>?, timeToo: Bool = false, _ verdicts: inout RegionVerdicts
  ) -> Int {
    var isAll = changed == nil
    if verdicts.rules.count != rows.count {
      verdicts.rules = rows.map { _ in RuleVerdict() }
      isAll = true
    }
    let chosen = rows.indices.filter { place in
      let reach = rows[place].reach
      guard !isAll, let types = reach.types, let changed else { return true }
      return !types.isDisjoint(with: changed) || (timeToo && reach.asksTime)
    }
    guard !chosen.isEmpty else { return 0 }
    let view = RegionView(region, Self.types(chosen.map { rows[$0].reach }), parameters)
    // A file's rules share their variables.
    var outcomes: [RuleOutcome] = []
    var start = 0
    while start < chosen.count {
      let file = rows[chosen[start]].file
      let end = chosen[start...].firstIndex { rows[$0].file.name != file.name } ?? chosen.endIndex
      let group = chosen[start..<end].map { rows[$0] }
      let all = view.all.evaluate(group, now)
      let known = view.known?.evaluate(group, now)
      for offset in group.indices {
        outcomes.append(
          RuleOutcome(place: chosen[start + offset], all: all[offset], known: known.map { $0[offset] }))
      }
      start = end
    }
    let failing = outcomes.lazy.flatMap(\.failures).flatMap { [$0.value, $0.within] }.compactMap(\.self)
      .map { ObjectIdentifier($0) }
    let owners = ResourceIndex(view.input.document, only: Set(failing))
    for outcome in outcomes { verdicts.rules[outcome.place] = verdict(outcome, view, owners) }
    return chosen.count
  }

  /// What came of a rule with what stands for lists that failed, and without it.
  private struct RuleOutcome {
    let place: Int
    let all: Result<RuleResult, EvaluationFault>
    let known: Result<RuleResult, EvaluationFault>?

    var failures: [Failure] { (try? all.get())?.failures ?? [] }
  }

  private func verdict(_ outcome: RuleOutcome, _ view: RegionView, _ owners: ResourceIndex) -> RuleVerdict {
    let (file, reach) = (rows[outcome.place].file, rows[outcome.place].reach)
    var verdict = RuleVerdict()
    switch outcome.all {
    case .failure(let fault): verdict.fault = "\(view.input.path): \(fault)"
    case .success(let rule):
      let other: RuleResult?
      do throws(EvaluationFault) { other = try outcome.known?.get() } catch {
        // What can't be evaluated without it agrees with nothing.
        verdict.fault = "\(view.input.path): \(error)"
        return verdict
      }
      var agrees = other == nil || other?.status == rule.status
      let failed = other == nil ? [] : view.failed.filter { reach.reaches(type: $0.type) }
      // One more and none say nothing of ten more, where it matters how many there are.
      if reach.counts, rule.status != .fail, !failed.isEmpty { agrees = false }
      verdict.status = agrees ? rule.status : .unknown
      verdict.hasUnknown = rule.hasUnknown || other?.hasUnknown == true
      if agrees || rule.status == .unknown {
        verdict.findings = rule.failures.map { Finding($0, file, view.input, owners) }
      } else {
        verdict.findings = [Finding(undecided: rule.name, file, view.input, failed)]
      }
    }
    return verdict
  }

  private static func types(_ reaches: [RuleReach]) -> Set<String>? {
    var all: Set<String> = []
    for reach in reaches {
      guard let types = reach.types else { return nil }
      all.formUnion(types)
    }
    return all
  }
}

/// A region as rules see it: the resources of some types.
private struct RegionView {
  /// A document, and the same that has resources at all: a region without any isn't one without `Resources`.
  struct Document {
    let plain: PreparedDocument
    let marked: PreparedDocument?

    init(_ region: RegionState, _ resources: [ShapedResource], _ parameters: InputParameters) {
      plain = PreparedDocument(Self.value(region, resources, parameters))
      guard !resources.contains(where: { $0.type != nil }) else {
        marked = nil
        return
      }
      marked = PreparedDocument(Self.value(region, [.nothing], parameters))
    }

    private static func value(
      _ region: RegionState, _ resources: [ShapedResource], _ parameters: InputParameters
    ) -> Value {
      let document = [ShapedResource](resources).document.adding("Account", Value(.string(region.account)))
        .adding("Region", Value(.string(region.region)))
      // That no name is there twice was looked at before the scan.
      return (try? parameters.added(to: document)) ?? document
    }

    /// Rules of one file.
    func evaluate(_ rows: [AccountCheck.Row], _ now: Int64) -> [Result<RuleResult, EvaluationFault>] {
      guard let file = rows.first?.file else { return [] }
      guard let marked else { return file.evaluate(plain, rules: rows.map(\.place), now: now) }
      // What isn't by type sees that there is nothing.
      return rows.map { row in
        file.evaluate(row.reach.types == nil ? plain : marked, rules: [row.place], now: now)[0]
      }
    }
  }

  let input: InputFile
  let all: Document
  /// Without what stands for lists that failed; nil = none did.
  let known: Document?
  let failed: [FailedCall]

  init(_ region: RegionState, _ types: Set<String>?, _ parameters: InputParameters) {
    let resources = region.resources(of: types)
    failed = region.failed.filter { types?.contains($0.type) ?? true }
    // What stands for lists that failed, one a type; each by a name of its own, since one call may fail for several types.
    var unlisted: [String: ShapedResource] = [:]
    if !failed.isEmpty {
      let seen = Set(resources.map { "\($0.type ?? "") \($0.name)" })
      for failed in failed
      where failed.type.contains("::") && !seen.contains("\(failed.type) \(failed.resource)") {
        unlisted[failed.type] = ShapedResource(
          name: "(\(failed.call): \(failed.type))", type: failed.type, foundType: failed.type,
          properties: Value(
            .map(
              Members([], rest: Members.Rest(Unknown("\(failed.call): \(failed.failure.text)"), absent: [])))
          ),
          place: .none)
      }
    }
    all = Document(region, resources + unlisted.keys.sorted().compactMap { unlisted[$0] }, parameters)
    known = unlisted.isEmpty ? nil : Document(region, resources, parameters)
    input = InputFile(account: region.input, document: all.plain.root)
  }
}

extension RuleSet {
  /// Rules of one text.
  /// - Throws: `RuleFaults`.
  init(text: String, name: String) throws {
    files = [try RuleFile(text, name: name)]
    empty = []
  }

  /// What its rules can look at.
  var reach: RulesReach { RulesReach(files.flatMap(\.reaches)) }
}

extension CheckResult {
  /// A finding of no rule.
  mutating func add(_ finding: Finding) {
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
        + "try again.",
      title: "A call that didn't answer", titleJa: "応答のなかったAPI呼び出し",
      mend: "Allow the call to the scan's role, or scan again when the service answers.",
      mendJa: "スキャン用ロールにこの呼び出しを許可するか、サービスの回復後に再スキャンしてください。")
  }

  /// A rule whose verdict hangs on what couldn't be listed.
  fileprivate init(undecided rule: String, _ file: RuleFile, _ input: InputFile, _ failed: [FailedCall]) {
    let calls = Set(failed.map(\.call)).sorted().joined(separator: ", ")
    self.init(
      status: "UNKNOWN", rule: rule, ruleFile: file.name, ruleLine: 0, input: input.path, line: 0, column: 0,
      resource: "", resourceType: "", path: "", clause: rule,
      found: "it hangs on what couldn't be listed: \(calls)", wanted: "", message: "")
    note(file.notes[rule])
  }
}
