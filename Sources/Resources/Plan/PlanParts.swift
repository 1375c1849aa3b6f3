// What Terraform has as a resource of its own and CloudFormation as a part of another (a bucket's encryption): which parts
// belong to which resource, found by name, or by what the configuration refers to, since names are often known only later.
// The plan is read once for this; only parts, and the names of what they can belong to, are kept. Which resource a part
// belongs to is never guessed: where several may be meant, or parts of one say different things, it isn't known.

import GuardRules

struct PlanParts {
  private struct Part {
    let address: String
    let type: String
    let to: String
    let name: String?
    let source: PlanReferences.Setting.Source
    let properties: [(name: String, value: Value)]
  }
  /// What may be said of any resource of a type.
  private struct Doubt {
    let unknown: Unknown
    /// nil = different things may be.
    var value: Value?
  }

  /// What is put into a resource, by its address, in the plan's order, with Terraform's type of the part.
  private var placed: [String: [(type: String, properties: [(name: String, value: Value)])]] = [:]
  /// Parts that belong to no resource of this plan.
  private var nowhere: Set<String> = []
  /// What may be said of any resource of a type by a part of which it isn't known where it belongs, by name.
  private var doubts: [String: [String: Doubt]] = [:]
  private let table: ShapeTable

  init(
    _ bytes: UnsafeRawBufferPointer, _ table: ShapeTable, _ references: PlanReferences?,
    _ limits: ReadingLimits
  ) throws(DocumentFault) {
    self.table = table
    let partTypes = table.types.filter { $0.value.partOf != nil }
    let wholes = Set(partTypes.values.map(\.to))
    let owners = table.types.filter { $0.value.partOf == nil && wholes.contains($0.value.to) }
    var parts: [Part] = []
    var byName: [String: Set<String>] = [:]
    var addresses: [String: String] = [:]
    /// Those with keys by their address without the key.
    var instances: [String: [String]] = [:]
    var kept = 0
    try TerraformPlan.read(
      bytes, limits: limits, takes: { partTypes[$0] != nil || owners[$0] != nil }, references: references,
      isPart: true
    ) { (resource) throws(DocumentFault) in
      if let shape = partTypes[resource.type], let by = shape.partOf {
        let properties = shape.properties(of: resource.after)
        parts.append(
          Part(
            address: resource.address, type: resource.type, to: shape.to, name: resource.after[by]?.string,
            source: resource.setting.map { $0.source(of: $0.expression(by)) } ?? .notTold,
            properties: properties))
        kept += properties.reduce(200) { $0 + $1.value.estimatedBytes }
      } else if let shape = owners[resource.type] {
        addresses[resource.address] = shape.to
        kept += 100 + resource.address.utf8.count
        if resource.address.last == "]" {
          let key = TerraformAddress(resource.address).key
          instances[String(resource.address.dropLast(key.count)), default: []].append(resource.address)
        }
        // What parts name it by.
        for name in ["bucket", "name", "arn", "id"] {
          guard let text = resource.after[name]?.string else { continue }
          byName["\(shape.to) \(text)", default: []].insert(resource.address)
          kept += 100 + text.utf8.count
        }
      }
      guard kept <= limits.mostBytes else {
        throw DocumentFault(
          place: resource.after.place, found: "more parts of buckets than \(limits.mostBytes >> 20) MiB hold",
          wanted: "a smaller plan, or more memory")
      }
    }
    for part in parts {
      var targets: Set<String> = []
      var isElsewhere = false
      if let name = part.name {
        targets = byName["\(part.to) \(name)"] ?? []
        isElsewhere = targets.isEmpty
      } else {
        switch part.source {
        case .one(let address, _), .anyOf(let address):
          targets = addresses[address] == nil ? Set(instances[address] ?? []) : [address]
          targets = targets.filter { addresses[$0] == part.to }
          let type = TerraformAddress(address).parts.suffix(2).first?.name
          isElsewhere = type.flatMap { table.types[$0]?.to } != part.to
        case .notTold: break
        }
      }
      if targets.count == 1, let target = targets.first {
        placed[target, default: []].append((part.type, part.properties))
        continue
      }
      nowhere.insert(part.address)
      // Of a resource that this plan doesn't have, or of one of them: which one isn't known.
      if !isElsewhere { doubt(part) }
    }
  }

  private mutating func doubt(_ part: Part) {
    for property in part.properties {
      guard let known = doubts[part.to]?[property.name] else {
        let unknown = Unknown("\(part.address) may say it, and of which resource it is a part isn't known")
        doubts[part.to, default: [:]][property.name] = Doubt(unknown: unknown, value: property.value)
        continue
      }
      if let value = known.value, !Shaping.same(value, property.value) {
        doubts[part.to]?[property.name]?.value = nil
      }
    }
  }

  /// Of a plan that can't be read to its end: whatever a part can say of a resource may be said further on.
  init(cut table: ShapeTable) {
    self.table = table
    let unknown = Unknown("the plan can't be read to its end, and what isn't read may say it")
    for shape in table.types.values where shape.partOf != nil {
      let names = Shaping.names(shape.members).union(shape.fixed.compactMap(\.path.first))
      for name in names { doubts[shape.to, default: [:]][name] = Doubt(unknown: unknown, value: nil) }
    }
  }

  func belongsNowhere(_ address: String) -> Bool { nowhere.contains(address) }

  /// A resource's properties with those of its parts.
  /// - Parameter type: CloudFormation's type.
  func whole(_ properties: Value, of resource: PlannedResource, type: String) -> Value {
    let (own, doubts) = (placed[resource.address] ?? [], doubts[type] ?? [:])
    guard !own.isEmpty || !doubts.isEmpty, case .map(let before) = properties.content else {
      return properties
    }
    var members = MemberList(before.all)
    // What the configuration doesn't set is how the provider found it: there the parts count, which are applied later.
    let set = resource.setting.map { setting in
      Set(
        (table.types[resource.type]?.members ?? []).filter { setting.expression($0.from) != nil }
          .compactMap(\.to.first))
    }
    for part in own {
      for name in Shaping.names(table.types[part.type]?.members ?? [])
      where members[name]?.isPerhapsBlock == true { members[name] = nil }
    }
    for property in Self.joined(own) {
      guard let value = members[property.name] else {
        members[property.name] = property.value
        continue
      }
      let isSet = set?.contains(property.name) ?? true
      members[property.name] =
        isSet ? Shaping.agreed(value, property.value) : Shaping.joined(value, property.value)
    }
    for (name, doubt) in doubts.sorted(by: { $0.key < $1.key }) {
      if let value = members[name], let other = doubt.value, Shaping.same(value, other) { continue }
      members[name] = Value(.unknown(doubt.unknown), at: properties.place)
    }
    return Value(.map(Members(members.all, rest: before.rest)), at: properties.place)
  }

  /// What parts of one resource say together.
  private static func joined(
    _ parts: [(type: String, properties: [(name: String, value: Value)])]
  ) -> [(name: String, value: Value)] {
    var members = MemberList()
    var types: [String: [(name: String, value: Value)]] = [:]
    for part in parts {
      // A second one of a type says all anew: what only one of them says isn't known either.
      if let first = types[part.type] {
        let (mine, others) = (Set(part.properties.map(\.name)), Set(first.map(\.name)))
        for name in mine.symmetricDifference(others) {
          members[name] = Value(.unknown(Shaping.disagreed))
        }
      } else {
        types[part.type] = part.properties
      }
      for property in part.properties {
        members[property.name] =
          members[property.name].map { Shaping.agreed($0, property.value) } ?? property.value
      }
    }
    return members.all
  }
}

extension Value {
  fileprivate var isPerhapsBlock: Bool {
    if case .unknown(let unknown) = content { return unknown === PlanReferences.perhapsBlock }
    return false
  }
}

extension Shaping {
  /// Why what two resources say isn't known.
  static let disagreed = Unknown("several resources of the plan say different things of it")

  /// Two maps as one; of anything else the later one.
  static func joined(_ first: Value, _ second: Value) -> Value {
    joined(first, second) { _, later in later }
  }

  /// Two maps as one; what both say, and not the same, isn't known.
  static func agreed(_ first: Value, _ second: Value) -> Value {
    joined(first, second) { first, second in
      same(first, second) ? first : Value(.unknown(disagreed), at: first.place)
    }
  }

  private static func joined(_ first: Value, _ second: Value, _ choose: (Value, Value) -> Value) -> Value {
    guard case .map(let one) = first.content, case .map(let other) = second.content else {
      return choose(first, second)
    }
    var members = MemberList(one.all)
    for member in other.all {
      members[member.name] = members[member.name].map { joined($0, member.value, choose) } ?? member.value
    }
    return Value(
      .map(Members(members.all, rest: one.rest ?? other.rest)), at: first.place, isSecret: first.isSecret)
  }

  /// Whether two values are known to be the same.
  static func same(_ first: Value, _ second: Value) -> Bool {
    switch (first.content, second.content) {
    case (.null, .null): true
    case (.bool(let first), .bool(let second)): first == second
    case (.int(let first), .int(let second)): first == second
    case (.float(let first), .float(let second)): first == second
    case (.string(let first), .string(let second)): first.utf8.elementsEqual(second.utf8)
    case (.list(let first), .list(let second)):
      first.count == second.count && zip(first, second).allSatisfy { same($0, $1) }
    case (.map(let first), .map(let second)):
      first.all.count == second.all.count
        && first.all.allSatisfy { member in second[member.name].map { same(member.value, $0) } ?? false }
    default: false
    }
  }
}
