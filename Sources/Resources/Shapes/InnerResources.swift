// What stands within a resource where it was found, and is a resource of its own in CloudFormation: a bucket's policy, an
// access list's entries. Rules about these types see it as if it were written so.

import GuardRules

extension ShapeTable {
  /// Resources that stand within one.
  /// - Parameters:
  ///   - type: its type where it was found.
  ///   - address: what it is called in the document.
  func resources(
    within value: Value, of type: String, called address: String, region: String?
  ) -> [ShapedResource] {
    guard let shapes = inner[type] else { return [] }
    var out: [ShapedResource] = []
    for each in shapes {
      guard let found = value[each.member] ?? value.along(each.member), !found.isNothing else { continue }
      let owner = owner(each.shape.partOf ?? "", of: value, address)
      let all = found.list ?? [found]
      let name = each.member.prefix { $0 != "." }
      for (number, one) in all.enumerated() where !one.isNothing {
        // What a statement denies is no permission.
        if each.shape.to == "AWS::Lambda::Permission", one["Effect"]?.string == "Deny" { continue }
        let both = Value(
          .map(Members([("owner", owner), ("value", one)])), at: one.place, isSecret: one.isSecret)
        let properties = each.shape.resource(of: both, absent: names(of: each.shape.to))
        out.append(
          ShapedResource(
            name: "\(address)#\(name)" + (all.count > 1 ? "[\(number)]" : ""), type: each.shape.to,
            foundType: type, properties: one.isSecret ? properties.hidden : properties, place: one.place,
            region: region))
      }
    }
    return out
  }

  /// As a template would name it: by its name, or by a reference where that isn't known.
  private func owner(_ member: String, of value: Value, _ address: String) -> Value {
    if let name = value[member], name.string != nil { return name }
    let reference = Value(.map(Members([("Ref", Value(.string(address), at: value.place))])), at: value.place)
    return Value(
      .unknown(Unknown("\(address) gets its name later", written: reference, mayBeEmpty: false)),
      at: value.place)
  }
}

extension Value {
  /// Whether nothing is said: null, or an empty text.
  fileprivate var isNothing: Bool {
    switch content {
    case .null: true
    case .string(let text): text.isEmpty
    default: false
    }
  }
}
