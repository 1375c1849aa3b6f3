// That an account is being provisioned: a mark in the account itself, which keeps runs apart wherever they were started and
// whatever their journals are. It is an instance profile without a role: IAM makes a name once in an account (409
// EntityAlreadyExists), in one place for all regions, which no limit of regions shuts off; it permits nothing and costs
// nothing. Its path names the run.
//
// Invariant: a run changes something only while the mark names a run of its own journal. A run that was ended anywhere leaves
// its mark; who goes on with the same journal knows it again, since the journal tells of the run before the mark is made, and
// only one process at a time has a journal. Where the journal is lost, somebody has to say which run has ended; who takes it over
// makes a second mark first, named after that run, so that of two who say it at once one only takes the first mark away. The
// second mark stays until the run that made it ends.

import Controls
import Foundation
import GuardRules
import Resources

/// See the head of this file.
struct AccountMark: Sendable {
  /// Its name in IAM, where it is the one that has the account.
  static let name = "kabuto-provision"
  /// Before the run's name.
  static let path = "/kabuto/provision/"

  /// Who has the account.
  struct Holder: Sendable, Equatable {
    /// The run; nil = somebody else made something of that name.
    let run: String?
    /// When it was taken, as IAM writes it.
    let since: String
  }

  /// What came of an attempt to take it.
  enum Taking: Sendable, Equatable {
    case taken
    /// nil = IAM says that it is there, and doesn't tell whose it is.
    case held(Holder?)
  }

  let settings: AccountSettings
  let options: ProvisionOptions
  /// Its name in IAM.
  var name = Self.name

  /// The mark of who takes over a run that has ended.
  func takingOver(_ run: String) -> AccountMark {
    AccountMark(settings: settings, options: options, name: "\(Self.name)-after-\(run)")
  }

  /// Makes the mark, or knows it again.
  /// - Parameters:
  ///   - run: this run.
  ///   - known: earlier runs of its journal.
  func take(_ run: String, known: Set<String>) async throws(CallFailure) -> Taking {
    let mark: CallField = ["InstanceProfileName": .text(name), "Path": .text("\(Self.path)\(run)/")]
    var attempt = 0
    while true {
      attempt += 1
      let failure: CallFailure
      do throws(CallFailure) {
        try await settings.act("iam", ServiceAction("CreateInstanceProfile", mark))
        return .taken
      } catch { failure = error }
      let isThere = failure.code == "EntityAlreadyExists"
      guard isThere || failure.mayBeDone else { throw failure }
      if let holder = try await holder(looks: isThere ? options.looks : 2) {
        if let other = holder.run, other == run || known.contains(other) { return .taken }
        return .held(holder)
      }
      // It went in between, or IAM doesn't tell yet what it knows; or nobody answered, and it wasn't made.
      guard attempt < 3 else {
        if isThere { return .held(nil) }
        throw failure
      }
    }
  }

  /// Takes the mark of a run away, if it is still there.
  /// - Parameter runs: of which run it may be.
  func remove(of runs: Set<String>) async throws(CallFailure) {
    var attempt = 0
    while let holder = try await holder(looks: 1), let run = holder.run, runs.contains(run) {
      attempt += 1
      do throws(CallFailure) {
        try await settings.act(
          "iam",
          ServiceAction(
            "DeleteInstanceProfile", ["InstanceProfileName": .text(name)], absent: ["NoSuchEntity"]))
        return
      } catch {
        // Made again blindly it might take the next run's mark; so what is there is looked at first.
        guard error.mayBeDone, attempt < 3 else { throw error }
      }
    }
  }

  /// - Returns: nil where there is none.
  private func holder(looks: Int) async throws(CallFailure) -> Holder? {
    for look in 1...max(1, looks) {
      let answer = try await settings.ask(
        "iam",
        ServiceAction(
          "GetInstanceProfile", ["InstanceProfileName": .text(name)], absent: ["NoSuchEntity"]))
      if let path = answer["InstanceProfile"]?["Path"]?.string {
        let since = answer["InstanceProfile"]?["CreateDate"]?.string ?? ""
        guard path.hasPrefix(Self.path), path.hasSuffix("/"), path.utf8.count > Self.path.utf8.count else {
          return Holder(run: nil, since: since)
        }
        return Holder(run: String(path.dropFirst(Self.path.count).dropLast()), since: since)
      }
      if look < looks { await ProvisionRun.rest(look, options) }
    }
    return nil
  }
}

extension AccountMark.Taking {
  /// Why nothing is done; nil = it may be.
  var refusal: Bilingual? {
    guard case .held(let holder) = self else { return nil }
    guard let run = holder?.run else { return Self.strange(AccountMark.name) }
    let since = holder?.since ?? ""
    return Bilingual(
      "another run has it: \(run), since \(since). Wait until it has ended; one that was ended in the middle is gone on with "
        + "by its own journal. Where that journal is lost and the run has surely ended: --take-over \(run)",
      "別の実行 \(run) が \(since) から作業中です。終了を待ってください。途中で終了した実行は、その実行のジャーナルで再開できます。"
        + "ジャーナルを失い、実行が確実に終了している場合は --take-over \(run) を指定してください")
  }

  /// Why a run isn't taken over; nil = it may be.
  func refusal(toTakeOver other: String) -> Bilingual? {
    guard case .held(let holder) = self else { return nil }
    let name = "\(AccountMark.name)-after-\(other)"
    guard let run = holder?.run else { return Self.strange(name) }
    let since = holder?.since ?? ""
    return Bilingual(
      "run \(other) is being taken over by another: \(run), since \(since). Wait until it has ended, or go on with its own "
        + "journal. Where that is lost too and it has surely ended: delete the instance profile \(name)",
      "実行 \(other) は別の実行 \(run) が \(since) から引き継いでいます。終了を待つか、その実行のジャーナルで再開してください。"
        + "そのジャーナルも失い、実行が確実に終了している場合は、インスタンスプロファイル \(name) を削除してください")
  }

  private static func strange(_ name: String) -> Bilingual {
    Bilingual(
      "an instance profile \(name) is there already, and IAM names no run of this program that made it; "
        + "look at it, and delete it where nobody needs it",
      "インスタンスプロファイル \(name) が既に存在し、作成した実行を確認できません。内容を確認し、不要であれば削除してください")
  }
}
