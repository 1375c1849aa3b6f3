// One region of one account (or what is global of it): all lists of the table, the calls for each item, resources out of
// them; or one list, or one item, which a change named. A call that fails makes unknown what it covers, and nothing else.

import GuardRules
import Resources

struct RegionScan: Sendable {
  let client: ServiceClient
  let account: String
  let partition: String
  let region: String
  let isGlobal: Bool
  /// Lists and items at once.
  var atOnce = 4

  static let mostPages = 10_000
  /// Items of a list.
  static let mostItems = 500_000
  /// Items of one answer: for each others are asked.
  static let mostItemsAtOnce = 100_000

  /// What is left of an item that was asked for alone.
  enum One: Sendable {
    /// More than one where the service has several of that name.
    case found([AccountItem])
    case gone
    case failed([FailedCall])
  }

  /// How an item ends that is no longer there.
  private struct Gone: Error {}

  var scope: CallScope { CallScope(region: region, account: account, partition: partition) }
  /// What it is called among inputs.
  var name: String { isGlobal ? "global" : region }

  /// The lists that are asked here.
  func lists(_ services: [AccountService]) -> [(service: AccountService, list: AccountList)] {
    services.filter { $0.isGlobal == isGlobal }.flatMap { service in
      service.lists.filter { $0.onlyRegion == nil || $0.onlyRegion == region }.map { (service, $0) }
    }
  }

  func run(_ services: [AccountService]) async -> RegionState {
    let found = await boundedMap(lists(services), atOnce: atOnce) { [self] service, list in
      await self.list(service, list)
    }
    var out = RegionState(account: account, region: name)
    out.lists = found
    out.savedCalls = found.reduce(0) { $0 + $1.items.count * $1.list.unasked.count }
    return out
  }

  /// One list, and what hangs on its items.
  func list(_ service: AccountService, _ list: AccountList) async -> ListState {
    let (items, failure) = await items(service, list, parent: nil, scope)
    let failed = failure.map { Self.failed(service, list, $0, "") } ?? []
    let found = await boundedMap(items, atOnce: atOnce) { [self] in
      try? await item(service, list, $0, gone: [])
    }
    return ListState(list, items: found.compactMap { $0 }, failed: failed)
  }

  /// One item of a list.
  func one(_ service: AccountService, _ list: AccountList, id: String) async -> One {
    guard let one = list.one else {
      let (items, failure) = await items(service, list, parent: nil, scope)
      var found: [AccountItem] = []
      for item in items {
        guard
          AccountList.isMeant(id, name: scope.filled(list.arn, item), key: scope.filled(list.key, item)),
          let meant = try? await self.item(service, list, item, gone: [])
        else { continue }
        found.append(meant)
      }
      if !found.isEmpty { return .found(found) }
      guard let failure else { return .gone }
      return .failed([Self.failed(service, list.call, failure, list.type, "")])
    }
    do {
      guard let item = try await alone(service, list, one, id) else { return .gone }
      return .found([try await self.item(service, list, item.item, gone: one.gone, failed: item.failed)])
    } catch let failure as CallFailure {
      return .failed([Self.failed(service, one.call ?? list.call, failure, list.type, "")])
    } catch { return .gone }
  }

  /// What a list would have told of an item; nil = it is no longer there.
  private func alone(
    _ service: AccountService, _ list: AccountList, _ one: AccountOne, _ id: String
  ) async throws -> (item: Value, failed: [FailedCall])? {
    func ask(_ call: AccountCall, _ item: Value) async throws -> Value {
      do throws(CallFailure) { return try await whole(service, call, item: item, scope: scope) } catch {
        if one.gone.contains(error.code) { throw Gone() }
        throw error
      }
    }
    let wanted = Value(.map(Members([("id", Value(.string(id)))])))
    var item = wanted
    if let call = one.call {
      let answer: Value
      do throws(CallFailure) {
        answer = try await self.ask(service, call, item: wanted, scope: scope)
      } catch {
        if one.gone.contains(error.code) { return nil }
        throw error
      }
      let items = AnswerItems(
        isJSON: service.answersJSON(call.root), kind: call.isAlone ? .alone : .structures)
      guard let found = try items.all(answer, at: call.take).first(where: { !isLeftOut($0, list) }) else {
        return nil
      }
      item = found.adding("id", Value(.string(id)))
    }
    for set in one.sets { item = item.adding(set.name, Value(.string(scope.filled(set.value, item)))) }
    var failed: [FailedCall] = []
    for with in one.with {
      do {
        let items = AnswerItems(
          isJSON: service.answersJSON(with.call.root), kind: with.call.isAlone ? .alone : .any)
        let answer = try await ask(with.call, item)
        let taken = answer.isNull ? [] : try items.all(answer, at: with.call.take)
        var values = taken
        if let each = with.each {
          values = []
          for value in taken { values.append(try await ask(each, item.adding("it", value))) }
        }
        item = item.adding(with.name, values.isEmpty ? Value(.null) : Value(.list(values)))
      } catch let failure as CallFailure {
        failed.append(Self.failed(service, with.call, failure, list.type, scope.filled(list.arn, item)))
        item = item.adding(
          with.name, Value(.unknown(Unknown("\(Self.name(service, with.call)): \(failure.text)"))))
      }
    }
    return (item, failed)
  }

  /// All pages; those that came before one that failed count.
  private func items(
    _ service: AccountService, _ list: AccountList, parent: Value?, _ scope: CallScope
  ) async -> ([Value], CallFailure?) {
    var items: [Value] = []
    var token: String?
    var asked: Set<String> = []
    for _ in 0..<Self.mostPages {
      let before = items.count
      let answer: Value
      do throws(CallFailure) {
        answer = try await ask(
          service, list.call, item: parent, scope: scope,
          extra: token.flatMap { token in list.page.map { (name: $0.parameter, value: token) } })
      } catch { return (items, error) }
      if answer.isNull { return (items, nil) }
      if list.call.take.isEmpty {
        items.append(Value(.map(Members([("answer", answer)]))))
      } else {
        let found: [Value]
        do throws(CallFailure) {
          found = try self.items(of: answer, service, list, list.call, parent: parent, scope)
        } catch { return (items, error) }
        items += found.filter { !isLeftOut($0, list) }
        if list.endsByEmptyPage, found.isEmpty { return (items, nil) }
      }
      // More than there can be: none of them is believed.
      guard items.count - before <= Self.mostItemsAtOnce, items.count <= Self.mostItems else {
        return (Array(items.prefix(before)), .endless("\(items.count) items"))
      }
      let next: String?
      do throws(CallFailure) { next = try answer.nextPage(at: list.page?.from) } catch {
        return (items, error)
      }
      guard let next else { return (items, nil) }
      guard asked.insert(next).inserted else {
        // The page that came again has nothing of its own.
        func name(_ item: Value) -> String {
          scope.filled(list.arn, parent.map { item.adding("parent", $0) } ?? item)
        }
        let known = Set(items.prefix(before).map(name))
        items = items.prefix(before) + items.suffix(from: before).filter { !known.contains(name($0)) }
        return (items, .endless("the same page again and again"))
      }
      token = next
    }
    return (items, .endless("more than \(Self.mostPages) pages"))
  }

  /// One item: its own calls, its resource, its lists.
  /// - Parameter gone: codes of errors that mean that it isn't there any more.
  /// - Throws: `Gone`.
  private func item(
    _ service: AccountService, _ list: AccountList, _ item: Value, gone: Set<String>,
    failed: [FailedCall] = []
  ) async throws -> AccountItem {
    var out = AccountItem(
      name: scope.filled(list.arn, item), key: scope.filled(list.key, item), resources: [], failed: failed)
    try await fill(&out, service, list, item, scope, gone: gone)
    out.resources = Self.distinct(out.resources)
    return out
  }

  private func fill(
    _ out: inout AccountItem, _ service: AccountService, _ list: AccountList, _ item: Value,
    _ scope: CallScope,
    gone: Set<String>
  ) async throws {
    var item = item
    var scope = scope
    var parts = list.parts
    var regionFailure: CallFailure?
    // Where it is comes first: the other calls go there.
    if let name = list.regionPart, let place = parts.firstIndex(where: { $0.name == name }) {
      let part = parts.remove(at: place)
      do throws(CallFailure) {
        let answer = try await client.call(service, part.call, item: item, scope: scope)
        scope.region = Self.region(answer.string) ?? scope.region
      } catch {
        if gone.contains(error.code) { throw Gone() }
        regionFailure = error
        out.failed.append(Self.failed(service, part.call, error, list.type, scope.filled(list.arn, item)))
      }
    }
    if let name = list.regionPart, let home = item[name]?.string, !home.isEmpty { scope.region = home }
    let name = scope.filled(list.arn, item)
    item = item.adding("itsName", Value(.string(name)))
    for part in list.unasked {
      let reason = "\(Self.name(service, part.call)) wasn't made: no rule asks for what it tells"
      item = item.adding(part.name, Value(.unknown(Unknown(reason))))
    }
    for part in parts {
      let asked = part.service.flatMap { AccountCalls.service($0) } ?? service
      do throws(CallFailure) {
        // Elsewhere than where it is the answer would be another's.
        if let regionFailure { throw regionFailure }
        let answer = try await whole(asked, part.call, item: item, scope: scope)
        item = item.adding(part.name, answer.value(at: part.call.take) ?? Value(.null))
      } catch {
        if gone.contains(error.code) { throw Gone() }
        if let reason = elsewhere(part.call, error, of: name) {
          item = item.adding(part.name, Value(.unknown(Unknown(reason))))
          continue
        }
        item = item.adding(
          part.name, Value(.unknown(Unknown("\(Self.name(asked, part.call)): \(error.text)"))))
        out.failed.append(Self.failed(asked, part.call, error, list.type, name))
      }
    }
    out.resources.append(
      AccountResources.resource(name: name, type: list.type, item: item, now: client.now()))
    for inner in list.inner {
      if let regionFailure {
        out.failed += Self.failed(service, inner, regionFailure, name)
        continue
      }
      var (items, failure) = await items(service, inner, parent: item, scope)
      if let most = inner.most, items.count > most {
        failure =
          failure
          ?? CallFailure(
            code: CallFailure.tooMany,
            message: "\(items.count), of which \(most) were looked at: the most that are")
        // The newest come last.
        items = Array(items.suffix(most))
      }
      if let failure { out.failed += Self.failed(service, inner, failure, name) }
      for each in items {
        try await fill(&out, service, inner, each.adding("parent", item), scope, gone: [])
      }
    }
  }

  // MARK: - Names

  private static func failed(
    _ service: AccountService, _ call: AccountCall, _ failure: CallFailure, _ type: String, _ resource: String
  ) -> FailedCall {
    FailedCall(
      call: name(service, call), failure: failure, type: AccountResources.type(of: type) ?? type,
      resource: resource)
  }

  /// A list that told nothing, or not all: of nothing that hangs on its items anything is known.
  private static func failed(
    _ service: AccountService, _ list: AccountList, _ failure: CallFailure, _ resource: String
  ) -> [FailedCall] {
    list.types.map { failed(service, list.call, failure, $0, resource) }
  }

  /// Names of a bucket's place are older than regions.
  static func region(_ location: String?) -> String? {
    switch location {
    case nil, "": nil
    case "EU": "eu-west-1"
    default: location
    }
  }

  /// `s3 GetBucketEncryption`.
  static func name(_ service: AccountService, _ call: AccountCall) -> String {
    "\(service.name) \(call.name)"
  }

  /// Two of one name: the second is told apart.
  private static func distinct(_ resources: [ShapedResource]) -> [ShapedResource] {
    var seen: [String: Int] = [:]
    return resources.map { resource in
      let count = (seen[resource.name] ?? 0) + 1
      seen[resource.name] = count
      return count > 1 ? resource.named("\(resource.name)#\(count)") : resource
    }
  }
}

extension Value {
  /// What stands at a path of names, as it is; nil = there is nothing.
  func value(at path: [String]) -> Value? {
    var value = self
    for name in path {
      guard let next = value[name] else { return nil }
      value = next
    }
    return value
  }

  var isNull: Bool {
    if case .null = content { return true }
    return false
  }
}
