// Small sets of rules made by chance, and requests that are likely to touch them: what no published rule set does (odd
// chains, exclusions, jumps) is found here. Values and patterns share a few words, so that about half of the rules match.

struct RuleGrammar {
  var random: SeededGenerator

  private static let words = [
    "select", "union", "abc", "x1", "--", "'", "<b>", "etc", "42", "A", "%41", "a b", "0x41", "/../", "é",
    "or 1=1",
  ]
  private static let targets = [
    "ARGS", "ARGS", "ARGS:a", "ARGS:b", "ARGS:/^[ab]$/", "ARGS_NAMES", "ARGS_GET", "ARGS_POST:q",
    "REQUEST_HEADERS", "REQUEST_HEADERS:User-Agent", "REQUEST_HEADERS_NAMES", "REQUEST_COOKIES",
    "REQUEST_COOKIES:/s/", "REQUEST_URI", "REQUEST_BODY", "REQUEST_LINE", "QUERY_STRING", "REQUEST_FILENAME",
    "&ARGS", "&ARGS:a", "&TX:s1", "TX:s1", "TX:s2", "TX:/^k/", "TX", "REQBODY_PROCESSOR",
    "ARGS_COMBINED_SIZE",
  ]
  private static let exclusions = ["!ARGS:a", "!ARGS:/b/", "!REQUEST_COOKIES:sid", "!REQUEST_HEADERS:Host"]
  private static let transformations = [
    "lowercase", "urlDecodeUni", "compressWhitespace", "removeWhitespace", "htmlEntityDecode", "removeNulls",
    "replaceComments", "trim", "length", "hexEncode", "base64Decode", "normalizePath", "cmdLine", "jsDecode",
    "utf8toUnicode", "sha1", "uppercase",
  ]

  mutating func pick<T>(_ list: [T]) -> T { list[Int.random(in: 0..<list.count, using: &random)] }
  mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

  // MARK: - Patterns

  mutating func pattern(depth: Int = 0) -> String {
    var text = depth == 0 && chance(25) ? "(?i)" : ""
    if depth == 0, chance(12) { text += "^" }
    for _ in 0..<Int.random(in: 1...3, using: &random) { text += piece(depth) }
    if depth == 0, chance(10) { text += "$" }
    return text
  }

  private mutating func piece(_ depth: Int) -> String {
    var text: String
    switch Int.random(in: 0..<12, using: &random) {
    case 0, 1, 2: text = Self.escaped(pick(Self.words))
    case 3: text = pick(["[a-c]", "[^a-z]", "[\\d_-]", "[\\s'<]", "[%/]", "[A-Z0-9.]"])
    case 4: text = pick(["\\d", "\\s", "\\w", "\\W", ".", "\\b", "\\S", "\\x27", "\\D"])
    case 5,
      6 where depth < 2:
      text = "(\(pattern(depth: depth + 1))|\(pattern(depth: depth + 1)))"
    case 7 where depth < 2: text = "(?:\(pattern(depth: depth + 1)))"
    // What Vectorscan only takes as a prefilter, or not at all.
    case 8 where depth < 2: text = "(?=\(pattern(depth: depth + 1)))"
    case 9 where depth < 2: text = "(?!\(pattern(depth: depth + 1)))"
    case 10 where depth == 0: text = "([a-z])\\1"
    default: text = pick(["a", "e", "1", "s", "=", " "])
    }
    if text != "\\b", !text.hasPrefix("(?="), !text.hasPrefix("(?!"), chance(30) {
      let quantifier = pick(["?", "*", "+", "{1,2}", "{0,3}", "+?", "*?", "{2}", "++"])
      text =
        text.count > 1 && !text.hasPrefix("[") && !text.hasPrefix("(") && !text.hasPrefix("\\")
        ? "(?:\(text))\(quantifier)" : text + quantifier
    }
    return text
  }

  private static func escaped(_ word: String) -> String {
    word.reduce(into: "") { text, character in
      if "^$.|?*+()[]{}\\/".contains(character) { text += "\\" }
      text.append(character)
    }
  }

  // MARK: - Rules

  /// A whole set: rules, guards, markers, changes.
  mutating func ruleSet() -> String {
    var text = "SecRuleEngine On\nSecRequestBodyAccess On\n"
    if chance(30) {
      text += "SecDefaultAction \"phase:2,log,\(pick(["pass", "deny"])),t:\(pick(Self.transformations))\"\n"
    }
    if chance(30) { text += "SecAction \"id:900,phase:1,pass,nolog,setvar:tx.s1=\(pick([0, 1, 2]))\"\n" }
    let count = Int.random(in: 4...30, using: &random)
    for index in 0..<count {
      if chance(8) { text += "SecMarker M\(index % 4)\n" }
      if chance(12) {
        let marker = "M\(Int.random(in: 0..<4, using: &random))"
        text += "SecRule TX:s1 \"@\(pick(["lt", "ge", "eq"])) \(pick([1, 2]))\" \"id:\(2000 + index),"
        text += "phase:\(pick([1, 2])),pass,nolog,skipAfter:\(marker)\"\n"
      }
      text += rule(1000 + index)
    }
    for index in 0..<4 { text += "SecMarker M\(index)\n" }
    if chance(20) {
      text += "SecRuleUpdateTargetById \(1000 + pick([0, 1, 2, 3])) \"\(pick(Self.exclusions))\"\n"
    }
    if chance(10) { text += "SecRuleRemoveById \(1000 + pick([0, 1, 2]))-\(1002 + pick([0, 1]))\n" }
    return text
  }

  private mutating func rule(_ id: Int) -> String {
    let links = chance(20) ? Int.random(in: 2...3, using: &random) : 1
    var text = ""
    for number in 0..<links {
      var actions: [String] = []
      if number == 0 {
        actions += ["id:\(id)", "phase:\(pick([1, 2, 2]))", disruption()]
        if chance(15) { actions.append("nolog") }
        if chance(50) { actions.append("tag:'t\(pick([0, 1, 2]))'") }
        if chance(50) { actions.append("msg:'%{MATCHED_VAR_NAME} %{TX.0} %{TX.1} %{tx.s1}'") }
        if chance(30) { actions.append("logdata:'%{MATCHED_VAR} %{ARGS.a} %{ARGS:/^B/}'") }
        if chance(30) { actions.append("severity:\(pick(["CRITICAL", "NOTICE"]))") }
        if chance(6) { actions.append("skip:\(pick([1, 2, 5]))") }
        if chance(6) { actions.append("skipAfter:M\(pick([0, 1, 2, 3]))") }
      }
      if chance(60) { actions.append("t:none") }
      for _ in 0..<pick([0, 0, 1, 1, 2, 3]) { actions.append("t:\(pick(Self.transformations))") }
      if chance(40) { actions.append("capture") }
      if chance(12) { actions.append("multiMatch") }
      if chance(40) {
        actions.append("setvar:'tx.\(pick(["s1=+1", "s2=+%{tx.s1}", "s1=-1", "s2=%{TX.0}"]))'")
      }
      if chance(15) { actions.append("setvar:'tx.k_%{MATCHED_VAR_NAME}=%{MATCHED_VAR}'") }
      if chance(8) { actions.append(control()) }
      if number < links - 1 { actions.append("chain") }
      text +=
        "SecRule \(targetList(isFirst: number == 0)) \"\(operation())\" \"\(actions.joined(separator: ","))\"\n"
    }
    return text
  }

  private mutating func disruption() -> String {
    chance(85) ? "pass" : pick(["deny,status:406", "block", "allow:phase", "allow", "allow:request", "drop"])
  }

  private mutating func control() -> String {
    pick([
      "ctl:ruleRemoveById=\(1000 + pick([3, 5, 8, 13]))", "ctl:ruleRemoveById=1004-1008",
      "ctl:ruleRemoveByTag=t1", "ctl:ruleRemoveTargetById=\(1000 + pick([3, 5, 8, 13]));ARGS:a",
      "ctl:ruleRemoveTargetByTag=t0;ARGS:b", "ctl:ruleRemoveTargetById=2000-2030;TX:s1",
      "ctl:ruleEngine=DetectionOnly", "ctl:requestBodyProcessor=\(pick(["JSON", "XML", "URLENCODED"]))",
      "ctl:ruleRemoveTargetByTag=t2;REQUEST_COOKIES", "ctl:forceRequestBodyVariable=On",
    ])
  }

  private mutating func targetList(isFirst: Bool) -> String {
    var list = (0..<pick([1, 1, 1, 2, 3])).map { _ in pick(Self.targets) }
    if !isFirst, chance(40) {
      list = [pick(["MATCHED_VAR", "MATCHED_VARS", "MATCHED_VARS_NAMES", "TX:1", "TX:0"])]
    }
    if chance(20) { list.append(pick(Self.exclusions)) }
    return list.joined(separator: "|")
  }

  private mutating func operation() -> String {
    let sign = chance(12) ? "!" : ""
    let text: String
    switch Int.random(in: 0..<16, using: &random) {
    case 0...6: text = "@rx \(pattern())"
    case 7:
      text =
        "@pm \((0..<pick([1, 2, 4])).map { _ in pick(["select", "abc", "42", "etc", "x1", "--"]) }.joined(separator: " "))"
    case 8: text = "@contains \(pick(["e", "42", "sel", "b>"]))"
    case 9: text = "@streq \(pick(["abc", "42", "select", "URLENCODED", "JSON"]))"
    case 10: text = "@within \(pick(["abcdef 42 select", "x1,42", "GET POST"]))"
    case 11: text = "@beginsWith \(pick(["a", "sel", "4", "/"]))"
    case 12: text = "@endsWith \(pick(["c", "t", "2", "1"]))"
    case 13: text = "@validateByteRange \(pick(["32-126", "48-57,97-122", "1-255"]))"
    case 14: text = pick(["@detectSQLi", "@detectXSS", "@gt 1", "@eq 2", "@lt 3", "@ge 1"])
    default:
      text = pick([
        "@contains %{tx.s1}", "@streq %{TX.0}", "@within %{ARGS.a}", "@rx %{tx.s1}", "@eq %{tx.s2}",
      ])
    }
    return (sign + text).replacingQuotes
  }

  // MARK: - Requests

  mutating func request(_ number: Int) -> TestRequest {
    var request = TestRequest(id: "r\(number)", uri: "/\(pick(["", "a/../b", "x.php", "%2e%2e/etc"]))")
    request.headers = [
      .init("Host", "h"), .init("User-Agent", value()), .init("Cookie", "sid=\(value()); s2=\(value())"),
    ]
    if chance(85) { request.uri += Array("?".utf8) + arguments() }
    if chance(50) {
      request.method = Array("POST".utf8)
      switch Int.random(in: 0..<4, using: &random) {
      case 0:
        request.headers.append(.init("Content-Type", "application/json"))
        request.body = Array(
          "{\"a\":\"\(pick(["abc", "select 42", "union"]))\",\"b\":[1,{\"q\":\"x1\"}]}".utf8)
      case 1:
        request.headers.append(.init("Content-Type", "multipart/form-data; boundary=x"))
        request.body = Array(
          "--x\r\nContent-Disposition: form-data; name=\"q\"\r\n\r\n\(value())\r\n--x--\r\n".utf8)
      case 2: request.body = Array(value().utf8)
      default:
        request.headers.append(.init("Content-Type", "application/x-www-form-urlencoded"))
        request.body = arguments()
      }
    }
    return request
  }

  private mutating func value() -> String {
    (0..<pick([0, 1, 1, 2, 3, 5])).map { _ in pick(Self.words) }.joined(
      separator: pick(["", " ", "+", "/*x*/"]))
  }

  private mutating func arguments() -> [UInt8] {
    var text: [UInt8] = []
    for _ in 0..<pick([1, 2, 3, 6]) {
      text += Array("\(pick(["a", "b", "q", "A", "list", "select"]))=".utf8)
      let value = Array(value().utf8)
      text += chance(70) ? TestRequest.percentEncoded(value) : value
      text += Array("&".utf8)
    }
    return text
  }
}

extension String {
  /// `"` as SecLang has it within a quoted argument.
  fileprivate var replacingQuotes: String {
    reduce(into: "") { text, character in text += character == "\"" ? "\\\"" : String(character) }
  }
}
