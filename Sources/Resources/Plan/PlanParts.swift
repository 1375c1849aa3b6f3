// What Terraform has as a resource of its own and CloudFormation as a part of another (a bucket's encryption): which parts
// belong to which resource, found by name, or by what the configuration refers to, since names are often known only later.
// The plan is read once for this; only parts, and the names of what they can belong to, are kept.

import GuardRules

struct PlanParts {
  private struct Part {
    let address: String
    let to: String
    let name: String?
    let properties: [(name: String, value: Value)]
  }

  /// What is put into a resource, by its address, in the plan's order.
  private var placed: [String: [[(name: String, value: Value)]]] = [:]
  /// Parts that belong to no resource of this plan.
  private var nowhere: Set<String> = []
  /// What may be said of any resource of a type by a part of which it isn't known where it belongs.
  private var doubts: [String: [(name: String, unknown: Unknown)]] = [:]

  init(_ bytes: UnsafeRawBufferPointer, _ table: ShapeTable, _ limits: ReadingLimits) throws(DocumentFault) {
    let partTypes = table.types.filter { $0.value.partOf != nil }
    let wholes = Set(partTypes.values.map(\.to))
    let owners = table.types.filter { $0.value.partOf == nil && wholes.contains($0.value.to) }
    var parts: [Part] = []
    var byName: [String: String] = [:]
    var addresses: [String: String] = [:]
    var kept = 0
    try TerraformPlan.read(
      bytes, limits: limits, takes: { partTypes[$0] != nil || owners[$0] != nil }, isPart: true
    ) { (resource) throws(DocumentFault) in
      if let shape = partTypes[resource.type], let by = shape.partOf {
        let properties = shape.properties(of: resource.after)
        parts.append(
          Part(
            address: resource.address, to: shape.to, name: resource.after[by]?.string, properties: properties)
        )
        kept += properties.reduce(200) { $0 + $1.value.estimatedBytes }
      } else if let shape = owners[resource.type] {
        addresses[resource.address] = shape.to
        kept += 100 + resource.address.utf8.count
        // What parts name it by.
        for name in ["bucket", "name", "arn", "id"] {
          guard let text = resource.after[name]?.string else { continue }
          byName["\(shape.to) \(text)"] = resource.address
          kept += 100 + text.utf8.count
        }
      }
      guard kept <= limits.mostBytes else {
        throw DocumentFault(
          place: resource.after.place, found: "more parts of buckets than \(limits.mostBytes >> 20) MiB hold",
          wanted: "a smaller plan, or more memory")
      }
    }
    guard !parts.isEmpty else { return }
    let references = try Self.references(bytes, partTypes.compactMapValues(\.partOf), limits)
    for part in parts {
      var target = part.name.flatMap { byName["\(part.to) \($0)"] }
      let own = TerraformAddress(part.address)
      var isElsewhere = false
      if target == nil, let reference = references[own.plain] {
        // The same key, where both are made for each of a set.
        target = [own.module + reference + own.key, own.module + reference].first { addresses[$0] == part.to }
        let type = reference.split(separator: ".").first.flatMap { table.types[String($0)]?.to }
        isElsewhere = type != part.to
      }
      if let target {
        placed[target, default: []].append(part.properties)
        continue
      }
      nowhere.insert(part.address)
      // Of a resource that this plan doesn't have, or of one of them: which one isn't known.
      guard part.name == nil, !isElsewhere else { continue }
      let unknown = Unknown("\(part.address) may say it, and of which resource it is a part isn't known")
      for property in part.properties
      where doubts[part.to]?.contains(where: { $0.name == property.name }) != true {
        doubts[part.to, default: []].append((property.name, unknown))
      }
    }
  }

  /// Of a plan that can't be read to its end: whatever a part can say of a resource may be said further on.
  init(cut table: ShapeTable) {
    let unknown = Unknown("the plan can't be read to its end, and what isn't read may say it")
    for shape in table.types.values where shape.partOf != nil {
      let names = Shaping.names(shape.members).union(shape.fixed.compactMap(\.path.first))
      doubts[shape.to, default: []] += names.sorted().map { ($0, unknown) }
    }
  }

  func belongsNowhere(_ address: String) -> Bool { nowhere.contains(address) }

  /// A resource's properties with those of its parts.
  func whole(_ properties: Value, address: String, type: String) -> Value {
    let (own, doubts) = (placed[address] ?? [], doubts[type] ?? [])
    guard !own.isEmpty || !doubts.isEmpty, case .map = properties.content else { return properties }
    var members = properties.members.map { (name: $0.name, value: $0.value) }
    for property in own.joined() {
      if let same = members.firstIndex(where: { $0.name == property.name }) {
        // The same member of two parts: what one doesn't say the other does.
        members[same].value = Shaping.joined(members[same].value, property.value)
      } else {
        members.append(property)
      }
    }
    for doubt in doubts where !members.contains(where: { $0.name == doubt.name }) {
      members.append((doubt.name, Value(.unknown(doubt.unknown), at: properties.place)))
    }
    return Value(.map(Members(members, rest: properties.rest)), at: properties.place)
  }

  /// What resources of some types refer to by the member that names the one they are part of, by address without keys,
  /// within their module.
  private static func references(
    _ bytes: UnsafeRawBufferPointer, _ types: [String: String], _ limits: ReadingLimits
  ) throws(DocumentFault) -> [String: String] {
    var out: [String: String] = [:]
    func resource(_ value: Value, _ prefix: String) {
      guard let address = value["address"]?.string, let by = types[value["type"]?.string ?? ""] else {
        return
      }
      for reference in value["expressions"]?[by]?["references"]?.list ?? [] {
        guard let text = reference.string else { continue }
        let words = text.split(separator: ".").prefix(2).map { $0.prefix { $0 != "[" } }
        guard words.count == 2, words[0].hasPrefix("aws_"), out[prefix + address] == nil else { continue }
        out[prefix + address] = words.joined(separator: ".")
      }
    }
    func module(_ reader: inout JSONReader, _ prefix: String) throws(DocumentFault) {
      guard reader.first() == UInt8(ascii: "{") else { return try reader.skip() }
      try reader.object { (name, reader) throws(DocumentFault) in
        switch (name, reader.first()) {
        case ("resources", UInt8(ascii: "[")?):
          try reader.array { (reader) throws(DocumentFault) in
            _ = reader.first()
            let mark = reader.mark
            if let known = try reader.skip(keeping: ["type"]), types[known[0] ?? ""] == nil { return }
            reader.go(to: mark)
            reader.spentBytes = 0
            let value = try reader.value()
            resource(value, prefix)
          }
        case ("module_calls", UInt8(ascii: "{")?):
          try reader.object { (call, reader) throws(DocumentFault) in
            guard reader.first() == UInt8(ascii: "{") else { return try reader.skip() }
            try reader.object { (name, reader) throws(DocumentFault) in
              if name == "module" {
                try module(&reader, prefix + "module.\(call).")
              } else {
                try reader.skip()
              }
            }
          }
        default: try reader.skip()
        }
      }
    }
    var reader = JSONReader(bytes, mostBytes: limits.mostBytes, passed: limits.passed)
    try reader.object { (name, reader) throws(DocumentFault) in
      guard name == "configuration", reader.first() == UInt8(ascii: "{") else { return try reader.skip() }
      try reader.object { (name, reader) throws(DocumentFault) in
        if name == "root_module" { try module(&reader, "") } else { try reader.skip() }
      }
    }
    return out
  }
}
