// A regular expression of PCRE2 as a tree, as far as lint asks: which bytes an item takes, how often, under which case.
//
// Not a matcher. What isn't understood (back references, conditions, recursion, properties) becomes `unknown`, of which
// nothing is claimed.

/// Which of the 256 bytes.
struct ByteSet: Equatable {
  private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
  static func == (a: ByteSet, b: ByteSet) -> Bool { a.words == b.words }

  static let all: ByteSet = {
    var set = ByteSet()
    for byte in UInt8.min...UInt8.max { set.insert(byte) }
    return set
  }()
  static func of(_ bytes: some Sequence<UInt8>) -> ByteSet {
    var set = ByteSet()
    for byte in bytes { set.insert(byte) }
    return set
  }
  private static func word(_ byte: UInt8) -> WritableKeyPath<ByteSet, UInt64> {
    switch byte >> 6 {
    case 0: \.words.0
    case 1: \.words.1
    case 2: \.words.2
    default: \.words.3
    }
  }
  mutating func insert(_ byte: UInt8) { self[keyPath: ByteSet.word(byte)] |= 1 << UInt64(byte & 63) }
  func contains(_ byte: UInt8) -> Bool { self[keyPath: ByteSet.word(byte)] >> UInt64(byte & 63) & 1 != 0 }
  var inverted: ByteSet { combined(with: .init()) { a, _ in ~a } }
  func union(_ other: ByteSet) -> ByteSet { combined(with: other, |) }
  func intersection(_ other: ByteSet) -> ByteSet { combined(with: other, &) }
  func intersects(_ other: ByteSet) -> Bool { !intersection(other).isEmpty }
  var isEmpty: Bool { words == (0, 0, 0, 0) }
  private func combined(with other: ByteSet, _ body: (UInt64, UInt64) -> UInt64) -> ByteSet {
    var set = ByteSet()
    set.words = (
      body(words.0, other.words.0), body(words.1, other.words.1), body(words.2, other.words.2),
      body(words.3, other.words.3)
    )
    return set
  }
  /// With the other case of each letter.
  var caseless: ByteSet {
    var set = self
    for byte in UInt8(ascii: "a")...UInt8(ascii: "z") where contains(byte) || contains(byte - 32) {
      set.insert(byte)
      set.insert(byte - 32)
    }
    return set
  }

  static let upper = of(UInt8(ascii: "A")...UInt8(ascii: "Z"))
  static let digits = of(UInt8(ascii: "0")...UInt8(ascii: "9"))
  static let word = digits.union(upper).union(of(UInt8(ascii: "a")...UInt8(ascii: "z"))).union(
    of([UInt8(ascii: "_")]))
  static let space = of([0x20, 0x09, 0x0A, 0x0B, 0x0C, 0x0D])
}

indirect enum PatternTree {
  /// One byte of the set.
  case bytes(ByteSet)
  /// Takes nothing: an anchor, a boundary, flags.
  case nothing
  /// Takes nothing: looks ahead or behind.
  case look(PatternTree)
  /// Anchored at a line's or the value's beginning.
  case start
  case sequence([PatternTree])
  case choice([PatternTree])
  case group(PatternTree, isAtomic: Bool)
  case repeated(PatternTree, least: Int, most: Int?, isPossessive: Bool)
  /// Something of which nothing is claimed.
  case unknown

  init(_ pattern: [UInt8]) {
    var reader = PatternReader(pattern: pattern)
    let tree = reader.choice(isCaseless: false, isExtended: false)
    self = reader.at == pattern.count && !reader.isLost ? tree : .unknown
  }

  /// Whether it can match without taking a byte.
  var isNullable: Bool {
    switch self {
    case .bytes: false
    case .nothing, .look, .start, .unknown: true
    case .sequence(let items): items.allSatisfy(\.isNullable)
    case .choice(let branches): branches.contains(where: \.isNullable)
    case .group(let inner, _): inner.isNullable
    case .repeated(let inner, let least, _, _): least == 0 || inner.isNullable
    }
  }

  /// All bytes that it may take.
  var taken: ByteSet {
    switch self {
    case .bytes(let set): set
    case .nothing, .look, .start: ByteSet()
    case .unknown: ByteSet()
    case .sequence(let items), .choice(let items): items.reduce(ByteSet()) { $0.union($1.taken) }
    case .group(let inner, _), .repeated(let inner, _, _, _): inner.taken
    }
  }
}

private struct PatternReader {
  let pattern: [UInt8]
  var at = 0
  var depth = 0
  var isLost = false

  init(pattern: [UInt8]) { self.pattern = pattern }

  private var current: UInt8? { at < pattern.count ? pattern[at] : nil }
  private func has(_ text: StaticString) -> Bool {
    pattern[min(at, pattern.count)...].starts(with: Array(text.description.utf8))
  }

  mutating func choice(isCaseless: Bool, isExtended: Bool) -> PatternTree {
    depth += 1
    defer { depth -= 1 }
    guard depth < 200 else {
      isLost = true
      return .unknown
    }
    var branches: [PatternTree] = []
    var isCaseless = isCaseless
    var isExtended = isExtended
    while true {
      branches.append(sequence(&isCaseless, &isExtended))
      guard current == UInt8(ascii: "|"), !isLost else { break }
      at += 1
    }
    return branches.count == 1 ? branches[0] : .choice(branches)
  }

  private mutating func sequence(_ isCaseless: inout Bool, _ isExtended: inout Bool) -> PatternTree {
    var items: [PatternTree] = []
    while let byte = current, byte != UInt8(ascii: "|"), byte != UInt8(ascii: ")"), !isLost {
      if isExtended, ByteSet.space.contains(byte) {
        at += 1
        continue
      }
      if isExtended, byte == Ascii.hash {
        while let byte = current, byte != Ascii.lineFeed { at += 1 }
        continue
      }
      let item = item(&isCaseless, &isExtended)
      items.append(quantified(item))
    }
    return items.count == 1 ? items[0] : .sequence(items)
  }

  private mutating func quantified(_ item: PatternTree) -> PatternTree {
    var item = item
    while let byte = current {
      var least = 0
      var most: Int?
      switch byte {
      case UInt8(ascii: "*"): at += 1
      case UInt8(ascii: "+"):
        least = 1
        at += 1
      case UInt8(ascii: "?"):
        most = 1
        at += 1
      case UInt8(ascii: "{"):
        guard let bounds = bounds() else { return item }
        (least, most) = (bounds.least, bounds.most)
      default: return item
      }
      let isPossessive = current == UInt8(ascii: "+")
      if isPossessive || current == UInt8(ascii: "?") { at += 1 }
      item = .repeated(item, least: least, most: most, isPossessive: isPossessive)
    }
    return item
  }

  /// `{2}`, `{2,}`, `{2,5}`; nil, and nothing taken, where the brace means itself.
  private mutating func bounds() -> (least: Int, most: Int?)? {
    guard let end = pattern[at...].firstIndex(of: UInt8(ascii: "}")) else { return nil }
    let parts = pattern[(at + 1)..<end].split(separator: Ascii.comma, omittingEmptySubsequences: false).map {
      part in
      part.isEmpty ? nil : Int(String(decoding: part, as: UTF8.self))
    }
    guard let first = parts.first, let least = first, parts.count <= 2, end - at < 16 else { return nil }
    if parts.count == 2, parts[1] == nil, pattern[end - 1] != Ascii.comma { return nil }
    at = end + 1
    return (least, parts.count == 1 ? least : parts[1])
  }

  private mutating func item(_ isCaseless: inout Bool, _ isExtended: inout Bool) -> PatternTree {
    guard let byte = current else { return .nothing }
    at += 1
    func literal(_ byte: UInt8) -> PatternTree {
      let set = ByteSet.of([byte])
      return .bytes(isCaseless ? set.caseless : set)
    }
    switch byte {
    case UInt8(ascii: "^"): return .start
    case UInt8(ascii: "$"): return .nothing
    case Ascii.dot: return .bytes(.all)
    case UInt8(ascii: "["): return bracket(isCaseless)
    case UInt8(ascii: "("): return group(&isCaseless, &isExtended)
    case Ascii.backslash:
      switch escape(inBrackets: false) {
      case .byte(let byte): return literal(byte)
      case .set(let set): return .bytes(set)
      case .start: return .start
      case .nothing: return .nothing
      case .unknown: return .unknown
      }
    default: return literal(byte)
    }
  }

  private mutating func group(_ isCaseless: inout Bool, _ isExtended: inout Bool) -> PatternTree {
    var isAtomic = false
    var isLook = false
    var caseless = isCaseless
    var extended = isExtended
    if has("*") { return lose() }
    if has("?") {
      at += 1
      if has("#") {
        while let byte = current, byte != UInt8(ascii: ")") { at += 1 }
        at += 1
        return .nothing
      } else if has(":") {
        at += 1
      } else if has("|") || has("(") || has("R") || has("&") || has("P>") || has("P=") || has("C") {
        return lose()
      } else if has(">") {
        at += 1
        isAtomic = true
      } else if has("=") || has("!") {
        at += 1
        isLook = true
      } else if has("<=") || has("<!") {
        at += 2
        isLook = true
      } else if has("<") || has("P<") || has("'") {
        while let byte = current, byte != Ascii.greater, !(byte == Ascii.quote && !has("'")) { at += 1 }
        at += 1
      } else {
        var isOn = true
        while let byte = current, byte != Ascii.colon, byte != UInt8(ascii: ")") {
          at += 1
          switch byte {
          case UInt8(ascii: "-"): isOn = false
          case UInt8(ascii: "i"): caseless = isOn
          case UInt8(ascii: "x"): extended = isOn
          case UInt8(ascii: "s"), UInt8(ascii: "m"), UInt8(ascii: "U"), UInt8(ascii: "J"), UInt8(ascii: "n"):
            break
          default: return lose()
          }
        }
        if has(")") {
          // For the rest of the group.
          at += 1
          isCaseless = caseless
          isExtended = extended
          return .nothing
        }
        at += 1
      }
    }
    let inner = choice(isCaseless: caseless, isExtended: extended)
    guard has(")") else { return lose() }
    at += 1
    return isLook ? .look(inner) : .group(inner, isAtomic: isAtomic)
  }

  private mutating func lose() -> PatternTree {
    isLost = true
    return .unknown
  }

  private enum Escaped { case byte(UInt8), set(ByteSet), start, nothing, unknown }

  private mutating func escape(inBrackets: Bool) -> Escaped {
    guard let byte = current else { return .unknown }
    at += 1
    switch byte {
    case UInt8(ascii: "d"): return .set(.digits)
    case UInt8(ascii: "D"): return .set(ByteSet.digits.inverted)
    case UInt8(ascii: "w"): return .set(.word)
    case UInt8(ascii: "W"): return .set(ByteSet.word.inverted)
    case UInt8(ascii: "s"): return .set(.space)
    case UInt8(ascii: "S"): return .set(ByteSet.space.inverted)
    case UInt8(ascii: "h"): return .set(.of([0x20, 0x09, 0xA0]))
    case UInt8(ascii: "v"), UInt8(ascii: "R"): return .set(.of([0x0A, 0x0B, 0x0C, 0x0D, 0x85]))
    case UInt8(ascii: "N"): return .set(ByteSet.of([0x0A]).inverted)
    case UInt8(ascii: "b") where inBrackets: return .byte(0x08)
    case UInt8(ascii: "A"), UInt8(ascii: "G"): return .start
    case UInt8(ascii: "b"), UInt8(ascii: "B"), UInt8(ascii: "z"), UInt8(ascii: "Z"), UInt8(ascii: "K"):
      return .nothing
    case UInt8(ascii: "t"): return .byte(0x09)
    case UInt8(ascii: "n"): return .byte(0x0A)
    case UInt8(ascii: "r"): return .byte(0x0D)
    case UInt8(ascii: "f"): return .byte(0x0C)
    case UInt8(ascii: "a"): return .byte(0x07)
    case UInt8(ascii: "e"): return .byte(0x1B)
    case UInt8(ascii: "x"):
      let isBraced = current == UInt8(ascii: "{")
      if isBraced { at += 1 }
      defer { if isBraced { at += 1 } }
      var value: UInt8 = 0
      for _ in 0..<2 {
        guard let byte = current, let digit = hexDigit(byte) else { break }
        value = value << 4 | digit
        at += 1
      }
      return .byte(value)
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"):
      isLost = true
      return .unknown
    default: return .byte(byte)
    }
  }

  /// `[…]`.
  private mutating func bracket(_ isCaseless: Bool) -> PatternTree {
    var set = ByteSet()
    let isNegated = has("^")
    if isNegated { at += 1 }
    var isFirst = true
    while let byte = current {
      at += 1
      if byte == UInt8(ascii: "]"), !isFirst {
        if isCaseless { set = set.caseless }
        return .bytes(isNegated ? set.inverted : set)
      }
      isFirst = false
      if byte == UInt8(ascii: "["), has(":") || has(".") || has("=") { return lose() }
      var low = byte
      if byte == Ascii.backslash {
        switch escape(inBrackets: true) {
        case .byte(let value): low = value
        case .set(let other):
          set = set.union(other)
          continue
        default: return lose()
        }
      }
      guard has("-"), at + 1 < pattern.count, pattern[at + 1] != UInt8(ascii: "]") else {
        set.insert(low)
        continue
      }
      at += 1
      var high = pattern[at]
      at += 1
      if high == Ascii.backslash {
        switch escape(inBrackets: true) {
        case .byte(let value): high = value
        case .set(let other):
          set = set.union(other)
          set.insert(low)
          set.insert(UInt8(ascii: "-"))
          continue
        default: return lose()
        }
      }
      guard low <= high else { return lose() }
      for byte in low...high { set.insert(byte) }
    }
    return lose()
  }
}
