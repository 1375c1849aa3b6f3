// What IAM has, as far as a plan needs it.

/// See the head of this file.
public struct IdentityState: Sendable, Equatable {
  /// A managed policy.
  public struct Policy: Sendable, Equatable {
    /// Its path: `/kabuto/`.
    public var path: String
    /// Its ARN.
    public var arn: String
    /// Versions: their ids, whether each is the default, what it says; nil = it can't be read.
    public var versions: [Version]

    /// A policy.
    public init(path: String, arn: String, versions: [Version]) {
      self.path = path
      self.arn = arn
      self.versions = versions
    }
  }

  /// A version of a policy.
  public struct Version: Sendable, Equatable {
    /// `v3`.
    public var id: String
    /// Whether it counts.
    public var isDefault: Bool
    /// What it says; nil = it can't be read.
    public var document: PolicyDocument?

    /// A version.
    public init(id: String, isDefault: Bool, document: PolicyDocument?) {
      self.id = id
      self.isDefault = isDefault
      self.document = document
    }
  }

  /// A group.
  public struct Group: Sendable, Equatable {
    /// Its path.
    public var path: String
    /// ARNs of attached policies.
    public var attached: Set<String>
    /// Names of policies within it.
    public var inline: Set<String>

    /// A group.
    public init(path: String, attached: Set<String> = [], inline: Set<String> = []) {
      self.path = path
      self.attached = attached
      self.inline = inline
    }
  }

  /// A user.
  public struct User: Sendable, Equatable {
    /// Its path.
    public var path: String
    /// ARN of its boundary; nil = it has none.
    public var boundary: String?
    /// Names of its groups.
    public var groups: Set<String>
    /// ARNs of attached policies.
    public var attached: Set<String>
    /// Names of policies within it.
    public var inline: Set<String>
    /// Tags by key.
    public var tags: [String: String]

    /// A user.
    public init(
      path: String, boundary: String? = nil, groups: Set<String> = [], attached: Set<String> = [],
      inline: Set<String> = [], tags: [String: String] = [:]
    ) {
      self.path = path
      self.boundary = boundary
      self.groups = groups
      self.attached = attached
      self.inline = inline
      self.tags = tags
    }
  }

  /// By name.
  public var policies: [String: Policy] = [:]
  /// By name.
  public var groups: [String: Group] = [:]
  /// By name.
  public var users: [String: User] = [:]

  /// Nothing.
  public init() {}
}
