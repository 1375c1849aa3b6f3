// Rules compiled one by one: variables, operators, actions.

extension PolicyBuilder {
  mutating func target(_ syntax: TargetSyntax, at place: Place) -> Target? {
    guard let variable = Variable.named(syntax.collection) else {
      fault(
        place, found: "the variable \"\(syntax.collection)\"",
        wanted: "a variable of SecLang" + nearest(syntax.collection, Variable.allNames))
      return nil
    }
    uses.add(variable)
    var selector = Target.Selector.all
    var slot = -1
    var name = ByteView.empty
    var regex: Unmanaged<Regex>?
    var slotList = -1
    switch syntax.selector {
    case .all: break
    case .name(let text):
      if variable == .xml {
        selector = .xpath
        name = xpath(text, at: place)
      } else {
        selector = .name
        name = bytes.copy(text)
        if variable == .tx { slot = self.slot(text) }
      }
    case .regex(let pattern):
      do {
        // Selectors compare without case.
        let made = try Regex(
          Array("(?i)".utf8) + Array(pattern.utf8), options: options.regex,
          needed: NeededText.of(Array(pattern.utf8)))
        selectors.append(made)
        selector = .regex
        regex = Unmanaged.passUnretained(made)
        if variable == .tx {
          slotList = slotSelectors.count
          slotSelectors.append(made)
        }
      } catch {
        fault(place, found: "the selector /\(pattern)/: \(error.found)", wanted: error.wanted)
        return nil
      }
    case .xpath(let expression):
      selector = .xpath
      name = xpath(expression, at: place)
    }
    return Target(
      variable: variable, selector: selector, isCount: syntax.mode == .count, slot: slot,
      slotList: slotList, name: name, regex: regex)
  }

  private mutating func xpath(_ expression: String, at place: Place) -> ByteView {
    if !XMLBody.isXPath(expression) {
      fault(place, found: "XML:\(expression)", wanted: "an XPath 1.0 expression, as in XML:/* or XML://@*")
    }
    let view = bytes.copy(expression)
    if let known = xpaths.first(where: { $0 == view }) { return known }
    xpaths.append(view)
    return view
  }

  mutating func test(_ syntax: OperatorSyntax, at place: Place) -> Test? {
    guard let definition = Operators.named(syntax.name) else {
      fault(
        place, found: "the operator \"@\(syntax.name)\"",
        wanted: "an operator of SecLang" + nearest("@" + syntax.name, Operators.all.map { "@" + $0.name }))
      return nil
    }
    let argument = macro(syntax.argument, at: place)
    var constant: (any Operator)?
    if argument.isConstant {
      do {
        constant = try definition.make(Array(syntax.argument.utf8), context(for: place))
      } catch {
        fault(place, found: "@\(syntax.name): \(error.found)", wanted: error.wanted)
        return nil
      }
    }
    return Test(
      isNegated: syntax.negated, name: definition.name, constant: constant, argument: argument,
      definition: definition,
      macroOperator: MacroOperator(definition.name))
  }

  /// Files are relative to the file of the rule.
  func context(for place: Place) -> OperatorContext {
    let folder = place.file.lastIndex(of: "/").map { String(place.file[...$0]) } ?? ""
    let file = options.file
    return OperatorContext(regexOptions: options.regex) { path in
      try file(path.hasPrefix("/") ? path : folder + path)
    }
  }

  mutating func link(_ draft: LinkDraft, parts: RuleParts) -> CompiledLink? {
    var targets: [Target] = []
    var exclusions: [Target] = []
    for syntax in draft.syntax?.targets ?? [] {
      guard let target = target(syntax, at: draft.place) else { continue }
      if syntax.mode == .exclude { exclusions.append(target) } else { targets.append(target) }
    }
    var test: Test?
    if let syntax = draft.syntax {
      guard let made = self.test(syntax.operation, at: draft.place) else { return nil }
      test = made
    }
    return CompiledLink(
      targets: targets, exclusions: exclusions, test: test, transformations: parts.transformations,
      isMultiMatch: parts.isMultiMatch, isCapturing: parts.isCapturing, settings: parts.settings,
      effects: parts.effects, place: draft.place)
  }

  /// - Parameter destination: where a marker of this phase stands, by name, after a position.
  mutating func rule(_ draft: RuleDraft, index: Int, destination: (String) -> Int?) -> CompiledRule? {
    let defaults = self.defaults(of: draft)
    var links: [CompiledLink] = []
    var head = RuleParts()
    for (number, link) in draft.links.enumerated() {
      var parts = RuleParts()
      parts.transformations = defaults.transformations
      apply(link.actions, to: &parts, at: link.place)
      guard let compiled = self.link(link, parts: parts) else { continue }
      links.append(compiled)
      if number == 0 {
        head = parts
      } else {
        // What only the last link may carry in practice, and the first in theory.
        if parts.skip > 0 { head.skip = parts.skip }
        if let marker = parts.skipAfter { head.skipAfter = marker }
        if let status = parts.status { head.status = status }
        if head.message == nil { head.message = parts.message }
        if head.data == nil { head.data = parts.data }
        if head.isLogged == nil { head.isLogged = parts.isLogged }
        if head.severity == nil { head.severity = parts.severity }
        head.tags += parts.tags
      }
    }
    guard links.count == draft.links.count else { return nil }
    var skipTo: Int?
    if let marker = head.skipAfter {
      skipTo = destination(marker)
      if skipTo == nil, !drafts.contains(where: { $0.marker == marker }) {
        fault(
          draft.place, found: "skipAfter:\(marker)",
          wanted: "a SecMarker of that name" + nearest(marker, drafts.compactMap(\.marker)))
      }
    }
    return CompiledRule(
      id: draft.id, phase: draft.phase, place: draft.place, links: links, message: head.message ?? emptyMacro,
      data: head.data ?? emptyMacro, severity: head.severity, tags: defaults.tags + head.tags,
      version: head.version,
      revision: head.revision, disruption: disruption(head, defaults),
      isLogged: head.isLogged ?? defaults.isLogged ?? true,
      skip: head.skip, skipTo: head.skipAfter == nil ? nil : skipTo ?? .max, index: index)
  }

  private var emptyMacro: Macro { Macro(parts: [], literal: .empty) }

  private mutating func defaults(of draft: RuleDraft) -> RuleParts {
    var parts = RuleParts()
    // Their faults were reported where they stand; tokens here can't be new.
    apply(draft.defaults, to: &parts, at: draft.place)
    return parts
  }

  /// A rule's own disruptive action, or what SecDefaultAction says (for `block`, and where the rule has none).
  private func disruption(_ own: RuleParts, _ defaults: RuleParts) -> Disruption {
    let isOwn = own.disruption != nil && !own.isBlock
    var chosen = (isOwn ? own.disruption : nil) ?? defaults.disruption ?? .pass
    if let status = own.status ?? (isOwn ? nil : defaults.status) {
      switch chosen {
      case .deny: chosen = .deny(status: status)
      case .redirect(let location, _): chosen = .redirect(location, status: status)
      default: break
      }
    }
    return chosen
  }
}
