// Which resource of a document a value belongs to: by the identity of values, kept as small as can be, since large documents
// have millions of them. The way to a value within its resource is looked for where it is asked for.

import GuardRules
import Resources

struct ResourceIndex {
  private struct Entry {
    let value: UInt
    let resource: UInt32
  }

  private let resources: [Members.Member]
  private let wanted: Set<ObjectIdentifier>?
  private var entries: [Entry] = []
  private let paths = LastPaths()

  /// Of the resource that was asked for last.
  private final class LastPaths {
    var resource = -1
    var asked = 0
    var ways: ResourceWays?
  }
  private static var mostSearches: Int { 3 }

  /// - Parameter wanted: the only values that are asked for, so that no others are written down; nil = any.
  init(_ document: Value, only wanted: Set<ObjectIdentifier>? = nil) {
    self.wanted = wanted
    resources = document["Resources"]?.members ?? []
    if let wanted, wanted.isEmpty { return }
    for (place, resource) in resources.enumerated() { add(resource.value, UInt32(truncatingIfNeeded: place)) }
    entries.sort { ($0.value, $0.resource) < ($1.value, $1.resource) }
  }

  private mutating func add(_ value: Value, _ resource: UInt32) {
    if wanted?.contains(ObjectIdentifier(value)) ?? true {
      entries.append(Entry(value: Self.identity(value), resource: resource))
    }
    switch value.content {
    case .map(let members): for member in members.all { add(member.value, resource) }
    case .list(let values): for element in values { add(element, resource) }
    case .unknown(let unknown): if let written = unknown.written { add(written, resource) }
    default: break
    }
  }

  private static func identity(_ value: Value) -> UInt { UInt(bitPattern: ObjectIdentifier(value)) }

  /// The places of the resources that have a value, each once.
  private func places(of value: Value?) -> Set<Int> {
    guard let value else { return [] }
    let identity = Self.identity(value)
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].value < identity { low = middle + 1 } else { high = middle }
    }
    return Set(entries[low...].prefix { $0.value == identity }.map { Int($0.resource) })
  }

  /// What a failure is about, and its resource's place in the document. Of a value that several resources have, it is the
  /// one whose block was evaluated; where that can't be told either it is none: better no name than another one's.
  private func subject(of failure: Failure) -> (value: Value, place: Int)? {
    let (own, outer) = (places(of: failure.value), places(of: failure.within))
    let both = own.intersection(outer)
    if let value = failure.value, let place = own.count == 1 ? own.first : both.count == 1 ? both.first : nil
    {
      return (value, place)
    }
    guard own.isEmpty, outer.count == 1, let value = failure.within, let place = outer.first else {
      return nil
    }
    return (value, place)
  }

  /// The place of a failure's resource in the document; nil = it belongs to none.
  func place(of failure: Failure) -> Int? { subject(of: failure)?.place }

  func owner(_ failure: Failure) -> (resource: String, type: String, path: String)? {
    subject(of: failure).map { owner($0.value, $0.place) }
  }

  /// nil = no resource has it, or several do.
  func owner(_ value: Value?) -> (resource: String, type: String, path: String)? {
    let places = places(of: value)
    guard let value, places.count == 1, let place = places.first else { return nil }
    return owner(value, place)
  }

  private func owner(_ value: Value, _ place: Int) -> (resource: String, type: String, path: String) {
    let resource = resources[place]
    return (resource.name, resource.value["Type"]?.string ?? "", path(to: value, place))
  }

  /// A resource that is asked for again and again, of a list with a thousand bad elements, is walked once for all.
  private func path(to value: Value, _ place: Int) -> String {
    if paths.resource != place { (paths.resource, paths.asked, paths.ways) = (place, 0, nil) }
    paths.asked += 1
    if paths.asked < Self.mostSearches {
      return WayStep.text(WayStep.way(to: value, from: resources[place].value) ?? [])
    }
    let ways = paths.ways ?? ResourceWays(resources[place].value)
    paths.ways = ways
    return ways.path(to: value)
  }
}

/// A step of the way to a value within its resource.
private enum WayStep {
  case name(String)
  case element(Int)
  /// Written in place of what isn't known, or within a secret, of which names are secret too.
  case same

  /// What stands in a value, and the step to it.
  static func steps(from value: Value, _ body: (Value, WayStep) -> Bool) {
    switch value.content {
    case .map(let members):
      for member in members.all where !body(member.value, .name(member.name)) { return }
    case .list(let values):
      for (place, element) in values.enumerated() where !body(element, .element(place)) { return }
    case .unknown(let unknown): if let written = unknown.written { _ = body(written, .same) }
    default: break
    }
  }

  /// The way to a value, the last step first; nil = it isn't there. Of two places of one value the first counts.
  static func way(to wanted: Value, from value: Value, isHidden: Bool = false) -> [WayStep]? {
    if value === wanted { return [] }
    let isHidden = isHidden || value.isSecret
    var found: [WayStep]?
    steps(from: value) { inner, step in
      found = way(to: wanted, from: inner, isHidden: isHidden)
      found?.append(isHidden ? .same : step)
      return found == nil
    }
    return found
  }

  /// As people read it.
  static func text(_ way: [WayStep]) -> String {
    var text = ""
    for step in way.reversed() {
      switch step {
      case .name(let name): text += text.isEmpty ? name : ".\(name)"
      case .element(let place): text += "[\(place)]"
      case .same: break
      }
    }
    return text
  }
}

/// The ways to all values within a resource.
private struct ResourceWays {
  private var steps: [ObjectIdentifier: (from: ObjectIdentifier?, step: WayStep)] = [:]

  init(_ resource: Value) { note(resource, from: nil, .same, isHidden: false) }

  private mutating func note(_ value: Value, from: ObjectIdentifier?, _ step: WayStep, isHidden: Bool) {
    let identity = ObjectIdentifier(value)
    guard steps[identity] == nil else { return }
    steps[identity] = (from, isHidden ? .same : step)
    let isHidden = isHidden || value.isSecret
    WayStep.steps(from: value) { inner, step in
      note(inner, from: identity, step, isHidden: isHidden)
      return true
    }
  }

  func path(to value: Value) -> String {
    var way: [WayStep] = []
    var next: ObjectIdentifier? = ObjectIdentifier(value)
    while let identity = next, let (from, step) = steps[identity] {
      way.append(step)
      next = from
    }
    return WayStep.text(way)
  }
}
