// Queries, literals and calls of functions.

extension RuleParser {
  // MARK: - Queries

  mutating func query() throws(RuleFault) -> Query {
    let begin = scanner.position
    var isSome = false
    if scanner.word() == "some" || scanner.word() == "SOME", scanner.isBlank(4) {
      _ = scanner.takeWord()
      scanner.skipBlanks()
      isSome = true
    }
    var steps = [try firstStep()]
    while true {
      let before = scanner.position
      guard steps.count <= Self.mostSteps else {
        throw scanner.fault("at most \(Self.mostSteps) steps of a query", at: begin)
      }
      if scanner.take(".") {
        steps.append(try dotted())
        continue
      }
      scanner.skipBlanks()
      guard scanner.peek() == UInt8(ascii: "[") else {
        scanner.go(to: before)
        break
      }
      steps.append(try bracketed())
    }
    return Query(
      steps: steps, isSome: isSome, place: scanner.place(at: begin),
      text: scanner.text(from: begin, to: scanner.position))
  }

  private mutating func firstStep() throws(RuleFault) -> Step {
    switch scanner.peek() {
    case UInt8(ascii: "%"):
      _ = scanner.take("%")
      return .variable(try name("a variable's name"))
    case UInt8(ascii: "\""), UInt8(ascii: "'"): return .key(try scanner.quoted())
    default:
      guard let word = scanner.takeWord() else {
        throw scanner.fault("a clause: a query, a rule's name, when or a type")
      }
      return word == "this" || word == "THIS" ? .this : .key(word)
    }
  }

  /// What stands behind a dot.
  private mutating func dotted() throws(RuleFault) -> Step {
    if scanner.take("*") { return .members(nil) }
    if scanner.take("%") { return .keysOf(try name("a variable's name")) }
    if let byte = scanner.peek(), byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
      return .key(try scanner.quoted())
    }
    guard let word = scanner.takeWord() else {
      throw scanner.fault("a key, a key in quotes, *, or %variable")
    }
    if let index = Int(word) { return .index(index) }
    return word == "this" ? .this : .key(word)
  }

  /// What stands in brackets.
  private mutating func bracketed() throws(RuleFault) -> Step {
    let begin = scanner.position
    _ = scanner.take("[")
    scanner.skipBlanks()
    let inside = scanner.position
    if scanner.take("*") {
      scanner.skipBlanks()
      guard scanner.take("]") else { throw scanner.fault("]") }
      return .elements(nil)
    }
    if case .int(let index)? = try scanner.number() {
      scanner.skipBlanks()
      if scanner.take("]"), let index = Int(exactly: index) { return .index(index) }
    }
    scanner.go(to: inside)
    if let byte = scanner.peek(), byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
      let key = try scanner.quoted()
      scanner.skipBlanks()
      if scanner.take("]") { return .key(key) }
      scanner.go(to: inside)
    }
    var capture: String?
    if let word = scanner.takeWord(), Int(word) == nil {
      scanner.skipBlanks()
      if scanner.take("]") { return .elements(word) }
      if scanner.peek() == UInt8(ascii: "|"), !scanner.sees("|OR|"), !scanner.sees("|or|") {
        _ = scanner.take("|")
        capture = word
        scanner.skipBlanks()
      } else {
        scanner.go(to: inside)
      }
    } else {
      scanner.go(to: inside)
    }
    if let keys = try keys(capture) { return keys }
    depth += 1
    guard depth <= Self.mostDepth else {
      throw scanner.fault("at most \(Self.mostDepth) blocks and filters within each other")
    }
    var clauses: [Disjunction] = []
    scanner.skipBlanks()
    while !scanner.take("]") {
      if scanner.isAtEnd { throw scanner.fault("a closing ] of the filter", at: begin) }
      clauses.append(try disjunction(allowsBlocks: true))
      scanner.skipBlanks()
    }
    depth -= 1
    guard !clauses.isEmpty else { throw scanner.fault("a clause in the filter", at: begin) }
    return .filter(capture, clauses)
  }

  /// `keys == …`, if it stands here.
  private mutating func keys(_ capture: String?) throws(RuleFault) -> Step? {
    let begin = scanner.position
    guard scanner.take(word: "keys") else { return nil }
    scanner.skipBlanks()
    guard let (comparator, isNegated) = comparator(), comparator == .equal || comparator == .isIn else {
      scanner.go(to: begin)
      return nil
    }
    scanner.skipBlanks()
    let right = try operand()
    scanner.skipBlanks()
    guard scanner.take("]") else { throw scanner.fault("]") }
    return .keys(capture, comparator, isNegated: isNegated, right)
  }

  // MARK: - Operands

  /// A literal, a query, or a call of a function.
  mutating func operand() throws(RuleFault) -> Operand {
    if let value = try literal() { return .value(value) }
    let begin = scanner.position
    if let word = scanner.takeWord(), scanner.peek() == UInt8(ascii: "(") {
      guard let function = Function(rawValue: word) else {
        let known = Function.allCases.map(\.rawValue).joined(separator: ", ")
        throw scanner.fault("a function: \(known)", at: begin)
      }
      let arguments = try arguments()
      guard arguments.count == function.arity else {
        throw scanner.fault("\(function.arity) arguments of \(word)", at: begin)
      }
      return .call(FunctionCall(function: function, arguments: arguments, place: scanner.place(at: begin)))
    }
    scanner.go(to: begin)
    guard let byte = scanner.peek(), RuleScanner.isWord(byte) || byte == UInt8(ascii: "%") else {
      throw scanner.fault("a value, a query or a function")
    }
    return .query(try query())
  }

  /// A literal, if one stands here.
  private mutating func literal() throws(RuleFault) -> Value? {
    let begin = scanner.position
    func value(_ content: Value.Content) -> Value { Value(content, at: .made) }
    switch scanner.peek() {
    case UInt8(ascii: "\""), UInt8(ascii: "'"): return value(.string(try scanner.quoted()))
    case UInt8(ascii: "/"): return value(.pattern(try scanner.pattern()))
    case UInt8(ascii: "["): return value(.list(try list()))
    case UInt8(ascii: "{"): return value(.map(try map()))
    default: break
    }
    if let number = try scanner.number() {
      // A word that begins with digits is a key.
      if let byte = scanner.peek(), RuleScanner.isWord(byte) {
        scanner.go(to: begin)
        return nil
      }
      return value(number)
    }
    if scanner.sees("r[") || scanner.sees("r(") {
      if let range = try range() { return value(.range(range)) }
      scanner.go(to: begin)
      return nil
    }
    let content: Value.Content? =
      switch scanner.word() {
      case "true", "True": .bool(true)
      case "false", "False": .bool(false)
      case "null", "NULL": .null
      default: nil
      }
    guard let content else { return nil }
    _ = scanner.takeWord()
    // A query may begin with such a word.
    if scanner.peek() == UInt8(ascii: ".") || scanner.peek() == UInt8(ascii: "[") {
      scanner.go(to: begin)
      return nil
    }
    return value(content)
  }

  private mutating func list() throws(RuleFault) -> [Value] {
    let begin = scanner.position
    _ = scanner.take("[")
    try deepen(begin)
    var values: [Value] = []
    scanner.skipBlanks()
    while !scanner.take("]") {
      if !values.isEmpty {
        guard scanner.take(",") else { throw scanner.fault("\",\" or \"]\" in a list") }
        scanner.skipBlanks()
        if scanner.take("]") { break }
      }
      guard let value = try literal() else { throw scanner.fault("a literal in a list") }
      values.append(value)
      scanner.skipBlanks()
    }
    depth -= 1
    return values
  }

  private mutating func map() throws(RuleFault) -> Members {
    let begin = scanner.position
    _ = scanner.take("{")
    try deepen(begin)
    var members: [(name: String, value: Value)] = []
    scanner.skipBlanks()
    while !scanner.take("}") {
      if !members.isEmpty {
        guard scanner.take(",") else { throw scanner.fault("\",\" or \"}\" in a map") }
        scanner.skipBlanks()
        if scanner.take("}") { break }
      }
      let key: String
      if let byte = scanner.peek(), byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
        key = try scanner.quoted()
      } else {
        guard let word = scanner.takeWord() else { throw scanner.fault("a key in a map") }
        key = word
      }
      scanner.skipBlanks()
      guard scanner.take(":") else { throw scanner.fault(":") }
      scanner.skipBlanks()
      guard let value = try literal() else { throw scanner.fault("a literal in a map") }
      members.append((key, value))
      scanner.skipBlanks()
    }
    depth -= 1
    return Members(members)
  }

  private mutating func deepen(_ begin: Int) throws(RuleFault) {
    depth += 1
    guard depth <= Self.mostDepth else {
      throw scanner.fault("at most \(Self.mostDepth) lists and maps within each other", at: begin)
    }
  }

  /// `r[a,b]`, `r(a,b)`, `r[a,b)`, `r(a,b]`
  /// - Returns: nil where it is a query that begins with a key `r`.
  private mutating func range() throws(RuleFault) -> Bounds? {
    let begin = scanner.position
    try deepen(begin)
    defer { depth -= 1 }
    let includesLower = scanner.take("r[")
    if !includesLower { _ = scanner.take("r(") }
    scanner.skipBlanks()
    let lower = try literal()
    scanner.skipBlanks()
    if includesLower, lower == nil || scanner.peek() == UInt8(ascii: "]") { return nil }
    guard scanner.take(",") else { throw scanner.fault("\",\" between the bounds of a range") }
    scanner.skipBlanks()
    let upper = try literal()
    scanner.skipBlanks()
    let includesUpper = scanner.take("]")
    if !includesUpper {
      guard scanner.take(")") else { throw scanner.fault("\"]\" or \")\"") }
    }
    let kind: Bounds.Kind? =
      switch (lower?.content, upper?.content) {
      case (.int(let lower), .int(let upper)): .ints(lower, upper)
      case (.float(let lower), .float(let upper)): .floats(lower, upper)
      case (.string(let lower), .string(let upper)):
        if lower.unicodeScalars.count == 1, upper.unicodeScalars.count == 1,
          let lower = lower.unicodeScalars.first, let upper = upper.unicodeScalars.first
        {
          .characters(lower, upper)
        } else {
          nil
        }
      default: nil
      }
    guard let kind else { throw scanner.fault("two bounds of one kind: numbers or characters", at: begin) }
    return Bounds(kind: kind, includesLower: includesLower, includesUpper: includesUpper)
  }
}
