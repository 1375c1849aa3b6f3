// Every directive that SecLang has, in ModSecurity 2 and 3 (reference manuals, "Configuration directives"), and what is
// done with it: applied; accepted without effect, with a note that says why; or refused, with the reason.
//
// One table: the parser counts arguments by it, the compiler judges names by it, the documentation lists it.

/// A directive's name, what it takes, and what is done with it.
public struct Directive: Sendable {
  /// What is done with a directive.
  public enum Handling: Sendable, Hashable {
    case applied
    /// Has no effect here, and why. Reported as a note, not as a fault.
    case ignored(String)
    /// Rules that hold it are not taken, and why.
    case refused(String)
  }

  /// As in the reference manual; compared without case.
  public let name: String
  /// How many arguments it takes.
  public let arguments: ClosedRange<Int>
  /// What is done with it.
  public let handling: Handling

  private init(_ name: String, _ arguments: ClosedRange<Int>, _ handling: Handling) {
    self.name = name
    self.arguments = arguments
    self.handling = handling
  }

  /// The directive of this name, in whatever case.
  public static func named(_ name: String) -> Directive? { byName[name.lowercased()] }

  /// The known name that is nearest to a misspelt one, for a fault's remedy.
  public static func nearest(to name: String) -> Directive? {
    let ranked = all.map { ($0, EditDistance.between(name, $0.name)) }
    return ranked.min { $0.1 < $1.1 }.flatMap { $0.1 <= max(2, name.utf8.count / 5) ? $0.0 : nil }
  }

  /// "1 argument", "2 to 3 arguments, …", for faults.
  var argumentsText: String {
    let quotes = ", in double quotes where they hold blanks"
    switch (arguments.lowerBound, arguments.upperBound) {
    case (0, 0): return "none"
    case (1, 1): return "1, in double quotes where it holds blanks"
    case (let least, .max): return "\(least) or more" + quotes
    case (let least, let most): return (least == most ? "\(least)" : "\(least) to \(most)") + quotes
    }
  }

  private static let byName = Dictionary(all.map { ($0.name.lowercased(), $0) }) { first, _ in first }

  private static let ownLog = Handling.ignored(
    "alerts go to Kabuto's own log, which its configuration sets")
  private static let noFiles = Handling.ignored(
    "nothing of a request is written to disk")
  private static let ownLimits = Handling.ignored(
    "connections are bounded by the proxy's own limits")
  private static let noSignedLinks = Handling.refused("links are not signed: responses are never changed")
  private static let noPDFProtection = Handling.refused(
    "ModSecurity gave this protection up, and Kabuto does not have it")

  /// All of them, by what they are for.
  public static let all: [Directive] = [
    Directive("SecRule", 2...3, .applied),
    Directive("SecAction", 1...1, .applied),
    Directive("SecMarker", 1...1, .applied),
    Directive("SecDefaultAction", 1...1, .applied),
    Directive("Include", 1...1, .applied),
    Directive("IncludeOptional", 1...1, .applied),
    Directive("SecRuleEngine", 1...1, .applied),
    Directive("SecRequestBodyAccess", 1...1, .applied),
    Directive("SecRequestBodyLimit", 1...1, .applied),
    Directive("SecRequestBodyNoFilesLimit", 1...1, .applied),
    Directive("SecRequestBodyLimitAction", 1...1, .applied),
    Directive("SecRequestBodyJsonDepthLimit", 1...1, .applied),
    Directive("SecResponseBodyAccess", 1...1, .applied),
    Directive("SecResponseBodyLimit", 1...1, .applied),
    Directive("SecResponseBodyLimitAction", 1...1, .applied),
    Directive("SecResponseBodyMimeType", 1...(.max), .applied),
    Directive("SecResponseBodyMimeTypesClear", 0...0, .applied),
    Directive("SecRuleRemoveById", 1...(.max), .applied),
    Directive("SecRuleRemoveByTag", 1...(.max), .applied),
    Directive("SecRuleRemoveByMsg", 1...(.max), .applied),
    Directive("SecRuleUpdateTargetById", 2...3, .applied),
    Directive("SecRuleUpdateTargetByTag", 2...3, .applied),
    Directive("SecRuleUpdateTargetByMsg", 2...3, .applied),
    Directive("SecRuleUpdateActionById", 2...2, .applied),
    Directive("SecArgumentSeparator", 1...1, .applied),
    Directive("SecArgumentsLimit", 1...1, .applied),
    Directive("SecCollectionTimeout", 1...1, .applied),
    Directive("SecComponentSignature", 1...1, .applied),
    Directive("SecCookieFormat", 1...1, .applied),
    Directive("SecPcreMatchLimit", 1...1, .applied),
    Directive("SecUploadFileLimit", 1...1, .applied),
    Directive("SecWebAppId", 1...1, .applied),
    Directive("SecUnicodeMapFile", 1...2, .applied),
    Directive("SecAuditEngine", 1...1, ownLog),
    Directive("SecAuditLog", 1...1, ownLog),
    Directive("SecAuditLog2", 1...1, ownLog),
    Directive("SecAuditLogDirMode", 1...1, ownLog),
    Directive("SecAuditLogFileMode", 1...1, ownLog),
    Directive("SecAuditLogFormat", 1...1, ownLog),
    Directive("SecAuditLogParts", 1...1, ownLog),
    Directive("SecAuditLogRelevantStatus", 1...1, ownLog),
    Directive("SecAuditLogStorageDir", 1...1, ownLog),
    Directive("SecAuditLogType", 1...1, ownLog),
    Directive("SecDebugLog", 1...1, ownLog),
    Directive("SecDebugLogLevel", 1...1, ownLog),
    Directive(
      "SecRequestBodyInMemoryLimit", 1...1,
      .ignored("bodies stay in memory, up to SecRequestBodyLimit")),
    Directive(
      "SecPcreMatchLimitRecursion", 1...1,
      .ignored("PCRE2 keeps no stack that grows with the value; SecPcreMatchLimit bounds the work")),
    Directive("SecDataDir", 1...1, noFiles),
    Directive("SecTmpDir", 1...1, noFiles),
    Directive("SecTmpSaveUploadedFiles", 1...1, noFiles),
    Directive("SecUploadDir", 1...1, noFiles),
    Directive("SecUploadFileMode", 1...1, noFiles),
    Directive("SecUploadKeepFiles", 1...1, noFiles),
    Directive("SecStatusEngine", 1...1, .ignored("Kabuto reports to nobody")),
    Directive(
      "SecGeoLookupDb", 1...1,
      .ignored("there is no database of countries here: @geoLookup never matches")),
    Directive("SecHttpBlKey", 1...1, .ignored("no list is asked over DNS: @rbl never matches")),
    Directive("SecXmlExternalEntity", 1...1, .ignored("external entities are never loaded")),
    Directive("SecParseXmlIntoArgs", 1...1, .ignored("XML is looked at through XML:/* and XML://@*")),
    Directive(
      "SecCookieV0Separator", 1...1,
      .ignored("cookies are parted by semicolons, as browsers send them")),
    Directive("SecCacheTransformations", 1...(.max), .ignored("transformed values are shared always")),
    Directive("SecRulePerfTime", 1...1, .ignored("the cost of rules is measured by kabuto firewall rules")),
    Directive(
      "SecRuleInheritance", 1...1,
      .ignored("rules are for all requests: there is nothing to inherit from")),
    Directive(
      "SecInterceptOnError", 1...1,
      .ignored("a rule that can not be decided counts as no match, and the log says so")),
    Directive("SecConnEngine", 1...(.max), ownLimits),
    Directive("SecConnReadStateLimit", 1...(.max), ownLimits),
    Directive("SecConnWriteStateLimit", 1...(.max), ownLimits),
    Directive("SecReadStateLimit", 1...(.max), ownLimits),
    Directive("SecWriteStateLimit", 1...(.max), ownLimits),
    Directive(
      "SecDisableBackendCompression", 1...1,
      .ignored("the proxy's configuration says whether back ends may compress")),
    Directive("SecChrootDir", 1...1, .ignored("the service is confined from outside")),
    Directive("SecSensorId", 1...1, .ignored("the log names the host")),
    Directive("SecServerSignature", 1...1, .ignored("responses name the server that made them")),
    Directive("SecUnicodeCodePage", 1...1, .ignored("SecUnicodeMapFile names the code page")),
    Directive(
      "SecStreamInBodyInspection", 1...1,
      .ignored("bodies are looked at whole: STREAM_INPUT_BODY does not exist")),
    Directive(
      "SecStreamOutBodyInspection", 1...1,
      .ignored("bodies are looked at whole: STREAM_OUTPUT_BODY does not exist")),
    Directive("SecContentInjection", 1...1, .ignored("responses are passed or refused, never changed")),
    Directive("SecRemoteRulesFailAction", 1...1, .ignored("rules are never fetched")),
    Directive(
      "SecRemoteRules", 0...(.max),
      .refused("rules are read from files only: fetch them yourself and include the file")),
    Directive(
      "SecRuleScript", 0...(.max),
      .refused("programs in rules are not run: write the test as a SecRule")),
    Directive("SecGuardianLog", 0...(.max), .refused("programs are not run: read Kabuto's log instead")),
    Directive("SecGsbLookupDb", 0...(.max), .refused("@gsbLookup is not offered")),
    Directive("SecHashEngine", 0...(.max), noSignedLinks),
    Directive("SecHashKey", 0...(.max), noSignedLinks),
    Directive("SecHashParam", 0...(.max), noSignedLinks),
    Directive("SecHashMethodRx", 0...(.max), noSignedLinks),
    Directive("SecHashMethodPm", 0...(.max), noSignedLinks),
    Directive("SecEncryptionEngine", 0...(.max), noSignedLinks),
    Directive("SecEncryptionKey", 0...(.max), noSignedLinks),
    Directive("SecEncryptionParam", 0...(.max), noSignedLinks),
    Directive("SecEncryptionMethodRx", 0...(.max), noSignedLinks),
    Directive("SecEncryptionMethodPm", 0...(.max), noSignedLinks),
    Directive("SecPdfProtect", 0...(.max), noPDFProtection),
    Directive("SecPdfProtectMethod", 0...(.max), noPDFProtection),
    Directive("SecPdfProtectSecret", 0...(.max), noPDFProtection),
    Directive("SecPdfProtectTimeout", 0...(.max), noPDFProtection),
    Directive("SecPdfProtectTokenName", 0...(.max), noPDFProtection),
  ]
}
