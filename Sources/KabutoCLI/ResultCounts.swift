// What came of rules in numbers: the same members in every report in JSON.

import Governance
import GuardRules

/// See the head of this file.
struct ResultCounts: Encodable {
  let status: String
  let passed: Int
  let failed: Int
  let unknown: Int
  let skipped: Int
  /// nil = the report doesn't have it.
  let excepted: Int?

  init(_ result: CheckResult, hasExcepted: Bool = true) {
    status = result.status.rawValue
    passed = result.count(.pass)
    failed = result.count(.fail)
    unknown = result.count(.unknown)
    skipped = result.count(.skip)
    excepted = hasExcepted ? result.exceptedCount : nil
  }
}

/// Members of both in one object. Neither has a name of the other's.
struct Beside<One: Encodable, Other: Encodable>: Encodable {
  let one: One
  let other: Other

  init(_ one: One, _ other: Other) { (self.one, self.other) = (one, other) }

  func encode(to encoder: any Encoder) throws {
    try one.encode(to: encoder)
    try other.encode(to: encoder)
  }
}
