// libmodsecurity's own regression tests, those about request parts and bodies: the processors are called with each
// request, and what they find is written as its debug log would say it, then looked through for what a test expects.
// The status is compared where its rules ask nothing but whether one of these variables is a number.

import Firewall
import Foundation
import Testing

@Suite(.enabled(if: FirewallRegressionData.folder != nil, "no ../shared/firewall/modsecurity-regression"))
struct RegressionCaseTests {
  static let files = [
    "request-body-parser-json", "request-body-parser-multipart", "request-body-parser-multipart-crlf",
    "variable-ARGS",
    "variable-ARGS_GET", "variable-ARGS_NAMES", "variable-ARGS_POST", "variable-FILES",
    "variable-FILES_COMBINED_SIZE",
    "variable-FILES_NAMES", "variable-FILES_SIZES", "variable-MULTIPART_CRLF_LF_LINES",
    "variable-MULTIPART_FILENAME",
    "variable-MULTIPART_INVALID_HEADER_FOLDING", "variable-MULTIPART_NAME", "variable-MULTIPART_PART_HEADERS",
    "variable-MULTIPART_STRICT_ERROR", "variable-MULTIPART_UNMATCHED_BOUNDARY", "variable-PATH_INFO",
    "variable-QUERY_STRING", "variable-REQBODY_PROCESSOR_ERROR", "variable-REQUEST_BASENAME",
    "variable-REQUEST_COOKIES", "variable-REQUEST_COOKIES_NAMES", "variable-REQUEST_FILENAME",
    "variable-REQUEST_URI",
    "variable-REQUEST_URI_RAW", "variable-URLENCODED_ERROR", "variable-XML", "config-xml_external_entity",
    "action-xmlns",
  ]

  /// Cases that aren't checked: the file and the number from 0, and why.
  static let skipped = [
    "request-body-parser-json 5": "the rule's message is looked for; JSONBodyTests has the depth",
    "request-body-parser-multipart-crlf 0": "line ends of a field are lost there, not here",
    "variable-XML 0": "the operator is @rx; XMLBodyTests has such an XPath",
    "request-body-parser-multipart 53": "a warning that 3.0.9 doesn't have",
    "request-body-parser-multipart 54": "a check that 3.0.9 doesn't have",
    "variable-MULTIPART_PART_HEADERS 0": "a rule's result is looked for; MultipartBodyTests has the headers",
    "variable-MULTIPART_PART_HEADERS 1": "the same",
    "variable-MULTIPART_PART_HEADERS 2": "the same",
    "variable-MULTIPART_PART_HEADERS 3": "the same, in a chain",
    "config-xml_external_entity 0": "external entities are never loaded here",
    "config-xml_external_entity 1": "validates against a DTD",
    "config-xml_external_entity 2": "validates against a DTD",
    "action-xmlns 0": "a fault of the rules", "action-xmlns 1": "a fault of the rules",
    "action-xmlns 2": "a fault of the rules",
    "request-body-parser-multipart 19": "a chain", "request-body-parser-multipart 24": "a chain",
    "request-body-parser-multipart 26": "a chain",
    "variable-MULTIPART_STRICT_ERROR 7": "MultipartBodyTests has the flags",
  ]
  static let checkedCount = 132

  struct Case {
    let key: String
    let contentType: String
    let cookie: String
    let uri: String
    let body: [UInt8]
    let rules: [String]
    let status: Int
    let log: String?
  }

  private func cases(in file: String) throws -> [Case] {
    let path = (FirewallRegressionData.folder ?? "") + "/" + file + ".json"
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    let all = try JSONSerialization.jsonObject(with: data) as? [[String: Any]] ?? []
    return all.enumerated().map { index, test in
      let request = test["request"] as? [String: Any] ?? [:]
      let headers = request["headers"] as? [String: Any] ?? [:]
      let expected = test["expected"] as? [String: Any] ?? [:]
      let lines = request["body"] as? [String] ?? []
      return Case(
        key: "\(file) \(index) \(test["title"] as? String ?? "")",
        contentType: headers["Content-Type"] as? String ?? "", cookie: headers["Cookie"] as? String ?? "",
        uri: request["uri"] as? String ?? "",
        body: lines == [""] ? [] : lines.flatMap { Array(($0 + "\n").utf8) },
        rules: test["rules"] as? [String] ?? [], status: expected["http_code"] as? Int ?? 200,
        log: expected["debug_log"] as? String)
    }
  }

  /// The variables of a request, and lines as the debug log has them.
  private struct Seen {
    var variables: [(name: String, value: String)] = []
    var log: [String] = []
    /// The rules trim what they look at.
    var trims = false
    mutating func set(_ name: String, _ value: String) {
      variables.append((name, value))
      let shown = trims ? value.trimmingCharacters(in: .whitespacesAndNewlines) : value
      if trims { log.append("T (0) t:trim: \"\(shown)\"") }
      log.append("Target value: \"\(shown)\" (Variable: \(name))")
    }
  }

  private func look(at test: Case) -> Seen {
    var seen = Seen()
    seen.trims = test.rules.contains { $0.contains("t:trim") }
    let arena = Arena()
    let uri = HeldBytes(test.uri)
    let body = HeldBytes(test.body)
    let type = HeldBytes(test.contentType)
    let cookieField = HeldBytes(test.cookie)
    var limits = BodyLimits()
    for rule in test.rules where rule.hasPrefix("SecRequestBodyJsonDepthLimit") {
      limits.jsonDepth = Int(rule.split(separator: " ")[1]) ?? 0
    }
    for rule in test.rules where rule.hasPrefix("SecUploadFileLimit") {
      limits.fileCount = Int(rule.split(separator: " ")[1]) ?? 0
    }
    let parts = RequestURI(uri.view, arena: arena)
    seen.set("REQUEST_URI", latin1(parts.uri))
    seen.set("REQUEST_URI_RAW", latin1(parts.raw))
    seen.set("QUERY_STRING", latin1(parts.queryString))
    seen.set("REQUEST_FILENAME", latin1(parts.filename))
    seen.set("REQUEST_BASENAME", latin1(parts.basename))
    seen.set("PATH_INFO", latin1(parts.pathInfo))
    var cookies: [Argument] = []
    Cookies.parse(cookieField.view, into: &cookies)
    for cookie in cookies.map(TextPair.init) {
      seen.set("REQUEST_COOKIES:\(cookie.name)", cookie.value)
      seen.set("REQUEST_COOKIES_NAMES:\(cookie.name)", cookie.name)
    }
    var query = BodyContent()
    URLEncodedBody.parse(parts.queryString, limits: limits, arena: arena, into: &query)
    for argument in query.pairs { seen.set("ARGS_GET:\(argument.name)", argument.value) }

    var content = BodyContent()
    let wanted = test.rules.joined()
    if wanted.contains("requestBodyProcessor=JSON"), test.contentType.contains("json") {
      JSONBody.parse(body.view, limits: limits, arena: arena, into: &content)
    } else if wanted.contains("requestBodyProcessor=XML"), test.contentType.contains("xml") {
      XMLBody.parse(body.view, limits: limits, into: &content)
    } else if test.contentType.lowercased().hasPrefix("multipart/form-data") {
      MultipartBody.parse(body.view, contentType: type.view, limits: limits, arena: arena, into: &content)
    } else if test.contentType.lowercased().hasPrefix("application/x-www-form-urlencoded") {
      URLEncodedBody.parse(body.view, limits: limits, arena: arena, into: &content)
    }
    for name in content.partNames { seen.log.append("Multipart: Content-Disposition name: \(latin1(name)).") }
    for argument in content.pairs { seen.log.append("Multipart: Added data to variable: \(argument.value)") }
    if content.error?.contains("(-14)") == true { seen.log.append("Duplicate Content-Disposition name") }
    for argument in content.pairs { seen.set("ARGS_POST:\(argument.name)", argument.value) }
    for argument in query.pairs + content.pairs {
      seen.set("ARGS:\(argument.name)", argument.value)
      seen.set("ARGS_NAMES:\(argument.name)", argument.name)
      seen.log.append(
        "Adding request argument (BODY): name \"\(argument.name)\", value \"\(argument.value)\"")
    }
    seen.set("URLENCODED_ERROR", content.hasInvalidEscape || query.hasInvalidEscape ? "1" : "0")
    seen.set("REQBODY_ERROR", content.error == nil ? "0" : "1")
    seen.set("REQBODY_PROCESSOR_ERROR", content.error == nil ? "0" : "1")
    seen.log.append(content.error ?? "")
    if let document = content.xml {
      for rule in test.rules {
        guard let match = rule.firstMatch(of: #/XML:(\S+) /#) else { continue }
        for value in document.evaluate(xpath: String(match.1), namespaces: namespaces(rule), arena: arena)?
          .values ?? []
        {
          seen.set("XML:\(match.1)", latin1(value))
        }
      }
    }
    if let flags = content.multipart { describe(flags, content, body.view, &seen) }
    seen.log.append(content.error ?? "")
    return seen
  }

  private func namespaces(_ rule: String) -> [(prefix: String, uri: String)] {
    rule.matches(of: #/xmlns:(\w+)=['"]?([^'",]+)/#).map { (String($0.1), String($0.2)) }
  }

  private func describe(_ flags: MultipartFlags, _ content: BodyContent, _ body: ByteView, _ seen: inout Seen)
  {
    for file in content.files {
      let (name, fileName) = (latin1(file.name), latin1(file.fileName))
      seen.set("FILES:\(name)", fileName)
      seen.set("FILES_NAMES:\(name)", name)
      seen.set("FILES_SIZES:\(name)", String(file.content.count))
      seen.log.append(
        "Added file part to the list: name \"\(name)\" file name \"\(fileName)\" "
          + "(offset \(file.content.start - body.start), length \(file.content.count))")
    }
    seen.set("FILES_COMBINED_SIZE", String(content.filesCombinedSize))
    for name in content.partNames { seen.set("MULTIPART_NAME", latin1(name)) }
    for name in content.partFileNames { seen.set("MULTIPART_FILENAME", latin1(name)) }
    func set(_ name: String, _ isSet: Bool, _ warning: String? = nil) {
      seen.set("MULTIPART_" + name, isSet ? "1" : "0")
      if isSet, let warning { seen.log.append("Multipart: Warning: " + warning) }
    }
    set("BOUNDARY_QUOTED", flags.boundaryQuoted, "boundary was quoted.")
    set("BOUNDARY_WHITESPACE", flags.boundaryWhitespace, "boundary whitespace in C-T header.")
    set("DATA_BEFORE", flags.dataBefore, "seen data before first boundary.")
    set("DATA_AFTER", flags.dataAfter, "seen data after last boundary.")
    set("HEADER_FOLDING", flags.headerFolding, "header folding used.")
    set("LF_LINE", flags.lfLine, flags.crlfLine ? nil : "incorrect line endings used (LF).")
    set("CRLF_LF_LINES", flags.crlfLFLines, "mixed line endings used (CRLF/LF).")
    set("MISSING_SEMICOLON", flags.missingSemicolon, "missing semicolon in C-T header.")
    set("SEMICOLON_MISSING", flags.missingSemicolon)
    set("INVALID_QUOTING", flags.invalidQuoting, "invalid quoting used.")
    set("INVALID_PART", flags.invalidPart, "invalid part parsing.")
    set("INVALID_HEADER_FOLDING", flags.invalidHeaderFolding, "invalid header folding used.")
    set("FILE_LIMIT_EXCEEDED", flags.fileLimitExceeded)
    set("STRICT_ERROR", flags.strictError)
    seen.set("MULTIPART_UNMATCHED_BOUNDARY", String(flags.unmatchedBoundary))
  }

  /// The status that the rules lead to; nil where they ask more than is known here.
  private func status(_ rules: [String], _ seen: Seen) -> Int? {
    guard rules.contains("SecRuleEngine On") else { return 200 }
    var status = 200
    for rule in rules where rule.hasPrefix("SecRule ") {
      guard rule.contains("deny") || rule.contains("chain") else { continue }
      guard let match = rule.firstMatch(of: #/^SecRule (\S+) "(!?)@(eq|contains|streq) ([^"]+)" "(.*)"/#),
        !match.5.contains("chain")
      else { return nil }
      let values = seen.variables.filter { $0.name == match.1 || $0.name.hasPrefix(match.1 + ":") }.map(
        \.value)
      guard !match.1.hasPrefix("&"), match.1.contains(":") || !values.isEmpty else { return nil }
      let holds = values.contains { value in
        let value = match.5.contains("t:length") ? String(value.utf8.count) : value
        let isSo = match.3 == "contains" ? value.contains(match.4) : value == match.4
        return isSo == match.2.isEmpty
      }
      if holds, status == 200 { status = Int(match.5.firstMatch(of: #/status:(\d+)/#)?.1 ?? "") ?? 403 }
    }
    return status
  }

  @Test func casesHold() throws {
    var checked = 0
    var skipped: Set<String> = []
    for (file, test) in try RegressionCaseTests.files.flatMap({ file in try cases(in: file).map { (file, $0) }
    }) {
      let key = test.key.split(separator: " ").prefix(2).joined(separator: " ")
      if RegressionCaseTests.skipped[key] != nil {
        skipped.insert(key)
        continue
      }
      let seen = look(at: test)
      var isChecked = false
      if let log = test.log, !log.isEmpty {
        let pattern = try NSRegularExpression(pattern: log, options: [.dotMatchesLineSeparators])
        let text = seen.log.joined(separator: "\n")
        let found = pattern.firstMatch(in: text, range: NSRange(text.startIndex..., in: text)) != nil
        #expect(found, "\(test.key): \(log) in \(text)")
        isChecked = true
      }
      if let status = status(test.rules, seen) {
        #expect(status == test.status, "\(test.key)")
        isChecked = true
      }
      if isChecked { checked += 1 } else { Issue.record("nothing checked: \(test.key) of \(file)") }
    }
    #expect(skipped == Set(RegressionCaseTests.skipped.keys))
    #expect(checked == RegressionCaseTests.checkedCount)
  }
}
