// Policies from a few lines of SecLang, and what is wrong with such lines.

import Firewall

enum RuleText {
  static func source(_ text: String, quoting: Quoting = .libmodsecurity) -> RuleSource {
    RuleSource(text: Array(text.utf8), file: "a.conf", quoting: quoting, loader: MemoryLoader(files: [:]))
  }

  static func policy(_ text: String, options: PolicyOptions = PolicyOptions()) throws -> Policy {
    let source = source(text)
    guard source.faults.isEmpty else { throw RuleFaults(source.faults) }
    return try Policy.compile(source.directives, options: options)
  }

  /// What the compiler says is wrong; empty where nothing is.
  static func faults(_ text: String) -> [String] {
    do {
      _ = try policy(text)
      return []
    } catch let faults as RuleFaults {
      return faults.faults.map(\.description)
    } catch {
      return ["\(error)"]
    }
  }

  /// Ids of all rules that matched a request, in order.
  static func matches(
    _ text: String, _ uri: String = "/?a=1", headers: [TestRequest.Header] = [], isEnforcing: Bool = false
  ) throws -> [Int] {
    var run = EngineRun(policy: try policy(text), isEnforcing: isEnforcing, keepsAllMatches: true)
    return run.outcome(of: TestRequest(id: "t", uri: uri, headers: headers)).matches.map(\.rule)
  }
}
