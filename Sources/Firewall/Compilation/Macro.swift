// Text with `%{…}` in it (ModSecurity reference manual, "Macro Expansion"): taken apart once, expanded per use.

/// Text of a rule, ready to expand. One without macros is expanded by handing out its bytes.
struct Macro: Sendable {
  enum Part: Sendable {
    case literal(ByteView)
    case slot(Int)
    case value(Variable, ByteView)
    /// `%{ARGS:/^a$/}`.
    case selected(Target)
  }
  let parts: [Part]
  /// The whole text, where there is nothing to expand.
  let literal: ByteView?

  var isConstant: Bool { literal != nil }
}

extension PolicyBuilder {
  /// Takes `text` apart; a macro of a variable that doesn't exist is a fault.
  mutating func macro(_ text: String, at place: Place) -> Macro {
    var parts: [Macro.Part] = []
    var rest = Substring(text)
    while let open = rest.range(ofMacro: "%{") {
      let after = rest[open.upperBound...]
      guard let close = Self.end(ofMacro: after) else { break }
      let before = rest[..<open.lowerBound]
      if !before.isEmpty { parts.append(.literal(bytes.copy(String(before)))) }
      if let part = macroPart(String(after[..<close]), at: place) {
        parts.append(part)
      } else {
        fault(
          place, found: "%{\(after[..<close])} in a text",
          wanted: "a variable that exists, as in %{MATCHED_VAR} or %{TX.score}")
      }
      rest = after[after.index(after: close)...]
    }
    if parts.isEmpty { return Macro(parts: [], literal: bytes.copy(text)) }
    if !rest.isEmpty { parts.append(.literal(bytes.copy(String(rest)))) }
    return Macro(parts: parts, literal: nil)
  }

  /// The closing brace; one within an expression between slashes is part of it.
  private static func end(ofMacro text: Substring) -> Substring.Index? {
    guard let close = text.firstIndex(of: "}") else { return nil }
    guard let slash = text[..<close].firstIndex(of: "/"), slash > text.startIndex,
      [".", ":"].contains(text[text.index(before: slash)]), let end = text.range(ofMacro: "/}")
    else { return close }
    return text.index(before: end.upperBound)
  }

  private mutating func macroPart(_ text: String, at place: Place) -> Macro.Part? {
    let split = text.firstIndex { $0 == "." || $0 == ":" }
    let collection = split.map { String(text[..<$0]) } ?? text
    let name = split.map { String(text[text.index(after: $0)...]) } ?? ""
    guard let variable = Variable.named(collection) else { return nil }
    if name.count > 2, name.hasPrefix("/"), name.hasSuffix("/") {
      let pattern = String(name.dropFirst().dropLast())
      let syntax = TargetSyntax(mode: .include, collection: collection, selector: .regex(pattern))
      return target(syntax, at: place).map { .selected($0) }
    }
    if variable == .tx { return .slot(slot(name)) }
    uses.add(variable)
    return .value(variable, bytes.copy(name))
  }
}

extension Substring {
  /// The first occurrence of a short ASCII text.
  fileprivate func range(ofMacro wanted: String) -> Range<Index>? {
    var index = startIndex
    while index < endIndex {
      if self[index...].hasPrefix(wanted) { return index..<self.index(index, offsetBy: wanted.count) }
      index = self.index(after: index)
    }
    return nil
  }
}
