// What of the table of calls rules need: lists of types that they can look at, and of each item the calls that tell
// properties which they can look at. What isn't asked stays unknown, so that leaving out too much could never make
// something good.

public import GuardRules

/// What all rules together can look at.
public struct RulesReach: Sendable {
  /// Of each rule.
  public let rules: [RuleReach]

  /// - Parameter rules: what each of them can look at.
  public init(_ rules: [RuleReach]) { self.rules = rules }

  /// All that there is.
  public static let anything = RulesReach([.anything])

  /// Whether a rule can look at resources of a type.
  public func reaches(type: String) -> Bool { rules.contains { $0.reaches(type: type) } }
  /// Whether a rule can look at a property of a type.
  public func reaches(type: String, property: String) -> Bool {
    rules.contains { $0.reaches(type: type) && $0.reaches(property: property) }
  }
}

extension [AccountService] {
  /// The calls that rules need.
  public func reduced(to reach: RulesReach) -> [AccountService] {
    map { service in
      var service = service
      service.lists = service.lists.compactMap { $0.reduced(to: reach) }
      return service
    }
  }

  /// Lists that are asked once in a region (or once at all), without those for each item.
  public func listCount(isGlobal: Bool, region: String) -> Int {
    filter { $0.isGlobal == isGlobal }.reduce(0) { count, service in
      count + service.lists.count { $0.onlyRegion == nil || $0.onlyRegion == region }
    }
  }
}

extension AccountList {
  fileprivate func reduced(to reach: RulesReach) -> AccountList? {
    var list = self
    list.inner = inner.compactMap { $0.reduced(to: reach) }
    let type = AccountResources.type(of: self.type) ?? self.type
    guard reach.reaches(type: type) || !list.inner.isEmpty else { return nil }
    func isNeeded(_ part: AccountPart) -> Bool {
      guard part.name != regionPart else { return true }
      let told = AccountResources.properties(of: self.type, part: part.name)
      // Of a part of which the table doesn't know what it is for, it isn't known that it isn't needed.
      return told.isEmpty || told.contains { reach.reaches(type: type, property: $0) }
    }
    list.parts = parts.filter(isNeeded)
    list.unasked = parts.filter { part in !isNeeded(part) }
    // Where an item is matters to its other calls only.
    if let name = regionPart, list.inner.isEmpty, list.parts.allSatisfy({ $0.name == name }),
      AccountResources.properties(of: self.type, part: name).isEmpty
    {
      list.parts = []
      list.regionPart = nil
    }
    return list
  }
}

extension AccountResources {
  /// The properties that a call for each item tells.
  static func properties(of type: String, part: String) -> Set<String> {
    let shape = (try? table.get())?.types[type]
    let members = shape?.members.filter { $0.from == part || $0.from.hasPrefix(part + ".") } ?? []
    return Shaping.names(members).union(more["\(type) \(part)"] ?? [])
  }

  /// What `prepared` makes of parts.
  private static let more: [String: Set<String>] = [
    "S3.Bucket acl": ["AccessControl", "AccessControlPolicy"],
    "Config.ConfigurationRecorder status": ["Recording"],
    "GuardDuty.Detector detector": ["Enable"],
    "ACM.Certificate certificate": ["ValidationMethod", "DaysLeft"],
  ]
}
