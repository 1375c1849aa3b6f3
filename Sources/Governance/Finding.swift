// What is wrong with a resource by a rule, or can't be told: where, what was found, what was wanted.

public import GuardRules
import Resources

/// See the head of this file.
public struct Finding: Sendable, Encodable, Equatable {
  /// `FAIL`, `UNKNOWN`, or `EXCEPTED`: an exception covers it.
  public internal(set) var status: String
  /// The rule's name.
  public let rule: String
  /// The file of rules, and where in it.
  public let ruleFile: String
  /// Line of the clause.
  public let ruleLine: Int
  /// What was looked at.
  public let input: String
  /// Line and column in it; 0 = it isn't known.
  public let line: Int
  /// From 1.
  public let column: Int
  /// The resource: logical id, address, or ARN; empty = none.
  public let resource: String
  /// Its type; empty = none.
  public let resourceType: String
  /// Where in the resource: `Properties.BucketEncryption`.
  public let path: String
  /// The clause that failed, as it is written.
  public internal(set) var clause: String
  /// The value that was found, or what was missing.
  public internal(set) var found: String
  /// What was wanted; empty = the clause says it.
  public internal(set) var wanted: String
  /// The rules' own words: what is violated and how to mend it.
  public internal(set) var message: String
  /// How grave it is.
  public internal(set) var severity: Severity
  /// What it is called: by the rule's notes, else the rule's name.
  public internal(set) var title: String
  /// The same in Japanese; empty = none.
  public internal(set) var titleJa: String
  /// How to mend it; empty = not told.
  public internal(set) var mend: String
  /// The same in Japanese; empty = none.
  public internal(set) var mendJa: String
  /// Controls of standards that the rule stands for: `CIS 1.4`.
  public internal(set) var controls: [String]
  /// Which exception covers it; nil = none.
  public internal(set) var exception: String?

  /// A finding. What is left out is as for a rule without notes.
  public init(
    status: String, rule: String, ruleFile: String, ruleLine: Int, input: String, line: Int, column: Int,
    resource: String, resourceType: String, path: String, clause: String, found: String, wanted: String,
    message: String, severity: Severity = .medium, title: String? = nil, titleJa: String = "",
    mend: String = "", mendJa: String = "", controls: [String] = [], exception: String? = nil
  ) {
    self.status = status
    self.rule = rule
    self.ruleFile = ruleFile
    self.ruleLine = ruleLine
    self.input = input
    self.line = line
    self.column = column
    self.resource = resource
    self.resourceType = resourceType
    self.path = path
    self.clause = clause
    self.found = found
    self.wanted = wanted
    self.message = message
    self.severity = severity
    self.title = title ?? rule
    self.titleJa = titleJa
    self.mend = mend
    self.mendJa = mendJa
    self.controls = controls
    self.exception = exception
  }

  enum CodingKeys: String, CodingKey {
    case status, rule, input, line, column, resource, path, clause, found, wanted, message, severity, title
    case mend, controls, exception
    case titleJa = "title_ja"
    case mendJa = "mend_ja"
    case ruleFile = "rule_file"
    case ruleLine = "rule_line"
    case resourceType = "resource_type"
  }
}

extension Finding {
  init(_ failure: Failure, _ file: RuleFile, _ input: InputFile, _ index: ResourceIndex) {
    let owner = index.owner(failure)
    let place = failure.value?.place ?? .none
    var text = failure.missing.map { "no \($0)" } ?? failure.value?.text(at: owner?.path ?? "") ?? ""
    let selection = file.selection(asked: failure.clause, at: failure.place)
    if let selection, failure.missing == nil, let value = failure.value {
      // Of a whole resource it is more than anybody reads.
      let isWhole = owner?.path.isEmpty == true
      text = selection.found(in: value) ?? (isWhole ? "\(owner?.type ?? "") \(owner?.resource ?? "")" : text)
    }
    if failure.isUnknown, case .unknown(let unknown)? = failure.value?.content {
      text = "not known yet: \(unknown.reason)"
    }
    self.init(
      status: failure.isUnknown ? "UNKNOWN" : "FAIL", rule: failure.rule, ruleFile: file.name,
      ruleLine: Int(failure.place.line), input: input.path, line: Int(place.line), column: Int(place.column),
      resource: owner?.resource ?? "", resourceType: owner?.type ?? "", path: owner?.path ?? "",
      clause: failure.clause, found: text, wanted: failure.wanted?.text ?? "", message: failure.message ?? "")
    note(file.notes[failure.rule])
    if let selection { wanted = title != rule ? title : ownWords.first ?? selection.text }
  }

  /// A resource of which nothing can be said.
  init(shapeless resource: ShapedResource, in input: InputFile) {
    self.init(
      status: "UNKNOWN", rule: "kabuto_shape", ruleFile: "", ruleLine: 0, input: input.path,
      line: Int(resource.place.line), column: Int(resource.place.column), resource: resource.name,
      resourceType: resource.foundType, path: "", clause: "the type has a shape",
      found: "\(resource.foundType) has no shape here", wanted: "",
      message:
        "Rules can't see this resource. Check it by other means, or leave it out with --allow-unknown.",
      title: "A resource that rules can't see", titleJa: "ルールで確認できないリソース",
      mend: "Check this resource by other means; nothing is known of it here.",
      mendJa: "このリソースはここでは判定できません。別の方法で確認してください。")
    guard input.kind == .template else { return }
    clause = "all resources stand in this template"
    found = "resources of another template"
    message = "Rules can't see what this makes. Check its template too, then cover this by an exception."
    title = "Resources that stand in another template"
    titleJa = "別のテンプレートにあるリソース"
    mend = "Check the nested template as an input of its own; nothing is known of its resources here."
    mendJa = "入れ子のテンプレートを別の入力として判定してください。その中のリソースはここでは分かりません。"
  }

  /// Takes over what the rule's file says of it.
  mutating func note(_ notes: RuleNotes?) {
    guard let notes else { return }
    severity = notes.severity
    if !notes.title.isEmpty { title = notes.title }
    titleJa = notes.titleJa
    mend = notes.mend
    mendJa = notes.mendJa
    controls = notes.controls
  }
}
