// Carries a plan out in one account. A step is: look, write down what will be done, do it, look again, write down what came
// of it. Steps whose needs are done go beside each other; a step whose need failed isn't tried and says so.

import Controls
import Foundation

struct ProvisionRun: Sendable {
  let settings: AccountSettings
  let journal: ProvisionJournal
  let options: ProvisionOptions
  let tell: @Sendable (String) -> Void

  private var number: String { settings.account.number }

  /// What a service refuses until something that was just made has settled; surely not carried out.
  private static let unsettled: Set<String> = [
    "InsufficientS3BucketPolicyException", "InsufficientDeliveryPolicyException", "OperationAborted",
    "ConcurrentModification", "ConcurrentModificationException", "ResourceInUseException", "NoSuchBucket",
    "NoSuchBucketException", "S3BucketDoesNotExistException", "InvalidRoleException",
  ]

  /// All steps.
  /// - Returns: what came of each.
  func carryOut(_ plan: BaselinePlan) async -> [BaselineKey: StepOutcome] {
    await withTaskGroup(of: (BaselineKey, StepOutcome).self) { group in
      var outcomes: [BaselineKey: StepOutcome] = [:]
      var waiting = plan.steps
      var running = 0
      func start() {
        var later: [BaselineStep] = []
        // In the plan's order, so that one pass sees what is given up before what needs it.
        for step in waiting {
          if let failed = step.needs.first(where: { outcomes[$0].map { !$0.isGood } ?? false }) {
            let outcome = StepOutcome(kind: .notDone, reason: "it needs \(failed), which isn't done")
            outcomes[step.key] = outcome
            record(step, outcome)
          } else if running < max(1, options.stepsAtOnce), step.needs.allSatisfy({ outcomes[$0] != nil }) {
            running += 1
            group.addTask { (step.key, await carryOut(step)) }
          } else {
            later.append(step)
          }
        }
        waiting = later
      }
      start()
      while let (key, outcome) = await group.next() {
        running -= 1
        outcomes[key] = outcome
        start()
      }
      return outcomes
    }
  }

  private func record(_ step: BaselineStep, _ outcome: StepOutcome) {
    let reason = outcome.reason.map { ": \($0)" } ?? ""
    tell("\(number): \(step.key): \(outcome.kind.rawValue)\(reason)")
    do throws(GovernanceFaults) {
      try journal.write(number, .result) {
        ($0.step, $0.outcome, $0.reason) = (step.key.description, outcome.kind, outcome.reason)
      }
    } catch { tell("\(number): \(step.key): \(error)") }
  }

  private func carryOut(_ step: BaselineStep) async -> StepOutcome {
    let outcome = await attempt(step)
    record(step, outcome)
    return outcome
  }

  private func attempt(_ step: BaselineStep) async -> StepOutcome {
    var found = await settings.read(step.key)
    if case .unknown(let reason) = found { return failed("it can't be looked at: \(reason)") }
    var changes = step.goal.changes(from: found)
    if changes.isEmpty { return StepOutcome(kind: .already, reason: nil) }
    // Somebody began to use it since the plan was made.
    if case .set(let properties) = found, let use = properties["UsedBy"], use != "0" {
      return failed("\(use) network interfaces use it by now")
    }
    do throws(GovernanceFaults) {
      try journal.write(number, .intent) { ($0.step, $0.changes) = (step.key.description, changes) }
    } catch { return failed("nothing was done, since it couldn't be written down: \(error)") }
    var acts = 0
    while true {
      acts += 1
      var failure: CallFailure?
      do throws(CallFailure) { try await settings.set(step.goal) } catch { failure = error }
      if let refused = failure, !refused.mayBeDone {
        guard Self.unsettled.contains(refused.code), acts < options.looks else { return failed(refused.text) }
        await rest(acts)
        continue
      }
      // It was done, or nobody knows: what is there tells.
      for look in 1...max(1, options.looks) {
        found = await settings.read(step.key)
        if case .unknown(let reason) = found {
          return failed("\(failure?.text ?? "it was set"), but it can't be looked at: \(reason)")
        }
        changes = step.goal.changes(from: found)
        if changes.isEmpty { return StepOutcome(kind: .done, reason: nil) }
        if look < options.looks { await rest(look) }
      }
      let left = changes.map { "\($0.name) is \($0.from ?? "not there")" }.joined(separator: ", ")
      guard let unsure = failure else { return failed("it was set, but \(left)") }
      // Surely not there after all looks: again, and not for ever.
      guard acts < 3 else { return failed("\(unsure.text); \(left)") }
    }
  }

  private func failed(_ reason: String) -> StepOutcome { StepOutcome(kind: .failed, reason: reason) }

  private func rest(_ count: Int) async {
    let bound = min(options.policy.mostMilliseconds, options.policy.baseMilliseconds << min(count, 10))
    try? await Task.sleep(for: .milliseconds(bound / 2 + Int.random(in: 0...max(1, bound / 2))))
  }
}

extension StepOutcome {
  var isGood: Bool { kind == .done || kind == .already }
}
