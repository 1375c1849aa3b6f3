// `ctl`: what a rule changes about the engine for the rest of this transaction.

enum Control {
  static let all = [
    ActionDefinition("ctl", .needed) { text, parts, builder, place in
      let pair = text.trimmingQuotes.split(separator: "=", maxSplits: 1).map(String.init)
      guard pair.count == 2 else {
        builder.fault(place, found: "ctl:\(text)", wanted: "ctl:name=value")
        return
      }
      if let effect = builder.control(pair[0], pair[1], at: place) { parts.effects.append(effect) }
    }
  ]
}

extension PolicyBuilder {
  fileprivate mutating func control(_ name: String, _ value: String, at place: Place) -> Effect? {
    switch name.lowercased() {
    case "ruleremovebyid":
      return ranges(value, at: place)?.first.map { .removeRules($0) }
    case "ruleremovebytag": return .removeRulesByTag(value)
    case "ruleremovetargetbyid":
      let pair = value.split(separator: ";", maxSplits: 1).map(String.init)
      guard pair.count == 2, let rules = ranges(pair[0], at: place)?.first else {
        if pair.count != 2 { fault(place, found: "ctl:\(name)=\(value)", wanted: "rule id;variable") }
        return nil
      }
      return removedTarget(pair[1], at: place).map { .removeTarget(rules: rules, $0) }
    case "ruleremovetargetbytag":
      let pair = value.split(separator: ";", maxSplits: 1).map(String.init)
      guard pair.count == 2 else {
        fault(place, found: "ctl:\(name)=\(value)", wanted: "tag;variable")
        return nil
      }
      return removedTarget(pair[1], at: place).map { .removeTargetByTag(pair[0], $0) }
    case "ruleengine":
      switch value.lowercased() {
      case "on": return .engine(.on)
      case "off": return .engine(.off)
      case "detectiononly": return .engine(.detectionOnly)
      default:
        fault(place, found: "ctl:ruleEngine=\(value)", wanted: "On, Off or DetectionOnly")
        return nil
      }
    case "requestbodyprocessor":
      guard let kind = BodyProcessorKind(rawValue: value.lowercased()) else {
        fault(place, found: "ctl:requestBodyProcessor=\(value)", wanted: "URLENCODED, MULTIPART, JSON or XML")
        return nil
      }
      return .bodyProcessor(kind)
    case "requestbodyaccess": return switched(name, value, place).map { .requestBodyAccess($0) }
    case "responsebodyaccess": return switched(name, value, place).map { .responseBodyAccess($0) }
    case "forcerequestbodyvariable": return switched(name, value, place).map { .forceRequestBody($0) }
    // There is one log, and it says the same of every transaction.
    case "auditengine", "auditlogparts", "debugloglevel": return nil
    default:
      fault(
        place, found: "ctl:\(name)",
        wanted: "ruleRemoveById, ruleRemoveByTag, ruleRemoveTargetById, ruleRemoveTargetByTag, ruleEngine, "
          + "requestBodyProcessor, requestBodyAccess, responseBodyAccess, forceRequestBodyVariable, auditEngine or "
          + "auditLogParts")
      return nil
    }
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

  private mutating func removedTarget(_ text: String, at place: Place) -> Target? {
    let syntax = TargetList.parse(text, place: place, faults: &faults)
    guard let first = syntax.first, syntax.count == 1 else { return nil }
    return target(first, at: place)
  }
}
