// What a file of rules says about a rule in comments directly above it: how grave a violation is, what to call it, how to
// mend it, which controls of a standard it stands for. The language knows nothing of it: other evaluators see comments.
//
//     # @severity high
//     # @title S3 buckets are not public
//     # @title.ja S3バケットを公開しない
//     # @mend Set all four settings of PublicAccessBlockConfiguration to true.
//     # @control CIS 2.1.4
//     rule s3_not_public { … }
//
// A comment line that begins with `# @` is meant as such a note: one that can't be read, or stands above no rule, is a
// fault of the file.

/// How grave a violation is; the graver is the greater.
public enum Severity: String, Sendable, Codable, CaseIterable, Comparable {
  /// Somebody can do harm now.
  case critical
  /// One more mistake, and somebody can.
  case high
  /// A protection is missing. What is taken where a rule doesn't say.
  case medium
  /// Order and habit.
  case low
  /// To know, not to mend.
  case info

  /// From 0, info, to 4, critical.
  public var rank: Int {
    switch self {
    case .critical: 4
    case .high: 3
    case .medium: 2
    case .low: 1
    case .info: 0
    }
  }

  public static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }
}

/// What the comments above a rule say of it.
public struct RuleNotes: Sendable, Equatable {
  /// How grave a violation is.
  public var severity = Severity.medium
  /// What it is called; empty = the rule's name.
  public var title = ""
  /// The same in Japanese; empty = none.
  public var titleJa = ""
  /// How to mend a violation; empty = not told.
  public var mend = ""
  /// The same in Japanese; empty = none.
  public var mendJa = ""
  /// Controls of standards: `CIS 1.4`.
  public var controls: [String] = []

  /// Nothing but what holds without notes.
  public init() {}
}

extension RuleNotes {
  static let keys = ["severity", "title", "title.ja", "mend", "mend.ja", "control"]

  /// A comment line: where its `@` is, and what stands behind it.
  struct Line: Equatable {
    let position: Int
    let key: String
    let text: String
  }

  /// Reads the lines above a rule.
  /// - Parameter fault: called with where, what was found, what was wanted.
  init(_ lines: [Line], fault: (Int, String, String) -> Void) {
    self.init()
    var seen: Set<String> = []
    for line in lines {
      guard Self.keys.contains(line.key) else {
        fault(
          line.position, "\"@\(line.key)\"",
          "a note: " + Self.keys.map { "@\($0)" }.joined(separator: ", "))
        continue
      }
      guard seen.insert(line.key).inserted || line.key == "control" else {
        fault(line.position, "@\(line.key) a second time", "@\(line.key) once above a rule")
        continue
      }
      guard !line.text.isEmpty else {
        fault(line.position, "@\(line.key) without a text", "@\(line.key) TEXT")
        continue
      }
      switch line.key {
      case "severity":
        guard let severity = Severity(rawValue: line.text) else {
          fault(
            line.position, "@severity \(line.text)",
            "a severity: " + Severity.allCases.map(\.rawValue).joined(separator: ", "))
          continue
        }
        self.severity = severity
      case "title": title = line.text
      case "title.ja": titleJa = line.text
      case "mend": mend = line.text
      case "mend.ja": mendJa = line.text
      default: controls.append(line.text)
      }
    }
  }
}
