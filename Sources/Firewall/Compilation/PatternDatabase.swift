// Vectorscan: many patterns over one value in one pass. The only file that touches it.
//
// A database answers which of its patterns match somewhere in a value (HS_FLAG_SINGLEMATCH), nothing more; PCRE2 confirms
// and captures. A pattern beyond Vectorscan is compiled in its prefilter mode, which may say yes too often and never no
// too often; one refused even then is left to PCRE2 alone (`refused`).
// A database is immutable and shared; each thread scans with its own `ScanScratch`.

internal import CVectorscan

/// A pattern and how it is meant.
struct ScanPattern: Sendable, Hashable {
  let expression: [UInt8]
  /// Plain bytes, compared without case, in place of a regular expression (@pm).
  let isLiteral: Bool
}

final class PatternDatabase: @unchecked Sendable {
  fileprivate let database: OpaquePointer
  /// In bytes.
  let size: Int

  private init(_ database: OpaquePointer) {
    self.database = database
    var size = 0
    _ = hs_database_size(database, &size)
    self.size = size
  }

  deinit { hs_free_database(database) }

  /// What a pattern needs; asked once per pattern, without building anything.
  enum Suitability: Sendable { case exact, prefilter, refused, matchesEmpty }

  static func suitability(of pattern: ScanPattern, multiline: Bool) -> Suitability {
    if pattern.isLiteral { return pattern.expression.isEmpty ? .refused : .exact }
    guard !pattern.expression.contains(0) else { return .refused }
    func width(_ flags: UInt32) -> UInt32? {
      var information: UnsafeMutablePointer<hs_expr_info_t>?
      var error: UnsafeMutablePointer<hs_compile_error_t>?
      let text = pattern.expression.map { CChar(bitPattern: $0) } + [0]
      let code = hs_expression_info(text, flags, &information, &error)
      defer {
        hs_free_compile_error(error)
        if let information { kabuto_free(information) }
      }
      guard code == HS_SUCCESS, let information else { return nil }
      return information.pointee.min_width
    }
    let flags = flags(multiline: multiline)
    if let least = width(flags) { return least == 0 ? .matchesEmpty : .exact }
    if let least = width(flags | UInt32(HS_FLAG_PREFILTER)) { return least == 0 ? .matchesEmpty : .prefilter }
    return .refused
  }

  private static func flags(multiline: Bool) -> UInt32 {
    UInt32(HS_FLAG_DOTALL) | UInt32(HS_FLAG_SINGLEMATCH) | (multiline ? UInt32(HS_FLAG_MULTILINE) : 0)
  }

  /// Builds a database; `ids[i]` is what a hit of `patterns[i]` says (several may share one).
  /// - Returns: the database, or nil where all were refused, the places in `patterns` of those that were, and of those
  ///   that went into it in prefilter mode only.
  static func build(
    _ patterns: [ScanPattern], ids: [UInt32], prefilter: Set<Int>, multiline: Bool
  ) -> (database: PatternDatabase?, refused: [Int], prefiltered: [Int]) {
    // Where the library loses matches, PCRE2 looks for everything.
    guard ScanCode.isSound else { return (nil, Array(patterns.indices), []) }
    return compile(patterns, ids: ids, prefilter: prefilter, multiline: multiline)
  }

  fileprivate static func compile(
    _ patterns: [ScanPattern], ids: [UInt32], prefilter: Set<Int>, multiline: Bool
  ) -> (database: PatternDatabase?, refused: [Int], prefiltered: [Int]) {
    var flags = patterns.indices.map { index -> UInt32 in
      let basic = Self.flags(multiline: multiline)
      if patterns[index].isLiteral { return UInt32(HS_FLAG_SINGLEMATCH) | UInt32(HS_FLAG_CASELESS) }
      return prefilter.contains(index) ? basic | UInt32(HS_FLAG_PREFILTER) : basic
    }
    var kept = Array(patterns.indices)
    var refused: [Int] = []
    while !kept.isEmpty {
      let texts = kept.map { index in
        let pattern = patterns[index]
        return (pattern.isLiteral ? escape(pattern.expression) : pattern.expression).map {
          CChar(bitPattern: $0)
        }
          + [0]
      }
      var database: OpaquePointer?
      var error: UnsafeMutablePointer<hs_compile_error_t>?
      var platform = hs_platform_info_t()
      hs_populate_platform(&platform)
      if ScanCode.avoidsAVX512 { platform.cpu_features = UInt64(HS_CPU_FEATURES_AVX2) }
      let code = withPointers(to: texts) { pointers in
        hs_compile_ext_multi(
          pointers, kept.map { flags[$0] }, kept.map { ids[$0] }, nil, UInt32(kept.count),
          UInt32(HS_MODE_BLOCK), &platform, &database, &error)
      }
      defer { hs_free_compile_error(error) }
      if code == HS_SUCCESS, let database {
        let prefiltered = kept.filter { flags[$0] & UInt32(HS_FLAG_PREFILTER) != 0 }
        return (PatternDatabase(database), refused, prefiltered)
      }
      guard let error, error.pointee.expression >= 0, Int(error.pointee.expression) < kept.count else {
        // Nothing says which: all are left to PCRE2.
        return (nil, Array(patterns.indices), [])
      }
      let place = Int(error.pointee.expression)
      let index = kept[place]
      if flags[index] & UInt32(HS_FLAG_PREFILTER) == 0, !patterns[index].isLiteral {
        flags[index] |= UInt32(HS_FLAG_PREFILTER)
      } else {
        refused.append(index)
        kept.remove(at: place)
      }
    }
    return (nil, refused, [])
  }

  /// As bytes that `init(serialized:)` takes, on the same kind of machine.
  var serialized: [UInt8]? {
    var bytes: UnsafeMutablePointer<CChar>?
    var count = 0
    guard hs_serialize_database(database, &bytes, &count) == HS_SUCCESS, let bytes else { return nil }
    defer { kabuto_free(bytes) }
    return (0..<count).map { UInt8(bitPattern: bytes[$0]) }
  }

  /// Nil where the bytes aren't a database of this version and this kind of machine.
  init?(serialized: [UInt8]) {
    var database: OpaquePointer?
    let code = serialized.withUnsafeBytes { raw in
      hs_deserialize_database(raw.bindMemory(to: CChar.self).baseAddress, raw.count, &database)
    }
    guard code == HS_SUCCESS, let database else { return nil }
    self.database = database
    var size = 0
    _ = hs_database_size(database, &size)
    self.size = size
  }

  /// The version of Vectorscan and the code it runs, which a kept database must share.
  static var version: String {
    "\(String(cString: hs_version())) avx512=\(ScanCode.avoidsAVX512 ? "avoided" : "allowed") sound=\(ScanCode.isSound)"
  }

  /// `text` as a regular expression that means its bytes.
  private static func escape(_ text: [UInt8]) -> [UInt8] {
    let digits = Array("0123456789abcdef".utf8)
    return text.flatMap { byte -> [UInt8] in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        [byte]
      default:
        [UInt8(ascii: "\\"), UInt8(ascii: "x"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
  }

  private static func withPointers<R>(
    to texts: [[CChar]], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> R
  ) -> R {
    let total = texts.reduce(0) { $0 + $1.count }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: total) { storage in
      withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: texts.count) { pointers in
        var at = 0
        for (index, text) in texts.enumerated() {
          guard let base = storage.baseAddress else { continue }
          for (offset, character) in text.enumerated() { storage[at + offset] = character }
          pointers.initializeElement(at: index, to: UnsafePointer(base + at))
          at += text.count
        }
        guard let base = pointers.baseAddress else { preconditionFailure("an allocation has a base") }
        return body(UnsafePointer(base))
      }
    }
  }
}

/// Which of the library's codes scans. Vectorscan's for AVX-512 loses matches: in 5.4.9, which Debian 12 has, `x[^y]+y`
/// isn't found in most values longer than 64 bytes (VectorCamp/vectorscan, issue 317). Its code for AVX2 finds them.
enum ScanCode {
  static let avoidsAVX512 = kabuto_can_avoid_avx512() != 0

  /// Whether patterns that run over many bytes are found in values of all lengths: asked once, before any database is
  /// trusted.
  static let isSound: Bool = {
    let probes: [(pattern: String, start: String, end: String)] = [
      ("x[^y]+y", "x", "y"), ("a.+b", "a", "b"), ("\\$(?:\\{[^}]+\\}|\\[[^\\]]*\\])", "${", "}"),
      ("(?i)[\"'][ ]*[^a-z0-9~_:' ].+?[.].+?=", "\"--", ".c="),
      ("[<>]\\([^)]+\\)|/[0-9A-Z_a-z]*\\[[^\\]]+\\]", "/[", "]"),
    ]
    for probe in probes {
      let pattern = ScanPattern(expression: Array(probe.pattern.utf8), isLiteral: false)
      guard
        let database = PatternDatabase.compile([pattern], ids: [0], prefilter: [], multiline: true).database,
        let scratch = ScanScratch(for: [database], largest: 1)
      else { return false }
      for lead in [0, 1, 15, 33, 64] {
        for count in 1...200 {
          let filler = [UInt8](repeating: UInt8(ascii: "q"), count: lead)
          let value =
            filler + Array(probe.start.utf8) + [UInt8](repeating: UInt8(ascii: "c"), count: count)
            + Array(probe.end.utf8)
          guard value.withUnsafeBytes({ scratch.scan(ByteView($0), with: database) }) == 1 else {
            return false
          }
        }
      }
    }
    return true
  }()
}

/// A thread's memory for scanning. Owner: one thread.
final class ScanScratch {
  private let avx2: Int32 = ScanCode.avoidsAVX512 ? 1 : 0
  private var scratch: OpaquePointer?
  /// What the last scan found: ids, each once, and where the first match of each ends.
  let found: UnsafeMutablePointer<Found>
  private(set) var capacity: Int
  private let state: UnsafeMutablePointer<State>

  struct Found: BitwiseCopyable {
    let id: UInt32
    let end: UInt32
  }

  struct State {
    var found: UnsafeMutablePointer<Found>
    var count: Int
    var capacity: Int
  }

  /// Room for the databases of a policy. `largest`: the most ids that one of them can give.
  init?(for databases: [PatternDatabase], largest: Int) {
    capacity = max(largest, 16)
    found = .allocate(capacity: capacity)
    state = .allocate(capacity: 1)
    state.initialize(to: State(found: found, count: 0, capacity: capacity))
    for database in databases where hs_alloc_scratch(database.database, &scratch) != HS_SUCCESS {
      return nil
    }
  }

  deinit {
    hs_free_scratch(scratch)
    found.deallocate()
    state.deallocate()
  }

  /// Scans `value`; `found` holds the ids of what matched, as many as are returned. -1: the library refused.
  func scan(_ value: ByteView, with database: PatternDatabase) -> Int {
    state.pointee.count = 0
    let code = kabuto_scan(
      avx2, database.database, UnsafeRawPointer(value.start).assumingMemoryBound(to: CChar.self),
      UInt32(truncatingIfNeeded: value.count), scratch,
      { id, _, end, _, context in
        guard let state = context?.assumingMemoryBound(to: State.self) else { return 1 }
        if state.pointee.count < state.pointee.capacity {
          state.pointee.found[state.pointee.count] = Found(id: id, end: UInt32(truncatingIfNeeded: end))
          state.pointee.count += 1
        }
        return 0
      }, state)
    return code == HS_SUCCESS ? state.pointee.count : -1
  }
}
