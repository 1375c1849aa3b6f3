// A file of exceptions → records, or all of its faults; a record → its lines. One file holds a list, or one record.

import GuardRules

extension ExceptionRecord {
  static let names = [
    "id", "rule", "scope", "owner", "reason", "unknown", "requested", "approved", "expires",
  ]
  static let scopeNames = ["input", "account", "region", "resource", "type"]

  /// Reads a file.
  /// - Throws: `RecordFaults` with all faults.
  public static func records(yaml text: String) throws(RecordFaults) -> [ExceptionRecord] {
    let document: Value
    do throws(DocumentFault) { document = try Value.reading(yaml: text) } catch {
      throw RecordFaults(all: [error])
    }
    var reader = ExceptionReader()
    let records = reader.records(document)
    if let faults = reader.fields.all { throw faults }
    return records
  }
}

private struct ExceptionReader {
  var fields = FieldReader()

  init() {}

  mutating func records(_ document: Value) -> [ExceptionRecord] {
    if case .map(let members) = document.content, members["id"] != nil {
      return record(document).map { [$0] } ?? []
    }
    guard let all = fields.fields(document, "file of exceptions", ["exceptions"]) else { return [] }
    var out: [ExceptionRecord] = []
    var seen: [String: TextPlace] = [:]
    guard let value = fields.required(all, "exceptions") else { return [] }
    // An empty list may be written by nothing at all.
    if case .string("") = value.content { return [] }
    for each in fields.list(value) {
      guard let record = record(each) else { continue }
      if let first = seen[record.id] {
        fields.fault(
          each.place, "exception \"\(record.id)\" a second time, after line \(first.line)", "each id once")
      }
      seen[record.id] = each.place
      out.append(record)
    }
    return out
  }

  private mutating func record(_ value: Value) -> ExceptionRecord? {
    guard let all = fields.fields(value, "exception", ExceptionRecord.names) else { return nil }
    let id = fields.text(fields.required(all, "id"), "an exception's id")
    if let id, !ExceptionRecord.isID(id) {
      fields.fault(
        all["id"]?.place ?? value.place, "\"\(id)\"", "an id of at most 64 letters, digits, - _ and .")
    }
    let rules = patterns(fields.required(all, "rule"), "a rule's name or a pattern")
    let owner = fields.text(fields.required(all, "owner"), "who answers for it")
    let reason = fields.text(fields.required(all, "reason"), "why")
    let expires = fields.day(fields.required(all, "expires"), "expires")
    let requested = act(fields.required(all, "requested"), ["by", "on"], "request")
    var scope = ExceptionRecord.Scope()
    if let given = all["scope"], let parts = fields.fields(given, "scope", ExceptionRecord.scopeNames) {
      scope.input = patterns(parts["input"], "an input or a pattern")
      scope.account = patterns(parts["account"], "an account or a pattern")
      scope.region = patterns(parts["region"], "a region or a pattern")
      scope.resource = patterns(parts["resource"], "a resource or a pattern")
      scope.type = patterns(parts["type"], "a type or a pattern")
    }
    let coversUnknown = fields.flag(all["unknown"], "unknown") ?? false
    var approved: ExceptionRecord.Act?
    var sum = ""
    if let value = all["approved"] {
      approved = act(value, ["by", "on", "sum"], "approval")
      if case .map(let members) = value.content, let text = members["sum"] {
        if case .string(let written) = text.content { sum = written } else { sum = text.text }
      }
    }
    guard let id, let owner, let reason, let expires, let requested, !rules.isEmpty else { return nil }
    var record = ExceptionRecord(
      id: id, rules: rules, owner: owner, reason: reason, requested: requested, expires: expires)
    record.scope = scope
    record.coversUnknown = coversUnknown
    record.approved = approved
    record.sum = sum
    record.place = value.place
    if record.coversEverything {
      fields.fault(value.place, "an exception of every rule on everything", "a rule, or a scope")
    }
    if expires < requested.on {
      fields.fault(
        all["expires"]?.place ?? value.place, "expires \(expires)", "a day after the request, \(requested.on)"
      )
    }
    return record
  }

  private mutating func patterns(_ value: Value?, _ what: String) -> [Wildcard] {
    fields.texts(value, what).map { Wildcard($0.text) }
  }

  private mutating func act(_ value: Value?, _ names: [String], _ what: String) -> ExceptionRecord.Act? {
    guard let value, let all = fields.fields(value, what, names) else { return nil }
    let by = fields.text(fields.required(all, "by"), "who")
    let on = fields.day(fields.required(all, "on"), "on")
    if names.contains("sum") { _ = fields.required(all, "sum") }
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
