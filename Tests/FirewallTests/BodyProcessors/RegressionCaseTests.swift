// libmodsecurity's own regression tests, those about request parts and bodies: the processors are called with each
// request, and what they find is written as its debug log would say it, then looked through for what a test expects.
// The status is compared where its rules ask nothing but whether one of these variables is a number.

import Firewall
import Foundation
import Testing

@Suite(.enabled(if: FirewallRegressionData.folder != nil, "no ../shared/firewall/modsecurity-regression"))
struct RegressionCaseTests {
  /// Files, and how many of their cases are checked here.
  static let files = [
    ("request-body-parser-json", 6), ("request-body-parser-multipart", 51), ("request-body-parser-multipart-crlf", 1),
    ("variable-ARGS", 7), ("variable-ARGS_GET", 4), ("variable-ARGS_NAMES", 5), ("variable-ARGS_POST", 2),
    ("variable-FILES", 0), ("variable-FILES_COMBINED_SIZE", 1), ("variable-FILES_NAMES", 0),
    ("variable-FILES_SIZES", 1), ("variable-MULTIPART_CRLF_LF_LINES", 2), ("variable-MULTIPART_FILENAME", 2),
    ("variable-MULTIPART_INVALID_HEADER_FOLDING", 1), ("variable-MULTIPART_NAME", 2),
    ("variable-MULTIPART_PART_HEADERS", 0), ("variable-MULTIPART_STRICT_ERROR", 8),
    ("variable-MULTIPART_UNMATCHED_BOUNDARY", 1), ("variable-PATH_INFO", 3), ("variable-QUERY_STRING", 1),
    ("variable-REQBODY_PROCESSOR_ERROR", 2), ("variable-REQUEST_BASENAME", 2), ("variable-REQUEST_COOKIES", 6),
    ("variable-REQUEST_COOKIES_NAMES", 4), ("variable-REQUEST_FILENAME", 1), ("variable-REQUEST_URI", 1),
    ("variable-REQUEST_URI_RAW", 1), ("variable-URLENCODED_ERROR", 7), ("config-xml_external_entity", 1),
    ("action-xmlns", 1),
  ]

  /// Cases that aren't checked: the file, the title (and its number, counted from 0), why.
  static let skipped: [String: String] = [:]

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
    mutating func set(_ name: String, _ value: String) {
      variables.append((name, value))
      log.append("Target value: \"\(value)\" (Variable: \(name))")
    }
  }

  private func look(at test: Case) -> Seen {
    var seen = Seen()
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
    if wanted.contains("requestBodyProcessor=JSON") {
      JSONBody.parse(body.view, limits: limits, arena: arena, into: &content)
    } else if wanted.contains("requestBodyProcessor=XML") {
      XMLBody.parse(body.view, limits: limits, into: &content)
    } else if test.contentType.lowercased().hasPrefix("multipart/form-data") {
      MultipartBody.parse(body.view, contentType: type.view, limits: limits, arena: arena, into: &content)
    } else if test.contentType.lowercased().hasPrefix("application/x-www-form-urlencoded") {
      URLEncodedBody.parse(body.view, limits: limits, arena: arena, into: &content)
    }
    for argument in content.pairs { seen.set("ARGS_POST:\(argument.name)", argument.value) }
    for argument in query.pairs + content.pairs {
      seen.set("ARGS:\(argument.name)", argument.value)
      seen.set("ARGS_NAMES:\(argument.name)", argument.name)
      seen.log.append("Adding request argument (BODY): name \"\(argument.name)\", value \"\(argument.value)\"")
    }
    seen.set("URLENCODED_ERROR", content.hasInvalidEscape || query.hasInvalidEscape ? "1" : "0")
    seen.set("REQBODY_ERROR", content.error == nil ? "0" : "1")
    seen.set("REQBODY_PROCESSOR_ERROR", content.error == nil ? "0" : "1")
    seen.log.append(content.error ?? "")
    if let document = content.xml {
      for rule in test.rules {
        guard let match = rule.firstMatch(of: /XML:(\S+) /) else { continue }
        for value in document.evaluate(xpath: String(match.1), namespaces: namespaces(rule), arena: arena)?.values ?? [] {
          seen.set("XML:\(match.1)", latin1(value))
        }
      }
    }
    if let flags = content.multipart { describe(flags, content, body.view, &seen) }
    seen.log.append(content.error ?? "")
    return seen
  }

  private func namespaces(_ rule: String) -> [(prefix: String, uri: String)] {
    rule.matches(of: /xmlns:(\w+)=['"]?([^'",]+)/).map { (String($0.1), String($0.2)) }
  }

  private func describe(_ flags: MultipartFlags, _ content: BodyContent, _ body: ByteView, _ seen: inout Seen) {
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
    var status = 200
    for rule in rules where rule.hasPrefix("SecRule ") {
      guard let match = rule.firstMatch(of: /^SecRule (\S+) "(!?)@eq (\d+)" "(.*)"/) else {
        if rule.contains("deny") || rule.contains("chain") { return nil }
        continue
      }
      guard match.4.contains("deny"), !match.4.contains("chain") else { continue }
      guard let value = seen.variables.last(where: { $0.name == match.1 })?.value else { return nil }
      if (value == match.3) == match.2.isEmpty, status == 200 {
        status = Int(match.4.firstMatch(of: /status:(\d+)/)?.1 ?? "") ?? 403
      }
    }
    return status
  }

  @Test(arguments: files) func casesHold(file: String, count: Int) throws {
    var checked = 0
    for test in try cases(in: file) {
      if RegressionCaseTests.skipped[test.key] != nil { continue }
      let seen = look(at: test)
      var isChecked = false
      if let log = test.log, !log.isEmpty {
        let pattern = try NSRegularExpression(pattern: log, options: [.dotMatchesLineSeparators])
        let text = seen.log.joined(separator: "\n")
        let found = pattern.firstMatch(in: text, range: NSRange(text.startIndex..., in: text)) != nil
        #expect(found, "\(test.key): \(log) in \(text)")
        isChecked = true
      }
      if let status = status(test.rules, seen), test.log == nil || test.log?.isEmpty == true || status != 200 {
        #expect(status == test.status, "\(test.key)")
        isChecked = true
      }
      if isChecked { checked += 1 }
    }
    #expect(checked == count, "\(file)")
  }
}
