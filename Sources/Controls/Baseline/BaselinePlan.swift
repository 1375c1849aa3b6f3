// What is wanted and what was found → steps. Pure, so that it is the same plan wherever and however often it is made.
// Invariants, each a property test: nothing that is as wanted has a step; a plan of what its own steps lead to is empty, after
// any part of them too; nothing that the baseline doesn't name is changed; what isn't known has no step, nor has what needs it.

/// Something to do.
public struct BaselineStep: Sendable, Equatable {
  /// What it makes right.
  public let goal: BaselineGoal
  /// What it changes.
  public let changes: [BaselineChange]
  /// Whether the thing isn't there yet.
  public let isNew: Bool
  /// Steps of this plan that come first.
  public let needs: [BaselineKey]

  /// What it makes right.
  public var key: BaselineKey { goal.key }
}

/// Something that differs and that no step changes.
public struct BaselineNotice: Sendable, Equatable {
  /// What it is about.
  public let key: BaselineKey
  /// What differs.
  public let changes: [BaselineChange]
  /// Why no step changes it.
  public let reason: Bilingual
}

/// Something that nobody could tell.
public struct BaselineGap: Sendable, Equatable {
  /// What it is about.
  public let key: BaselineKey
  /// Why it isn't known.
  public let reason: Bilingual
}

/// See the head of this file.
public struct BaselinePlan: Sendable, Equatable {
  /// In an order in which they can be carried out.
  public private(set) var steps: [BaselineStep] = []
  /// What has to be mended by people.
  public private(set) var notices: [BaselineNotice] = []
  /// What isn't known.
  public private(set) var unknown: [BaselineGap] = []

  /// Whether all is as wanted, and known to be.
  public var isEmpty: Bool { steps.isEmpty && notices.isEmpty && unknown.isEmpty }

  /// A plan.
  public init(_ baseline: Baseline, _ account: BaselineAccount, found: [BaselineKey: FoundSetting]) {
    var planned: Set<BaselineKey> = []
    var held: Set<BaselineKey> = []
    for goal in baseline.goals(of: account, found) {
      let key = goal.key
      let there = found[key] ?? .unknown("it wasn't looked at")
      if case .unknown(let reason) = there {
        unknown.append(BaselineGap(key: key, reason: Bilingual(same: reason)))
        held.insert(key)
        continue
      }
      let changes = goal.changes(from: there)
      guard !changes.isEmpty else { continue }
      if !key.item.isSettable {
        notices.append(BaselineNotice(key: key, changes: changes, reason: Self.notSettable(key.item)))
      } else if case .set(let properties) = there, let use = properties["UsedBy"], use != "0" {
        notices.append(
          BaselineNotice(
            key: key, changes: changes,
            reason: Bilingual(
              "\(use) network interfaces use it, which would be cut off; move them to a group of their own",
              "\(use) 個のネットワークインターフェイスが使用中で、閉じると通信が途絶えます。専用のグループに移してください")))
      } else if let wait = goal.needs.first(where: { held.contains($0) }) {
        unknown.append(
          BaselineGap(
            key: key,
            reason: Bilingual("it needs \(wait), which isn't known", "前提となる \(wait) の状態が不明です")))
        held.insert(key)
      } else {
        steps.append(
          BaselineStep(
            goal: goal, changes: changes, isNew: there == .absent,
            needs: goal.needs.filter { planned.contains($0) }))
        planned.insert(key)
      }
    }
  }

  private static func notSettable(_ item: BaselineItem) -> Bilingual {
    switch item {
    case .rootMFA:
      Bilingual(
        "only root itself can set it: sign in as root, and add a device",
        "設定できるのはルートユーザーだけです。ルートユーザーでサインインし、デバイスを登録してください")
    case .rootKeys:
      Bilingual(
        "only root itself can delete them: sign in as root",
        "削除できるのはルートユーザーだけです。ルートユーザーでサインインしてください")
    case .user:
      Bilingual(
        "only the user can: add a device, change or delete old keys",
        "対処できるのは本人だけです。デバイスの登録、または古いキーの更新か削除をしてください")
    case .regionUse:
      Bilingual(
        "what runs in a region that isn't meant to be used is for its owner to move or end",
        "使用しないはずのリージョンにあるものは、所有者が移動または終了してください")
    default: Bilingual("it can only be looked at", "確認だけができる項目です")
    }
  }
}
