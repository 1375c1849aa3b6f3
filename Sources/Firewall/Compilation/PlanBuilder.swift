// From rules to scan plans: which pattern goes into which database, at which node of which tree.
//
// Patterns of the same chain are put into one database where the sets of two variables are mostly the same (ARGS,
// cookies and their names), so that the same patterns aren't compiled five times; what a variable doesn't share is
// dropped at the hit.

struct PlanBuilder {
  let options: PolicyOptions
  private var specifications: [DatabaseSpecification] = []
  private var known: [DatabaseSpecification: Int] = [:]
  private var suitabilities: [ScanPattern: PatternDatabase.Suitability] = [:]
  /// By alphabet: patterns that were asked already; most stand in several trees.
  private var plainAnswers = [[[UInt8]: Bool]](repeating: [:], count: Alphabet.allCases.count)

  init(options: PolicyOptions) { self.options = options }

  // MARK: - Laying out

  mutating func layOut(phase: Int, rules: [CompiledRule], landings: Set<Int>) -> DraftPhase {
    var steps: [Step] = []
    var always = [UInt64](repeating: 0, count: (rules.count + 64) / 64)
    var groupNumbers: [String: Int] = [:]
    var members: [[Int]] = []
    var previous = -1
    var hasLanded = true
    // Guards whose region hasn't ended.
    var open: [(key: String, end: Int)] = []
    for (position, rule) in rules.enumerated() {
      open.removeAll { $0.end <= position }
      if landings.contains(position) { hasLanded = true }
      var step = Step(
        kind: .rule, comparison: .eq, isNegated: false, slot: -1, constant: 0, target: -1, group: -1)
      if options.scans, let guardStep = rule.guardStep() {
        step = guardStep
        open.append(
          (
            "\(guardStep.slot),\(guardStep.comparison),\(guardStep.constant),\(guardStep.isNegated)",
            Int(guardStep.target)
          ))
      } else if options.scans, rule.isScannable {
        let key = Set(open.map(\.key)).sorted().joined(separator: ";")
        let group: Int
        if let known = groupNumbers[key] {
          group = known
        } else {
          group = members.count
          groupNumbers[key] = group
          members.append([])
        }
        members[group].append(position)
        let begins = hasLanded || group != previous
        step = Step(
          kind: .scanned, comparison: .eq, isNegated: false, slot: -1, constant: 0, target: -1,
          group: begins ? Int32(group) : -1)
        if begins { always[position / 64] |= 1 << UInt64(position % 64) }
        previous = group
        hasLanded = false
      }
      if step.kind != .scanned { always[position / 64] |= 1 << UInt64(position % 64) }
      steps.append(step)
    }
    let groups = members.map { classes(of: $0, rules: rules) }
    return DraftPhase(phase: phase, rules: rules, steps: steps, always: always, groups: groups)
  }

  private mutating func classes(of positions: [Int], rules: [CompiledRule]) -> [DraftClass] {
    var classes: [DraftClass] = []
    for position in positions {
      guard let link = rules[position].links.first else { continue }
      var done: Set<String> = []
      // Variables of which all values come by: one of them that is named too isn't looked at twice.
      var whole = VariableSet()
      for target in link.targets where target.selector == .all || target.selector == .regex {
        whole.insert(target.variable)
      }
      for target in link.targets {
        let name: ByteView? =
          switch target.selector {
          case .all, .regex: nil
          case .name, .xpath: whole.contains(target.variable) ? nil : target.name
          }
        // A rule that names a variable twice is looked at once.
        guard done.insert("\(target.variable.rawValue):\(name?.text.lowercased() ?? "")").inserted else {
          continue
        }
        let index: Int
        if let found = classes.firstIndex(where: {
          $0.variable == target.variable && Self.sameName($0.name, name)
        }) {
          index = found
        } else {
          index = classes.count
          classes.append(DraftClass(variable: target.variable, name: name))
        }
        attach(position, link, to: &classes[index])
      }
    }
    assign(&classes, rules: rules)
    return classes
  }

  private static func sameName(_ a: ByteView?, _ b: ByteView?) -> Bool {
    switch (a, b) {
    case (nil, nil): true
    case (let a?, let b?): a.equalsIgnoringCase(b)
    default: false
    }
  }

  private mutating func attach(_ position: Int, _ link: CompiledLink, to draft: inout DraftClass) {
    var node = 0
    var path = [0]
    for transformation in link.transformations {
      let chain = draft.nodes[node].chain + [transformation.name]
      if let child = draft.nodes.firstIndex(where: { $0.parent == node && $0.chain == chain }) {
        node = child
      } else {
        draft.nodes.append(DraftNode(parent: node, transformation: transformation, chain: chain))
        node = draft.nodes.count - 1
      }
      path.append(node)
    }
    let isScanned = patterns(of: link) != nil
    // With multiMatch the value counts at every step of the chain.
    for node in link.isMultiMatch ? path : [node] {
      if isScanned {
        draft.nodes[node].scanned.append(position)
      } else {
        draft.nodes[node].tested.append(position)
      }
    }
  }

  /// What a database would look for in place of the operator; nil where it can't.
  private mutating func patterns(of link: CompiledLink) -> [ScanPattern]? {
    guard let test = link.test, !test.isNegated, let operation = test.constant else { return nil }
    let patterns: [ScanPattern]
    if let regex = operation as? any PatternOperator {
      patterns = [ScanPattern(expression: regex.pattern, isLiteral: false)]
    } else if let set = operation as? any LiteralSet {
      patterns = set.literals.map { ScanPattern(expression: $0, isLiteral: true) }
    } else {
      return nil
    }
    guard !patterns.isEmpty else { return nil }
    for pattern in patterns {
      switch suitability(pattern) {
      case .refused, .matchesEmpty: return nil
      case .exact, .prefilter: break
      }
    }
    return patterns
  }

  private mutating func canMatch(_ pattern: ScanPattern, within alphabet: Alphabet) -> Bool {
    pattern.isLiteral ? alphabet.contains(pattern.expression) : canMatch(pattern.expression, within: alphabet)
  }

  private mutating func canMatch(_ expression: [UInt8], within alphabet: Alphabet) -> Bool {
    if let known = plainAnswers[alphabet.rawValue][expression] { return known }
    let answer = PatternAlphabet.canMatch(expression, within: alphabet)
    plainAnswers[alphabet.rawValue][expression] = answer
    return answer
  }

  private mutating func suitability(_ pattern: ScanPattern) -> PatternDatabase.Suitability {
    if let known = suitabilities[pattern] { return known }
    let found = PatternDatabase.suitability(of: pattern, multiline: options.regex.multiline)
    suitabilities[pattern] = found
    return found
  }

  /// Decides which nodes share a database.
  private mutating func assign(_ classes: inout [DraftClass], rules: [CompiledRule]) {
    var places: [String: [(index: Int, node: Int)]] = [:]
    var order: [String] = []
    for (index, draft) in classes.enumerated() {
      for (node, content) in draft.nodes.enumerated() where !content.scanned.isEmpty {
        let key = content.chain.joined(separator: ",")
        if places[key] == nil { order.append(key) }
        places[key, default: []].append((index, node))
      }
    }
    for key in order {
      var clusters: [(members: Set<Int>, places: [(index: Int, node: Int)])] = []
      let sorted = (places[key] ?? []).sorted {
        let (a, b) = (
          classes[$0.index].nodes[$0.node].scanned.count, classes[$1.index].nodes[$1.node].scanned.count
        )
        return a != b ? a > b : $0.index < $1.index
      }
      for place in sorted {
        let own = Set(classes[place.index].nodes[place.node].scanned)
        let fit = clusters.firstIndex { cluster in
          2 * cluster.members.intersection(own).count >= cluster.members.union(own).count
        }
        if let fit {
          clusters[fit].members.formUnion(own)
          clusters[fit].places.append(place)
        } else {
          clusters.append((own, [place]))
        }
      }
      for cluster in clusters {
        let members = cluster.members.sorted()
        guard let all = specify(members, rules: rules, within: nil) else { continue }
        let text = specify(members, rules: rules, within: .text)
        let identifier = specify(members, rules: rules, within: .identifier)
        for place in cluster.places {
          classes[place.index].nodes[place.node].scan = (members, all, text, identifier)
        }
      }
    }
  }

  /// The database of these rules' patterns, of those that can match a value of the alphabet; nil: of none.
  private mutating func specify(_ members: [Int], rules: [CompiledRule], within alphabet: Alphabet?) -> Int? {
    var specification = DatabaseSpecification(patterns: [], owners: [], prefilter: [])
    for (id, position) in members.enumerated() {
      guard let link = rules[position].links.first, let patterns = patterns(of: link) else { continue }
      for pattern in patterns {
        if let alphabet, !canMatch(pattern, within: alphabet) { continue }
        if suitability(pattern) == .prefilter { specification.prefilter.insert(specification.patterns.count) }
        specification.patterns.append(pattern)
        specification.owners.append(UInt32(id))
      }
    }
    if specification.patterns.isEmpty { return nil }
    if let index = known[specification] { return index }
    specifications.append(specification)
    known[specification] = specifications.count - 1
    return specifications.count - 1
  }

  // MARK: - Building

  struct Result {
    var phases: [PhasePlan]
    var databases: [PatternDatabase]
    var largest: Int
    var statistics: PolicyStatistics
  }

  /// Builds the databases, as many at once as the caller lends hands, and puts everything together.
  mutating func build(_ drafts: [DraftPhase]) -> Result {
    let built = DatabaseBuilding(options: options, specifications: specifications).run()
    var statistics = PolicyStatistics()
    for (specification, result) in zip(specifications, built) {
      statistics.patterns += specification.patterns.count
      statistics.prefilterPatterns += specification.prefilter.count
      statistics.refusedPatterns += result.refused.count
      statistics.cachedDatabases += result.isCached ? 1 : 0
      statistics.databases += result.database == nil ? 0 : 1
      statistics.missingDatabases += result.isPutOff ? 1 : 0
      statistics.databaseBytes += result.database?.size ?? 0
    }
    var phases: [PhasePlan] = []
    for draft in drafts {
      statistics.scannedRules += draft.steps.filter { $0.kind == .scanned }.count
      var groups: [ScanGroup] = []
      for group in draft.groups {
        var tables = ScanTables()
        for plan in group { add(plan, to: &tables, rules: draft.rules, built: built) }
        groups.append(ScanGroup(tables))
      }
      phases.append(
        PhasePlan(
          phase: draft.phase, rules: draft.rules, steps: draft.steps, always: draft.always, groups: groups))
    }
    let largest = specifications.map { ($0.owners.max() ?? 0) + 1 }.max() ?? 0
    return Result(
      phases: phases, databases: built.compactMap(\.database), largest: Int(largest), statistics: statistics)
  }

  private mutating func add(
    _ draft: DraftClass, to tables: inout ScanTables, rules: [CompiledRule], built: [DatabaseBuilding.Built]
  ) {
    func entry(_ position: Int, isExact: Bool = false) -> PlanEntry? {
      guard let link = rules[position].links.first else { return nil }
      let isWhole =
        link.whole.contains(draft.variable) && !link.exclusions.contains { $0.variable == draft.variable }
      tables.kept.append(link)
      return PlanEntry(
        position: Int32(position), isUnconditional: isWhole, isMultiMatch: link.isMultiMatch,
        isExact: isExact,
        link: .passUnretained(link))
    }
    /// A negated test, and one that no pattern stands for, can be true of any value.
    func least(_ link: CompiledLink?) -> UInt8 {
      guard let link, !link.isNegated, let operation = link.operation else { return 0 }
      func can(_ alphabet: Alphabet) -> Bool {
        if let regex = operation as? any PatternOperator {
          return canMatch(regex.pattern, within: alphabet)
        }
        if let set = operation as? any LiteralSet { return set.literals.contains { alphabet.contains($0) } }
        return true
      }
      if can(.identifier) { return 0 }
      return can(.text) ? 1 : 2
    }
    func addTest(_ position: Int, isBounded: Bool = false) {
      guard let entry = entry(position), let operation = rules[position].links.first?.operation else {
        return
      }
      tables.operations.append(operation)
      tables.tests.append(
        PlanTest(
          entry: entry, operation: Int32(tables.operations.count - 1),
          isNegated: rules[position].links.first?.isNegated ?? false, isBounded: isBounded,
          least: least(rules[position].links.first)))
    }
    let firstNode = tables.nodes.count
    for node in draft.nodes {
      let firstTest = tables.tests.count
      var scans: (identifier: Int32, text: Int32, all: Int32) = (-1, -1, -1)
      for position in node.tested { addTest(position) }
      if let scan = node.scan {
        let result = built[scan.specification]
        if let database = result.database {
          func add(_ number: Int, _ database: PatternDatabase) -> Int32 {
            let firstEntry = tables.entries.count
            // Ids whose hits only a regular expression that is there as it is can give.
            let wide = specifications[number]
            let unsure = Set(built[number].prefiltered.map { wide.owners[$0] }).union(
              wide.patterns.indices.filter { wide.patterns[$0].isLiteral }.map { wide.owners[$0] })
            for (id, position) in scan.members.enumerated() {
              if let made = entry(position, isExact: !unsure.contains(UInt32(id))) {
                tables.entries.append(made)
              }
            }
            tables.kept.append(database)
            tables.scans.append(
              PlanScan(
                database: .passUnretained(database), firstEntry: firstEntry, entryCount: scan.members.count))
            return Int32(tables.scans.count - 1)
          }
          scans.all = add(scan.specification, database)
          // A database that isn't there, or lacks what the larger one has: the larger one does.
          func plain(_ specification: Int?) -> Int32 {
            guard let specification else { return -1 }
            guard specification != scan.specification, built[specification].refused.isEmpty,
              let database = built[specification].database
            else { return scans.all }
            return add(specification, database)
          }
          scans.text = plain(scan.text)
          scans.identifier = scan.identifier == scan.text ? scans.text : plain(scan.identifier)
        }
        // What Vectorscan refused after all, PCRE2 looks at.
        let refused = Set(result.refused.map { Int(specifications[scan.specification].owners[$0]) })
        let own = Set(node.scanned)
        for id in refused.sorted() where own.contains(scan.members[id]) {
          addTest(scan.members[id], isBounded: true)
        }
      }
      var number = -1
      if let transformation = node.transformation {
        number = tables.transformations.count
        tables.transformations.append(transformation)
      }
      tables.nodes.append(
        PlanNode(
          parent: Int32(node.parent), transformation: Int32(number),
          triggers: node.transformation?.triggers ?? [],
          identifierScan: scans.identifier, textScan: scans.text, scan: scans.all,
          firstTest: Int32(firstTest),
          testCount: Int32(tables.tests.count - firstTest)))
    }
    tables.plans.append(
      ClassPlan(
        variable: draft.variable, isNamed: draft.name != nil, name: draft.name ?? .empty,
        firstNode: firstNode,
        nodeCount: draft.nodes.count))
  }
}
