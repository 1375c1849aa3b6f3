// The actions of rules (ModSecurity reference manual, "Actions"): each is defined in a file of this folder, by family, and
// registered here. Structure (`chain`, `id`, `phase`) is read before; what an action does is put into the rule's parts.

/// What the actions of one link add up to.
struct RuleParts {
  var transformations: [Transformation] = []
  var settings: [VariableSetting] = []
  var effects: [Effect] = []
  var isMultiMatch = false
  var isCapturing = false
  var disruption: Disruption?
  /// `block`: what SecDefaultAction of the phase says.
  var isBlock = false
  var status: Int?
  var isLogged: Bool?
  var message: Macro?
  var data: Macro?
  var severity: Severity?
  var tags: [String] = []
  var version = ""
  var revision = ""
  var skip = 0
  var skipAfter: String?
}

struct ActionDefinition: Sendable {
  enum Argument: Sendable { case none, needed, optional }
  let name: String
  let argument: Argument
  let apply:
    @Sendable (_ argument: String, _ parts: inout RuleParts, _ builder: inout PolicyBuilder, _ place: Place)
      -> Void

  init(
    _ name: String, _ argument: Argument = .none,
    apply: @escaping @Sendable (String, inout RuleParts, inout PolicyBuilder, Place) -> Void = { _, _, _, _ in
    }
  ) {
    self.name = name
    self.argument = argument
    self.apply = apply
  }
}

enum ActionTable {
  static let all: [ActionDefinition] =
    Structure.all + Metadata.all + Disruptions.all + Logging.all + Flow.all + Writing.all + Control.all
  private static let byName: [String: ActionDefinition] = Dictionary(
    all.map { ($0.name.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
  static func named(_ name: String) -> ActionDefinition? { byName[name.lowercased()] }
}

extension PolicyBuilder {
  mutating func apply(_ actions: [ActionSyntax], to parts: inout RuleParts, at place: Place) {
    for action in actions {
      guard let definition = ActionTable.named(action.name) else {
        fault(
          place, found: "the action \"\(action.name)\"",
          wanted: "an action of SecLang" + nearest(action.name, ActionTable.all.map(\.name)))
        continue
      }
      switch (definition.argument, action.argument) {
      case (.needed, nil), (.needed, ""):
        fault(place, found: "`\(action.name)` without a value", wanted: "a value, as in \(action.name):…")
      case (.none, .some(let value)) where !value.isEmpty:
        fault(place, found: "`\(action.name)` with the value \"\(value)\"", wanted: "\(action.name) alone")
      default:
        definition.apply(action.argument ?? "", &parts, &self, place)
      }
    }
  }

  /// A hint at the nearest name, or nothing.
  func nearest(_ name: String, _ names: [String]) -> String {
    let best = names.map { ($0, EditDistance.between(name, $0)) }.min { $0.1 < $1.1 }
    guard let best, best.1 <= max(1, name.count / 3) else { return "" }
    return "; did you mean \"\(best.0)\"?"
  }
}
