// A document of a company's decisions → checked parts. All faults are told, each with its place; names that aren't known are
// faults too, so that a misspelt condition isn't a condition left out.

import GuardRules

/// One map of a document.
struct RecordReader {
  private let value: Value
  private let path: String
  private let faults: FaultList

  private init(_ value: Value, path: String, _ faults: FaultList) {
    (self.value, self.path, self.faults) = (value, path, faults)
    if !isMap { fault("\(subject): a \(value.kind)", wanted: "names with values") }
  }

  /// Reads a document.
  /// - Parameter body: makes something of its outermost map; nil = it can't, and said why.
  /// - Throws: `DocumentFaults`, all of them.
  static func reading<T>(_ text: String, _ body: (RecordReader) -> T?) throws(DocumentFaults) -> T {
    let document: Value
    do throws(DocumentFault) { document = try Value.reading(yaml: text) } catch {
      throw DocumentFaults([error])
    }
    let faults = FaultList()
    let read = body(RecordReader(document, path: "", faults))
    if let read, faults.all.isEmpty { return read }
    if faults.all.isEmpty { faults.add(document.place, document.kind, wanted: "something that can be read") }
    throw DocumentFaults(faults.all)
  }

  var place: TextPlace { value.place }
  var isEmpty: Bool { members.isEmpty }
  /// Whether it is a map, and has nothing in it.
  var isEmptyMap: Bool { isMap && members.isEmpty }

  private var isMap: Bool {
    if case .map = value.content { return true }
    return false
  }
  private var members: [Members.Member] {
    if case .map(let members) = value.content { return members.all }
    return []
  }

  /// What it is, for people.
  private var subject: String { path.isEmpty ? "the document" : path }
  private func at(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  private subscript(name: String) -> Value? { members.first { $0.name == name }?.value }

  // MARK: - Faults

  /// Tells of all other names.
  func only(_ names: String...) { only(names) }
  func only(_ names: [String]) {
    for member in members where !names.contains(member.name) {
      faults.add(
        member.value.place, "\(at(member.name))",
        wanted: "one of \(names.joined(separator: ", "))" + NearestName.hint(member.name, in: names))
    }
  }

  func missing(_ name: String, wanted: String) {
    // Where there is no map at all, that was told.
    if isMap { fault("\(subject) without \(name)", wanted: wanted) }
  }

  func wrong(_ name: String, _ found: String, wanted: String) {
    faults.add(place(of: name), "\(at(name)): \(found)", wanted: wanted)
  }

  /// A fault of the whole, or of a place within.
  func fault(at place: TextPlace? = nil, _ found: String, wanted: String) {
    faults.add(place ?? self.place, found, wanted: wanted)
  }

  // MARK: - What is there

  func has(_ name: String) -> Bool { self[name] != nil }

  /// Where a value stands; where there is none, the map.
  func place(of name: String) -> TextPlace { self[name]?.place ?? place }

  /// Whether a value is this text; an empty one is nothing at all.
  func isWord(_ name: String, _ word: String) -> Bool {
    if case .string(word)? = self[name]?.content { return true }
    return false
  }

  /// Whether a value is a text, of whatever length.
  func isText(_ name: String) -> Bool {
    if case .string? = self[name]?.content { return true }
    return false
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
  /// - Parameter orOne: whether one map may stand in the list's stead.
  func sections(_ name: String, orOne: Bool = false, isRequired: Bool = false) -> [RecordReader] {
    guard let inner = self[name] else {
      if isRequired { missing(name, wanted: "a list") }
      return []
    }
    guard case .list(let values) = inner.content else {
      if orOne { return [RecordReader(inner, path: at(name), faults)] }
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
    return text(found, at(name), wanted: wanted)
  }

  private func text(_ found: Value, _ name: String, wanted: String) -> String? {
    switch found.content {
    case .string(let text) where !text.allSatisfy(\.isWhitespace): return text
    // A name may look like a number.
    case .int(let number): return String(number)
    case .string: faults.add(found.place, "\(name): an empty text", wanted: wanted)
    default: faults.add(found.place, "\(name): a \(found.kind)", wanted: wanted)
    }
    return nil
  }

  /// One of some words.
  func choice(_ name: String, of words: [String], isRequired: Bool = false) -> String? {
    let wanted = words.joined(separator: ", ")
    guard let found = text(name, isRequired: isRequired, wanted: wanted) else { return nil }
    if words.contains(found) { return found }
    wrong(name, found, wanted: wanted + NearestName.hint(found, in: words))
    return nil
  }

  func flag(_ name: String, isRequired: Bool = false) -> Bool? {
    let wanted = "yes or no"
    guard let found = self[name] else {
      if isRequired { missing(name, wanted: wanted) }
      return nil
    }
    if case .bool(let flag) = found.content { return flag }
    wrong(name, found.text, wanted: wanted)
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

  /// Texts of a list, or one in its stead, with their places; the same one twice is a fault.
  /// - Parameter orNone: whether a list may be empty; nil = unless it is required.
  func entries(
    _ name: String, isRequired: Bool = false, orNone: Bool? = nil, wanted: String
  ) -> [(text: String, place: TextPlace)] {
    guard let found = self[name] else {
      if isRequired { missing(name, wanted: wanted) }
      return []
    }
    var values = [found]
    if case .list(let all) = found.content {
      values = all
      if all.isEmpty, !(orNone ?? !isRequired) {
        wrong(name, "an empty list", wanted: "at least one: \(wanted)")
      }
    }
    var seen: Set<String> = []
    var out: [(text: String, place: TextPlace)] = []
    for each in values {
      guard let text = text(each, at(name), wanted: wanted) else { continue }
      guard seen.insert(text).inserted else {
        faults.add(each.place, "\(at(name)): \"\(text)\" twice", wanted: "each once")
        continue
      }
      out.append((text, each.place))
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
