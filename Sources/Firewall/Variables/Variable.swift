// The variables that rules look at (ModSecurity reference manual, "Variables").
//
// Each is a list of named values; a scalar is a list of one without a name. Fixed ones are complete before a phase begins
// and don't change within it: those can be scanned ahead. Dynamic ones are what rules themselves write or what depends
// on the moment, and are looked at when a rule asks.

/// What rules look at; see the head of this file.
public enum Variable: UInt8, CaseIterable, BitwiseCopyable, Sendable {
  case args, argsGet, argsPost, argsNames, argsGetNames, argsPostNames, argsCombinedSize
  case authType
  case files, filesCombinedSize, filesNames, filesSizes, filesTmpContent, filesTmpNames
  case fullRequest, fullRequestLength
  case inboundDataError, outboundDataError
  case multipartBoundaryQuoted, multipartBoundaryWhitespace, multipartCrlfLfLines, multipartDataAfter
  case multipartDataBefore, multipartFileLimitExceeded, multipartFilename, multipartHeaderFolding
  case multipartInvalidHeaderFolding, multipartInvalidPart, multipartInvalidQuoting, multipartLfLine
  case multipartMissingSemicolon, multipartName, multipartPartHeaders, multipartStrictError
  case multipartUnmatchedBoundary
  case pathInfo, queryString
  case remoteAddr, remoteHost, remotePort, remoteUser
  case reqbodyError, reqbodyErrorMsg, reqbodyProcessorError, reqbodyProcessorErrorMsg
  case requestBasename, requestBody, requestBodyLength, requestCookies, requestCookiesNames, requestFilename
  case requestHeaders, requestHeadersNames, requestLine, requestMethod, requestProtocol, requestURI,
    requestURIRaw
  case responseBody, responseContentLength, responseContentType, responseHeaders, responseHeadersNames
  case responseProtocol, responseStatus
  case serverAddr, serverName, serverPort
  case statusLine
  case time, timeDay, timeEpoch, timeHour, timeMin, timeMon, timeSec, timeWday, timeYear
  case uniqueID, urlencodedError, webAppID, modsecBuild
  case xml
  // What rules write, or what depends on the moment.
  case duration, env, geo, global, highestSeverity, ip, matchedVar, matchedVarName, matchedVars,
    matchedVarsNames
  case mscPcreError, mscPcreLimitsExceeded, reqbodyProcessor, resource, rule, session, sessionID, tx, user,
    userID

  /// Whether its values stay as they are within a phase.
  var isFixed: Bool { rawValue < Variable.duration.rawValue }

  /// As rules write it.
  public var name: String { Variable.names[Int(rawValue)] }

  private static let names: [String] = allCases.map { variable in
    switch variable {
    case .requestURI: "REQUEST_URI"
    case .requestURIRaw: "REQUEST_URI_RAW"
    case .uniqueID: "UNIQUE_ID"
    case .webAppID: "WEBAPPID"
    case .sessionID: "SESSIONID"
    case .userID: "USERID"
    case .filesTmpNames: "FILES_TMPNAMES"
    case .filesTmpContent: "FILES_TMP_CONTENT"
    case .multipartMissingSemicolon: "MULTIPART_MISSING_SEMICOLON"
    case .multipartCrlfLfLines: "MULTIPART_CRLF_LF_LINES"
    default: snake("\(variable)")
    }
  }

  private static func snake(_ camel: String) -> String {
    var result = ""
    for character in camel {
      if character.isUppercase { result += "_" }
      result += character.uppercased()
    }
    return result
  }

  private static let byName: [String: Variable] = {
    var table: [String: Variable] = [:]
    for variable in allCases { table[variable.name] = variable }
    table["MULTIPART_SEMICOLON_MISSING"] = .multipartMissingSemicolon
    table["REQUEST_BODY_ERROR"] = .reqbodyError
    return table
  }()

  /// By the name that rules use, in any case.
  static func named(_ name: String) -> Variable? { byName[name.uppercased()] }
  static var allNames: [String] { byName.keys.sorted() }
}

/// A set of variables.
struct VariableSet: Sendable, Hashable {
  private var low: UInt64 = 0
  private var high: UInt64 = 0

  @inline(__always) func contains(_ variable: Variable) -> Bool {
    let bit = variable.rawValue
    return bit < 64 ? low >> UInt64(bit) & 1 != 0 : high >> UInt64(bit - 64) & 1 != 0
  }

  mutating func insert(_ variable: Variable) {
    let bit = variable.rawValue
    if bit < 64 { low |= 1 << UInt64(bit) } else { high |= 1 << UInt64(bit - 64) }
  }
}
