// What is wrong with a resource by a rule, or can't be told: where, what was found, what was wanted.

public import GuardRules
import Resources

/// See the head of this file.
public struct Finding: Sendable, Encodable, Equatable {
  /// `FAIL` or `UNKNOWN`.
  public let status: String
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
  public let clause: String
  /// The value that was found, or what was missing.
  public let found: String
  /// What was wanted; empty = the clause says it.
  public let wanted: String
  /// The rules' own words: what is violated and how to mend it.
  public let message: String

  enum CodingKeys: String, CodingKey {
    case status, rule, input, line, column, resource, path, clause, found, wanted, message
    case ruleFile = "rule_file"
    case ruleLine = "rule_line"
    case resourceType = "resource_type"
  }
}

extension Finding {
  init(_ failure: Failure, _ file: RuleFile, _ input: InputFile, _ index: ResourceIndex) {
    let owner = index.owner(failure.value) ?? index.owner(failure.within)
    let place = failure.value?.place ?? .none
    status = failure.isUnknown ? "UNKNOWN" : "FAIL"
    rule = failure.rule
    ruleFile = file.name
    ruleLine = Int(failure.place.line)
    self.input = input.path
    line = Int(place.line)
    column = Int(place.column)
    resource = owner?.resource ?? ""
    resourceType = owner?.type ?? ""
    path = owner?.path ?? ""
    clause = failure.clause
    var text = failure.missing.map { "no \($0)" } ?? failure.value?.text ?? ""
    if failure.isUnknown, case .unknown(let unknown)? = failure.value?.content {
      text = "not known yet: \(unknown.reason)"
    }
    found = text
    wanted = failure.wanted?.text ?? ""
    message = failure.message ?? ""
  }

  /// A resource of which nothing can be said.
  init(shapeless resource: ShapedResource, in input: InputFile) {
    status = "UNKNOWN"
    rule = "kabuto_shape"
    ruleFile = ""
    ruleLine = 0
    self.input = input.path
    line = Int(resource.place.line)
    column = Int(resource.place.column)
    self.resource = resource.name
    resourceType = resource.foundType
    path = ""
    clause = "the type has a shape"
    found = "\(resource.foundType) has no shape here"
    wanted = ""
    message = "Rules can't see this resource. Check it by other means, or leave it out with --allow-unknown."
  }
}
