// What IAM has and what the catalogue wants → the steps from one to the other. Touched is only what has the path /kabuto/;
// a user is removed only if it has the tag too. The order gives nobody more on the way than before or after: what is new and
// nobody's yet, each user's boundary, groups without those that aren't meant to be in them, policies that become narrower,
// what is taken away; then policies that become wider, the boundary before them, what is given, removals last. Each step does
// the same when it is done twice.

/// A step.
public enum IdentityStep: Sendable, Equatable {
  case createPolicy(GeneratedPolicy)
  /// `drops`: a version that makes room, as IAM keeps five.
  /// `widens`: it isn't surely within what the policy said before.
  case changePolicy(arn: String, PolicyDocument, drops: String?, widens: Bool)
  case revertPolicy(arn: String, version: String, widens: Bool)
  case createGroup(String)
  case createUser(String)
  case setBoundary(user: String)
  case tagUser(String)
  case detachFromUser(String, arn: String)
  case deleteUserPolicy(String, name: String)
  case detachFromGroup(String, arn: String)
  case deleteGroupPolicy(String, name: String)
  case leaveGroup(user: String, group: String)
  case attachToGroup(String, arn: String)
  case joinGroup(user: String, group: String)
  case deleteUser(String)
  case deleteGroup(String)
  case deletePolicy(arn: String, versions: [String])

  /// Whether something comes, goes or changes.
  public enum Kind: String, Sendable {
    /// Something new.
    case create
    /// Something is otherwise.
    case change
    /// Something goes.
    case remove
  }

  /// Whether something comes, goes or changes.
  public var kind: Kind {
    switch self {
    case .createPolicy, .createGroup, .createUser, .attachToGroup, .joinGroup: .create
    case .changePolicy, .revertPolicy, .setBoundary, .tagUser: .change
    default: .remove
    }
  }

  /// Whether somebody may do more after it.
  public var gives: Bool {
    switch self {
    case .attachToGroup, .joinGroup: true
    case .changePolicy(_, _, _, let widens), .revertPolicy(_, _, let widens): widens
    default: false
    }
  }

  /// The user that it is about; nil = it is about none, or all of a group.
  public var user: String? {
    switch self {
    case .createUser(let user), .setBoundary(let user), .tagUser(let user), .detachFromUser(let user, _),
      .deleteUserPolicy(let user, _), .leaveGroup(let user, _), .joinGroup(let user, _),
      .deleteUser(let user):
      user
    default: nil
    }
  }

  /// In words.
  public var text: String {
    switch self {
    case .createPolicy(let policy):
      "policy \(policy.name): create, \(policy.document.characterCount) characters"
    case .changePolicy(let arn, let document, _, _):
      "policy \(Self.name(arn)): say what the catalogue says, \(document.characterCount) characters"
    case .revertPolicy(let arn, let version, _): "policy \(Self.name(arn)): back to version \(version)"
    case .createGroup(let group): "group \(group): create"
    case .createUser(let user): "user \(user): create, with the boundary"
    case .setBoundary(let user): "user \(user): set the boundary"
    case .tagUser(let user): "user \(user): set the tag"
    case .detachFromUser(let user, let arn): "user \(user): detach \(arn), which isn't the catalogue's"
    case .deleteUserPolicy(let user, let name): "user \(user): delete its own policy \(name)"
    case .detachFromGroup(let group, let arn): "group \(group): detach \(arn), which isn't the catalogue's"
    case .deleteGroupPolicy(let group, let name): "group \(group): delete its own policy \(name)"
    case .leaveGroup(let user, let group): "user \(user): leave group \(group)"
    case .attachToGroup(let group, let arn): "group \(group): attach \(Self.name(arn))"
    case .joinGroup(let user, let group): "user \(user): join group \(group)"
    case .deleteUser(let user): "user \(user): delete, with its keys and passwords"
    case .deleteGroup(let group): "group \(group): delete"
    case .deletePolicy(let arn, _): "policy \(Self.name(arn)): delete"
    }
  }

  private static func name(_ arn: String) -> String { arn.split(separator: "/").last.map(String.init) ?? arn }
}

/// The steps, and what stands in their way.
public struct IdentityPlan: Sendable, Equatable {
  /// In their order.
  public private(set) var steps: [IdentityStep] = []
  /// Names that something else has: these users, groups and policies can't be made.
  public private(set) var conflicts: [String] = []
  /// What is under the path, but neither the catalogue's nor made by this program: it is left alone.
  public private(set) var foreign: [String] = []

  /// The tag of users.
  public static let tag = (key: "kabuto", value: "catalogue")

  /// - Parameters:
  ///   - account: twelve digits, for ARNs.
  public init(from found: IdentityState, to wanted: NarrowedUsers, account: String, partition: String) {
    let path = Catalogue.path
    func arn(_ name: String) -> String { "arn:\(partition):iam::\(account):policy\(path)\(name)" }
    // The boundary is the first of each kind.
    let policies = [wanted.boundary] + wanted.groups.flatMap(\.policies)
    let boundary = arn(wanted.boundary.name)

    var narrowing: [IdentityStep] = []
    var widening: [IdentityStep] = []
    for policy in policies {
      guard let has = found.policies[policy.name] else {
        // Nobody has it yet.
        steps.append(.createPolicy(policy))
        continue
      }
      guard has.path == path else {
        conflicts.append("policy \(policy.name) is there already, at \(has.arn)")
        continue
      }
      let now = has.versions.first(where: \.isDefault)?.document
      if now?.says(policy.document) == true { continue }
      let widens = now.map { !policy.document.isWithin($0) } ?? true
      let step: IdentityStep
      if let same = has.versions.first(where: { $0.document?.says(policy.document) == true }) {
        step = .revertPolicy(arn: has.arn, version: same.id, widens: widens)
      } else {
        let old = has.versions.filter { !$0.isDefault }.min { Self.number($0.id) < Self.number($1.id) }
        step = .changePolicy(
          arn: has.arn, policy.document, drops: has.versions.count >= 5 ? old?.id : nil, widens: widens)
      }
      if widens {
        widening.append(step)
      } else {
        narrowing.append(step)
      }
    }

    var takes: [IdentityStep] = []
    var gives: [IdentityStep] = []
    // Before a group is widened it has only those that are meant.
    var leaves: [IdentityStep] = []
    let ours = Dictionary(wanted.users.map { ($0.name, Set($0.groups)) }, uniquingKeysWith: { $1 })
    for group in wanted.groups {
      let has = found.groups[group.name]
      if let has, has.path != path {
        conflicts.append("group \(group.name) is there already, under \(has.path)")
        continue
      }
      if has == nil { steps.append(.createGroup(group.name)) }
      leaves += found.users.filter {
        $0.value.groups.contains(group.name) && ours[$0.key]?.contains(group.name) != true
      }.keys.sorted().map { IdentityStep.leaveGroup(user: $0, group: group.name) }
      let meant = Set(group.policies.map { arn($0.name) })
      let attached = has?.attached ?? []
      takes += attached.subtracting(meant).sorted().map { IdentityStep.detachFromGroup(group.name, arn: $0) }
      takes += (has?.inline ?? []).sorted().map { IdentityStep.deleteGroupPolicy(group.name, name: $0) }
      gives += meant.subtracting(attached).sorted().map { IdentityStep.attachToGroup(group.name, arn: $0) }
    }
    for user in wanted.users {
      let has = found.users[user.name]
      if let has, has.path != path {
        conflicts.append("user \(user.name) is there already, under \(has.path)")
        continue
      }
      if let has {
        if has.boundary != boundary { steps.append(.setBoundary(user: user.name)) }
        if has.tags[Self.tag.key] != Self.tag.value { steps.append(.tagUser(user.name)) }
      } else {
        steps.append(.createUser(user.name))
      }
      takes += (has?.attached ?? []).sorted().map { IdentityStep.detachFromUser(user.name, arn: $0) }
      takes += (has?.inline ?? []).sorted().map { IdentityStep.deleteUserPolicy(user.name, name: $0) }
      let groups = has?.groups ?? []
      let named = Set(wanted.groups.map(\.name))
      takes += groups.subtracting(user.groups).subtracting(named).sorted().map {
        IdentityStep.leaveGroup(user: user.name, group: $0)
      }
      gives += Set(user.groups).subtracting(groups).sorted().map {
        IdentityStep.joinGroup(user: user.name, group: $0)
      }
    }
    steps += leaves + narrowing + takes + widening + gives
    remove(found, wanted, Set(policies.map(\.name)))
  }

  private mutating func remove(_ found: IdentityState, _ wanted: NarrowedUsers, _ policies: Set<String>) {
    let path = Catalogue.path
    let users = Set(wanted.users.map(\.name))
    for (name, user) in found.users.sorted(by: { $0.key < $1.key })
    where user.path == path && !users.contains(name) {
      if user.tags[Self.tag.key] == Self.tag.value {
        steps.append(.deleteUser(name))
      } else {
        foreign.append("user \(name) is under \(path) without the tag \(Self.tag.key)=\(Self.tag.value)")
      }
    }
    let groups = Set(wanted.groups.map(\.name))
    var held: Set<String> = []
    for (name, group) in found.groups.sorted(by: { $0.key < $1.key })
    where group.path == path && !groups.contains(name) {
      // A group is emptied before it goes; whoever isn't ours stays in it, and so it stays.
      let strangers = found.users.filter { user in
        user.value.groups.contains(name)
          && !(user.value.path == path
            && (users.contains(user.key) || user.value.tags[Self.tag.key] == Self.tag.value))
      }
      if !strangers.isEmpty {
        foreign.append(
          "group \(name) isn't the catalogue's, and has users from elsewhere: \(strangers.keys.sorted().joined(separator: ", "))"
        )
        held.formUnion(group.attached)
        continue
      }
      for user in found.users.sorted(by: { $0.key < $1.key })
      where user.value.groups.contains(name) && !users.contains(user.key) {
        steps.append(.leaveGroup(user: user.key, group: name))
      }
      steps += group.attached.sorted().map { IdentityStep.detachFromGroup(name, arn: $0) }
      steps += group.inline.sorted().map { IdentityStep.deleteGroupPolicy(name, name: $0) }
      steps.append(.deleteGroup(name))
    }
    for (name, policy) in found.policies.sorted(by: { $0.key < $1.key })
    where policy.path == path && !policies.contains(name) {
      guard name.hasPrefix("kabuto-") else {
        foreign.append("policy \(name) is under \(path), but isn't named kabuto-…")
        continue
      }
      guard !held.contains(policy.arn) else { continue }
      steps.append(
        .deletePolicy(arn: policy.arn, versions: policy.versions.filter { !$0.isDefault }.map(\.id)))
    }
  }

  private static func number(_ version: String) -> Int { Int(version.dropFirst()) ?? 0 }
}
