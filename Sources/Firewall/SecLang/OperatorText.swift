// A rule's operator (ModSecurity reference manual, "Operators"): `@rx ^a`, `!@within %{tx.x}`, `!^a` (rx is meant).
//
// One blank parts name and argument, and all after it is the argument, as in libmodsecurity 3: a second blank is part
// of a pattern. Whether an operator exists is the compiler's question.

enum OperatorText {
  static func parse(_ argument: ArgumentText, file: String, faults: inout [RuleFault]) -> OperatorSyntax? {
    let bytes = argument.bytes.filter { $0 != Ascii.lineFeed }
    var at = 0
    while at < bytes.count, Ascii.isBlank(bytes[at]) { at += 1 }
    let isNegated = at < bytes.count && bytes[at] == Ascii.exclamation
    var name = at + (isNegated ? 1 : 0)
    while isNegated, name < bytes.count, Ascii.isBlank(bytes[name]) { name += 1 }
    guard name < bytes.count, bytes[name] == Ascii.at else {
      // Without a name all of it is the pattern, blanks in front too.
      let pattern = isNegated ? bytes[(at + 1)...] : bytes[...]
      return OperatorSyntax(negated: isNegated, name: "rx", argument: ArgumentText.text(pattern))
    }
    name += 1
    var end = name
    while end < bytes.count, Ascii.isWord(bytes[end]) { end += 1 }
    guard end > name, end == bytes.count || Ascii.isBlank(bytes[end]) else {
      faults.append(
        RuleFault(
          place: Place(file: file, line: argument.line),
          found: "`\(ArgumentText.excerpt(bytes[at...], limit: 24))` where an operator should be",
          wanted:
            "write @name and a blank before its argument; a pattern that starts with @ needs @rx in front"))
      return nil
    }
    let rest = end < bytes.count ? bytes[(end + 1)...] : []
    return OperatorSyntax(
      negated: isNegated, name: ArgumentText.text(bytes[name..<end]), argument: ArgumentText.text(rest))
  }
}
