// Walks a template once and puts in values for what refers to them. What a `NoEcho` parameter stands for is secret, and so
// is what functions make of it (GuardRules, Secrets.swift).
// Source: AWS CloudFormation User Guide, "Parameters syntax reference", NoEcho.

import GuardRules

struct TemplateResolver {
  let document: Value
  private let context: Template.Context
  let parameters: Value?
  var conditions: Value?
  private let mappings: Value?
  var resources: Set<String>
  var known: [String: Bool?] = [:]
  var open: Set<String> = []
  var budget: Int
  let stack = StackMark()

  /// Values that are looked at or made; a value stands for at least 64 bytes of text.
  static var mostValues: Int { 2_000_000 }
  /// Values, functions and conditions within each other; of a document they are fewer (`Value.mostDepth`), but
  /// conditions lead from one to the next.
  static var mostDepth: Int { 256 }

  init(_ document: Value, _ context: Template.Context) {
    self.document = document
    self.context = context
    parameters = document["Parameters"]
    conditions = document["Conditions"]
    mappings = document["Mappings"]
    resources = Set(document["Resources"]?.members.map(\.name) ?? [])
    budget = Self.mostValues
  }

  mutating func template() throws(DocumentFault) -> Value {
    if case .map(let declared)? = parameters?.content {
      for (name, value) in context.parameters.sorted(by: { $0.key < $1.key }) {
        if let parameter = declared[name] { try TemplateParameter.hold(name, value, against: parameter) }
      }
    }
    let transforms = TemplateTransforms(document)
    if let written = conditions, written.members.contains(where: { Self.isLoop($0.name) }) {
      let all = try writtenOut(written, 0).members.map { (name: $0.name, value: $0.value) }
      conditions = Value(.map(Members(all)), at: written.place)
    }
    var out: [(name: String, value: Value)] = []
    if document["Resources"] == nil, transforms.unknown != nil {
      let nothing = Value(.map(Members([])), at: document.place)
      out.append(("Resources", try allResources(nothing, transforms)))
    }
    for section in document.members {
      switch section.name {
      case "Resources": out.append((section.name, try allResources(section.value, transforms)))
      case "Parameters": out.append((section.name, Self.hiding(section.value)))
      case "Outputs": out.append((section.name, try resolve(section.value, 0) ?? section.value))
      default: out.append((section.name, section.value))
      }
    }
    return Value(.map(Members(out)), at: document.place)
  }

  /// Parameters without a word of the secret ones' values.
  private static func hiding(_ parameters: Value) -> Value {
    guard parameters.members.contains(where: { isSecret($0.value) }) else { return parameters }
    let all = parameters.members.map { parameter -> (name: String, value: Value) in
      guard isSecret(parameter.value) else { return (name: parameter.name, value: parameter.value) }
      let members = parameter.value.members.map { member in
        let isTelling = member.name == "Default" || member.name == "AllowedValues"
        return (name: member.name, value: isTelling ? member.value.hidden : member.value)
      }
      return (parameter.name, Value(.map(Members(members)), at: parameter.value.place))
    }
    return Value(.map(Members(all)), at: parameters.place)
  }

  /// Whether a parameter's value isn't to be shown: where it says so, or can't be read as saying that it may.
  static func isSecret(_ parameter: Value) -> Bool {
    guard let mark = parameter["NoEcho"] else { return false }
    return mark.plainText?.lowercased() != "false"
  }

  func tooMuch(_ what: String, _ place: TextPlace) -> DocumentFault {
    DocumentFault(place: place, found: what, wanted: "a smaller template")
  }

  /// Counts what is made beside what is walked, so that a small template can't stand for a huge one.
  mutating func charge(_ count: Int, _ place: TextPlace) throws(DocumentFault) {
    budget -= count
    guard budget > 0 else { throw tooMuch("more than \(Self.mostValues) values", place) }
  }

  /// A text that is made.
  private mutating func made(
    _ text: String, _ place: TextPlace, isSecret: Bool = false
  ) throws(DocumentFault) -> Value {
    try charge(1 + text.utf8.count / 64, place)
    return Value(.string(text), at: place, isSecret: isSecret)
  }

  /// A value that is put in where something refers to it. All of it is made anew, also where it is the same: findings tell
  /// resources, and places in them, apart by their values.
  /// - Parameter written: what refers to it.
  private mutating func again(_ value: Value, _ written: Value) throws(DocumentFault) -> Value {
    var waiting = [value]
    while let next = waiting.popLast() {
      try charge(1, value.place)
      switch next.content {
      case .list(let elements): waiting += elements
      case .map(let members): waiting += members.all.map(\.value)
      default: break
      }
    }
    return value.anew(placeless: written.place)
  }

  /// - Returns: nil where there is no value at all (`AWS::NoValue`).
  mutating func resolve(_ value: Value, _ depth: Int) throws(DocumentFault) -> Value? {
    budget -= 1
    guard budget > 0 else { throw tooMuch("more than \(Self.mostValues) values", value.place) }
    guard depth < Self.mostDepth, stack.hasRoom else { throw tooMuch("too many levels", value.place) }
    switch value.content {
    case .string(let text) where Value.isDynamicReference(text): return readLater(value)
    case .list(let elements):
      // Most of a template is as it is written: only what changes is made anew.
      var out: [Value] = []
      var isOther = false
      for (place, element) in elements.enumerated() {
        let resolved = try resolve(element, depth + 1)
        if !isOther {
          if resolved === element { continue }
          (isOther, out) = (true, Array(elements[..<place]))
        }
        if let resolved { out.append(resolved) }
      }
      return isOther ? Value(.list(out), at: value.place) : value
    case .map(let members):
      if Self.isOpen(members), let made = try transformed(value, members, depth) { return made }
      if members.all.count == 1, let only = members.all.first,
        only.name == "Ref" || only.name.hasPrefix("Fn::")
      {
        let made =
          only.name == "Fn::If"
          ? try choice(only.value, value, depth + 1) : try function(only.name, only.value, value, depth + 1)
        return try finished(made, only.name, depth + 1)
      }
      var out: [(name: String, value: Value)] = []
      var isOther = false
      for (place, member) in members.all.enumerated() {
        let resolved = try resolve(member.value, depth + 1)
        if !isOther {
          if resolved === member.value { continue }
          isOther = true
          out.reserveCapacity(members.all.count)
          for member in members.all[..<place] { out.append((member.name, member.value)) }
        }
        if let resolved { out.append((member.name, resolved)) }
      }
      return isOther ? Value(.map(Members(out, rest: members.rest)), at: value.place) : value
    default: return value
    }
  }

  /// What a function made: a text may have become a dynamic reference, and lists of parameters and of mappings may have
  /// such texts in them. (Not in `resolve`: a level takes as little of the stack as can be.)
  private mutating func finished(
    _ made: Value?, _ name: String, _ depth: Int
  ) throws(DocumentFault) -> Value? {
    guard let made else { return nil }
    switch made.content {
    case .string(let text): return Value.isDynamicReference(text) ? readLater(made) : made.loose
    case .list, .map:
      guard name != "Fn::If", let made = try resolve(made, depth) else { return made }
      return made.list.map { elements in
        Value(.list(elements.map(\.loose)), at: made.place, isSecret: made.isSecret)
      } ?? made
    default: return name == "Fn::FindInMap" ? made.loose : made
    }
  }

  /// What a dynamic reference stands for, with its writing.
  private func readLater(_ written: Value) -> Value {
    // Only what a secret holds may be nothing.
    let mayBeEmpty = written.string?.hasPrefix("{{resolve:secretsmanager:") == true
    return Value(
      .unknown(Unknown("it is read at deployment", written: written, mayBeEmpty: mayBeEmpty)),
      at: written.place, isSecret: written.isSecret)
  }

  // MARK: - Functions

  func unknown(_ reason: String, _ written: Value, mayBeEmpty: Bool = true) -> Value {
    Value(.unknown(Unknown(reason, written: written, mayBeEmpty: mayBeEmpty)), at: written.place)
  }

  private mutating func function(
    _ name: String, _ argument: Value, _ written: Value, _ depth: Int
  ) throws(DocumentFault) -> Value? {
    func at(_ content: Value.Content, isSecret: Bool = false) -> Value {
      Value(content, at: written.place, isSecret: isSecret)
    }
    switch name {
    case "Ref":
      guard let target = argument.string else { return unknown("a Ref to no name", written) }
      return try reference(target, written)
    case "Fn::GetAtt": return unknown("an attribute is known once it is deployed", written, mayBeEmpty: false)
    case "Fn::Sub": return try substitute(argument, written, depth)
    case "Fn::Join":
      guard let parts = argument.list, parts.count == 2, let delimiter = parts[0].string,
        let elements = try resolve(parts[1], depth)?.list
      else { return unknown("Fn::Join of what isn't known", written, mayBeEmpty: false) }
      let texts = elements.compactMap(\.plainText)
      guard texts.count == elements.count else {
        return unknown("Fn::Join of what isn't known", written, mayBeEmpty: false)
      }
      try charge(texts.reduce(0) { $0 + $1.utf8.count + delimiter.utf8.count } / 64, written.place)
      return at(
        .string(texts.joined(separator: delimiter)), isSecret: elements.contains(where: \.isSecret))
    case "Fn::Select":
      guard let parts = argument.list, parts.count == 2, let place = try resolve(parts[0], depth),
        let index = place.plainText.flatMap({ Int($0) }), let elements = try resolve(parts[1], depth)?.list,
        elements.indices.contains(index)
      else { return unknown("Fn::Select of what isn't known", written) }
      return place.isSecret ? elements[index].hidden : elements[index]
    case "Fn::Split":
      guard let parts = argument.list, parts.count == 2, let delimiter = parts[0].string, !delimiter.isEmpty,
        let whole = try resolve(parts[1], depth), let text = whole.string
      else { return unknown("Fn::Split of what isn't known", written) }
      let pieces = Self.split(text, by: delimiter)
      try charge(pieces.count, written.place)
      let list = at(.list(pieces.map { at(.string($0)) }))
      return whole.isSecret ? list.hidden : list
    case "Fn::FindInMap":
      guard let parts = argument.list, parts.count >= 3 else {
        return unknown("Fn::FindInMap with a key that isn't known", written)
      }
      // Which value it is would tell the key.
      var (keys, isSecret): ([String], Bool) = ([], false)
      for part in parts.prefix(3) {
        guard let key = try resolve(part, depth), let text = key.plainText else {
          return unknown("Fn::FindInMap with a key that isn't known", written)
        }
        keys.append(text)
        isSecret = isSecret || key.isSecret
      }
      if let found = mappings?[keys[0]]?[keys[1]]?[keys[2]] {
        return isSecret ? try again(found, written).hidden : try again(found, written)
      }
      if parts.count > 3, let other = parts[3]["DefaultValue"] {
        return isSecret ? try resolve(other, depth)?.hidden : try resolve(other, depth)
      }
      return unknown("no value \(isSecret ? "" : keys.joined(separator: ".") + " ")in Mappings", written)
    case "Fn::Length":
      guard let elements = try resolve(argument, depth)?.list else { return unknown("Fn::Length", written) }
      return at(.int(Int64(elements.count)))
    case "Fn::Base64":
      guard let value = try resolve(argument, depth), let text = value.string else {
        return unknown("Fn::Base64 of what isn't known", written)
      }
      return try made(Base64.encoded(text), written.place, isSecret: value.isSecret)
    case "Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not":
      guard let holds = try evaluate(written, depth) else { return unknown("a condition", written) }
      return at(.bool(holds))
    case "Fn::ImportValue": return unknown("a value of another stack", written, mayBeEmpty: false)
    case "Fn::GetAZs": return unknown("the zones of the region", written, mayBeEmpty: false)
    default: return unknown("\(name) is known once it is deployed", written)
    }
  }

  private mutating func reference(_ name: String, _ written: Value) throws(DocumentFault) -> Value? {
    if name == "AWS::NoValue" { return nil }
    if name.hasPrefix("AWS::") {
      if let text = context.pseudo[name] { return try made(text, written.place) }
      return unknown(
        "\(name) is known once it is deployed", written, mayBeEmpty: name == "AWS::NotificationARNs")
    }
    if resources.contains(name) {
      return Value(
        .unknown(
          Unknown(
            "resource \(name) gets its name later", written: written, mayBeEmpty: false, isName: true)),
        at: written.place)
    }
    guard let parameter = parameters?[name] else {
      return unknown("there is no \(name) in the template", written)
    }
    guard let value = context.parameters[name] ?? parameter["Default"] else {
      return unknown("parameter \(name) has no value", written)
    }
    let type = TemplateParameter.type(of: parameter)
    // Names of values kept elsewhere, not the values.
    if TemplateParameter.isKeptElsewhere(type) {
      return unknown("parameter \(name) is read at deployment", written, mayBeEmpty: false)
    }
    let isSecret = Self.isSecret(parameter)
    guard let text = value.plainText else {
      return isSecret ? try again(value, written).hidden : try again(value, written)
    }
    guard TemplateParameter.isList(type) else {
      let read = type == "Number" ? TemplateParameter.number(text) : .string(text)
      try charge(1 + text.utf8.count / 64, value.place)
      // What was given on the command line stands where it is used.
      return Value(read, at: value.place == .none ? written.place : value.place, isSecret: isSecret).loose
    }
    try charge(text.utf8.count { $0 == UInt8(ascii: ",") } + 1, written.place)
    let elements = TemplateParameter.elements(text)
    let values = elements.map { element in
      let read = type == "List<Number>" ? TemplateParameter.number(element) : .string(element)
      return Value(read, at: written.place, isSecret: isSecret).loose
    }
    return Value(.list(values), at: written.place, isSecret: isSecret)
  }

  /// `${name}`, `${name.attribute}`, `${!literal}`
  private mutating func substitute(
    _ argument: Value, _ written: Value, _ depth: Int
  ) throws(DocumentFault) -> Value {
    var text: String
    var own: Value?
    if let parts = argument.list, parts.count == 2, let first = parts[0].string {
      (text, own) = (first, parts[1])
    } else if let only = argument.string {
      text = only
    } else {
      return unknown("Fn::Sub wants a text", written)
    }
    var out = ""
    var isSecret = false
    var rest = text[...]
    while let begin = rest.firstRange(of: "${"), let end = rest[begin.upperBound...].firstIndex(of: "}") {
      out += rest[..<begin.lowerBound]
      let name = String(rest[begin.upperBound..<end])
      rest = rest[rest.index(after: end)...]
      if name.hasPrefix("!") {
        out += "${\(name.dropFirst())}"
        continue
      }
      let value: Value?
      if let given = own?[name] {
        value = try resolve(given, depth)
      } else if name.contains("."), parameters?[name] == nil {
        value = nil
      } else {
        value = try reference(name, written)
      }
      guard let part = value?.plainText else {
        return unknown("Fn::Sub with \(name), which isn't known", written, mayBeEmpty: false)
      }
      try charge(1 + part.utf8.count / 64, written.place)
      out += part
      isSecret = isSecret || value?.isSecret == true
    }
    return Value(.string(out + rest), at: written.place, isSecret: isSecret)
  }

  private static func split(_ text: String, by delimiter: String) -> [String] {
    var out: [String] = []
    var rest = text[...]
    while let found = rest.firstRange(of: delimiter) {
      out.append(String(rest[..<found.lowerBound]))
      rest = rest[found.upperBound...]
    }
    return out + [String(rest)]
  }
}

extension Value {
  /// The same, made of values of its own.
  /// - Parameter placeless: the place of what has none: what was given on the command line stands where it is used.
  /// - Precondition: it was read, so it isn't deeper than what can be read.
  fileprivate func anew(placeless: TextPlace) -> Value {
    let place = self.place == .none ? placeless : self.place
    switch content {
    case .list(let values):
      return Value(.list(values.map { $0.anew(placeless: placeless) }), at: place, isSecret: isSecret)
    case .map(let members):
      let all = members.all.map { (name: $0.name, value: $0.value.anew(placeless: placeless)) }
      return Value(
        .map(Members(all, rest: members.rest, perhaps: members.perhaps)), at: place, isSecret: isSecret)
    default: return Value(content, at: place, isSecret: isSecret, isLoose: isLoose)
    }
  }
}
