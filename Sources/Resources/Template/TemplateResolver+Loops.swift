// What a template makes more of than it says: loops (`Fn::ForEach`) are written out where it is known what they go over, and
// what a transformation puts beside other members isn't known.
// Source: AWS CloudFormation User Guide, "Fn::ForEach", "Fn::Transform", "AWS::Include transform".

import GuardRules

extension TemplateResolver {
  /// Members as they are once loops are written out.
  struct WrittenOut {
    struct Member {
      let name: String
      let value: Value
      /// It isn't known how often it is there, and under which name: it stands for each.
      let isPerhaps: Bool
    }

    var members: [Member] = []
    /// Why there may be others.
    var unknown: Unknown?
    /// Whether a macro may change what is written.
    var mayChange = false
  }

  /// Whether something in a map makes more of it than it says.
  static func isOpen(_ members: Members) -> Bool {
    members.all.contains { isLoop($0.name) || $0.name == "Fn::Transform" }
  }

  static func isLoop(_ name: String) -> Bool { name.hasPrefix("Fn::ForEach") }

  /// Members of a map that aren't functions, with those that loops make.
  mutating func writtenOut(
    _ map: Value, _ depth: Int, isPerhaps: Bool = false
  ) throws(DocumentFault) -> WrittenOut {
    guard depth < Self.mostDepth, stack.hasRoom else { throw tooMuch("too many loops in a row", map.place) }
    var out = WrittenOut()
    for member in map.members {
      try charge(1, member.value.place)
      if Self.isLoop(member.name) {
        guard let parts = member.value.list, parts.count == 3, let name = parts[0].string,
          case .map = parts[2].content
        else {
          out.unknown = out.unknown ?? Unknown("\(member.name) wants a name, a list and members")
          continue
        }
        let texts = try loopTexts(parts[1], depth)
        for text in texts ?? [nil] {
          let body = try replacing(parts[2], name, text, depth + 1, isBody: true)
          let inner = try writtenOut(body, depth + 1, isPerhaps: isPerhaps || text == nil)
          out.members += inner.members
          out.unknown = out.unknown ?? inner.unknown
          out.mayChange = out.mayChange || inner.mayChange
        }
      } else if member.name.hasPrefix("Fn::") {
        out.unknown = out.unknown ?? TemplateTransforms.unknown(member.value)
        out.mayChange = out.mayChange || TemplateTransforms.mayChange(member.value)
      } else {
        out.members.append(
          WrittenOut.Member(name: member.name, value: member.value, isPerhaps: isPerhaps))
      }
    }
    return out
  }

  /// What a loop goes over; nil = it isn't known.
  private mutating func loopTexts(_ collection: Value, _ depth: Int) throws(DocumentFault) -> [String?]? {
    guard let elements = try resolve(collection, depth + 1)?.list else { return nil }
    let texts = elements.map { $0.isSecret ? nil : $0.plainText }
    return texts.contains(nil) ? nil : texts
  }

  /// A loop's body for one text of what it goes over; nil = for one that isn't known.
  /// - Parameter isBody: names that aren't known stay as they are written: each stands for several.
  private mutating func replacing(
    _ value: Value, _ name: String, _ text: String?, _ depth: Int, isBody: Bool = false
  ) throws(DocumentFault) -> Value {
    guard depth < Self.mostDepth, stack.hasRoom else { throw tooMuch("too many levels", value.place) }
    try charge(1, value.place)
    func notKnown() -> Value {
      Value(.unknown(Unknown("loop \(name) goes over what isn't known", written: value)), at: value.place)
    }
    func written(_ old: String) throws(DocumentFault) -> String? {
      guard old.contains("{\(name)}") else { return old }
      guard let text else { return nil }
      // `&{…}` leaves out what no name of a resource can have.
      let plain = text.filter { $0.isASCII && ($0.isLetter || $0.isNumber) }
      let new = Self.replacing(Self.replacing(old, "${\(name)}", text), "&{\(name)}", plain)
      try charge(new.utf8.count / 64, value.place)
      return new
    }
    switch value.content {
    case .string(let old):
      guard let new = try written(old) else { return notKnown() }
      // Anew also where it is the same: findings tell resources apart by their values.
      return Value(.string(new), at: value.place, isSecret: value.isSecret)
    case .list(let elements):
      var out: [Value] = []
      for element in elements { out.append(try replacing(element, name, text, depth + 1)) }
      return Value(.list(out), at: value.place)
    case .map(let members):
      if members.all.count == 1, members["Ref"]?.string == name {
        return text.map { Value(.string($0), at: value.place) } ?? notKnown()
      }
      var out: [(name: String, value: Value)] = []
      var rest = members.rest
      for member in members.all {
        let own = try written(member.name)
        if own == nil, !isBody {
          rest = rest ?? Members.Rest(Unknown("loop \(name) goes over what isn't known"), absent: [])
          continue
        }
        out.append((own ?? member.name, try replacing(member.value, name, text, depth + 1)))
      }
      return Value(.map(Members(out, rest: rest)), at: value.place)
    default: return Value(value.content, at: value.place, isSecret: value.isSecret)
    }
  }

  private static func replacing(_ text: String, _ old: String, _ new: String) -> String {
    var out = ""
    var rest = text[...]
    while let found = rest.firstRange(of: old) {
      out += rest[..<found.lowerBound] + new
      rest = rest[found.upperBound...]
    }
    return out + rest
  }

  /// A map with a loop or a transformation in it.
  /// - Returns: nil where it is nothing but a transformation, a function like others.
  mutating func transformed(
    _ value: Value, _ members: Members, _ depth: Int
  ) throws(DocumentFault) -> Value? {
    let transform = members["Fn::Transform"]
    if transform != nil, members.all.count == 1 { return nil }
    if let transform, TemplateTransforms.mayChange(transform) {
      // What is written is no writing to go by.
      return Value(
        .unknown(Unknown(TemplateTransforms.unknown(transform).reason, mayBeAbsent: false)), at: value.place)
    }
    let written = try writtenOut(value, depth)
    var out: [(name: String, value: Value)] = []
    var open = transform.map { TemplateTransforms.unknown($0) } ?? written.unknown ?? members.rest?.unknown
    for member in written.members {
      guard !member.isPerhaps else {
        open = open ?? Unknown("a loop goes over what isn't known")
        continue
      }
      if let value = try resolve(member.value, depth + 1) { out.append((member.name, value)) }
    }
    // Who looks for the transformation itself finds it.
    if let transform {
      out.append(("Fn::Transform", unknown(TemplateTransforms.unknown(transform).reason, transform)))
    }
    return Value(
      .map(Members(out, rest: open.map { Members.Rest($0, absent: []) })), at: value.place)
  }
}
