// Actions that write variables: setvar, expirevar, initcol, setenv, setuid, setsid, setrsc.

enum Writing {
  static let all = [
    ActionDefinition("setvar", .needed) { text, parts, builder, place in
      if let setting = builder.setting(text.trimmingQuotes, at: place) { parts.settings.append(setting) }
    },
    ActionDefinition("expirevar", .needed) { text, parts, builder, place in
      let pair = text.trimmingQuotes.split(separator: "=", maxSplits: 1).map(String.init)
      guard pair.count == 2, let (variable, name) = builder.written(pair[0], by: "expirevar", at: place)
      else {
        if pair.count != 2 {
          builder.fault(place, found: "expirevar \"\(text)\"", wanted: "collection.name=seconds")
        }
        return
      }
      parts.effects.append(
        .expire(variable, name: builder.macro(name, at: place), seconds: builder.macro(pair[1], at: place)))
    },
    ActionDefinition("initcol", .needed) { text, parts, builder, place in
      let pair = text.trimmingQuotes.split(separator: "=", maxSplits: 1).map(String.init)
      guard pair.count == 2, let variable = Variable.named(pair[0]), variable.isPersistent else {
        builder.fault(
          place, found: "initcol \"\(text)\"",
          wanted: "ip, global, session, user or resource, as in ip=%{REMOTE_ADDR}")
        return
      }
      parts.effects.append(.openCollection(variable, key: builder.macro(pair[1], at: place)))
    },
    ActionDefinition("setenv", .needed) { text, parts, builder, place in
      let pair = text.trimmingQuotes.split(separator: "=", maxSplits: 1).map(String.init)
      parts.effects.append(
        .setEnvironment(
          name: builder.macro(pair.first ?? "", at: place),
          value: builder.macro(pair.count == 2 ? pair[1] : "", at: place)))
    },
    ActionDefinition("setuid", .needed) { text, parts, builder, place in
      parts.effects.append(.setUser(builder.macro(text.trimmingQuotes, at: place)))
    },
    ActionDefinition("setsid", .needed) { text, parts, builder, place in
      parts.effects.append(.setSession(builder.macro(text.trimmingQuotes, at: place)))
    },
    ActionDefinition("setrsc", .needed) { text, parts, builder, place in
      parts.effects.append(.setResource(builder.macro(text.trimmingQuotes, at: place)))
    },
    ActionDefinition("deprecatevar", .needed) { _, _, builder, place in
      builder.fault(place, found: "the action `deprecatevar`", wanted: "expirevar")
    },
  ]
}

extension Variable {
  /// Whether it outlives a transaction.
  var isPersistent: Bool {
    switch self {
    case .ip, .global, .session, .user, .resource: true
    default: false
    }
  }
}

extension PolicyBuilder {
  /// `tx.name`: the collection and the name that a rule writes.
  mutating func written(_ text: String, by action: String, at place: Place) -> (Variable, String)? {
    guard let dot = text.firstIndex(where: { $0 == "." || $0 == ":" }) else {
      fault(place, found: "\(action) \"\(text)\"", wanted: "collection.name, as in tx.score")
      return nil
    }
    let collection = String(text[..<dot])
    let name = String(text[text.index(after: dot)...])
    guard let variable = Variable.named(collection), variable == .tx || variable.isPersistent, !name.isEmpty
    else {
      fault(
        place, found: "\(action) of \"\(collection)\"",
        wanted: "tx, ip, global, session, user or resource and a name")
      return nil
    }
    return (variable, name)
  }

  /// `tx.score=+5`, `!tx.score`, `tx.name`.
  mutating func setting(_ text: String, at place: Place) -> VariableSetting? {
    if text.hasPrefix("!") {
      guard let (variable, name) = written(String(text.dropFirst()), by: "setvar", at: place) else {
        return nil
      }
      return setting(variable, name, .remove, "", place)
    }
    // The first = outside a macro.
    var depth = 0
    var equals: String.Index?
    for index in text.indices {
      if text[index] == "{" { depth += 1 }
      if text[index] == "}" { depth -= 1 }
      if text[index] == "=", depth <= 0 {
        equals = index
        break
      }
    }
    guard let (variable, name) = written(equals.map { String(text[..<$0]) } ?? text, by: "setvar", at: place)
    else { return nil }
    guard let equals else { return setting(variable, name, .assign, "1", place) }
    let value = text[text.index(after: equals)...]
    if value.hasPrefix("+") { return setting(variable, name, .add, String(value.dropFirst()), place) }
    if value.hasPrefix("-") { return setting(variable, name, .subtract, String(value.dropFirst()), place) }
    return setting(variable, name, .assign, String(value), place)
  }

  private mutating func setting(
    _ variable: Variable, _ name: String, _ operation: VariableSetting.Operation, _ value: String,
    _ place: Place
  ) -> VariableSetting {
    let nameMacro = macro(name, at: place)
    return VariableSetting(
      variable: variable, slot: variable == .tx && nameMacro.isConstant ? slot(name) : -1, name: nameMacro,
      operation: operation, value: macro(value, at: place))
  }
}
