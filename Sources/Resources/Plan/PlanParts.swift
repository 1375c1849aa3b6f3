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
    let link: PlanLinks.Link
    let properties: [(name: String, value: Value)]
    /// Whether the plan leaves it as it is.
    let isKept: Bool
  }
  /// A part that the plan takes away from where it was.
  private struct Gone {
    let address: String
    let shape: TypeShape
    /// What it was a part of; nil = that isn't told.
    let name: String?
  }
  /// What may be said of any resource of a type.
  private struct Doubt {
    let unknown: Unknown
    /// nil = different things may be.
    var value: Value?
  }
  private typealias Said = [(name: String, value: Value)]

  /// Parts that stay where they are when Terraform deletes them: it only forgets them.
  private static let staying: Set<String> = ["aws_s3_bucket_acl"]

  /// What is put into a resource, by its address, in the plan's order.
  private var placed: [String: [Part]] = [:]
  /// Parts that belong to no resource of this plan.
  private var nowhere: Set<String> = []
  /// What is taken away from a resource, by its address.
  private var gone: [String: [Gone]] = [:]
  /// What may be said of any resource of a type by a part of which it isn't known where it belongs, by name.
  private var doubts: [String: [String: Doubt]] = [:]
  private let table: ShapeTable
  /// What stands within resources, and may be a resource of its own.
  private(set) var separates = PlanSeparates()

  init(
    _ bytes: UnsafeRawBufferPointer, _ table: ShapeTable, _ references: PlanReferences?,
    _ limits: ReadingLimits
  ) throws(DocumentFault) {
    self.table = table
    let partTypes = table.types.filter { $0.value.partOf != nil }
    let wholes = Set(partTypes.values.map(\.to))
    let owners = table.types.filter { $0.value.partOf == nil && wholes.contains($0.value.to) }
    var (parts, leaving): ([Part], [Gone]) = ([], [])
    var links = PlanLinks()
    var byName: [String: Set<String>] = [:]
    var addresses: [String: String] = [:]
    /// Those with keys by their address without the key.
    var instances: [String: [String]] = [:]
    var kept = 0
    try TerraformPlan.read(
      bytes, limits: limits,
      takes: { partTypes[$0] != nil || owners[$0] != nil || PlanSeparates.kinds[$0] != nil },
      references: references, isPart: true
    ) { (resource) throws(DocumentFault) in
      let isDeleted = resource.actions == ["delete"]
      kept += separates.add(resource, &links)
      if let shape = partTypes[resource.type], let by = shape.partOf {
        if resource.actions.contains("delete") {
          leaving.append(Gone(address: resource.address, shape: shape, name: resource.before?[by]?.string))
          kept += 200
        }
        if !isDeleted {
          let properties = shape.properties(of: resource.after)
          parts.append(
            Part(
              address: resource.address, type: resource.type, to: shape.to, link: links.add(resource, by: by),
              properties: properties, isKept: resource.actions == ["no-op"]))
          kept += properties.reduce(400) { $0 + $1.value.estimatedBytes }
        }
      } else if let shape = owners[resource.type], !isDeleted {
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
    separates.settle(links)
    let left = Set(leaving.map(\.address))
    /// Where those that are made anew are.
    var homes: [String: String] = [:]
    /// Those of each resource of the configuration that belong to one of a set by its value, with that set.
    var byValue: [String: (parts: [Part], owner: String)] = [:]
    func place(_ part: Part, in target: String) {
      placed[target, default: []].append(part)
      if left.contains(part.address) { homes[part.address] = target }
    }
    for part in parts {
      switch links.target(of: part.link, isOwner: { owners[$0]?.to == part.to }) {
      case .named(let name):
        let targets = byName["\(part.to) \(name)"] ?? []
        if targets.count == 1, let target = targets.first {
          place(part, in: target)
        } else {
          nowhere.insert(part.address)
          // Of a resource that this plan doesn't have, or of one of them: which one isn't known.
          if !targets.isEmpty { doubt(part) }
        }
      case .one(let address) where addresses[address] != nil: place(part, in: address)
      case .one(let address) where instances[address]?.count == 1:
        place(part, in: instances[address]?.first ?? address)
      case .anyOf(let address, _) where instances[address]?.count == 1:
        place(part, in: instances[address]?.first ?? address)
      case .anyOf(let owner, byValue: true):
        let own = TerraformAddress(part.address)
        byValue[String(part.address.dropLast(own.key.count)), default: ([], owner)].parts.append(part)
      case .elsewhere: nowhere.insert(part.address)
      default:
        nowhere.insert(part.address)
        doubt(part)
      }
    }
    for (address, found) in byValue.sorted(by: { $0.key < $1.key }) {
      let targets = instances[found.owner] ?? []
      let isOne = references?.areOfOneSet(
        TerraformAddress(address).plain, TerraformAddress(found.owner).plain)
      if isOne == true, Self.areAlike(found.parts, targets) {
        for part in found.parts {
          place(part, in: found.owner + TerraformAddress(part.address).key)
        }
        continue
      }
      for part in found.parts {
        nowhere.insert(part.address)
        doubt(part)
      }
    }
    for part in leaving { take(part, byName, homes) }
  }

  /// Whether parts that are made for each of a set say the same, and there is one of each key of their owners.
  private static func areAlike(_ parts: [Part], _ owners: [String]) -> Bool {
    guard let first = parts.first, parts.count == owners.count else { return false }
    let keys = Set(owners.map { TerraformAddress($0).key })
    return Set(parts.map { TerraformAddress($0.address).key }) == keys
      && parts.dropFirst().allSatisfy { part in
        part.properties.count == first.properties.count
          && zip(part.properties, first.properties).allSatisfy {
            $0.name == $1.name && Shaping.same($0.value, $1.value)
          }
      }
  }

  /// What a part that goes away said is no longer so, or still is: of a resource that says it too it isn't known.
  private mutating func take(_ part: Gone, _ byName: [String: Set<String>], _ homes: [String: String]) {
    guard let name = part.name else {
      let unknown = Unknown("\(part.address) is deleted, and of which resource it was a part isn't known")
      for name in Self.names(part.shape) {
        doubts[part.shape.to, default: [:]][name] = Doubt(unknown: unknown, value: nil)
      }
      return
    }
    for target in byName["\(part.shape.to) \(name)"] ?? [] where homes[part.address] != target {
      gone[target, default: []].append(part)
    }
  }

  private static func names(_ shape: TypeShape) -> Set<String> {
    Shaping.names(shape.members).union(shape.fixed.compactMap(\.path.first))
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
      for name in Self.names(shape) {
        doubts[shape.to, default: [:]][name] = Doubt(unknown: unknown, value: nil)
      }
    }
  }

  func belongsNowhere(_ address: String) -> Bool { nowhere.contains(address) }

  /// A resource's properties with those of its parts.
  /// - Parameter type: CloudFormation's type.
  func whole(_ properties: Value, of resource: PlannedResource, type: String) -> Value {
    let (own, doubts, gone) = (
      placed[resource.address] ?? [], doubts[type] ?? [:], gone[resource.address] ?? []
    )
    guard !own.isEmpty || !doubts.isEmpty || !gone.isEmpty, case .map(let before) = properties.content else {
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
      for name in table.types[part.type].map(Self.names) ?? [] where set?.contains(name) == false {
        // What one that stays as it is doesn't say is as it was found.
        let isFound = part.isKept && !part.properties.contains { $0.name == name }
        if !isFound || members[name]?.isPerhapsBlock == true { members[name] = nil }
      }
    }
    for property in Self.joined(own) {
      members[property.name] =
        members[property.name].map { Shaping.agreed($0, property.value) } ?? property.value
    }
    for part in gone {
      let unknown = Unknown("\(part.address) says it, and the plan deletes it")
      let stays = Self.staying.contains(part.shape.from)
      for name in Self.names(part.shape).sorted() where stays || members[name] != nil {
        members[name] = Value(.unknown(unknown), at: properties.place)
      }
    }
    for (name, doubt) in doubts.sorted(by: { $0.key < $1.key }) {
      if let value = members[name], let other = doubt.value, Shaping.same(value, other) { continue }
      members[name] = Value(.unknown(doubt.unknown), at: properties.place)
    }
    return Value(.map(Members(members.all, rest: before.rest)), at: properties.place)
  }

  /// What parts of one resource say together.
  private static func joined(_ parts: [Part]) -> Said {
    var members = MemberList()
    var types: [String: Said] = [:]
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
