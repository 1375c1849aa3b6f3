// The resources of a template: those that are written, those that loops make, those that transformations make.

import GuardRules

extension TemplateResolver {
  /// Resources that there are, those that loops make, and what transformations make as far as it is known of which types
  /// that is. Of one whose condition isn't known, and of one that a macro may change, it isn't known whether it is there.
  mutating func allResources(
    _ section: Value, _ transforms: TemplateTransforms
  ) throws(DocumentFault) -> Value {
    guard case .map = section.content else { return section }
    let written = try writtenOut(section, 0)
    resources.formUnion(written.members.map(\.name))
    var open = transforms.unknown ?? written.unknown
    let mayChange = transforms.mayChange || written.mayChange
    var out: [(name: String, value: Value)] = []
    var perhaps: Set<String> = []
    for each in written.members {
      var isPerhaps = each.isPerhaps || mayChange
      if let named = each.value["Condition"] {
        var holds: Bool?
        if let name = named.string { holds = try condition(name, 0) }
        if holds == false { continue }
        isPerhaps = isPerhaps || holds == nil
      }
      let resource = try self.resource(each.value)
      // Of two with one name the later one counts.
      if isPerhaps || resource.isPerhaps { perhaps.insert(each.name) } else { perhaps.remove(each.name) }
      out.append((each.name, resource.value))
      guard let made = transforms.made(of: resource.value) else {
        open = open ?? Unknown("a module or a transformation makes resources of \(each.name)")
        continue
      }
      for type in made {
        let name = "\(each.name) (\(type))"
        try charge(4, each.value.place)
        out.append((name, TemplateTransforms.resource(type, of: each.name, at: each.value.place)))
        perhaps.insert(name)
      }
    }
    let rest = open.map { Members.Rest($0, absent: []) }
    return Value(.map(Members(out, rest: rest, perhaps: perhaps)), at: section.place)
  }

  /// All of a resource but what names others by themselves.
  private mutating func resource(_ resource: Value) throws(DocumentFault) -> (value: Value, isPerhaps: Bool) {
    guard case .map(let members) = resource.content else { return (resource, false) }
    var out: [(name: String, value: Value)] = []
    for member in members.all {
      switch member.name {
      case "Type" where member.value.plainText == nil:
        if let value = try resolve(member.value, 0) { out.append((member.name, value)) }
      case "Type", "Condition", "DependsOn": out.append((member.name, member.value))
      default: if let value = try resolve(member.value, 0) { out.append((member.name, value)) }
      }
    }
    // A transformation, or a function where none can be.
    guard let transform = members.all.first(where: { $0.name.hasPrefix("Fn::") })?.value else {
      return (Value(.map(Members(out)), at: resource.place), false)
    }
    let unknown = TemplateTransforms.unknown(transform)
    guard !TemplateTransforms.mayChange(transform) else {
      return (Value(.unknown(Unknown(unknown.reason)), at: resource.place), true)
    }
    return (Value(.map(Members(out, rest: Members.Rest(unknown, absent: []))), at: resource.place), false)
  }
}
