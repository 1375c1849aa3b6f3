// From what IAM has to what the catalogue wants: nothing of others is touched, nobody is given more than before or after, and
// after the steps there is nothing left to do, wherever the run was ended.

import Controls
import TestChance
import Testing

/// IAM, as far as steps change it.
struct IdentityWorld {
  var state = IdentityState()

  static let account = "111122223333"
  static let path = Catalogue.path
  static func arn(_ name: String) -> String { "arn:aws:iam::\(account):policy\(path)\(name)" }

  mutating func apply(_ step: IdentityStep) throws {
    func name(_ arn: String) -> String { String(arn.split(separator: "/").last ?? "") }
    struct Refused: Error { let step: IdentityStep }
    switch step {
    case .createPolicy(let policy):
      guard state.policies[policy.name] == nil else { throw Refused(step: step) }
      state.policies[policy.name] = .init(
        path: Self.path, arn: Self.arn(policy.name),
        versions: [.init(id: "v1", isDefault: true, document: policy.document)])
    case .changePolicy(let arn, let document, let drops, _):
      var versions = state.policies[name(arn)]?.versions ?? []
      versions.removeAll { $0.id == drops }
      guard versions.count < 5, !versions.isEmpty else { throw Refused(step: step) }
      for place in versions.indices { versions[place].isDefault = false }
      let last = versions.compactMap { Int($0.id.dropFirst()) }.max() ?? 0
      versions.append(.init(id: "v\(last + 1)", isDefault: true, document: document))
      state.policies[name(arn)]?.versions = versions
    case .revertPolicy(let arn, let version, _):
      guard var policy = state.policies[name(arn)] else { throw Refused(step: step) }
      for place in policy.versions.indices {
        policy.versions[place].isDefault = policy.versions[place].id == version
      }
      state.policies[name(arn)] = policy
    case .createGroup(let group):
      guard state.groups[group] == nil else { throw Refused(step: step) }
      state.groups[group] = .init(path: Self.path)
    case .createUser(let user):
      guard state.users[user] == nil else { throw Refused(step: step) }
      state.users[user] = .init(
        path: Self.path, boundary: Self.arn(Catalogue.boundaryName),
        tags: [IdentityPlan.tag.key: IdentityPlan.tag.value])
    case .setBoundary(let user): state.users[user]?.boundary = Self.arn(Catalogue.boundaryName)
    case .tagUser(let user): state.users[user]?.tags[IdentityPlan.tag.key] = IdentityPlan.tag.value
    case .detachFromUser(let user, let arn): state.users[user]?.attached.remove(arn)
    case .deleteUserPolicy(let user, let name): state.users[user]?.inline.remove(name)
    case .detachFromGroup(let group, let arn): state.groups[group]?.attached.remove(arn)
    case .deleteGroupPolicy(let group, let name): state.groups[group]?.inline.remove(name)
    case .leaveGroup(let user, let group): state.users[user]?.groups.remove(group)
    case .attachToGroup(let group, let arn):
      guard state.policies[name(arn)] != nil, state.groups[group] != nil else { throw Refused(step: step) }
      state.groups[group]?.attached.insert(arn)
    case .joinGroup(let user, let group):
      guard state.users[user]?.boundary == Self.arn(Catalogue.boundaryName), state.groups[group] != nil else {
        throw Refused(step: step)
      }
      state.users[user]?.groups.insert(group)
    case .deleteUser(let user): state.users[user] = nil
    case .deleteGroup(let group):
      guard !state.users.values.contains(where: { $0.groups.contains(group) }) else {
        throw Refused(step: step)
      }
      state.groups[group] = nil
    case .deletePolicy(let arn, _):
      guard !state.groups.values.contains(where: { $0.attached.contains(arn) }),
        !state.users.values.contains(where: { $0.attached.contains(arn) || $0.boundary == arn })
      else { throw Refused(step: step) }
      state.policies[name(arn)] = nil
    }
  }
}

@Suite struct IdentityPlanTests {
  static func wanted(_ groups: [(String, [String])], actions: [String] = ["s3:*", "ec2:Describe*"]) throws
    -> NarrowedUsers
  {
    var service = CatalogueService(
      id: "x", name: "", prefixes: ["s3", "ec2"], assessment: nil, isAllowed: true,
      actions: actions.map { Wildcard($0, ignoresCase: true) })
    service.reads = [Wildcard("s3:Get*", ignoresCase: true)]
    var catalogue = Catalogue(organisation: "t", services: [service])
    catalogue.groups = groups.map {
      CatalogueGroup(
        id: $0.0, access: [.init(services: ["*"], level: $0.0 == "full" ? .full : .read)], members: $0.1)
    }
    return try catalogue.narrowedUsers()
  }

  static func plan(_ world: IdentityWorld, _ wanted: NarrowedUsers) -> IdentityPlan {
    IdentityPlan(from: world.state, to: wanted, account: IdentityWorld.account, partition: "aws")
  }

  @Test func anEmptyAccountIsFilledAndThenNothingIsLeft() throws {
    let wanted = try Self.wanted([("full", ["a", "b"]), ("look", ["b", "c"])])
    var world = IdentityWorld()
    let plan = Self.plan(world, wanted)
    #expect(plan.steps.allSatisfy { $0.kind == .create })
    for step in plan.steps { try world.apply(step) }
    #expect(Self.plan(world, wanted).steps.isEmpty)
    #expect(world.state.users["b"]?.groups == ["full", "look"])
    #expect(Set(world.state.policies.keys) == ["kabuto-boundary", "kabuto-full", "kabuto-look"])
  }

  @Test func whatSomebodyChangedByHandIsTakenBack() throws {
    let wanted = try Self.wanted([("look", ["a"])])
    var world = IdentityWorld()
    for step in Self.plan(world, wanted).steps { try world.apply(step) }
    let meant = world.state
    world.state.users["a"]?.boundary = nil
    world.state.users["a"]?.attached = ["arn:aws:iam::aws:policy/AdministratorAccess"]
    world.state.users["a"]?.inline = ["mine"]
    world.state.users["a"]?.tags = [:]
    world.state.groups["look"]?.attached.insert("arn:aws:iam::aws:policy/PowerUserAccess")
    world.state.groups["look"]?.inline = ["more"]
    world.state.policies["kabuto-look"]?.versions[0].isDefault = false
    world.state.policies["kabuto-look"]?.versions.append(
      .init(id: "v2", isDefault: true, document: PolicyDocument([PolicyStatement(.allow, ["*"])])))
    let plan = Self.plan(world, wanted)
    #expect(
      plan.steps.contains(.revertPolicy(arn: IdentityWorld.arn("kabuto-look"), version: "v1", widens: false)))
    #expect(plan.steps.count == 7)
    for step in plan.steps { try world.apply(step) }
    #expect(Self.plan(world, wanted).steps.isEmpty)
    #expect(world.state.users == meant.users && world.state.groups == meant.groups)
  }

  @Test func strangersLeaveTheCataloguesGroups() throws {
    let wanted = try Self.wanted([("full", ["a"]), ("look", ["b"])])
    var world = IdentityWorld()
    for step in Self.plan(world, wanted).steps { try world.apply(step) }
    world.state.users["mallory"] = .init(path: "/", groups: ["full", "admins"])
    world.state.groups["admins"] = .init(path: "/")
    world.state.users["untagged"] = .init(path: "/kabuto/", groups: ["look"])
    world.state.users["b"]?.groups.insert("full")
    let plan = Self.plan(world, wanted)
    #expect(
      plan.steps == [
        .leaveGroup(user: "b", group: "full"), .leaveGroup(user: "mallory", group: "full"),
        .leaveGroup(user: "untagged", group: "look"),
      ])
    for step in plan.steps { try world.apply(step) }
    #expect(world.state.users["mallory"]?.groups == ["admins"])
    #expect(Self.plan(world, wanted).steps.isEmpty)
  }

  @Test func nothingIsWidenedBeforeItsLimitsStand() throws {
    func order(_ before: [String], _ after: [String]) throws -> [IdentityStep] {
      var world = IdentityWorld()
      for step in Self.plan(world, try Self.wanted([("full", ["a"])], actions: before)).steps {
        try world.apply(step)
      }
      world.state.users["a"]?.boundary = nil
      world.state.users["mallory"] = .init(path: "/", groups: ["full"])
      world.state.groups["full"]?.inline = ["more"]
      return Self.plan(world, try Self.wanted([("full", ["a"])], actions: after)).steps
    }
    func names(_ steps: [IdentityStep]) -> [String] {
      steps.map { step in
        switch step {
        case .changePolicy(let arn, _, _, let widens):
          "\(arn.hasSuffix("boundary") ? "boundary" : "policy") \(widens ? "wider" : "narrower")"
        case .setBoundary: "set"
        case .leaveGroup: "leave"
        case .deleteGroupPolicy: "take"
        default: step.text
        }
      }
    }
    #expect(
      names(try order(["s3:*"], ["s3:*", "ec2:*"])) == [
        "set", "leave", "take", "boundary wider", "policy wider",
      ])
    #expect(
      names(try order(["s3:*", "ec2:*"], ["s3:Get*"])) == [
        "set", "leave", "boundary narrower", "policy narrower", "take",
      ])
    #expect(
      names(try order(["s3:*"], ["ec2:*"])) == ["set", "leave", "take", "boundary wider", "policy wider"])
  }

  @Test func aSixthVersionMakesRoomFirst() throws {
    var world = IdentityWorld()
    for step in Self.plan(world, try Self.wanted([("look", ["a"])])).steps { try world.apply(step) }
    for number in 0..<9 {
      let wanted = try Self.wanted([("look", ["a"])], actions: ["s3:Get\(number)*"])
      for step in Self.plan(world, wanted).steps { try world.apply(step) }
      #expect(Self.plan(world, wanted).steps.isEmpty)
      #expect((world.state.policies["kabuto-boundary"]?.versions.count ?? 9) <= 5)
    }
  }

  @Test func whatIsOfOthersIsLeftAlone() throws {
    var world = IdentityWorld()
    world.state.users["root-cause"] = .init(path: "/", groups: ["admins"])
    world.state.users["stranger"] = .init(path: "/kabuto/")
    world.state.groups["admins"] = .init(path: "/")
    world.state.groups["old"] = .init(path: "/kabuto/")
    world.state.users["guest"] = .init(path: "/", groups: ["old"])
    world.state.policies["theirs"] = .init(path: "/kabuto/", arn: IdentityWorld.arn("theirs"), versions: [])
    let plan = Self.plan(world, try Self.wanted([("look", ["a"])]))
    #expect(plan.steps.allSatisfy { $0.kind == .create })
    #expect(plan.foreign.count == 3)
    #expect(plan.conflicts.isEmpty)
    world.state.users["a"] = .init(path: "/")
    world.state.groups["look"] = .init(path: "/elsewhere/")
    world.state.policies["kabuto-boundary"] = .init(
      path: "/", arn: "arn:aws:iam::111122223333:policy/kabuto-boundary", versions: [])
    #expect(Self.plan(world, try Self.wanted([("look", ["a"])])).conflicts.count == 3)
  }

  @Test func whoIsNotInTheCatalogueAnyMoreGoes() throws {
    var world = IdentityWorld()
    for step in Self.plan(world, try Self.wanted([("full", ["a"]), ("look", ["a", "b"])])).steps {
      try world.apply(step)
    }
    let wanted = try Self.wanted([("look", ["a"])])
    let plan = Self.plan(world, wanted)
    for step in plan.steps { try world.apply(step) }
    #expect(Set(world.state.users.keys) == ["a"])
    #expect(Set(world.state.groups.keys) == ["look"])
    #expect(Set(world.state.policies.keys) == ["kabuto-boundary", "kabuto-look"])
    #expect(Self.plan(world, wanted).steps.isEmpty)
  }

  /// Made states to made states, ended after any step: the next run comes to the same end, and no user is ever in a group
  /// that neither state has it in, or is without the boundary after it joined one.
  @Test func aRunThatWasEndedIsFinishedByTheNext() throws {
    var chance = Chance(round: 30)
    for _ in 0..<60 {
      func some() throws -> NarrowedUsers {
        let names = ["full", "look", "third"]
        let groups = names.filter { _ in chance.below(3) > 0 }.map { group in
          (group, ["a", "b", "c", "d"].filter { _ in chance.below(2) == 0 })
        }
        return try Self.wanted(groups, actions: ["s3:*", chance.pick(["ec2:*", "ec2:Describe*"])])
      }
      var world = IdentityWorld()
      for step in Self.plan(world, try some()).steps { try world.apply(step) }
      let before = world.state
      let wanted = try some()
      var whole = world
      for step in Self.plan(world, wanted).steps { try whole.apply(step) }
      var rounds = 0
      while true {
        let steps = Self.plan(world, wanted).steps
        if steps.isEmpty { break }
        for step in steps.prefix(1 + chance.below(steps.count)) { try world.apply(step) }
        for (name, user) in world.state.users {
          let meant = Set(wanted.users.first { $0.name == name }?.groups ?? [])
          #expect(user.groups.isSubset(of: meant.union(before.users[name]?.groups ?? [])), "\(seedNote)")
          #expect(user.boundary == IdentityWorld.arn(Catalogue.boundaryName))
        }
        rounds += 1
        try #require(rounds < 200, "\(seedNote)")
      }
      #expect(
        world.state.users == whole.state.users && world.state.groups == whole.state.groups, "\(seedNote)")
      #expect(Set(world.state.policies.keys) == Set(whole.state.policies.keys), "\(seedNote)")
    }
  }
}
