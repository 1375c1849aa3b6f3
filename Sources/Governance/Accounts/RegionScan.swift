// One region of one account (or what is global of it): all lists of the table, the calls for each item, resources out of
// them. A call that fails makes unknown what it covers, and nothing else.

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

/// What was found.
struct ScannedRegion: Sendable {
  let account: String
  /// `global` for what has none.
  let region: String
  var resources: [ShapedResource] = []
  var failed: [FailedCall] = []
}

struct RegionScan: Sendable {
  let client: ServiceClient
  let account: String
  let partition: String
  let region: String
  let isGlobal: Bool
  /// Lists and items at once.
  var atOnce = 4

  static let mostPages = 10_000

  struct Found: Sendable {
    var resources: [ShapedResource] = []
    var failed: [FailedCall] = []

    mutating func add(_ other: Found) {
      resources += other.resources
      failed += other.failed
    }
  }

  func run(_ services: [AccountService]) async -> ScannedRegion {
    let scope = CallScope(region: region, account: account, partition: partition)
    let lists = services.filter { $0.isGlobal == isGlobal }.flatMap { service in
      service.lists.filter { $0.onlyRegion == nil || $0.onlyRegion == region }.map { (service, $0) }
    }
    let found = await boundedMap(lists, atOnce: atOnce) { [self] service, list in
      await self.list(service, list, parent: nil, scope)
    }
    var out = ScannedRegion(account: account, region: isGlobal ? "global" : region)
    for each in found {
      out.resources += each.resources
      out.failed += each.failed
    }
    out.resources = Self.distinct(out.resources)
    return out
  }

  /// One list, and what hangs on its items.
  private func list(_ service: AccountService, _ list: AccountList, parent: Value?, _ scope: CallScope) async
    -> Found
  {
    var found = Found()
    let (items, failure) = await items(service, list, parent: parent, scope)
    if let failure {
      found.failed.append(
        FailedCall(
          call: Self.name(service, list.call), failure: failure,
          type: AccountResources.type(of: list.type) ?? list.type,
          resource: parent.map { Self.name($0) } ?? ""))
    }
    for each in await boundedMap(items, atOnce: atOnce, { [self] in await item(service, list, $0, scope) }) {
      found.add(each)
    }
    return found
  }

  /// All pages; those that came before one that failed count.
  private func items(
    _ service: AccountService, _ list: AccountList, parent: Value?, _ scope: CallScope
  ) async -> ([Value], CallFailure?) {
    var items: [Value] = []
    var call = list.call
    call.take = []
    var token: String?
    for _ in 0..<Self.mostPages {
      let answer: Value
      do throws(CallFailure) {
        answer = try await client.call(
          service, call, item: parent, scope: scope,
          extra: token.flatMap { token in list.page.map { (name: $0.parameter, value: token) } })
      } catch { return (items, error) }
      if answer.isNull { return (items, nil) }
      if list.call.take.isEmpty {
        items.append(Value(.map(Members([("answer", answer)]))))
      } else {
        for item in answer.all(at: list.call.take) {
          if let skip = list.skip, let value = item.value(at: skip.path)?.string, skip.values.contains(value)
          {
            continue
          }
          if case .map = item.content {
            items.append(item)
          } else {
            items.append(Value(.map(Members([("it", item)]))))
          }
        }
      }
      guard let page = list.page, let next = answer.all(at: page.from).first?.string, !next.isEmpty else {
        return (items, nil)
      }
      guard next != token else {
        return (items, CallFailure(code: "Unreadable", message: "the same page again and again"))
      }
      token = next
    }
    return (items, CallFailure(code: "Unreadable", message: "more than \(Self.mostPages) pages"))
  }

  /// One item: its own calls, its resource, its lists.
  private func item(_ service: AccountService, _ list: AccountList, _ item: Value, _ scope: CallScope) async
    -> Found
  {
    var found = Found()
    var item = item
    var scope = scope
    var parts = list.parts
    var regionFailure: CallFailure?
    let type = AccountResources.type(of: list.type) ?? list.type
    // Where it is comes first: the other calls go there.
    if let name = list.regionPart, let place = parts.firstIndex(where: { $0.name == name }) {
      let part = parts.remove(at: place)
      do throws(CallFailure) {
        let answer = try await client.call(service, part.call, item: item, scope: scope)
        scope.region = Self.region(answer.string) ?? scope.region
      } catch {
        regionFailure = error
        found.failed.append(
          FailedCall(
            call: Self.name(service, part.call), failure: error, type: type,
            resource: scope.filled(list.arn, item)))
      }
    }
    if let name = list.regionPart, let home = item[name]?.string, !home.isEmpty { scope.region = home }
    let name = scope.filled(list.arn, item)
    item = item.adding("itsName", Value(.string(name)))
    for part in parts {
      let asked = part.service.flatMap { AccountCalls.service($0) } ?? service
      do throws(CallFailure) {
        // Elsewhere than where it is the answer would be another's.
        if let regionFailure { throw regionFailure }
        let answer = try await client.call(asked, part.call, item: item, scope: scope)
        item = item.adding(part.name, answer.value(at: part.call.take) ?? Value(.null))
      } catch {
        item = item.adding(
          part.name, Value(.unknown(Unknown("\(Self.name(asked, part.call)): \(error.text)"))))
        found.failed.append(
          FailedCall(call: Self.name(asked, part.call), failure: error, type: type, resource: name))
      }
    }
    found.resources.append(
      AccountResources.resource(name: name, type: list.type, item: item, now: client.now()))
    for inner in list.inner {
      if let regionFailure {
        found.failed.append(
          FailedCall(
            call: Self.name(service, inner.call), failure: regionFailure,
            type: AccountResources.type(of: inner.type) ?? inner.type, resource: name))
        continue
      }
      found.add(await self.inner(service, inner, item, scope))
    }
    return found
  }

  private func inner(_ service: AccountService, _ list: AccountList, _ parent: Value, _ scope: CallScope)
    async -> Found
  {
    var found = Found()
    let (items, failure) = await items(service, list, parent: parent, scope)
    if let failure {
      found.failed.append(
        FailedCall(
          call: Self.name(service, list.call), failure: failure,
          type: AccountResources.type(of: list.type) ?? list.type, resource: Self.name(parent)))
    }
    for each in items { found.add(await item(service, list, each.adding("parent", parent), scope)) }
    return found
  }

  // MARK: - Names

  private static func name(_ item: Value) -> String { item["itsName"]?.string ?? "" }

  /// Names of a bucket's place are older than regions.
  static func region(_ location: String?) -> String? {
    switch location {
    case nil, "": nil
    case "EU": "eu-west-1"
    default: location
    }
  }

  /// `s3 GET ?encryption`: without what differs by item.
  static func name(_ service: AccountService, _ call: AccountCall) -> String {
    "\(service.name) \(call.action)"
  }

  /// Two of one name: the second is told apart.
  private static func distinct(_ resources: [ShapedResource]) -> [ShapedResource] {
    var seen: [String: Int] = [:]
    return resources.map { resource in
      let count = (seen[resource.name] ?? 0) + 1
      seen[resource.name] = count
      guard count > 1 else { return resource }
      return ShapedResource(
        name: "\(resource.name)#\(count)", type: resource.type, foundType: resource.foundType,
        properties: resource.properties, place: resource.place)
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
