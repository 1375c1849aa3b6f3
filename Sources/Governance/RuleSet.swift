// Files of rules, read once and used for every input.

public import GuardRules

/// See the head of this file.
public struct RuleSet: Sendable {
  /// Files with rules, by path.
  public let files: [RuleFile]
  /// Files with nothing in them but blanks and comments.
  public let empty: [String]

  /// What ends the name of a file of rules.
  public static let endings: Set<String> = ["guard", "ruleset"]

  /// No rules at all: where a catalogue alone is asked.
  public static let none = RuleSet(files: [], empty: [])

  private init(files: [RuleFile], empty: [String]) {
    self.files = files
    self.empty = empty
  }

  /// Reads files, and those within folders.
  /// - Throws: `GovernanceFaults` with all faults of all files.
  public init(_ paths: [String]) throws(GovernanceFaults) {
    let names: [String]
    do throws(FileFault) { names = try FileList.files(paths, endings: Self.endings) } catch {
      throw GovernanceFaults([error.description])
    }
    var faults: [String] = []
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
    if names.isEmpty {
      faults.append("\(paths.joined(separator: ", ")): no file of rules; wanted *.guard or *.ruleset")
    }
    guard faults.isEmpty else { throw GovernanceFaults(faults) }
    self.files = files
    self.empty = empty
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
