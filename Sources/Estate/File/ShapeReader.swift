// Holds a YAML tree against the table of shapes: every key that isn't known, value of the wrong type, value out of
// its range and key that is missing becomes a fault, and reading goes on.

import Yams

struct ShapeReader {
  /// Keys to pass over.
  var passedOver: Set<EstatePlace>
  private(set) var faults: [EstateFault] = []
  /// Lists of the file in which something could not be read: names may be missing there.
  private(set) var incomplete: Set<String> = []

  init(passingOver: Set<EstatePlace>) { passedOver = passingOver }

  /// The value of a node; nil: a fault has been told. Texts of a wrong form are told and given all the same, so that
  /// what refers to them isn't told too.
  mutating func read(_ node: Yams.Node, as shape: Shape, at path: String) -> Item? {
    let place = EstatePlace(of: node)
    switch shape {
    case .name, .marketCode, .text, .address, .source, .backend, .account, .cloudName, .choice:
      return text(node, as: shape, at: path)
    case .integer(let range):
      guard let plain = plain(node, shape, path) else { return nil }
      guard let value = Shape.digits(Substring(plain)), range.contains(value) else {
        bad(place, path, plain, shape)
        return nil
      }
      return Item(value: .integer(value), place: place)
    case .milliseconds(let range):
      guard let plain = plain(node, shape, path) else { return nil }
      guard let value = Shape.microseconds(plain), range.contains(value) else {
        bad(place, path, plain, shape)
        return nil
      }
      return Item(value: .integer(value), place: place)
    case .boolean:
      guard let plain = plain(node, shape, path) else { return nil }
      guard plain == "true" || plain == "false" else {
        bad(place, path, plain, shape)
        return nil
      }
      return Item(value: .boolean(plain == "true"), place: place)
    case .list(let element, let count): return list(node, of: element, count: count, shape, path)
    case .map(let key, let value): return map(node, key: key, value: value, shape, path)
    case .object(let object): return self.object(node, object, shape, path)
    }
  }

  private mutating func bad(
    _ place: EstatePlace, _ path: String, _ found: String, _ shape: Shape, nearest: String? = nil
  ) {
    faults.append(
      EstateFault(
        .badValue, place, found: "\(path): found \"\(Self.shortened(found))\"",
        wanted: "wanted \(shape.wanted)",
        nearest: nearest))
  }

  private mutating func wrongType(_ node: Yams.Node, _ shape: Shape, _ path: String) {
    let found: String
    switch node {
    case .mapping: found = "keys with values"
    case .sequence: found = "a list"
    case .alias: found = "an alias"
    case .scalar(let scalar):
      if !Self.isUntagged(scalar) {
        found = "a value with the tag \(Self.shortened(scalar.tag.description))"
      } else if scalar.style != .plain {
        found = "the text \"\(Self.shortened(scalar.string))\""
      } else if scalar.string.isEmpty || scalar.string == "~" || scalar.string.lowercased() == "null" {
        found = "nothing"
      } else {
        found = "\(Self.shortened(scalar.string))"
      }
    }
    incomplete.insert(Self.root(of: path))
    faults.append(
      EstateFault(
        .wrongType, EstatePlace(of: node), found: "\(path): found \(found)", wanted: "wanted \(shape.wanted)")
    )
  }

  /// `links` of `links[2].between`.
  private static func root(of path: String) -> String {
    String(path.prefix { $0 != "[" && $0 != "." && $0 != ":" })
  }

  /// Whether nobody gave a value a tag; a tag that follows from the value itself is none.
  private static func isUntagged(_ tag: Tag, _ own: Tag.Name) -> Bool {
    tag.description == Tag.Name.implicit.rawValue || tag.description == own.rawValue
  }

  private static func isUntagged(_ scalar: Yams.Node.Scalar) -> Bool {
    isUntagged(scalar.tag, .str) || isUntagged(scalar.tag, plainTag(scalar.string))
  }

  /// What readers of YAML take a text without quotes for.
  static func plainTag(_ text: String) -> Tag.Name { Resolver.default.resolveTag(of: Yams.Node(text)) }

  /// A scalar that stands without quotes.
  private mutating func plain(_ node: Yams.Node, _ shape: Shape, _ path: String) -> String? {
    guard case .scalar(let scalar) = node, scalar.style == .plain, Self.isUntagged(scalar),
      !scalar.string.isEmpty
    else {
      wrongType(node, shape, path)
      return nil
    }
    return scalar.string
  }

  private mutating func text(_ node: Yams.Node, as shape: Shape, at path: String) -> Item? {
    // What other readers of YAML take for a number, a date or a yes is not taken for a text here either.
    guard case .scalar(let scalar) = node, Self.isUntagged(scalar),
      scalar.style != .plain || Self.plainTag(scalar.string) == .str
    else {
      wrongType(node, shape, path)
      return nil
    }
    let (string, place) = (scalar.string, EstatePlace(of: node))
    if let secret = TextForms.secret(in: string, shape) {
      faults.append(
        EstateFault(
          .secret, place, found: "\(path): a \(secret) stands in the file",
          wanted: "an estate without secrets"))
    } else if case .choice(let words) = shape {
      guard words.contains(string) else {
        bad(place, path, string, shape, nearest: NameDistance.nearest(to: string, among: words))
        return nil
      }
    } else if !TextForms.isGood(string, as: shape) {
      var nearest: String?
      if case .source = shape, let colon = string.firstIndex(of: ":") {
        nearest = NameDistance.nearest(to: String(string[..<colon]), among: TextForms.schemes).map {
          $0 + string[colon...]
        }
        if nearest == string { nearest = nil }
      }
      bad(place, path, string, shape, nearest: nearest)
    }
    return Item(value: .text(string), place: place)
  }

  private mutating func list(
    _ node: Yams.Node, of element: Shape, count: ClosedRange<Int>, _ shape: Shape, _ path: String
  ) -> Item? {
    guard case .sequence(let sequence) = node, Self.isUntagged(sequence.tag, Tag.Name.seq) else {
      wrongType(node, shape, path)
      return nil
    }
    let place = EstatePlace(of: node)
    if !count.contains(sequence.count) {
      incomplete.insert(Self.root(of: path))
      faults.append(
        EstateFault(
          .badValue, place, found: "\(path): found \(sequence.count) elements",
          wanted: "wanted \(shape.wanted)"))
      if sequence.count > count.upperBound { return nil }
    }
    var items: [Item] = []
    for (number, child) in sequence.enumerated() {
      if let item = read(child, as: element, at: "\(path)[\(number + 1)]") { items.append(item) }
    }
    return Item(value: .list(items), place: place)
  }

  private mutating func map(
    _ node: Yams.Node, key keyShape: Shape, value: Shape, _ shape: Shape, _ path: String
  ) -> Item? {
    guard case .mapping(let mapping) = node, Self.isUntagged(mapping.tag, Tag.Name.map) else {
      wrongType(node, shape, path)
      return nil
    }
    var pairs: [(key: String, item: Item)] = []
    for (key, child) in mapping where !passedOver.contains(EstatePlace(of: key)) {
      guard let name = text(key, as: keyShape, at: "\(path): a key"), case .text(let text) = name.value,
        let item = read(child, as: value, at: "\(path).\(Self.shortened(text))")
      else { continue }
      pairs.append((text, Item(value: item.value, place: name.place)))
    }
    return Item(value: .map(pairs), place: EstatePlace(of: node))
  }

  private mutating func object(
    _ node: Yams.Node, _ object: ObjectShape, _ shape: Shape, _ path: String
  ) -> Item? {
    guard case .mapping(let mapping) = node, Self.isUntagged(mapping.tag, Tag.Name.map) else {
      wrongType(node, shape, path)
      return nil
    }
    let place = EstatePlace(of: node)
    var pairs: [(key: String, item: Item)] = []
    var given: Set<String> = []
    for (key, child) in mapping where !passedOver.contains(EstatePlace(of: key)) {
      let name = key.scalar?.string ?? ""
      guard let known = object.keys.first(where: { $0.name == name }) else {
        unknown(key, name, object, path)
        continue
      }
      given.insert(name)
      if let item = read(child, as: known.shape, at: path.isEmpty ? name : "\(path).\(name)") {
        pairs.append((name, item))
      }
    }
    for key in object.keys where key.isRequired && !given.contains(key.name) {
      incomplete.insert(Self.root(of: path.isEmpty ? key.name : path))
      faults.append(
        EstateFault(
          .missingKey, place, found: "\(path.isEmpty ? "" : "\(path): ")no \"\(key.name)\"",
          wanted:
            "wanted \(key.shape.wanted) (\(key.what.prefix(1).lowercased())\(key.what.dropFirst().dropLast()))"
        ))
    }
    return Item(value: .map(pairs), place: place)
  }

  private mutating func unknown(_ key: Yams.Node, _ name: String, _ object: ObjectShape, _ path: String) {
    let names = object.keys.map(\.name)
    let place = EstatePlace(of: key)
    let shown = "\(path.isEmpty ? "" : "\(path): ")the key \"\(Self.shortened(name))\""
    if TextForms.secretKeys.contains(where: name.lowercased().contains) {
      faults.append(EstateFault(.secret, place, found: shown, wanted: "an estate without secrets"))
    } else {
      faults.append(
        EstateFault(
          .unknownKey, place, found: "\(shown) isn't known in \(object.title)",
          wanted: "known: \(names.joined(separator: ", "))",
          nearest: NameDistance.nearest(to: name, among: names)))
    }
  }

  /// Enough of a text to find it again; control characters would play with the terminal.
  static func shortened(_ text: String) -> String {
    let shown = String(
      String.UnicodeScalarView(
        text.unicodeScalars.prefix(80).map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }))
    return shown.unicodeScalars.count < text.unicodeScalars.count ? shown + "…" : shown
  }
}
