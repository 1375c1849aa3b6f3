// A catalogue → the users that it narrows: a policy or more for each group, groups, users with the boundary. What a user may
// do is what its groups' policies allow within the boundary; regions and denials are the boundary's.

/// All that IAM holds of a catalogue.
public struct NarrowedUsers: Sendable, Equatable {
  /// A group of users and what it is given.
  public struct Group: Sendable, Equatable {
    /// IAM's group.
    public let name: String
    /// Its policies.
    public let policies: [GeneratedPolicy]
  }

  /// A user.
  public struct User: Sendable, Equatable {
    /// IAM's user.
    public let name: String
    /// Its groups.
    public let groups: [String]
  }

  /// The boundary of each user.
  public let boundary: GeneratedPolicy
  /// Groups, in the order of the file.
  public let groups: [Group]
  /// Users, by name.
  public let users: [User]
}

extension Catalogue {
  /// What a group may call, the boundary left aside.
  public func actions(of group: CatalogueGroup) -> [Wildcard] {
    group.access.flatMap { access in
      allowedServices.filter { access.services.contains($0.id) || access.services.contains("*") }.flatMap {
        service in
        switch access.level {
        case .read: service.reads
        case .operate: service.reads + service.operates
        case .full: service.actions
        }
      }
    }.reduced
  }

  /// The users, their groups and policies.
  /// - Throws: `PolicyRoomFault` where a policy doesn't fit.
  public func narrowedUsers() throws(PolicyRoomFault) -> NarrowedUsers {
    let boundary = try permissionBoundary()
    var groups: [NarrowedUsers.Group] = []
    for group in self.groups {
      let statement = PolicyStatement(.allow, actions(of: group).map(\.text))
      let documents = PolicyPacking.pack([statement], limit: PolicyLimits.managedPolicyCharacters)
      guard let documents, documents.count <= PolicyLimits.managedPoliciesPerGroup else {
        throw PolicyRoomFault(
          what: "group \(group.id)", found: "\(documents?.count ?? 0) policies",
          wanted: "at most \(PolicyLimits.managedPoliciesPerGroup)",
          takers: takers([PolicyDocument([statement])]))
      }
      groups.append(
        NarrowedUsers.Group(
          name: group.id,
          policies: documents.enumerated().map {
            let suffix = documents.count == 1 ? "" : "-\($0.offset + 1)"
            return GeneratedPolicy(name: "kabuto-\(group.id)\(suffix)", document: $0.element)
          }))
    }
    return NarrowedUsers(
      boundary: boundary, groups: groups,
      users: users.map { NarrowedUsers.User(name: $0.name, groups: $0.groups) })
  }
}
