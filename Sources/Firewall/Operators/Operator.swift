// An operator: does this value match, and where (ModSecurity reference manual, "Operators").
//
// Each has a file of its own beside this one; `Operators.swift` registers them. An operator is made once, when rules are
// compiled, and is immutable after; it is asked by many threads at once, each with its own `OperatorScratch`.

public protocol Operator: AnyObject, Sendable {
  /// Whether `value` matches; where and what was captured is left in `scratch`, which the caller has cleared.
  func matches(_ value: ByteView, _ scratch: OperatorScratch) -> Bool
}

/// What an operator leaves behind, and what it works in. Owner: one thread.
public final class OperatorScratch {
  /// Offset and length of the part of the value that matched; the whole value where an operator can't say.
  public var offset = 0
  public var length = 0
  /// What goes into TX:0 to TX:9 of a rule that captures; views of the value, of the policy, or of `arena`.
  public var captures: [ByteView] = []
  /// A limit was hit (PCRE2's match limit): the answer "no match" is not certain.
  public var limitExceeded = false
  public let arena: Arena
  /// PCRE2's working memory (see Regex.swift).
  var regexData: RegexScratch?

  public init(arena: Arena) { self.arena = arena }

  public func clear(for value: ByteView) {
    offset = 0
    length = value.count
    if !captures.isEmpty { captures.removeAll(keepingCapacity: true) }
  }
}

/// What an operator may need when it is made, from outside.
public struct OperatorContext: Sendable {
  /// The bytes of a file that a rule names, relative to the rule's own file.
  public var file: @Sendable (_ path: String) throws -> [UInt8]
  public var regexOptions: RegexOptions
  public init(
    regexOptions: RegexOptions = RegexOptions(),
    file: @escaping @Sendable (String) throws -> [UInt8]
  ) {
    self.regexOptions = regexOptions
    self.file = file
  }
}

/// Why an operator can't be made of its parameter.
public struct OperatorFault: Error, Equatable {
  public let found: String
  public let wanted: String
  public init(found: String, wanted: String) {
    self.found = found
    self.wanted = wanted
  }
}
