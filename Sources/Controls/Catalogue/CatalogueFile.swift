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
  /// - Parameter today: assessments of later days are faults; the writer's own day may be the next already, by its zone.
  ///   nil = it isn't asked.
  /// - Throws: `DocumentFaults`, all of them.
  public init(yaml text: String, today: CalendarDay? = nil) throws(DocumentFaults) {
    self = try RecordReader.reading(text) { document in
      var reader = CatalogueReader(today)
      return reader.catalogue(document)
    }
  }
}

private struct CatalogueReader {
  private var regions: [String]?
  private var ids: [String] = []
  private var allowed: Set<String> = []

  private let today: CalendarDay?

  init(_ today: CalendarDay?) { self.today = today }

  private static func names(_ what: String) -> [String] { Catalogue.names[what] ?? [] }

  mutating func catalogue(_ document: RecordReader) -> Catalogue {
    document.only(Self.names("catalogue"))
    let organisation =
      document.text("organisation", isRequired: true, wanted: "the organisation's name") ?? ""
    let partition = document.choice("partition", of: ["aws", "aws-cn", "aws-us-gov"]) ?? "aws"
    if document.has("regions") { regions = Self.readRegions(document) }
    var services: [CatalogueService] = []
    var places: [String: TextPlace] = [:]
    for each in document.sections("services", orOne: true, isRequired: true) {
      guard let service = service(each) else { continue }
      if let first = places[service.id] {
        each.fault(
          "service \"\(service.id)\" a second time, after line \(first.line)", wanted: "each id once")
      }
      places[service.id] = each.place
      services.append(service)
    }
    ids = services.map(\.id)
    allowed = Set(services.filter(\.isAllowed).map(\.id))
    var out = Catalogue(organisation: organisation, services: services)
    out.partition = partition
    var groups: Set<String> = []
    for each in document.sections("groups", orOne: true) {
      guard let group = group(each) else { continue }
      if !groups.insert(group.id).inserted {
        each.fault("group \"\(group.id)\" twice", wanted: "each id once")
      }
      out.groups.append(group)
    }
    out.assessedPolicies = document.entries("assessed_policies", wanted: "names of managed policies").map {
      Wildcard($0.text)
    }
    for (arn, place) in document.entries("exempt_roles", wanted: "ARNs of roles") {
      if !arn.hasPrefix("arn:") || !arn.contains(":role/") || arn.contains("\"") {
        document.fault(at: place, "\"\(arn)\"", wanted: "arn:\(partition):iam::*:role/NAME")
      }
      out.exemptRoles.append(arn)
    }
    out.protectsBoundary = document.flag("protect_boundary") ?? true
    check(out, document)
    return out
  }

  private static func readRegions(_ reader: RecordReader) -> [String] {
    var out: [String] = []
    for (text, place) in reader.entries("regions", wanted: "a region") {
      let words = text.split(separator: "-", omittingEmptySubsequences: false)
      let isRegion =
        words.count >= 3 && words.last?.count == 1 && words.last?.first?.isNumber == true
        && words.dropLast().allSatisfy { !$0.isEmpty && $0.allSatisfy { $0.isASCII && $0.isLowercase } }
      if !isRegion { reader.fault(at: place, "\"\(text)\"", wanted: "a region like ap-northeast-1") }
      out.append(text)
    }
    if out.isEmpty { reader.wrong("regions", "no region", wanted: "at least one") }
    return out.sorted()
  }

  private func service(_ reader: RecordReader) -> CatalogueService? {
    reader.only(Self.names("service"))
    guard let id = reader.text("id", isRequired: true, wanted: "a service's id") else { return nil }
    if !id.allSatisfy({ $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }) {
      reader.wrong("id", id, wanted: "small letters, digits and - only")
    }
    var prefixes: [String] = []
    for (prefix, place) in reader.entries(
      "prefixes", orNone: false, wanted: "IAM's prefix of a service")
    {
      if !Self.isPrefix(prefix) {
        reader.fault(at: place, "\"\(prefix)\"", wanted: "a prefix like s3: small letters, digits, -")
      }
      prefixes.append(prefix)
    }
    if prefixes.isEmpty { prefixes = [id] }
    let isAllowed = reader.flag("allowed", isRequired: true) ?? false
    let assessment = reader.section("assessed").flatMap { readAssessment($0) }
    if isAllowed, !reader.has("assessed") {
      reader.fault(
        "\(id) allowed, but not assessed", wanted: "assessed: {on: YYYY-MM-DD, by: …}, or allowed: no")
    }
    var service = CatalogueService(
      id: id, name: reader.text("name", wanted: "what people call it") ?? id, prefixes: prefixes,
      assessment: assessment, isAllowed: isAllowed,
      actions: reader.has("actions")
        ? Self.patterns(reader, "actions", prefixes, "an action")
        : prefixes.map { Wildcard("\($0):*", ignoresCase: true) })
    service.place = reader.place
    service.reason = reader.text("reason", wanted: "why") ?? ""
    service.denied = Self.patterns(reader, "denied", prefixes, "an action that is denied")
    service.reads = Self.level(reader, "read", service, "an action that only looks")
    if !reader.has("read") {
      let usual = prefixes.flatMap { prefix in
        ["Get*", "List*", "Describe*"].map { Wildcard("\(prefix):\($0)", ignoresCase: true) }
      }
      // What is neither within the service nor holds a part of it is left out: too little rather than too much.
      service.reads = usual.flatMap { read in
        service.actions.contains { $0.contains(read) } ? [read] : service.actions.filter { read.contains($0) }
      }
    }
    service.operates = Self.level(reader, "operate", service, "an action that keeps it running")
    service.regions = serviceRegions(reader, prefixes)
    for (type, place) in reader.entries("types", wanted: "a type like AWS::S3::*") {
      if type.split(separator: ":").count < 2 || !type.contains("::") {
        reader.fault(at: place, "\"\(type)\"", wanted: "a type like AWS::S3::* or AWS::EC2::Instance")
      }
      service.types.append(Wildcard(type))
    }
    service.rules = reader.sections("rules", orOne: true).compactMap { Self.rule($0) }
    return service
  }

  private static func isPrefix(_ text: some StringProtocol) -> Bool {
    !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }
  }

  /// `global`, regions, or none: those of the catalogue, unless the service has none.
  private func serviceRegions(_ reader: RecordReader, _ prefixes: [String]) -> [String]? {
    let isGlobal = prefixes.allSatisfy { GlobalCalls.prefixes.contains($0) }
    guard reader.has("regions") else {
      if isGlobal { return nil }
      if regions == nil {
        reader.fault(
          "a service without regions",
          wanted: "regions: [a, b] of the service or of the catalogue, or global")
      }
      return regions ?? []
    }
    if reader.isWord("regions", "global") { return nil }
    if isGlobal {
      reader.fault(
        at: reader.place(of: "regions"), "regions of \(prefixes.joined(separator: ", "))",
        wanted: "global, or nothing: its calls go to one place in the world, and a limit would shut it off")
    }
    return Self.readRegions(reader)
  }

  private static func patterns(
    _ reader: RecordReader, _ name: String, _ prefixes: [String], _ what: String
  ) -> [Wildcard] {
    var out: [Wildcard] = []
    for (text, place) in reader.entries(name, wanted: what) {
      let halves = text.split(separator: ":", omittingEmptySubsequences: false)
      guard halves.count <= 2, let name = halves.last, !name.isEmpty,
        name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "*" || $0 == "?") })
      else {
        reader.fault(
          at: place, "\"\(text)\"",
          wanted: "\(what) like GetObject, Get* or s3:Get*: letters, digits, * and ?")
        continue
      }
      if halves.count == 1 {
        out += prefixes.map { Wildcard("\($0):\(name)", ignoresCase: true) }
      } else if prefixes.contains(String(halves[0])) {
        out.append(Wildcard(text, ignoresCase: true))
      } else {
        reader.fault(
          at: place, "\"\(text)\"",
          wanted: "a prefix of this service: \(prefixes.joined(separator: ", "))"
            + NearestName.hint(String(halves[0]), in: prefixes))
      }
    }
    return out
  }

  /// Patterns within a service's actions.
  private static func level(
    _ reader: RecordReader, _ name: String, _ service: CatalogueService, _ what: String
  ) -> [Wildcard] {
    let patterns = patterns(reader, name, service.prefixes, what)
    for pattern in patterns where !service.actions.contains(where: { $0.contains(pattern) }) {
      reader.fault(
        at: reader.place(of: name), "\"\(pattern)\"",
        wanted:
          "\(what) within the service's: \(service.actions.prefix(8).map(\.text).joined(separator: ", "))")
    }
    return patterns
  }

  private func readAssessment(_ reader: RecordReader) -> Assessment? {
    reader.only(Self.names("assessment"))
    let on = reader.day("on", isRequired: true)
    let by = reader.text("by", isRequired: true, wanted: "who assessed it")
    let until = reader.day("until")
    if let on, let until, until <= on {
      reader.fault(at: reader.place(of: "until"), "until \(until)", wanted: "a day after \(on)")
    }
    if let on, let today, on.number > today.number + 1 {
      reader.fault(
        at: reader.place(of: "on"), "assessed on \(on)", wanted: "a day that has come; today is \(today)")
    }
    guard let on, let by else { return nil }
    return Assessment(on: on, by: by, until: until)
  }

  private static func rule(_ reader: RecordReader) -> UseRule? {
    reader.only(names("rule of use"))
    if reader.has("rule") { return reader.text("rule", wanted: "a rule's name").map { .rule($0) } }
    if reader.has("file") {
      return reader.text("file", wanted: "a file or folder of rules").map { .file($0) }
    }
    guard reader.has("condition") else {
      reader.fault("an empty rule of use", wanted: "rule, file or condition")
      return nil
    }
    if reader.isText("condition") {
      return reader.text("condition", wanted: "a condition").map { .condition(en: $0, ja: $0) }
    }
    guard let both = reader.section("condition") else { return nil }
    both.only(names("condition"))
    let en = both.text("en", isRequired: true, wanted: "the condition in English")
    return en.map { .condition(en: $0, ja: both.text("ja", wanted: "the condition in Japanese") ?? $0) }
  }

  private func group(_ reader: RecordReader) -> CatalogueGroup? {
    reader.only(Self.names("group"))
    guard let id = reader.text("id", isRequired: true, wanted: "a group's name") else { return nil }
    _ = Self.isName(id, "a group's name", reader, reader.place(of: "id"))
    var access: [CatalogueGroup.Access] = []
    for each in reader.sections("access", orOne: true, isRequired: true) {
      each.only(Self.names("access"))
      var services: [String] = []
      for (service, place) in each.entries("services", isRequired: true, wanted: "a service's id") {
        if service != "*", !ids.contains(service) {
          each.fault(
            at: place, "\"\(service)\"",
            wanted: "a service of this catalogue, or *" + NearestName.hint(service, in: ids))
        } else if service != "*", !allowed.contains(service) {
          each.fault(
            at: place, "\(id)'s access to \(service), which isn't allowed",
            wanted: "a service with allowed: yes")
        }
        services.append(service)
      }
      let level = each.choice("level", of: AccessLevel.allCases.map(\.rawValue), isRequired: true)
      if let level = level.flatMap(AccessLevel.init(rawValue:)) {
        access.append(.init(services: services, level: level))
      }
    }
    let members = reader.entries("members", wanted: "a user's name").filter {
      Self.isName($0.text, "a user's name", reader, $0.place)
    }.map { $0.text }
    return CatalogueGroup(
      id: id, purpose: reader.text("purpose", wanted: "what it is for") ?? "", access: access,
      members: members)
  }

  /// Whether IAM takes it as a user's or group's name.
  private static func isName(_ text: String, _ what: String, _ reader: RecordReader, _ place: TextPlace)
    -> Bool
  {
    let isGood =
      text.count <= 64
      && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+=,.@_-".contains($0)) }
    if !isGood {
      reader.fault(
        at: place, "\"\(text)\"", wanted: "\(what): at most 64 letters, digits and +=,.@_-")
    }
    return isGood
  }

  // MARK: - What doesn't fit together

  private func check(_ catalogue: Catalogue, _ document: RecordReader) {
    var types: [Wildcard: String] = [:]
    for service in catalogue.services {
      for type in service.types {
        if let other = types[type] {
          document.fault(
            at: service.place, "\(type) of \(service.id)",
            wanted: "a type of one service; \(other) has it too")
        }
        types[type] = service.id
      }
      let takenBack = service.isAllowed ? service.denied : service.actions
      for other in catalogue.allowedServices {
        for action in other.actions {
          guard let denial = takenBack.first(where: { $0.contains(action) }) else { continue }
          document.fault(
            at: service.place,
            service.id == other.id
              ? "\(service.id) allows \(action) and denies \(denial)"
              : "\(service.id) takes back with \(denial) what \(other.id) allows with \(action)",
            wanted: "denials narrower than what is allowed, or allowed: no")
        }
      }
    }
    var folded: [String: String] = [:]
    for name in catalogue.users.map(\.name) {
      if let other = folded[name.lowercased()] {
        document.fault(
          at: TextPlace.none, "users \(other) and \(name)",
          wanted: "names that differ by more than letter case")
      }
      folded[name.lowercased()] = name
    }
    for user in catalogue.users where user.groups.count > 10 {
      document.fault(
        at: TextPlace.none, "\(user.name) in \(user.groups.count) groups",
        wanted: "at most 10, which is IAM's limit")
    }
  }
}
