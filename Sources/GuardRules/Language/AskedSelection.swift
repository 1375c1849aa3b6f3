// What a clause `%variable empty` asks for, by what the variable is: for people, who see the name of it and nothing behind it.

/// See the head of this file.
public struct AskedSelection: Sendable, Equatable {
  /// What the variable is, as it is written.
  public let text: String
  /// Ways to what its filter asks of each value, from the value on: `["Properties", "Encrypted"]`.
  public let ways: [[String]]

  /// The variable of a clause that asks for nothing else than whether it is empty; nil = it is another clause.
  public static func variable(of clause: String) -> String? {
    guard clause.utf8.first == UInt8(ascii: "%") else { return nil }
    let words = clause.split(separator: " ")
    guard let first = words.first, first.hasPrefix("%"), words.last == "empty", words.count < 4,
      words.dropFirst().dropLast().allSatisfy({ $0 == "not" })
    else { return nil }
    let name = first.dropFirst()
    return name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" } ? String(name) : nil
  }
}

extension AskedSelection {
  private static var mostWays: Int { 3 }

  /// What a value that was selected has there; nil = the filter asks for nothing that could be shown.
  public func found(in value: Value) -> String? {
    guard case .map = value.content, !value.isSecret else { return nil }
    var told: [String] = []
    for way in ways {
      let text = Self.told(way, of: value)
      if !told.contains(text) { told.append(text) }
    }
    guard !told.isEmpty else { return nil }
    return told.prefix(Self.mostWays).joined(separator: "; ") + (told.count > Self.mostWays ? "; …" : "")
  }

  private static func told(_ way: [String], of outer: Value) -> String {
    var value = outer
    for (place, name) in way.enumerated() {
      let here = way[...place].joined(separator: ".")
      if case .unknown(let unknown) = value.content, let written = unknown.written { value = written }
      guard case .map(let members) = value.content else { break }
      // The language looks for other letter cases, too.
      let same = members.all.first { $0.name.lowercased() == name.lowercased() }?.value
      guard let next = members[name] ?? same else {
        return members.unknown(name) == nil ? "no \(here)" : "\(here) isn't known"
      }
      value = next
    }
    return "\(way.joined(separator: ".")): \(value.text(at: way.joined(separator: ".")))"
  }
}

extension RuleFile {
  /// What the variable of a clause is.
  /// - Parameter place: of the clause.
  /// - Returns: nil where it is no such clause, or its variable no query.
  public func selection(asked clause: String, at place: TextPlace) -> AskedSelection? {
    // Asked for each finding.
    guard clause.utf8.first == UInt8(ascii: "%"), let asked = selections[place],
      AskedSelection.variable(of: clause) != nil
    else { return nil }
    return asked
  }

  /// Those of all clauses, by their places.
  static func selections(
    _ variables: [Assignment], _ bodies: [Block]
  ) -> [TextPlace: AskedSelection] {
    var out: [TextPlace: AskedSelection] = [:]
    let known = Dictionary(variables.map { ($0.name, $0.operand) }) { $1 }
    for body in bodies { body.gather(known, &out) }
    return out
  }
}

extension AskedSelection {
  fileprivate init(_ query: Query) {
    var clauses: [Disjunction] = []
    if case .filter(_, let last)? = query.steps.last { clauses = last }
    var ways: [[String]] = []
    for case .comparison(let comparison) in clauses.joined() {
      let way = comparison.query.way
      if !way.isEmpty, way != ["Type"], !ways.contains(way) { ways.append(way) }
    }
    self.init(text: query.text, ways: ways)
  }
}

extension Block {
  /// - Parameter outer: variables around it.
  fileprivate func gather(_ outer: [String: Operand], _ out: inout [TextPlace: AskedSelection]) {
    let known = outer.merging(variables.map { ($0.name, $0.operand) }) { $1 }
    for clause in clauses.joined() {
      switch clause {
      case .comparison(let comparison):
        guard comparison.comparator == .empty, comparison.query.isBareVariable,
          case .variable(let name)? = comparison.query.steps.first, case .query(let query)? = known[name]
        else { continue }
        out[comparison.place] = AskedSelection(query)
      case .when(_, let body): body.gather(known, &out)
      case .each(let each): each.body.gather(known, &out)
      case .type(let type): type.body.gather(known, &out)
      case .reference, .call: continue
      }
    }
  }
}

extension Query {
  /// Names from the value on, as far as there is nothing but names.
  fileprivate var way: [String] {
    var out: [String] = []
    for step in steps {
      if case .this = step { continue }
      guard case .key(let name) = step else { break }
      out.append(name)
    }
    return out
  }
}
