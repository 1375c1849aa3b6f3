// What a body processor gives to the rules (ModSecurity reference manual, "REQUEST_BODY and body processors").

/// A name and a value, as variables carry them.
public struct Argument {
  public let name: ByteView
  public let value: ByteView
  public init(name: ByteView, value: ByteView) {
    self.name = name
    self.value = value
  }
}

/// What a body must not exceed (directives in brackets). Hit limits are reported, never passed over.
public struct BodyLimits: Sendable {
  /// Arguments of all kinds together (SecArgumentsLimit).
  public var argumentCount = 1000
  /// Nesting of JSON (SecRequestBodyJsonDepthLimit).
  public var jsonDepth = 512
  /// Nesting of XML.
  public var xmlDepth = 256
  /// Files of a multipart body (SecUploadFileLimit).
  public var fileCount = 100
  /// Header bytes of one part of a multipart body.
  public var partHeaderBytes = 16 * 1024
  public init() {}
}
