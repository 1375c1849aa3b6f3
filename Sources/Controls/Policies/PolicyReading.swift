// A document's value → the document, wherever it was found: a template, an answer of IAM. What isn't known stays so.

public import GuardRules

/// Why a document can't be read.
public enum PolicyReadingFault: Error, Sendable, Equatable {
  /// Something of it isn't known yet.
  case unknown(String, TextPlace)
  /// It isn't a document.
  case wrong(found: String, wanted: String, TextPlace)
}

extension PolicyDocument {
  /// Reads a document; of text the JSON in it.
  public init(_ value: Value) throws(PolicyReadingFault) {
    var value = value
    if case .string(let text) = value.content {
      do throws(DocumentFault) { value = try Value.reading(yaml: text) } catch {
        throw .wrong(found: error.found, wanted: "JSON", value.place)
      }
    }
    guard case .map(let members) = value.content else { throw Self.fault(value, "a document with Statement") }
    guard let statement = members["Statement"] else {
      if let rest = members.rest { throw .unknown(rest.unknown.reason, value.place) }
      throw .wrong(found: value.text, wanted: "Statement", value.place)
    }
    var statements: [PolicyStatement] = []
    if case .list(let all) = statement.content {
      for each in all { statements.append(try PolicyStatement(each)) }
    } else {
      statements.append(try PolicyStatement(statement))
    }
    self.init(statements)
  }

  static func fault(_ value: Value, _ wanted: String) -> PolicyReadingFault {
    if case .unknown(let unknown) = value.content { return .unknown(unknown.reason, value.place) }
    return .wrong(found: value.text, wanted: wanted, value.place)
  }
}

extension PolicyStatement {
  /// Reads a statement; principals are left out.
  public init(_ value: Value) throws(PolicyReadingFault) {
    guard case .map(let members) = value.content else { throw PolicyDocument.fault(value, "a statement") }
    guard let effect = members["Effect"] else {
      throw .wrong(found: value.text, wanted: "Effect: Allow or Deny", value.place)
    }
    guard case .string(let word) = effect.content, let known = Effect(rawValue: word) else {
      throw PolicyDocument.fault(effect, "Effect: Allow or Deny")
    }
    let actions = members["Action"] ?? members["NotAction"]
    guard let actions else { throw .wrong(found: value.text, wanted: "Action or NotAction", value.place) }
    self.init(known, try Self.texts(actions), not: members["Action"] == nil)
    if let resources = members["Resource"] ?? members["NotResource"] {
      // Which resource it is doesn't matter to what is asked of a document here; that it is one does.
      self.resources = (try? Self.texts(resources)) ?? ["(unknown)"]
      isNotResource = members["Resource"] == nil
    }
    guard let condition = members["Condition"] else { return }
    guard case .map(let operators) = condition.content else {
      throw PolicyDocument.fault(condition, "conditions")
    }
    for each in operators.all {
      guard case .map(let keys) = each.value.content else {
        throw PolicyDocument.fault(each.value, "keys and values")
      }
      for key in keys.all {
        conditions.append(PolicyCondition(each.name, key.name, (try? Self.texts(key.value)) ?? ["(unknown)"]))
      }
    }
  }

  private static func texts(_ value: Value) throws(PolicyReadingFault) -> [String] {
    switch value.content {
    case .string(let text): return [text]
    case .bool(let flag): return [flag ? "true" : "false"]
    case .int(let number): return [String(number)]
    case .list(let values):
      var out: [String] = []
      for each in values { out += try texts(each) }
      return out
    default: throw PolicyDocument.fault(value, "text, or a list of texts")
    }
  }
}
