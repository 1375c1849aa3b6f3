// Actions that decide what is logged. There is one log, so the audit log's own actions only go with it.

enum Logging {
  static let all = [
    ActionDefinition("log") { _, parts, _, _ in parts.isLogged = true },
    ActionDefinition("nolog") { _, parts, _, _ in parts.isLogged = false },
    ActionDefinition("auditlog"),
    ActionDefinition("noauditlog"),
    // What is secret is masked by the log itself, whatever rules say.
    ActionDefinition("sanitiseArg", .needed), ActionDefinition("sanitiseRequestHeader", .needed),
    ActionDefinition("sanitiseResponseHeader", .needed), ActionDefinition("sanitiseMatched"),
    ActionDefinition("sanitiseMatchedBytes", .optional),
  ]
}
