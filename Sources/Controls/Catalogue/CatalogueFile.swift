// A catalogue's file → the catalogue, or all of its faults. The form: docs/GOVERN-CATALOGUE.md, and the schema beside this.

import GuardRules

extension Catalogue {
  /// Names that a file may have, by the kind of record.
  static let names: [String: [String]] = [
    "catalogue": [
      "organisation", "partition", "regions", "services", "groups", "assessed_policies", "exempt_roles",
      "protect_boundary",
    ],
    "service": [
      "id", "name", "prefixes", "assessed", "allowed", "reason", "actions", "denied", "regions", "types",
      "rules", "read",
      "operate",
    ],
    "assessment": ["on", "by", "until"],
    "rule of use": ["rule", "file", "condition"],
    "condition": ["en", "ja"],
    "group": ["id", "purpose", "access", "members"],
    "access": ["services", "level"],
  ]

  /// Reads a file.
  /// - Throws: `RecordFaults` with all faults.
  public init(yaml text: String) throws(RecordFaults) {
    let document: Value
    do throws(DocumentFault) { document = try Value.reading(yaml: text) } catch {
      throw RecordFaults(all: [error])
    }
    var reader = CatalogueReader()
    let read = reader.catalogue(document)
    if let faults = reader.fields.all { throw faults }
    guard let read else {
      throw RecordFaults(all: [
        DocumentFault(place: document.place, found: document.kind, wanted: "a catalogue")
      ])
    }
    self = read
  }
}

private struct CatalogueReader {
  var fields = FieldReader()
  private var regions: [String]?
  private var ids: [String] = []
  private var allowed: Set<String> = []

  init() {}

  private static func names(_ what: String) -> [String] { Catalogue.names[what] ?? [] }

  mutating func catalogue(_ document: Value) -> Catalogue? {
    guard let all = fields.fields(document, "catalogue", Self.names("catalogue")) else { return nil }
    let organisation = fields.text(fields.required(all, "organisation"), "the organisation's name") ?? ""
    let partition = fields.word(all["partition"], "partition", of: ["aws", "aws-cn", "aws-us-gov"]) ?? "aws"
    regions = all["regions"].map { readRegions($0) }
    var services: [CatalogueService] = []
    var places: [String: TextPlace] = [:]
    for each in fields.list(fields.required(all, "services")) {
      guard let service = service(each) else { continue }
      if let first = places[service.id] {
        fields.fault(
          each.place, "service \"\(service.id)\" a second time, after line \(first.line)", "each id once")
      }
      places[service.id] = each.place
      services.append(service)
    }
    ids = services.map(\.id)
    allowed = Set(services.filter(\.isAllowed).map(\.id))
    var out = Catalogue(organisation: organisation, services: services)
    out.partition = partition
    var groups: Set<String> = []
    for each in fields.list(all["groups"]) {
      guard let group = group(each) else { continue }
      if !groups.insert(group.id).inserted {
        fields.fault(each.place, "group \"\(group.id)\" twice", "each id once")
      }
      out.groups.append(group)
    }
    out.assessedPolicies = fields.texts(all["assessed_policies"], "names of managed policies").map {
      Wildcard($0.text)
    }
    for (arn, place) in fields.texts(all["exempt_roles"], "ARNs of roles") {
      if !arn.hasPrefix("arn:") || !arn.contains(":role/") || arn.contains("\"") {
        fields.fault(place, "\"\(arn)\"", "arn:\(partition):iam::*:role/NAME")
      }
      out.exemptRoles.append(arn)
    }
    out.protectsBoundary = fields.flag(all["protect_boundary"], "protect_boundary") ?? true
    check(out)
    return out
  }

  private mutating func readRegions(_ value: Value) -> [String] {
    var out: [String] = []
    for (text, place) in fields.texts(value, "a region") {
      let words = text.split(separator: "-", omittingEmptySubsequences: false)
      let isRegion =
        words.count >= 3 && words.last?.count == 1 && words.last?.first?.isNumber == true
        && words.dropLast().allSatisfy { !$0.isEmpty && $0.allSatisfy { $0.isASCII && $0.isLowercase } }
      if !isRegion { fields.fault(place, "\"\(text)\"", "a region like ap-northeast-1") }
      out.append(text)
    }
    if out.isEmpty { fields.fault(value.place, "no region", "at least one") }
    return out.sorted()
  }

  private mutating func service(_ value: Value) -> CatalogueService? {
    guard let all = fields.fields(value, "service", Self.names("service")) else { return nil }
    guard let id = fields.text(fields.required(all, "id"), "a service's id") else { return nil }
    if !id.allSatisfy({ $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }) {
      fields.fault(all["id"]?.place ?? value.place, "\"\(id)\"", "small letters, digits and - only")
    }
    var prefixes: [String] = []
    for (prefix, place) in fields.texts(all["prefixes"], "IAM's prefix of a service") {
      if !Self.isPrefix(prefix) {
        fields.fault(place, "\"\(prefix)\"", "a prefix like s3: small letters, digits, -")
      }
      prefixes.append(prefix)
    }
    if prefixes.isEmpty { prefixes = [id] }
    let isAllowed = fields.flag(fields.required(all, "allowed"), "allowed") ?? false
    let assessment = assessment(all["assessed"])
    if isAllowed, all["assessed"] == nil {
      fields.fault(
        value.place, "\(id) allowed, but not assessed", "assessed: {on: YYYY-MM-DD, by: …}, or allowed: no")
    }
    var service = CatalogueService(
      id: id, name: fields.text(all["name"], "what people call it") ?? id, prefixes: prefixes,
      assessment: assessment,
      isAllowed: isAllowed,
      actions: all["actions"] == nil
        ? prefixes.map { Wildcard("\($0):*", ignoresCase: true) }
        : patterns(all["actions"], prefixes, "an action"))
    service.place = value.place
    service.reason = fields.text(all["reason"], "why") ?? ""
    service.denied = patterns(all["denied"], prefixes, "an action that is denied")
    service.reads = level(all["read"], service, "an action that only looks")
    if all["read"] == nil {
      let usual = prefixes.flatMap { prefix in
        ["Get*", "List*", "Describe*"].map { Wildcard("\(prefix):\($0)", ignoresCase: true) }
      }
      // What is neither within the service nor holds a part of it is left out: too little rather than too much.
      service.reads = usual.flatMap { read in
        service.actions.contains { $0.contains(read) } ? [read] : service.actions.filter { read.contains($0) }
      }
    }
    service.operates = level(all["operate"], service, "an action that keeps it running")
    service.regions = serviceRegions(all["regions"], prefixes, value.place)
    for (type, place) in fields.texts(all["types"], "a type like AWS::S3::*") {
      if type.split(separator: ":").count < 2 || !type.contains("::") {
        fields.fault(place, "\"\(type)\"", "a type like AWS::S3::* or AWS::EC2::Instance")
      }
      service.types.append(Wildcard(type))
    }
    service.rules = fields.list(all["rules"]).compactMap { rule($0) }
    return service
  }

  private static func isPrefix(_ text: some StringProtocol) -> Bool {
    !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }
  }

  /// `global`, regions, or none: those of the catalogue, unless the service has none.
  private mutating func serviceRegions(_ value: Value?, _ prefixes: [String], _ place: TextPlace) -> [String]?
  {
    let isGlobal = prefixes.allSatisfy { GlobalServices.prefixes.contains($0) }
    guard let value else {
      if isGlobal { return nil }
      if regions == nil {
        fields.fault(
          place, "a service without regions", "regions: [a, b] of the service or of the catalogue, or global")
      }
      return regions ?? []
    }
    if case .string("global") = value.content { return nil }
    if isGlobal {
      fields.fault(
        value.place, "regions of \(prefixes.joined(separator: ", "))",
        "global, or nothing: its calls go to one place in the world, and a limit would shut it off")
    }
    return readRegions(value)
  }

  private mutating func patterns(_ value: Value?, _ prefixes: [String], _ what: String) -> [Wildcard] {
    var out: [Wildcard] = []
    for (text, place) in fields.texts(value, what) {
      let halves = text.split(separator: ":", omittingEmptySubsequences: false)
      guard halves.count <= 2, let name = halves.last, !name.isEmpty,
        name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "*" || $0 == "?") })
      else {
        fields.fault(
          place, "\"\(text)\"", "\(what) like GetObject, Get* or s3:Get*: letters, digits, * and ?")
        continue
      }
      if halves.count == 1 {
        out += prefixes.map { Wildcard("\($0):\(name)", ignoresCase: true) }
      } else if prefixes.contains(String(halves[0])) {
        out.append(Wildcard(text, ignoresCase: true))
      } else {
        fields.fault(
          place, "\"\(text)\"",
          "a prefix of this service: \(prefixes.joined(separator: ", "))"
            + NearestName.hint(String(halves[0]), in: prefixes))
      }
    }
    return out
  }

  /// Patterns within a service's actions.
  private mutating func level(_ value: Value?, _ service: CatalogueService, _ what: String) -> [Wildcard] {
    let patterns = patterns(value, service.prefixes, what)
    for pattern in patterns where !service.actions.contains(where: { $0.contains(pattern) }) {
      fields.fault(
        value?.place ?? service.place, "\"\(pattern)\"",
        "\(what) within the service's: \(service.actions.prefix(8).map(\.text).joined(separator: ", "))")
    }
    return patterns
  }

  private mutating func assessment(_ value: Value?) -> Assessment? {
    guard let value, let all = fields.fields(value, "assessment", Self.names("assessment")) else {
      return nil
    }
    let on = fields.day(fields.required(all, "on"), "on")
    let by = fields.text(fields.required(all, "by"), "who assessed it")
    let until = fields.day(all["until"], "until")
    if let on, let until, until <= on {
      fields.fault(all["until"]?.place ?? value.place, "until \(until)", "a day after \(on)")
    }
    guard let on, let by else { return nil }
    return Assessment(on: on, by: by, until: until)
  }

  private mutating func rule(_ value: Value) -> UseRule? {
    guard let all = fields.fields(value, "rule of use", Self.names("rule of use")) else { return nil }
    if let rule = all["rule"] { return fields.text(rule, "a rule's name").map { .rule($0) } }
    if let file = all["file"] { return fields.text(file, "a file or folder of rules").map { .file($0) } }
    guard let condition = all["condition"] else {
      fields.fault(value.place, "an empty rule of use", "rule, file or condition")
      return nil
    }
    if case .string = condition.content {
      return fields.text(condition, "a condition").map { .condition(en: $0, ja: $0) }
    }
    guard let both = fields.fields(condition, "condition", Self.names("condition")) else { return nil }
    let en = fields.text(fields.required(both, "en"), "the condition in English")
    return en.map { .condition(en: $0, ja: fields.text(both["ja"], "the condition in Japanese") ?? $0) }
  }

  private mutating func group(_ value: Value) -> CatalogueGroup? {
    guard let all = fields.fields(value, "group", Self.names("group")) else { return nil }
    guard let id = name(fields.required(all, "id"), "a group's name") else { return nil }
    var access: [CatalogueGroup.Access] = []
    for each in fields.list(fields.required(all, "access")) {
      guard let one = fields.fields(each, "access", Self.names("access")) else { continue }
      var services: [String] = []
      for (service, place) in fields.texts(fields.required(one, "services"), "a service's id") {
        if service != "*", !ids.contains(service) {
          fields.fault(
            place, "\"\(service)\"", "a service of this catalogue, or *" + NearestName.hint(service, in: ids))
        } else if service != "*", !allowed.contains(service) {
          fields.fault(
            place, "\(id)'s access to \(service), which isn't allowed", "a service with allowed: yes")
        }
        services.append(service)
      }
      let level = fields.word(
        fields.required(one, "level"), "level", of: AccessLevel.allCases.map(\.rawValue))
      if let level = level.flatMap(AccessLevel.init(rawValue:)) {
        access.append(.init(services: services, level: level))
      }
    }
    var members: [String] = []
    for each in fields.list(all["members"]) {
      guard let member = name(each, "a user's name") else { continue }
      if members.contains(member) { fields.fault(each.place, "\"\(member)\" twice", "each once") }
      members.append(member)
    }
    return CatalogueGroup(
      id: id, purpose: fields.text(all["purpose"], "what it is for") ?? "", access: access, members: members)
  }

  /// IAM's names of users and groups.
  private mutating func name(_ value: Value?, _ what: String) -> String? {
    guard let value, let text = fields.text(value, what) else { return nil }
    let isGood =
      text.count <= 64
      && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+=,.@_-".contains($0)) }
    if !isGood { fields.fault(value.place, "\"\(text)\"", "\(what): at most 64 letters, digits and +=,.@_-") }
    return text
  }

  // MARK: - What doesn't fit together

  private mutating func check(_ catalogue: Catalogue) {
    var types: [Wildcard: String] = [:]
    for service in catalogue.services {
      for type in service.types {
        if let other = types[type] {
          fields.fault(
            service.place, "\(type) of \(service.id)", "a type of one service; \(other) has it too")
        }
        types[type] = service.id
      }
      let takenBack = service.isAllowed ? service.denied : service.actions
      for other in catalogue.allowedServices {
        for action in other.actions {
          guard let denial = takenBack.first(where: { $0.contains(action) }) else { continue }
          fields.fault(
            service.place,
            service.id == other.id
              ? "\(service.id) allows \(action) and denies \(denial)"
              : "\(service.id) takes back with \(denial) what \(other.id) allows with \(action)",
            "denials narrower than what is allowed, or allowed: no")
        }
      }
    }
    var folded: [String: String] = [:]
    for name in catalogue.users.map(\.name) {
      if let other = folded[name.lowercased()] {
        fields.fault(.none, "users \(other) and \(name)", "names that differ by more than letter case")
      }
      folded[name.lowercased()] = name
    }
    for user in catalogue.users where user.groups.count > 10 {
      fields.fault(.none, "\(user.name) in \(user.groups.count) groups", "at most 10, which is IAM's limit")
    }
  }
}
