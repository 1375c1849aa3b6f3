// From the bytes of a SecLang file to its directives (ModSecurity reference manual, "Configuration directives").
//
// Nothing is skipped in silence: what can't be read is a fault with its place, and all faults of a file are reported in
// one go. Names are not judged here, but a known directive with too few or too many arguments is a fault.
// Apache's <IfModule> is taken as true, and as false with !, because load files for both servers hold it.

/// Reads SecLang, a file at a time.
public enum SecLangParser {
  /// Appends what `text` says to `directives`, and what is wrong with it to `faults`.
  public static func parse(
    _ text: [UInt8], file: String, quoting: Quoting = .libmodsecurity,
    into directives: inout [DirectiveSyntax], faults: inout [RuleFault]
  ) {
    var sections = Sections(file: file)
    for line in LogicalLines(text) {
      guard line.text.first != Ascii.less else {
        sections.read(line, faults: &faults)
        continue
      }
      guard !sections.isSkipping else { continue }
      guard isText(line, file: file, faults: &faults) else { continue }
      guard let words = line.arguments(file: file, quoting: quoting, faults: &faults), let name = words.first
      else { continue }
      let count = faults.count
      let kind = kind(of: name, words.dropFirst(), file: file, faults: &faults)
      guard let kind, faults.count == count else { continue }
      directives.append(DirectiveSyntax(place: Place(file: file, line: line.line), kind: kind))
    }
    sections.end(faults: &faults)
  }

  private static func isText(_ line: LogicalLine, file: String, faults: inout [RuleFault]) -> Bool {
    let found: String
    let wanted: String
    if let offset = line.text.firstIndex(of: 0) {
      found = "a byte 0"
      wanted = "rules are text: write \\x00 in a pattern"
      faults.append(
        RuleFault(place: Place(file: file, line: line.line(at: offset)), found: found, wanted: wanted))
      return false
    }
    guard String(validating: line.text, as: UTF8.self) == nil else { return true }
    var start = line.line
    for part in line.text.split(separator: Ascii.lineFeed, omittingEmptySubsequences: false) {
      if String(validating: part, as: UTF8.self) == nil { break }
      start += 1
    }
    faults.append(
      RuleFault(
        place: Place(file: file, line: start), found: "bytes that are not UTF-8",
        wanted: "rules are UTF-8: write other bytes as \\xE9 in a pattern or as |E9| in a list of phrases"))
    return false
  }

  private static func kind(
    of name: ArgumentText, _ arguments: ArraySlice<ArgumentText>, file: String, faults: inout [RuleFault]
  ) -> DirectiveSyntax.Kind? {
    guard name.bytes.allSatisfy(Ascii.isWord) else {
      faults.append(
        RuleFault(
          place: Place(file: file, line: name.line),
          found: "`\(ArgumentText.excerpt(name.bytes, limit: 24))` where a directive should be",
          wanted:
            "start with a name such as SecRule; a line that goes on from one above needs a backslash there,"
            + " one that goes on from a comment its own #"))
      return nil
    }
    let arguments = Array(arguments)
    let text = name.text
    if let directive = Directive.named(text), !directive.arguments.contains(arguments.count) {
      faults.append(
        RuleFault(
          place: Place(file: file, line: name.line),
          found: "\(directive.name) with \(arguments.count) argument\(arguments.count == 1 ? "" : "s")",
          wanted: "it takes \(directive.argumentsText)"))
      return nil
    }
    switch text.lowercased() {
    case "secrule":
      let targets = TargetList.parse(arguments[0], file: file, faults: &faults)
      let operation = OperatorText.parse(arguments[1], file: file, faults: &faults)
      let actions = arguments.count > 2 ? ActionList.parse(arguments[2], file: file, faults: &faults) : []
      return operation.map { .rule(RuleSyntax(targets: targets, operation: $0, actions: actions)) }
    case "secaction": return .action(ActionList.parse(arguments[0], file: file, faults: &faults))
    case "secdefaultaction":
      return .defaultAction(ActionList.parse(arguments[0], file: file, faults: &faults))
    case "secmarker": return .marker(arguments[0].text)
    case "secruleupdatetargetbyid", "secruleupdatetargetbytag", "secruleupdatetargetbymsg":
      for list in arguments.dropFirst() { _ = TargetList.parse(list, file: file, faults: &faults) }
    case "secruleupdateactionbyid": _ = ActionList.parse(arguments[1], file: file, faults: &faults)
    default: break
    }
    return .setting(name: text, arguments: arguments.map(\.text))
  }
}

/// Apache's sections, of which only <IfModule> is known.
private struct Sections {
  private struct Section {
    var name: String
    var line: Int
    var isTrue: Bool
  }
  let file: String
  private var open: [Section] = []

  init(file: String) { self.file = file }

  var isSkipping: Bool { open.contains { !$0.isTrue } }

  mutating func read(_ line: LogicalLine, faults: inout [RuleFault]) {
    func fault(_ found: String, _ wanted: String) -> RuleFault {
      RuleFault(place: Place(file: file, line: line.line), found: found, wanted: wanted)
    }
    let text = ArgumentText.text(line.text)
    let shown = ArgumentText.excerpt(line.text, limit: 32)
    let trimmed = text.reversed().drop { $0.isWhitespace }
    guard trimmed.first == ">" else {
      return faults.append(fault("`\(shown)` has no closing >", "write <IfModule name> … </IfModule>"))
    }
    let words = text.dropFirst().dropLast(text.count - trimmed.count + 1).split { $0.isWhitespace }
    let name = String(words.first ?? "")
    if name.hasPrefix("/") {
      guard let last = open.last, last.name.lowercased() == name.dropFirst().lowercased() else {
        let wanted = open.last.map { "<\($0.name)> of line \($0.line) is to be closed first" }
        return faults.append(fault("`\(shown)` closes nothing", wanted ?? "no section is open here"))
      }
      open.removeLast()
      return
    }
    guard name.lowercased() == "ifmodule" else {
      // What stands inside is read all the same, so that its faults are reported too.
      open.append(Section(name: name, line: line.line, isTrue: true))
      guard !isSkipping else { return }
      return faults.append(
        fault("the section `\(shown)`", "only <IfModule> is known: rules here are for all requests"))
    }
    open.append(Section(name: name, line: line.line, isTrue: !(words.count > 1 && words[1].hasPrefix("!"))))
    if words.count != 2 {
      faults.append(fault("`\(shown)`", "name one module: <IfModule security2_module>"))
    }
  }

  func end(faults: inout [RuleFault]) {
    for section in open {
      faults.append(
        RuleFault(
          place: Place(file: file, line: section.line), found: "<\(section.name)> is never closed",
          wanted: "close it with </\(section.name)>"))
    }
  }
}
