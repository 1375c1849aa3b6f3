// Regular expressions of rules: PCRE2, because rules look ahead and behind. A match is bounded in steps; a bound that
// was hit is an error, never "no match".
//
// @unchecked Sendable: compiled code is immutable, each match has memory of its own.

internal import CPCRE2

/// A regular expression.
public final class Pattern: @unchecked Sendable {
  /// As it was written.
  public let source: String
  private let code: OpaquePointer
  private let groups: Int

  private static let steps: UInt32 = 1_000_000

  /// Why a text isn't a regular expression.
  public struct Fault: Error, Sendable, Equatable {
    /// Where, in bytes from the expression's beginning.
    public let offset: Int
    /// What is wrong.
    public let reason: String
  }

  /// Compiles.
  /// - Throws: `Fault`.
  public init(_ source: String) throws(Fault) {
    self.source = source
    var error: Int32 = 0
    var offset = 0
    var text = source
    let made = text.withUTF8 { bytes in
      var none: UInt8 = 0
      return pcre2_compile_8(
        bytes.baseAddress ?? withUnsafePointer(to: &none) { $0 }, bytes.count,
        UInt32(PCRE2_UTF) | UInt32(PCRE2_NEVER_BACKSLASH_C), &error, &offset, nil)
    }
    guard let made else {
      var message = [UInt8](repeating: 0, count: 256)
      pcre2_get_error_message_8(error, &message, message.count)
      throw Fault(offset: offset, reason: String(decoding: message.prefix { $0 != 0 }, as: UTF8.self))
    }
    code = made
    pcre2_jit_compile_8(made, UInt32(PCRE2_JIT_COMPLETE))
    var count: UInt32 = 0
    pcre2_pattern_info_8(made, UInt32(PCRE2_INFO_CAPTURECOUNT), &count)
    groups = Int(count)
  }

  deinit { pcre2_code_free_8(code) }

  /// A match was too much work.
  struct TooMuch: Error {}

  /// Whether it occurs anywhere in a text.
  func occurs(in text: String) throws(TooMuch) -> Bool {
    var text = text
    let found: Result<Bool, TooMuch> = text.withUTF8 { bytes in
      Result { () throws(TooMuch) -> Bool in
        try withMatcher { (data, context) throws(TooMuch) in try match(bytes, from: 0, data, context) }
      }
    }
    return try found.get()
  }

  /// The expansion of a template for every match, one behind the other; what doesn't match is left out.
  func expansions(of template: String, in text: String) throws(TooMuch) -> String {
    var text = text
    let all: Result<String, TooMuch> = text.withUTF8 { bytes in
      Result { () throws(TooMuch) -> String in
        try withMatcher { (data, context) throws(TooMuch) in
          var out = ""
          var from = 0
          while from <= bytes.count, try match(bytes, from: from, data, context) {
            guard let ends = pcre2_get_ovector_pointer_8(data) else { throw TooMuch() }
            out += expand(template, bytes, ends)
            guard ends[1] <= bytes.count else { throw TooMuch() }
            var next = ends[1] > ends[0] ? ends[1] : ends[1] + 1
            // Behind an empty match a whole character is passed over.
            while next < bytes.count, bytes[next] & 0xC0 == 0x80 { next += 1 }
            guard next > from else { throw TooMuch() }
            from = next
          }
          return out
        }
      }
    }
    return try all.get()
  }

  private func withMatcher<T>(
    _ body: (OpaquePointer, OpaquePointer) throws(TooMuch) -> T
  ) throws(TooMuch) -> T {
    guard let data = pcre2_match_data_create_from_pattern_8(code, nil) else { throw TooMuch() }
    defer { pcre2_match_data_free_8(data) }
    guard let context = pcre2_match_context_create_8(nil) else { throw TooMuch() }
    defer { pcre2_match_context_free_8(context) }
    pcre2_set_match_limit_8(context, Self.steps)
    return try body(data, context)
  }

  private func match(
    _ bytes: UnsafeBufferPointer<UInt8>, from: Int, _ data: OpaquePointer, _ context: OpaquePointer
  ) throws(TooMuch) -> Bool {
    var none: UInt8 = 0
    let found = withUnsafePointer(to: &none) { none in
      pcre2_match_8(
        code, bytes.baseAddress ?? none, bytes.count, from, UInt32(PCRE2_NO_UTF_CHECK), data, context)
    }
    if found == PCRE2_ERROR_NOMATCH { return false }
    if found < 0 { throw TooMuch() }
    return true
  }

  /// `$1`, `${1}`, `$name`, `${name}`, `$$`.
  private func expand(
    _ template: String, _ bytes: UnsafeBufferPointer<UInt8>, _ ends: UnsafeMutablePointer<Int>
  ) -> String {
    var out: [UInt8] = []
    var rest = Array(template.utf8)[...]
    func isWord(_ byte: UInt8) -> Bool {
      byte == UInt8(ascii: "_") || (48...57).contains(byte) || (65...90).contains(byte)
        || (97...122).contains(byte)
    }
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "$") else {
        out.append(byte)
        continue
      }
      if rest.first == UInt8(ascii: "$") {
        rest.removeFirst()
        out.append(byte)
        continue
      }
      let isBraced = rest.first == UInt8(ascii: "{")
      let tail = isBraced ? rest.dropFirst() : rest
      let name = isBraced ? tail.prefix { $0 != UInt8(ascii: "}") } : tail.prefix(while: isWord)
      guard !name.isEmpty, !isBraced || tail.dropFirst(name.count).first == UInt8(ascii: "}") else {
        out.append(byte)
        continue
      }
      rest = tail.dropFirst(name.count + (isBraced ? 1 : 0))
      let text = String(decoding: name, as: UTF8.self)
      let group = Int(text) ?? Int(pcre2_substring_number_from_name_8(code, text))
      guard group >= 0, group <= groups, ends[2 * group] != Int.max, ends[2 * group] >= 0,
        ends[2 * group] <= ends[2 * group + 1], ends[2 * group + 1] <= bytes.count
      else { continue }
      out += bytes[ends[2 * group]..<ends[2 * group + 1]]
    }
    return String(decoding: out, as: UTF8.self)
  }
}
