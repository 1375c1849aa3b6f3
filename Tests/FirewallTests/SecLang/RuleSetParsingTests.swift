// The published rule sets are read without a fault, and hold exactly what was counted in them by other means.

import Firewall
import Testing

/// How often what occurs in a set of rules.
struct SyntaxCounts: Equatable {
  var rules = 0
  var withID = 0
  var chains = 0
  var markers = 0
  var actions = 0
  var defaults = 0
  var settings: [String: Int] = [:]
  var operators: [String: Int] = [:]
  var negated: [String: Int] = [:]
  var targets: [String: Int] = [:]
  var forms: [String: Int] = [:]
  var actionNames: [String: Int] = [:]
  var patterns: Set<String> = []

  init(_ directives: [DirectiveSyntax]) {
    var continuesChain = false
    for directive in directives {
      switch directive.kind {
      case .rule(let rule):
        rules += 1
        count(rule.actions)
        operators[rule.operation.name, default: 0] += 1
        if rule.operation.negated { negated[rule.operation.name, default: 0] += 1 }
        if rule.operation.name == "rx" { patterns.insert(rule.operation.argument) }
        for target in rule.targets { count(target) }
        let heads = rule.actions.contains { $0.name == "chain" }
        if heads, !continuesChain { chains += 1 }
        continuesChain = heads
      case .action(let list):
        actions += 1
        count(list)
      case .marker: markers += 1
      case .defaultAction(let list):
        defaults += 1
        for action in list { actionNames["default \(action.name)", default: 0] += 1 }
      case .setting(let name, _): settings[name, default: 0] += 1
      }
    }
  }

  private mutating func count(_ list: [ActionSyntax]) {
    for action in list { actionNames[action.name, default: 0] += 1 }
    if list.contains(where: { $0.name == "id" }) { withID += 1 }
  }

  private mutating func count(_ target: TargetSyntax) {
    targets[target.collection, default: 0] += 1
    let mode =
      switch target.mode {
      case .include: ""
      case .exclude: " !"
      case .count: " &"
      }
    let selector =
      switch target.selector {
      case .all: ""
      case .name: " :name"
      case .regex: " :/regex/"
      case .xpath(let path): " " + path
      }
    forms[target.collection + mode + selector, default: 0] += 1
  }
}

@Suite(.enabled(if: FirewallData.isThere, FirewallData.missing))
struct RuleSetParsingTests {
  static func counts(_ paths: [String]) -> (SyntaxCounts, [RuleFault]) {
    let source = RuleSource(paths: paths, loader: DiskLoader())
    return (SyntaxCounts(source.directives), source.faults)
  }

  @Test func coreRuleSet3HoldsWhatWasCounted() {
    let (counts, faults) = Self.counts(FirewallData.ruleFiles("crs-3.3"))
    #expect(faults.map(\.description) == [])
    #expect(counts.rules == 788)
    #expect(counts.actions == 10)
    #expect(counts.withID == 631)
    #expect(counts.chains == 116)
    #expect(counts.markers == 40)
    #expect(counts.defaults == 2)
    #expect(counts.settings == ["SecComponentSignature": 1, "SecCollectionTimeout": 1])
    #expect(
      counts.operators == [
        "rx": 265, "lt": 190, "eq": 124, "endsWith": 67, "ge": 22, "streq": 37, "pmFromFile": 19, "gt": 11,
        "contains": 20, "pm": 6, "within": 9, "validateByteRange": 6, "ipMatch": 3, "detectSQLi": 2,
        "detectXSS": 2, "validateUrlEncoding": 2, "validateUtf8Encoding": 1, "geoLookup": 1, "rbl": 1,
      ])
    #expect(
      counts.negated == [
        "rx": 18, "within": 6, "endsWith": 5, "eq": 4, "pm": 2, "streq": 2, "contains": 2, "lt": 1,
      ])
    #expect(
      counts.targets == [
        "TX": 312, "XML": 128, "REQUEST_COOKIES": 241, "ARGS": 195, "ARGS_NAMES": 127,
        "REQUEST_COOKIES_NAMES": 111, "REQUEST_HEADERS": 108, "REQUEST_FILENAME": 116, "RESPONSE_BODY": 29,
        "REQUEST_BODY": 17, "REQUEST_METHOD": 17, "REQUEST_URI": 21, "MATCHED_VARS": 3, "FILES": 5, "IP": 13,
        "REQUEST_LINE": 5, "REQUEST_BASENAME": 6, "MULTIPART_PART_HEADERS": 3, "REQUEST_URI_RAW": 1,
        "FILES_NAMES": 3, "REQBODY_PROCESSOR": 2, "REQUEST_HEADERS_NAMES": 3, "MATCHED_VAR": 2,
        "REMOTE_ADDR": 3, "ARGS_GET": 2, "REQUEST_PROTOCOL": 2, "RESPONSE_STATUS": 2, "ARGS_COMBINED_SIZE": 1,
        "ARGS_GET_NAMES": 1, "FILES_COMBINED_SIZE": 1, "QUERY_STRING": 1, "UNIQUE_ID": 1, "DURATION": 1,
        "GEO": 1, "MATCHED_VARS_NAMES": 1,
      ])
    #expect(counts.forms["REQUEST_COOKIES ! :/regex/"] == 124)
    #expect(counts.forms["XML /*"] == 118)
    #expect(counts.forms["XML //@*"] == 10)
    #expect(counts.forms["TX :/regex/"] == 3)
    #expect(counts.forms["TX & :/regex/"] == 4)
    #expect(counts.forms["ARGS & :name"] == 28)
    #expect(counts.forms["REQUEST_HEADERS ! :name"] == 6)
    #expect(
      counts.actionNames == [
        "tag": 1890, "t": 831, "id": 631, "phase": 631, "setvar": 542, "ver": 432, "pass": 394, "nolog": 379,
        "msg": 256, "severity": 244, "block": 230, "ctl": 537, "logdata": 225, "capture": 199,
        "skipAfter": 217, "chain": 167, "log": 23, "expirevar": 20, "noauditlog": 15, "multiMatch": 4,
        "deny": 5, "initcol": 2, "status": 2, "auditlog": 1, "drop": 2, "default phase": 2, "default log": 2,
        "default auditlog": 2, "default pass": 2,
      ])
    // One of the 242 holds a macro.
    #expect(counts.patterns.count == 242)
    #expect(counts.patterns.map(\.utf8.count).max() == 5940)
  }

  @Test func coreRuleSet4HoldsWhatWasCounted() {
    let (counts, faults) = Self.counts(FirewallData.ruleFiles("crs-4"))
    #expect(faults.map(\.description) == [])
    #expect(counts.rules == 693)
    #expect(counts.actions == 8)
    #expect(counts.withID == 628)
    #expect(counts.chains == 55)
    #expect(counts.markers == 30)
    #expect(counts.defaults == 5)
    #expect(counts.settings == ["SecComponentSignature": 1, "SecRuleUpdateTargetById": 55])
    #expect(
      counts.operators == [
        "rx": 314, "lt": 190, "eq": 55, "endsWith": 6, "ge": 42, "streq": 9, "pmFromFile": 21, "gt": 15,
        "contains": 4, "pm": 12, "within": 9, "validateByteRange": 6, "ipMatch": 2, "detectSQLi": 2,
        "detectXSS": 2, "validateUrlEncoding": 1, "validateUtf8Encoding": 1, "beginsWith": 1,
        "unconditionalMatch": 1,
      ])
    #expect(
      counts.targets == [
        "TX": 292, "XML": 348, "REQUEST_COOKIES": 165, "ARGS": 189, "ARGS_NAMES": 185,
        "REQUEST_COOKIES_NAMES": 163, "REQUEST_HEADERS": 164, "REQUEST_FILENAME": 61, "RESPONSE_BODY": 59,
        "REQUEST_BODY": 17, "REQUEST_METHOD": 8, "REQUEST_URI": 3, "MATCHED_VARS": 12, "FILES": 9,
        "REQUEST_LINE": 7, "REQUEST_BASENAME": 5, "MULTIPART_PART_HEADERS": 5, "REQUEST_URI_RAW": 7,
        "FILES_NAMES": 4, "REQBODY_PROCESSOR": 5, "RESPONSE_HEADERS": 7, "REQUEST_HEADERS_NAMES": 3,
        "MATCHED_VAR": 3, "REMOTE_ADDR": 2, "ARGS_GET": 2, "REQUEST_PROTOCOL": 2, "RESPONSE_STATUS": 2,
        "ARGS_COMBINED_SIZE": 1, "ARGS_GET_NAMES": 1, "FILES_COMBINED_SIZE": 1, "QUERY_STRING": 1,
        "UNIQUE_ID": 1, "REQUEST_BODY_LENGTH": 1,
      ])
    #expect(counts.forms["ARGS_NAMES ! :/regex/"] == 2)
    #expect(counts.forms["REQUEST_COOKIES :/regex/"] == 1)
    #expect(counts.forms["XML //@*"] == 174)
    #expect(counts.forms["MULTIPART_PART_HEADERS &"] == 1)
    #expect(
      counts.actionNames == [
        "tag": 3061, "t": 833, "id": 628, "phase": 628, "setvar": 679, "ver": 628, "pass": 281, "nolog": 279,
        "msg": 351, "severity": 342, "block": 341, "ctl": 18, "logdata": 327, "capture": 275,
        "skipAfter": 206, "chain": 73, "log": 8, "noauditlog": 5, "multiMatch": 8, "deny": 6, "initcol": 2,
        "status": 2, "auditlog": 1, "skip": 1, "default phase": 5, "default log": 5, "default auditlog": 5,
        "default pass": 5,
      ])
    #expect(counts.patterns.count == 291)
    #expect(counts.patterns.map(\.utf8.count).max() == 12106)
  }

  @Test(.enabled(if: FirewallData.hasDebianRules, "package modsecurity-crs isn't installed"))
  func debiansRulesAreReadThroughAPattern() {
    let source = RuleSource(
      text: Array(
        "<IfModule security2_module>\nInclude \(FirewallData.debianRules)/*.conf\n</IfModule>\n".utf8),
      file: "security2.conf", loader: DiskLoader())
    #expect(source.faults.map(\.description) == [])
    #expect(source.files.count == 33)
    #expect(source.files == source.files.prefix(1) + source.files.dropFirst().sorted())
    let counts = SyntaxCounts(source.directives)
    // The same as v3.3.4 but for 920620 and the helpers 922140 and 922150, and without crs-setup.conf.
    #expect(counts.withID == 633)
    #expect(counts.markers == 40)
  }
}

@Suite(.enabled(if: FirewallData.isThere, FirewallData.missing))
struct RegressionRulesParsingTests {
  /// Expected parser errors that show in the syntax already; the others are for the compiler.
  static let faultyInSyntax: Set = [
    "action-id.json: Testing Action :: id (5/6)", "config-include-bad.json: Include - bad rule",
    "config-include-bad.json: Include - missing file",
    "config-include-bad.json: Include - missing at include",
    "config-include.json: Include (7/8)",
    "issue-1941.json: Failed to load locate the unicode map file from: ... 2/n",
  ]

  @Test func rulesOfRegressionTestsAreReadOrTheirErrorIsExpected() throws {
    let cases = try ModSecurityCase.all()
    #expect(cases.count == 656)
    #expect(cases.count { $0.expected.parserError != nil } == 28)
    var faulty: Set<String> = []
    for test in cases {
      let source = RuleSource(text: Array(test.rules.utf8), file: test.file, loader: ModSecurityCase.loader)
      guard !source.faults.isEmpty else { continue }
      #expect(
        test.expected.parserError != nil || ModSecurityCase.unclosed.contains(test.name),
        "\(test.name): \(source.faults)")
      faulty.insert(test.name)
    }
    #expect(faulty == Self.faultyInSyntax.union(ModSecurityCase.unclosed))
  }
}
