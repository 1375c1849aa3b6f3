// Rules that look at one resource after the other, on each resource by itself. Only resources are looked at that are others
// than those whose verdicts are kept; what rules come to on all of them is put together from tallies.

import GuardRules
import Resources

extension AccountCheck {
  /// Looks at resources that are others than those that were.
  /// - Returns: rows that were evaluated.
  func lookAtParts(
    _ region: RegionState, _ types: Set<String>?, _ verdicts: inout RegionVerdicts, _ out: inout Evaluated
  ) -> Set<Int> {
    var looked: Set<Int> = []
    let resources = region.resources(of: types)
    let (changed, counts) = others(resources, than: verdicts)
    for (resource, type) in changed {
      let groups = groups(type)
      let document = RegionView.document(region, [resource], parameters)
      let part = PartVerdict(resource.properties, outcomes(groups, on: document, region.input))
      verdicts.put(part, type, resource.name, groups, &out)
      for group in groups { looked.formUnion(group.rows) }
    }
    out.resourceCount += changed.count
    for type in types ?? [] where !groups(type).isEmpty {
      let new = changed.filter { $0.type == type }.map(\.resource.name)
      // Of two of one name the later one counts: both were evaluated.
      guard counts[type, default: 0] != verdicts.partCount(type) || Set(new).count != new.count else {
        continue
      }
      let names = Set(resources.lazy.filter { $0.type == type }.map(\.name))
      verdicts.keep(names, of: type, groups(type), &out)
    }
    return looked
  }

  /// Resources that aren't those that verdicts are kept of, and how many there are of each type that rules look at.
  private func others(
    _ resources: [ShapedResource], than verdicts: RegionVerdicts
  ) -> (changed: [(resource: ShapedResource, type: String)], counts: [String: Int]) {
    var changed: [(resource: ShapedResource, type: String)] = []
    var counts: [String: Int] = [:]
    // Of one type there are mostly many in a row.
    var (type, count, isMeant): (String, Int, Bool) = ("", 0, false)
    var known: [String: PartVerdict] = [:]
    for resource in resources {
      guard let own = resource.type else { continue }
      if own != type {
        counts[type, default: 0] += count
        (type, count, isMeant, known) = (own, 0, !groups(own).isEmpty, verdicts.parts(of: own))
      }
      guard isMeant else { continue }
      count += 1
      // What was fetched again is another object, also where it says the same.
      if let part = known[resource.name], part.properties === resource.properties { continue }
      changed.append((resource, type))
    }
    counts[type, default: 0] += count
    return (changed, counts)
  }

  /// What rules say of a document.
  private func outcomes(_ groups: [Group], on document: Value, _ input: String) -> [RowOutcome] {
    let prepared = PreparedDocument(document)
    let file = InputFile(account: input, document: document)
    var index: ResourceIndex?
    var out: [RowOutcome] = []
    for group in groups {
      let results = group.file.evaluate(prepared, rules: group.places, now: now)
      for (row, result) in zip(group.rows, results) {
        var outcome = RowOutcome(row: row, mark: PartMark(result))
        switch result {
        case .failure(let fault): outcome.fault = "\(input): \(fault)"
        case .success(let rule) where !rule.failures.isEmpty:
          let known = index ?? ResourceIndex(document)
          index = known
          outcome.findings = rule.failures.map { Finding($0, group.file, file, known) }
        default: break
        }
        out.append(outcome)
      }
    }
    return out
  }

  /// Puts together what rules say of each resource, and of what couldn't be listed.
  func settle(
    _ region: RegionState, _ chosen: [Int], _ verdicts: inout RegionVerdicts, _ looked: inout Set<Int>,
    _ out: inout Evaluated
  ) {
    guard !chosen.isEmpty else { return }
    let types = Self.types(chosen.map { rows[$0].reach })
    let failed = region.failed.filter { types?.contains($0.type) ?? true }
    var unlisted: [Int: [RowOutcome]] = [:]
    if !failed.isEmpty {
      for resource in RegionView.unlisted(failed, beside: region.resources(of: types)) {
        let document = RegionView.document(region, [resource], parameters)
        for outcome in outcomes(groups(resource.type ?? ""), on: document, region.input) {
          unlisted[outcome.row, default: []].append(outcome)
          looked.insert(outcome.row)
        }
      }
    }
    lookAtNothing(region, chosen, &verdicts)
    for row in chosen {
      let old = verdicts.rules[row]
      let new = verdict(row, verdicts, unlisted[row] ?? [], failed, region.input)
      if old.showsParts != new.showsParts { out.resources = nil }
      out.resources?.formUnion(Finding.resources(of: old.findings, or: new.findings))
      verdicts.rules[row] = new
    }
  }

  /// Rules are also asked about nothing. Those that aren't by type see that there is nothing at all.
  private func lookAtNothing(_ region: RegionState, _ chosen: [Int], _ verdicts: inout RegionVerdicts) {
    let open = chosen.filter { verdicts.tallies[$0].count == 0 && verdicts.nothing[$0] == nil }
    for isTyped in [true, false] {
      let meant = open.filter { (rows[$0].reach.types != nil) == isTyped }
      guard !meant.isEmpty else { continue }
      let document = RegionView.document(region, isTyped ? [.nothing] : [], parameters)
      for outcome in outcomes(Self.groups(meant, rows), on: document, region.input) {
        verdicts.nothing[outcome.row] = outcome
      }
    }
  }

  private func verdict(
    _ row: Int, _ verdicts: RegionVerdicts, _ unlisted: [RowOutcome], _ failed: [FailedCall], _ input: String
  ) -> RuleVerdict {
    let (file, place, reach) = (rows[row].file, rows[row].place, rows[row].reach)
    var known = verdicts.tallies[row]
    var all = known
    var beside = unlisted
    for outcome in unlisted { all.add(outcome.mark, 1) }
    if known.count == 0, let nothing = verdicts.nothing[row] {
      known.add(nothing.mark, 1)
      if unlisted.isEmpty {
        all = known
        beside = [nothing]
      } else if let fault = nothing.fault {
        return RuleVerdict(fault: fault)
      }
    }
    var verdict = RuleVerdict()
    guard all.faulty == 0 else {
      verdict.fault = (verdicts.faults(of: row) + beside.compactMap(\.fault)).min()
      return verdict
    }
    let status = all.status
    var agrees = unlisted.isEmpty || known.status == status
    if reach.counts, status != .fail, !unlisted.isEmpty { agrees = false }
    verdict.status = agrees ? status : .unknown
    verdict.hasUnknown = all.hidesUnknown || known.hidesUnknown
    verdict.isLacking = all.lacking + known.lacking > 0
    verdict.showsParts = agrees || status == .unknown
    verdict.findings =
      verdict.showsParts
      ? beside.flatMap(\.findings)
      : [
        Finding(
          undecided: file.rules[place].name, file, input, failed.filter { reach.reaches(type: $0.type) })
      ]
    return verdict
  }
}
