// Fields of records in YAML → values, with every fault of a file told: line, column, what was found, what was wanted.

public import GuardRules

/// All faults of a file of decisions, in the order of the text.
public struct RecordFaults: Error, Sendable, Equatable, CustomStringConvertible {
  /// At least one.
  public let all: [DocumentFault]

  /// `line:column: found …; wanted …`, a line each.
  public var description: String { all.map(\.description).joined(separator: "\n") }
}

/// A map whose names are known.
struct Fields {
  let place: TextPlace
  /// What it is, for people: `service`.
  let what: String
  fileprivate var values: [String: Value]

  subscript(name: String) -> Value? { values[name] }
}

/// Reads, and keeps what is wrong.
struct FieldReader {
  private(set) var faults: [DocumentFault] = []

  /// Sorted by place.
  var all: RecordFaults? {
    faults.isEmpty
      ? nil
      : RecordFaults(
        all: faults.sorted { ($0.place.line, $0.place.column) < ($1.place.line, $1.place.column) })
  }

  mutating func fault(_ place: TextPlace, _ found: String, _ wanted: String) {
    faults.append(DocumentFault(place: place, found: found, wanted: wanted))
  }

  /// The fields of a map.
  mutating func fields(_ value: Value, _ what: String, _ names: [String]) -> Fields? {
    guard case .map(let members) = value.content else {
      fault(
        value.place, "\(value.kind) \(value.text)", "\(what): a map with \(names.joined(separator: ", "))")
      return nil
    }
    var values: [String: Value] = [:]
    for member in members.all {
      guard names.contains(member.name) else {
        fault(
          member.value.place, "\"\(member.name)\" within \(what)",
          names.joined(separator: ", ") + NearestName.hint(member.name, in: names))
        continue
      }
      values[member.name] = member.value
    }
    return Fields(place: value.place, what: what, values: values)
  }

  /// A field that must be there.
  mutating func required(_ fields: Fields, _ name: String) -> Value? {
    guard let value = fields[name] else {
      fault(fields.place, "\(fields.what) without \(name)", "\(name): …")
      return nil
    }
    return value
  }

  /// A text that isn't empty.
  mutating func text(_ value: Value?, _ what: String) -> String? {
    guard let value else { return nil }
    switch value.content {
    case .string(let text):
      let blanks: Set<Character> = [" ", "\n", "\t"]
      if text.contains(where: { !blanks.contains($0) }) { return text }
      fault(value.place, "an empty text", what)
    // A name may look like a number.
    case .int(let number): return String(number)
    default: fault(value.place, "\(value.kind) \(value.text)", what)
    }
    return nil
  }

  mutating func flag(_ value: Value?, _ what: String) -> Bool? {
    guard let value else { return nil }
    if case .bool(let flag) = value.content { return flag }
    fault(value.place, "\(value.kind) \(value.text)", "\(what): yes or no")
    return nil
  }

  /// A list, or one value in its stead.
  mutating func list(_ value: Value?) -> [Value] {
    guard let value else { return [] }
    if case .list(let values) = value.content { return values }
    return [value]
  }

  /// Texts, with their places; the same one twice is a fault.
  mutating func texts(_ value: Value?, _ what: String) -> [(text: String, place: TextPlace)] {
    var seen: Set<String> = []
    var out: [(text: String, place: TextPlace)] = []
    for each in list(value) {
      guard let text = text(each, what) else { continue }
      guard seen.insert(text).inserted else {
        fault(each.place, "\"\(text)\" twice", "each once")
        continue
      }
      out.append((text, each.place))
    }
    return out
  }

  mutating func day(_ value: Value?, _ what: String) -> CalendarDay? {
    guard let value else { return nil }
    if case .string(let text) = value.content, let day = CalendarDay(text) { return day }
    fault(value.place, "\(value.kind) \(value.text)", "\(what): a day, YYYY-MM-DD")
    return nil
  }

  /// One of some words.
  mutating func word(_ value: Value?, _ what: String, of words: [String]) -> String? {
    guard let value, let text = text(value, "\(what): \(words.joined(separator: ", "))") else { return nil }
    if words.contains(text) { return text }
    fault(
      value.place, "\"\(text)\"",
      "\(what): \(words.joined(separator: ", "))" + NearestName.hint(text, in: words))
    return nil
  }
}
