// Checks of tests: transformations without effect, capitals wanted of lower case, phrases within phrases, tests made twice.

extension Lint {
  /// Transformations that leave no capital where there was none.
  private static let keepsLowerCase: Set<String> = [
    "trim", "trimLeft", "trimRight", "compressWhitespace", "removeNulls", "removeWhitespace", "replaceNulls",
    "replaceComments", "removeComments", "removeCommentsChar", "normalizePath", "normalizePathWin", "cmdLine",
    "lowercase", "length", "hexEncode",
  ]
  private static let makesLowerCase: Set<String> = ["lowercase", "cmdLine", "hexEncode", "length"]

  /// What has no effect any more after a transformation.
  private static let done: [String: Set<String>] = [
    "lowercase": ["lowercase"], "cmdLine": ["lowercase"], "uppercase": ["uppercase"],
    "trim": ["trim", "trimLeft", "trimRight"], "trimLeft": ["trimLeft"], "trimRight": ["trimRight"],
    "compressWhitespace": ["compressWhitespace"],
    "removeWhitespace": ["removeWhitespace", "compressWhitespace", "trim", "trimLeft", "trimRight"],
    "removeNulls": ["removeNulls", "replaceNulls"], "replaceNulls": ["removeNulls", "replaceNulls"],
    "normalizePath": ["normalizePath"], "normalizePathWin": ["normalizePathWin", "normalizePath"],
    "length": ["lowercase"],
    "hexEncode": ["lowercase", "trim", "removeNulls", "removeWhitespace"],
  ]
  /// After which transformations that stays so.
  private static let stays: [String: Set<String>] = [
    "lowercase": keepsLowerCase.subtracting(["lowercase"]),
    "uppercase": ["trim", "trimLeft", "trimRight", "compressWhitespace", "removeNulls", "removeWhitespace"],
    "trim": ["lowercase", "uppercase"], "trimLeft": ["lowercase", "uppercase", "trimRight", "trim"],
    "trimRight": ["lowercase", "uppercase", "trimLeft", "trim"],
    "compressWhitespace": ["lowercase", "uppercase", "trim", "trimLeft", "trimRight"],
    "removeWhitespace": ["lowercase", "uppercase"],
    "removeNulls": [
      "lowercase", "uppercase", "trim", "trimLeft", "trimRight", "compressWhitespace", "removeWhitespace",
    ],
    "replaceNulls": [
      "lowercase", "uppercase", "trim", "trimLeft", "trimRight", "compressWhitespace", "removeWhitespace",
    ],
    "normalizePath": ["lowercase", "uppercase"], "normalizePathWin": ["lowercase", "uppercase"],
  ]

  mutating func checkTransformations() {
    for rule in rules {
      for (link, syntax) in zip(rule.compiled.links, rule.draft.links) {
        var without: Set<String> = []
        var before: [String] = []
        for name in link.transformations.map(\.name) {
          if without.contains(name) {
            warn(
              .transformation, rule, at: link.place,
              "t:\(name) changes nothing after \(before.map { "t:\($0)" }.joined(separator: ","))",
              "take it out")
          }
          without = without.filter { Lint.stays[$0]?.contains(name) ?? false }.union(Lint.done[name] ?? [])
          before.append(name)
        }
        let own = syntax.actions.filter { $0.name.lowercased() == "t" }.map {
          ($0.argument ?? "").lowercased()
        }
        if let none = own.lastIndex(of: "none"), let dropped = own[..<none].first(where: { $0 != "none" }) {
          warn(
            .transformation, rule, at: link.place, "t:\(dropped) before t:none, which takes it away",
            "t:none first, or not at all")
        }
      }
    }
  }

  // MARK: - Capitals

  private func isLowerCase(_ link: CompiledLink) -> Bool {
    guard !link.isMultiMatch else { return false }
    var isLower = false
    for name in link.transformations.map(\.name) {
      isLower = Lint.makesLowerCase.contains(name) || (isLower && Lint.keepsLowerCase.contains(name))
    }
    return isLower
  }

  mutating func checkConstants() {
    for rule in rules {
      for link in rule.compiled.links where isLowerCase(link) {
        guard let test = link.test, let argument = test.argument.literal?.array else { continue }
        let values = "a value in lower case"
        switch test.name.lowercased() {
        case "streq", "contains", "beginswith", "endswith", "strmatch", "containsword", "within":
          guard argument.contains(where: { ByteSet.upper.contains($0) }) else { continue }
          let answer =
            test.name.lowercased() == "within"
            ? "not all of it can be" : test.isNegated ? "it always is not" : "it never is"
          warn(
            .capitals, rule, at: link.place,
            "@\(test.name) \"\(ArgumentText.excerpt(argument))\" of \(values): \(answer) found",
            "the same in lower case")
        case "rx":
          var parts: [UInt8] = []
          let whole = PatternTree(argument).missing(within: ByteSet.upper.inverted, &parts)
          guard let letter = whole ?? parts.first else { continue }
          let scope = whole == nil ? "a part of the pattern" : "the pattern"
          warn(
            .capitals, rule, at: link.place,
            "\(scope) wants the capital \(Character(Unicode.Scalar(letter))) of \(values)",
            "(?i), or lower case")
        default: break
        }
      }
    }
  }

  // MARK: - Phrases

  mutating func checkPhrases() {
    var seen: Set<String> = []
    for rule in rules {
      for link in rule.compiled.links {
        guard let set = link.operation as? any LiteralSet, let test = link.test,
          seen.insert("\(test.name) \(test.argument.literal?.text ?? "")").inserted,
          let table = AhoCorasick(set.literals)
        else { continue }
        var useless: [(phrase: [UInt8], within: [UInt8])] = []
        var known: Set<[UInt8]> = []
        for phrase in set.literals {
          guard known.insert(phrase).inserted else {
            useless.append((phrase, phrase))
            continue
          }
          let inner: [UInt8]? = phrase.withUnsafeBytes { raw in
            let view = ByteView(raw)
            for part in [view.dropFirst(), view.prefix(view.count - 1)] {
              if let found = table.firstMatch(in: part) { return part[found].array }
            }
            return nil
          }
          if let inner { useless.append((phrase, inner)) }
        }
        guard let first = useless.first else { continue }
        func text(_ bytes: [UInt8]) -> String { "`\(ArgumentText.excerpt(bytes, limit: 32))`" }
        let example =
          first.phrase == first.within
          ? "\(text(first.phrase)) stands there twice" : "\(text(first.phrase)) holds \(text(first.within))"
        warn(
          .phrase, rule, at: link.place,
          "\(useless.count) of \(set.literals.count) phrases of @\(test.name) find nothing that others don't: \(example)",
          "take them out")
      }
    }
  }

  // MARK: - Tests made twice

  mutating func checkDuplicates() {
    let operators: Set<String> = [
      "rx", "pm", "pmFromFile", "detectSQLi", "detectXSS", "contains", "strmatch",
    ]
    var seen: [String: Rule] = [:]
    for rule in rules {
      guard rule.compiled.links.count == 1, let link = rule.compiled.links.first, let test = link.test,
        operators.contains(test.name), let argument = test.argument.literal,
        rule.compiled.isLogged || !rule.draft.links.allSatisfy({ !$0.has("setvar") }),
        !rule.draft.links[0].has("ctl")
      else { continue }
      let key = [
        "\(rule.compiled.phase)", test.isNegated ? "!" : "", test.name, argument.text,
        link.transformations.map(\.name).joined(separator: ","),
        link.targets.map(\.comparable).sorted().joined(separator: "|"),
        link.exclusions.map(\.comparable).sorted().joined(separator: "|"),
      ].joined(separator: "\n")
      if let other = seen[key] {
        warn(
          .duplicate, rule, "the same test as that of rule \(other.id) at \(other.draft.place)",
          "one rule for both")
      } else {
        seen[key] = rule
      }
    }
  }
}

extension Target {
  /// Equal for targets that select the same; the expression of a selector is known by its address.
  fileprivate var comparable: String {
    selector == .regex ? "\(written) \(regex.map { "\($0.toOpaque())" } ?? "")" : written.lowercased()
  }
}

extension PatternTree {
  /// A byte that it wants and that no value has, where all of a value's bytes are of `alphabet`; nil where it can match.
  /// Of branches that can't while others can, the bytes are put into `parts`.
  func missing(within alphabet: ByteSet, _ parts: inout [UInt8]) -> UInt8? {
    switch self {
    case .bytes(let set):
      if set.isEmpty || set.intersects(alphabet) { return nil }
      return (UInt8.min...UInt8.max).first(where: set.contains)
    case .nothing, .look, .start, .unknown: return nil
    case .sequence(let items):
      for item in items { if let byte = item.missing(within: alphabet, &parts) { return byte } }
      return nil
    case .choice(let branches):
      let bytes = branches.map { $0.missing(within: alphabet, &parts) }
      let dead = bytes.compactMap(\.self)
      if dead.count == branches.count { return dead.first }
      parts += dead
      return nil
    case .group(let inner, _): return inner.missing(within: alphabet, &parts)
    case .repeated(let inner, let least, _, _):
      return least == 0 ? nil : inner.missing(within: alphabet, &parts)
    }
  }
}
