// A configuration item of AWS Config, or a snapshot of many → resources in CloudFormation's shape. What an item doesn't
// say is unknown. Items are read one by one: a snapshot of a million is never in memory. Also a text with an item a line.
// Source: AWS Config Developer Guide, "Components of a Configuration Item".

public import GuardRules

/// Reads configuration items.
public enum ConfigurationItems {
  static let table: Result<ShapeTable, ShapeTableFault> = Result { () throws(ShapeTableFault) in
    try ShapeTable(ConfigurationTypes.text)
  }

  /// Types that have a shape, in alphabetical order.
  public static var types: [String] {
    (((try? table.get().types.keys.map { $0 }) ?? []) + ["AWS::EC2::SecurityGroup"]).sorted()
  }

  /// Whether a value is an item.
  public static func isItem(_ value: Value) -> Bool {
    value["resourceType"]?.string != nil
      && (value["configuration"] != nil || value["configurationItemStatus"] != nil)
  }

  /// Whether a text begins with an item, or with a list of which the first is one.
  public static func begins(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var reader = JSONReader(bytes)
    if reader.first() == UInt8(ascii: "[") { _ = reader.take("[") }
    _ = reader.first()
    let mark = reader.mark
    // Where it says so of itself, what can't be read in it is a fault of an item.
    if let known = try? reader.skip(keeping: ["resourceType", "configurationItemStatus"]), known[0] != nil,
      known[1] != nil
    {
      return true
    }
    reader.go(to: mark)
    guard let value = try? reader.value() else { return false }
    return isItem(value)
  }

  /// Reads the items of a text one after the other: items one behind the other (JSON lines), a list of items, or a
  /// snapshot (`configurationItems`). Deleted resources are left out.
  /// - Parameters:
  ///   - bytes: in place during the call.
  ///   - wanted: types that are looked at; nil = all. Resources without a shape always come.
  /// - Returns: how many there are, those that aren't wanted included.
  /// - Throws: `DocumentFault` where there are none, and what `body` throws.
  @discardableResult
  public static func read(
    _ bytes: UnsafeRawBufferPointer, wanted: Set<String>? = nil, limits: ReadingLimits = ReadingLimits(),
    _ body: (ShapedResource) throws(DocumentFault) -> Void
  ) throws(DocumentFault) -> Int {
    let table: ShapeTable
    do throws(ShapeTableFault) { table = try Self.table.get() } catch {
      throw DocumentFault(place: .none, found: "\(error)", wanted: "a table of types")
    }
    var names: [String: Set<String>] = [:]
    for type in Set(table.types.values.map(\.to)) { names[type] = table.names(of: type) }
    var count = 0
    func takes(_ type: String) -> Bool {
      guard let wanted else { return true }
      if type == "AWS::EC2::SecurityGroup" { return wanted.contains(type) }
      return table.types[type] == nil || !wanted.isDisjoint(with: table.shapes(of: type))
    }
    func take(_ item: Value) throws(DocumentFault) {
      guard isItem(item) else {
        throw DocumentFault(
          place: item.place, found: item.kind, wanted: "a configuration item: resourceType and configuration")
      }
      guard !(item["configurationItemStatus"]?.string ?? "").contains("Deleted") else { return }
      count += 1
      let (resource, whole) = shaped(item, table, names)
      try body(resource)
      let type = resource.foundType
      let inner = table.resources(within: whole, of: type, called: resource.name, region: resource.region)
      for each in inner { try body(each) }
    }
    func next(_ reader: inout JSONReader) throws(DocumentFault) {
      if wanted != nil {
        _ = reader.first()
        let mark = reader.mark
        // One that says what it is, and isn't wanted.
        if let known = try reader.skip(keeping: ["resourceType", "configurationItemStatus"]),
          let type = known[0],
          known[1] != nil, !takes(type)
        {
          count += 1
          return
        }
        reader.go(to: mark)
      }
      reader.spentBytes = 0
      try take(try reader.value())
    }
    var reader = JSONReader(bytes, mostBytes: limits.mostBytes, passed: limits.passed)
    if reader.first() == UInt8(ascii: "[") {
      try reader.array { (reader) throws(DocumentFault) in try next(&reader) }
    } else {
      // A snapshot, or items one behind the other.
      var areLines = false
      repeat {
        if areLines {
          try next(&reader)
          continue
        }
        _ = reader.first()
        let mark = reader.mark
        var isSnapshot = false
        try reader.object { (name, reader) throws(DocumentFault) in
          guard name == "configurationItems", reader.first() == UInt8(ascii: "[") else {
            return try reader.skip()
          }
          isSnapshot = true
          try reader.array { (reader) throws(DocumentFault) in try next(&reader) }
        }
        guard !isSnapshot else { continue }
        areLines = true
        reader.go(to: mark)
        try next(&reader)
      } while reader.first() == UInt8(ascii: "{")
    }
    try reader.end()
    return count
  }

  private static func shaped(
    _ item: Value, _ table: ShapeTable, _ names: [String: Set<String>]
  ) -> (resource: ShapedResource, whole: Value) {
    let type = item["resourceType"]?.string ?? ""
    let name =
      (item["arn"] ?? item["ARN"])?.string ?? item["resourceId"]?.string ?? item["resourceName"]?.string
      ?? type
    // What is in no region has another word there (`global`).
    let region = item["awsRegion"]?.string.flatMap { text in
      text.last?.isNumber == true ? text : nil
    }
    // Some services deliver their configuration as JSON text.
    var configuration = item["configuration"] ?? Value(.map(Members([])), at: item.place)
    if let text = configuration.string, let inner = try? JSONReader.value(of: text) { configuration = inner }
    var members = configuration.members.map { (name: $0.name, value: $0.value) }
    for part in item["supplementaryConfiguration"]?.members ?? [] {
      members.append((part.name, written(part.value)))
    }
    if let tags = item["tags"], !tags.members.isEmpty, !members.contains(where: { $0.name == "itemTags" }) {
      members.append(("itemTags", tags))
    }
    let said = Set(members.map(\.name))
    for (name, why) in unsaid[type] ?? [] where !said.contains(name) {
      members.append((name, Value(.unknown(Unknown(why)), at: item.place)))
    }
    let whole = Value(.map(Members(members)), at: configuration.place)
    if type == "AWS::EC2::SecurityGroup" {
      return (
        ShapedResource(
          name: name, type: type, foundType: type, properties: SecurityGroupShape.described(whole),
          place: item.place, region: region), whole
      )
    }
    guard let shape = table.types[type] else {
      return (
        ShapedResource(
          name: name, type: nil, foundType: type, properties: Value(.map(Members([]))), place: item.place,
          region: region), whole
      )
    }
    return (
      ShapedResource(
        name: name, type: shape.to, foundType: type,
        properties: shape.resource(of: whole, absent: names[shape.to] ?? []), place: item.place,
        region: region), whole
    )
  }

  /// What an item has always, also where there is nothing: without it, it isn't known.
  private static let unsaid: [String: [(name: String, why: String)]] = [
    "AWS::S3::Bucket": [("BucketPolicy", "the item doesn't say whether the bucket has a policy")]
  ]

  /// JSON within a text, once or twice.
  private static func written(_ value: Value) -> Value {
    guard let text = value.string, text.hasPrefix("{") || text.hasPrefix("\"{"),
      let inner = try? JSONReader.value(of: text)
    else { return value }
    return inner.string == nil ? inner : written(inner)
  }
}

extension SecurityGroupShape {
  /// As EC2 describes a group.
  static func described(_ group: Value) -> Value {
    var members: [(name: String, value: Value)] = []
    for (from, to) in [("groupName", "GroupName"), ("description", "GroupDescription"), ("vpcId", "VpcId")] {
      if let found = group[from], !found.isNull { members.append((to, found)) }
    }
    // Rules that an item doesn't speak of aren't known.
    var absent: Set = ["Tags"]
    for (from, to, side) in [
      ("ipPermissions", "SecurityGroupIngress", "Source"),
      ("ipPermissionsEgress", "SecurityGroupEgress", "Destination"),
    ] {
      guard let permissions = group[from]?.list else { continue }
      absent.insert(to)
      var rules: [Value] = []
      for permission in permissions {
        let before = rules.count
        var common: [(name: String, value: Value)] = []
        for (from, to) in [("ipProtocol", "IpProtocol"), ("fromPort", "FromPort"), ("toPort", "ToPort")] {
          if let found = permission[from], !found.isNull { common.append((to, found)) }
        }
        // Ranges are texts, which don't tell a description, or maps with a text, by the version of the item.
        let known: Set = [
          "IpProtocol", "FromPort", "ToPort", "CidrIp", "CidrIpv6", "\(side)SecurityGroupId",
          "\(side)PrefixListId",
        ]
        func add(_ name: String, _ list: String, _ inner: String) {
          for range in permission[list]?.list ?? [] {
            guard let value = range[inner] else {
              rules.append(
                Value(
                  .map(Members(common + [(name, range)], rest: Shaping.rest(known))), at: permission.place))
              continue
            }
            var rule = common + [(name, value)]
            if let description = range["description"], !description.isNull {
              rule.append(("Description", description))
            }
            rules.append(Value(.map(Members(rule)), at: permission.place))
          }
        }
        add("CidrIp", (permission["ipv4Ranges"]?.list ?? []).isEmpty ? "ipRanges" : "ipv4Ranges", "cidrIp")
        add("CidrIpv6", "ipv6Ranges", "cidrIpv6")
        add("\(side)SecurityGroupId", "userIdGroupPairs", "groupId")
        add("\(side)PrefixListId", "prefixListIds", "prefixListId")
        if rules.count == before { rules.append(Value(.map(Members(common)), at: permission.place)) }
      }
      members.append((to, Value(.list(rules), at: group[from]?.place ?? group.place)))
    }
    if let tags = group["itemTags"], let shaped = Shaping.tags(tags) { members.append(("Tags", shaped)) }
    return Value(
      .map(Members(members, rest: Shaping.rest(absent))),
      at: group.place)
  }
}
