// What is kept of a practice run: one line of JSON each time it changes, the newest of an id holds. So a run that was
// cut off in the middle of its fault is found by the next one.

/// A process by its number and when it began: a number alone may be another's by now.
public struct DrillProcess: Sendable, Equatable, Codable {
  /// Its number.
  public var pid: Int
  /// When it began: clock ticks since the system's start, as `/proc` says it.
  public var started: UInt64

  /// A process.
  public init(pid: Int, started: UInt64) {
    self.pid = pid
    self.started = started
  }
}

/// See the head of this file.
public struct DrillRecord: Sendable, Equatable, Codable {
  /// Names the run.
  public var id: String
  /// What was done.
  public var plan: DrillPlan
  /// When it began: seconds since 1970.
  public var began: Double
  /// When it ended; nil = it hasn't, or was cut off.
  public var ended: Double?
  /// `running`, `passed`, `refused`, `failed`, `not healed`, or `healed late` for one that was cut off.
  public var outcome: String
  /// Why, in words; empty where it passed.
  public var reasons: [String]
  /// Whether the fault may still be there.
  public var isFaulted: Bool
  /// Longest time that the watching client was without anything, nanoseconds.
  public var longestOutageNanoseconds: UInt64
  /// What the client saw and should not have.
  public var errors: [DrillError]
  /// Times the client went to another server.
  public var changes: Int
  /// Who carries it out: while that process lives, the run is its own.
  public var owner: DrillProcess?
  /// The node's process, as it was before the fault: one that is frozen can't be asked.
  public var target: DrillProcess?
  /// Somebody looked into it: it stands in no later run's way.
  public var isAcknowledged = false

  /// A run that begins.
  public init(id: String, plan: DrillPlan, began: Double) {
    self.id = id
    self.plan = plan
    self.began = began
    outcome = "running"
    reasons = []
    isFaulted = false
    longestOutageNanoseconds = 0
    errors = []
    changes = 0
  }

  /// Takes how it ended.
  public mutating func take(_ outcome: DrillOutcome) {
    switch outcome {
    case .passed: (self.outcome, reasons) = ("passed", [])
    case .refused(let objections): (self.outcome, reasons) = ("refused", objections)
    case .failed(let reason): (self.outcome, reasons) = ("failed", [reason])
    case .notHealed(let reason): (self.outcome, reasons) = ("not healed", [reason])
    }
  }

  /// Whether it stands in the way of later ones: it ended badly, and nobody has acknowledged it.
  public var isObstacle: Bool { !isAcknowledged && ["running", "failed", "not healed"].contains(outcome) }

  /// What holds of lines in the order in which they were written.
  public static func newest(_ lines: [DrillRecord]) -> [DrillRecord] {
    var order: [String] = []
    var byID: [String: DrillRecord] = [:]
    for line in lines {
      if byID[line.id] == nil { order.append(line.id) }
      byID[line.id] = line
    }
    return order.compactMap { byID[$0] }
  }
}
