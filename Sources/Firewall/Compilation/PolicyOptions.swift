// What compiling needs from outside: files that rules name, a place to keep databases, helping hands.

/// Keeps compiled pattern databases between starts. Whatever it loses or damages is compiled again.
public protocol DatabaseCache: Sendable {
  func load(_ key: String) -> [UInt8]?
  func store(_ key: String, _ bytes: [UInt8])
}

/// What becomes of pattern databases that aren't in the cache.
public enum DatabasePolicy: Sendable { case build, leaveOut }

/// What a compilation is given from outside.
public struct PolicyOptions: Sendable {
  /// The bytes of a file that a rule names (@pmFromFile): a path, absolute or relative to the rule's file.
  public var file: @Sendable (_ path: String) throws -> [UInt8]
  /// How patterns are compiled, and how much a search may cost.
  public var regex = RegexOptions()
  /// Keeps pattern databases between compilations; nil: nothing does.
  public var cache: (any DatabaseCache)?
  /// Runs the closure for 0..<n, perhaps on several threads; returns when all are done.
  public var concurrently: @Sendable (_ n: Int, _ body: @Sendable (Int) -> Void) -> Void
  /// Persistent collections, carried over a reload.
  public var store: CollectionStore
  /// False: no scanning ahead, every rule asked in its turn. The plain evaluator, which the fast one must equal.
  public var scans = true

  /// Whether the engine itself denies (400) a body that can't be read or has more than a limit allows, where no rule of
  /// the set looks at REQBODY_ERROR.
  public var deniesUnreadableBodies = false
  /// Whether pattern databases that aren't in the cache are built now. Without them PCRE2 alone looks for their patterns,
  /// which is as right and slower: for a quick first start, with a complete compilation to follow.
  public var databases = DatabasePolicy.build

  /// Options that build everything, on the calling thread.
  public init(
    store: CollectionStore = CollectionStore(),
    file: @escaping @Sendable (String) throws -> [UInt8] = { path in
      throw OperatorFault(found: path, wanted: "rules that name no file: none can be read here")
    }
  ) {
    self.file = file
    self.store = store
    concurrently = { n, body in for index in 0..<n { body(index) } }
  }
}
