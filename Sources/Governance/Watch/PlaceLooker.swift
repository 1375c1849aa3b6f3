// Looks at one place that a change named: one item, a list, a service's region, a rule of Config, a finding of GuardDuty.

import GuardRules
import Resources

/// What a look brought.
enum PlaceOutcome: Sendable {
  /// No rule can look there.
  case unneeded
  /// An item of a list that has this name in the region.
  case item(list: String, id: String, RegionScan.One)
  case list(ListState)
  /// What others say, by where it came from: those that begin with the first word are replaced.
  case taken(replacing: String, [String: TakenPart])

  var isNeeded: Bool {
    if case .unneeded = self { return false }
    return true
  }

  /// Puts it into what is kept.
  /// - Parameters:
  ///   - changed: types of what may be another now.
  ///   - others: whether others' findings may be others now.
  func put(into state: inout RegionState, _ changed: inout Set<String>, _ others: inout Bool) {
    func change(_ list: AccountList) {
      changed.formUnion(list.types.map { AccountResources.type(of: $0) ?? $0 })
    }
    switch self {
    case .unneeded: break
    case .list(let list):
      guard let place = state.lists.firstIndex(where: { $0.list.id == list.list.id }) else { return }
      state.lists[place] = list
      change(list.list)
    case .item(let name, let id, let one):
      guard let place = state.lists.firstIndex(where: { $0.list.id == name }) else { return }
      let known = state.lists[place].places(of: id)
      switch one {
      case .gone:
        // It was never there, as far as anybody knows.
        if known.isEmpty { return }
        state.lists[place].remove(id)
      case .found(let item):
        state.lists[place].remove(id)
        state.lists[place].put(item)
      case .failed(let failed):
        // What it was isn't what it is.
        let old = known.first.map { state.lists[place].items[$0] }
        let list = state.lists[place].list
        state.lists[place].remove(id)
        state.lists[place].put(.unknown(old?.name ?? id, id, list, failed))
      }
      change(state.lists[place].list)
    case .taken(let prefix, let parts):
      for name in state.taken.keys where name == prefix || name.hasPrefix(prefix + ":") {
        state.taken[name] = nil
      }
      state.taken.merge(parts) { _, new in new }
      others = true
    }
  }
}

extension FailedCall {
  /// Resources of which other calls failed than before.
  static func resources(of old: [FailedCall], or new: [FailedCall]) -> Set<String> {
    if old.isEmpty, new.isEmpty { return [] }
    func grouped(_ failed: [FailedCall]) -> [String: [String]] {
      Dictionary(grouping: failed, by: \.resource).mapValues { calls in
        calls.map { "\($0.call) \($0.type) \($0.failure.text)" }
      }
    }
    let (before, after) = (grouped(old), grouped(new))
    return Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }
  }
}

extension AccountItem {
  /// One of which nothing is known now.
  fileprivate static func unknown(
    _ name: String, _ key: String, _ list: AccountList, _ failed: [FailedCall]
  ) -> AccountItem {
    let calls = list.types.flatMap { type in
      failed.map { each in
        FailedCall(
          call: each.call, failure: each.failure, type: AccountResources.type(of: type) ?? type,
          resource: name)
      }
    }
    return AccountItem(name: name, key: key, resources: [], failed: calls)
  }
}

extension RegionState {
  /// What couldn't be told, to be asked again.
  var untold: [ChangeTarget] {
    var out: [ChangeTarget] = []
    for list in lists {
      if !list.failed.isEmpty { out.append(.list(type: list.list.type)) }
      for item in list.items where !item.failed.isEmpty {
        let end = item.name.split { $0 == "/" || $0 == ":" }.last.map(String.init)
        let id = item.key.isEmpty ? end ?? item.name : item.key
        out.append(.one(type: list.list.type, id: id))
      }
    }
    for (name, part) in taken.sorted(by: { $0.key < $1.key }) where !part.failed.isEmpty {
      if name.hasPrefix("config:") {
        out.append(.configRule(String(name.dropFirst("config:".count))))
      } else {
        out.append(name == "config" ? .configRule("") : .guardDuty(detector: "", finding: ""))
      }
    }
    return out
  }
}

struct PlaceLooker: Sendable {
  let account: AccountScan.Entered
  /// `global` for what has none.
  let region: String
  let services: [AccountService]
  let takesOthers: Bool

  /// Looks.
  func look(at target: ChangeTarget) async -> [PlaceOutcome] {
    let scan = account.scan(region)
    let lists = scan.lists(services)
    switch target {
    case .one(let type, let id):
      let meant = lists.filter { $0.list.type == type }
      guard !meant.isEmpty else { return [.unneeded] }
      return await boundedMap(meant, atOnce: 4) { service, list in
        PlaceOutcome.item(list: list.id, id: id, await scan.one(service, list, id: id))
      }
    case .list(let type): return await all(lists.filter { $0.list.type == type }, scan)
    case .service(let name): return await all(lists.filter { $0.service.name == name }, scan)
    case .configRule(let name):
      guard takesOthers, region != "global" else { return [.unneeded] }
      let others = account.taken(region)
      guard !name.isEmpty else { return [.taken(replacing: "config", await others.allOfConfig())] }
      let part = await others.config(rule: name)
      return [.taken(replacing: "config:\(name)", part.map { ["config:\(name)": $0] } ?? [:])]
    case .guardDuty:
      guard takesOthers, region != "global" else { return [.unneeded] }
      // Which findings there are is told only by all of them: one that is archived is in no list.
      return [.taken(replacing: "guardduty", await account.taken(region).allOfGuardDuty())]
    }
  }

  private func all(
    _ lists: [(service: AccountService, list: AccountList)], _ scan: RegionScan
  ) async -> [PlaceOutcome] {
    guard !lists.isEmpty else { return [.unneeded] }
    return await boundedMap(lists, atOnce: 4) { service, list in
      PlaceOutcome.list(await scan.list(service, list))
    }
  }
}
