// What a SecLang file says, before anything is compiled: directives in order, each with its place.
//
// Source: ModSecurity reference manual (v3), "Configuration directives", "Variables", "Actions". Names are kept as
// written and compared without case; the compiler gives them meaning and complains with the same places.

/// A place in the rules: a file and a line from 1.
public struct Place: Sendable, Hashable, CustomStringConvertible {
  /// The file, as it was named.
  public let file: String
  /// The line, from 1; 0 where no line is meant.
  public let line: Int
  /// A value of these parts.
  public init(file: String, line: Int) {
    self.file = file
    self.line = line
  }
  /// `rules/a.conf:12`, as compilers print it.
  /// Without a line where the file as a whole is meant.
  public var description: String { line == 0 ? file : "\(file):\(line)" }
}

/// One thing wrong with the rules: where, what was found, what was wanted, how to mend it.
public struct RuleFault: Error, Sendable, Hashable, CustomStringConvertible {
  /// Where.
  public let place: Place
  /// What is wrong.
  public let found: String
  /// What to write instead.
  public let wanted: String
  /// A value of these parts.
  public init(place: Place, found: String, wanted: String) {
    self.place = place
    self.found = found
    self.wanted = wanted
  }
  /// One line for people.
  public var description: String { "\(place): error: \(found); \(wanted)" }
}

/// All faults of a set of rules.
public struct RuleFaults: Error, Sendable, CustomStringConvertible {
  /// In the order in which they were found.
  public let faults: [RuleFault]
  /// A value of these parts.
  public init(_ faults: [RuleFault]) { self.faults = faults }
  /// One line each.
  public var description: String { faults.map(\.description).joined(separator: "\n") }
}

/// A directive and where it begins.
public struct DirectiveSyntax: Sendable {
  /// What it says.
  public enum Kind: Sendable {
    case rule(RuleSyntax)
    /// SecAction: actions without a test.
    case action([ActionSyntax])
    case marker(String)
    case defaultAction([ActionSyntax])
    /// Any other directive: its name as written, and its arguments, unquoted.
    case setting(name: String, arguments: [String])
  }
  /// Where.
  public let place: Place
  /// What it says.
  public let kind: Kind
  /// A value of these parts.
  public init(place: Place, kind: Kind) {
    self.place = place
    self.kind = kind
  }
}

/// SecRule.
public struct RuleSyntax: Sendable {
  /// What is looked at.
  public var targets: [TargetSyntax]
  /// The test.
  public var operation: OperatorSyntax
  /// What follows from a match, and what describes the rule.
  public var actions: [ActionSyntax]
  /// A value of these parts.
  public init(targets: [TargetSyntax], operation: OperatorSyntax, actions: [ActionSyntax]) {
    self.targets = targets
    self.operation = operation
    self.actions = actions
  }
}

/// One member of a rule's list of variables: `REQUEST_HEADERS:User-Agent`, `&ARGS`, `!REQUEST_COOKIES:/^_ga/`.
public struct TargetSyntax: Sendable, Hashable {
  /// Looked at, taken out of the list, or counted.
  public enum Mode: Sendable, Hashable { case include, exclude, count }
  /// Which members of the collection.
  public enum Selector: Sendable, Hashable {
    case all
    /// As written, without quotes.
    case name(String)
    /// What stands between the slashes, `\/` undone.
    case regex(String)
    /// `XML:/*`, `XML://@*`: what follows the colon.
    case xpath(String)
  }
  /// Looked at, taken out of the list, or counted.
  public var mode: Mode
  /// As written: `REQUEST_HEADERS`.
  public var collection: String
  /// Which members of the collection.
  public var selector: Selector
  /// A value of these parts.
  public init(mode: Mode, collection: String, selector: Selector) {
    self.mode = mode
    self.collection = collection
    self.selector = selector
  }
}

/// A test: `!@within %{tx.methods}`.
public struct OperatorSyntax: Sendable, Hashable {
  /// With ! in front.
  public var negated: Bool
  /// Without the @; `rx` where none was written.
  public var name: String
  /// May hold macros, `%{TX.x}`.
  public var argument: String
  /// A value of these parts.
  public init(negated: Bool, name: String, argument: String) {
    self.negated = negated
    self.name = name
    self.argument = argument
  }
}

/// `setvar:'tx.score=+%{tx.critical}'` is name `setvar`, argument `tx.score=+%{tx.critical}`.
public struct ActionSyntax: Sendable, Hashable {
  /// As written.
  public var name: String
  /// Without quotes; nil where there is no colon.
  public var argument: String?
  /// A value of these parts.
  public init(name: String, argument: String? = nil) {
    self.name = name
    self.argument = argument
  }
}
