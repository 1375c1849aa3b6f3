// Checks of regular expressions: those that can take very long, and those that Vectorscan can't answer alone.

extension Lint {
  mutating func checkPatterns() {
    for rule in rules {
      for (number, link) in rule.compiled.links.enumerated() {
        guard let operation = link.operation as? any PatternOperator else { continue }
        let tree = PatternTree(operation.pattern)
        if let part = tree.ambiguousLoop() {
          warn(
            .nestedQuantifier, rule, at: link.place,
            "a repetition within a repetition of the same bytes, \(part): the time to see that it doesn't match can "
              + "double with each byte", "a possessive quantifier (++), or bytes that part the repetitions")
        }
        if tree.beginsWithDots, !link.isCapturing {
          warn(
            .leadingDots, rule, at: link.place,
            "`.*` at the pattern's beginning, which finds what is found without it",
            "the pattern without it")
        }
        guard number == 0, !link.isNegated else { continue }
        let pattern = ScanPattern(expression: operation.pattern, isLiteral: false)
        switch PatternDatabase.suitability(of: pattern, multiline: policy.regexOptions.multiline) {
        case .exact, .matchesEmpty: break
        case .prefilter:
          warn(
            .prefilter, rule, at: link.place,
            "a pattern beyond Vectorscan (a look around, a back reference, a large repetition): it is scanned for "
              + "roughly, and PCRE2 asked more often",
            "nothing, unless `firewall rules --input` shows that it costs")
        case .refused:
          warn(
            .prefilter, rule, at: link.place,
            "a pattern that Vectorscan doesn't take: PCRE2 is asked for every value",
            "a simpler pattern, or a @pm before it in a chain")
        }
      }
    }
  }
}

extension PatternTree {
  /// Items one after the other, groups that aren't atomic opened.
  private var items: [PatternTree] {
    switch self {
    case .sequence(let items): items.flatMap(\.items)
    case .group(let inner, isAtomic: false):
      if case .choice = inner { [self] } else { inner.items }
    default: [self]
    }
  }

  private var branches: [PatternTree] {
    switch self {
    case .choice(let branches): branches.flatMap(\.branches)
    case .group(let inner, isAtomic: false): inner.branches
    case .sequence(let items) where items.count == 1: items[0].branches
    default: [self]
    }
  }

  /// A loop of which a pass can be split into passes in many ways: within it an unbounded repetition, and nothing beside
  /// that must take other bytes. Returns what it repeats, for people; nil where there is none.
  func ambiguousLoop() -> String? {
    switch self {
    case .bytes, .nothing, .start, .unknown: return nil
    case .look(let inner): return inner.ambiguousLoop()
    case .group(let inner, _): return inner.ambiguousLoop()
    case .sequence(let all), .choice(let all): return all.lazy.compactMap { $0.ambiguousLoop() }.first
    case .repeated(let inner, _, let most, let isPossessive):
      if !isPossessive, most.map({ $0 > 30 }) ?? true {
        for branch in inner.branches {
          if let found = PatternTree.ambiguity(in: branch.items) { return found }
        }
      }
      return inner.ambiguousLoop()
    }
  }

  private static func ambiguity(in items: [PatternTree]) -> String? {
    for (place, item) in items.enumerated() {
      guard case .repeated(let inner, _, nil, isPossessive: false) = item else { continue }
      let set = inner.taken
      guard !set.isEmpty else { continue }
      let isFree = items.enumerated().allSatisfy { other in
        if other.offset == place { return true }
        switch other.element {
        case .unknown, .look, .start, .nothing: return false
        default: return other.element.isNullable || other.element.taken.intersects(set)
        }
      }
      if isFree { return set.example }
    }
    return nil
  }

  /// `.*` or `.+` first, in every branch.
  var beginsWithDots: Bool {
    switch self {
    case .choice(let branches): branches.allSatisfy(\.beginsWithDots)
    case .group(let inner, _): inner.beginsWithDots
    case .sequence(let items):
      items.first { if case .nothing = $0 { false } else { true } }?.beginsWithDots ?? false
    case .repeated(.bytes(let set), _, nil, isPossessive: false): set == .all
    default: false
    }
  }
}

extension ByteSet {
  /// Some of its members, for people.
  fileprivate var example: String {
    if self == .all { return "any at all" }
    let printable = (UInt8(0x20)...0x7E).filter(contains)
    let text = String(decoding: printable.prefix(8), as: UTF8.self)
    return printable.isEmpty ? "such as blanks" : "such as `\(text)`\(printable.count > 8 ? " and more" : "")"
  }
}
