// Boundaries and service control policies against the catalogue they were made from: for every action of a small world and
// every region they allow exactly what it allows. Made catalogues with patterns that overlap in all ways.

import TestChance
import Testing

@testable import Controls

/// Makes catalogues over the prefixes a and b, names of x and y, and three regions.
struct CatalogueMaker {
  var chance: Chance
  static let regions = ["aa-one-1", "bb-two-2", "cc-three-3"]
  /// All actions of it.
  static let actions: [String] = {
    var names = [""]
    var all: [String] = []
    for _ in 0..<3 {
      names = names.flatMap { [$0 + "x", $0 + "y"] }
      all += names
    }
    return ["a", "b", "c"].flatMap { prefix in all.map { "\(prefix):\($0)" } }
  }()

  mutating func pattern(_ prefix: String) -> Wildcard {
    let name = (0..<1 + chance.below(3)).map { _ in chance.pick(["x", "y", "*", "?", "*"]) }.joined()
    return Wildcard("\(prefix):\(name)", ignoresCase: true)
  }

  mutating func catalogue() -> Catalogue {
    var services: [CatalogueService] = []
    for number in 0..<1 + chance.below(5) {
      let prefix = chance.pick(["a", "b"])
      var service = CatalogueService(
        id: "s\(number)", name: "s\(number)", prefixes: [prefix], assessment: nil,
        isAllowed: chance.below(4) > 0,
        actions: (0..<1 + chance.below(3)).map { _ in pattern(prefix) })
      service.denied = (0..<chance.below(3)).map { _ in pattern(prefix) }
      if chance.below(3) > 0 {
        service.regions = Self.regions.filter { _ in chance.below(2) == 0 }
        if service.regions?.isEmpty == true { service.regions = [Self.regions[0]] }
      }
      service.reads = [pattern(prefix)]
      service.operates = [pattern(prefix)]
      services.append(service)
    }
    var out = Catalogue(organisation: "test", services: services)
    out.protectsBoundary = false
    return out
  }
}

@Suite struct GeneratedPolicyTests {
  static func request(_ action: String, _ region: String, _ principal: String = "arn:aws:iam::1:role/r")
    -> PolicyRequest
  {
    PolicyRequest(action, context: ["aws:requestedregion": [region], "aws:principalarn": [principal]])
  }

  static let fullAccess = PolicyDocument([PolicyStatement(.allow, ["*"])])

  @Test func theBoundaryAllowsWhatTheCatalogueAllows() throws {
    var maker = CatalogueMaker(chance: Chance(round: 10))
    var allowed = 0
    for round in 0..<150 {
      let catalogue = maker.catalogue()
      let boundary = try catalogue.permissionBoundary().document
      for action in CatalogueMaker.actions {
        for region in CatalogueMaker.regions {
          let wanted = catalogue.decision(action, region: region).isAllowed
          let found = Self.request(action, region).verdict(of: [boundary]) == .allowed
          if wanted { allowed += 1 }
          guard wanted != found else { continue }
          Issue.record("round \(round) \(action) \(region): \(wanted) \(found) \(boundary.text) \(seedNote)")
          return
        }
      }
    }
    #expect(allowed > 300)
  }

  @Test(arguments: ControlPolicyForm.allCases) func controlPoliciesAllowWhatTheCatalogueAllows(
    form: ControlPolicyForm
  )
    throws
  {
    var maker = CatalogueMaker(chance: Chance(round: form == .deny ? 11 : 12))
    for round in 0..<150 {
      let catalogue = maker.catalogue()
      let made = try catalogue.serviceControlPolicies(form)
      #expect(made.form == form)
      let documents = made.policies.map(\.document) + (form == .deny ? [Self.fullAccess] : [])
      #expect(documents.count <= PolicyLimits.serviceControlPoliciesPerTarget)
      for action in CatalogueMaker.actions {
        for region in CatalogueMaker.regions {
          let wanted = catalogue.decision(action, region: region).isAllowed
          let found = Self.request(action, region).verdict(of: documents) == .allowed
          guard wanted != found else { continue }
          Issue.record(
            "round \(round) \(action) \(region): \(wanted) \(found) \(documents.map(\.text)) \(seedNote)")
          return
        }
      }
    }
  }

  @Test func whatIsDividedSaysTheSame() throws {
    // Many actions that can't be said shorter: several documents of each form.
    var chance = Chance(round: 13)
    for _ in 0..<4 {
      var services: [CatalogueService] = []
      for number in 0..<12 {
        var service = CatalogueService(
          id: "service\(number)", name: "", prefixes: ["p\(number)"], assessment: nil, isAllowed: true,
          actions: (0..<20).map {
            Wildcard("p\(number):Action\($0)WithALongName\(chance.below(100))", ignoresCase: true)
          })
        service.denied = (0..<12).map {
          Wildcard("p\(number):Action\($0)*\(chance.below(10))", ignoresCase: true)
        }
        service.regions = number % 3 == 0 ? nil : Array(CatalogueMaker.regions.prefix(number % 3))
        services.append(service)
      }
      let catalogue = Catalogue(organisation: "test", services: services)
      let made = try catalogue.serviceControlPolicies()
      #expect(made.form == .allow)
      #expect(made.policies.count > 1)
      for policy in made.policies {
        #expect(policy.document.characterCount <= PolicyLimits.serviceControlPolicyCharacters)
        #expect(policy.document.characterCount == policy.document.text.count)
      }
      let documents = made.policies.map(\.document)
      for service in services {
        for pattern in service.actions + [Wildcard("\(service.prefixes[0]):Other", ignoresCase: true)] {
          for region in CatalogueMaker.regions {
            #expect(
              (Self.request(pattern.text, region).verdict(of: documents) == .allowed)
                == catalogue.decision(pattern.text, region: region).isAllowed,
              "\(pattern) \(region) \(seedNote)")
          }
        }
      }
    }
  }

  @Test func whatDoesNotFitIsToldWithWhatTakesTheRoom() {
    func catalogue(_ count: Int) -> Catalogue {
      Catalogue(
        organisation: "test",
        services: [
          CatalogueService(
            id: "small", name: "", prefixes: ["small"], assessment: nil, isAllowed: true,
            actions: [Wildcard("small:*", ignoresCase: true)]),
          CatalogueService(
            id: "large", name: "", prefixes: ["large"], assessment: nil, isAllowed: true,
            actions: (0..<count).map { Wildcard("large:AnActionWithALongName\($0)", ignoresCase: true) }),
        ])
    }
    let error = #expect(throws: PolicyRoomFault.self) { try catalogue(300).permissionBoundary() }
    #expect(error?.takers.first?.service == "large")
    #expect(error?.description.contains("at most 6144") == true)
    #expect(throws: PolicyRoomFault.self) { try catalogue(300).serviceControlPolicies(.deny) }
    #expect(throws: Never.self) { try catalogue(300).serviceControlPolicies() }
    let whole = #expect(throws: PolicyRoomFault.self) { try catalogue(2_000).serviceControlPolicies() }
    #expect(whole?.description.contains("at most 5 at one target") == true)
    var exempt = catalogue(300)
    exempt.exemptRoles = ["arn:aws:iam::*:role/BreakGlass"]
    #expect(throws: PolicyRoomFault.self) { try exempt.serviceControlPolicies() }
  }

  @Test func whoIsExemptIsLeftAlone() throws {
    var maker = CatalogueMaker(chance: Chance(round: 14))
    for _ in 0..<50 {
      var catalogue = maker.catalogue()
      catalogue.exemptRoles = ["arn:aws:iam::*:role/BreakGlass"]
      let documents = try catalogue.serviceControlPolicies().policies.map(\.document) + [Self.fullAccess]
      for action in CatalogueMaker.actions {
        let exempt = Self.request(
          action, CatalogueMaker.regions[0], "arn:aws:iam::111122223333:role/BreakGlass")
        #expect(exempt.verdict(of: documents) == .allowed, "\(action) \(seedNote)")
        let other = Self.request(action, CatalogueMaker.regions[0])
        #expect(
          (other.verdict(of: documents) == .allowed)
            == catalogue.decision(action, region: CatalogueMaker.regions[0]).isAllowed,
          "\(action) \(seedNote)")
      }
    }
  }

  @Test func theBoundaryKeepsItsHolderFromTakingItOff() throws {
    let iam = CatalogueService(
      id: "iam", name: "", prefixes: ["iam"], assessment: nil, isAllowed: true,
      actions: [Wildcard("iam:*", ignoresCase: true)])
    let catalogue = Catalogue(organisation: "test", services: [iam])
    let boundary = try catalogue.permissionBoundary().document
    func verdict(
      _ action: String, _ resource: String = "arn:aws:iam::1:user/x", boundary carried: String? = nil
    )
      -> PolicyVerdict
    {
      PolicyRequest(
        action, resource: resource, context: carried.map { ["iam:permissionsboundary": [$0]] } ?? [:]
      ).verdict(of: [boundary])
    }
    #expect(verdict("iam:DeleteUserPermissionsBoundary") == .denied)
    #expect(verdict("iam:DeleteRolePermissionsBoundary") == .denied)
    #expect(verdict("iam:CreateRole") == .denied)
    #expect(verdict("iam:CreateRole", boundary: "arn:aws:iam::1:policy/other") == .denied)
    #expect(verdict("iam:CreateRole", boundary: "arn:aws:iam::1:policy/kabuto/kabuto-boundary") == .allowed)
    #expect(verdict("iam:CreatePolicyVersion", "arn:aws:iam::1:policy/kabuto/kabuto-boundary") == .denied)
    #expect(verdict("iam:AttachUserPolicy", "arn:aws:iam::1:user/kabuto/me") == .denied)
    let own = PolicyRequest(
      "iam:ChangePassword", resource: "arn:aws:iam::1:user/kabuto/me", context: ["aws:username": ["me"]])
    #expect(own.verdict(of: [boundary]) == .allowed)
    for action in ["AttachUserPolicy", "PutUserPolicy", "AttachRolePolicy", "PutRolePolicy"] {
      #expect(verdict("iam:\(action)") == .denied)
      #expect(
        verdict("iam:\(action)", boundary: "arn:aws:iam::1:policy/kabuto/kabuto-boundary") == .allowed)
    }
    // Nobody enters a user or role of others.
    for action in ["UpdateAssumeRolePolicy", "UpdateLoginProfile", "CreateLoginProfile", "CreateAccessKey"] {
      #expect(verdict("iam:\(action)", "arn:aws:iam::1:role/admin") == .denied)
    }
    #expect(verdict("iam:AddUserToGroup", "arn:aws:iam::1:group/x") == .allowed)
    var open = catalogue
    open.protectsBoundary = false
    #expect(try open.permissionBoundary().document.statements.count == 1)
  }

  @Test func anyWriteOfIAMIsGuarded() throws {
    func boundary(_ actions: [String]) throws -> PolicyDocument {
      let iam = CatalogueService(
        id: "iam", name: "", prefixes: ["iam"], assessment: nil, isAllowed: true,
        actions: actions.map { Wildcard("iam:\($0)", ignoresCase: true) })
      return try Catalogue(organisation: "test", services: [iam]).permissionBoundary().document
    }
    let some = try boundary([
      "Get*", "List*", "CreatePolicyVersion", "SetDefaultPolicyVersion", "AttachUserPolicy", "AddUserToGroup",
    ])
    for (action, resource) in [
      ("CreatePolicyVersion", "policy/kabuto/kabuto-boundary"),
      ("SetDefaultPolicyVersion", "policy/kabuto/kabuto-boundary"), ("AttachUserPolicy", "user/kabuto/me"),
      ("AddUserToGroup", "group/kabuto/full"), ("AttachUserPolicy", "user/admin"),
    ] {
      let request = PolicyRequest("iam:\(action)", resource: "arn:aws:iam::1:\(resource)")
      #expect(request.verdict(of: [some]) == .denied, "\(action) \(resource)")
    }
    let look = PolicyRequest("iam:GetPolicy", resource: "arn:aws:iam::1:policy/kabuto/kabuto-boundary")
    #expect(look.verdict(of: [some]) == .allowed)
    // Who only looks needs no guard, and no characters for it.
    #expect(try boundary(["Get*", "ListUsers", "ChangePassword"]).statements.count == 1)
    #expect(try boundary(["Generate*", "Tag*"]).statements.count > 1)
  }

  @Test func aNarrowedUserMayDoWhatGroupAndCatalogueAllow() throws {
    var maker = CatalogueMaker(chance: Chance(round: 15))
    for _ in 0..<100 {
      var catalogue = maker.catalogue()
      var access: [CatalogueGroup.Access] = []
      for service in catalogue.services where maker.chance.below(2) == 0 {
        access.append(.init(services: [service.id], level: maker.chance.pick(AccessLevel.allCases)))
      }
      let group = CatalogueGroup(id: "g", access: access, members: ["u"])
      catalogue.groups = [group]
      let users = try catalogue.narrowedUsers()
      #expect(users.users == [NarrowedUsers.User(name: "u", groups: ["g"])])
      let own = users.groups[0].policies.map(\.document)
      for action in CatalogueMaker.actions {
        let isGiven = access.contains { access in
          catalogue.services.contains { service in
            guard service.isAllowed, access.services.contains(service.id) else { return false }
            let patterns =
              switch access.level {
              case .read: service.reads
              case .operate: service.reads + service.operates
              case .full: service.actions
              }
            return patterns.contains { $0.matches(action) }
          }
        }
        for region in CatalogueMaker.regions {
          let request = Self.request(action, region)
          let may =
            request.verdict(of: own) == .allowed && request.verdict(of: [users.boundary.document]) == .allowed
          let wanted = isGiven && catalogue.decision(action, region: region).isAllowed
          guard may != wanted else { continue }
          Issue.record("\(action) \(region): \(wanted) \(may) \(seedNote)")
          return
        }
      }
    }
  }

  @Test func aGroupOfManyActionsHasSeveralPolicies() throws {
    let service = CatalogueService(
      id: "large", name: "", prefixes: ["large"], assessment: nil, isAllowed: true,
      actions: [Wildcard("large:*", ignoresCase: true)])
    var catalogue = Catalogue(organisation: "test", services: [service])
    catalogue.services[0].reads = (0..<400).map {
      Wildcard("large:AnActionWithALongName\($0)", ignoresCase: true)
    }
    catalogue.groups = [CatalogueGroup(id: "g", access: [.init(services: ["*"], level: .read)], members: [])]
    let policies = try catalogue.narrowedUsers().groups[0].policies
    #expect(policies.map(\.name) == ["kabuto-g-1", "kabuto-g-2", "kabuto-g-3"])
    for policy in policies { #expect(policy.document.characterCount <= PolicyLimits.managedPolicyCharacters) }
    #expect(Set(policies.flatMap { $0.document.statements.flatMap(\.actions) }).count == 400)
  }
}
