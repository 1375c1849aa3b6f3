// PCRE2 with its just-in-time compiler: the only place that touches it (pcre2api, pcre2jit).
//
// Patterns and values are bytes: no UTF mode. As in libmodsecurity 3, a dot matches a line feed and ^ and $ match at
// lines (DOTALL, MULTILINE); see docs/RATIONALE.md. A match is bounded by limits on steps, depth and heap; a limit that
// was hit is reported as such, never as "no match". Where the machine has no just-in-time compiler, PCRE2 interprets.
// Invariant: a `Regex` is immutable and shared by all threads; a `RegexScratch` belongs to one.

internal import CPCRE2

/// How patterns are compiled and how much a match may cost.
public struct RegexOptions: Sendable, Hashable {
  /// ^ and $ match at every line, as in libmodsecurity 3; else only at the ends, as in ModSecurity 2.
  public var multiline = true
  /// SecPcreMatchLimit: calls of the matching function. 0: PCRE2's own.
  public var matchLimit: UInt32 = 100_000
  /// The defaults.
  public init() {}
}

/// What a search found.
enum RegexOutcome: Equatable {
  case match, noMatch
  /// A limit was hit (or PCRE2 failed): there may be a match.
  case limitExceeded
}

final class Regex: @unchecked Sendable {
  private let code: OpaquePointer
  private let matchLimit: UInt32
  /// Groups of the pattern, the whole match not counted.
  let groupCount: Int
  /// False where PCRE2 interprets.
  let isCompiledToMachineCode: Bool
  /// Bytes that every match contains, letters in either case: asked before the expression. Empty: none are known.
  private let needed: ContiguousArray<UInt8>

  /// - Parameter needed: bytes that every match contains, in lower case.
  init(_ pattern: [UInt8], options: RegexOptions = RegexOptions(), needed: [UInt8] = []) throws(OperatorFault)
  {
    self.needed = ContiguousArray(needed)
    var flags = PCRE2_DOTALL | PCRE2_NEVER_UTF
    flags |= options.multiline ? PCRE2_MULTILINE : PCRE2_DOLLAR_ENDONLY
    var error: Int32 = 0
    var offset = 0
    // An empty array may have no address; the byte is not looked at.
    let compiled = (pattern.isEmpty ? [0] : pattern).withUnsafeBufferPointer {
      pcre2_compile_8($0.baseAddress, pattern.count, flags, &error, &offset, nil)
    }
    guard let compiled else { throw Regex.fault(error, offset: offset, in: pattern) }
    code = compiled
    // Where this fails, or the pattern says (*NO_JIT), PCRE2 interprets.
    pcre2_jit_compile_8(compiled, PCRE2_JIT_COMPLETE)
    var machineCodeBytes = 0
    pcre2_pattern_info_8(compiled, UInt32(PCRE2_INFO_JITSIZE), &machineCodeBytes)
    isCompiledToMachineCode = machineCodeBytes > 0
    var groups: UInt32 = 0
    pcre2_pattern_info_8(compiled, UInt32(PCRE2_INFO_CAPTURECOUNT), &groups)
    groupCount = Int(groups)
    matchLimit = options.matchLimit == 0 ? RegexScratch.libraryMatchLimit : options.matchLimit
  }

  deinit { pcre2_code_free_8(code) }

  /// Whether `value` matches somewhere, for short values of which few do.
  func matches(_ value: ByteView, _ scratch: RegexScratch) -> Bool {
    let isPossible = needed.withUnsafeBufferPointer { needed in
      needed.isEmpty || value.containsIgnoringCase(needed)
    }
    return isPossible && firstMatch(in: value, scratch) == .match
  }

  /// Searches at and after `from`; where the match and its groups lie is left in `scratch`.
  /// - Parameter canBeEmpty: whether a match of no bytes counts.
  func firstMatch(
    in value: ByteView, from: Int = 0, canBeEmpty: Bool = true, _ scratch: RegexScratch
  ) -> RegexOutcome {
    guard from >= 0, from <= value.count, let data = scratch.matchData else { return .noMatch }
    scratch.allow(matchLimit)
    let flags = canBeEmpty ? 0 : PCRE2_NOTEMPTY
    var found = pcre2_match_8(code, value.start, value.count, from, flags, data, scratch.context)
    if found == PCRE2_ERROR_JIT_STACKLIMIT {
      // The interpreter keeps its frames on the heap, where there is more room.
      found = pcre2_match_8(
        code, value.start, value.count, from, flags | PCRE2_NO_JIT, data, scratch.context)
    }
    if found > 0 {
      scratch.groupCount = Int(found)
      return .match
    }
    // 0: there are more groups than are kept.
    if found == 0 {
      scratch.groupCount = RegexScratch.groupsKept
      return .match
    }
    scratch.groupCount = 0
    return found == PCRE2_ERROR_NOMATCH ? .noMatch : .limitExceeded
  }

  private static func fault(_ error: Int32, offset: Int, in pattern: [UInt8]) -> OperatorFault {
    var message = [UInt8](repeating: 0, count: 256)
    let length = Int(pcre2_get_error_message_8(error, &message, message.count))
    let reason = String(decoding: message.prefix(max(0, length)), as: UTF8.self)
    let text = String(decoding: pattern, as: UTF8.self)
    return OperatorFault(
      found: "the regular expression \"\(text)\", at offset \(offset): \(reason)",
      wanted: "a regular expression of PCRE2")
  }
}

/// A thread's working memory for matching: where groups are put, the limits, and the stack of machine code.
final class RegexScratch {
  /// The whole match and nine groups, which is what rules can name.
  static let groupsKept = 10
  /// What PCRE2 allows where nothing else is said.
  static let libraryMatchLimit: UInt32 = 10_000_000
  private static let stackBytes = (first: 32 * 1024, most: 1024 * 1024)
  /// For patterns that are interpreted, in KiB.
  private static let heapLimit: UInt32 = 20_000
  private static let depthLimit: UInt32 = 100_000

  /// Which ends of the text are none: for pieces of a longer value, where ^ and $ must not match.
  fileprivate var edges: UInt32 = 0

  func setEdges(isBeginning: Bool, isEnd: Bool) {
    edges = (isBeginning ? 0 : PCRE2_NOTBOL) | (isEnd ? 0 : PCRE2_NOTEOL)
  }

  fileprivate let matchData: OpaquePointer?
  fileprivate let context: OpaquePointer?
  private let stack: OpaquePointer?
  private let offsets: UnsafeMutablePointer<Int>?
  private var allowed: UInt32 = 0
  /// Groups of the last match that are known, the whole match counted; 0 after a search that found none.
  fileprivate(set) var groupCount = 0

  init() {
    matchData = pcre2_match_data_create_8(UInt32(RegexScratch.groupsKept), nil)
    context = pcre2_match_context_create_8(nil)
    stack = pcre2_jit_stack_create_8(RegexScratch.stackBytes.first, RegexScratch.stackBytes.most, nil)
    offsets = matchData.flatMap { pcre2_get_ovector_pointer_8($0) }
    if let context {
      if let stack { pcre2_jit_stack_assign_8(context, nil, UnsafeMutableRawPointer(stack)) }
      pcre2_set_heap_limit_8(context, RegexScratch.heapLimit)
      pcre2_set_depth_limit_8(context, RegexScratch.depthLimit)
    }
  }

  deinit {
    pcre2_match_data_free_8(matchData)
    pcre2_match_context_free_8(context)
    pcre2_jit_stack_free_8(stack)
  }

  fileprivate func allow(_ limit: UInt32) {
    guard allowed != limit, let context else { return }
    pcre2_set_match_limit_8(context, limit)
    allowed = limit
  }

  /// Where group `index` lies in the value (0 is the whole match); nil where it took no part.
  func group(_ index: Int) -> Range<Int>? {
    guard let offsets, index >= 0, index < groupCount else { return nil }
    let start = offsets[2 * index]
    let end = offsets[2 * index + 1]
    // \K in a lookahead can put the start after the end.
    guard start >= 0, end >= start else { return nil }
    return start..<end
  }

  /// Where the whole match lies.
  var match: Range<Int> { group(0) ?? 0..<0 }
}
