// Made baselines, accounts and states, by chance that can be repeated with KABUTO_SEED.

import Controls
import Foundation
import TestChance

/// What is there of an account, of what the baseline names and of more.
typealias State = [BaselineKey: FoundSetting]

struct BaselineMaker {
  var chance: Chance
  let account = BaselineAccount(
    number: "111122223333", partition: "aws", home: "eu-west-1",
    regions: ["eu-west-1", "us-east-1", "ap-northeast-1"])

  init(round: Int) { chance = Chance(round: round) }

  mutating func baseline() throws -> Baseline {
    var text = "baseline: made\n"
    let hasLogs = !chance.once(in: 4)
    if hasLogs {
      text +=
        "logs: {bucket: 'logs-{account}', versioning: \(chance.once(in: 2)), only-tls: \(chance.once(in: 2))}\n"
      if !chance.once(in: 3) { text += "trail: {name: made, validation: \(chance.once(in: 2))}\n" }
      if !chance.once(in: 3) {
        let delivery = chance.pick(["", "  delivery: One_Hour\n", "  delivery: TwentyFour_Hours\n"])
        text += "config:\n\(delivery)  rules:\n"
        for number in 0...chance.below(4) {
          text +=
            "    - {name: rule-\(number), identifier: RULE_\(number)\(chance.once(in: 2) ? ", only: home" : "")}\n"
        }
      }
    }
    if !chance.once(in: 3) { text += "guardduty: {\(chance.once(in: 2) ? "frequency: ONE_HOUR" : "")}\n" }
    if !chance.once(in: 3) { text += "access-analyzer: {name: made}\n" }
    text += "ebs-encryption: \(chance.once(in: 2))\naccount-public-access-block: \(chance.once(in: 2))\n"
    if !chance.once(in: 3) { text += "default-security-groups: closed\n" }
    if !chance.once(in: 3) {
      text += "password-policy: {minimum-length: 14, maximum-age-days: 90, symbols: \(chance.once(in: 2)), "
      text += "users-may-change: \(chance.once(in: 2))}\n"
    }
    if chance.once(in: 2) { text += "regions: {used: [eu-west-1]}\n" }
    if chance.once(in: 2) { text += "hygiene: {root-mfa: true, user-mfa: true, access-key-days: 90}\n" }
    return try Baseline(text)
  }

  /// A state in which anything may be there or not, as wanted or not, or unknown.
  mutating func state(_ baseline: Baseline, unknown: Bool = true) -> State {
    var state: State = [:]
    // Those that are found there, first, so that the goals know of them.
    for region in account.regions {
      for number in 0..<chance.below(3) {
        state[BaselineKey(.defaultGroup, region: region, name: "sg-\(number)")] = .absent
      }
    }
    for number in 0..<chance.below(4) { state[BaselineKey(.user, name: "user-\(number)")] = .absent }
    for goal in baseline.goals(of: account, state) {
      if unknown, chance.once(in: 8) {
        state[goal.key] = .unknown("denied")
        continue
      }
      // A group or user that is told of is there.
      if chance.once(in: 3), !goal.key.item.isFoundThere {
        state[goal.key] = .absent
        continue
      }
      var properties = ["Other": String(chance.below(100))]
      for property in goal.wanted {
        switch chance.below(4) {
        case 0: break
        case 1: properties[property.name] = chance.pick(["false", "0", "500", "something", "true"])
        default: properties[property.name] = property.value.target
        }
      }
      if goal.key.item == .defaultGroup, chance.once(in: 4) { properties["UsedBy"] = "3" }
      state[goal.key] = .set(properties)
    }
    if unknown, baseline.items(in: "", of: account).contains(.user), chance.once(in: 4) {
      state[BaselineKey(.user)] = .unknown("denied")
    }
    // What the baseline doesn't name.
    state[BaselineKey(.configRule, region: "eu-west-1", name: "others")] = .set(["SourceIdentifier": "OTHERS"]
    )
    state[BaselineKey(.trail, name: "others")] = .set(["IsMultiRegionTrail": "false"])
    return state
  }
}

/// An account that does as it is told.
struct PlayedAccount {
  var state: State

  mutating func carryOut(_ step: BaselineStep) {
    state[step.key] = step.goal.reached(from: state[step.key] ?? .absent)
  }
}
