// Resources of a plan → CloudFormation's shape. What Terraform has as a resource of its own and CloudFormation as a part
// of another (a bucket's encryption) is put into that other: found by name, or by what the configuration refers to, since
// names are often known only later.

public import GuardRules

extension TerraformPlan {
  static let table: Result<ShapeTable, ShapeTableFault> = Result { () throws(ShapeTableFault) in
    try ShapeTable(TerraformTypes.text)
  }

  /// Terraform's types that have a shape, in alphabetical order.
  public static var types: [String] {
    ((try? table.get().types.keys.map { $0 }) ?? []).sorted() + SecurityGroupShape.types.keys.sorted()
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
    var known: [String: Set<String>] = [:]
    func names(_ type: String) -> Set<String> {
      if let names = known[type] { return names }
      let names = table.names(of: type)
      known[type] = names
      return names
    }
    try read(bytes) { (resource) throws(DocumentFault) in
      let place = resource.after.place
      if SecurityGroupShape.types[resource.type] != nil {
        let all = SecurityGroupShape.resources(resource.type, resource.after)
        for (number, each) in all.enumerated() {
          let name = all.count == 1 ? resource.address : "\(resource.address)#\(number)"
          out.append(
            ShapedResource(
              name: name, type: each.type, foundType: resource.type, properties: each.properties, place: place))
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
      out.append(
        ShapedResource(
          name: resource.address, type: shape.to, foundType: resource.type,
          properties: shape.resource(of: resource.after, absent: names(shape.to)), place: place))
    }
    if !parts.isEmpty { try put(parts, try references(bytes, Set(parts.map(\.shape.from))), places, &out) }
    return out
  }

  private static func put(
    _ parts: [(resource: PlannedResource, shape: TypeShape, by: String)], _ references: [String: String],
    _ places: [String: Int], _ out: inout [ShapedResource]
  ) throws(DocumentFault) {
    var byName: [String: Int] = [:]
    for (place, resource) in out.enumerated() {
      if let name = resource.properties["BucketName"]?.string { byName[name] = place }
    }
    for (resource, shape, by) in parts {
      let properties = shape.properties(of: resource.after)
      var place = resource.after[by]?.string.flatMap { byName[$0] }
      if place == nil, let target = references[Self.withoutKeys(resource.address)] {
        let prefix = resource.address.split(separator: ".").dropLast(2).joined(separator: ".")
        let address = prefix.isEmpty ? target : "\(prefix).\(target)"
        // The same key, where both are made for each of a set.
        place = places[address + Self.key(resource.address)] ?? places[address]
      }
      guard let place else {
        // Of a bucket that this plan doesn't have.
        out.append(
          ShapedResource(
            name: resource.address, type: nil, foundType: resource.type,
            properties: Value(.map(Members(properties)), at: resource.after.place), place: resource.after.place))
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
      out[place] = ShapedResource(
        name: whole.name, type: whole.type, foundType: whole.foundType,
        properties: Value(.map(Members(members, rest: whole.properties.rest)), at: whole.properties.place),
        place: whole.place)
    }
  }

  /// `aws_s3_bucket.b["c"]` → `["c"]`
  private static func key(_ address: String) -> String {
    guard address.hasSuffix("]"), let open = address.lastIndex(of: "[") else { return "" }
    return String(address[open...])
  }

  private static func withoutKeys(_ address: String) -> String {
    var out = ""
    var depth = 0
    for character in address {
      if character == "[" { depth += 1 }
      if depth == 0 { out.append(character) }
      if character == "]" { depth -= 1 }
    }
    return out
  }

  /// What resources of some types refer to as the one they are part of, by address without keys, within their module.
  private static func references(
    _ bytes: UnsafeRawBufferPointer, _ types: Set<String>
  ) throws(DocumentFault) -> [String: String] {
    var out: [String: String] = [:]
    func module(_ value: Value, _ prefix: String) {
      for resource in value["resources"]?.list ?? [] {
        guard let type = resource["type"]?.string, types.contains(type), let address = resource["address"]?.string
        else { continue }
        for expression in resource["expressions"]?.members ?? [] {
          for reference in expression.value["references"]?.list ?? [] {
            guard let text = reference.string else { continue }
            let words = text.split(separator: ".").prefix(2).map { $0.prefix { $0 != "[" } }
            guard words.count == 2, words[0].hasPrefix("aws_"), out[prefix + address] == nil else { continue }
            out[prefix + address] = words.joined(separator: ".")
          }
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
