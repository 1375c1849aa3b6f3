// PCRE2 with its just-in-time compiler: the only place that touches it (pcre2api, pcre2jit).
//
// Patterns and values are bytes: no UTF mode. As in libmodsecurity 3, a dot matches a line feed and ^ and $ match at
// lines (DOTALL, MULTILINE); see docs/RATIONALE.md. A match is bounded by limits on steps, depth and heap; a limit that
// was hit is reported as such, never as "no match". Where the machine has no just-in-time compiler, PCRE2 interprets.
// Invariant: a `Regex` is immutable and shared by all threads; a `RegexScratch` belongs to one.

internal import CPCRE2
import Synchronization

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
  /// Of a part only: whether a match begins at this place, or after it, depends on what follows the part; none begins
  /// before it.
  case undecided(Int)
}

final class Regex: @unchecked Sendable {
  private let pattern: [UInt8]
  private let flags: UInt32
  private let code: OpaquePointer
  /// The same for looks at parts of a value; compiled when the first long value comes. 0: not yet.
  private let partCode = Mutex<UInt>(0)
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
    self.pattern = pattern
    self.flags = flags
    let compiled = try Regex.compile(pattern, flags)
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

  deinit {
    pcre2_code_free_8(code)
    partCode.withLock { pcre2_code_free_8(OpaquePointer(bitPattern: $0)) }
  }

  private static func compile(_ pattern: [UInt8], _ flags: UInt32) throws(OperatorFault) -> OpaquePointer {
    var error: Int32 = 0
    var offset = 0
    // An empty array may have no address; the byte is not looked at.
    let compiled = (pattern.isEmpty ? [0] : pattern).withUnsafeBufferPointer {
      pcre2_compile_8($0.baseAddress, pattern.count, flags, &error, &offset, nil)
    }
    guard let compiled else { throw fault(error, offset: offset, in: pattern) }
    return compiled
  }

  /// A byte that every match has, in either case; nil where PCRE2 knows none.
  var neededByte: UInt8? {
    var kind: UInt32 = 0
    var unit: UInt32 = 0
    pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_LASTCODETYPE), &kind)
    pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_LASTCODEUNIT), &unit)
    return kind == 1 ? UInt8(truncatingIfNeeded: unit) : nil
  }

  /// Searches a part of the value for a match that begins within it, at `lastStart` at the latest. What lies before the
  /// part is seen by assertions that look back.
  /// - Parameter isCut: the value is taken to end where the part does, rather than to go on in ways that aren't known.
  func look(
    in value: ByteView, _ part: Range<Int>, lastStart: Int, isCut: Bool = false, canBeEmpty: Bool,
    limit: UInt32 = .max,
    _ scratch: RegexScratch
  ) -> RegexOutcome {
    guard let data = scratch.matchData, let context = scratch.context, let code = codeForParts() else {
      return .limitExceeded
    }
    scratch.allow(min(limit, matchLimit))
    var flags = canBeEmpty ? 0 : PCRE2_NOTEMPTY
    if part.upperBound < value.count { flags |= isCut ? PCRE2_NOTEOL : PCRE2_PARTIAL_HARD }
    pcre2_set_offset_limit_8(context, lastStart)
    // PCRE2_UNSET, as code that knows no such limit wants it.
    defer { pcre2_set_offset_limit_8(context, -1) }
    let found = match(code, value.prefix(part.upperBound), part.lowerBound, flags, data, scratch)
    if found == PCRE2_ERROR_PARTIAL {
      scratch.groupCount = 0
      return .undecided(max(part.lowerBound, pcre2_get_ovector_pointer_8(data)[0]))
    }
    let outcome = outcome(found, scratch)
    guard outcome == .match, part.upperBound < value.count, pcre2_get_startchar_8(data) >= part.upperBound
    else { return outcome }
    // What begins where the part ends doesn't begin within it.
    scratch.groupCount = 0
    return .noMatch
  }

  /// Whether the pattern has what looks like a verb, `(*SKIP)`.
  private var hasVerbs: Bool {
    pattern.indices.dropLast(2).contains {
      pattern[$0] == UInt8(ascii: "(") && pattern[$0 + 1] == UInt8(ascii: "*")
        && (pattern[$0 + 2] == UInt8(ascii: ":") || (0x41...0x5A).contains(pattern[$0 + 2]))
    }
  }

  private func codeForParts() -> OpaquePointer? {
    partCode.withLock { address in
      if let known = OpaquePointer(bitPattern: address) { return known }
      guard let made = try? Regex.compile(pattern, flags | PCRE2_USE_OFFSET_LIMIT) else {
        return nil
      }
      // With a last start, the machine code of PCRE2 10.42 goes round for ever in (*SKIP): verbs are interpreted.
      if !hasVerbs { pcre2_jit_compile_8(made, PCRE2_JIT_COMPLETE | PCRE2_JIT_PARTIAL_HARD) }
      address = UInt(bitPattern: made)
      return made
    }
  }

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
    return outcome(match(code, value, from, canBeEmpty ? 0 : PCRE2_NOTEMPTY, data, scratch), scratch)
  }

  private func match(
    _ code: OpaquePointer, _ value: ByteView, _ from: Int, _ flags: UInt32, _ data: OpaquePointer,
    _ scratch: RegexScratch
  ) -> Int32 {
    let found = pcre2_match_8(code, value.start, value.count, from, flags, data, scratch.context)
    guard found == PCRE2_ERROR_JIT_STACKLIMIT else { return found }
    // The interpreter keeps its frames on the heap, where there is more room.
    return pcre2_match_8(code, value.start, value.count, from, flags | PCRE2_NO_JIT, data, scratch.context)
  }

  private func outcome(_ found: Int32, _ scratch: RegexScratch) -> RegexOutcome {
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
