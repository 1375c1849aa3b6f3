// `ctl`: what a rule changes about the engine for the rest of this transaction.

enum Control {
  static let all = [
    ActionDefinition("ctl", .needed) { text, parts, builder, place in
      let pair = text.trimmingQuotes.split(separator: "=", maxSplits: 1).map(String.init)
      guard pair.count == 2 else {
        builder.fault(place, found: "ctl:\(text)", wanted: "ctl:name=value")
        return
      }
      parts.effects += builder.control(pair[0], pair[1], at: place)
    }
  ]
}

extension PolicyBuilder {
  /// What `ctl:name=value` does; nothing and a fault where it isn't understood.
  fileprivate mutating func control(_ name: String, _ value: String, at place: Place) -> [Effect] {
    switch name.lowercased() {
    case "ruleremovebyid": return (ranges(value, at: place) ?? []).map { .removeRules($0) }
    case "ruleremovebytag": return [.removeRulesByTag(value)]
    case "ruleremovetargetbyid":
      guard let (ids, target) = removedTarget(name, value, "rule ids", at: place) else { return [] }
      return (ranges(ids, at: place) ?? []).map { .removeTarget(rules: $0, target) }
    case "ruleremovetargetbytag":
      guard let (tag, target) = removedTarget(name, value, "a tag", at: place) else { return [] }
      return [.removeTargetByTag(tag, target)]
    case "ruleengine":
      switch value.lowercased() {
      case "on": return [.engine(.on)]
      case "off": return [.engine(.off)]
      case "detectiononly": return [.engine(.detectionOnly)]
      default: fault(place, found: "ctl:ruleEngine=\(value)", wanted: "On, Off or DetectionOnly")
      }
    case "requestbodyprocessor":
      if let kind = BodyProcessorKind(rawValue: value.lowercased()) { return [.bodyProcessor(kind)] }
      fault(place, found: "ctl:requestBodyProcessor=\(value)", wanted: "URLENCODED, MULTIPART, JSON or XML")
    case "requestbodyaccess": return switched(name, value, place).map { [.requestBodyAccess($0)] } ?? []
    case "responsebodyaccess": return switched(name, value, place).map { [.responseBodyAccess($0)] } ?? []
    case "forcerequestbodyvariable": return switched(name, value, place).map { [.forceRequestBody($0)] } ?? []
    // There is one log, and it says the same of every transaction.
    case "auditengine", "auditlogparts", "debugloglevel": break
    default:
      fault(
        place, found: "ctl:\(name)",
        wanted: "ruleRemoveById, ruleRemoveByTag, ruleRemoveTargetById, ruleRemoveTargetByTag, ruleEngine, "
          + "requestBodyProcessor, requestBodyAccess, responseBodyAccess, forceRequestBodyVariable, auditEngine or "
          + "auditLogParts")
    }
    return []
  }

  private mutating func switched(_ name: String, _ value: String, _ place: Place) -> Bool? {
    switch value.lowercased() {
    case "on": return true
    case "off": return false
    default:
      fault(place, found: "ctl:\(name)=\(value)", wanted: "On or Off")
      return nil
    }
  }

  /// `942100;ARGS:q`: what stands before the semicolon, and the one variable after it.
  private mutating func removedTarget(
    _ name: String, _ value: String, _ first: String, at place: Place
  ) -> (String, Target)? {
    let pair = value.split(separator: ";", maxSplits: 1).map(String.init)
    guard pair.count == 2 else {
      fault(place, found: "ctl:\(name)=\(value)", wanted: "\(first), a semicolon and a variable")
      return nil
    }
    let known = faults.count
    let syntax = TargetList.parse(pair[1], place: place, faults: &faults)
    guard let only = syntax.first, syntax.count == 1 else {
      if faults.count == known {
        fault(
          place, found: "ctl:\(name)=\(value)",
          wanted: "one variable after the semicolon; another ctl for each other")
      }
      return nil
    }
    return target(only, at: place).map { (pair[0], $0) }
  }
}
