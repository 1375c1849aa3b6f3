// How resources of other tools become CloudFormation's: one table of types, in text so that it can be read and extended
// by who knows the types. A line is a member: its name there, how it is changed, its name in CloudFormation.
//
//     aws_kms_key = AWS::KMS::Key
//       policy json KeyPolicy
//       tags tags Tags
//
// How: nothing = as it is; `json` = JSON text to a value; `tags` = a map to a list of Key and Value; `one` = a block
// (a list of one, or a map) with members of its own below; `given` = the same, but a block in which nothing is given is
// nothing; `many` = blocks; `list` = a single value to a list of one;
// `text` = as text; `filled` = as it is, but an empty text is nothing; `onoff(A,B)` = A for true, B for false; `each(Name)` = a list of values to a list of maps; `pick(Name)` =
// a list of maps to a list of one of their members; `int`, `flag` = text to a number, to true or false; `pascal` = words
// with dashes to one word (`public-read` to `PublicRead`).
// A name there with dots is a path: `TagList.Tag`.
// A line that begins with `+` gives a member that isn't there: `+ Name value`. `aws_alb = aws_lb`: another name of a type
// above. `A = B by member`: a part of another resource, which that member names.
// `A#x = B by member`: what a member of A is a resource of its own in CloudFormation (a bucket's policy), one for each where
// it is a list. Its lines see two members: `value`, and `owner`, A's member or a reference to A where that isn't known.

import GuardRules

/// A member's way.
struct MemberShape: Sendable {
  enum Way: Sendable {
    case same, json, tags, one, given, many, list, text, filled, int, flag, pascal
    case onOff(String, String)
    case each(String)
    case pick(String)
  }

  let from: String
  let way: Way
  /// Names within each other, from the outermost.
  let to: [String]
  var members: [MemberShape] = []
}

/// A type's way.
struct TypeShape: Sendable {
  let from: String
  let to: String
  /// What is part of another resource: the member by which it names it.
  var partOf: String?
  var members: [MemberShape] = []
  /// Members that are always so.
  var fixed: [(path: [String], value: String)] = []
}

/// A line of a table that can't be read: a fault of this program, found by its tests.
struct ShapeTableFault: Error, CustomStringConvertible {
  let line: Int
  let description: String
}

/// What stands within a resource and is one of its own in CloudFormation.
struct InnerShape: Sendable {
  /// The member of the resource, or a path to it.
  let member: String
  let shape: TypeShape
}

/// Types by their name in the other tool.
struct ShapeTable: Sendable {
  private(set) var types: [String: TypeShape] = [:]
  /// What is made of members, by the type that has them.
  private(set) var inner: [String: [InnerShape]] = [:]

  /// CloudFormation's types that resources of a type become.
  func shapes(of type: String) -> [String] {
    (types[type].map { [$0.to] } ?? []) + (inner[type] ?? []).map(\.shape.to)
  }

  /// Names of properties that the table knows of a CloudFormation type, whatever they come from.
  func names(of type: String) -> Set<String> {
    (types.values + inner.values.joined().map(\.shape)).filter { $0.to == type }.reduce(into: []) {
      names, shape in
      names.formUnion(Shaping.names(shape.members))
      names.formUnion(shape.fixed.compactMap(\.path.first))
    }
  }

  init(_ text: String) throws(ShapeTableFault) {
    var current: TypeShape?
    var stack: [(indent: Int, shape: MemberShape)] = []
    func close(_ indent: Int) {
      while let last = stack.last, last.indent >= indent {
        stack.removeLast()
        if stack.isEmpty {
          current?.members.append(last.shape)
        } else {
          stack[stack.count - 1].shape.members.append(last.shape)
        }
      }
    }
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let words = line.split(separator: " ").map(String.init)
      guard let first = words.first, !first.hasPrefix("//") else { continue }
      let indent = line.prefix { $0 == " " }.count
      func wrong(_ what: String) -> ShapeTableFault {
        ShapeTableFault(line: number + 1, description: "line \(number + 1): \(what): \(line)")
      }
      if indent == 0 {
        close(0)
        if let current { take(current) }
        guard words.count == 3 || words.count == 5, words[1] == "=" else { throw wrong("wanted NAME = TYPE") }
        guard types[first] == nil else { throw wrong("a type twice") }
        if let known = types[words[2]] {
          types[first] = TypeShape(
            from: first, to: known.to, partOf: known.partOf, members: known.members, fixed: known.fixed)
          inner[first] = inner[words[2]]
          current = nil
          continue
        }
        current = TypeShape(from: first, to: words[2])
        if words.count == 5 {
          guard words[3] == "by" else { throw wrong("wanted by MEMBER") }
          current?.partOf = words[4]
        }
        continue
      }
      close(indent)
      guard current != nil else { throw wrong("a member without a type") }
      if first == "+" {
        guard words.count >= 3 else { throw wrong("wanted + Name value") }
        current?.fixed.append(
          (words[1].split(separator: ".").map(String.init), words[2...].joined(separator: " ")))
        continue
      }
      guard words.count == 2 || words.count == 3 else { throw wrong("wanted name [how] Name") }
      guard let way = words.count == 2 ? .same : Self.way(words[1]) else { throw wrong("no such way") }
      let to = (words.last ?? "").split(separator: ".").map(String.init)
      stack.append((indent, MemberShape(from: first, way: way, to: to)))
    }
    close(0)
    if let current { take(current) }
  }

  private mutating func take(_ shape: TypeShape) {
    guard let sign = shape.from.firstIndex(of: "#") else {
      types[shape.from] = shape
      return
    }
    let member = String(shape.from[shape.from.index(after: sign)...])
    inner[String(shape.from[..<sign]), default: []].append(InnerShape(member: member, shape: shape))
  }

  private static func way(_ word: String) -> MemberShape.Way? {
    switch word {
    case "json": return .json
    case "tags": return .tags
    case "one": return .one
    case "given": return .given
    case "many": return .many
    case "list": return .list
    case "text": return .text
    case "filled": return .filled
    case "int": return .int
    case "flag": return .flag
    case "pascal": return .pascal
    default: break
    }
    guard word.hasSuffix(")"), let open = word.firstIndex(of: "(") else { return nil }
    let inner = word[word.index(after: open)..<word.index(before: word.endIndex)].split(separator: ",").map(
      String.init)
    switch (word[..<open], inner.count) {
    case ("onoff", 2): return .onOff(inner[0], inner[1])
    case ("each", 1): return .each(inner[0])
    case ("pick", 1): return .pick(inner[0])
    default: return nil
    }
  }
}
