// A policy: rules compiled, immutable, shared by all threads and swapped whole.

/// What the rules of a policy may do (SecRuleEngine).
public enum EngineMode: Sendable, Hashable { case on, detectionOnly, off }

/// What happens to a body over its limit (SecRequestBodyLimitAction, SecResponseBodyLimitAction).
public enum LimitAction: Sendable, Hashable { case reject, processPartial }

/// What the rules say about bodies.
public struct BodySettings: Sendable {
  /// Whether request bodies are looked into (SecRequestBodyAccess).
  public var requestBodyAccess = false
  /// Bytes of a request body (SecRequestBodyLimit).
  public var requestBodyLimit = 134_217_728
  /// The part of the limit for what isn't an uploaded file (SecRequestBodyNoFilesLimit).
  public var requestBodyNoFilesLimit = 1_048_576
  /// What happens beyond it.
  public var requestBodyLimitAction = LimitAction.reject
  /// Whether response bodies are looked into (SecResponseBodyAccess).
  public var responseBodyAccess = false
  /// Bytes of a response body (SecResponseBodyLimit).
  public var responseBodyLimit = 524_288
  /// What happens beyond it.
  public var responseBodyLimitAction = LimitAction.reject
  /// Media types that are looked into, lower case (SecResponseBodyMimeType).
  public var responseBodyTypes: Set<String> = ["text/plain", "text/html"]
  /// What bodies must not exceed inside.
  public var limits = BodyLimits()
  /// Between arguments (SecArgumentSeparator).
  public var argumentSeparator = UInt8(ascii: "&")
  /// What holds where nothing is said.
  public init() {}
}

/// Rules compiled; see the head of this file.
public final class Policy: Sendable {
  /// What the rules may do (SecRuleEngine).
  public let engine: EngineMode
  /// What the rules say about bodies.
  public let bodies: BodySettings
  /// By phase, 1 to 5 at index 0 to 4.
  let phases: [PhasePlan]
  let rules: [CompiledRule]
  /// Names of TX variables, by slot.
  let slotNames: [ByteView]
  let slots: [String: Int]
  /// The same for names that are made at run time.
  let slotTable: SlotTable
  let limitsExceededSlot: Int?
  /// Asked at the end of every transaction.
  let scoreSlots: (inbound: ScoreSlots, outbound: ScoreSlots)
  /// By `Target.slotList`.
  let slotLists: [[Int]]
  let databases: [PatternDatabase]
  /// The most ids that one database can give.
  let largestDatabase: Int
  /// XPath expressions that rules use.
  let xpaths: [ByteView]
  let xmlNamespaces: [(prefix: String, uri: String)]
  let uses: VariableUse
  /// The seconds that a persistent collection lives without being touched (SecCollectionTimeout).
  let collectionTimeoutSeconds: Int64
  let webAppID: String
  let store: CollectionStore
  let regexOptions: RegexOptions
  /// The engine itself denies a body that can't be read: no rule looks at REQBODY_ERROR.
  let deniesUnreadableBodies: Bool
  /// What was accepted and has no effect here, or is worth knowing.
  public let notes: [String]
  /// Figures of the compilation.
  public let statistics: PolicyStatistics
  /// Holds the bytes that macros and selectors view; not written after compiling.
  private nonisolated(unsafe) let bytes: Arena
  /// Keeps what targets point to.
  private let selectors: [Regex]

  init(
    engine: EngineMode, bodies: BodySettings, phases: [PhasePlan], rules: [CompiledRule],
    slotNames: [ByteView],
    slots: [String: Int], slotLists: [[Int]], databases: [PatternDatabase], largestDatabase: Int,
    xpaths: [ByteView],
    xmlNamespaces: [(prefix: String, uri: String)], uses: VariableUse, collectionTimeoutSeconds: Int64,
    webAppID: String, store: CollectionStore, regexOptions: RegexOptions,
    deniesUnreadableBodies: Bool = false,
    notes: [String],
    statistics: PolicyStatistics, bytes: Arena, selectors: [Regex]
  ) {
    self.engine = engine
    self.bodies = bodies
    self.phases = phases
    self.rules = rules
    self.slotNames = slotNames
    self.slots = slots
    slotTable = SlotTable(slotNames)
    limitsExceededSlot = slots["msc_pcre_limits_exceeded"]
    scoreSlots = (
      ScoreSlots(
        totals: ["blocking_inbound_anomaly_score", "anomaly_score", "inbound_anomaly_score"],
        levels: ["inbound_anomaly_score_pl", "anomaly_score_pl"], slots),
      ScoreSlots(
        totals: ["blocking_outbound_anomaly_score", "outbound_anomaly_score"],
        levels: ["outbound_anomaly_score_pl"],
        slots)
    )
    self.slotLists = slotLists
    self.databases = databases
    self.largestDatabase = largestDatabase
    self.xpaths = xpaths
    self.xmlNamespaces = xmlNamespaces
    self.uses = uses
    self.collectionTimeoutSeconds = collectionTimeoutSeconds
    self.webAppID = webAppID
    self.store = store
    self.regexOptions = regexOptions
    self.deniesUnreadableBodies = deniesUnreadableBodies
    self.notes = notes
    self.statistics = statistics
    self.bytes = bytes
    self.selectors = selectors
  }

  /// A policy without rules: everything passes.
  public convenience init() {
    self.init(
      engine: .off, bodies: BodySettings(),
      phases: (1...5).map {
        PhasePlan(phase: $0)
      }, rules: [],
      slotNames: [], slots: [:], slotLists: [], databases: [], largestDatabase: 0, xpaths: [],
      xmlNamespaces: [],
      uses: VariableUse(), collectionTimeoutSeconds: 3600, webAppID: "", store: CollectionStore(),
      regexOptions: RegexOptions(), notes: [], statistics: PolicyStatistics(), bytes: Arena(), selectors: [])
  }
}

/// How many rules of what kind, and what they were compiled to.
public struct PolicyStatistics: Sendable {
  /// Rules, chains counted once.
  public var rules = 0
  /// Rules that are scanned ahead.
  public var scannedRules = 0
  /// Pattern databases that are there.
  public var databases = 0
  /// Their memory.
  public var databaseBytes = 0
  /// Those of them that came from the cache.
  public var cachedDatabases = 0
  /// Patterns in all databases.
  public var patterns = 0
  /// Patterns whose hits may be wrong, and are confirmed.
  public var prefilterPatterns = 0
  /// Databases that were put off (`PolicyOptions.databases`): without them the policy is right, but slow where it
  /// comes to them.
  public var missingDatabases = 0
  /// Patterns that PCRE2 alone looks for.
  public var refusedPatterns = 0
  /// What holds where nothing is said.
  public init() {}
}

/// Where a rule set counts a score: in a total, or in one number for each paranoia level.
struct ScoreSlots: Sendable {
  /// The first that isn't 0 is the score.
  let totals: [Int]
  /// By level, by what it may be called: the first that is set counts.
  let levels: [[Int]]

  init(totals: [String], levels: [String], _ slots: [String: Int]) {
    self.totals = totals.compactMap { slots[$0] }
    self.levels = (1...4).map { level in levels.compactMap { slots["\($0)\(level)"] } }
  }
}

/// Variables that cost something to make and that only some rule sets use.
struct VariableUse: Sendable {
  var fullRequest = false
  var time = false
  var bodyError = false

  mutating func add(_ variable: Variable) {
    switch variable {
    case .fullRequest, .fullRequestLength: fullRequest = true
    case .reqbodyError, .reqbodyProcessorError: bodyError = true
    case .time, .timeDay, .timeEpoch, .timeHour, .timeMin, .timeMon, .timeSec, .timeWday, .timeYear:
      time = true
    default: break
    }
  }
}

/// The rules of one phase, in order, as the walk goes over them. Flat tables, for the walk counts no reference.
final class PhasePlan: @unchecked Sendable {
  let phase: Int
  let rules: [CompiledRule]
  let steps: UnsafeBufferPointer<Step>
  /// A bit for each step that is visited whatever the scans say.
  let always: UnsafeBufferPointer<UInt64>
  /// What steps write.
  let settings: UnsafeBufferPointer<QuickSetting>
  let groups: [ScanGroup]

  init(
    phase: Int, rules: [CompiledRule] = [], steps: [Step] = [], always: [UInt64] = [],
    settings: [QuickSetting] = [], groups: [ScanGroup] = []
  ) {
    self.phase = phase
    self.rules = rules
    self.steps = PhasePlan.copy(steps)
    self.always = PhasePlan.copy(always)
    self.settings = PhasePlan.copy(settings)
    self.groups = groups
  }

  deinit {
    steps.deallocate()
    always.deallocate()
    settings.deallocate()
  }

  private static func copy<T: BitwiseCopyable>(_ array: [T]) -> UnsafeBufferPointer<T> {
    let memory = UnsafeMutableBufferPointer<T>.allocate(capacity: array.count)
    _ = memory.initialize(from: array)
    return UnsafeBufferPointer(memory)
  }
}

/// What the walk does at a position.
struct Step: BitwiseCopyable, Sendable {
  enum Kind: UInt8, BitwiseCopyable, Sendable {
    /// An ordinary rule.
    case rule
    /// `SecRule TX:x "@lt 2" "…,skipAfter:Y"` and nothing else: decided without touching the rule.
    case guardRule
    /// `SecRule &TX:x "@eq 0" "…,setvar:tx.x=5"`, or a SecAction, and nothing else: done without touching the rule.
    case setting
    /// A rule that begins with a comparison of a plain TX variable: where that doesn't hold, it isn't touched.
    case filtered
    /// A scanned rule: visited only where it was hit.
    case scanned
  }
  var kind = Kind.rule
  var comparison = Relation.eq
  var isNegated = false
  /// Of guards and settings: whether `slot` is counted, not read.
  var isCount = false
  /// There are transformations that leave digits alone: a value of anything else is for the rule itself.
  var isOfDigits = false
  /// What is compared; -1: nothing is, as in a SecAction.
  var slot: Int32 = -1
  var constant: Int64 = 0
  /// The TX variable that it is compared to; -1: the constant.
  var other: Int32 = -1
  /// Where a guard or a setting jumps to; -1: nowhere.
  var target: Int32 = -1
  /// The group to be scanned before going on, or -1: this is where a group's region begins.
  var group: Int32 = -1
  var firstSetting: Int32 = 0
  var settingCount: Int32 = 0
}

/// `setvar` of a plain TX variable: a constant, or what another one holds.
struct QuickSetting: BitwiseCopyable, Sendable {
  let slot: Int32
  let operation: VariableSetting.Operation
  let literal: ByteView
  /// The variable whose value is taken; -1: the literal.
  let source: Int32

  init?(_ setting: VariableSetting) {
    guard setting.variable == .tx, setting.slot >= 0 else { return nil }
    slot = Int32(setting.slot)
    operation = setting.operation
    if let literal = setting.value.literal {
      self.literal = literal
      source = -1
    } else if setting.value.parts.count == 1, case .slot(let from)? = setting.value.parts.first {
      literal = .empty
      source = Int32(from)
    } else {
      return nil
    }
  }
}

enum Relation: UInt8, BitwiseCopyable, Sendable { case eq, ge, gt, le, lt }
