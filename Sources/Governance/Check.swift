// Rules against inputs: every rule of every file on every input; a fault of one input or rule never hides the rest.

public import GuardRules
public import Resources

/// What came of a check.
public struct CheckResult: Sendable {
  /// A rule on an input.
  public struct RuleOnInput: Sendable {
    /// The rule's name.
    public let rule: String
    /// Its file.
    public let ruleFile: String
    /// The input's path.
    public let input: String
    /// What came of it.
    public let status: RuleStatus
    /// Whether it failed while other parts of it can't be told.
    public internal(set) var hidesUnknown = false
  }

  /// Every rule on every input.
  public internal(set) var results: [RuleOnInput] = []
  /// What failed or can't be told.
  public internal(set) var findings: [Finding] = []
  /// Inputs that couldn't be read, rules that couldn't be evaluated.
  public internal(set) var faults: [String] = []
  /// Inputs that were looked at.
  public internal(set) var inputs = 0
  /// Services whose own findings were all taken in, by input: `guardduty` of `aws:ACCOUNT/REGION`. Rules of theirs are
  /// named `guardduty:TYPE`; one that is no longer there is mended only where its service was asked and answered.
  public internal(set) var answered: [String: Set<String>] = [:]

  /// How many rules on inputs came to a status.
  public func count(_ status: RuleStatus) -> Int { results.count { $0.status == status } }

  /// All together: any failure, else any that can't be told, else any that passed.
  public var status: RuleStatus {
    if results.contains(where: { $0.status == .fail }) { return .fail }
    if !findings.isEmpty || results.contains(where: { $0.status == .unknown }) { return .unknown }
    return results.contains { $0.status == .pass } ? .pass : .skip
  }
}

/// See the head of this file.
public struct Check: Sendable {
  private let rules: RuleSet
  private let context: Template.Context
  private let now: Int64

  /// A check that is ready to run.
  /// - Parameters:
  ///   - context: what is known of a template's deployment.
  ///   - now: seconds since 1970 UTC, for the rules' function `now`.
  public init(_ rules: RuleSet, context: Template.Context = Template.Context(), now: Int64) {
    self.rules = rules
    self.context = context
    self.now = now
  }

  /// Looks at all files, and those within folders.
  /// - Throws: `GovernanceFaults` where there is nothing to look at.
  public func run(_ paths: [String]) throws(GovernanceFaults) -> CheckResult {
    let names: [String]
    do throws(FileFault) { names = try FileList.files(paths, endings: InputFile.endings) } catch {
      throw GovernanceFaults([error.description])
    }
    guard !names.isEmpty else {
      throw GovernanceFaults([
        "\(paths.joined(separator: ", ")): no input; wanted "
          + InputFile.endings.sorted().map { "*.\($0)" }.joined(separator: ", ")
      ])
    }
    var result = CheckResult()
    for name in names {
      do {
        look(at: try InputFile(name, context), &result)
      } catch let fault as FileFault {
        result.faults.append(fault.description)
      } catch { result.faults.append("\(name):\(error)") }
    }
    return result
  }

  /// Looks at one input.
  public func look(at input: InputFile, _ result: inout CheckResult) {
    result.inputs += 1
    var index: ResourceIndex?
    let document = PreparedDocument(input.document)
    for file in rules.files {
      do throws(EvaluationFault) {
        for rule in try file.evaluate(document, now: now) {
          result.results.append(
            CheckResult.RuleOnInput(
              rule: rule.name, ruleFile: file.name, input: input.path, status: rule.status,
              hidesUnknown: rule.hidesUnknown))
          guard !rule.failures.isEmpty else { continue }
          let known = index ?? ResourceIndex(input.document)
          index = known
          result.findings += rule.failures.map { Finding($0, file, input, known) }
        }
      } catch {
        result.faults.append("\(input.path): \(error)")
      }
    }
    result.findings += input.shapeless.map { Finding(shapeless: $0, in: input) }
  }
}
