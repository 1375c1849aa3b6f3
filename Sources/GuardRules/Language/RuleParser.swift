// Text → a file of rules. Recursive descent; after a fault reading goes on at the next rule, so that all faults of a file
// are told at once.

extension RuleFile {
  /// Reads a file of rules.
  /// - Parameter name: as it is called in messages.
  /// - Throws: `RuleFaults` with all faults that were found.
  public init(_ text: String, name: String) throws(RuleFaults) {
    var parser = RuleParser(text, file: name)
    self = try parser.file()
  }
}

struct RuleParser {
  var scanner: RuleScanner
  var depth = 0
  private var faults: [RuleFault] = []
  private var notes: [String: RuleNotes] = [:]
  /// Comment lines that belong to a rule.
  private var usedNotes: Set<Int> = []

  /// Blocks, filters, lists and calls within each other: more than any rule needs, and little enough for a small stack.
  static var mostDepth: Int { 32 }
  /// Steps of a query.
  static var mostSteps: Int { 64 }

  init(_ text: String, file: String) { scanner = RuleScanner(text, file: file) }

  mutating func file() throws(RuleFaults) -> RuleFile {
    var variables: [Assignment] = []
    var rules: [Rule] = []
    var called: [CalledRule] = []
    var loose: [Disjunction] = []
    var loosePlace: TextPlace?
    scanner.skipBlanks()
    while !scanner.isAtEnd {
      let begin = scanner.position
      do throws(RuleFault) {
        if let assignment = try assignment() {
          variables.append(assignment)
        } else if isRule {
          let place = scanner.place(at: begin)
          _ = scanner.takeWord()
          scanner.skipBlanks()
          let comments = scanner.comments(above: begin)
          usedNotes.formUnion(comments)
          let name = try name("the rule's name")
          if scanner.peek() == UInt8(ascii: "(") {
            // Nothing is ever told of such a rule by its name.
            usedNotes.subtract(comments)
            let parameters = try parameters()
            called.append(CalledRule(name: name, place: place, parameters: parameters, body: try block()))
          } else {
            readNotes(of: name, comments)
            let conditions = try conditions()
            rules.append(Rule(name: name, place: place, conditions: conditions, body: try block()))
          }
        } else {
          if loosePlace == nil { loosePlace = scanner.place(at: begin) }
          loose.append(try disjunction(allowsBlocks: true))
        }
      } catch {
        faults.append(error)
        depth = 0
        scanner.skipToRule()
      }
      scanner.skipBlanks()
    }
    if let place = loosePlace {
      rules.append(
        Rule(name: "default", place: place, conditions: [], body: Block(variables: [], clauses: loose)))
    }
    for position in scanner.noteLines.subtracting(usedNotes).sorted() {
      guard let note = scanner.note(at: position) else { continue }
      fault(
        at: note.position, found: "\"@\(note.key)\" above no rule",
        wanted: "notes directly above a rule without parameters")
    }
    let file = RuleFile(
      name: scanner.file, variables: variables, rules: rules, called: called, notes: notes)
    // In the order of the text: notes are read when their rule is.
    faults.sort { ($0.place.line, $0.place.column) < ($1.place.line, $1.place.column) }
    if faults.isEmpty {
      var check = RuleCheck(file)
      faults = check.faults()
    }
    guard faults.isEmpty else { throw RuleFaults(all: faults) }
    return file
  }

  private mutating func fault(at position: Int, found: String, wanted: String) {
    faults.append(
      RuleFault(file: scanner.file, place: scanner.place(at: position), found: found, wanted: wanted))
  }

  private mutating func readNotes(of rule: String, _ comments: [Int]) {
    let lines = comments.compactMap { scanner.note(at: $0) }
    guard !lines.isEmpty else { return }
    var wrong: [(Int, String, String)] = []
    let read = RuleNotes(lines) { wrong.append(($0, $1, $2)) }
    for (position, found, wanted) in wrong { fault(at: position, found: found, wanted: wanted) }
    if notes[rule] != nil {
      fault(
        at: lines[0].position, found: "notes of rule \(rule) a second time", wanted: "notes of a name once")
    }
    notes[rule] = read
  }

  private var isRule: Bool {
    scanner.word() == "rule" && scanner.isBlank(4)
  }

  private mutating func parameters() throws(RuleFault) -> [String] {
    _ = scanner.take("(")
    var names: [String] = []
    scanner.skipBlanks()
    while !scanner.take(")") {
      if !names.isEmpty {
        guard scanner.take(",") else { throw scanner.fault("\",\" or \")\"") }
        scanner.skipBlanks()
      }
      names.append(try name("a parameter's name"))
      scanner.skipBlanks()
    }
    return names
  }

  mutating func name(_ what: String) throws(RuleFault) -> String {
    guard let first = scanner.peek(), (65...90).contains(first) || (97...122).contains(first),
      let name = scanner.takeWord()
    else { throw scanner.fault("\(what): a letter, then letters, digits and _") }
    return name
  }

  // MARK: - Blocks

  /// `let name = …`, if it stands here.
  mutating func assignment() throws(RuleFault) -> Assignment? {
    let begin = scanner.position
    guard scanner.word() == "let", scanner.isBlank(3) else { return nil }
    _ = scanner.takeWord()
    scanner.skipBlanks()
    let name = try name("the variable's name")
    scanner.skipBlanks()
    guard scanner.take(":=") || scanner.take("=") else { throw scanner.fault("=") }
    scanner.skipBlanks()
    return Assignment(name: name, place: scanner.place(at: begin), operand: try operand())
  }

  /// `{ … }`
  mutating func block() throws(RuleFault) -> Block {
    scanner.skipBlanks()
    let begin = scanner.position
    guard scanner.take("{") else { throw scanner.fault("{") }
    depth += 1
    guard depth <= Self.mostDepth else {
      throw scanner.fault("at most \(Self.mostDepth) blocks within each other")
    }
    var variables: [Assignment] = []
    var clauses: [Disjunction] = []
    scanner.skipBlanks()
    while !scanner.take("}") {
      if scanner.isAtEnd { throw scanner.fault("a closing } of the block", at: begin) }
      if let assignment = try assignment() {
        variables.append(assignment)
      } else {
        clauses.append(try disjunction(allowsBlocks: true))
      }
      scanner.skipBlanks()
    }
    depth -= 1
    guard !variables.isEmpty || !clauses.isEmpty else {
      throw scanner.fault("a clause in the block", at: begin)
    }
    return Block(variables: variables, clauses: clauses)
  }

  /// `when …`, if it stands here.
  mutating func conditions() throws(RuleFault) -> [Disjunction] {
    scanner.skipBlanks()
    guard scanner.take(word: "when") else { return [] }
    var all: [Disjunction] = []
    repeat {
      all.append(try disjunction(allowsBlocks: false))
      scanner.skipBlanks()
    } while scanner.peek() != UInt8(ascii: "{") && !scanner.isAtEnd
    return all
  }

  /// Clauses joined by `or`.
  mutating func disjunction(allowsBlocks: Bool) throws(RuleFault) -> Disjunction {
    var clauses: [Clause] = []
    repeat {
      scanner.skipBlanks()
      clauses.append(try clause(allowsBlocks: allowsBlocks))
      scanner.skipBlanks()
    } while scanner.take(word: "or") || scanner.take("|OR|") || scanner.take("|or|")
    return clauses
  }

  // MARK: - Clauses

  private mutating func clause(allowsBlocks: Bool) throws(RuleFault) -> Clause {
    let begin = scanner.position
    let place = scanner.place(at: begin)
    if allowsBlocks, scanner.word() == "when" || scanner.word() == "WHEN" {
      let conditions = try conditions()
      return .when(conditions, try block())
    }
    if let type = typeName() { return try typeBlock(type, place, allowsBlocks) }
    var isInverted = false
    if scanner.peek() == UInt8(ascii: "!"), scanner.peek(1) != UInt8(ascii: "=") {
      _ = scanner.take("!")
      scanner.skipSpaces()
      isInverted = true
    } else if scanner.take(word: "not") {
      scanner.skipBlanks()
      isInverted = true
    }
    let query = try query()
    let afterQuery = scanner.position
    scanner.skipBlanks()
    if let (comparator, isNegated) = comparator() {
      if comparator == .empty, isNegated, !isInverted, allowsBlocks {
        let afterOperator = scanner.position
        scanner.skipBlanks()
        if scanner.peek() == UInt8(ascii: "{") {
          return .each(EachBlock(query: query, wantsSome: true, body: try block(), place: place))
        }
        scanner.go(to: afterOperator)
      }
      var right: Operand?
      if !comparator.isUnary {
        scanner.skipBlanks()
        right = try operand()
      }
      return .comparison(
        Comparison(
          query: query, comparator: comparator, isNegated: isNegated, isInverted: isInverted, right: right,
          message: try scanner.message(), place: place))
    }
    if allowsBlocks, !isInverted, scanner.peek() == UInt8(ascii: "{") {
      return .each(EachBlock(query: query, wantsSome: false, body: try block(), place: place))
    }
    scanner.go(to: afterQuery)
    guard query.steps.count == 1, case .key(let name)? = query.steps.first, !query.isSome else {
      scanner.skipBlanks()
      throw scanner.fault("an operator (==, !=, <, <=, >, >=, in, exists, empty, is_…) behind \(query.text)")
    }
    if scanner.peek() == UInt8(ascii: "(") {
      let arguments = try arguments()
      return .call(
        RuleCall(
          name: name, arguments: arguments, isInverted: isInverted, message: try scanner.message(),
          place: place))
    }
    return .reference(
      RuleReference(name: name, isInverted: isInverted, message: try scanner.message(), place: place))
  }

  /// `AWS::S3::Bucket`, if such a name stands here. The suffix `::MODULE` is dropped.
  private mutating func typeName() -> String? {
    let begin = scanner.position
    guard var name = scanner.takeWord(), scanner.sees("::") else {
      scanner.go(to: begin)
      return nil
    }
    while scanner.take("::") {
      guard let word = scanner.takeWord() else { break }
      name += "::" + word
    }
    return name.hasSuffix("::MODULE") ? String(name.dropLast(8)) : name
  }

  private mutating func typeBlock(
    _ type: String, _ place: TextPlace, _ allowsBlocks: Bool
  ) throws(RuleFault) -> Clause {
    guard allowsBlocks else { throw scanner.fault("no block of a type within conditions") }
    depth += 1
    guard depth <= Self.mostDepth else {
      throw scanner.fault("at most \(Self.mostDepth) blocks within each other")
    }
    defer { depth -= 1 }
    let conditions = try conditions()
    scanner.skipBlanks()
    let body: Block
    if scanner.peek() == UInt8(ascii: "{") {
      body = try block()
    } else {
      body = Block(variables: [], clauses: [try disjunction(allowsBlocks: true)])
    }
    let text = "Resources.*[ Type == \"\(type)\" ]"
    let own = Query(steps: [.key("Type")], isSome: false, place: place, text: "Type")
    let filter = Comparison(
      query: own, comparator: .equal, isNegated: false, isInverted: false,
      right: .value(Value(.string(type), at: .made)), message: nil, place: place)
    let query = Query(
      steps: [.key("Resources"), .members(nil), .filter(nil, [[.comparison(filter)]])], isSome: false,
      place: place, text: text)
    return .type(TypeBlock(type: type, query: query, conditions: conditions, body: body, place: place))
  }

  /// An operator, if one stands here.
  mutating func comparator() -> (Comparator, isNegated: Bool)? {
    if scanner.sees("<<") { return nil }
    if scanner.take("==") { return (.equal, false) }
    if scanner.take("!=") { return (.equal, true) }
    if scanner.take(">=") { return (.greaterOrEqual, false) }
    if scanner.take("<=") { return (.lessOrEqual, false) }
    if scanner.take(">") { return (.greater, false) }
    if scanner.take("<") { return (.less, false) }
    let begin = scanner.position
    var isNegated = false
    if scanner.take("!") {
      scanner.skipSpaces()
      isNegated = true
    } else if scanner.take(word: "not") {
      scanner.skipBlanks()
      isNegated = true
    }
    if let word = scanner.word(), word == word.lowercased() || word == word.uppercased(),
      let comparator = Comparator(rawValue: word.lowercased())
    {
      _ = scanner.takeWord()
      return (comparator, isNegated)
    }
    scanner.go(to: begin)
    return nil
  }

  mutating func arguments() throws(RuleFault) -> [Operand] {
    depth += 1
    guard depth <= Self.mostDepth else {
      throw scanner.fault("at most \(Self.mostDepth) calls within each other")
    }
    defer { depth -= 1 }
    _ = scanner.take("(")
    var all: [Operand] = []
    scanner.skipBlanks()
    while !scanner.take(")") {
      if !all.isEmpty {
        guard scanner.take(",") else { throw scanner.fault("\",\" or \")\"") }
        scanner.skipBlanks()
      }
      all.append(try operand())
      scanner.skipBlanks()
    }
    return all
  }
}
