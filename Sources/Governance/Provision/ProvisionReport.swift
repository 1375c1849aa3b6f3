// What came of a run, for people and for `--json`.

public import Controls

/// All accounts.
public struct ProvisionReport: Sendable, Encodable {
  /// Something that isn't known.
  public struct Gap: Sendable, Encodable, Equatable {
    /// What it is about.
    public let step: String
    /// Why it isn't known.
    public let reason: String
  }

  /// An account that nothing was done in.
  public struct Outside: Sendable, Encodable, Equatable {
    /// Its number, or what it was called.
    public let account: String
    /// Why.
    public let reason: String
  }

  /// Name and version of the baseline.
  public let baseline: String
  /// Those that were looked at.
  public internal(set) var accounts: [AccountProvision] = []
  /// Those that couldn't be entered.
  public internal(set) var unreached: [Outside] = []
  /// Those that mustn't be provisioned: not approved, or another run is at them.
  public internal(set) var refused: [Outside] = []
  /// Attempts at calls.
  public internal(set) var calls = 0
  /// Attempts that were too many for a service.
  public internal(set) var throttled = 0

  init(_ baseline: Baseline) { self.baseline = "\(baseline.name)/\(baseline.version)" }

  /// Whether all is known to be as wanted.
  /// - Parameter allowUnknown: what isn't known is no reason.
  public func isGood(allowUnknown: Bool) -> Bool {
    refused.isEmpty && unreached.isEmpty && accounts.allSatisfy { $0.isGood(allowUnknown: allowUnknown) }
  }
}

/// One account.
public struct AccountProvision: Sendable, Encodable {
  /// A step.
  public struct Step: Sendable, Encodable {
    /// `eu-west-1/detector`.
    public let step: String
    /// Why it is in the baseline.
    public let why: String
    /// What it changes.
    public let changes: [BaselineChange]
    /// Whether the thing isn't there yet.
    public let isNew: Bool
    /// Steps that come first.
    public let needs: [String]
    /// What came of it; nil = it was only planned.
    public internal(set) var outcome: StepOutcome?
  }

  /// What differs and no step changes.
  public struct Notice: Sendable, Encodable {
    /// What it is about.
    public let step: String
    /// Why it is in the baseline.
    public let why: String
    /// What differs.
    public let changes: [BaselineChange]
    /// Why no step changes it.
    public let reason: String
  }

  /// Its number.
  public let account: String
  /// Where the trail and the logs are.
  public let home: String
  /// Where the baseline is for.
  public let regions: [String]
  /// In the plan's order.
  public internal(set) var steps: [Step]
  /// What people have to mend.
  public internal(set) var notices: [Notice]
  /// What isn't known.
  public internal(set) var unknown: [ProvisionReport.Gap]
  /// What differs since it was last right; nil = nobody asked.
  public internal(set) var drift: [DriftedStep]?

  init(_ account: BaselineAccount, _ plan: BaselinePlan, _ language: ReportLanguage) {
    (self.account, home, regions) = (account.number, account.home, account.regions)
    steps = plan.steps.map {
      Step(
        step: $0.key.description, why: $0.key.item.why.text(language), changes: $0.changes,
        isNew: $0.isNew,
        needs: $0.needs.map(\.description), outcome: nil)
    }
    notices = plan.notices.map {
      Notice(
        step: $0.key.description, why: $0.key.item.why.text(language), changes: $0.changes,
        reason: $0.reason.text(language))
    }
    unknown = plan.unknown.map {
      ProvisionReport.Gap(step: $0.key.description, reason: $0.reason.text(language))
    }
  }

  mutating func add(_ ends: [BaselineKey: StepEnd], _ language: ReportLanguage) {
    let byName = Dictionary(
      ends.map { ($0.key.description, $0.value) }, uniquingKeysWith: { first, _ in first })
    for place in steps.indices {
      steps[place].outcome = byName[steps[place].step].map {
        StepOutcome(kind: $0.kind, reason: $0.reason?.text(language))
      }
    }
  }

  func isGood(allowUnknown: Bool) -> Bool {
    notices.isEmpty && (allowUnknown || unknown.isEmpty)
      && steps.allSatisfy { $0.outcome?.kind == .done || $0.outcome?.kind == .already }
  }
}
