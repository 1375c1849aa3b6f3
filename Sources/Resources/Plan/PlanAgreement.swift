// What two resources of a plan say of one: whether it is the same, and what is known where it isn't.

import GuardRules

extension Shaping {
  /// Why what two resources say isn't known.
  static let disagreed = Unknown("several resources of the plan say different things of it")

  /// Two maps as one; what both say, and not the same, isn't known.
  static func agreed(_ first: Value, _ second: Value) -> Value {
    guard case .map(let one) = first.content, case .map(let other) = second.content else {
      return same(first, second) ? first : Value(.unknown(disagreed), at: first.place)
    }
    var members = MemberList(one.all)
    for member in other.all {
      members[member.name] = members[member.name].map { agreed($0, member.value) } ?? member.value
    }
    return Value(
      .map(Members(members.all, rest: one.rest ?? other.rest)), at: first.place, isSecret: first.isSecret)
  }

  /// Whether two values are known to be the same.
  static func same(_ first: Value, _ second: Value) -> Bool {
    switch (first.content, second.content) {
    case (.null, .null): true
    case (.bool(let first), .bool(let second)): first == second
    case (.int(let first), .int(let second)): first == second
    case (.float(let first), .float(let second)): first == second
    case (.string(let first), .string(let second)): first.utf8.elementsEqual(second.utf8)
    case (.list(let first), .list(let second)):
      first.count == second.count && zip(first, second).allSatisfy { same($0, $1) }
    case (.map(let first), .map(let second)):
      first.all.count == second.all.count
        && first.all.allSatisfy { member in second[member.name].map { same(member.value, $0) } ?? false }
    default: false
    }
  }
}
