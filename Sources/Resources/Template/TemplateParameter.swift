// Parameters of a template: which values they may have, and what a value is by the parameter's type.
// Source: AWS CloudFormation User Guide, "Parameters syntax reference".

import GuardRules

enum TemplateParameter {
  static func type(of parameter: Value) -> String { parameter["Type"]?.string ?? "String" }

  static func isKeptElsewhere(_ type: String) -> Bool { type.hasPrefix("AWS::SSM::Parameter::Value") }

  static func isList(_ type: String) -> Bool { type == "CommaDelimitedList" || type.hasPrefix("List<") }

  /// Texts between commas, without blanks at either end.
  static func elements(_ text: String) -> [String] {
    text.split(separator: ",").map { part -> String in
      var part = part.drop(while: \.isWhitespace)
      while part.last?.isWhitespace == true { part.removeLast() }
      return String(part)
    }
  }

  /// A number, where it is written as one is; else the text, which is read where it is compared.
  static func number(_ text: String) -> Value.Content {
    if let number = Int64(text), String(number) == text { return .int(number) }
    if let number = Double(text), number.isFinite, String(number) == text { return .float(number) }
    return .string(text)
  }

  /// Holds a given value against what a parameter may be.
  /// - Throws: `DocumentFault` at the parameter.
  static func hold(_ name: String, _ value: Value, against parameter: Value) throws(DocumentFault) {
    let type = type(of: parameter)
    guard let text = value.plainText, !isKeptElsewhere(type) else { return }
    let shown = TemplateResolver.isSecret(parameter) ? "a value" : "\"\(text)\""
    func wrong(_ wanted: String) -> DocumentFault {
      DocumentFault(
        place: parameter.place, found: "parameter \(name), which is given \(shown)", wanted: wanted)
    }
    let each = isList(type) ? elements(text) : [text]
    if type == "Number" || type == "List<Number>" {
      guard each.allSatisfy({ Double($0)?.isFinite == true }) else {
        throw wrong("a number, by its type \(type)")
      }
    }
    let values = parameter["AllowedValues"]?.list ?? []
    let allowed = values.compactMap(\.plainText)
    guard !allowed.isEmpty else { return }
    func isAllowed(_ text: String) -> Bool {
      values.contains { value in
        // Numbers may be written in several ways, and so may what YAML reads as true and false.
        if case .bool(let flag) = value.content { return Self.truth(text) == flag }
        return value.plainText == text
          || (type.contains("Number") && value.plainText.flatMap(Double.init) == Double(text))
      }
    }
    guard each.allSatisfy(isAllowed) else {
      let isHidden = TemplateResolver.isSecret(parameter)
      let more = allowed.count > 10 ? ", …" : ""
      throw wrong(
        isHidden
          ? "one of its AllowedValues" : "one of " + allowed.prefix(10).joined(separator: ", ") + more)
    }
  }

  private static func truth(_ text: String) -> Bool? {
    switch text.lowercased() {
    case "true", "yes", "on", "y": true
    case "false", "no", "off", "n": false
    default: nil
    }
  }
}
