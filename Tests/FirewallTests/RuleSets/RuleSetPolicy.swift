// Policies of the published rule sets, set up as their tests assume. Each is compiled once a run and shared by suites.

import Dispatch
import Firewall
import Synchronization

/// How a policy's rules are asked: three ways that must say the same.
enum Evaluation: Sendable, CaseIterable {
  /// Values scanned ahead through databases.
  case fast
  /// Scanned ahead, PCRE2 in the databases' place: what a first start does.
  case withoutDatabases
  /// Every rule in its turn.
  case plain

  var options: PolicyOptions {
    var options = PolicyOptions()
    options.scans = self != .plain
    options.databases = self == .fast ? .build : .leaveOut
    if self == .fast { options.cache = TestDatabases.shared }
    options.concurrently = { count, body in DispatchQueue.concurrentPerform(iterations: count, execute: body)
    }
    return options
  }
}

enum RuleSetPolicy {
  /// False as long as rules can't be compiled: the runs of whole rule sets are skipped then.
  static let isAvailable = true

  /// A policy of what was read.
  static func make(
    _ directives: [DirectiveSyntax], faults: [RuleFault], loader: DiskLoader = DiskLoader(),
    _ evaluation: Evaluation = .fast
  ) throws -> Policy {
    guard faults.isEmpty else { throw RuleFaults(faults) }
    var options = evaluation.options
    options.file = { try loader.bytes(path: $0) }
    return try Policy.compile(directives, options: options)
  }

  /// Text of our own, then files.
  static func make(
    _ text: String, including paths: [String], quoting: Quoting = .libmodsecurity,
    _ evaluation: Evaluation = .fast
  ) throws -> Policy {
    let key = "\(evaluation) \(quoting) \(paths) \(text)"
    if let made = made.withLock({ $0[key] }) { return made }
    let policy = try compile(text, including: paths, quoting: quoting, evaluation)
    made.withLock { $0[key] = policy }
    return policy
  }

  private static let made = Mutex<[String: Policy]>([:])

  private static func compile(
    _ text: String, including paths: [String], quoting: Quoting, _ evaluation: Evaluation
  ) throws -> Policy {
    let includes = paths.map { "Include \"\($0)\"\n" }.joined()
    let source = RuleSource(
      text: Array((text + "\n" + includes).utf8), file: "set-up.conf", quoting: quoting, loader: DiskLoader())
    return try make(source.directives, faults: source.faults, evaluation)
  }

  /// What modsecurity.conf-recommended says, as far as these tests need it.
  private static let recommended = #"""
    SecRuleEngine DetectionOnly
    SecRequestBodyAccess On
    SecRequestBodyLimit 13107200
    SecRequestBodyNoFilesLimit 131072
    SecRequestBodyLimitAction Reject
    SecResponseBodyAccess On
    SecResponseBodyMimeType text/plain text/html text/xml
    SecRule REQUEST_HEADERS:Content-Type "^(?:application(?:/soap\+|/)|text/)xml" \
      "id:200000,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
    SecRule REQUEST_HEADERS:Content-Type "^application/json" \
      "id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"

    """#

  /// What the README of the rule set's tests asks for: all levels, and limits so low that the size rules fire.
  private static let forTests = #"""
    SecAction "id:900005,phase:1,nolog,pass,ctl:ruleEngine=DetectionOnly,ctl:ruleRemoveById=910000,\
      setvar:tx.paranoia_level=4,setvar:tx.crs_validate_utf8_encoding=1,\
      setvar:tx.arg_name_length=100,setvar:tx.arg_length=400,setvar:tx.combined_file_sizes=65535"
    """#

  static func coreRuleSet3ForTests(
    quoting: Quoting = .libmodsecurity, _ evaluation: Evaluation = .fast
  ) throws -> Policy {
    try make(
      recommended + forTests, including: FirewallData.ruleFiles("crs-3.3"), quoting: quoting, evaluation)
  }

  /// The rules of Debian's package; its set-up file is the rule set's own example.
  static func debiansRulesForTests(quoting: Quoting) throws -> Policy {
    try make(
      recommended + forTests,
      including: [
        FirewallData.folder + "/crs-3.3/crs-setup.conf.example", FirewallData.debianRules + "/*.conf",
      ],
      quoting: quoting)
  }

  /// A rule set ("crs-3.3", "crs-4") whose paranoia level a request chooses itself, in its header X-Level: one policy for
  /// all levels.
  static func levelByRequest(_ ruleSet: String, _ evaluation: Evaluation) throws -> Policy {
    let name = ruleSet == "crs-4" ? "blocking_paranoia_level" : "paranoia_level"
    return try make(
      recommended
        + "SecRule REQUEST_HEADERS:X-Level \"@rx ^[1-4]$\""
        + " \"id:900000,phase:1,nolog,pass,capture,setvar:tx.\(name)=%{TX.0}\"",
      including: FirewallData.ruleFiles(ruleSet), evaluation)
  }

  static func coreRuleSet3(paranoiaLevel: Int, _ evaluation: Evaluation = .fast) throws -> Policy {
    try make(
      recommended + "SecAction \"id:900000,phase:1,nolog,pass,setvar:tx.paranoia_level=\(paranoiaLevel)\"",
      including: FirewallData.ruleFiles("crs-3.3"), evaluation)
  }

  static func coreRuleSet4(paranoiaLevel: Int, _ evaluation: Evaluation = .fast) throws -> Policy {
    try make(
      recommended
        + "SecAction \"id:900000,phase:1,nolog,pass,setvar:tx.blocking_paranoia_level=\(paranoiaLevel)\"",
      including: FirewallData.ruleFiles("crs-4"), evaluation)
  }
}
