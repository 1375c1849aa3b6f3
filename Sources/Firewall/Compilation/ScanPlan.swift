// What is computed ahead for the values of one phase: for each variable a tree of transformation chains, prefixes shared,
// with a pattern database and single tests at its nodes.
//
// Rules whose variables are fixed and whose operator is constant are looked at here, all at once, value by value; a rule
// that nothing hit is never visited by the walk. Rules are grouped by what guards them (the skipAfter that jumps over
// them, such as a paranoia level's): a group is scanned when the walk first comes into it.

/// One group of rules of a phase, with the same guards.
struct ScanGroup: Sendable {
  let plans: [ClassPlan]
}

/// The tree for one class of values: those of a variable, or those of one name of it.
struct ClassPlan: Sendable {
  let variable: Variable
  /// Only values of this name; nil: all of the variable.
  let name: ByteView?
  /// Parents before children; the first is the value itself.
  let nodes: [PlanNode]
}

struct PlanNode: Sendable {
  let parent: Int
  /// Nil for the value itself.
  let transformation: Transformation?
  let scans: [PlanScan]
  let tests: [PlanTest]
}

struct PlanScan: Sendable {
  let database: PatternDatabase
  /// By id of the database.
  let entries: [PlanEntry]
}

/// A rule that a hit makes a candidate.
struct PlanEntry: Sendable {
  /// Its position in the phase.
  let position: Int
  let link: CompiledLink
  /// Every value of the class is one of its targets, without exclusions: no need to look.
  let isUnconditional: Bool
  /// The database may be wrong, or doesn't tell enough: ask the operator before the rule becomes a candidate.
}

struct PlanTest: Sendable {
  let entry: PlanEntry
  let operation: any Operator
  let isNegated: Bool
}
