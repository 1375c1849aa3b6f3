// Disruptive actions: what becomes of the transaction. The last one of a rule counts.

enum Disruptions {
  static let all = [
    ActionDefinition("pass") { _, parts, _, _ in set(.pass, &parts) },
    ActionDefinition("deny") { _, parts, _, _ in set(.deny(status: 403), &parts) },
    ActionDefinition("drop") { _, parts, _, _ in set(.drop, &parts) },
    ActionDefinition("block") { _, parts, _, _ in
      // In SecDefaultAction `deny,block` means deny; in a rule `block` means what SecDefaultAction says.
      parts.isBlock = true
    },
    ActionDefinition("redirect", .needed) { text, parts, builder, place in
      set(.redirect(builder.macro(text, at: place), status: 302), &parts)
    },
    ActionDefinition("allow", .optional) { text, parts, builder, place in
      switch text.lowercased() {
      case "": set(.allow(.all), &parts)
      case "phase": set(.allow(.phase), &parts)
      case "request": set(.allow(.request), &parts)
      default: builder.fault(place, found: "allow:\(text)", wanted: "allow, allow:phase or allow:request")
      }
    },
    ActionDefinition("status", .needed) { text, parts, builder, place in
      if let status = Int(text), (100...599).contains(status) {
        parts.status = status
      } else {
        builder.fault(place, found: "status \"\(text)\"", wanted: "an HTTP status from 100 to 599")
      }
    },
    ActionDefinition("proxy", .needed) { _, _, builder, place in
      builder.fault(
        place, found: "the action `proxy`", wanted: "deny, drop or redirect: proxying elsewhere isn't offered"
      )
    },
    ActionDefinition("pause", .needed) { _, _, builder, place in
      builder.fault(
        place, found: "the action `pause`",
        wanted: "deny or drop: a pause would hold a connection for the attacker")
    },
  ]

  private static func set(_ disruption: Disruption, _ parts: inout RuleParts) {
    parts.disruption = disruption
    parts.isBlock = false
  }
}
