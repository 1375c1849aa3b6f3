// Scan plans while they are laid out: trees of transformation chains that still grow, and the patterns of databases that
// aren't built yet. Owner: the `PlanBuilder`.

extension PlanBuilder {
  /// The patterns of one database, and whose they are: `owners[i]` is the position of the rule in `members`.
  struct DatabaseSpecification: Hashable {
    var patterns: [ScanPattern]
    var owners: [UInt32]
    var prefilter: Set<Int>
  }

  /// A node while the tree grows.
  struct DraftNode {
    let parent: Int
    let transformation: Transformation?
    let chain: [String]
    /// The part of the chain that rewrites.
    let rewrites: [String]
    /// Positions of rules whose patterns are scanned here.
    var scanned: [Int] = []
    var tested: [Int] = []
  }

  /// The rules of the databases' ids, and the databases: for all values, and for plain ones where that is another.
  struct DraftScan {
    let rewrites: [String]
    let members: [Int]
    let specification: Int
    let text: Int?
    let identifier: Int?
  }

  struct DraftClass {
    let variable: Variable
    let name: ByteView?
    var nodes = [DraftNode(parent: -1, transformation: nil, chain: [], rewrites: [])]
    var scans: [DraftScan] = []
  }

  struct DraftPhase {
    let phase: Int
    let rules: [CompiledRule]
    var steps: [Step]
    var always: [UInt64]
    var settings: [QuickSetting]
    var groups: [[DraftClass]]
  }
}
