// Checks of the walk: rules that are never reached, skips that lead back, variables that are empty in a phase.

extension Lint {
  // MARK: - Reachability

  mutating func checkFlow() {
    for plan in policy.phases {
      let own = rules.filter { $0.compiled.phase == plan.phase }
      // By position: the rule that ends the way before it, where it isn't reached.
      var isReached = [Bool](repeating: false, count: own.count + 1)
      if !own.isEmpty { isReached[0] = true }
      var cause: Rule?
      var lost: [Rule] = []
      for rule in own {
        guard isReached[rule.position] else {
          lost.append(rule)
          continue
        }
        report(lost, cause)
        lost = []
        let compiled = rule.compiled
        let target = compiled.skipTo ?? (compiled.skip > 0 ? rule.position + 1 + compiled.skip : nil)
        if let target, target < isReached.count { isReached[target] = true }
        if compiled.isUnconditional, target != nil || compiled.endsPhase {
          cause = rule
        } else {
          isReached[rule.position + 1] = true
        }
      }
      report(lost, cause)
    }
    for (number, rule) in rules.enumerated() {
      for link in rule.draft.links {
        guard let marker = link.argument("skipafter") else { continue }
        let places = markers.filter { $0.name == marker }
        guard !places.isEmpty, places.allSatisfy({ $0.rulesBefore <= number }) else { continue }
        warn(
          .skipBackwards, rule, at: link.place,
          "skipAfter:\(marker), a marker that stands before it: all rules of the "
            + "phase that follow are skipped", "put the marker after the rule")
      }
    }
  }

  private mutating func report(_ lost: [Rule], _ cause: Rule?) {
    guard let first = lost.first, let cause else { return }
    let others = ["", " (nor is the one after it)"]
    let after = lost.count < 3 ? others[lost.count - 1] : " (nor are the \(lost.count - 1) after it)"
    warn(
      .neverReached, first,
      "it is never reached\(after): rule \(cause.id) at \(cause.draft.place) always leads past it",
      "give that rule a condition, or take this one out")
  }

  // MARK: - Phases

  private static let bodyVariables: [Variable] = [
    .argsPost, .argsPostNames, .files, .filesCombinedSize, .filesNames, .filesSizes, .filesTmpContent,
    .filesTmpNames, .multipartFilename, .multipartName, .multipartPartHeaders, .requestBody,
    .requestBodyLength, .xml,
  ]
  private static let responseVariables: [Variable] = [
    .responseBody, .responseContentLength, .responseContentType, .responseHeaders, .responseHeadersNames,
    .responseProtocol, .responseStatus, .statusLine,
  ]

  private func isEmpty(_ variable: Variable, inPhase phase: Int) -> Bool {
    switch phase {
    case 1: Lint.bodyVariables.contains(variable) || Lint.responseVariables.contains(variable)
    case 2: Lint.responseVariables.contains(variable)
    case 3: variable == .responseBody
    default: false
    }
  }

  mutating func checkPhases() {
    var readsResponse: Rule?
    var responseCount = 0
    for rule in rules {
      for link in rule.compiled.links where link.test != nil {
        // Counting what isn't there gives 0, which can be meant.
        let values = link.targets.filter { !$0.isCount }
        let empty = values.filter { isEmpty($0.variable, inPhase: rule.compiled.phase) }
        if values.contains(where: { $0.variable == .responseBody }), rule.compiled.phase >= 4 {
          readsResponse = readsResponse ?? rule
          responseCount += 1
        }
        guard let first = empty.first else { continue }
        let names = Set(empty.map(\.variable.name)).sorted().joined(separator: ", ")
        let phase = Lint.bodyVariables.contains(first.variable) ? 2 : first.variable == .responseBody ? 4 : 3
        if empty.count == link.targets.count {
          warn(
            .emptyInPhase, rule, at: link.place,
            "it can never match: \(names) has no value in phase \(rule.compiled.phase)", "phase:\(phase)")
        } else {
          warn(
            .emptyInPhase, rule, at: link.place,
            "\(names) has no value in phase \(rule.compiled.phase)", "phase:\(phase), or a list without it")
        }
      }
    }
    if let readsResponse, !policy.bodies.responseBodyAccess {
      warn(
        .bodyAccess, readsResponse,
        "\(responseCount) \(responseCount == 1 ? "test looks" : "tests look") at RESPONSE_BODY, and SecResponseBodyAccess "
          + (hasSetting("SecResponseBodyAccess") ? "is Off" : "isn't On"),
        "SecResponseBodyAccess On, or no such rules")
    }
  }
}

extension CompiledRule {
  /// Whether it matches whatever comes.
  var isUnconditional: Bool {
    guard links.count == 1, let link = links.first else { return false }
    guard let operation = link.operation else { return link.test == nil }
    let always: Set<Variable> = [
      .remoteAddr, .requestMethod, .requestURI, .uniqueID, .requestLine, .requestProtocol,
    ]
    return operation is UnconditionalMatch && !link.isNegated && link.exclusions.isEmpty
      && link.targets.contains { always.contains($0.variable) && $0.selector == .all }
  }

  /// Whether no rule of the phase follows a match, skips aside.
  var endsPhase: Bool {
    switch disruption {
    case .pass: false
    case .deny, .drop, .redirect: phase < 5
    case .allow: true
    }
  }
}
