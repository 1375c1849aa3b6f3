// A policy: rules compiled, immutable, shared by all threads and swapped whole.

/// What the rules of a policy may do (SecRuleEngine).
public enum EngineMode: Sendable, Hashable { case on, detectionOnly, off }

/// What happens to a body over its limit (SecRequestBodyLimitAction, SecResponseBodyLimitAction).
public enum LimitAction: Sendable, Hashable { case reject, processPartial }

/// What the rules say about bodies.
public struct BodySettings: Sendable {
  public var requestBodyAccess = false
  public var requestBodyLimit = 134_217_728
  /// The part of the limit for what isn't an uploaded file (SecRequestBodyNoFilesLimit).
  public var requestBodyNoFilesLimit = 1_048_576
  public var requestBodyLimitAction = LimitAction.reject
  public var responseBodyAccess = false
  public var responseBodyLimit = 524_288
  public var responseBodyLimitAction = LimitAction.reject
  /// Media types that are looked into, lower case (SecResponseBodyMimeType).
  public var responseBodyTypes: Set<String> = ["text/plain", "text/html"]
  public init() {}
}

public final class Policy: Sendable {
  public let engine: EngineMode
  public let bodies: BodySettings

  /// A policy without rules: everything passes.
  public init() {
    engine = .off
    bodies = BodySettings()
  }
}
