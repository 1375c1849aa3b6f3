// The catalogue of services: which services of AWS a company has assessed, which it allows, where, and by which rules. All
// else follows from it: the check before a deployment, the boundary of permissions, the policies of the organisation, the
// users.
//
// What it allows (`decision`): an action is allowed where an allowed service names it, no service denies it, and the region
// is one of every allowed service that names it. The strictest word counts, and a denial beats an allowance, as in IAM. Calls
// without a region (`GlobalCalls`) are allowed in all of them, wherever policies can say so: `ActionGroups.spared`.

public import GuardRules

/// See the head of this file.
public struct Catalogue: Sendable {
  /// Whose it is.
  public var organisation: String
  /// `aws`, `aws-cn`, `aws-us-gov`.
  public var partition = "aws"
  /// Services, in the order of the file.
  public var services: [CatalogueService]
  /// Kinds of users.
  public var groups: [CatalogueGroup] = []
  /// Managed policies of AWS or the company that were assessed: patterns of what stands behind `policy/` in their ARNs.
  public var assessedPolicies: [Wildcard] = []
  /// Roles that service control policies leave alone: patterns of ARNs.
  public var exemptRoles: [String] = []
  /// Whether the boundary keeps its holder from taking it off.
  public var protectsBoundary = true

  /// A catalogue.
  public init(organisation: String, services: [CatalogueService]) {
    self.organisation = organisation
    self.services = services
  }

  /// Path of all that is made in IAM from a catalogue.
  public static let path = "/kabuto/"
  /// Name of the boundary.
  public static let boundaryName = "kabuto-boundary"
}

/// A service.
public struct CatalogueService: Sendable {
  /// Its name within the catalogue: usually IAM's prefix.
  public var id: String
  /// What people call it.
  public var name: String
  /// IAM's prefixes: `s3`.
  public var prefixes: [String]
  /// Who assessed it; nil = nobody did.
  public var assessment: Assessment?
  /// Whether it may be used.
  public var isAllowed: Bool
  /// Why not, or what for.
  public var reason = ""
  /// Actions that it consists of: `s3:*`.
  public var actions: [Wildcard]
  /// Those that nobody may use all the same.
  public var denied: [Wildcard] = []
  /// Where; nil = it has no regions.
  public var regions: [String]?
  /// Types of CloudFormation: `AWS::S3::*`.
  public var types: [Wildcard]
  /// What must hold of its use.
  public var rules: [UseRule] = []
  /// Actions that only look.
  public var reads: [Wildcard] = []
  /// Actions that keep it running, beside those that look.
  public var operates: [Wildcard] = []
  /// Where it stands in its file.
  public var place = TextPlace.none

  /// A service.
  public init(
    id: String, name: String, prefixes: [String], assessment: Assessment?, isAllowed: Bool,
    actions: [Wildcard],
    types: [Wildcard] = []
  ) {
    self.id = id
    self.name = name
    self.prefixes = prefixes
    self.assessment = assessment
    self.isAllowed = isAllowed
    self.actions = actions
    self.types = types
  }
}

extension CatalogueService {
  /// Regions that a pattern of its actions is limited to; nil = none: what has no region isn't limited by others' regions.
  func limit(of pattern: Wildcard) -> [String]? {
    GlobalCalls.isOfGlobalService(pattern.text) ? nil : regions
  }

  /// Regions that an action which it names is limited to.
  func limit(of action: String) -> [String]? {
    actions.contains { $0.matches(action) && limit(of: $0) != nil } ? regions : nil
  }
}

/// Who assessed a service, and when.
public struct Assessment: Sendable, Equatable {
  /// The day.
  public let on: CalendarDay
  /// Who.
  public let by: String
  /// The day from which it must be done again; nil = none.
  public let until: CalendarDay?

  /// An assessment.
  public init(on: CalendarDay, by: String, until: CalendarDay? = nil) {
    self.on = on
    self.by = by
    self.until = until
  }
}

/// What must hold where a service is used.
public enum UseRule: Sendable, Equatable {
  /// A rule by its name: it must have been evaluated, and have passed.
  case rule(String)
  /// A file or folder of rules, relative to the catalogue's: it is evaluated with the others.
  case file(String)
  /// For people.
  case condition(en: String, ja: String)
}

/// How far a group's access goes.
public enum AccessLevel: String, Sendable, CaseIterable {
  /// Look.
  case read
  /// Look, and keep running.
  case operate
  /// Everything that the catalogue allows.
  case full
}

/// A kind of users.
public struct CatalogueGroup: Sendable {
  /// Access to some services.
  public struct Access: Sendable, Equatable {
    /// Ids.
    public var services: [String]
    /// How far it goes.
    public var level: AccessLevel

    /// Access.
    public init(services: [String], level: AccessLevel) {
      self.services = services
      self.level = level
    }
  }

  /// Its name, IAM's group too.
  public var id: String
  /// What it is for.
  public var purpose: String
  /// What it may use.
  public var access: [Access]
  /// Names of users.
  public var members: [String]

  /// A group.
  public init(id: String, purpose: String = "", access: [Access], members: [String]) {
    self.id = id
    self.purpose = purpose
    self.access = access
    self.members = members
  }
}

// MARK: - What it allows

/// Whether something is allowed, and why not.
public enum CatalogueDecision: Sendable, Equatable {
  /// By a service's id.
  case allowed(by: String)
  /// In a sentence.
  case denied(String)

  /// Whether it is allowed.
  public var isAllowed: Bool {
    if case .allowed = self { return true }
    return false
  }
}

extension Catalogue {
  /// Services that may be used.
  public var allowedServices: [CatalogueService] { services.filter(\.isAllowed) }

  /// What nobody may do: denied actions of services that are allowed, and everything of those that aren't.
  var denials: [Wildcard] { services.flatMap { $0.isAllowed ? $0.denied : $0.actions } }

  /// Whether an action is allowed in a region.
  /// - Parameters:
  ///   - action: `s3:GetObject`; letter case doesn't matter.
  ///   - region: where the call is made.
  public func decision(_ action: String, region: String) -> CatalogueDecision {
    let action = action.lowercased()
    for service in services {
      let patterns = service.isAllowed ? service.denied : service.actions
      if let pattern = patterns.first(where: { $0.matches(action) }) {
        return .denied(
          service.isAllowed
            ? "\(service.id) denies \(pattern)" : "\(service.id) isn't allowed and has \(pattern)")
      }
    }
    let naming = allowedServices.filter { $0.actions.contains { $0.matches(action) } }
    guard let first = naming.first else { return .denied("no service that is allowed has it") }
    if isSpared(action) { return .allowed(by: first.id) }
    for service in naming {
      if let regions = service.limit(of: action), !regions.contains(region) {
        return .denied(
          "\(service.id) is allowed in \(regions.joined(separator: ", ")) only, not in \(region)")
      }
    }
    return .allowed(by: first.id)
  }

  /// Whether an action is one call that no limit of regions means.
  private func isSpared(_ action: String) -> Bool {
    GlobalCalls.contains(action) && ActionGroups(self).spared.contains { $0.matches(action) }
  }

  /// The service that a type of CloudFormation belongs to: of those that name it the one that says most of it.
  public func service(ofType type: String) -> CatalogueService? {
    var best: (service: CatalogueService, count: Int)?
    for service in services {
      for pattern in service.types where pattern.matches(type) && pattern.plainCount > best?.count ?? -1 {
        best = (service, pattern.plainCount)
      }
    }
    return best?.service
  }

  /// Names of users, and the groups that each is in.
  public var users: [(name: String, groups: [String])] {
    var groups: [String: [String]] = [:]
    for group in self.groups { for member in group.members { groups[member, default: []].append(group.id) } }
    return groups.keys.sorted().map { ($0, groups[$0] ?? []) }
  }
}
