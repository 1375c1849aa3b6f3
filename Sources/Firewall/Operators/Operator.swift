// An operator: does this value match, and where (ModSecurity reference manual, "Operators").
//
// Each has a file of its own beside this one; `Operators.swift` registers them. An operator is made once, when rules are
// compiled, and is immutable after; it is asked by many threads at once, each with its own `OperatorScratch`.

/// A question asked of a value; see the head of this file.
public protocol Operator: AnyObject, Sendable {
  /// Whether `value` matches; where and what was captured is left in `scratch`, which the caller has cleared.
  func matches(_ value: ByteView, _ scratch: OperatorScratch) -> Bool
}

/// What an operator leaves behind, and what it works in. Owner: one thread.
public final class OperatorScratch {
  /// Behind a pointer, outside the checks for exclusive access: this is touched for every test of every value.
  private struct State: BitwiseCopyable {
    var offset = 0
    var length = 0
    var limitExceeded = false
    var asked = 0
  }
  private let state: UnsafeMutablePointer<State>
  /// Where captures that are made live.
  public let arena: Arena
  /// PCRE2's working memory (see Regex.swift).
  let regex = RegexScratch()
  /// What goes into TX:0 to TX:9 of a rule that captures; views of the value, of the policy, or of `arena`.
  let captures = TrivialList<ByteView>(capacity: 16)

  /// Offset and length of the part of the value that matched; the whole value where an operator can't say.
  public var offset: Int {
    get { state.pointee.offset }
    set { state.pointee.offset = newValue }
  }
  /// Its length, in bytes.
  public var length: Int {
    get { state.pointee.length }
    set { state.pointee.length = newValue }
  }
  /// A limit was hit (PCRE2's match limit): the answer "no match" is not certain.
  public var limitExceeded: Bool {
    get { state.pointee.limitExceeded }
    set { state.pointee.limitExceeded = newValue }
  }

  /// How many values were asked about so far, for a profile.
  var asked: Int { state.pointee.asked }

  /// All its parts.
  public init(arena: Arena) {
    self.arena = arena
    state = .allocate(capacity: 1)
    state.initialize(to: State())
  }

  deinit {
    state.deallocate()
    captures.free()
  }

  /// Ready for a question about `value`: the whole of it matches until an operator says which part.
  @inline(__always)
  public func clear(for value: ByteView) {
    state.pointee.offset = 0
    state.pointee.length = value.count
    state.pointee.asked &+= 1
    captures.removeAll()
  }
}

/// What an operator may need when it is made, from outside.
public struct OperatorContext: Sendable {
  /// The bytes of a file that a rule names, relative to the rule's own file.
  public var file: @Sendable (_ path: String) throws -> [UInt8]
  /// How regular expressions are compiled.
  public var regexOptions: RegexOptions
  /// All its parts.
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
  /// What was there.
  public let found: String
  /// What should be, or what to do.
  public let wanted: String
  /// All its parts.
  public init(found: String, wanted: String) {
    self.found = found
    self.wanted = wanted
  }
}
