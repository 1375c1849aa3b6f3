// A value of another tool → CloudFormation's, by its type's way. What isn't known stays so, and what is secret.

import Foundation
import GuardRules

extension TypeShape {
  /// The properties of a resource; those that have no shape here are unknown, not absent.
  func resource(of value: Value, absent: Set<String>) -> Value {
    if case .unknown = value.content { return value }
    return Value(.map(Members(properties(of: value), rest: Shaping.rest(absent))), at: value.place)
  }

  /// The properties that have a shape.
  func properties(of value: Value) -> [(name: String, value: Value)] {
    var out = MemberList()
    for (path, text) in fixed {
      Shaping.put(Value(Shaping.literal(text), at: value.place), at: path, into: &out)
    }
    Shaping.put(members, of: value, into: &out)
    return out.all
  }
}

enum Shaping {
  /// What has no shape here.
  static let shapeless = Unknown("it has no place in the table of shapes")

  static func rest(_ absent: Set<String>) -> Members.Rest { Members.Rest(shapeless, absent: absent) }

  /// The outermost names that members are given.
  static func names(_ shapes: [MemberShape]) -> Set<String> { Set(shapes.compactMap(\.to.first)) }

  private static func block(_ shapes: [MemberShape], of value: Value) -> Value {
    var members = MemberList()
    put(shapes, of: value, into: &members)
    return Value(.map(Members(members.all, rest: rest(names(shapes)))), at: value.place)
  }

  /// Puts the members that have a shape.
  static func put(_ shapes: [MemberShape], of value: Value, into out: inout MemberList) {
    for shape in shapes {
      guard let found = value[shape.from] ?? value.along(shape.from), let shaped = shaped(found, shape)
      else { continue }
      put(shaped, at: shape.to, into: &out)
    }
  }

  /// - Returns: nil where there is nothing: null, or an empty block.
  private static func shaped(_ value: Value, _ shape: MemberShape) -> Value? {
    let out = reshaped(value, shape)
    return value.isSecret ? out?.hidden : out
  }

  private static func reshaped(_ value: Value, _ shape: MemberShape) -> Value? {
    func at(_ content: Value.Content) -> Value { Value(content, at: value.place) }
    if case .null = value.content { return nil }
    if case .unknown = value.content { return value }
    switch shape.way {
    case .same: return value
    case .filled: return value.string?.isEmpty == true ? nil : value
    case .json:
      guard let text = value.string else { return value }
      if text.isEmpty { return nil }
      // Not JSON after all: left as it is, for a rule to say so.
      // A document of IAM may begin with blanks, which are encoded, too.
      let plain = text.hasPrefix("%") ? text.removingPercentEncoding ?? text : text
      guard let inner = try? JSONReader.value(of: plain) else { return value }
      return Value(inner.content, at: value.place)
    case .tags: return tags(value)
    case .one, .given:
      guard let block = value.list?.first ?? (value.members.isEmpty ? nil : value) else { return nil }
      if case .unknown = block.content { return block }
      if case .given = shape.way, block.rest == nil, block.members.allSatisfy(\.value.isNothingGiven) {
        return nil
      }
      return self.block(shape.members, of: block)
    case .many:
      // XML doesn't tell a list of one from that one.
      guard let blocks = value.list ?? (value.members.isEmpty ? nil : [value]), !blocks.isEmpty else {
        return nil
      }
      return at(
        .list(
          blocks.map { block in
            if case .unknown = block.content { return block }
            return self.block(shape.members, of: block)
          }))
    case .list: return value.list == nil ? at(.list([value])) : value
    case .text: return value.plainText.map { at(.string($0)) } ?? value
    case .int:
      guard let text = value.string, let number = Int64(text) else { return value }
      return at(.int(number))
    case .flag:
      switch value.string?.lowercased() {
      case "true": return at(.bool(true))
      case "false": return at(.bool(false))
      default: return value
      }
    case .pascal:
      guard let text = value.string else { return value }
      return at(
        .string(text.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()))
    case .pick(let name):
      let picked = (value.list ?? [value]).compactMap { $0[name] }
      return picked.isEmpty ? nil : at(.list(picked))
    case .onOff(let on, let off):
      guard case .bool(let flag) = value.content else { return value }
      return at(literal(flag ? on : off))
    case .each(let name):
      guard let elements = value.list, !elements.isEmpty else { return nil }
      return at(.list(elements.map { Value(.map(Members([(name, $0)])), at: $0.place) }))
    }
  }

  /// A map of tags → a list of Key and Value; nil = there are none.
  static func tags(_ value: Value) -> Value? {
    if case .unknown = value.content { return value }
    let members = value.members
    guard !members.isEmpty else { return value.list.flatMap { $0.isEmpty ? nil : value } }
    return Value(
      .list(
        members.map { member in
          let key = Value(.string(member.name), at: value.place, isSecret: value.isSecret)
          return Value(.map(Members([("Key", key), ("Value", member.value)])), at: value.place)
        }), at: value.place)
  }

  /// Puts a value at a path of names; a number stands for the place in a list.
  static func put(_ value: Value, at path: [String], into members: inout MemberList) {
    guard let name = path.first else { return }
    let rest = Array(path.dropFirst())
    // What may not be there at all doesn't make what it would stand in.
    if members[name] == nil, value.isPerhapsNothing {
      members[name] = value
      return
    }
    members[name] = rest.isEmpty ? value : put(value, at: rest, in: members[name], value.place)
  }

  private static func put(_ value: Value, at path: [String], in outer: Value?, _ place: TextPlace) -> Value {
    if path.first == "0" {
      let rest = Array(path.dropFirst())
      if let outer, case .unknown(let unknown) = outer.content {
        if value.isPerhapsNothing { return outer }
        // There may be more in it, and more beside it.
        let first = rest.isEmpty ? value : put(value, at: rest, in: outer, place)
        return Value(.list([first, Value(.unknown(unknown), at: outer.place)]), at: outer.place)
      }
      let first = rest.isEmpty ? value : put(value, at: rest, in: outer?.list?.first, place)
      return Value(.list([first] + (outer?.list?.dropFirst() ?? [])), at: outer?.place ?? place)
    }
    var open: Members.Rest?
    if let outer, case .unknown(let unknown) = outer.content {
      if value.isPerhapsNothing { return outer }
      open = Members.Rest(unknown, absent: [])
    }
    var members = MemberList(outer?.members ?? [])
    put(value, at: path, into: &members)
    return Value(.map(Members(members.all, rest: open ?? outer?.rest)), at: outer?.place ?? place)
  }

  static func literal(_ text: String) -> Value.Content {
    switch text {
    case "true": .bool(true)
    case "false": .bool(false)
    // Something of which only is known that it is there.
    case "{}": .map(Members([], rest: rest([])))
    default: Int64(text).map { .int($0) } ?? .string(text)
    }
  }
}

extension Value {
  /// Null, or an empty text, list or map.
  fileprivate var isNothingGiven: Bool {
    switch content {
    case .null: true
    case .string(let text): text.isEmpty
    case .list(let values): values.isEmpty
    case .map(let members): members.all.isEmpty && members.rest == nil
    default: false
    }
  }

  /// Whether it isn't known, and may turn out not to be there.
  fileprivate var isPerhapsNothing: Bool {
    if case .unknown(let unknown) = content { return unknown.mayBeAbsent }
    return false
  }

  /// What stands at `A.B`; nil = there is nothing. What isn't known stays so on the way.
  func along(_ path: String) -> Value? {
    guard path.contains(".") else { return nil }
    var value = self
    for name in path.split(separator: ".") {
      if case .unknown = value.content { return value }
      guard let next = value[String(name)] else { return nil }
      value = next
    }
    return value
  }
}
