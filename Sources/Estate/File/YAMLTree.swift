// YAML text → a tree of nodes with marks, within limits: 1 MB, 32 levels, no anchors, aliases or tags. A key that
// occurs twice is a fault like others: it is set aside and reading goes on.

import Foundation
import Yams

struct YAMLTree {
  static let byteLimit = 1_048_576
  static let depthLimit = 32
  /// More asterisks than this are not even parsed: so many aliases can stand for more than memory holds.
  private static let asteriskLimit = 24
  /// Keys that occur twice are set aside one by one, each with another pass over the text.
  private static let repeatLimit = 20

  /// The root; nil: the text is empty or no YAML, and `faults` says why.
  private(set) var root: Yams.Node?
  /// Keys that are passed over, since they occur again later.
  private(set) var passedOver: Set<EstatePlace> = []
  private(set) var faults: [EstateFault] = []

  init(_ text: String) {
    let start = EstatePlace(line: 1, column: 1)
    guard text.utf8.count <= Self.byteLimit else {
      faults.append(
        EstateFault(.notText, start, found: "\(text.utf8.count) bytes", wanted: "at most \(Self.byteLimit)"))
      return
    }
    if let place = Self.tooManyAsterisks(text) {
      faults.append(
        EstateFault(
          .tooMuch, place,
          found: "more than \(Self.asteriskLimit) asterisks, of which each may begin an alias",
          wanted: "values without aliases"))
      return
    }
    var text = text
    for _ in 0...Self.repeatLimit {
      do {
        let parser = try Parser(yaml: text, encoding: .utf8)
        root = try parser.singleRoot()
        // Marks of anchors live as long as the parser.
        withExtendedLifetime(parser) { check() }
        break
      } catch YamlError.duplicatedKeysInMapping(let duplicates, let context) {
        let place = EstatePlace(line: context.mark.line, column: context.mark.column)
        faults.append(
          EstateFault(
            .keyTwice, place, found: "the key \"\(duplicates.first ?? "")\" occurs again below",
            wanted: "each key once"))
        guard let other = Self.renaming(text, at: place, round: passedOver.count) else { return }
        passedOver.insert(place)
        text = other
      } catch {
        faults.append(Self.fault(of: error, text))
        return
      }
    }
    if root == nil, faults.isEmpty {
      faults.append(
        EstateFault(.missingKey, start, found: "nothing", wanted: EstateShapes.estate.keys[0].what))
    }
  }

  private static func tooManyAsterisks(_ text: String) -> EstatePlace? {
    var count = 0
    for (number, line) in text.utf8.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
      if line.first(where: { $0 != 32 }) == UInt8(ascii: "#") { continue }
      count += line.count { $0 == UInt8(ascii: "*") }
      if count > asteriskLimit { return EstatePlace(line: number + 1, column: 1) }
    }
    return nil
  }

  /// The text with the first letter of the key at a place changed, so that it is another key.
  private static func renaming(_ text: String, at place: EstatePlace, round: Int) -> String? {
    var scalars = Array(text.unicodeScalars)
    var (line, index) = (1, 0)
    while line < place.line, index < scalars.count {
      if scalars[index] == "\n" { line += 1 }
      index += 1
    }
    index += place.column - 1
    if index < scalars.count, scalars[index] == "\"" || scalars[index] == "'" { index += 1 }
    // Letters of a script that no key is written in.
    guard index < scalars.count, scalars[index] != "\n", let other = Unicode.Scalar(0x16A0 + UInt32(round))
    else { return nil }
    scalars[index] = other
    var changed = String.UnicodeScalarView()
    changed.append(contentsOf: scalars)
    return String(changed)
  }

  private static func fault(of error: any Error, _ text: String) -> EstateFault {
    func told(_ context: YamlError.Context?, _ problem: String, _ mark: Yams.Mark) -> EstateFault {
      let reason = [context?.text, problem].compactMap(\.self).joined(separator: ", ")
      return EstateFault(
        .notYAML, EstatePlace(line: mark.line, column: mark.column), found: reason, wanted: "YAML")
    }
    switch error {
    case YamlError.scanner(let context, let problem, let mark, _),
      YamlError.parser(let context, let problem, let mark, _),
      YamlError.composer(let context, let problem, let mark, _):
      return told(context, problem, mark)
    case YamlError.reader(let problem, let offset, let value, _):
      let before = text.prefix(offset ?? 0)
      let line = before.split(separator: "\n", omittingEmptySubsequences: false)
      return EstateFault(
        .notYAML, EstatePlace(line: max(1, line.count), column: (line.last?.count ?? 0) + 1),
        found: "\(problem): U+\(String(value, radix: 16, uppercase: true))", wanted: "YAML")
    default:
      return EstateFault(.notYAML, EstatePlace(line: 1, column: 1), found: "\(error)", wanted: "YAML")
    }
  }

  /// Refuses what is too deep, and anchors with all that they could do.
  private mutating func check() {
    guard let root else { return }
    var waiting = [(node: root, depth: 1)]
    while let (node, depth) = waiting.popLast() {
      let place = EstatePlace(of: node)
      if node.anchor != nil {
        refuse(place, "an anchor", "values without anchors and aliases")
        return
      }
      if depth > Self.depthLimit {
        refuse(
          place, "more than \(Self.depthLimit) levels", "at most \(Self.depthLimit) levels within each other")
        return
      }
      switch node {
      case .mapping(let mapping):
        for (key, value) in Array(mapping).reversed() {
          waiting.append((value, depth + 1))
          waiting.append((key, depth + 1))
        }
      case .sequence(let sequence):
        for element in sequence.reversed() { waiting.append((element, depth + 1)) }
      case .scalar, .alias: break
      }
    }
  }

  private mutating func refuse(_ place: EstatePlace, _ found: String, _ wanted: String) {
    root = nil
    faults.append(EstateFault(.tooMuch, place, found: found, wanted: wanted))
  }
}

extension EstatePlace {
  /// Where a node begins.
  init(of node: Yams.Node) { self.init(line: node.mark?.line ?? 1, column: node.mark?.column ?? 1) }
}
