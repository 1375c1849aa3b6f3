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

  init(_ catalogue: Catalogue, alsoDenied: [Wildcard] = []) {
    var patterns: [[String]?: [Wildcard]] = [:]
    for service in catalogue.allowedServices {
      patterns[service.regions.map { $0.sorted() }, default: []] += service.actions
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
  }

  /// Patterns of a group that another group also has something of, and where that other one allows more regions: beside
  /// the other's allowance a denial is needed.
  func overlapping(_ place: Int) -> [Wildcard] {
    guard let regions = groups[place].regions else { return [] }
    let own = Set(regions)
    return groups[place].patterns.filter { pattern in
      groups.enumerated().contains { other, group in
        guard other != place else { return false }
        if let theirs = group.regions, own.isSuperset(of: theirs) { return false }
        return group.patterns.contains { $0.intersects(pattern) }
      }
    }
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
