// Texts with `*` (any characters) and `?` (one character), as IAM writes actions and ARNs: what matches, what is within
// another, what has something in common.

/// See the head of this file.
public struct Wildcard: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// As it is written.
  public let text: String
  private let scalars: [Unicode.Scalar]

  private static var many: Unicode.Scalar { "*" }
  private static var single: Unicode.Scalar { "?" }

  /// - Parameter ignoresCase: of ASCII letters; actions are the same in either case.
  public init(_ text: String, ignoresCase: Bool = false) {
    self.text = text
    var out: [Unicode.Scalar] = []
    for scalar in (ignoresCase ? text.lowercased() : text).unicodeScalars
    where scalar != Self.many || out.last != Self.many {
      out.append(scalar)
    }
    scalars = out
  }

  /// As it is written.
  public var description: String { text }

  /// Whether it stands for one text only.
  public var isPlain: Bool { !scalars.contains { $0 == Self.many || $0 == Self.single } }

  /// How many characters of it are what they are.
  public var plainCount: Int { scalars.count { $0 != Self.many && $0 != Self.single } }

  /// Whether it stands for everything.
  public var isEverything: Bool { scalars == [Self.many] }

  /// Whether a text is meant.
  /// - Parameter text: in small letters where the pattern ignores case.
  public func matches(_ text: String) -> Bool {
    Self.covers(scalars, Array(text.unicodeScalars), taking: false)
  }

  /// Whether everything that another stands for is meant. Sound: never true where it isn't so; what only a rearrangement
  /// of wildcards would show (`*?` and `?*`) is not found.
  public func contains(_ other: Wildcard) -> Bool { Self.covers(scalars, other.scalars, taking: true) }

  /// - Parameter taking: whether the wildcards of the text stand for themselves: `*` is covered by `*` only.
  private static func covers(_ pattern: [Unicode.Scalar], _ text: [Unicode.Scalar], taking: Bool) -> Bool {
    var (at, on) = (0, 0)
    var (star, mark) = (-1, 0)
    while on < text.count {
      let fits: Bool
      if at < pattern.count, pattern[at] != many {
        if pattern[at] == single {
          fits = !(taking && text[on] == many)
        } else {
          fits = pattern[at] == text[on] && !(taking && text[on] == single)
        }
      } else {
        fits = false
      }
      if fits {
        at += 1
        on += 1
      } else if at < pattern.count, pattern[at] == many {
        star = at
        mark = on
        at += 1
      } else if star >= 0 {
        mark += 1
        at = star + 1
        on = mark
      } else {
        return false
      }
    }
    while at < pattern.count, pattern[at] == many { at += 1 }
    return at == pattern.count
  }

  /// Whether a text exists that both mean. Exact.
  public func intersects(_ other: Wildcard) -> Bool {
    let (left, right) = (scalars, other.scalars)
    // reachable[j]: the rests from i and j on have something in common.
    var next = [Bool](repeating: false, count: right.count + 1)
    for i in stride(from: left.count, through: 0, by: -1) {
      var row = [Bool](repeating: false, count: right.count + 1)
      for j in stride(from: right.count, through: 0, by: -1) {
        if i == left.count && j == right.count {
          row[j] = true
        } else if i < left.count, left[i] == Self.many {
          row[j] = next[j] || (j < right.count && row[j + 1])
        } else if j < right.count, right[j] == Self.many {
          row[j] = row[j + 1] || (i < left.count && next[j])
        } else if i < left.count, j < right.count {
          row[j] = next[j + 1] && (left[i] == right[j] || left[i] == Self.single || right[j] == Self.single)
        }
      }
      next = row
    }
    return next[0]
  }

  /// Whether both stand for the same in the same way; `**` is `*`.
  public static func == (left: Wildcard, right: Wildcard) -> Bool { left.scalars == right.scalars }
  /// By what it stands for.
  public func hash(into hasher: inout Hasher) { hasher.combine(scalars) }
  /// By their texts.
  public static func < (left: Wildcard, right: Wildcard) -> Bool { left.text < right.text }
}

extension Sequence<Wildcard> {
  /// The same set with fewer: what is within another is left out. In the order of their texts.
  var reduced: [Wildcard] {
    var kept: [Wildcard] = []
    // The short ones first: a pattern is seldom within a longer one.
    for each in Set(self).sorted(by: { ($0.text.count, $0.text) < ($1.text.count, $1.text) })
    where !kept.contains(where: { $0.contains(each) }) {
      kept.removeAll { each.contains($0) }
      kept.append(each)
    }
    return kept.sorted()
  }
}
