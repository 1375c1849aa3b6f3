// Files of rules and their tests, found as the registry lays them out: `X.guard` with `tests/X_tests.yml`, or
// `X-tests.yaml` beside it. A file of tests that belongs to no file by name belongs to the one that has its rules.

import Foundation
import GuardRules

/// See the head of this file.
public struct RuleTesting: Sendable {
  /// What came of an expectation.
  public struct Case: Sendable, Encodable {
    /// The file of tests.
    public let file: String
    /// The file of rules.
    public let ruleFile: String
    /// Line of the case.
    public let line: Int
    /// Its name; empty = it has none.
    public let name: String
    /// The rule.
    public let rule: String
    /// What was expected.
    public let expected: String
    /// What came; empty = the file has no such rule.
    public let found: [String]
    /// Whether it is as expected.
    public let passed: Bool
    /// Why the case couldn't be evaluated; nil = it could.
    public let fault: String?

    enum CodingKeys: String, CodingKey {
      case file, line, name, rule, expected, found, passed, fault
      case ruleFile = "rule_file"
    }
  }

  /// Every expectation.
  public private(set) var cases: [Case] = []
  /// Files that can't be read, and tests without rules.
  public private(set) var faults: [String] = []
  /// Files of rules without tests.
  public private(set) var untested: [String] = []

  /// Expectations of rules that their file hasn't: a misspelt name, most often. The language passes over them; here they
  /// aren't met.
  public var unmatched: [String] {
    cases.filter { $0.found.isEmpty && $0.fault == nil }.map {
      "\($0.file):\($0.line): \($0.rule) is no rule of \($0.ruleFile): nothing was tested by this expectation"
    }
  }

  /// Runs all tests of some folders or files.
  /// - Throws: `GovernanceFaults` where there are none.
  public init(_ paths: [String], now: Int64) throws(GovernanceFaults) {
    let (ruleNames, all): ([String], [String])
    do throws(FileFault) {
      ruleNames = try FileList.files(paths, endings: RuleSet.endings)
      all = try FileList.files(paths, endings: ["yml", "yaml", "json"])
    } catch { throw GovernanceFaults([error.description]) }
    let testNames = all.filter { Self.stem(ofTests: $0) != nil }
    guard !testNames.isEmpty else {
      throw GovernanceFaults([
        "\(paths.joined(separator: ", ")): no tests; wanted tests/X_tests.yml or X-tests.yaml beside X.guard"
      ])
    }
    var rules: [String: RuleFile] = [:]
    for name in ruleNames where RuleSet.endings.contains((name as NSString).pathExtension) {
      do { rules[name] = try RuleFile(try FileList.text(name), name: name) } catch let fault as RuleFaults {
        faults += fault.all.map(\.description)
      } catch { faults.append("\(error)") }
    }
    var tested: Set<String> = []
    for name in testNames {
      do {
        let tests = try RuleTest.reading(try FileList.text(name))
        guard let file = Self.rules(for: name, tests, rules, of: ruleNames) else {
          faults.append(
            "\(name): no file of rules goes with it; wanted \(Self.stem(ofTests: name) ?? "").guard")
          continue
        }
        tested.insert(file.name)
        for test in tests { run(test, file, name, now) }
      } catch let fault as DocumentFault {
        faults.append("\(name):\(fault)")
      } catch { faults.append("\(error)") }
    }
    untested = ruleNames.filter { !tested.contains($0) && rules[$0]?.isEmpty == false }
  }

  /// How many expectations were met.
  public var passed: Int { cases.count(where: \.passed) }
  /// How many weren't.
  public var failed: Int { cases.count - passed }

  private mutating func run(_ test: RuleTest, _ file: RuleFile, _ name: String, _ now: Int64) {
    func add(_ rule: String, _ expected: RuleStatus, _ found: [RuleStatus], _ passed: Bool, _ fault: String?)
    {
      cases.append(
        Case(
          file: name, ruleFile: file.name, line: Int(test.place.line), name: test.name, rule: rule,
          expected: expected.rawValue, found: found.map(\.rawValue), passed: passed, fault: fault))
    }
    do throws(EvaluationFault) {
      for outcome in try test.run(file, now: now) {
        add(outcome.rule, outcome.expected, outcome.found, outcome.isMet && !outcome.found.isEmpty, nil)
      }
    } catch {
      for (rule, expected) in test.expected { add(rule, expected, [], false, error.description) }
    }
  }

  // MARK: - Which belongs to which

  /// `tests/X_tests.yml` → `X`; nil = it isn't a file of tests.
  private static func stem(ofTests path: String) -> String? {
    let name = ((path as NSString).lastPathComponent as NSString).deletingPathExtension
    for end in ["_tests", "-tests", "_test", "-test"] where name.hasSuffix(end) {
      return String(name.dropLast(end.count)).trimmingCharacters(in: .whitespaces)
    }
    return nil
  }

  /// - Parameter all: names of all files of rules, those that can't be read included.
  private static func rules(
    for path: String, _ tests: [RuleTest], _ rules: [String: RuleFile], of all: [String]
  ) -> RuleFile? {
    guard let stem = stem(ofTests: path) else { return nil }
    let folder = (path as NSString).deletingLastPathComponent
    let above = (folder as NSString).deletingLastPathComponent
    for place in [folder, above] {
      for ending in RuleSet.endings.sorted() {
        let name = (place as NSString).appendingPathComponent("\(stem).\(ending)")
        if let file = rules[name] { return file }
        // It has rules of its own, which are broken: others don't stand in for them.
        if all.contains(name) { return nil }
      }
    }
    let wanted = Set(tests.flatMap { $0.expected.map(\.rule) })
    let near = rules.values.filter {
      [folder, above].contains(($0.name as NSString).deletingLastPathComponent)
    }
    return near.sorted { $0.name < $1.name }.first { file in
      !wanted.isDisjoint(with: file.rules.map(\.name))
    }
  }
}
