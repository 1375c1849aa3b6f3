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
  func carryOut(_ plan: BaselinePlan) async -> [BaselineKey: StepEnd] {
    await withTaskGroup(of: (BaselineKey, StepEnd).self) { group in
      var ends: [BaselineKey: StepEnd] = [:]
      var waiting = plan.steps
      var running = 0
      func start() {
        var later: [BaselineStep] = []
        // In the plan's order, so that one pass sees what is given up before what needs it.
        for step in waiting {
          if let failed = step.needs.first(where: { ends[$0].map { !$0.isGood } ?? false }) {
            let end = StepEnd(
              kind: .notDone,
              reason: Bilingual("it needs \(failed), which isn't done", "前提となる \(failed) が完了していません"))
            ends[step.key] = end
            record(step, end)
          } else if running < max(1, options.stepsAtOnce), step.needs.allSatisfy({ ends[$0] != nil }) {
            running += 1
            group.addTask { (step.key, await carryOut(step)) }
          } else {
            later.append(step)
          }
        }
        waiting = later
      }
      start()
      while let (key, end) = await group.next() {
        running -= 1
        ends[key] = end
        start()
      }
      return ends
    }
  }

  private func record(_ step: BaselineStep, _ end: StepEnd) {
    let reason = end.reason.map { ": \($0.text(options.language))" } ?? ""
    tell("\(number): \(step.key): \(end.kind.words.text(options.language))\(reason)")
    do throws(GovernanceFaults) {
      try journal.write(number, .result) {
        ($0.step, $0.outcome, $0.reason) = (step.key.description, end.kind, end.reason?.en)
      }
    } catch { tell("\(number): \(step.key): \(error)") }
  }

  private func carryOut(_ step: BaselineStep) async -> StepEnd {
    let end = await attempt(step)
    record(step, end)
    return end
  }

  private func attempt(_ step: BaselineStep) async -> StepEnd {
    var found = await settings.read(step.key)
    if case .unknown(let reason) = found {
      return failed("it can't be looked at: \(reason)", "確認できません: \(reason)")
    }
    var changes = step.goal.changes(from: found)
    if changes.isEmpty { return StepEnd(kind: .already, reason: nil) }
    // Somebody began to use it since the plan was made.
    if case .set(let properties) = found, let use = properties["UsedBy"], use != "0" {
      return failed(
        "\(use) network interfaces use it by now", "\(use) 個のネットワークインターフェイスが使用を始めています")
    }
    do throws(GovernanceFaults) {
      try journal.write(number, .intent) { ($0.step, $0.changes) = (step.key.description, changes) }
    } catch {
      return failed(
        "nothing was done, since it couldn't be written down: \(error)",
        "ジャーナルに記録できないため、何も変更していません: \(error)")
    }
    var acts = 0
    while true {
      acts += 1
      var failure: CallFailure?
      do throws(CallFailure) { try await settings.set(step.goal) } catch { failure = error }
      if let refused = failure, !refused.mayBeDone {
        guard Self.unsettled.contains(refused.code), acts < options.looks else {
          return failed(refused.text, refused.text)
        }
        await Self.rest(acts, options)
        continue
      }
      // It was done, or nobody knows: what is there tells.
      for look in 1...max(1, options.looks) {
        found = await settings.read(step.key)
        if case .unknown(let reason) = found {
          return failed(
            "\(failure?.text ?? "it was set"), but it can't be looked at: \(reason)",
            "\(failure?.text ?? "設定しました")。ただし確認できません: \(reason)")
        }
        changes = step.goal.changes(from: found)
        if changes.isEmpty { return StepEnd(kind: .done, reason: nil) }
        if look < options.looks { await Self.rest(look, options) }
      }
      let left = changes.map { "\($0.name) is \($0.from ?? "not there")" }.joined(separator: ", ")
      let leftJa = changes.map { "\($0.name) は \($0.from ?? "なし")" }.joined(separator: "、")
      guard let unsure = failure else {
        return failed("it was set, but \(left)", "設定しましたが、\(leftJa) のままです")
      }
      // Surely not there after all looks: again, and not for ever.
      guard acts < 3 else { return failed("\(unsure.text); \(left)", "\(unsure.text)。\(leftJa) のままです") }
    }
  }

  private func failed(_ en: String, _ ja: String) -> StepEnd {
    StepEnd(kind: .failed, reason: Bilingual(en, ja))
  }

  static func rest(_ count: Int, _ options: ProvisionOptions) async {
    let bound = min(options.policy.mostMilliseconds, options.policy.baseMilliseconds << min(count, 10))
    try? await Task.sleep(for: .milliseconds(bound / 2 + Int.random(in: 0...max(1, bound / 2))))
  }
}

/// What came of a step, before it is told.
struct StepEnd: Sendable, Equatable {
  let kind: StepOutcome.Kind
  /// Why, where it isn't done.
  let reason: Bilingual?

  var isGood: Bool { kind == .done || kind == .already }
}
