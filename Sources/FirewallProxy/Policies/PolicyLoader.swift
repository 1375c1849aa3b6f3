// Policies from files: the rules read with what they include, compiled, the pattern databases kept on disk.
//
// Loading is for a thread of its own: it reads files and takes seconds where nothing is kept.

internal import Dispatch
public import Firewall
internal import Foundation

/// Where a policy comes from.
public struct PolicyLoader: Sendable {
  /// SecLang files and folders (of which all `*.conf`, by name), in order.
  public var paths: [String]
  /// Where compiled pattern databases are kept; nil: nowhere.
  public var cacheFolder: String?
  /// SecLang that is read before the files, `SecRuleEngine On` for instance.
  public var preamble = ""
  /// How backslashes before quotes are read: as Apache reads them, for which the Core Rule Set is written.
  public var quoting = Quoting.apache
  /// Collections that outlive a transaction, carried over a reload.
  public let store: CollectionStore
  /// Whether compiling may use all processors; false: one thread, the caller's, whose priority then holds.
  public var isConcurrent = true
  /// False: the plain evaluator, which asks rule after rule.
  public var scans = true

  /// For these files and folders.
  public init(paths: [String], cacheFolder: String? = PolicyLoader.defaultCacheFolder) {
    self.paths = paths
    self.cacheFolder = cacheFolder
    store = CollectionStore()
  }

  /// `$XDG_CACHE_HOME/kabuto/patterns`, or the same under `~/.cache`; nil where neither is known.
  public static var defaultCacheFolder: String? {
    let environment = ProcessInfo.processInfo.environment
    if let folder = environment["XDG_CACHE_HOME"], folder.hasPrefix("/") {
      return folder + "/kabuto/patterns"
    }
    if let home = environment["HOME"], home.hasPrefix("/") { return home + "/.cache/kabuto/patterns" }
    return nil
  }

  /// The rules, read and checked but not compiled.
  public func source() throws(RuleFaults) -> RuleSource {
    var files: [String] = []
    var faults: [RuleFault] = []
    let loader = DiskLoader()
    for path in paths {
      var isFolder: ObjCBool = false
      if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
        let found = ((try? loader.matching(glob: path + "/*.conf")) ?? []).sorted()
        if found.isEmpty {
          faults.append(
            RuleFault(
              place: Place(file: path, line: 0), found: "a folder without *.conf files",
              wanted: "a folder of rules, or a rule file"))
        }
        files += found
      } else {
        files.append(path)
      }
    }
    var directives: [DirectiveSyntax] = []
    if !preamble.isEmpty {
      let first = RuleSource(text: Array(preamble.utf8), file: "(options)", quoting: quoting, loader: loader)
      directives += first.directives
      faults += first.faults
    }
    var source = RuleSource(paths: files, quoting: quoting, loader: loader)
    source.prepend(directives)
    faults += source.faults
    if !faults.isEmpty { throw RuleFaults(faults) }
    return source
  }

  /// The policy. What becomes of pattern databases that aren't kept yet is the caller's choice: a first start can do
  /// without and load again afterwards.
  public func load(_ databases: DatabasePolicy = .build) throws(RuleFaults) -> Policy {
    try compile(source(), databases)
  }

  /// What the rules say that can hardly be meant.
  public func lint() throws(RuleFaults) -> [LintWarning] {
    try Policy.lint(
      source().directives, options: PolicyOptions { path in try DiskLoader().bytes(path: path) })
  }

  /// The policy of rules that were read.
  public func compile(_ source: RuleSource, _ databases: DatabasePolicy = .build) throws(RuleFaults) -> Policy
  {
    var options = PolicyOptions(store: store) { path in try DiskLoader().bytes(path: path) }
    options.scans = scans
    options.deniesUnreadableBodies = true
    options.databases = databases
    options.cache = cacheFolder.map(DiskCache.init)
    if isConcurrent {
      options.concurrently = { n, body in DispatchQueue.concurrentPerform(iterations: n, execute: body) }
    }
    return try Policy.compile(source.directives, options: options)
  }
}

/// Rule files on disk.
struct DiskLoader: RuleLoader {
  /// No rule file is larger.
  static let largestFileBytes = 64 << 20

  func bytes(path: String) throws -> [UInt8] {
    let data: Data
    do {
      let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
      defer { try? handle.close() }
      data = try handle.read(upToCount: DiskLoader.largestFileBytes + 1) ?? Data()
    } catch {
      throw FirewallError(error.localizedDescription)
    }
    guard data.count <= DiskLoader.largestFileBytes else {
      throw FirewallError("larger than \(DiskLoader.largestFileBytes) bytes")
    }
    return Array(data)
  }

  func matching(glob pattern: String) throws -> [String] {
    var found = glob_t()
    defer { globfree(&found) }
    guard glob(pattern, 0, nil, &found) == 0 else { return [] }
    return (0..<Int(found.gl_pathc)).compactMap { found.gl_pathv[$0].map { String(cString: $0) } }
  }
}

/// Pattern databases as files. A file appears whole or not at all; what can't be read or written is compiled anew.
struct DiskCache: DatabaseCache {
  let folder: String

  func load(_ key: String) -> [UInt8]? {
    (try? Data(contentsOf: URL(fileURLWithPath: folder + "/" + key), options: .mappedIfSafe)).map(Array.init)
  }

  func store(_ key: String, _ bytes: [UInt8]) {
    // For the owner alone: whoever can write here decides what is not detected.
    try? FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    try? Data(bytes).write(to: URL(fileURLWithPath: folder + "/" + key), options: .atomic)
  }
}
