// Clauses that name another rule: what is wrong by that rule is wrong by this one, where it is.

/// What came of a rule.
struct EvaluatedRule {
  let result: RuleResult
  let verdict: Verdict
  /// Which of its failures are about a value, or about something in the block over it; nil = nobody asked yet.
  var about: [ObjectIdentifier: [Int]]?
}

/// A reference in the block over a value.
struct ToldReference: Hashable {
  let place: TextPlace
  let within: ObjectIdentifier?
}

extension Evaluation {
  /// Of several rules with the name it is what the first says that isn't a skip.
  func status(of reference: RuleReference) throws(EvaluationFault) -> Verdict {
    var named: (index: Int, rule: EvaluatedRule)?
    for index in file.index[reference.name] ?? [] where named == nil {
      let rule = try evaluated(index)
      if rule.verdict != .skip { named = (index, rule) }
    }
    let verdict = named?.rule.verdict ?? .skip
    let status: Verdict =
      !verdict.isCertain ? .unknown : (verdict == .pass) != reference.isInverted ? .pass : .fail
    guard status != .pass else { return status }
    if status == .unknown || named?.rule.result.hasUnknown == true { isUncertain = true }
    guard !isSilent else { return status }
    let clause = (reference.isInverted ? "not " : "") + reference.name
    var reasons: [Failure] = []
    if let named { reasons = try self.reasons(of: named.index, at: reference.place) }
    for reason in reasons {
      failures.append(
        Failure(
          rule: rule, place: reference.place, clause: clause, message: reference.message ?? reason.message,
          value: reason.value, missing: reason.missing, wanted: reason.wanted,
          isUnknown: status == .unknown || reason.isUnknown, within: reason.within))
    }
    if reasons.isEmpty {
      fail(reference.place, clause, reference.message, nil, nil, nil, isUnknown: status == .unknown)
    }
    return status
  }

  /// Why a rule isn't kept, each value once, and the document as a whole only where nothing in it is told. In a block it is
  /// only what is about the block's value, else blocks over many would each tell of all; told once for each block.
  private func reasons(of index: Int, at place: TextPlace) throws(EvaluationFault) -> [Failure] {
    guard let all = results[index]?.result.failures,
      told.insert(ToldReference(place: place, within: within.map(ObjectIdentifier.init))).inserted
    else { return [] }
    var reasons: [Failure]
    if let within {
      let about = results[index]?.about ?? Self.about(all)
      results[index]?.about = about
      reasons = (about[ObjectIdentifier(within)] ?? []).map { all[$0] }
    } else {
      reasons = all.filter { $0.value !== document.root }
      if reasons.isEmpty { reasons = Array(all.prefix(1)) }
    }
    try charge(reasons.count, place, "rules name rules that aren't kept too often")
    var known: Set<ObjectIdentifier> = []
    return reasons.filter { $0.value.map { known.insert(ObjectIdentifier($0)).inserted } ?? true }
  }

  private static func about(_ failures: [Failure]) -> [ObjectIdentifier: [Int]] {
    var about: [ObjectIdentifier: [Int]] = [:]
    for (place, failure) in failures.enumerated() {
      if let value = failure.value { about[ObjectIdentifier(value), default: []].append(place) }
      if let within = failure.within, within !== failure.value {
        about[ObjectIdentifier(within), default: []].append(place)
      }
    }
    return about
  }
}
