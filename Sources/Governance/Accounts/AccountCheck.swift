// Rules on what a scan found. Where calls failed, the rules are evaluated twice: with something of the type that couldn't be
// listed, of which nothing is known, and without it. A rule on which both agree holds; any other is unknown, so that neither
// "there is none" nor "all are well" is said of what nobody saw.
//
// A region's verdicts are kept by rule: after a change only rules are evaluated that can look at what changed. Rules that
// distribute (GuardRules, Distribution.swift) are evaluated on each resource by itself and their verdicts put together, so
// that a change costs one resource; others on all resources of the types that they can look at. Invariant: what is kept then
// is what an evaluation of all would give.

import GuardRules
import Resources

struct AccountCheck: Sendable {
  /// A rule of a file.
  struct Row: Sendable {
    let file: RuleFile
    let place: Int
    let reach: RuleReach

    /// Whether it is evaluated on each resource by itself. What was true of others at another time isn't true now.
    var isByResource: Bool { reach.distributes && !reach.asksTime }
  }

  /// Rows of one file, which share its variables.
  struct Group: Sendable {
    let file: RuleFile
    fileprivate(set) var rows: [Int]
    fileprivate(set) var places: [Int]
  }

  /// What an evaluation took, and what it may have changed.
  struct Evaluated {
    /// Rules that were evaluated on anything.
    var ruleCount = 0
    /// Resources on which rules about one resource were evaluated.
    var resourceCount = 0
    /// Resources of which findings are others now; empty text = what is of no resource; nil = any may be.
    var resources: Set<String>? = []
  }

  /// Names that are beside a region's resources.
  static let names = ["Resources", "Account", "Region"]

  let rows: [Row]
  /// Rows that are evaluated by resource, by the types that rules name.
  let byType: [String: [Group]]
  /// Those that look at resources of any other type too.
  let ofAnyType: [Group]
  let parameters: InputParameters
  let now: Int64

  /// - Parameters:
  ///   - parameters: what is put beside them; none of the same names.
  ///   - now: seconds since 1970 UTC, for the rules' function `now`.
  init(_ rules: RuleSet, parameters: InputParameters = .none, now: Int64) {
    let rows = rules.files.flatMap { file in
      file.reaches.enumerated().map { Row(file: file, place: $0.offset, reach: $0.element) }
    }
    let single = rows.indices.filter { rows[$0].isByResource }
    let types = single.reduce(into: Set<String>()) { $0.formUnion(rows[$1].reach.types ?? []) }
    var byType: [String: [Group]] = [:]
    for type in types {
      byType[type] = Self.groups(single.filter { rows[$0].reach.reaches(type: type) }, rows)
    }
    self.rows = rows
    self.byType = byType
    ofAnyType = Self.groups(single.filter { rows[$0].reach.types == nil }, rows)
    (self.parameters, self.now) = (parameters, now)
  }

  private init(_ other: AccountCheck, now: Int64) {
    (rows, byType, ofAnyType) = (other.rows, other.byType, other.ofAnyType)
    (parameters, self.now) = (other.parameters, now)
  }

  /// The same rules at another time.
  func at(_ now: Int64) -> AccountCheck { AccountCheck(self, now: now) }

  static func groups(_ chosen: [Int], _ rows: [Row]) -> [Group] {
    var out: [Group] = []
    for place in chosen {
      if let last = out.indices.last, out[last].file.name == rows[place].file.name {
        out[last].rows.append(place)
        out[last].places.append(rows[place].place)
      } else {
        out.append(Group(file: rows[place].file, rows: [place], places: [rows[place].place]))
      }
    }
    return out
  }

  func groups(_ type: String) -> [Group] { byType[type] ?? ofAnyType }

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
  /// - Parameter only: resources whose findings are wanted; nil = all. Of calls that failed all are added.
  func add(
    _ verdicts: RegionVerdicts, of region: RegionState, only: Set<String>? = nil, _ result: inout CheckResult
  ) {
    result.inputs += 1
    let first = result.findings.count
    let told = verdicts.told(in: region, only)
    for (place, verdict) in verdicts.rules.enumerated() {
      let row = rows[place]
      if let status = verdict.status {
        result.results.append(
          CheckResult.RuleOnInput(
            rule: row.file.rules[row.place].name, ruleFile: row.file.name, input: region.input,
            status: status, hasUnknown: verdict.hasUnknown, isLacking: verdict.isLacking))
      }
      if verdict.showsParts, let findings = told[place] { result.findings += findings }
      result.findings += verdict.findings
      if let fault = verdict.fault { result.faults.append(fault) }
    }
    TakenPart.add(region.taken, to: &result, of: region.input)
    if let only {
      let findings = result.findings[first...].filter { only.contains($0.resource) }
      result.findings.replaceSubrange(first..., with: findings)
    }
    var calls: Set<[String]> = []
    // A list is told once, whatever types it would have told of.
    let own = region.failed.filter { calls.insert([$0.call, $0.resource, $0.failure.text]).inserted }
    for failed in own + region.taken.sorted(by: { $0.key < $1.key }).flatMap(\.value.failed) {
      result.add(
        Finding(
          unknown: "the call \(failed.call) answers",
          found: "\(failed.call) in \(region.region) of \(region.account): \(failed.failure.text)",
          input: region.input, resource: failed.resource, type: failed.type))
    }
  }

  // MARK: - Evaluation

  /// Evaluates the rules that can look at what changed.
  /// - Parameters:
  ///   - changed: CloudFormation's types of what changed; nil = evaluate all. Of these types only resources are looked at by
  ///     themselves that are others than those that were.
  ///   - timeToo: whether rules that ask for the time are evaluated too.
  @discardableResult
  func evaluate(
    _ region: RegionState, changed: Set<String>?, timeToo: Bool = false, _ verdicts: inout RegionVerdicts
  ) -> Evaluated {
    var out = Evaluated()
    let types = verdicts.rules.count == rows.count ? changed : nil
    if types == nil {
      verdicts = RegionVerdicts(ruleCount: rows.count)
      out.resources = nil
    }
    let chosen = rows.indices.filter { place in
      let row = rows[place]
      guard let types else { return true }
      guard let own = row.reach.types else { return !row.isByResource || !types.isEmpty }
      return !own.isDisjoint(with: types) || (timeToo && row.reach.asksTime)
    }
    guard !chosen.isEmpty else { return out }
    let whole = chosen.filter { !rows[$0].isByResource }
    var looked = lookAtParts(region, types, &verdicts, &out)
    lookAtWhole(region, whole, &verdicts, &out)
    settle(region, chosen.filter { rows[$0].isByResource }, &verdicts, &looked, &out)
    out.ruleCount = whole.count + looked.count
    return out
  }

  /// What rules that see several resources say of all that they can look at.
  private func lookAtWhole(
    _ region: RegionState, _ chosen: [Int], _ verdicts: inout RegionVerdicts, _ out: inout Evaluated
  ) {
    guard !chosen.isEmpty else { return }
    let view = RegionView(region, Self.types(chosen.map { rows[$0].reach }), parameters)
    var outcomes: [RuleOutcome] = []
    for group in Self.groups(chosen, rows) {
      let reaches = group.rows.map { rows[$0].reach }
      let all = view.all.evaluate(group, reaches, now)
      let known = view.known?.evaluate(group, reaches, now)
      for (offset, row) in group.rows.enumerated() {
        outcomes.append(RuleOutcome(row: row, all: all[offset], known: known.map { $0[offset] }))
      }
    }
    let failing = outcomes.lazy.flatMap(\.failures).flatMap { [$0.value, $0.within] }.compactMap(\.self)
      .map { ObjectIdentifier($0) }
    let owners = ResourceIndex(view.input.document, only: Set(failing))
    for outcome in outcomes {
      let new = verdict(outcome, view, owners)
      out.resources?.formUnion(Finding.resources(of: verdicts.rules[outcome.row].findings, or: new.findings))
      verdicts.rules[outcome.row] = new
    }
  }

  /// What came of a rule with what stands for lists that failed, and without it.
  private struct RuleOutcome {
    let row: Int
    let all: Result<RuleResult, EvaluationFault>
    let known: Result<RuleResult, EvaluationFault>?

    var failures: [Failure] { (try? all.get())?.failures ?? [] }
  }

  private func verdict(_ outcome: RuleOutcome, _ view: RegionView, _ owners: ResourceIndex) -> RuleVerdict {
    let (file, reach) = (rows[outcome.row].file, rows[outcome.row].reach)
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
      // One more and none say nothing of ten more, where it matters how many there are, or what they are called.
      if reach.counts, rule.status != .fail, !failed.isEmpty { agrees = false }
      verdict.status = agrees ? rule.status : .unknown
      verdict.hasUnknown = rule.hasUnknown || other?.hasUnknown == true
      verdict.isLacking = !rule.lacks.isEmpty || other?.lacks.isEmpty == false
      if agrees || rule.status == .unknown {
        verdict.findings = rule.failures.map { Finding($0, file, view.input, owners) }
      } else {
        verdict.findings = [Finding(undecided: rule.name, file, view.input.path, failed)]
      }
    }
    return verdict
  }

  static func types(_ reaches: [RuleReach]) -> Set<String>? {
    var all: Set<String> = []
    for reach in reaches {
      guard let types = reach.types else { return nil }
      all.formUnion(types)
    }
    return all
  }
}

extension RuleSet {
  /// Rules of one text.
  /// - Throws: `RuleFaults`.
  init(text: String, name: String) throws {
    self.init(files: [try RuleFile(text, name: name)], empty: [], faults: [])
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
  init(undecided rule: String, _ file: RuleFile, _ input: String, _ failed: [FailedCall]) {
    let calls = Set(failed.map(\.call)).sorted().joined(separator: ", ")
    self.init(
      status: "UNKNOWN", rule: rule, ruleFile: file.name, ruleLine: 0, input: input, line: 0, column: 0,
      resource: "", resourceType: "", path: "", clause: rule,
      found: "it hangs on what couldn't be listed: \(calls)", wanted: "", message: "")
    note(file.notes[rule])
  }
}
