// Files of rules, read once and used for every input.

public import GuardRules

/// See the head of this file.
public struct RuleSet: Sendable {
  /// Files with rules, by path.
  public let files: [RuleFile]
  /// Files with nothing in them but blanks and comments.
  public let empty: [String]
  /// Why files can't be read: they are left out.
  public let faults: [String]

  /// What ends the name of a file of rules.
  public static let endings: Set<String> = ["guard", "ruleset"]

  /// No rules at all: where a catalogue alone is asked.
  public static let none = RuleSet(files: [], empty: [], faults: [])

  init(files: [RuleFile], empty: [String], faults: [String]) {
    self.files = files
    self.empty = empty
    self.faults = faults
  }

  /// Reads files, and those within folders; all of them must be readable.
  /// - Throws: `GovernanceFaults` with all faults of all files.
  public init(_ paths: [String]) throws(GovernanceFaults) {
    let all = try RuleSet(readable: paths)
    guard all.faults.isEmpty else { throw GovernanceFaults(all.faults) }
    self = all
  }

  /// Reads files, and those within folders, as far as they can be read.
  /// - Throws: `GovernanceFaults` with all faults of all files, where none can.
  public init(readable paths: [String]) throws(GovernanceFaults) {
    var (names, faults, _, _) = FileList.readable(paths, endings: Self.endings)
    var files: [RuleFile] = []
    var empty: [String] = []
    for name in names {
      do {
        let file = try RuleFile(try FileList.text(name), name: name)
        if file.isEmpty { empty.append(name) } else { files.append(file) }
      } catch let fault as RuleFaults {
        faults += fault.all.map(\.description)
      } catch { faults.append("\(error)") }
    }
    if names.isEmpty, faults.isEmpty {
      faults.append("\(paths.joined(separator: ", ")): no file of rules; wanted *.guard or *.ruleset")
    }
    guard faults.isEmpty || !files.isEmpty else { throw GovernanceFaults(faults) }
    self.init(files: files, empty: empty, faults: faults)
  }
}

/// Why something couldn't be done, a line a fault.
public struct GovernanceFaults: Error, Sendable, Equatable, CustomStringConvertible {
  /// All that were found; at least one.
  public let all: [String]

  /// Faults, a line each.
  public init(_ all: [String]) { self.all = all }

  /// A line each.
  public var description: String { all.joined(separator: "\n") }
}
