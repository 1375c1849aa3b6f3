// A Terraform plan as JSON (`terraform show -json`) → resources in CloudFormation's shape. Resources are read one by one.
// What the plan says is known only after it is applied is unknown, and what it says is sensitive is secret. A state (of what is
// there already) is read like a plan that keeps everything. A plan that says that it isn't whole is a fault: resources that it
// doesn't have may be anything.
// Source: Terraform, "JSON Output Format", sections "Plan Representation", "Change Representation", "State Representation".

public import GuardRules

/// A resource that a plan creates, changes or keeps.
public struct PlannedResource: Sendable {
  /// As Terraform names it: `module.a.aws_s3_bucket.b["c"]`.
  public let address: String
  /// Terraform's type.
  public let type: String
  /// What it will be, unknown values marked.
  public let after: Value
  /// What is done: `create`, `update`, `delete`, `no-op`, `read`.
  public let actions: [String]
  /// What the configuration says of it; nil = it doesn't tell.
  var setting: PlanReferences.Setting?
  /// What it was.
  var before: Value?

  /// The region that it is or will be in, by the argument `region` or its ARN; nil = the plan doesn't say.
  var region: String? {
    // There it is whom something is allowed.
    if type != "aws_config_aggregate_authorization", let text = after["region"]?.string, !text.isEmpty {
      return text
    }
    guard let arn = after["arn"]?.string.flatMap(AmazonResourceName.init), !arn.region.isEmpty else {
      return nil
    }
    return arn.region
  }

  /// The same, of which something else will be.
  func with(after: Value) -> PlannedResource {
    PlannedResource(
      address: address, type: type, after: after, actions: actions, setting: setting, before: before)
  }
}

/// Reads plans.
public enum TerraformPlan {
  /// Reads the resources of a plan one after the other; deleted ones and data sources are left out.
  /// - Parameter bytes: the plan; in place during the call.
  /// - Returns: how many there were.
  /// - Throws: `DocumentFault` where it is no plan.
  @discardableResult
  public static func read(
    _ bytes: UnsafeRawBufferPointer, _ body: (PlannedResource) throws(DocumentFault) -> Void
  ) throws(DocumentFault) -> Int {
    try read(bytes, limits: ReadingLimits(), takes: nil, body)
  }

  /// - Parameters:
  ///   - takes: whether resources of one of Terraform's types are wanted, by their type; nil = all are. Those that aren't
  ///     are counted, whatever becomes of them.
  ///   - references: say of what isn't known yet where it comes from; nil = nothing does.
  ///   - isPart: whether it is read again for all that it says, of deleted resources as well: whether it is whole was or
  ///     will be asked.
  @discardableResult
  static func read(
    _ bytes: UnsafeRawBufferPointer, limits: ReadingLimits, takes: ((String) -> Bool)?,
    references: PlanReferences? = nil, isPart: Bool = false,
    _ body: (PlannedResource) throws(DocumentFault) -> Void
  ) throws(DocumentFault) -> Int {
    var reader = JSONReader(bytes, mostBytes: limits.mostBytes, passed: limits.passed)
    var count = 0
    var isPlan = false
    var changes = 0
    var isIncomplete: DocumentFault?
    func incomplete(_ found: String, _ wanted: String, _ place: TextPlace) {
      isIncomplete = isIncomplete ?? DocumentFault(place: place, found: found, wanted: wanted)
    }
    try reader.object { (name, reader) throws(DocumentFault) in
      _ = reader.first()
      let place = reader.place
      switch name {
      // Terraform leaves out an empty list of changes, never this.
      case "planned_values":
        isPlan = true
        try reader.skip()
      case "values":
        isPlan = true
        guard reader.first() == UInt8(ascii: "{") else {
          return try wanted("a state's values", &reader)
        }
        try reader.object { (name, reader) throws(DocumentFault) in
          guard name == "root_module" else { return try reader.skip() }
          count += try module(&reader, takes, body)
        }
      case "errored":
        if case .bool(true) = try reader.value().content {
          incomplete(
            "errored: true, a plan that ended with an error", "a plan that terraform plan made without one",
            place)
        }
      case "complete":
        if case .bool(false) = try reader.value().content {
          incomplete(
            "complete: false, a plan without some of the resources",
            "a plan of everything: without -target, and with nothing put off", place)
        }
      case "deferred_changes":
        let isNone = reader.first() != UInt8(ascii: "[")
        var deferred = 0
        if isNone {
          try reader.skip()
        } else {
          try reader.array { (reader) throws(DocumentFault) in
            deferred += 1
            try reader.skip()
          }
        }
        if deferred > 0 {
          incomplete(
            "deferred_changes: \(deferred) resources of which the plan doesn't say what they will be",
            "a plan with nothing put off", place)
        }
      case "resource_changes":
        isPlan = true
        guard reader.first() == UInt8(ascii: "[") else {
          return try wanted("a list of changes", &reader)
        }
        try reader.array { (reader) throws(DocumentFault) in
          changes += 1
          if let takes {
            _ = reader.first()
            let mark = reader.mark
            if let known = try reader.skip(keeping: ["type"]), let type = known[0], !takes(type) {
              count += 1
              return
            }
            reader.go(to: mark)
          }
          reader.spentBytes = 0
          let change = try reader.value()
          guard let resource = resource(change, references, deletedToo: isPart) else { return }
          count += 1
          try body(resource)
        }
      default: try reader.skip()
      }
    }
    try reader.end()
    guard isPlan else {
      throw DocumentFault(
        place: TextPlace(line: 1, column: 1),
        found: "an object without resource_changes, planned_values, values",
        wanted: "a plan or a state: the output of terraform show -json")
    }
    // What is kept as it is has an entry too.
    if changes == 0, !isPart, let place = try planned(bytes, limits) {
      incomplete("planned_values with resources, and no resource_changes", "a whole plan", place)
    }
    if let isIncomplete, !isPart { throw isIncomplete }
    return count
  }

  private static func wanted(_ what: String, _ reader: inout JSONReader) throws(DocumentFault) {
    _ = reader.first()
    let place = reader.place
    throw DocumentFault(place: place, found: try reader.value().kind, wanted: what)
  }

  /// Where resources are planned; nil = there are none.
  private static func planned(
    _ bytes: UnsafeRawBufferPointer, _ limits: ReadingLimits
  ) throws(DocumentFault) -> TextPlace? {
    var reader = JSONReader(bytes, mostBytes: limits.mostBytes, passed: limits.passed)
    var found: TextPlace?
    try reader.object { (name, reader) throws(DocumentFault) in
      guard name == "planned_values", reader.first() == UInt8(ascii: "{") else { return try reader.skip() }
      try reader.object { (name, reader) throws(DocumentFault) in
        guard name == "root_module", reader.first() == UInt8(ascii: "{") else { return try reader.skip() }
        let place = reader.place
        let count = try module(&reader, { _ in false }) { (_) throws(DocumentFault) in }
        if count > 0 { found = place }
      }
    }
    return found
  }

  /// A module of a state, with those in it.
  /// - Returns: how many resources there are.
  private static func module(
    _ reader: inout JSONReader, _ takes: ((String) -> Bool)?,
    _ body: (PlannedResource) throws(DocumentFault) -> Void
  ) throws(DocumentFault) -> Int {
    var count = 0
    try reader.object { (name, reader) throws(DocumentFault) in
      switch name {
      case "resources":
        try reader.array { (reader) throws(DocumentFault) in
          reader.spentBytes = 0
          let resource = try reader.value()
          guard let type = resource["type"]?.string, let address = resource["address"]?.string,
            resource["mode"]?.string ?? "managed" == "managed"
          else { return }
          count += 1
          guard takes?(type) ?? true else { return }
          let values = resource["values"] ?? Value(.map(Members([])), at: resource.place)
          try body(
            PlannedResource(
              address: address, type: type, after: values.hiding(resource["sensitive_values"]),
              actions: ["no-op"]))
        }
      case "child_modules":
        try reader.array { (reader) throws(DocumentFault) in
          count += try module(&reader, takes, body)
        }
      default: try reader.skip()
      }
    }
    return count
  }

  private static func resource(
    _ change: Value, _ references: PlanReferences?, deletedToo: Bool
  ) -> PlannedResource? {
    guard let type = change["type"]?.string, let address = change["address"]?.string,
      change["mode"]?.string ?? "managed" == "managed", let what = change["change"]
    else { return nil }
    let actions = what["actions"]?.list?.compactMap(\.string) ?? []
    // `forget`: no longer of this plan, though it stays.
    guard actions != ["read"], actions != ["forget"] else { return nil }
    if actions == ["delete"] {
      guard deletedToo else { return nil }
      return PlannedResource(
        address: address, type: type, after: Value(.map(Members([])), at: change.place), actions: actions,
        before: what["before"])
    }
    let setting = references?.resource(address, type: type)
    let after =
      setting.flatMap { configured(what["before"], what["after"], what["after_unknown"], $0) }
      ?? merged(what["after"], what["after_unknown"])
    return PlannedResource(
      address: address, type: type,
      after: after?.hiding(what["after_sensitive"]) ?? Value(.map(Members([])), at: change.place),
      actions: actions, setting: setting, before: what["before"])
  }

  /// A resource, of which the configuration says where its values come from.
  /// - Returns: nil where it isn't made of arguments.
  private static func configured(
    _ before: Value?, _ known: Value?, _ unknown: Value?, _ setting: PlanReferences.Setting
  ) -> Value? {
    guard let unknown, case .map(let marks) = unknown.content else { return nil }
    var members = MemberList(known?.members ?? [])
    for name in setting.replaced(before, known) { members[name] = nil }
    for mark in marks.all {
      if case .bool(true) = mark.value.content, setting.isUnset(mark.name, beside: known) { continue }
      if case .bool(true) = mark.value.content, setting.mayBeBlock(mark.name) {
        members[mark.name] = Value(.unknown(PlanReferences.perhapsBlock), at: unknown.place)
        continue
      }
      let value = merged(
        members[mark.name], mark.value, setting, setting.expression(mark.name), of: mark.name)
      if let value { members[mark.name] = value }
    }
    return Value(.map(Members(members.all)), at: known?.place ?? unknown.place)
  }

  /// What is known, with what isn't known marked.
  /// - Parameter argument: what it is given to.
  private static func merged(
    _ known: Value?, _ unknown: Value?, _ setting: PlanReferences.Setting? = nil, _ expression: Value? = nil,
    of argument: String = ""
  ) -> Value? {
    guard let unknown else { return known }
    // References that aren't told apart by what is within are of all of it.
    func inner(_ name: String) -> Value? { expression?["references"] == nil ? expression?[name] : expression }
    func inner(_ place: Int) -> Value? {
      guard let list = expression?.list else { return expression }
      return list.indices.contains(place) ? list[place] : nil
    }
    switch unknown.content {
    case .bool(true):
      let place = known?.place ?? unknown.place
      return Value(
        .unknown(
          Unknown(
            "known after the plan is applied", written: setting?.written(expression, at: place),
            mayBeEmpty: true, isName: setting?.isName(expression, of: argument) ?? false)), at: place)
    case .map(let marks):
      guard !marks.all.isEmpty else { return known }
      var members = MemberList(known?.members ?? [])
      for mark in marks.all {
        let value = merged(
          members[mark.name], mark.value, setting, inner(mark.name), of: mark.name)
        if let value { members[mark.name] = value }
      }
      return Value(.map(Members(members.all)), at: known?.place ?? unknown.place)
    case .list(let marks):
      let values = known?.list ?? []
      guard !marks.isEmpty else { return known }
      var out: [Value] = []
      for place in 0..<max(values.count, marks.count) {
        let value = merged(
          values.indices.contains(place) ? values[place] : nil,
          marks.indices.contains(place) ? marks[place] : nil, setting, inner(place), of: argument)
        out.append(value ?? Value(.map(Members([])), at: unknown.place))
      }
      return Value(.list(out), at: known?.place ?? unknown.place)
    default: return known
    }
  }
}

extension Value {
  /// The same, with what marks mean hidden: `true`, or maps and lists with `true` somewhere in them, as the value has them.
  fileprivate func hiding(_ marks: Value?) -> Value {
    guard let marks, marks.hasTrue else { return self }
    switch (marks.content, content) {
    case (.map(let marks), .map(let members)):
      let all = members.all.map { (name: $0.name, value: $0.value.hiding(marks[$0.name])) }
      return Value(.map(Members(all, rest: members.rest)), at: place, isSecret: isSecret)
    case (.list(let marks), .list(let values)) where marks.count <= values.count:
      let all = values.enumerated().map { place, value in
        marks.indices.contains(place) ? value.hiding(marks[place]) : value
      }
      return Value(.list(all), at: place, isSecret: isSecret)
    // All of it, or something in it and it can't be told what.
    default: return hidden
    }
  }

  private var hasTrue: Bool {
    switch content {
    case .bool(let flag): flag
    case .list(let values): values.contains(where: \.hasTrue)
    case .map(let members): members.all.contains { $0.value.hasTrue }
    default: false
    }
  }
}
