// A file of exceptions → records, or all of its faults; a record → its lines. One file holds a list, or one record.

import GuardRules

extension ExceptionRecord {
  static let names = [
    "id", "rule", "scope", "owner", "reason", "unknown", "requested", "approved", "expires",
  ]
  static let scopeNames = ["input", "account", "region", "resource", "type"]

  /// Reads a file.
  /// - Throws: `DocumentFaults`, all of them.
  public static func records(yaml text: String) throws(DocumentFaults) -> [ExceptionRecord] {
    try RecordReader.reading(text, ExceptionReader.records)
  }
}

private enum ExceptionReader {
  static func records(_ document: RecordReader) -> [ExceptionRecord]? {
    if document.has("id") { return record(document).map { [$0] } }
    document.only("exceptions")
    // An empty list may be written by nothing at all.
    if document.isWord("exceptions", "") { return [] }
    var out: [ExceptionRecord] = []
    var seen: [String: TextPlace] = [:]
    for each in document.sections("exceptions", orOne: true, isRequired: true) {
      guard let record = record(each) else { continue }
      if let first = seen[record.id] {
        each.fault(
          "exception \"\(record.id)\" a second time, after line \(first.line)", wanted: "each id once")
      }
      seen[record.id] = each.place
      out.append(record)
    }
    return out
  }

  private static func record(_ reader: RecordReader) -> ExceptionRecord? {
    reader.only(ExceptionRecord.names)
    let id = reader.text("id", isRequired: true, wanted: "an exception's id")
    if let id, !ExceptionRecord.isID(id) {
      reader.wrong("id", id, wanted: "an id of at most 64 letters, digits, - _ and .")
    }
    let rules = patterns(reader, "rule", isRequired: true, "a rule's name or a pattern")
    let owner = reader.text("owner", isRequired: true, wanted: "who answers for it")
    let reason = reader.text("reason", isRequired: true, wanted: "why")
    let expires = reader.day("expires", isRequired: true)
    let requested = reader.section("requested", isRequired: true).flatMap { act($0, ["by", "on"]) }
    var scope = ExceptionRecord.Scope()
    if let parts = reader.section("scope") {
      parts.only(ExceptionRecord.scopeNames)
      if parts.isEmptyMap { parts.fault("an empty scope", wanted: "what it covers, or no scope at all") }
      scope.input = patterns(parts, "input", "an input or a pattern")
      scope.account = patterns(parts, "account", "an account or a pattern")
      scope.region = patterns(parts, "region", "a region or a pattern")
      scope.resource = patterns(parts, "resource", "a resource or a pattern")
      scope.type = patterns(parts, "type", "a type or a pattern")
    }
    let coversUnknown = reader.flag("unknown") ?? false
    var approved: ExceptionRecord.Act?
    var sum = ""
    if let section = reader.section("approved") {
      approved = act(section, ["by", "on", "sum"])
      // One that somebody emptied is no fault: the exception isn't what was approved.
      if !section.isWord("sum", "") {
        sum = section.text("sum", isRequired: true, wanted: "the sum of what was approved") ?? ""
      }
    }
    guard let id, let owner, let reason, let expires, let requested, !rules.isEmpty else { return nil }
    var record = ExceptionRecord(
      id: id, rules: rules, owner: owner, reason: reason, requested: requested, expires: expires)
    record.scope = scope
    record.coversUnknown = coversUnknown
    record.approved = approved
    record.sum = sum
    record.place = reader.place
    if record.coversEverything {
      reader.fault("an exception of every rule on everything", wanted: "a rule, or a scope")
    }
    if expires < requested.on {
      reader.fault(
        at: reader.place(of: "expires"), "expires \(expires)",
        wanted: "a day after the request, \(requested.on)")
    }
    return record
  }

  private static func patterns(
    _ reader: RecordReader, _ name: String, isRequired: Bool = false, _ wanted: String
  ) -> [Wildcard] {
    // A part that names nothing would narrow nothing.
    reader.entries(name, isRequired: isRequired, orNone: false, wanted: wanted).map { Wildcard($0.text) }
  }

  private static func act(_ reader: RecordReader, _ names: [String]) -> ExceptionRecord.Act? {
    reader.only(names)
    let by = reader.text("by", isRequired: true, wanted: "who")
    let on = reader.day("on", isRequired: true)
    if let by, !PersonName.isSomebody(by) {
      reader.wrong("by", "a name that can't be seen", wanted: "a name with letters or digits")
    }
    guard let by, let on else { return nil }
    return ExceptionRecord.Act(by: by, on: on)
  }
}

extension ExceptionRecord {
  /// Whether a text may be an id, and so a file's name.
  public static func isID(_ text: String) -> Bool {
    !text.isEmpty && text.count <= 64 && text.first != "." && text.first != "-"
      && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
  }

  /// Whether nothing narrows it.
  public var coversEverything: Bool {
    func isWide(_ patterns: [Wildcard]) -> Bool {
      patterns.isEmpty || patterns.contains { $0.plainCount == 0 }
    }
    return isWide(rules) && isWide(scope.input) && isWide(scope.account) && isWide(scope.region)
      && isWide(scope.resource) && isWide(scope.type)
  }

  /// Its lines.
  /// - Parameter indent: what stands before each; of the first one `- ` in its stead, where it is an item of a list.
  public func lines(indent: String = "", isItem: Bool = false) -> [String] {
    var out = ["id: \(Self.written(id))", "rule: \(Self.written(rules))"]
    let parts = [
      ("input", scope.input), ("account", scope.account), ("region", scope.region),
      ("resource", scope.resource),
      ("type", scope.type),
    ].filter { !$0.1.isEmpty }
    if !parts.isEmpty {
      out.append("scope:")
      out += parts.map { "  \($0.0): \(Self.written($0.1))" }
    }
    out += ["owner: \(Self.written(owner))", "reason: \(Self.written(reason))"]
    if coversUnknown { out.append("unknown: yes") }
    out.append("requested: {by: \(Self.written(requested.by)), on: \(requested.on)}")
    out.append("expires: \(expires)")
    if let line = approvalLine { out.append(line) }
    return out.enumerated().map { place, line in
      isItem ? (place == 0 ? "\(indent)- \(line)" : "\(indent)  \(line)") : indent + line
    }
  }

  /// The line of its approval; nil = there is none.
  public var approvalLine: String? {
    approved.map { "approved: {by: \(Self.written($0.by)), on: \($0.on), sum: \"\(sum)\"}" }
  }

  private static func written(_ patterns: [Wildcard]) -> String {
    patterns.count == 1
      ? written(patterns[0].text) : "[\(patterns.map { written($0.text) }.joined(separator: ", "))]"
  }

  /// A text of YAML on one line, always quoted: what it holds is never taken for something else.
  static func written(_ text: String) -> String { PolicyStatement.quoted(text) }
}
