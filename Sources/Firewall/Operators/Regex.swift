// PCRE2 with its just-in-time compiler: the only place that touches it.
//
// Patterns and values are bytes: no UTF mode. As in libmodsecurity 3, a dot matches a line feed and ^ and $ match at
// lines (DOTALL, MULTILINE); see docs/RATIONALE.md. A match is bounded by limits on steps, depth and heap.

internal import CPCRE2

/// How patterns are compiled and how much a match may cost.
public struct RegexOptions: Sendable, Hashable {
  /// ^ and $ match at every line, as in libmodsecurity 3; else only at the ends, as in ModSecurity 2.
  public var multiline = true
  /// SecPcreMatchLimit: calls of the matching function. 0: PCRE2's own.
  public var matchLimit: UInt32 = 100_000
  public init() {}
}

/// A thread's working memory for matching.
final class RegexScratch {
}
