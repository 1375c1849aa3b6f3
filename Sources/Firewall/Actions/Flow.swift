// Actions that steer the test and the walk.

enum Flow {
  static let all = [
    ActionDefinition("t", .needed) { text, parts, builder, place in
      if text.lowercased() == "none" {
        parts.transformations = []
      } else if let transformation = Transformations.named(text) {
        parts.transformations.append(
          transformation.name == Transformation.urlDecodeUni.name ? builder.urlDecodeUni : transformation)
      } else {
        builder.fault(
          place, found: "the transformation \"\(text)\"",
          wanted: "a transformation of SecLang" + builder.nearest(text, Transformations.all.map(\.name)))
      }
    },
    ActionDefinition("multiMatch") { _, parts, _, _ in parts.isMultiMatch = true },
    ActionDefinition("capture") { _, parts, _, _ in parts.isCapturing = true },
    ActionDefinition("skip", .needed) { text, parts, builder, place in
      if let count = Int(text), (1...100_000).contains(count) {
        parts.skip = count
      } else {
        builder.fault(place, found: "skip \"\(text)\"", wanted: "a number of rules, from 1 to 100,000")
      }
    },
    ActionDefinition("skipAfter", .needed) { text, parts, _, _ in parts.skipAfter = text },
    ActionDefinition("xmlns", .needed) { text, _, builder, place in
      let pair = text.split(separator: "=", maxSplits: 1).map(String.init)
      guard pair.count == 2 else {
        builder.fault(place, found: "xmlns \"\(text)\"", wanted: "prefix=URI")
        return
      }
      let uri = pair[1].trimmingQuotes
      if let other = builder.xmlNamespaces.first(where: { $0.prefix == pair[0] && $0.uri != uri }) {
        builder.fault(
          place, found: "xmlns:\(pair[0]) for \(uri), and elsewhere for \(other.uri)",
          wanted: "a prefix of its own for each namespace")
        return
      }
      builder.xmlNamespaces.append((prefix: pair[0], uri: uri))
    },
    ActionDefinition("exec", .needed) { _, _, builder, place in
      builder.fault(
        place, found: "the action `exec`", wanted: "no programs: a firewall that runs them is a way in")
    },
    ActionDefinition("append", .needed) { _, _, builder, place in
      builder.fault(place, found: "the action `append`", wanted: "no changes of content: they aren't offered")
    },
    ActionDefinition("prepend", .needed) { _, _, builder, place in
      builder.fault(
        place, found: "the action `prepend`", wanted: "no changes of content: they aren't offered")
    },
  ]
}

extension String {
  /// Without the quotes around it.
  var trimmingQuotes: String {
    guard count >= 2, let first, first == last, first == "'" || first == "\"" else { return self }
    return String(dropFirst().dropLast())
  }
}
