// What a catalogue allows, as policies need it: patterns by the regions they are limited to, without what others cover.

struct ActionGroups {
  struct Group {
    /// nil = everywhere.
    let regions: [String]?
    var patterns: [Wildcard]
  }

  /// Those everywhere first, then by the length of their text, the longest first.
  let groups: [Group]
  /// All that is allowed somewhere.
  let union: [Wildcard]
  /// Denials that take back something of it.
  let denials: [Wildcard]
  /// Calls without a region that patterns of one limited group name, and that its limit leaves out. Those of which services
  /// with different regions name a part each stay limited where no policy could say otherwise: the strictest word counts.
  let spared: [Wildcard]

  init(_ catalogue: Catalogue, alsoDenied: [Wildcard] = []) {
    var patterns: [[String]?: [Wildcard]] = [:]
    for service in catalogue.allowedServices {
      for action in service.actions {
        patterns[service.limit(of: action).map { $0.sorted() }, default: []].append(action)
      }
    }
    let union = patterns.values.joined().reduced
    groups = patterns.map { Group(regions: $0.key, patterns: $0.value.reduced) }.sorted {
      if ($0.regions == nil) != ($1.regions == nil) { return $0.regions == nil }
      if $0.length != $1.length { return $0.length > $1.length }
      return ($0.regions ?? []).joined(separator: ",") < ($1.regions ?? []).joined(separator: ",")
    }
    self.union = union
    denials = (catalogue.denials + alsoDenied).reduced.filter { denial in
      union.contains { $0.intersects(denial) }
    }
    spared = Self.spared(groups)
  }

  private static func spared(_ groups: [Group]) -> [Wildcard] {
    let calls = GlobalCalls.calls.map { Wildcard($0, ignoresCase: true) }
    func names(_ group: Group, _ call: Wildcard) -> Bool { group.patterns.contains { $0.contains(call) } }
    return groups.indices.flatMap { place -> [Wildcard] in
      guard groups[place].regions != nil else { return [] }
      let own = calls.filter { call in
        names(groups[place], call)
          && !groups.indices.contains { $0 != place && groups[$0].regions != nil && names(groups[$0], call) }
      }
      guard !own.isEmpty else { return [] }
      let denied = common(groups, place, with: others(groups, place), keeping: own)
      return own.filter { call in !denied.contains { $0.contains(call) } }
    }
  }

  /// Patterns of all groups but one.
  func others(_ place: Int) -> [Wildcard] { Self.others(groups, place) }

  private static func others(_ groups: [Group], _ place: Int) -> [Wildcard] {
    groups.enumerated().filter { $0.offset != place }.flatMap { $0.element.patterns }.reduced
  }

  /// What a group has in common with other patterns: its own pattern, or, where that would take a call to be kept with it,
  /// what the other has of it.
  private static func common(
    _ groups: [Group], _ place: Int, with others: [Wildcard], keeping calls: [Wildcard]
  ) -> [Wildcard] {
    groups[place].patterns.flatMap { pattern -> [Wildcard] in
      let met = others.filter { $0.intersects(pattern) }
      guard calls.contains(where: { pattern.contains($0) }) else { return met.isEmpty ? [] : [pattern] }
      return met.map { pattern.contains($0) ? $0 : pattern }
    }.reduced
  }

  /// What a group has in common with other patterns, without the calls that are spared.
  func common(_ place: Int, with others: [Wildcard]) -> [Wildcard] {
    Self.common(groups, place, with: others, keeping: spared)
  }

  /// What a group has in common with another one that allows more regions: beside the other's allowance a denial is needed.
  func overlapping(_ place: Int) -> [Wildcard] {
    guard let regions = groups[place].regions else { return [] }
    let own = Set(regions)
    let wider = groups.enumerated().filter { other, group in
      other != place && !(group.regions.map { own.isSuperset(of: $0) } ?? false)
    }
    return common(place, with: wider.flatMap { $0.element.patterns })
  }

  /// Patterns of a group that no other group allows in at least the same regions.
  func own(_ place: Int) -> [Wildcard] {
    let own = groups[place].regions
    return groups[place].patterns.filter { pattern in
      !groups.enumerated().contains { other, group in
        guard other != place else { return false }
        if let theirs = group.regions {
          guard let own, Set(theirs).isSuperset(of: own), theirs != own else { return false }
        }
        return group.patterns.contains { $0.contains(pattern) }
      }
    }
  }

  static let regionKey = "aws:RequestedRegion"

  static func within(_ regions: [String]) -> PolicyCondition {
    PolicyCondition("StringEquals", regionKey, regions)
  }
  static func outside(_ regions: [String]) -> PolicyCondition {
    PolicyCondition("StringNotEquals", regionKey, regions)
  }
}

extension ActionGroups.Group {
  fileprivate var length: Int { patterns.reduce(0) { $0 + $1.text.unicodeScalars.count + 3 } }
}
