// Variables that rules write or that depend on the moment, counts, and macros.

extension Transaction {
  /// `ARGS:q`, `REQUEST_URI`.
  func fullName(_ variable: Variable, _ name: ByteView) -> ByteView {
    let own = arena.copy(variable.name)
    return name.isEmpty ? own : arena.join(own, ByteView(":"), name)
  }

  /// The values of a target that isn't fixed, as they are now.
  func dynamicValues(_ target: Target, _ rule: CompiledRule?) -> ContiguousArray<Argument> {
    let all: ContiguousArray<Argument>
    switch target.variable {
    case .tx where target.slotList >= 0:
      var found = ContiguousArray<Argument>()
      for slot in policy.slotLists[target.slotList] where slots[slot].count >= 0 {
        found.append(Argument(name: policy.slotNames[slot], value: slots[slot]))
      }
      for extra in extras where target.selects(extra.name, regex) { found.append(extra) }
      return found
    case .tx:
      var found = ContiguousArray(extras)
      for slot in 0..<slots.count where slots[slot].count >= 0 {
        found.append(Argument(name: policy.slotNames[slot], value: slots[slot]))
      }
      all = found
    case .env: all = ContiguousArray(environment)
    case .matchedVars:
      all = ContiguousArray(
        matched.map { Argument(name: fullName($0.variable, $0.name), value: $0.value) })
    case .matchedVarsNames:
      all = ContiguousArray(
        matched.map {
          let name = fullName($0.variable, $0.name)
          return Argument(name: name, value: name)
        })
    case .ip, .global, .session, .user, .resource:
      guard let key = openKey(target.variable) else { return [] }
      all = ContiguousArray(
        policy.store.values(target.variable, key, now: now / 1_000_000_000).map {
          Argument(name: arena.copy($0.name), value: arena.copy($0.value))
        })
    case .rule:
      all = ruleFields(rule)
    case .geo: all = []
    default:
      guard let value = moment(target.variable) else { return [] }
      return [Argument(name: .empty, value: value)]
    }
    if target.selector == .all { return all }
    return all.filter { target.selects($0.name, regex) }
  }

  /// The key of a persistent collection; nil where it wasn't opened. There is one GLOBAL, which needs no opening.
  func openKey(_ variable: Variable) -> [UInt8]? {
    openCollections.last { $0.variable == variable }?.key ?? (variable == .global ? [] : nil)
  }

  /// Scalars that depend on the moment.
  func moment(_ variable: Variable) -> ByteView? {
    switch variable {
    case .duration: decimal((now - started) / 1_000_000)
    case .highestSeverity: decimal(highestSeverity)
    case .matchedVar: matched.last?.value
    case .matchedVarName: matched.last.map { fullName($0.variable, $0.name) }
    case .mscPcreError, .mscPcreLimitsExceeded: limitsExceeded ? ByteView("1") : nil
    case .reqbodyProcessor: values[.reqbodyProcessor].first?.value
    case .userID: identity.user.isEmpty ? nil : identity.user
    case .sessionID: identity.session.isEmpty ? nil : identity.session
    default: nil
    }
  }

  private func ruleFields(_ rule: CompiledRule?) -> ContiguousArray<Argument> {
    guard let rule else { return [] }
    return [
      Argument(name: ByteView("id"), value: decimal(rule.id)),
      // Its own texts may hold macros, but are not expanded within themselves.
      Argument(name: ByteView("msg"), value: rule.message.literal ?? .empty),
      Argument(name: ByteView("logdata"), value: rule.data.literal ?? .empty),
      Argument(name: ByteView("severity"), value: rule.severity.map { decimal($0.rawValue) } ?? .empty),
      Argument(name: ByteView("rev"), value: arena.copy(rule.revision)),
      Argument(name: ByteView("ver"), value: arena.copy(rule.version)),
    ]
  }

  /// How many values a target has.
  func count(_ target: Target, _ link: CompiledLink, _ rule: CompiledRule) -> Int {
    if target.slot >= 0 { return slots[target.slot].count >= 0 ? 1 : 0 }
    if target.variable.isFixed {
      if target.selector == .all { return values[target.variable].count }
      var count = 0
      for value in values[target.variable] where target.selects(value.name, regex) { count += 1 }
      return count
    }
    if target.slotList >= 0 {
      var count = 0
      for slot in policy.slotLists[target.slotList] where slots[slot].count >= 0 { count += 1 }
      for extra in extras where target.selects(extra.name, regex) { count += 1 }
      return count
    }
    return dynamicValues(target, rule).count
  }

  // MARK: - Macros

  /// The text with its macros filled in; what has no value is empty.
  func expand(_ macro: Macro) -> ByteView {
    if let literal = macro.literal { return literal }
    pieces.removeAll()
    for part in macro.parts {
      let piece: ByteView
      switch part {
      case .literal(let text): piece = text
      case .slot(let slot): piece = slots[slot].count >= 0 ? slots[slot] : .empty
      case .value(let variable, let name): piece = first(variable, name)
      case .selected(let target):
        piece = first(target.variable) { target.selects($0.name, regex) }
      }
      pieces.append(piece)
    }
    return pieces.count == 1 ? pieces[0] : joinPieces()
  }

  private func first(_ variable: Variable, _ name: ByteView) -> ByteView {
    first(variable) { name.isEmpty || $0.name.equalsIgnoringCase(name) }
  }

  private func first(_ variable: Variable, where isWanted: (Argument) -> Bool) -> ByteView {
    if variable.isFixed {
      for value in values[variable] where isWanted(value) { return value.value }
      return .empty
    }
    if variable == .rule, let rule = currentRule {
      return ruleFields(rule).first(where: isWanted)?.value ?? .empty
    }
    if let value = moment(variable) { return value }
    // The values may need macros of their own, which use the same list.
    let saved = Array(pieces)
    defer {
      pieces.removeAll()
      for piece in saved { pieces.append(piece) }
    }
    let target = Target(
      variable: variable, selector: .all, isCount: false, slot: -1, name: .empty, regex: nil)
    return dynamicValues(target, currentRule).first(where: isWanted)?.value ?? .empty
  }
}
