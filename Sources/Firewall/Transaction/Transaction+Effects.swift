// What a match writes and changes.

extension Transaction {
  // MARK: - setvar

  func apply(_ setting: VariableSetting) {
    let value = setting.operation == .remove ? ByteView.empty : expand(setting.value)
    guard setting.variable == .tx else {
      write(setting, value)
      return
    }
    if setting.slot >= 0 {
      let old = slots[setting.slot]
      slots[setting.slot] =
        changed(old.count >= 0 ? old : nil, setting.operation, value)
        ?? ByteView(start: value.start, count: -1)
      if setting.operation == .add {
        scores.append((policy.slotNames[setting.slot].text, Int(clamping: value.leadingInteger)))
      }
      return
    }
    let name = lowered(expand(setting.name))
    if let slot = policy.slotTable[name] {
      let old = slots[slot]
      slots[slot] =
        changed(old.count >= 0 ? old : nil, setting.operation, value)
        ?? ByteView(start: value.start, count: -1)
      return
    }
    let place = (0..<extras.count).first { extras[$0].name == name }
    let new = changed(place.map { extras[$0].value }, setting.operation, value)
    switch (place, new) {
    case (let place?, let new?): extras[place] = Argument(name: name, value: new)
    case (let place?, nil):
      if let last = extras.last { extras[place] = last }
      extras.removeLast()
    case (nil, let new?):
      // A request chooses these names: a bound on how many it may make.
      if extras.count < 10_000 { extras.append(Argument(name: name, value: new)) }
    case (nil, nil): break
    }
  }

  func apply(_ setting: QuickSetting) {
    var value = setting.literal
    if setting.source >= 0 {
      value = slots[Int(setting.source)]
      if value.count < 0 { value = .empty }
    }
    let old = slots[Int(setting.slot)]
    slots[Int(setting.slot)] =
      changed(old.count >= 0 ? old : nil, setting.operation, value)
      ?? ByteView(start: value.start, count: -1)
  }

  private func lowered(_ view: ByteView) -> ByteView {
    arena.build(view.count) { place in
      for index in 0..<view.count { place[index] = lowercased(view[index]) }
      return view.count
    }
  }

  private func changed(_ old: ByteView?, _ operation: VariableSetting.Operation, _ value: ByteView)
    -> ByteView?
  {
    switch operation {
    case .assign: value
    case .remove: nil
    case .add: decimal((old?.leadingInteger ?? 0).addingSaturating(value.leadingInteger))
    case .subtract:
      decimal((old?.leadingInteger ?? 0).addingSaturating(value.leadingInteger.negatedSaturating))
    }
  }

  private func write(_ setting: VariableSetting, _ value: ByteView) {
    guard let key = openKey(setting.variable) else {
      note("setvar of \(setting.variable.name), which no initcol has opened: nothing is kept")
      return
    }
    let name = lowered(expand(setting.name)).array
    policy.store.update(
      setting.variable, key, name: name, now: now / 1_000_000_000,
      timeout: policy.collectionTimeoutSeconds
    ) { old in
      let before = old.map { bytes in bytes.withUnsafeBytes { arena.copy(ByteView($0)) } }
      return changed(before, setting.operation, value)?.array
    }
  }

  // MARK: - ctl and the rest

  func apply(_ effects: [Effect]) {
    for effect in effects {
      switch effect {
      case .removeRules(let range): exceptions.add(range)
      case .removeRulesByTag(let tag): exceptions.add(tag: tag)
      case .removeTarget(let rules, let target): exceptions.add(target, rules: rules)
      case .removeTargetByTag(let tag, let target): exceptions.add(target, tag: tag)
      case .engine(let mode): engine = mode
      case .bodyProcessor(let kind):
        bodyProcessor = kind
        scalar(.reqbodyProcessor, Transaction.name(of: kind))
      case .forceRequestBody(let isOn): forcesRequestBody = isOn
      case .requestBodyAccess(let isOn): requestBodyAccess = isOn
      case .responseBodyAccess(let isOn): responseBodyAccess = isOn
      case .openCollection(let variable, let key):
        openCollections.removeAll { $0.variable == variable }
        openCollections.append((variable, expand(key).array))
      case .expire(let variable, let name, let seconds):
        guard let key = openKey(variable) else { continue }
        policy.store.expire(
          variable, key, name: lowered(expand(name)).array,
          at: (now / 1_000_000_000).addingSaturating(expand(seconds).leadingInteger))
      case .setEnvironment(let name, let value):
        let name = expand(name)
        let new = Argument(name: name, value: expand(value))
        if let place = (0..<environment.count).first(where: { environment[$0].name == name }) {
          environment[place] = new
        } else {
          environment.append(new)
        }
      case .setUser(let value):
        identity.user = expand(value)
        open(.user, identity.user)
      case .setSession(let value):
        identity.session = expand(value)
        open(.session, identity.session)
      case .setResource(let value):
        identity.resource = expand(value)
        open(.resource, identity.resource)
      }
    }
  }

  /// A note, each once, and not without end.
  func note(_ text: String) {
    if notes.count < 32, !notes.contains(text) { notes.append(text) }
  }

  private func open(_ variable: Variable, _ key: ByteView) {
    openCollections.removeAll { $0.variable == variable }
    openCollections.append((variable, key.array))
  }
}

extension Int64 {
  func addingSaturating(_ other: Int64) -> Int64 {
    let (sum, over) = addingReportingOverflow(other)
    return over ? (other > 0 ? .max : .min) : sum
  }
  var negatedSaturating: Int64 { self == .min ? .max : -self }
}
