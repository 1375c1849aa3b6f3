// What a SecLang file says, before anything is compiled: directives in order, each with its place.
//
// Source: ModSecurity reference manual (v3), "Configuration directives", "Variables", "Actions". Names are kept as
// written and compared without case; the compiler gives them meaning and complains with the same places.

/// A place in the rules: a file and a line from 1.
public struct Place: Sendable, Hashable, CustomStringConvertible {
  public let file: String
  public let line: Int
  public init(file: String, line: Int) {
    self.file = file
    self.line = line
  }
  public var description: String { "\(file):\(line)" }
}

/// One thing wrong with the rules: where, what was found, what was wanted, how to mend it.
public struct RuleFault: Error, Sendable, Hashable, CustomStringConvertible {
  public let place: Place
  public let found: String
  public let wanted: String
  public init(place: Place, found: String, wanted: String) {
    self.place = place
    self.found = found
    self.wanted = wanted
  }
  public var description: String { "\(place): error: \(found); \(wanted)" }
}

/// All faults of a set of rules.
public struct RuleFaults: Error, Sendable, CustomStringConvertible {
  public let faults: [RuleFault]
  public init(_ faults: [RuleFault]) { self.faults = faults }
  public var description: String { faults.map(\.description).joined(separator: "\n") }
}

public struct DirectiveSyntax: Sendable {
  public enum Kind: Sendable {
    case rule(RuleSyntax)
    /// SecAction: actions without a test.
    case action([ActionSyntax])
    case marker(String)
    case defaultAction([ActionSyntax])
    /// Any other directive: its name as written, and its arguments, unquoted.
    case setting(name: String, arguments: [String])
  }
  public let place: Place
  public let kind: Kind
  public init(place: Place, kind: Kind) {
    self.place = place
    self.kind = kind
  }
}

public struct RuleSyntax: Sendable {
  public var targets: [TargetSyntax]
  public var operation: OperatorSyntax
  public var actions: [ActionSyntax]
  public init(targets: [TargetSyntax], operation: OperatorSyntax, actions: [ActionSyntax]) {
    self.targets = targets
    self.operation = operation
    self.actions = actions
  }
}

/// One member of a rule's list of variables: `REQUEST_HEADERS:User-Agent`, `&ARGS`, `!REQUEST_COOKIES:/^_ga/`.
public struct TargetSyntax: Sendable, Hashable {
  public enum Mode: Sendable, Hashable { case include, exclude, count }
  public enum Selector: Sendable, Hashable {
    case all
    /// As written, without quotes.
    case name(String)
    /// What stands between the slashes, `\/` undone.
    case regex(String)
    /// `XML:/*`, `XML://@*`: what follows the colon.
    case xpath(String)
  }
  public var mode: Mode
  /// As written: `REQUEST_HEADERS`.
  public var collection: String
  public var selector: Selector
  public init(mode: Mode, collection: String, selector: Selector) {
    self.mode = mode
    self.collection = collection
    self.selector = selector
  }
}

public struct OperatorSyntax: Sendable, Hashable {
  public var negated: Bool
  /// Without the @; `rx` where none was written.
  public var name: String
  /// May hold macros, `%{TX.x}`.
  public var argument: String
  public init(negated: Bool, name: String, argument: String) {
    self.negated = negated
    self.name = name
    self.argument = argument
  }
}

/// `setvar:'tx.score=+%{tx.critical}'` is name `setvar`, argument `tx.score=+%{tx.critical}`.
public struct ActionSyntax: Sendable, Hashable {
  public var name: String
  public var argument: String?
  public init(name: String, argument: String? = nil) {
    self.name = name
    self.argument = argument
  }
}
