// A document that many files of rules look at, with its resources by type: rules begin with `Resources.*[ Type == 'X' … ]`,
// and most resources are of another type. The index only leaves out resources whose type is certainly another one, and
// only for filters that end without an error on any of them: results are those of a walk over all.

/// See the head of this file.
public struct PreparedDocument: Sendable {
  /// The document.
  public let root: Value
  private let resources: ObjectIdentifier?
  private let byType: [String: [Members.Member]]
  private let never: Set<String>
  private let allResources: ObjectIdentifier?

  /// Prepares a document.
  /// - Parameter never: types that a resource of which the type isn't known, and one of which it isn't known whether it is
  ///   there, never has.
  public init(_ root: Value, never: Set<String> = []) {
    self.root = root
    self.never = never
    var all: ObjectIdentifier?
    if !never.isEmpty, case .map(let members) = root.content {
      all = members["Resources"].map(ObjectIdentifier.init)
    }
    allResources = all
    var byType: [String: [Members.Member]] = [:]
    var resources: ObjectIdentifier?
    if case .map(let members) = root.content, let all = members["Resources"],
      case .map(let each) = all.content,
      each.rest == nil
    {
      resources = ObjectIdentifier(all)
      for member in each.all {
        guard case .map(let inner) = member.value.content, case .string(let type)? = inner["Type"]?.content
        else {
          // One without a plain type: it may be meant by any filter.
          (resources, byType) = (nil, [:])
          break
        }
        byType[type, default: []].append(member)
      }
    }
    self.resources = resources
    self.byType = byType
  }

  /// The same without an index: what the index is compared with.
  init(unindexed root: Value) {
    self.root = root
    resources = nil
    byType = [:]
    never = []
    allResources = nil
  }

  /// Whether there are resources, each of a plain type, and none of some types.
  public func hasOnlyOthers(than types: Set<String>) -> Bool {
    resources != nil && !byType.isEmpty && types.allSatisfy { byType[$0] == nil }
  }

  /// The resources that a filter for a type that is never made can select, whatever isn't known; nil = it is for another.
  func certain(of value: Value, _ step: Step?) -> [Members.Member]? {
    guard let allResources, ObjectIdentifier(value) == allResources, case .filter(_, let clauses)? = step,
      let type = clauses.first?.asType, never.contains(type), clauses.allSatisfy(\.endsWithoutError),
      case .map(let members) = value.content
    else { return nil }
    return members.all.filter { member in
      guard case .map(let inner) = member.value.content, case .string(let own)? = inner["Type"]?.content
      else {
        return false
      }
      return own == type
    }
  }

  /// The resources that a filter behind `.*` can select; nil = any.
  func candidates(of value: Value, _ step: Step?) -> [Members.Member]? {
    guard let resources, ObjectIdentifier(value) == resources, case .filter(_, let clauses)? = step,
      let type = clauses.first?.asType, clauses.allSatisfy(\.endsWithoutError)
    else { return nil }
    return byType[type] ?? []
  }
}

extension Disjunction {
  /// `Type == 'X'` and nothing else: X.
  fileprivate var asType: String? {
    guard count == 1, case .comparison(let only) = self[0], only.comparator == .equal, !only.isNegated,
      !only.isInverted,
      !only.query.isSome, only.query.steps.count == 1, case .key("Type") = only.query.steps[0],
      case .value(let value)? = only.right, case .string(let type) = value.content
    else { return nil }
    return type
  }

  /// Comparisons of plain queries with plain literals: they hold or don't.
  var endsWithoutError: Bool {
    allSatisfy { clause in
      guard case .comparison(let comparison) = clause, comparison.comparator != .empty,
        comparison.query.steps.allSatisfy(\.isPlain)
      else { return false }
      switch comparison.right {
      case nil: return true
      case .value(let value)?: return value.isPlain
      default: return false
      }
    }
  }
}

extension Step {
  fileprivate var isPlain: Bool {
    switch self {
    case .this, .key, .index, .members(nil), .elements(nil): true
    default: false
    }
  }
}

extension Value {
  fileprivate var isPlain: Bool {
    switch content {
    case .string, .int, .float, .bool, .null: true
    case .list(let values): values.allSatisfy(\.isPlain)
    default: false
    }
  }
}
