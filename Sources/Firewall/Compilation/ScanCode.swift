// Which of Vectorscan's machine code is used: the first that passes a test with known answers.
//
// Debian 12's Vectorscan 5.4.9 misses matches on processors with AVX-512 (`\$\{.*\}` in a value of more than 66 bytes,
// for one), which for a firewall is a hole. So the library is tried before it is trusted, and its code for AVX2 or SSE4.2
// is taken instead; where none passes, nothing is scanned ahead, and PCRE2 looks for every pattern.

internal import CVectorscan

enum ScanCode {
  /// Nil: none passes.
  static let function: kabuto_scan_function? = {
    for number in Int32(0)...2 {
      if let function = kabuto_scan_variant(number), passes(function) { return function }
    }
    return nil
  }()

  /// What was chosen, for reports.
  static var name: String {
    guard let function else { return "none" }
    for (number, name) in [(Int32(0), "its own choice"), (1, "AVX2"), (2, "SSE4.2")] {
      guard let variant = kabuto_scan_variant(number) else { continue }
      if unsafeBitCast(variant, to: Int.self) == unsafeBitCast(function, to: Int.self) { return name }
    }
    return "its own choice"
  }

  /// Patterns that wait for one byte, for a set of bytes, for a pair, or for a word, and values with one match: filler of
  /// any length between a beginning and an end.
  private static let trials: [(pattern: String, begin: String, end: String)] = [
    ("\\$\\{.*\\}", "${", "}"), ("[<>]\\(.*\\)", "<(", ")"), ("ab.*cd", "ab", "cd"), ("a[^;]*;", "a", ";"),
    ("(?i)union.+?select", "union ", "SELECT"), ("['\"`][^'\"]*[\"']", "'", "\""),
    ("a\\s+b|q.*[0-9]{2}", "q", "77"),
    ("(?:^|[^z])zz\\b.*=$", "-zz ", "="),
  ]

  private static func passes(_ function: kabuto_scan_function) -> Bool {
    for trial in trials {
      var database: OpaquePointer?
      var error: UnsafeMutablePointer<hs_compile_error_t>?
      let code = hs_compile(
        trial.pattern, UInt32(HS_FLAG_DOTALL) | UInt32(HS_FLAG_SINGLEMATCH), UInt32(HS_MODE_BLOCK), nil,
        &database,
        &error)
      defer {
        hs_free_compile_error(error)
        hs_free_database(database)
      }
      var scratch: OpaquePointer?
      guard code == HS_SUCCESS, hs_alloc_scratch(database, &scratch) == HS_SUCCESS else { return false }
      defer { hs_free_scratch(scratch) }
      for filler in 0..<320 {
        let value =
          Array(trial.begin.utf8) + Array(repeating: UInt8(ascii: "x"), count: filler) + Array(trial.end.utf8)
        // Where the value lies in memory must not matter either.
        for shift in [0, 1, 7] {
          let text = Array(repeating: UInt8(ascii: "-"), count: shift) + value
          if finds(function, database, scratch, text[shift...]) != true { return false }
        }
        if finds(function, database, scratch, value.dropLast(trial.end.utf8.count)[...]) != false {
          return false
        }
      }
    }
    return true
  }

  /// Nil: the library refused.
  private static func finds(
    _ function: kabuto_scan_function, _ database: OpaquePointer?, _ scratch: OpaquePointer?,
    _ value: ArraySlice<UInt8>
  ) -> Bool? {
    var isFound = false
    let code = value.withUnsafeBytes { bytes in
      withUnsafeMutablePointer(to: &isFound) { found in
        kabuto_scan(
          function, database, bytes.bindMemory(to: CChar.self).baseAddress, UInt32(bytes.count), scratch,
          { _, _, _, _, context in
            context?.assumingMemoryBound(to: Bool.self).pointee = true
            return 0
          }, found)
      }
    }
    return code == HS_SUCCESS ? isFound : nil
  }
}
