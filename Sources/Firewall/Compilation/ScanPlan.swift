// What is computed ahead for the values of one phase: for each variable a tree of transformation chains, prefixes shared,
// with pattern databases and single tests over its nodes.
//
// Rules whose variables are fixed and whose operator is constant are looked at here, all at once, value by value; a rule
// that nothing hit is never visited by the walk. Rules are grouped by what guards them (the skipAfter that jumps over
// them, such as a paranoia level's): a group is scanned when the walk first comes into it.
//
// Most transformations leave most values as they are, so a value has few *forms*, however many chains there are. A
// database holds the patterns of all nodes whose chains rewrite alike (`Transformation.rewrites`), whatever mild
// transformations stand between; it is asked once for each form, and a hit counts where the pattern's own node has that
// form. A test is asked once for each form too, for all rules that ask the same. So chains cost nothing by themselves.
//
// Flat tables of trivial values: a scan counts no reference. What they point to is kept by the group.

/// One group of rules of a phase, with the same guards.
final class ScanGroup: @unchecked Sendable {
  let plans: UnsafeBufferPointer<ClassPlan>
  let nodes: UnsafeBufferPointer<PlanNode>
  let masks: UnsafeBufferPointer<UInt64>
  let scans: UnsafeBufferPointer<PlanScan>
  let looks: UnsafeBufferPointer<PlanLook>
  let tests: UnsafeBufferPointer<PlanTest>
  let uses: UnsafeBufferPointer<PlanUse>
  let entries: UnsafeBufferPointer<PlanEntry>
  let transformations: UnsafeBufferPointer<Transformation>
  let operations: UnsafeBufferPointer<any Operator>
  /// By scan: the names of the transformations that rewrite, for people.
  let rewrites: [[String]]
  private let kept: [AnyObject]

  init(_ draft: ScanTables) {
    plans = ScanGroup.copy(draft.plans)
    nodes = ScanGroup.copy(draft.nodes)
    masks = ScanGroup.copy(draft.masks)
    scans = ScanGroup.copy(draft.scans)
    looks = ScanGroup.copy(draft.looks)
    tests = ScanGroup.copy(draft.tests)
    uses = ScanGroup.copy(draft.uses)
    entries = ScanGroup.copy(draft.entries)
    transformations = ScanGroup.copy(draft.transformations)
    operations = ScanGroup.copy(draft.operations)
    rewrites = draft.rewrites
    kept = draft.kept
  }

  deinit {
    plans.deallocate()
    nodes.deallocate()
    masks.deallocate()
    scans.deallocate()
    looks.deallocate()
    tests.deallocate()
    uses.deallocate()
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
  var masks: [UInt64] = []
  var scans: [PlanScan] = []
  var looks: [PlanLook] = []
  var tests: [PlanTest] = []
  var uses: [PlanUse] = []
  var entries: [PlanEntry] = []
  var transformations: [Transformation] = []
  var operations: [any Operator] = []
  var rewrites: [[String]] = []
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
  let firstScan: Int
  let scanCount: Int
  let firstTest: Int
  let testCount: Int
  /// A value that holds none of these is the same at every node; `.anything` where that can't be said.
  let triggers: ByteClass
  /// Sets of nodes, `maskWords` words each: those that change whatever the value holds, then for each kind of byte those
  /// whose chains look at it.
  let firstMask: Int
  let maskWords: Int
}

struct PlanNode: BitwiseCopyable {
  /// Within the class.
  let parent: Int32
  /// -1 for the value itself.
  let transformation: Int32
  let triggers: ByteClass
}

/// What is asked of the forms that a value has at some nodes.
struct PlanScan: BitwiseCopyable {
  /// For values of the `Alphabet`s, and for all others; -1: nothing.
  let identifier: Int32
  let text: Int32
  let all: Int32
  /// Its nodes.
  let firstMask: Int
}

struct PlanLook: BitwiseCopyable {
  let database: Unmanaged<PatternDatabase>
  /// By id of the database.
  let firstEntry: Int
  let entryCount: Int
}

/// A rule that a hit makes a candidate.
struct PlanEntry: BitwiseCopyable {
  /// Its position in the phase.
  let position: Int32
  /// Where its chain ends; with multiMatch all nodes above count too. -1: the class isn't among the rule's variables.
  let node: Int32
  /// Every value of the class is one of its targets, without exclusions: no need to look.
  let isUnconditional: Bool
  let isMultiMatch: Bool
  /// Its pattern is in the database as it is: a hit is a match, which PCRE2 only has to locate.
  let isExact: Bool
  let link: Unmanaged<CompiledLink>
}

/// An operator that is asked for each form of a value, for one rule or for several.
struct PlanTest: BitwiseCopyable {
  let operation: Int32
  /// What a database would hold: patterns are asked of long values within a bound.
  let isBounded: Bool
  let firstUse: Int32
  let useCount: Int32
}

/// One rule's use of a test.
struct PlanUse: BitwiseCopyable {
  let entry: PlanEntry
  let isNegated: Bool
  /// How plain a value may be and still match: 0 for any, 1 for more than identifiers, 2 for more than text.
  let least: UInt8
}
