// Resources of a plan → CloudFormation's shape. What Terraform has as a resource of its own and CloudFormation as a part
// of another (a bucket's encryption) is put into that other: found by name, or by what the configuration refers to, since
// names are often known only later.

public import GuardRules

extension TerraformPlan {
  static let table: Result<ShapeTable, ShapeTableFault> = Result { () throws(ShapeTableFault) in
    try ShapeTable(TerraformTypes.text)
  }

  /// Terraform's types that have a shape, in alphabetical order, and CloudFormation's type of each.
  public static var shapes: [(type: String, shape: String)] {
    let table = (try? table.get().types) ?? [:]
    return (table.map { ($0.key, $0.value.to) } + SecurityGroupShape.types.map { ($0.key, $0.value) })
      .sorted { $0.0 < $1.0 }
  }

  /// All resources of a plan in CloudFormation's shape, those without one marked.
  /// - Parameter bytes: the plan; in place during the call.
  /// - Throws: `DocumentFault` where it is no plan.
  public static func shaped(_ bytes: UnsafeRawBufferPointer) throws(DocumentFault) -> [ShapedResource] {
    let table: ShapeTable
    do throws(ShapeTableFault) { table = try Self.table.get() } catch {
      throw DocumentFault(place: .none, found: "\(error)", wanted: "a table of types")
    }
    var out: [ShapedResource] = []
    var parts: [(resource: PlannedResource, shape: TypeShape, by: String)] = []
    var places: [String: Int] = [:]
    // What other resources may be parts of, by what those name them by.
    let wholes = Set(table.types.values.filter { $0.partOf != nil }.map(\.to))
    var named: [String: Int] = [:]
    var known: [String: Set<String>] = [:]
    func names(_ type: String) -> Set<String> {
      if let names = known[type] { return names }
      let names = table.names(of: type)
      known[type] = names
      return names
    }
    try read(bytes, references: try PlanReferences(bytes)) { (resource) throws(DocumentFault) in
      let place = resource.after.place
      if SecurityGroupShape.types[resource.type] != nil {
        let all = SecurityGroupShape.resources(resource.type, resource.after)
        if all.isEmpty {
          out.append(
            ShapedResource(
              name: resource.address, type: nil, foundType: resource.type,
              properties: Value(.map(Members([]))), place: place))
        }
        for (number, each) in all.enumerated() {
          let name = all.count == 1 ? resource.address : "\(resource.address)#\(number)"
          out.append(
            ShapedResource(
              name: name, type: each.type, foundType: resource.type, properties: each.properties, place: place
            ))
        }
        return
      }
      guard let shape = table.types[resource.type] else {
        out.append(
          ShapedResource(
            name: resource.address, type: nil, foundType: resource.type, properties: Value(.map(Members([]))),
            place: place))
        return
      }
      if let by = shape.partOf {
        parts.append((resource, shape, by))
        return
      }
      places[resource.address] = out.count
      if wholes.contains(shape.to) {
        for name in ["bucket", "name", "arn", "id"] {
          if let text = resource.after[name]?.string { named["\(shape.to) \(text)"] = out.count }
        }
      }
      out.append(
        ShapedResource(
          name: resource.address, type: shape.to, foundType: resource.type,
          properties: shape.resource(of: resource.after, absent: names(shape.to)), place: place))
    }
    if !parts.isEmpty {
      try put(parts, try references(bytes, parts), places, named, &out)
    }
    return out
  }

  private static func put(
    _ parts: [(resource: PlannedResource, shape: TypeShape, by: String)], _ references: [String: String],
    _ places: [String: Int], _ named: [String: Int], _ out: inout [ShapedResource]
  ) throws(DocumentFault) {
    for (resource, shape, by) in parts {
      let properties = shape.properties(of: resource.after)
      var place = resource.after[by]?.string.flatMap { named["\(shape.to) \($0)"] }
      let own = TerraformAddress(resource.address)
      var isElsewhere = false
      if place == nil, let target = references[own.plain] {
        // The same key, where both are made for each of a set.
        place = places[own.module + target + own.key] ?? places[own.module + target]
        isElsewhere = place.map { out[$0].type != shape.to } ?? false
        if isElsewhere { place = nil }
      }
      guard let place else {
        // Of a bucket that this plan doesn't have, or of one of them: which one isn't known.
        if resource.after[by]?.string == nil, !isElsewhere {
          doubt(properties.map(\.name), shape.to, resource.address, &out)
        }
        out.append(
          ShapedResource(
            name: resource.address, type: nil, foundType: resource.type,
            properties: Value(.map(Members(properties)), at: resource.after.place),
            place: resource.after.place))
        continue
      }
      let whole = out[place]
      var members = whole.properties.members.map { (name: $0.name, value: $0.value) }
      for property in properties {
        if let same = members.firstIndex(where: { $0.name == property.name }) {
          // The same member of two parts: what one doesn't say the other does.
          members[same].value = Shaping.joined(members[same].value, property.value)
        } else {
          members.append(property)
        }
      }
      out[place] = whole.with(
        Value(.map(Members(members, rest: whole.properties.rest)), at: whole.properties.place))
    }
  }

  /// What may be said by a resource that can't be put anywhere isn't known of any that it could belong to.
  private static func doubt(
    _ names: [String], _ type: String, _ address: String, _ out: inout [ShapedResource]
  ) {
    let unknown = Unknown("\(address) may say it, and of which resource it is a part isn't known")
    for place in out.indices where out[place].type == type {
      let whole = out[place]
      var members = whole.properties.members.map { (name: $0.name, value: $0.value) }
      for name in names where !members.contains(where: { $0.name == name }) {
        members.append((name, Value(.unknown(unknown), at: whole.place)))
      }
      out[place] = whole.with(
        Value(.map(Members(members, rest: whole.properties.rest)), at: whole.properties.place))
    }
  }

  /// What parts refer to as the one they are part of, by address without keys, within their module.
  private static func references(
    _ bytes: UnsafeRawBufferPointer, _ parts: [(resource: PlannedResource, shape: TypeShape, by: String)]
  ) throws(DocumentFault) -> [String: String] {
    let members = Dictionary(parts.map { ($0.shape.from, $0.by) }) { first, _ in first }
    var out: [String: String] = [:]
    func module(_ value: Value, _ prefix: String) {
      for resource in value["resources"]?.list ?? [] {
        guard let type = resource["type"]?.string, let by = members[type],
          let address = resource["address"]?.string
        else { continue }
        for reference in resource["expressions"]?[by]?["references"]?.list ?? [] {
          guard let text = reference.string else { continue }
          let words = text.split(separator: ".").prefix(2).map { $0.prefix { $0 != "[" } }
          guard words.count == 2, words[0].hasPrefix("aws_"), out[prefix + address] == nil else { continue }
          out[prefix + address] = words.joined(separator: ".")
        }
      }
      for call in value["module_calls"]?.members ?? [] {
        if let inner = call.value["module"] { module(inner, prefix + "module.\(call.name).") }
      }
    }
    var reader = JSONReader(bytes)
    try reader.object { (name, reader) throws(DocumentFault) in
      guard name == "configuration" else { return try reader.skip() }
      let configuration = try reader.value()
      if let root = configuration["root_module"] { module(root, "") }
    }
    return out
  }
}

extension Shaping {
  /// Two maps as one; of anything else the later one.
  static func joined(_ first: Value, _ second: Value) -> Value {
    guard case .map = first.content, case .map = second.content else { return second }
    var members = first.members.map { (name: $0.name, value: $0.value) }
    for member in second.members {
      if let same = members.firstIndex(where: { $0.name == member.name }) {
        members[same].value = joined(members[same].value, member.value)
      } else {
        members.append((member.name, member.value))
      }
    }
    return Value(.map(Members(members, rest: first.rest ?? second.rest)), at: first.place)
  }
}
