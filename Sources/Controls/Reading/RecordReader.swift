// A document of a company's decisions → checked parts. All faults are told, each with its place; names that aren't known are
// faults too, so that a misspelt condition isn't a condition left out.

import GuardRules

/// Faults of one document, in the order in which they were found.
final class FaultList {
  private(set) var all: [DocumentFault] = []

  func add(_ place: TextPlace, _ found: String, wanted: String) {
    all.append(DocumentFault(place: place, found: found, wanted: wanted))
  }
}

/// One map of a document.
struct RecordReader {
  private let value: Value
  private let path: String
  private let faults: FaultList

  init(_ value: Value, path: String, _ faults: FaultList) {
    (self.value, self.path, self.faults) = (value, path, faults)
    if case .map = value.content { return }
    faults.add(
      value.place, "\(path.isEmpty ? "the document" : path): a \(value.kind)", wanted: "names with values")
  }

  var place: TextPlace { value.place }
  var isEmpty: Bool { members.isEmpty }

  private var members: [Members.Member] {
    if case .map(let members) = value.content { return members.all }
    return []
  }

  private func at(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  private subscript(name: String) -> Value? { members.first { $0.name == name }?.value }

  /// Tells of all other names.
  func only(_ names: String...) {
    for member in members where !names.contains(member.name) {
      faults.add(
        member.value.place, "\(at(member.name))",
        wanted: "one of \(names.joined(separator: ", "))" + NearestName.hint(member.name, in: names))
    }
  }

  func has(_ name: String) -> Bool { self[name] != nil }

  func missing(_ name: String, wanted: String) {
    faults.add(place, "\(path.isEmpty ? "the document" : path) without \(name)", wanted: wanted)
  }

  func wrong(_ name: String, _ found: String, wanted: String) {
    faults.add(self[name]?.place ?? place, "\(at(name)): \(found)", wanted: wanted)
  }

  // MARK: - Parts

  /// A map within; nil = there is none.
  func section(_ name: String, isRequired: Bool = false) -> RecordReader? {
    guard let inner = self[name] else {
      if isRequired { missing(name, wanted: "\(at(name)) with names and values") }
      return nil
    }
    return RecordReader(inner, path: at(name), faults)
  }

  /// The maps of a list within.
  func sections(_ name: String) -> [RecordReader] {
    guard let inner = self[name] else { return [] }
    guard case .list(let values) = inner.content else {
      wrong(name, "a \(inner.kind)", wanted: "a list")
      return []
    }
    return values.enumerated().map { RecordReader($1, path: "\(at(name))[\($0)]", faults) }
  }

  /// Text; a whole number counts as its digits. Nil = there is none, or a fault was told.
  func text(_ name: String, isRequired: Bool = false, wanted: String = "a text") -> String? {
    guard let found = self[name] else {
      if isRequired { missing(name, wanted: wanted) }
      return nil
    }
    switch found.content {
    case .string(let text) where !text.allSatisfy(\.isWhitespace): return text
    case .int(let number): return String(number)
    case .string: wrong(name, "nothing", wanted: wanted)
    default: wrong(name, "a \(found.kind)", wanted: wanted)
    }
    return nil
  }

  /// One of some words.
  func choice(_ name: String, of words: [String], isRequired: Bool = false) -> String? {
    let wanted = words.joined(separator: ", ")
    guard let found = text(name, isRequired: isRequired, wanted: wanted) else { return nil }
    if words.contains(found) { return found }
    wrong(name, found, wanted: wanted)
    return nil
  }

  func flag(_ name: String) -> Bool? {
    guard let found = self[name] else { return nil }
    if case .bool(let flag) = found.content { return flag }
    wrong(name, found.text, wanted: "true or false")
    return nil
  }

  func number(_ name: String, _ range: ClosedRange<Int>) -> Int? {
    guard let found = self[name] else { return nil }
    if case .int(let number) = found.content, let number = Int(exactly: number), range.contains(number) {
      return number
    }
    wrong(name, found.text, wanted: "\(range.lowerBound) to \(range.upperBound)")
    return nil
  }

  func day(_ name: String, isRequired: Bool = false) -> CalendarDay? {
    guard let found = text(name, isRequired: isRequired, wanted: "a day, YYYY-MM-DD") else { return nil }
    if let day = CalendarDay(found) { return day }
    wrong(name, found, wanted: "a day, YYYY-MM-DD")
    return nil
  }

  /// A list of texts; nil = there is none.
  func texts(_ name: String) -> [String]? {
    guard let found = self[name] else { return nil }
    guard case .list(let values) = found.content else {
      wrong(name, "a \(found.kind)", wanted: "a list")
      return nil
    }
    var out: [String] = []
    for value in values {
      switch value.content {
      case .string(let text): out.append(text)
      case .int(let number): out.append(String(number))
      default: faults.add(value.place, "\(at(name)): a \(value.kind)", wanted: "texts")
      }
    }
    return out
  }

  /// Names and texts, in the order of the document; numbers and booleans count as they are written.
  func pairs(_ name: String) -> [(name: String, value: String)] {
    guard let inner = section(name) else { return [] }
    return inner.members.compactMap { member in
      switch member.value.content {
      case .string(let text): return (member.name, text)
      case .int(let number): return (member.name, String(number))
      case .bool(let flag): return (member.name, flag ? "true" : "false")
      default:
        inner.wrong(member.name, "a \(member.value.kind)", wanted: "a text")
        return nil
      }
    }
  }
}
