// All directives of a set of rules: a file, and what it includes, in order (Apache's Include and IncludeOptional).
//
// Pure: files come through a `RuleLoader`. A pattern's files are taken in alphabetical order; relative paths are
// relative to the file that names them. A file that includes itself, too deep a nesting and too many files are faults.

/// Where rule files come from.
public protocol RuleLoader {
  /// The content of a file. What is thrown ends up in a fault as text.
  func bytes(path: String) throws -> [UInt8]
  /// The files that match a pattern of `*`, `?` and `[…]`, in any order; none where there are none.
  func matching(glob: String) throws -> [String]
}

/// A set of rules as read, with all that is wrong with it.
public struct RuleSource: Sendable {
  /// How deep files may include one another.
  public static let depthLimit = 32
  /// How many files one set of rules may have, each counted as often as it is included.
  public static let fileLimit = 2000

  /// What the files say, in order; no Include is left among them.
  public private(set) var directives: [DirectiveSyntax] = []
  /// What is wrong, file by file.
  public private(set) var faults: [RuleFault] = []
  /// Every file that was read, in order.
  public private(set) var files: [String] = []

  private let quoting: Quoting
  private var isOverLimit = false

  /// Reads `paths`, one after the other, as one set of rules.
  public init(paths: [String], quoting: Quoting = .libmodsecurity, loader: any RuleLoader) {
    self.quoting = quoting
    for path in paths {
      read(path, named: Place(file: path, line: 0), stack: [], loader: loader)
    }
  }

  /// Reads rules that lie in no file; `file` is their name in faults, and what their relative paths start from.
  public init(text: [UInt8], file: String, quoting: Quoting = .libmodsecurity, loader: any RuleLoader) {
    self.quoting = quoting
    files.append(file)
    take(text, file: file, stack: [], loader: loader)
  }

  /// Puts directives before all others.
  public mutating func prepend(_ first: [DirectiveSyntax]) { directives.insert(contentsOf: first, at: 0) }

  private mutating func read(_ path: String, named place: Place, stack: [String], loader: any RuleLoader) {
    func fault(_ found: String, _ wanted: String) -> RuleFault {
      RuleFault(place: place, found: found, wanted: wanted)
    }
    guard !stack.contains(RulePath.normal(path)) else {
      return faults.append(
        fault(
          "`\(path)` includes itself, by way of \(stack.count) files", "take one of the Include lines out"))
    }
    guard stack.count < RuleSource.depthLimit else {
      return faults.append(
        fault(
          "files that include one another more than \(RuleSource.depthLimit) deep",
          "include them side by side"))
    }
    guard files.count < RuleSource.fileLimit else {
      if !isOverLimit {
        faults.append(fault("more than \(RuleSource.fileLimit) files", "include each file once"))
      }
      isOverLimit = true
      return
    }
    let text: [UInt8]
    do { text = try loader.bytes(path: path) } catch {
      return faults.append(
        fault("`\(path)` can't be read: \(error)", "name a file that is there and may be read"))
    }
    files.append(path)
    take(text, file: path, stack: stack, loader: loader)
  }

  private mutating func take(_ text: [UInt8], file: String, stack: [String], loader: any RuleLoader) {
    var own: [DirectiveSyntax] = []
    var ownFaults: [RuleFault] = []
    SecLangParser.parse(text, file: file, quoting: quoting, into: &own, faults: &ownFaults)
    faults += ownFaults
    let stack = stack + [RulePath.normal(file)]
    for directive in own {
      guard case .setting(let name, let arguments) = directive.kind, arguments.count == 1,
        ["include", "includeoptional"].contains(name.lowercased())
      else {
        directives.append(directive)
        continue
      }
      let isOptional = name.lowercased() == "includeoptional"
      include(arguments[0], isOptional: isOptional, at: directive.place, stack: stack, loader: loader)
    }
  }

  private mutating func include(
    _ argument: String, isOptional: Bool, at place: Place, stack: [String], loader: any RuleLoader
  ) {
    let path = RulePath.resolve(argument, from: place.file)
    guard isOptional || RulePath.isPattern(path) else {
      return read(path, named: place, stack: stack, loader: loader)
    }
    do {
      let found = try loader.matching(glob: path).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      if found.isEmpty, !isOptional {
        faults.append(
          RuleFault(
            place: place, found: "no file matches `\(path)`",
            wanted: "name files that are there, or write IncludeOptional"))
      }
      for file in found { read(file, named: place, stack: stack, loader: loader) }
    } catch {
      faults.append(
        RuleFault(
          place: place, found: "`\(path)` can't be searched: \(error)",
          wanted: "name a folder that may be read"))
    }
  }
}

/// Paths in rules: text only, nothing is looked up.
public enum RulePath {
  /// `path` as seen from the file that names it.
  public static func resolve(_ path: String, from file: String) -> String {
    guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
    return file[...slash] + path
  }

  static func isPattern(_ path: String) -> Bool { path.contains { "*?[".contains($0) } }

  /// Without `.` and `x/..`, so that two spellings of a path are seen to be one.
  static func normal(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/", omittingEmptySubsequences: true) where part != "." {
      if part == "..", let last = parts.last, last != ".." { parts.removeLast() } else { parts.append(part) }
    }
    return (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
  }
}
