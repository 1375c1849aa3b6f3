// What people are told of a provision, in both languages: the same things, no English words left in the Japanese.

import Controls
import Foundation
import Testing

@testable import Governance

@Suite struct ProvisionTextTests {
  private func report(_ language: ReportLanguage, applied: Bool) throws -> ProvisionReport {
    let baseline = try Baseline(
      """
      baseline: b
      ebs-encryption: true
      guardduty: {frequency: ONE_HOUR}
      default-security-groups: closed
      account-public-access-block: true
      hygiene: {root-mfa: true}
      """)
    let account = ProvisionTests.account
    let group = BaselineKey(.defaultGroup, region: "eu-west-1", name: "sg-1")
    let plan = BaselinePlan(
      baseline, account,
      found: [
        BaselineKey(.accountPublicAccess): .unknown("AccessDenied: s3"),
        BaselineKey(.rootMFA): .set(["AccountMFAEnabled": "false"]),
        BaselineKey(.detector, region: "eu-west-1"): .absent,
        BaselineKey(.ebsEncryption, region: "eu-west-1"): .set(["EbsEncryptionByDefault": "false"]),
        group: .set(["Ingress": "some", "Egress": "some", "UsedBy": "2"]),
      ])
    var told = AccountProvision(account, plan, language)
    if applied {
      told.add(
        [
          BaselineKey(.detector, region: "eu-west-1"): StepEnd(kind: .done, reason: nil),
          BaselineKey(.ebsEncryption, region: "eu-west-1"): StepEnd(
            kind: .notDone, reason: Bilingual("it needs x, which isn't done", "前提となる x が完了していません")),
        ], language)
    }
    told.drift = [
      DriftedStep(
        step: "global/trail", changes: [BaselineChange(name: "N", from: nil, to: "true")],
        rightAt: "2026-01-02T03:04:05Z", changedBy: [.init(event: "StopLogging", by: "eve", at: "2026")],
        unknownBecause: nil),
      DriftedStep(step: "global/user", changes: [], rightAt: nil, changedBy: [], unknownBecause: "r"),
    ]
    var report = ProvisionReport(baseline)
    report.accounts = [told]
    report.refused = [.init(account: "444455556666", reason: "r")]
    report.unreached = [.init(account: "x", reason: "r")]
    return report
  }

  @Test func englishIsAsItWas() throws {
    let plan = try report(.english, applied: false)
    let text = plan.text(applied: false, .english)
    for line in [
      "account 111122223333  baseline b/1  home eu-west-1  1 regions\n", "  make  eu-west-1/detector\n",
      "  change  eu-west-1/ebs-encryption\n", "      FindingPublishingFrequency: not there → ONE_HOUR\n",
      "      why: Threats are noticed in each region", "  differs  eu-west-1/default-security-group/sg-1\n",
      "      mend: 2 network interfaces use it",
      "  unknown  global/account-public-access-block\n      AccessDenied: s3\n",
      "1 account: 2 steps, 2 to mend, 1 unknown; 0 calls\n",
    ] {
      #expect(text.contains(line), "\(line) in \(text)")
    }
    let done = try report(.english, applied: true).text(applied: true, .english)
    #expect(done.contains("  done  eu-west-1/detector\n"))
    #expect(done.contains("      because: it needs x, which isn't done\n"))
    #expect(done.contains("1 steps done, 0 already, 0 failed, 1 not done"))
    #expect(
      plan.driftText(.english).contains(
        "  drifted  global/trail\n      N: is not there, wanted true\n      last right: "))
    #expect(plan.outsideLines(.english) == ["x can't be entered: r", "account 444455556666 is refused: r"])
  }

  @Test func japaneseSaysTheSame() throws {
    let (english, japanese) = (try report(.english, applied: true), try report(.japanese, applied: true))
    for (one, other) in [
      (english.text(applied: true, .english), japanese.text(applied: true, .japanese)),
      (english.text(applied: false, .english), japanese.text(applied: false, .japanese)),
      (english.driftText(.english), japanese.driftText(.japanese)),
      (
        english.outsideLines(.english).joined(separator: "\n"),
        japanese.outsideLines(.japanese).joined(separator: "\n")
      ),
    ] {
      let (lines, theirs) = (one.split(separator: "\n"), other.split(separator: "\n"))
      #expect(lines.count == theirs.count)
      for (line, their) in zip(lines, theirs) where line.contains(where: \.isLetter) {
        // Names, services' words and times are the same; every other line has something Japanese.
        let isCode =
          ["AccessDenied: s3", "eve"].contains { line.contains($0) }
          || line.contains(" → ") && !line.contains("not there")
        #expect(isCode || their.unicodeScalars.contains { $0.value > 0x3000 }, "\(line) / \(their)")
      }
      for step in ["eu-west-1/detector", "global/trail"] where one.contains(step) {
        #expect(other.contains(step))
      }
    }
    let words = ["why", "because", "mend", "account", "steps", "drifted", "last right", "isn't", "refused"]
    let all = japanese.text(applied: true, .japanese) + japanese.driftText(.japanese)
    for word in words {
      // Names of steps may have English words in them.
      let plain = all.replacing("account-public-access-block", with: "")
      #expect(!plain.contains(word), "\(word)")
    }
  }

  @Test func everyItemAndStateHasBoth() {
    for item in BaselineItem.allCases {
      #expect(!item.why.en.isEmpty && item.why.ja.unicodeScalars.contains { $0.value > 0x3000 }, "\(item)")
    }
    for kind in [StepOutcome.Kind.done, .already, .failed, .notDone] {
      #expect(kind.words.en != kind.words.ja)
    }
    #expect(StepOutcome.Kind.notDone.words.en == "not-done")
  }
}
