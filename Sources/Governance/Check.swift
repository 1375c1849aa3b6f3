// Rules against inputs: every rule of every file on every input; a fault of one input or rule never hides the rest. Small
// inputs are looked at beside each other, large ones alone; what comes of them is in the order of the inputs.

import Dispatch
import Foundation
import GuardRules
public import Resources
import Synchronization

/// See the head of this file.
public struct Check: Sendable {
  private let rules: RuleSet
  private let reach: [[RuleReach]]
  private let context: Template.Context
  private let parameters: InputParameters
  private let limits: CheckLimits
  private let now: Int64

  private static var mostSmallBytes: Int { 256 << 10 }
  private static var window: Int { 64 }

  /// A check that is ready to run.
  /// - Parameters:
  ///   - context: what is known of a template's deployment.
  ///   - parameters: what is put beside the members of every input.
  ///   - now: seconds since 1970 UTC, for the rules' function `now`.
  public init(
    _ rules: RuleSet, context: Template.Context = Template.Context(), parameters: InputParameters = .none,
    limits: CheckLimits = CheckLimits(), now: Int64
  ) {
    self.rules = rules
    self.context = context
    self.parameters = parameters
    self.limits = limits
    self.now = now
    reach = rules.files.map(\.reach)
  }

  /// Looks at all files, and those within folders.
  /// - Parameter tell: takes the findings whenever there are more than are kept; nil = those beyond are counted only.
  /// - Throws: `GovernanceFaults` where there is nothing to look at.
  public func run(
    _ paths: [String], tell: ((inout CheckResult) -> Void)? = nil
  ) throws(GovernanceFaults) -> CheckResult {
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
    let bound = FindingBound(most: limits.keptFindingCount, tell: tell)
    var waiting: [String] = []
    func lookAtWaiting() {
      for each in lookBeside(waiting) {
        result.append(each)
        bound.hold(&result)
      }
      waiting = []
    }
    for name in names {
      if FileList.size(name).map({ $0 <= Self.mostSmallBytes }) ?? false {
        waiting.append(name)
        if waiting.count == Self.window { lookAtWaiting() }
      } else {
        lookAtWaiting()
        look(at: name, &result, bound)
      }
    }
    lookAtWaiting()
    return result
  }

  /// Looks at small inputs, several at once.
  private func lookBeside(_ names: [String]) -> [CheckResult] {
    let next = Atomic(0)
    let results = Mutex([CheckResult](repeating: CheckResult(), count: names.count))
    let workers = min(limits.mostAtOnce, names.count, ProcessInfo.processInfo.activeProcessorCount)
    DispatchQueue.concurrentPerform(iterations: max(1, workers)) { _ in
      let bound = FindingBound(most: limits.keptFindingCount, tell: nil)
      while true {
        let place = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard place < names.count else { return }
        var own = CheckResult()
        look(at: names[place], &own, bound)
        results.withLock { $0[place] = own }
      }
    }
    return results.withLock { $0 }
  }

  private func look(at name: String, _ result: inout CheckResult, _ bound: FindingBound) {
    do {
      let file = try MappedFile(name)
      let kind = try InputFile.kind(of: file)
      switch kind {
      case .plan, .items:
        var streamed = StreamedCheck(
          rules, reach, parameters, limits, now: now, path: name, kind: kind)
        streamed.run(file, &result, bound)
      case .template, .document:
        look(at: try InputFile.whole(file, context, mostBytes: limits.keptBytes), &result)
        bound.hold(&result)
      }
    } catch let fault as FileFault {
      result.faults.append(fault.description)
    } catch { result.faults.append("\(name):\(error)") }
  }

  /// Looks at one input as a whole.
  public func look(at input: InputFile, _ result: inout CheckResult) {
    let document: PreparedDocument
    do throws(DocumentFault) { document = PreparedDocument(try parameters.added(to: input.document)) } catch {
      result.faults.append("\(input.path):\(error)")
      return
    }
    result.inputs += 1
    var index: ResourceIndex?
    var faults: [String] = []
    var told: Set<String> = []
    for file in rules.files {
      for each in file.evaluate(document, rules: Array(file.rules.indices), now: now) {
        switch each {
        case .failure(let fault):
          let text = "\(input.path): \(fault)"
          if told.insert(text).inserted { faults.append(text) }
        case .success(let rule):
          result.results.append(
            CheckResult.RuleOnInput(
              rule: rule.name, ruleFile: file.name, input: input.path, status: rule.status))
          guard !rule.failures.isEmpty else { continue }
          let known = index ?? ResourceIndex(input.document)
          index = known
          result.findings += rule.failures.map { Finding($0, file, input, known) }
        }
      }
    }
    result.faults += faults
    result.findings += input.shapeless.map { Finding(shapeless: $0, in: input) }
  }
}
