// Request line, headers and body turned into variables.

extension Transaction {
  func readRequest(method: ByteView, uri: ByteView, version: ByteView, headers: [Field]) {
    guard engine != .off else { return }
    let method = arena.copy(method)
    let raw = arena.copy(uri)
    let version = arena.copy(version)
    scalar(.requestMethod, method)
    scalar(.requestProtocol, version)
    scalar(.requestLine, arena.join(method, ByteView(" "), raw, ByteView(" "), version))
    let parts = RequestURI(raw, arena: arena)
    scalar(.requestURIRaw, parts.raw)
    scalar(.requestURI, parts.uri)
    scalar(.queryString, parts.queryString)
    scalar(.requestFilename, parts.filename)
    scalar(.requestBasename, parts.basename)
    scalar(.pathInfo, parts.pathInfo)
    if policy.uses.time { setTimes() }
    for header in headers { add(header) }
    scalar(.argsCombinedSize, ByteView("0"))
    if !parts.queryString.isEmpty {
      content.clear()
      URLEncodedBody.parse(
        parts.queryString, separator: policy.bodies.argumentSeparator, limits: policy.bodies.limits,
        arena: arena,
        into: &content)
      take(content.arguments, .argsGet, .argsGetNames)
      noteContent("query string")
      hasTooManyArguments = content.limitReached
      if content.hasInvalidEscape { scalar(.urlencodedError, ByteView("1")) }
    }
    scalar(.reqbodyProcessor, bodyProcessor.map { Transaction.name(of: $0) } ?? .empty)
  }

  static func name(of kind: BodyProcessorKind) -> ByteView {
    switch kind {
    case .urlencoded: ByteView("URLENCODED")
    case .multipart: ByteView("MULTIPART")
    case .json: ByteView("JSON")
    case .xml: ByteView("XML")
    }
  }

  private func add(_ header: Field) {
    let name = arena.copy(header.name)
    let value = arena.copy(header.value)
    values[.requestHeaders].append(Argument(name: name, value: value))
    values[.requestHeadersNames].append(Argument(name: name, value: name))
    switch name.count {
    case 4 where name.equalsIgnoringCase(ByteView("host")):
      scalar(.serverName, value.prefix(value.firstIndex(of: UInt8(ascii: ":")) ?? value.count))
    case 6 where name.equalsIgnoringCase(ByteView("cookie")):
      let before = content.arguments.count
      Cookies.parse(value, into: &content.arguments)
      for cookie in content.arguments[before...] {
        values[.requestCookies].append(cookie)
        values[.requestCookiesNames].append(Argument(name: cookie.name, value: cookie.name))
      }
      content.arguments.removeAll(keepingCapacity: true)
    case 12 where name.equalsIgnoringCase(ByteView("content-type")):
      if value.hasPrefixIgnoringCase(ByteView("multipart/form-data")) { bodyProcessor = .multipart }
      if value.hasPrefixIgnoringCase(ByteView("application/x-www-form-urlencoded")) {
        bodyProcessor = .urlencoded
      }
    case 13 where name.equalsIgnoringCase(ByteView("authorization")):
      let type = value.prefix(value.firstIndex(of: UInt8(ascii: " ")) ?? value.count)
      scalar(.authType, type)
      if type.equalsIgnoringCase(ByteView("basic")),
        let credentials = CapturedRequest.base64(value.dropFirst(type.count + 1).array),
        let colon = credentials.firstIndex(of: UInt8(ascii: ":"))
      {
        scalar(.remoteUser, arena.copy(Array(credentials[..<colon])))
      }
    default: break
    }
  }

  /// Arguments into ARGS and their own variables, and the combined size.
  func take(_ arguments: [Argument], _ own: Variable?, _ ownNames: Variable?) {
    guard !arguments.isEmpty else { return }
    var size = values[.argsCombinedSize].first.map { $0.value.leadingInteger } ?? 0
    for argument in arguments {
      let name = Argument(name: argument.name, value: argument.name)
      values[.args].append(argument)
      values[.argsNames].append(name)
      if let own, let ownNames {
        values[own].append(argument)
        values[ownNames].append(name)
      }
      size += Int64(argument.name.count + argument.value.count)
    }
    scalar(.argsCombinedSize, decimal(size))
  }

  private func noteContent(_ what: String) {
    if content.limitReached {
      notes.append("the \(what) has more than a limit allows: the rest wasn't inspected")
    }
  }

  // MARK: - Body

  func readRequestBody(_ body: ByteView, isComplete: Bool) {
    scalar(.inboundDataError, isComplete ? ByteView("0") : ByteView("1"))
    if !isComplete {
      notes.append("the body is longer than SecRequestBodyLimit: only its beginning was inspected")
    }
    guard requestBodyAccess || !body.isEmpty else {
      bodyError(nil)
      return
    }
    content.clear()
    var limits = policy.bodies.limits
    limits.argumentCount = max(0, limits.argumentCount - values[.args].count)
    // What is longer than it may be without files is inspected as far as it may be.
    let most = policy.bodies.requestBodyNoFilesLimit
    let isTooLong = bodyProcessor != .multipart && body.count > most
    let body = isTooLong ? body.prefix(most) : body
    parse(body, limits)
    // Of a multipart body its fields and the headers of its parts count.
    let fields =
      bodyProcessor == .multipart
      ? (content.arguments + content.partHeaders).reduce(0) { $0 + $1.value.count } : 0
    if isTooLong || fields > most {
      content.fail(
        "Request body without files is longer than SecRequestBodyNoFilesLimit (\(most)).", at: most)
    }
    if content.limitReached || hasTooManyArguments {
      content.fail("SecArgumentsLimit or another limit exceeded.", at: nil)
    }
    noteContent("body")
    bodyError(content.error)
    if !body.isEmpty {
      // As ModSecurity 2: what a processor has taken apart isn't looked at as a whole too, forms excepted; what it could
      // not take apart is.
      switch bodyProcessor {
      case .multipart, .json, .xml:
        if forcesRequestBody || content.error != nil { scalar(.requestBody, body) }
      case .urlencoded, nil: scalar(.requestBody, body)
      }
      scalar(.requestBodyLength, decimal(body.count))
    }
    if policy.uses.fullRequest { readFullRequest(body) }
  }

  private func parse(_ body: ByteView, _ limits: BodyLimits) {
    switch bodyProcessor {
    case .urlencoded:
      URLEncodedBody.parse(
        body, separator: policy.bodies.argumentSeparator, limits: limits, arena: arena, into: &content)
      take(content.arguments, .argsPost, .argsPostNames)
      if content.hasInvalidEscape { scalar(.urlencodedError, ByteView("1")) }
    case .json:
      JSONBody.parse(body, limits: limits, arena: arena, into: &content)
      take(content.arguments, nil, nil)
    case .xml:
      XMLBody.parse(body, limits: limits, into: &content)
      readXML()
    case .multipart:
      readMultipart(body, limits)
    case nil: break
    }
  }

  /// What a body can't be read for: for rules, for the log, and for the engine itself where no rule looks at it.
  private func bodyError(_ message: String?) {
    if let message {
      let place = content.errorOffset.map { " (at byte \($0))" } ?? ""
      notes.append("the body can't be read: \(message)\(place)")
    }
    hasBodyError = message != nil
    let flag = message == nil ? ByteView("0") : ByteView("1")
    scalar(.reqbodyError, flag)
    scalar(.reqbodyProcessorError, flag)
    if let message {
      let text = arena.copy(message)
      scalar(.reqbodyErrorMsg, text)
      scalar(.reqbodyProcessorErrorMsg, text)
    }
  }

  private func readXML() {
    guard let document = content.xml else { return }
    for expression in policy.xpaths {
      var found: [ByteView] = []
      var isCut = false
      if expression == ByteView("/*") {
        found = [document.rootContent(arena: arena)]
      } else if expression == ByteView("//@*") {
        isCut = document.attributeValues(arena: arena, into: &found)
      } else if let result = document.evaluate(
        xpath: expression.text, namespaces: policy.xmlNamespaces, arena: arena)
      {
        (found, isCut) = result
      } else {
        notes.append("the XPath \(expression.text) can't be evaluated: a prefix without xmlns?")
      }
      if isCut { content.limitReached = true }
      for value in found { values[.xml].append(Argument(name: expression, value: value)) }
    }
  }

  private func readMultipart(_ body: ByteView, _ limits: BodyLimits) {
    var type = ByteView.empty
    if let header = values[.requestHeaders].first(where: {
      $0.name.equalsIgnoringCase(ByteView("content-type"))
    }) {
      type = header.value
    }
    MultipartBody.parse(body, contentType: type, limits: limits, arena: arena, into: &content)
    take(content.arguments, .argsPost, .argsPostNames)
    for file in content.files {
      values[.files].append(Argument(name: file.name, value: file.fileName))
      values[.filesNames].append(Argument(name: file.name, value: file.name))
      values[.filesSizes].append(Argument(name: file.name, value: decimal(file.content.count)))
      values[.filesTmpContent].append(Argument(name: file.name, value: file.content))
    }
    scalar(.filesCombinedSize, decimal(content.filesCombinedSize))
    for header in content.partHeaders { values[.multipartPartHeaders].append(header) }
    for name in content.partNames { values[.multipartName].append(Argument(name: name, value: name)) }
    for name in content.partFileNames { values[.multipartFilename].append(Argument(name: name, value: name)) }
    guard let flags = content.multipart else { return }
    func flag(_ variable: Variable, _ isSet: Bool) { scalar(variable, isSet ? ByteView("1") : ByteView("0")) }
    flag(.multipartStrictError, flags.strictError)
    flag(.multipartBoundaryQuoted, flags.boundaryQuoted)
    flag(.multipartBoundaryWhitespace, flags.boundaryWhitespace)
    flag(.multipartDataBefore, flags.dataBefore)
    flag(.multipartDataAfter, flags.dataAfter)
    flag(.multipartHeaderFolding, flags.headerFolding)
    flag(.multipartLfLine, flags.lfLine)
    flag(.multipartCrlfLfLines, flags.crlfLFLines)
    flag(.multipartMissingSemicolon, flags.missingSemicolon)
    flag(.multipartInvalidQuoting, flags.invalidQuoting)
    flag(.multipartInvalidPart, flags.invalidPart)
    flag(.multipartInvalidHeaderFolding, flags.invalidHeaderFolding)
    flag(.multipartFileLimitExceeded, flags.fileLimitExceeded)
    scalar(.multipartUnmatchedBoundary, decimal(flags.unmatchedBoundary))
  }

  private func readFullRequest(_ body: ByteView) {
    pieces.removeAll()
    for header in values[.requestHeaders] {
      pieces.append(header.name)
      pieces.append(ByteView(": "))
      pieces.append(header.value)
      pieces.append(ByteView("\n"))
    }
    pieces.append(ByteView("\n\n"))
    pieces.append(body)
    let whole = joinPieces()
    scalar(.fullRequest, whole)
    scalar(.fullRequestLength, decimal(whole.count))
  }

  func joinPieces() -> ByteView {
    let total = pieces.reduce(0) { $0 + $1.count }
    return arena.build(total) { place in
      var at = place
      for piece in pieces {
        at.update(from: piece.start, count: piece.count)
        at += piece.count
      }
      return total
    }
  }

  // MARK: - Response

  func readResponse(status: Int, version: ByteView, headers: [Field]) {
    guard engine != .off else { return }
    let version = arena.copy(version)
    scalar(.responseStatus, decimal(status))
    scalar(.responseProtocol, version)
    scalar(.statusLine, arena.join(version, ByteView(" "), decimal(status)))
    for header in headers {
      let name = arena.copy(header.name)
      let value = arena.copy(header.value)
      values[.responseHeaders].append(Argument(name: name, value: value))
      values[.responseHeadersNames].append(Argument(name: name, value: name))
      if name.equalsIgnoringCase(ByteView("content-type")) {
        var end = value.firstIndex(of: UInt8(ascii: ";")) ?? value.count
        while end > 0, isWhitespace(value[end - 1]) { end -= 1 }
        scalar(.responseContentType, value.prefix(end))
      }
      if name.equalsIgnoringCase(ByteView("content-length")) { scalar(.responseContentLength, value) }
    }
  }

  // MARK: - Time

  /// TIME and its parts, in UTC: the same on every node.
  private func setTimes() {
    let seconds = started / 1_000_000_000
    let day = seconds / 86_400
    let inDay = seconds % 86_400
    // Civil date from days since 1970 (proleptic Gregorian calendar).
    let shifted = day + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthIndex = (5 * dayOfYear + 2) / 153
    let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
    scalar(.timeEpoch, decimal(seconds))
    scalar(.timeDay, decimal(dayOfYear - (153 * monthIndex + 2) / 5 + 1))
    // As C's tm_mon, from 0.
    scalar(.timeMon, decimal(month - 1))
    scalar(.timeYear, decimal(yearOfEra + era * 400 + (month <= 2 ? 1 : 0)))
    scalar(.timeWday, decimal((day + 4) % 7))
    scalar(.timeHour, decimal(inDay / 3600))
    scalar(.timeMin, decimal(inDay / 60 % 60))
    scalar(.timeSec, decimal(inDay % 60))
    func two(_ value: Int64) -> ByteView { arena.join(value < 10 ? ByteView("0") : .empty, decimal(value)) }
    scalar(
      .time,
      arena.join(two(inDay / 3600), ByteView(":"), two(inDay / 60 % 60), ByteView(":"), two(inDay % 60)))
  }
}
