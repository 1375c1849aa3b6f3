// What is computed ahead for the values of one phase: for each variable a tree of transformation chains, prefixes shared,
// with pattern databases and single tests at its nodes.
//
// Rules whose variables are fixed and whose operator is constant are looked at here, all at once, value by value; a rule
// that nothing hit is never visited by the walk. Rules are grouped by what guards them (the skipAfter that jumps over
// them, such as a paranoia level's): a group is scanned when the walk first comes into it.
//
// Flat tables of trivial values: a scan counts no reference. What they point to is kept by the group.

/// One group of rules of a phase, with the same guards.
final class ScanGroup: @unchecked Sendable {
  let plans: UnsafeBufferPointer<ClassPlan>
  let nodes: UnsafeBufferPointer<PlanNode>
  let scans: UnsafeBufferPointer<PlanScan>
  let tests: UnsafeBufferPointer<PlanTest>
  let entries: UnsafeBufferPointer<PlanEntry>
  let transformations: UnsafeBufferPointer<Transformation>
  let operations: UnsafeBufferPointer<any Operator>
  private let kept: [AnyObject]

  init(_ draft: ScanTables) {
    plans = ScanGroup.copy(draft.plans)
    nodes = ScanGroup.copy(draft.nodes)
    scans = ScanGroup.copy(draft.scans)
    tests = ScanGroup.copy(draft.tests)
    entries = ScanGroup.copy(draft.entries)
    transformations = ScanGroup.copy(draft.transformations)
    operations = ScanGroup.copy(draft.operations)
    kept = draft.kept
  }

  deinit {
    plans.deallocate()
    nodes.deallocate()
    scans.deallocate()
    tests.deallocate()
    entries.deallocate()
    UnsafeMutableBufferPointer(mutating: transformations).deinitialize()
    transformations.deallocate()
    UnsafeMutableBufferPointer(mutating: operations).deinitialize()
    operations.deallocate()
  }

  private static func copy<T>(_ array: [T]) -> UnsafeBufferPointer<T> {
    let memory = UnsafeMutableBufferPointer<T>.allocate(capacity: array.count)
    _ = memory.initialize(from: array)
    return UnsafeBufferPointer(memory)
  }
}

/// The tables while they are made.
struct ScanTables {
  var plans: [ClassPlan] = []
  var nodes: [PlanNode] = []
  var scans: [PlanScan] = []
  var tests: [PlanTest] = []
  var entries: [PlanEntry] = []
  var transformations: [Transformation] = []
  var operations: [any Operator] = []
  var kept: [AnyObject] = []
}

/// The tree for one class of values: those of a variable, or those of one name of it.
struct ClassPlan: BitwiseCopyable {
  let variable: Variable
  /// Only values of `name`.
  let isNamed: Bool
  let name: ByteView
  /// Parents before children; the first is the value itself.
  let firstNode: Int
  let nodeCount: Int
}

struct PlanNode: BitwiseCopyable {
  /// Within the class.
  let parent: Int32
  /// -1 for the value itself.
  let transformation: Int32
  let triggers: ByteClass
  /// The scan for values of the `Alphabet`s, and for all others; -1: none.
  let identifierScan: Int32
  let textScan: Int32
  let scan: Int32
  let firstTest: Int32
  let testCount: Int32
}

struct PlanScan: BitwiseCopyable {
  let database: Unmanaged<PatternDatabase>
  /// By id of the database.
  let firstEntry: Int
  let entryCount: Int
}

/// A rule that a hit makes a candidate.
struct PlanEntry: BitwiseCopyable {
  /// Its position in the phase.
  let position: Int32
  /// Every value of the class is one of its targets, without exclusions: no need to look.
  let isUnconditional: Bool
  let isMultiMatch: Bool
  /// Its pattern is in the database as it is: a hit is a match, which PCRE2 only has to locate.
  let isExact: Bool
  let link: Unmanaged<CompiledLink>
}

struct PlanTest: BitwiseCopyable {
  let entry: PlanEntry
  let operation: Int32
  let isNegated: Bool
  /// What a database would hold: patterns are asked of long values within a bound.
  let isBounded: Bool
  /// How plain a value may be and still match: 0 for any, 1 for more than identifiers, 2 for more than text.
  let least: UInt8
}
