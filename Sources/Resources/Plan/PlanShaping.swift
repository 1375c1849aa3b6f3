// Resources of a plan → CloudFormation's shape. What Terraform has as a resource of its own and CloudFormation as a part
// of another (a bucket's encryption) is put into that other (PlanParts.swift), for which a plan is
// read twice, and once more for what its configuration says of values that are known later (PlanReferences.swift).

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
    var out: [ShapedResource] = []
    try shape(bytes) { (resource) throws(DocumentFault) in out.append(resource) }
    return out
  }

  /// Resources of a plan in CloudFormation's shape one after the other, in the plan's order, those without one marked.
  /// - Parameters:
  ///   - bytes: the plan; in place during the call.
  ///   - wanted: CloudFormation's types that are looked at; nil = all. Resources without a shape always come.
  /// - Returns: how many resources there are in the plan's own count, those that aren't wanted included.
  /// - Throws: `DocumentFault` where it is no plan, and what `body` throws.
  @discardableResult
  public static func shape(
    _ bytes: UnsafeRawBufferPointer, wanted: Set<String>? = nil, limits: ReadingLimits = ReadingLimits(),
    _ body: (ShapedResource) throws(DocumentFault) -> Void
  ) throws(DocumentFault) -> Int {
    let table: ShapeTable
    do throws(ShapeTableFault) { table = try Self.table.get() } catch {
      throw DocumentFault(place: .none, found: "\(error)", wanted: "a table of types")
    }
    // Where it can't be read to its end, what was read before is told, and then why it can't.
    var fault: DocumentFault?
    var references: PlanReferences?
    do throws(DocumentFault) { references = try PlanReferences(bytes, limits) } catch { fault = error }
    let parts: PlanParts
    do throws(DocumentFault) { parts = try PlanParts(bytes, table, references, limits) } catch {
      (parts, fault) = (PlanParts(cut: table), fault ?? error)
    }
    var known: [String: Set<String>] = [:]
    func names(_ type: String) -> Set<String> {
      if let names = known[type] { return names }
      let names = table.names(of: type)
      known[type] = names
      return names
    }
    func takes(_ type: String) -> Bool {
      guard let wanted else { return true }
      // A group may come to rules of either way.
      if SecurityGroupShape.types[type] != nil { return !wanted.isDisjoint(with: SecurityGroupShape.shapes) }
      guard let shape = table.types[type], shape.partOf == nil else { return true }
      return !wanted.isDisjoint(with: table.shapes(of: type))
    }
    let count = try read(
      bytes, limits: limits, takes: wanted == nil ? nil : takes, references: references
    ) { (planned) throws(DocumentFault) in
      let resource = parts.separates.settled(planned)
      let place = resource.after.place
      func shapeless() -> ShapedResource {
        ShapedResource(
          name: resource.address, type: nil, foundType: resource.type,
          properties: Value(.map(Members([]))), place: place, region: resource.region)
      }
      if SecurityGroupShape.types[resource.type] != nil {
        let all = SecurityGroupShape.resources(resource.type, resource.after)
        if all.isEmpty { try body(shapeless()) }
        for (number, each) in all.enumerated() {
          let name = all.count == 1 ? resource.address : "\(resource.address)#\(number)"
          try body(
            ShapedResource(
              name: name, type: each.type, foundType: resource.type, properties: each.properties,
              place: place, region: resource.region))
        }
        return
      }
      guard let shape = table.types[resource.type] else { return try body(shapeless()) }
      if shape.partOf != nil {
        if parts.belongsNowhere(resource.address) { try body(shapeless()) }
        return
      }
      let properties = shape.resource(of: resource.after, absent: names(shape.to))
      try body(
        ShapedResource(
          name: resource.address, type: shape.to, foundType: resource.type,
          properties: parts.whole(properties, of: resource, type: shape.to), place: place,
          region: resource.region))
      let inner = table.resources(
        within: resource.after, of: resource.type, called: resource.address, region: resource.region)
      for each in inner { try body(each) }
    }
    if let fault { throw fault }
    return count
  }
}

extension SecurityGroupShape {
  /// CloudFormation's types that groups and their rules become.
  static let shapes: Set<String> = Set(types.values)
}
