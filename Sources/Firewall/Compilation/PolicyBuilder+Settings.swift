// Directives that aren't rules. What has no meaning in a proxy is accepted and noted; what would change what is detected
// and isn't offered is refused.

extension PolicyBuilder {
  mutating func setting(_ name: String, _ arguments: [String], at place: Place) {
    let first = arguments.first ?? ""
    switch name.lowercased() {
    case "secruleengine":
      switch first.lowercased() {
      case "on": engine = .on
      case "off": engine = .off
      case "detectiononly": engine = .detectionOnly
      default: fault(place, found: "SecRuleEngine \(first)", wanted: "On, Off or DetectionOnly")
      }
    case "secrequestbodyaccess": flag(first, name, place) { $0.bodies.requestBodyAccess = $1 }
    case "secresponsebodyaccess": flag(first, name, place) { $0.bodies.responseBodyAccess = $1 }
    case "secrequestbodylimit": number(first, name, place) { $0.bodies.requestBodyLimit = $1 }
    case "secrequestbodynofileslimit": number(first, name, place) { $0.bodies.requestBodyNoFilesLimit = $1 }
    case "secresponsebodylimit": number(first, name, place) { $0.bodies.responseBodyLimit = $1 }
    case "secrequestbodyjsondepthlimit": number(first, name, place) { $0.bodies.limits.jsonDepth = $1 }
    case "secargumentslimit": number(first, name, place) { $0.bodies.limits.argumentCount = $1 }
    case "secuploadfilelimit": number(first, name, place) { $0.bodies.limits.fileCount = $1 }
    case "secpcrematchlimit":
      number(first, name, place) { $0.options.regex.matchLimit = UInt32(clamping: $1) }
    case "seccollectiontimeout": number(first, name, place) { $0.collectionTimeoutSeconds = Int64($1) }
    case "secrequestbodylimitaction":
      limitAction(first, name, place) { $0.bodies.requestBodyLimitAction = $1 }
    case "secresponsebodylimitaction":
      limitAction(first, name, place) { $0.bodies.responseBodyLimitAction = $1 }
    case "secresponsebodymimetype":
      bodies.responseBodyTypes.formUnion(
        arguments.flatMap { $0.split(separator: " ") }.map { $0.lowercased() })
    case "secresponsebodymimetypesclear": bodies.responseBodyTypes = []
    case "secargumentseparator":
      if let byte = first.utf8.first, first.utf8.count == 1 {
        bodies.argumentSeparator = byte
      } else {
        fault(place, found: "SecArgumentSeparator \"\(first)\"", wanted: "one character")
      }
    case "secwebappid": webAppID = first
    case "secunicodemapfile": unicodeMap(arguments, place)
    case "seccookieformat":
      if first != "0" {
        fault(
          place, found: "SecCookieFormat \(first)",
          wanted: "0: version 1 cookies aren't in use, and aren't read")
      }
    case "seccomponentsignature": break
    case "secruleremovebyid":
      if let found = ranges(arguments.joined(separator: " "), at: place) {
        changes.removals.append((.ids(found), place))
      }
    case "secruleremovebytag": changes.removals.append((.tag(first), place))
    case "secruleremovebymsg": changes.removals.append((.message(first), place))
    case "secruleupdatetargetbyid":
      if let found = ranges(first, at: place) { updateTargets(.ids(found), arguments, place) }
    case "secruleupdatetargetbytag": updateTargets(.tag(first), arguments, place)
    case "secruleupdatetargetbymsg": updateTargets(.message(first), arguments, place)
    case "secruleupdateactionbyid": updateActions(first, arguments, place)
    default:
      otherSetting(name, arguments, place)
    }
  }

  private mutating func flag(
    _ text: String, _ name: String, _ place: Place, _ apply: (inout PolicyBuilder, Bool) -> Void
  ) {
    switch text.lowercased() {
    case "on": apply(&self, true)
    case "off": apply(&self, false)
    default: fault(place, found: "\(name) \(text)", wanted: "On or Off")
    }
  }

  private mutating func number(
    _ text: String, _ name: String, _ place: Place, _ apply: (inout PolicyBuilder, Int) -> Void
  ) {
    if let value = Int(text), value >= 0 {
      apply(&self, value)
    } else {
      fault(place, found: "\(name) \(text)", wanted: "a whole number, 0 or more")
    }
  }

  private mutating func limitAction(
    _ text: String, _ name: String, _ place: Place, _ apply: (inout PolicyBuilder, LimitAction) -> Void
  ) {
    switch text.lowercased() {
    case "reject": apply(&self, .reject)
    case "processpartial": apply(&self, .processPartial)
    default: fault(place, found: "\(name) \(text)", wanted: "Reject or ProcessPartial")
    }
  }

  private mutating func updateTargets(_ selection: RuleSelection, _ arguments: [String], _ place: Place) {
    guard arguments.count >= 2 else {
      fault(place, found: "no variables", wanted: "a list of variables, as in \"!ARGS:password\"")
      return
    }
    let targets = TargetList.parse(arguments[1], place: place, faults: &faults)
    // A third argument names what the new variables take the place of.
    let replaced = arguments.count > 2 ? TargetList.parse(arguments[2], place: place, faults: &faults) : []
    changes.targets.append((selection, targets, replaced, place))
  }

  private mutating func unicodeMap(_ arguments: [String], _ place: Place) {
    guard let path = arguments.first, let codePage = Int(arguments.count > 1 ? arguments[1] : "20127") else {
      fault(
        place, found: "SecUnicodeMapFile \(arguments.joined(separator: " "))",
        wanted: "a file and a code page, as in unicode.mapping 20127")
      return
    }
    do {
      guard let map = UnicodeMap(file: try context(for: place).file(path), codePage: codePage) else {
        fault(place, found: "\(path) without code page \(codePage)", wanted: "a file of mappings that has it")
        return
      }
      urlDecodeUni = .urlDecodeUni(map)
    } catch {
      // Debian's configuration names a file that only another package brings.
      notes.append("\(place): \(path) can't be read: %u escapes are decoded without a map (\(error))")
    }
  }

  private mutating func updateActions(_ id: String, _ arguments: [String], _ place: Place) {
    let parts = id.split(separator: ":").map { Int($0) }
    guard arguments.count >= 2, let number = parts.first ?? nil, parts.count <= 2,
      parts.count == 1 || parts[1] != nil
    else {
      fault(
        place, found: "SecRuleUpdateActionById \(arguments.joined(separator: " "))",
        wanted: "a rule id and a list of actions")
      return
    }
    let actions = ActionList.parse(arguments[1], place: place, faults: &faults)
    changes.actions.append((number, parts.count == 2 ? (parts[1] ?? 0) : 0, actions, place))
  }
}

extension PolicyBuilder {
  /// What the table of directives says of the rest.
  private mutating func otherSetting(_ name: String, _ arguments: [String], _ place: Place) {
    guard let directive = Directive.named(name) else {
      let near = Directive.nearest(to: name).map { "; did you mean \"\($0.name)\"?" } ?? ""
      fault(place, found: "the directive \"\(name)\"", wanted: "a directive of SecLang" + near)
      return
    }
    switch directive.handling {
    case .applied: break
    case .ignored(let why): notes.append("\(place): \(directive.name) has no effect here: \(why)")
    case .refused(let why): fault(place, found: "the directive \(directive.name)", wanted: why)
    }
  }
}
