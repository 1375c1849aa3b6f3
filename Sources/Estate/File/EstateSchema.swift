// The shapes as JSON Schema (draft 2020-12), for editors, and as the tables of docs/ESTATE.md. What a schema can't say
// (names that lead somewhere, addresses that are somebody's) `EstateCheck` says.

/// See the head of this file.
public enum EstateSchema {
  /// The JSON Schema of an estate file.
  public static var text: String {
    var out = ""
    let head: [(String, JSON)] = [
      ("$schema", .string("https://json-schema.org/draft/2020-12/schema")),
      ("title", .string("Kabuto estate")),
    ]
    guard case .object(let pairs) = json(.object(EstateShapes.estate)) else { return out }
    JSON.object(head + pairs).write(indent: "", into: &out)
    return out + "\n"
  }

  /// The tables of every key, and of the codes of faults, as Markdown.
  public static var reference: String {
    var out = ""
    for (path, object) in EstateShapes.all {
      out += "### \(path.isEmpty ? "The file" : "`\(path)`")\n\(object.what)\n\n"
      out += "| key | holds | if left out | what it is |\n| --- | --- | --- | --- |\n"
      for key in object.keys {
        let otherwise = key.isRequired ? "must be there" : key.otherwise ?? "–"
        out += "| `\(key.name)` | \(holds(key.shape)) | \(otherwise) | \(key.what) |\n"
      }
      out += "\n"
    }
    out += "### Faults\n| code | | remedy |\n| --- | --- | --- |\n"
    for code in EstateFaultCode.allCases {
      out += "| \(code.rawValue) | \(code.summary) | \(code.remedy) |\n"
    }
    return out
  }

  private static func holds(_ shape: Shape) -> String {
    switch shape {
    case .list(.object(let object), _): "a list, each \(object.title)"
    case .object: "keys, below"
    default: shape.wanted
    }
  }

  private static func json(_ shape: Shape) -> JSON {
    func string(_ pattern: String) -> JSON {
      .object([("type", .string("string")), ("pattern", .string(pattern))])
    }
    switch shape {
    case .name: return string("^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")
    case .marketCode: return string("^[A-Z0-9]{1,10}$")
    case .text: return string("^[^\\u0000-\\u001f\\u007f-\\u009f]{1,1024}$")
    case .address: return string("^([A-Za-z0-9.-]{1,253}|[0-9A-Fa-f:.]{2,45})$")
    case .source:
      return string("^(\(TextForms.schemes.joined(separator: "|"))):[^\\u0000-\\u001f\\u007f-\\u009f]*$")
    case .backend: return string("^https?://[^/?#@]+:[0-9]{1,5}$")
    case .account: return string("^[0-9]{12}$")
    case .cloudName: return string("^[a-z0-9][a-z0-9.-]{0,39}$")
    case .integer(let range):
      return .object([
        ("type", .string("integer")), ("minimum", .number("\(range.lowerBound)")),
        ("maximum", .number("\(range.upperBound)")),
      ])
    case .milliseconds(let range):
      return .object([
        ("type", .string("number")), ("minimum", .number(Shape.milliseconds(range.lowerBound))),
        ("maximum", .number(Shape.milliseconds(range.upperBound))),
      ])
    case .boolean: return .object([("type", .string("boolean"))])
    case .choice(let words): return .object([("enum", .array(words.map(JSON.string)))])
    case .list(let element, let count):
      return .object([
        ("type", .string("array")), ("minItems", .number("\(count.lowerBound)")),
        ("maxItems", .number("\(count.upperBound)")), ("items", json(element)),
      ])
    case .map(let key, let value):
      return .object([
        ("type", .string("object")), ("propertyNames", json(key)), ("additionalProperties", json(value)),
      ])
    case .object(let object):
      let properties = object.keys.map { key -> (String, JSON) in
        guard case .object(let pairs) = json(key.shape) else { return (key.name, .object([])) }
        let otherwise = key.otherwise.map { " If left out: \($0)." } ?? ""
        return (key.name, .object([("description", .string(key.what + otherwise))] + pairs))
      }
      return .object([
        ("type", .string("object")), ("additionalProperties", .boolean(false)),
        ("required", .array(object.keys.filter(\.isRequired).map { .string($0.name) })),
        ("properties", .object(properties)),
      ])
    }
  }

  /// JSON in the order in which it is put.
  private indirect enum JSON {
    case string(String)
    case number(String)
    case boolean(Bool)
    case array([JSON])
    case object([(String, JSON)])

    func write(indent: String, into out: inout String) {
      switch self {
      case .string(let text): out += Self.quoted(text)
      case .number(let text): out += text
      case .boolean(let flag): out += flag ? "true" : "false"
      case .array(let elements):
        out += "["
        for (number, element) in elements.enumerated() {
          if number > 0 { out += ", " }
          element.write(indent: indent, into: &out)
        }
        out += "]"
      case .object(let pairs):
        out += pairs.isEmpty ? "{}" : "{\n"
        for (number, (key, value)) in pairs.enumerated() {
          out += indent + "  " + Self.quoted(key) + ": "
          value.write(indent: indent + "  ", into: &out)
          out += number + 1 < pairs.count ? ",\n" : "\n\(indent)}"
        }
      }
    }

    private static func quoted(_ text: String) -> String {
      "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
  }
}

extension EstateFaultCode {
  /// What it means, for the reference.
  public var summary: String {
    switch self {
    case .notText: "the file is too large, or not UTF-8"
    case .notYAML: "the text is not YAML"
    case .tooMuch: "too deep, or an anchor or alias"
    case .keyTwice: "a key occurs twice"
    case .unknownKey: "a key that isn't known there"
    case .wrongType: "a value of another type"
    case .missingKey: "a key that must be there isn't"
    case .badValue: "a value out of its range, or of a form that isn't taken"
    case .secret: "a password, token or private key in the file"
    case .nameTwice: "two things of a kind have one name"
    case .unknownZone: "a zone that no site has"
    case .linkZone: "a link ends in a zone that no site has"
    case .unknownNode: "a node that isn't described"
    case .unknownMarket: "a market that isn't described"
    case .unknownNeed: "a need that is no service and no database"
    case .needCycle: "services that need each other in a circle"
    case .listedTwice: "a list names something twice"
    case .linkToItself: "a link begins and ends in one zone"
    case .zoneApart: "no link leads to a zone"
    case .addressTwice: "two listen at one address and port"
    case .noPlant: "a market without a plant"
    case .plantOutOfReach: "a gateway that reaches no plant of a market"
    case .oneStream: "two streams are to be merged of a market that has one plant"
    case .budgetTooLarge: "budgets are more than the link's bandwidth"
    case .noBackend: "a firewall with nothing behind it"
    case .noBackbone: "several nodes without a backbone"
    case .nodesAtLocation: "a node where lines are only handed over"
    case .uselessKey: "a key that does nothing without a role or market"
    case .halfTLS: "a part of tls is missing"
    case .twoKeepers: "several servers of a rail keep streams"
    case .zoneElsewhere: "a zone is in no cloud, or in no region that is used"
    case .railsTogether: "warning: rails that fail together in a site"
    case .standbyAlone: "warning: a standby link without an active way"
    case .carrierTogether: "warning: sites are apart without one carrier, although there are several lines"
    case .locationTogether: "warning: sites are apart without one location, although there are several lines"
    case .oneRail: "warning: one rail only"
    case .railMissesSite: "warning: a rail has no server in a site with nodes"
    case .onePlant: "warning: all plants of a market stand in one zone"
    case .nobodyAsked: "warning: a backbone beyond one host without credentials"
    }
  }
}
