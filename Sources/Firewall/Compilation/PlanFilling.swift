// A class of a scan plan put into the flat tables of its group, once the databases are there.

struct PlanFilling {
  let draft: PlanBuilder.DraftClass
  let rules: [CompiledRule]
  let built: [DatabaseBuilding.Built]
  /// The uses of each operator, and how the same operator of another rule is told to be the same.
  private var tests: [(operation: any Operator, isBounded: Bool, uses: [PlanUse])] = []
  private var known: [String: Int] = [:]
  /// Where each rule's chain ends.
  private var ends: [Int: Int] = [:]

  init(
    _ draft: PlanBuilder.DraftClass, rules: [CompiledRule], built: [DatabaseBuilding.Built]
  ) {
    self.draft = draft
    self.rules = rules
    self.built = built
    // With multiMatch a rule stands at every node of its chain: the last has the longest chain.
    for (number, node) in draft.nodes.enumerated() {
      for position in node.scanned + node.tested { ends[position] = number }
    }
  }

  mutating func add(to tables: inout ScanTables, _ builder: inout PlanBuilder) {
    let words = (draft.nodes.count + 63) / 64
    let firstNode = tables.nodes.count
    let firstMask = tables.masks.count
    let triggers = addNodes(words, to: &tables)
    let firstScan = tables.scans.count
    for scan in draft.scans { add(scan, words, to: &tables, &builder) }
    for (number, node) in draft.nodes.enumerated() {
      for position in node.tested where ends[position] == number {
        addTest(position, to: &tables, &builder)
      }
    }
    let firstTest = tables.tests.count
    for test in tests {
      tables.operations.append(test.operation)
      tables.tests.append(
        PlanTest(
          operation: Int32(tables.operations.count - 1), isBounded: test.isBounded,
          firstUse: Int32(tables.uses.count), useCount: Int32(test.uses.count)))
      tables.uses += test.uses
    }
    tables.plans.append(
      ClassPlan(
        variable: draft.variable, isNamed: draft.name != nil, name: draft.name ?? .empty,
        firstNode: firstNode, nodeCount: draft.nodes.count, firstScan: firstScan,
        scanCount: draft.scans.count, firstTest: firstTest, testCount: tests.count, triggers: triggers,
        firstMask: firstMask, maskWords: words))
  }

  /// The nodes and the sets of those that a kind of byte concerns.
  /// - Returns: all kinds that concern any.
  private func addNodes(_ words: Int, to tables: inout ScanTables) -> ByteClass {
    // What each chain looks at; nil: it changes whatever the value holds.
    var looks: [ByteClass?] = []
    var all: ByteClass? = []
    for node in draft.nodes {
      let above = node.parent >= 0 ? looks[node.parent] : []
      let own = node.transformation?.triggers ?? []
      let look: ByteClass? = own == .anything ? nil : above.map { $0.union(own) }
      looks.append(look)
      all = look.flatMap { look in all.map { $0.union(look) } }
      var number = -1
      if let transformation = node.transformation {
        if let known = tables.transformations.firstIndex(where: { $0.name == transformation.name }) {
          number = known
        } else {
          number = tables.transformations.count
          tables.transformations.append(transformation)
        }
      }
      tables.nodes.append(
        PlanNode(parent: Int32(node.parent), transformation: Int32(number), triggers: own))
    }
    func mask(_ isIn: (ByteClass?) -> Bool) {
      var mask = [UInt64](repeating: 0, count: words)
      for (number, look) in looks.enumerated() where isIn(look) {
        mask[number / 64] |= 1 << UInt64(number % 64)
      }
      tables.masks += mask
    }
    mask { $0 == nil }
    for kind in 0..<UInt32(32) { mask { $0.map { $0.rawValue >> kind & 1 != 0 } ?? false } }
    return all ?? .anything
  }

  private func entry(_ position: Int, isExact: Bool = false, to tables: inout ScanTables) -> PlanEntry? {
    guard let link = rules[position].links.first else { return nil }
    let isWhole =
      link.whole.contains(draft.variable) && !link.exclusions.contains { $0.variable == draft.variable }
    tables.kept.append(link)
    return PlanEntry(
      position: Int32(position), node: Int32(ends[position] ?? -1), isUnconditional: isWhole,
      isMultiMatch: link.isMultiMatch, isExact: isExact, link: .passUnretained(link))
  }

  /// How plain a value may be. A negated test, and one that no pattern stands for, can be true of any value.
  private func least(_ link: CompiledLink, _ builder: inout PlanBuilder) -> UInt8 {
    guard !link.isNegated, let operation = link.operation else { return 0 }
    if let regex = operation as? any PatternOperator {
      if builder.canMatch(regex.pattern, within: .identifier) { return 0 }
      return builder.canMatch(regex.pattern, within: .text) ? 1 : 2
    }
    if let set = operation as? any LiteralSet {
      if set.literals.contains(where: Alphabet.identifier.contains) { return 0 }
      return set.literals.contains(where: Alphabet.text.contains) ? 1 : 2
    }
    return 0
  }

  private mutating func addTest(
    _ position: Int, isBounded: Bool = false, to tables: inout ScanTables, _ builder: inout PlanBuilder
  ) {
    guard let entry = entry(position, to: &tables), let link = rules[position].links.first,
      let test = link.test,
      let operation = link.operation
    else { return }
    let use = PlanUse(entry: entry, isNegated: link.isNegated, least: least(link, &builder))
    // Operators that name files aren't compared: the same name may mean another file.
    let isOfFile = test.name.lowercased().contains("file")
    let key =
      "\(test.name) \(isBounded) \(isOfFile ? "\(ObjectIdentifier(operation))" : test.argument.literal?.text ?? "")"
    if let number = known[key] {
      tests[number].uses.append(use)
    } else {
      known[key] = tests.count
      tests.append((operation, isBounded, [use]))
    }
  }

  private mutating func add(
    _ scan: PlanBuilder.DraftScan, _ words: Int, to tables: inout ScanTables, _ builder: inout PlanBuilder
  ) {
    var looks: (identifier: Int32, text: Int32, all: Int32) = (-1, -1, -1)
    let result = built[scan.specification]
    func add(_ number: Int, _ database: PatternDatabase) -> Int32 {
      let firstEntry = tables.entries.count
      // Ids whose hits only a regular expression that is there as it is can give.
      let wide = builder.specifications[number]
      let unsure = Set(built[number].prefiltered.map { wide.owners[$0] }).union(
        wide.patterns.indices.filter { wide.patterns[$0].isLiteral }.map { wide.owners[$0] })
      for (id, position) in scan.members.enumerated() {
        if let made = entry(position, isExact: !unsure.contains(UInt32(id)), to: &tables) {
          tables.entries.append(made)
        }
      }
      tables.kept.append(database)
      tables.looks.append(
        PlanLook(
          database: .passUnretained(database), firstEntry: firstEntry, entryCount: scan.members.count))
      return Int32(tables.looks.count - 1)
    }
    if let database = result.database {
      looks.all = add(scan.specification, database)
      // A database that isn't there, or lacks what the larger one has: the larger one does.
      func plain(_ specification: Int?) -> Int32 {
        guard let specification else { return -1 }
        guard specification != scan.specification, built[specification].refused.isEmpty,
          let database = built[specification].database
        else { return looks.all }
        return add(specification, database)
      }
      looks.text = plain(scan.text)
      looks.identifier = scan.identifier == scan.text ? looks.text : plain(scan.identifier)
    }
    // What Vectorscan refused after all, PCRE2 looks at.
    let refused = Set(result.refused.map { Int(builder.specifications[scan.specification].owners[$0]) })
    for id in refused.sorted() where ends[scan.members[id]] != nil {
      addTest(scan.members[id], isBounded: true, to: &tables, &builder)
    }
    let firstMask = tables.masks.count
    var mask = [UInt64](repeating: 0, count: words)
    for (number, node) in draft.nodes.enumerated()
    where node.rewrites == scan.rewrites && !node.scanned.isEmpty {
      mask[number / 64] |= 1 << UInt64(number % 64)
    }
    tables.masks += mask
    tables.scans.append(
      PlanScan(identifier: looks.identifier, text: looks.text, all: looks.all, firstMask: firstMask))
    tables.rewrites.append(scan.rewrites)
  }
}
