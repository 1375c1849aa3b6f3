// From rules to scan plans: which pattern goes into which database, at which node of which tree.
//
// Patterns of the same chain are put into one database where the sets of two variables are mostly the same (ARGS,
// cookies and their names), so that the same patterns aren't compiled five times; what a variable doesn't share is
// dropped at the hit.

struct PlanBuilder {
  let options: PolicyOptions
  private(set) var specifications: [DatabaseSpecification] = []
  private var known: [DatabaseSpecification: Int] = [:]
  private var suitabilities: [ScanPattern: PatternDatabase.Suitability] = [:]
  /// By alphabet: patterns that were asked already; most stand in several trees.
  private var plainAnswers = [[[UInt8]: Bool]](repeating: [:], count: Alphabet.allCases.count)

  init(options: PolicyOptions) { self.options = options }

  // MARK: - Laying out

  /// - Parameter guards: what rules that jump are foreseen to do, by position.
  mutating func layOut(
    phase: Int, rules: [CompiledRule], landings: Set<Int>, guards: [SlotForecast.Guard]
  ) -> DraftPhase {
    var steps: [Step] = []
    var settings: [QuickSetting] = []
    var always = [UInt64](repeating: 0, count: (rules.count + 64) / 64)
    var groupNumbers: [String: Int] = [:]
    var members: [[Int]] = []
    var previous = -1
    var hasLanded = true
    // Guards whose region hasn't ended.
    var open: [(key: String, end: Int)] = []
    // Rules before it are foreseen to be skipped: whoever comes there nevertheless asks them one by one.
    var awake = 0
    for (position, rule) in rules.enumerated() {
      open.removeAll { $0.end <= position }
      if landings.contains(position) { hasLanded = true }
      var step = Step()
      if options.scans, let quick = rule.quickStep() {
        step = quick.step
        step.firstSetting = Int32(settings.count)
        settings += quick.settings
        if step.target >= 0, guards[position] == .unknown, position >= awake {
          open.append(
            (
              "\(step.slot),\(step.comparison),\(step.constant),\(step.other),\(step.isNegated),\(step.isCount)",
              Int(step.target)
            ))
        }
      } else if options.scans, rule.isScannable, position >= awake {
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
        step.kind = .scanned
        step.group = begins ? Int32(group) : -1
        if begins { always[position / 64] |= 1 << UInt64(position % 64) }
        previous = group
        hasLanded = false
      }
      if position >= awake, guards[position] == .jumps { awake = rule.destination(from: position) }
      if step.kind != .scanned { always[position / 64] |= 1 << UInt64(position % 64) }
      steps.append(step)
    }
    let groups = members.map { classes(of: $0, rules: rules) }
    return DraftPhase(
      phase: phase, rules: rules, steps: steps, always: always, settings: settings, groups: groups)
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
        let rewrites = Self.rewrites(draft.nodes[node].rewrites, transformation)
        draft.nodes.append(
          DraftNode(parent: node, transformation: transformation, chain: chain, rewrites: rewrites))
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

  /// The transformations of a chain that rewrite, each once and in no order: chains that differ in these alone mostly give
  /// the same. What cmdLine gives is in lower case.
  private static func rewrites(_ above: [String], _ transformation: Transformation) -> [String] {
    guard transformation.rewrites else { return above }
    var names = Set(above)
    names.insert(transformation.name)
    if names.contains(Transformation.cmdLine.name) { names.remove(Transformation.lowercase.name) }
    return names.sorted()
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

  mutating func canMatch(_ expression: [UInt8], within alphabet: Alphabet) -> Bool {
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

  /// Decides which nodes, of which variables, share a database.
  private mutating func assign(_ classes: inout [DraftClass], rules: [CompiledRule]) {
    var places: [[String]: [(index: Int, own: Set<Int>)]] = [:]
    var order: [[String]] = []
    for (index, draft) in classes.enumerated() {
      var own: [[String]: Set<Int>] = [:]
      for node in draft.nodes where !node.scanned.isEmpty {
        own[node.rewrites, default: []].formUnion(node.scanned)
      }
      for (rewrites, positions) in own.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
        if places[rewrites] == nil { order.append(rewrites) }
        places[rewrites, default: []].append((index, positions))
      }
    }
    for rewrites in order {
      var clusters: [(members: Set<Int>, indices: [Int])] = []
      let sorted = (places[rewrites] ?? []).sorted {
        $0.own.count != $1.own.count ? $0.own.count > $1.own.count : $0.index < $1.index
      }
      for place in sorted {
        let fit = clusters.firstIndex { cluster in
          2 * cluster.members.intersection(place.own).count >= cluster.members.union(place.own).count
        }
        if let fit {
          clusters[fit].members.formUnion(place.own)
          clusters[fit].indices.append(place.index)
        } else {
          clusters.append((place.own, [place.index]))
        }
      }
      for cluster in clusters {
        let members = cluster.members.sorted()
        guard let all = specify(members, rules: rules, within: nil) else { continue }
        let text = specify(members, rules: rules, within: .text)
        let identifier = specify(members, rules: rules, within: .identifier)
        for index in cluster.indices {
          classes[index].scans.append(
            DraftScan(
              rewrites: rewrites, members: members, specification: all, text: text, identifier: identifier))
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
        for plan in group {
          var filling = PlanFilling(plan, rules: draft.rules, built: built)
          filling.add(to: &tables, &self)
        }
        groups.append(ScanGroup(tables))
      }
      phases.append(
        PhasePlan(
          phase: draft.phase, rules: draft.rules, steps: draft.steps, always: draft.always,
          settings: draft.settings,
          groups: groups))
    }
    let largest = specifications.map { ($0.owners.max() ?? 0) + 1 }.max() ?? 0
    return Result(
      phases: phases, databases: built.compactMap(\.database), largest: Int(largest), statistics: statistics)
  }
}
