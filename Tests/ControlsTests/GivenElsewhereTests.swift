// What is given to somebody by a resource of its own: policies attached, groups joined, permission sets assigned.

import Controls
import GuardRules
import Testing

@Suite struct GivenElsewhereTests {
  static let catalogue = """
    organisation: Test
    regions: [ap-northeast-1]
    assessed_policies: [service-role/*]
    services:
      - {id: iam, assessed: {on: 2026-01-02, by: me}, allowed: yes, actions: "Get*", types: "AWS::IAM::*"}
      - {id: sso, assessed: {on: 2026-01-02, by: me}, allowed: yes, types: "AWS::SSO::*"}
      - {id: lambda, assessed: {on: 2026-01-02, by: me}, allowed: yes, types: "AWS::Serverless::*"}
    """
  static let admin = "arn:aws:iam::aws:policy/AdministratorAccess"
  static let boundary = "PermissionsBoundary: 'arn:aws:iam::1:policy/kabuto/kabuto-boundary'"

  /// `resource path`, with `?` where it can't be told. `REF(x)` in the text is a reference, known later.
  static func told(_ resources: String) throws -> [String] {
    let document = referring(try Value.reading(yaml: "Resources:\n" + resources))
    var inspection = CatalogueInspection(try Catalogue(yaml: catalogue), today: CalendarDay(of: 0))
    inspection.look(at: document, region: "ap-northeast-1", statuses: [:])
    return inspection.issues.filter { $0.rule == .grants }.map {
      "\($0.resource)\($0.isUnknown ? "?" : "") \($0.path.dropFirst("Properties.".count))"
    }
  }

  private static func referring(_ value: Value) -> Value {
    switch value.content {
    case .map(let members):
      return Value(.map(Members(members.all.map { ($0.name, referring($0.value)) })), at: value.place)
    case .list(let all): return Value(.list(all.map(referring)), at: value.place)
    case .string(let text) where text.hasPrefix("REF(") && text.hasSuffix(")"):
      let name = Value(.string(String(text.dropFirst(4).dropLast())))
      let written = Value(.map(Members([("Ref", name)])))
      return Value(.unknown(Unknown("known later", written: written)), at: value.place)
    default: return value
    }
  }

  static func attachment(_ properties: String) -> String {
    "  A: {Type: 'AWS::IAM::PolicyAttachment', Properties: {\(properties)}}\n"
  }

  @Test func aPolicyIsJudgedWhereItIsAttached() throws {
    for holder in ["Roles: [r]", "Users: [u]", "Groups: [g]", "Roles: 'REF(X)'", "Policy: x"] {
      #expect(
        try Self.told(Self.attachment("PolicyArn: '\(Self.admin)', \(holder)")) == ["A PolicyArn"],
        "\(holder)")
      #expect(try Self.told(Self.attachment("PolicyArn: 'REF(Gone)', \(holder)")) == ["A? PolicyArn"])
      #expect(
        try Self.told(Self.attachment("PolicyArn: 'arn:aws:iam::1:policy/own', \(holder)")) == [
          "A? PolicyArn"
        ])
      #expect(
        try Self.told(Self.attachment("PolicyArn: 'arn:aws:iam::aws:policy/service-role/x', \(holder)"))
          .isEmpty)
    }
    #expect(try Self.told(Self.attachment("Roles: [r]")) == ["A? PolicyArn"])
    #expect(try Self.told("  A: {Type: 'AWS::IAM::PolicyAttachment'}\n") == ["A? "])
  }

  @Test func whoCarriesTheBoundaryMayBeGivenAnything() throws {
    let roles = """
        R: {Type: 'AWS::IAM::Role', Properties: {RoleName: r, \(Self.boundary)}}
        U: {Type: 'AWS::IAM::User', Properties: {UserName: u, \(Self.boundary)}}
        G: {Type: 'AWS::IAM::Group', Properties: {GroupName: g, \(Self.boundary)}}
        S: {Type: 'AWS::IAM::Role', Properties: {RoleName: s}}

      """
    for (holders, isGood) in [
      ("Roles: [r]", true), ("Roles: ['REF(R)']", true),
      ("Roles: [r], Users: ['REF(U)', u], Groups: []", true),
      ("Roles: [r, s]", false), ("Roles: ['REF(S)']", false), ("Roles: [gone]", false), ("Roles: []", false),
      ("Roles: [r], Users: [r]", false), ("Roles: [r], Groups: [g]", false), ("Roles: ['REF(U)']", false),
      ("Roles: [r], Users: 'REF(U)'", true), ("Roles: 'REF(S)'", false), ("Roles: 'REF(R)'", true),
      ("Roles: [r], Users: null", true),
    ] {
      let found = try Self.told(roles + Self.attachment("PolicyArn: '\(Self.admin)', \(holders)"))
      #expect(found == (isGood ? [] : ["A PolicyArn"]), "\(holders)")
    }
    // Two of one name: which one is meant isn't known.
    let twice = roles + "  T: {Type: 'AWS::IAM::Role', Properties: {RoleName: r}}\n"
    #expect(
      try Self.told(twice + Self.attachment("PolicyArn: '\(Self.admin)', Roles: [r]")) == ["A PolicyArn"])
  }

  @Test func aPolicyOfTheDocumentIsLookedAtWhereItStands() throws {
    func policy(_ action: String, _ more: String = "") -> String {
      "  P: {Type: 'AWS::IAM::ManagedPolicy', Properties: {\(more)PolicyDocument: {Statement: {Effect: Allow, Action: '\(action)', Resource: '*'}}}}\n"
    }
    let attached = Self.attachment("PolicyArn: 'REF(P)', Roles: [r]")
    #expect(try Self.told(policy("iam:GetUser") + attached).isEmpty)
    #expect(try Self.told(policy("iam:*") + attached) == ["P PolicyDocument"])
    let arn = "arn:aws:iam::1:policy/own"
    let known = Self.attachment("PolicyArn: '\(arn)', Roles: [r]")
    #expect(try Self.told(policy("iam:GetUser", "PolicyArn: '\(arn)', ") + known).isEmpty)
    #expect(try Self.told(policy("iam:GetUser", "PolicyArn: '\(arn)x', ") + known) == ["A? PolicyArn"])
    // Whoever has something else by that name has no policy of it.
    let other = "  P: {Type: 'AWS::IAM::Role', Properties: {}}\n"
    #expect(try Self.told(other + attached) == ["A? PolicyArn"])
    let role = "  Q: {Type: 'AWS::IAM::Role', Properties: {ManagedPolicyArns: ['REF(P)']}}\n"
    #expect(try Self.told(other + role) == ["Q? ManagedPolicyArns[0]"])
    #expect(try Self.told(policy("iam:GetUser") + role).isEmpty)
  }

  @Test func aGroupHasNoBoundary() throws {
    let group =
      "  G: {Type: 'AWS::IAM::Group', Properties: {\(Self.boundary), ManagedPolicyArns: ['\(Self.admin)']}}\n"
    #expect(try Self.told(group) == ["G ManagedPolicyArns[0]"])
  }

  @Test func groupsThatAreJoined() throws {
    let group = "  G: {Type: 'AWS::IAM::Group', Properties: {GroupName: g}}\n"
    func joined(_ group: String, _ users: String = "[u]") -> String {
      "  J: {Type: 'AWS::IAM::UserToGroupAddition', Properties: {GroupName: '\(group)', Users: \(users)}}\n"
    }
    #expect(try Self.told(joined("admins")) == ["J? GroupName"])
    #expect(try Self.told(group + joined("g")).isEmpty)
    #expect(try Self.told(group + joined("REF(G)")).isEmpty)
    #expect(try Self.told(joined("REF(G)")) == ["J? GroupName"])
    let user = "  U: {Type: 'AWS::IAM::User', Properties: {UserName: u, \(Self.boundary)}}\n"
    #expect(try Self.told(user + joined("admins")).isEmpty)
    #expect(try Self.told(user + joined("admins", "[u, v]")) == ["J? GroupName"])
    func member(_ groups: String, _ more: String = "") -> String {
      "  U: {Type: 'AWS::IAM::User', Properties: {Groups: \(groups)\(more)}}\n"
    }
    #expect(
      try Self.told(group + member("[g, admins, 'REF(G)', 'REF(X)']")) == ["U? Groups[1]", "U? Groups[3]"])
    #expect(try Self.told(member("'REF(X)'")) == ["U? Groups"])
    #expect(try Self.told(member("[admins]", ", \(Self.boundary)")).isEmpty)
  }

  @Test func permissionSets() throws {
    func set(_ properties: String) -> String {
      "  S: {Type: 'AWS::SSO::PermissionSet', Properties: {\(properties)}}\n"
    }
    let own = "CustomerManagedPolicyReferences: [{Name: x, Path: /}]"
    #expect(try Self.told(set("ManagedPolicies: ['\(Self.admin)']")) == ["S ManagedPolicies[0]"])
    #expect(try Self.told(set(own)) == ["S? CustomerManagedPolicyReferences[0]"])
    #expect(
      try Self.told(set("CustomerManagedPolicyReferences: 'REF(X)'")) == [
        "S? CustomerManagedPolicyReferences"
      ])
    let reference = "CustomerManagedPolicyReference: {Name: kabuto-boundary, Path: "
    #expect(try Self.told(set("\(own), PermissionsBoundary: {\(reference)/kabuto/}}")).isEmpty)
    #expect(try Self.told(set("\(own), PermissionsBoundary: {\(reference)/}}")).count == 1)
    func assigned(_ arn: String) -> String {
      "  A: {Type: 'AWS::SSO::Assignment', Properties: {PermissionSetArn: '\(arn)', PrincipalId: x}}\n"
    }
    #expect(try Self.told(set("Name: x") + assigned("REF(S)")).isEmpty)
    for arn in ["REF(T)", "arn:aws:sso:::permissionSet/ssoins-1/ps-1"] {
      #expect(try Self.told(set("Name: x") + assigned(arn)) == ["A? PermissionSetArn"])
    }
  }

  @Test func rolesThatAreMadeForFunctions() throws {
    func function(_ properties: String) -> String {
      "  F: {Type: 'AWS::Serverless::Function', Properties: {\(properties)}}\n"
    }
    let all = "{Statement: {Effect: Allow, Action: 'iam:*', Resource: '*'}}"
    for (properties, wanted) in [
      ("Policies: AdministratorAccess", ["F Policies"]), ("Policies: '\(Self.admin)'", ["F Policies"]),
      ("Policies: [AdministratorAccess, \(all)]", ["F Policies[0]", "F Policies[1]"]),
      ("Policies: [{S3ReadPolicy: {BucketName: x}}, 'REF(X)']", ["F? Policies[0]", "F? Policies[1]"]),
      ("Policies: [service-role/x]", []), ("Handler: x", []),
      ("Policies: AdministratorAccess, Role: 'arn:aws:iam::1:role/r'", []),
      ("Policies: AdministratorAccess, \(Self.boundary)", []),
    ] {
      #expect(try Self.told(function(properties)) == wanted, "\(properties)")
    }
  }
}
