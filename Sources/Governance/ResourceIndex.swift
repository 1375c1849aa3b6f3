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

  /// - Parameter wanted: the only values that are asked for, so that no others are written down; nil = any.
  init(_ document: Value, only wanted: Set<ObjectIdentifier>? = nil) {
    self.wanted = wanted
    resources = document["Resources"]?.members ?? []
    if let wanted, wanted.isEmpty { return }
    for (place, resource) in resources.enumerated() { add(resource.value, UInt32(truncatingIfNeeded: place)) }
    // Of a value that several resources have, the last one counts.
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

  /// The place of a value's resource in the document; nil = it belongs to none.
  func place(of value: Value?) -> Int? {
    guard let value else { return nil }
    let identity = Self.identity(value)
    // The first entry behind it.
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].value <= identity { low = middle + 1 } else { high = middle }
    }
    guard low > 0, entries[low - 1].value == identity else { return nil }
    return Int(entries[low - 1].resource)
  }

  func owner(_ value: Value?) -> (resource: String, type: String, path: String)? {
    guard let value, let place = place(of: value) else { return nil }
    let resource = resources[place]
    return (
      resource.name, resource.value["Type"]?.string ?? "", Self.path(to: value, from: resource.value) ?? ""
    )
  }

  private static func path(to wanted: Value, from value: Value) -> String? {
    if value === wanted { return "" }
    // Names within a secret are secret too.
    if value.isSecret { return inner(to: wanted, from: value) == nil ? nil : "" }
    return inner(to: wanted, from: value)
  }

  private static func inner(to wanted: Value, from value: Value) -> String? {
    switch value.content {
    case .map(let members):
      for member in members.all {
        guard let rest = path(to: wanted, from: member.value) else { continue }
        return rest.isEmpty || rest.hasPrefix("[") ? member.name + rest : "\(member.name).\(rest)"
      }
    case .list(let values):
      for (place, element) in values.enumerated() {
        guard let rest = path(to: wanted, from: element) else { continue }
        return rest.isEmpty || rest.hasPrefix("[") ? "[\(place)]" + rest : "[\(place)].\(rest)"
      }
    case .unknown(let unknown): return unknown.written.flatMap { path(to: wanted, from: $0) }
    default: break
    }
    return nil
  }
}
