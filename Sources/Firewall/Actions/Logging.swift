// Actions that decide what is logged. There is one log, so the audit log's own actions only go with it.

enum Logging {
  static let all = [
    ActionDefinition("log") { _, parts, _, _ in parts.isLogged = true },
    ActionDefinition("nolog") { _, parts, _, _ in parts.isLogged = false },
    ActionDefinition("auditlog"),
    ActionDefinition("noauditlog"),
    unheeded("sanitiseArg", .needed), unheeded("sanitiseRequestHeader", .needed),
    unheeded("sanitiseResponseHeader", .needed), unheeded("sanitiseMatched", .none),
    unheeded("sanitiseMatchedBytes", .optional),
  ]

  /// The log masks by names of its own (passwords, tokens, cookies); what a rule adds to them isn't heeded, and said so.
  private static func unheeded(_ name: String, _ argument: ActionDefinition.Argument) -> ActionDefinition {
    ActionDefinition(name, argument) { _, _, builder, place in
      builder.notes.append("\(place): \(name) has no effect here: the log masks by names of its own")
    }
  }
}
