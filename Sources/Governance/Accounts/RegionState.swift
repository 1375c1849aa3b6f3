// What is known of a region of an account: by list of the table, by item, so that an item can be looked at again and replaced
// with all that hangs on it. Invariant: items of a list are in the order of their names, whenever they came; what rules
// see of a state doesn't depend on how it came to be.

import GuardRules
import Resources

/// A call that told nothing, and what isn't known for that.
struct FailedCall: Sendable {
  /// `ec2 DescribeInstances`.
  let call: String
  let failure: CallFailure
  /// CloudFormation's type of what wasn't told.
  let type: String
  /// The resource that it was about; empty = a whole list.
  let resource: String
}

/// An item of a list with what hangs on it: fetched together, gone together.
struct AccountItem: Sendable {
  /// Its ARN.
  var name: String
  /// What a change calls it.
  let key: String
  var resources: [ShapedResource]
  var failed: [FailedCall]
}

/// What a list told.
struct ListState: Sendable {
  let list: AccountList
  /// In the order of their names.
  private(set) var items: [AccountItem] = []
  /// Why not all is told.
  var failed: [FailedCall] = []

  init(_ list: AccountList, items: [AccountItem] = [], failed: [FailedCall] = []) {
    self.list = list
    self.failed = failed
    // Two of one name: the second is told apart.
    var seen: [String: Int] = [:]
    self.items = items.map { item in
      let count = (seen[item.name] ?? 0) + 1
      seen[item.name] = count
      guard count > 1 else { return item }
      var item = item
      item.name += "#\(count)"
      item.resources = item.resources.map { $0.named("\($0.name)#\(count)") }
      return item
    }.sorted { $0.name < $1.name }
  }

  /// Those that a change means.
  func places(of id: String) -> [Int] {
    if let place = place(of: id) { return [place] }
    let (behindSlash, behindColon) = ("/" + id, ":" + id)
    return items.indices.filter { place in
      let item = items[place]
      return item.key == id || item.name.hasSuffix(behindSlash) || item.name.hasSuffix(behindColon)
    }
  }

  private func place(of name: String) -> Int? {
    let place = lowerBound(name)
    return place < items.count && items[place].name == name ? place : nil
  }

  private func lowerBound(_ name: String) -> Int {
    var (low, high) = (0, items.count)
    while low < high {
      let middle = (low + high) / 2
      if items[middle].name < name { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Takes out those that a change means.
  mutating func remove(_ id: String) {
    for place in places(of: id).reversed() { items.remove(at: place) }
  }

  /// Puts an item in, in the place of the one of the same name.
  mutating func put(_ item: AccountItem) {
    let place = lowerBound(item.name)
    if place < items.count, items[place].name == item.name {
      items[place] = item
    } else {
      items.insert(item, at: place)
    }
  }
}

/// See the head of this file.
struct RegionState: Sendable {
  let account: String
  /// `global` for what has none.
  let region: String
  /// In the order of the table.
  var lists: [ListState] = []
  /// What no list has: regions that couldn't be told.
  var failedElsewhere: [FailedCall] = []
  /// What AWS Config and GuardDuty say, by where it came from.
  var taken: [String: TakenPart] = [:]
  /// Calls that no rule needed, at least.
  var savedCalls = 0

  /// What it is called among inputs.
  var input: String { "aws:\(account)/\(region)" }
  var resourceCount: Int {
    lists.reduce(0) { $0 + $1.items.reduce(0) { $0 + $1.resources.count } }
  }

  /// All calls that told nothing, but those of others' findings.
  var failed: [FailedCall] {
    var out: [FailedCall] = []
    for list in lists {
      out += list.failed
      // Mostly none of many.
      for item in list.items where !item.failed.isEmpty { out += item.failed }
    }
    return out + failedElsewhere
  }

  /// Resources of some types; nil = of all.
  func resources(of types: Set<String>?) -> [ShapedResource] {
    var out: [ShapedResource] = []
    for list in lists {
      if let types, !list.list.types.contains(where: { types.contains(AccountResources.type(of: $0) ?? $0) })
      {
        continue
      }
      for item in list.items {
        for resource in item.resources where types?.contains(resource.type ?? "") ?? true {
          out.append(resource)
        }
      }
    }
    return out
  }

  /// Lists of a type in the table of calls.
  func places(ofType type: String) -> [Int] { lists.indices.filter { lists[$0].list.type == type } }
}

extension ShapedResource {
  /// The same by another name.
  func named(_ name: String) -> ShapedResource {
    ShapedResource(name: name, type: type, foundType: foundType, properties: properties, place: place)
  }
}
