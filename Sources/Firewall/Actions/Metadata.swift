// Actions that say what a rule is: read by people and by logs.

/// Actions that are read before the others, because they make the rule what it is.
enum Structure {
  static let all = [
    ActionDefinition("id", .needed), ActionDefinition("phase", .needed), ActionDefinition("chain"),
  ]
}

enum Metadata {
  static let all = [
    ActionDefinition("msg", .optional) { text, parts, builder, place in
      parts.message = builder.macro(text, at: place)
    },
    ActionDefinition("logdata", .optional) { text, parts, builder, place in
      parts.data = builder.macro(text, at: place)
    },
    ActionDefinition("tag", .optional) { text, parts, _, _ in parts.tags.append(text) },
    ActionDefinition("severity", .needed) { text, parts, builder, place in
      if let severity = Severity.named(text) {
        parts.severity = severity
      } else {
        builder.fault(
          place, found: "severity \"\(text)\"",
          wanted: "0 to 7 or " + Severity.allCases.map(\.text).joined(separator: ", "))
      }
    },
    ActionDefinition("ver", .optional) { text, parts, _, _ in parts.version = text },
    ActionDefinition("rev", .optional) { text, parts, _, _ in parts.revision = text },
    ActionDefinition("maturity", .needed) { text, _, builder, place in
      scale("maturity", text, &builder, place)
    },
    ActionDefinition("accuracy", .needed) { text, _, builder, place in
      scale("accuracy", text, &builder, place)
    },
  ]

  /// 1 to 9: checked, and otherwise without effect.
  private static func scale(_ name: String, _ text: String, _ builder: inout PolicyBuilder, _ place: Place) {
    guard let number = Int(text), (1...9).contains(number) else {
      builder.fault(place, found: "\(name) \"\(text)\"", wanted: "a number from 1 to 9")
      return
    }
  }
}
