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
  /// Of each file's rules what they come to where there are resources and none that they can look at; nil = that hangs on
  /// more than that.
  private let idle: [[RuleStatus?]]
  private let context: Template.Context
  private let parameters: InputParameters
  private let limits: CheckLimits
  private let now: Int64
  /// The catalogue of services that inputs are held against; nil = none.
  public var catalogue: CatalogueGate?
  /// What was approved all the same; nil = nothing.
  public var exceptions: Exceptions?

  /// Names of the parameters that the templates have that were looked at.
  private let declared = DeclaredNames()

  private static var mostSmallBytes: Int { 256 << 10 }
  private static var window: Int { 32 }

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
    let reach = rules.files.map(\.reaches)
    self.reach = reach
    idle = zip(rules.files, reach).map { Self.idle($0, $1, now: now) }
  }

  /// Most rules have nothing to look at in most inputs: what they say then is asked once. (RuleReach: whatever resources of
  /// other types there are changes nothing.)
  private static func idle(_ file: RuleFile, _ reach: [RuleReach], now: Int64) -> [RuleStatus?] {
    let open = reach.indices.filter {
      reach[$0].types != nil && !reach[$0].looksElsewhere && !reach[$0].asksTime
    }
    var out = [RuleStatus?](repeating: nil, count: reach.count)
    guard !open.isEmpty else { return out }
    let nothing = PreparedDocument([ShapedResource.nothing].document)
    for (number, result) in zip(open, file.evaluate(nothing, rules: open, now: now)) {
      // What is found in nothing has a place in it.
      guard case .success(let rule) = result, rule.failures.isEmpty, !rule.hasUnknown, rule.lacks.isEmpty
      else {
        continue
      }
      out[number] = rule.status
    }
    return out
  }

  /// Looks at all files, and those within folders.
  /// - Parameter tell: takes the findings whenever there are more than are kept; nil = those beyond are counted only.
  /// - Throws: `GovernanceFaults` where there is nothing to look at.
  public func run(
    _ paths: [String], tell: ((inout CheckResult) -> Void)? = nil
  ) throws(GovernanceFaults) -> CheckResult {
    let (names, unread, passedOver, unreadPaths) = FileList.readable(paths, endings: InputFile.endings)
    guard !names.isEmpty else {
      let none =
        "\(paths.joined(separator: ", ")): no input; wanted "
        + Self.wantedNames
      throw GovernanceFaults(rules.faults + (unread.isEmpty ? [none] : unread))
    }
    var result = CheckResult()
    result.faults = rules.faults + unread
    result.unread = unreadPaths
    if !passedOver.isEmpty {
      let some = passedOver.prefix(3).joined(separator: ", ") + (passedOver.count > 3 ? ", …" : "")
      let what = passedOver.count == 1 ? "1 file was" : "\(passedOver.count) files were"
      result.notes.append("\(what) passed over by name: \(some); wanted \(Self.wantedNames)")
    }
    let force = exceptions.map { ExceptionsInForce($0, now: now) }
    let bound = FindingBound(most: limits.keptFindingCount, exceptions: force, tell: tell)
    var waiting: [String] = []
    func lookAtWaiting() {
      for each in lookBeside(waiting, force) {
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
    force?.finish(&result)
    // One that can't be read may have it.
    if result.faults.isEmpty { result.faults += unusedParameters() }
    return result
  }

  private static var wantedNames: String {
    InputFile.endings.sorted().map { "*.\($0)" }.joined(separator: ", ")
  }

  /// Parameters that are given and that no template has.
  private func unusedParameters() -> [String] {
    let known = declared.all
    return context.parameters.keys.filter { !known.contains($0) }.sorted().map { name in
      let wanted = known.isEmpty ? "a template with parameters" : known.sorted().joined(separator: ", ")
      return "parameter \(name): no template has it; wanted \(wanted)"
    }
  }

  /// Looks at small inputs, several at once.
  private func lookBeside(_ names: [String], _ exceptions: ExceptionsInForce?) -> [CheckResult] {
    let next = Atomic(0)
    let results = Mutex([CheckResult](repeating: CheckResult(), count: names.count))
    let workers = min(limits.mostAtOnce, names.count, ProcessInfo.processInfo.activeProcessorCount)
    DispatchQueue.concurrentPerform(iterations: max(1, workers)) { _ in
      // All of them: they are few, and where they go is settled in the order of the inputs.
      let bound = FindingBound(most: .max, exceptions: exceptions, tell: nil)
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
    let before = (results: result.results.count, faults: result.faults.count)
    read(name, &result, bound)
    if result.faults.count > before.faults, result.results.count == before.results {
      result.unread.append(name)
    }
  }

  private func read(_ name: String, _ result: inout CheckResult, _ bound: FindingBound) {
    do {
      let file = try MappedFile(name)
      let kind = try InputFile.kind(of: file)
      switch kind {
      case .plan where catalogue != nil, .items where catalogue != nil:
        // Services, roles and regions are looked at together.
        do {
          look(at: try InputFile.shaped(file, kind, context, mostBytes: limits.keptBytes), &result)
          bound.hold(&result)
        } catch let fault as DocumentFault {
          // Without the catalogue something can be said all the same.
          let before = result.faults.count
          var streamed = StreamedCheck(rules, reach, parameters, limits, now: now, path: name, kind: kind)
          streamed.run(file, &result, bound)
          if result.faults.count == before { result.faults.append("\(name):\(fault)") }
        }
      case .plan, .items:
        var streamed = StreamedCheck(
          rules, reach, parameters, limits, now: now, path: name, kind: kind)
        streamed.run(file, &result, bound)
      case .template, .document:
        let input = try InputFile.whole(file, context, mostBytes: limits.keptBytes)
        if input.kind == .template { declared.add(Template.parameters(of: input.document)) }
        look(at: input, &result)
        bound.hold(&result)
      }
    } catch let fault as FileFault {
      result.faults.append(fault.description)
    } catch { result.faults.append("\(name):\(error)") }
  }

  /// Looks at one input as a whole.
  public func look(at input: InputFile, _ result: inout CheckResult) {
    let document: PreparedDocument
    do throws(DocumentFault) {
      let never = input.kind == .template ? Template.neverMade : []
      document = PreparedDocument(try parameters.added(to: input.document), never: never)
    } catch {
      result.faults.append("\(input.path):\(error)")
      return
    }
    result.inputs += 1
    let first = result.results.count
    var index: ResourceIndex?
    var faults: [String] = []
    var told: Set<String> = []
    for (place, file) in rules.files.enumerated() {
      let open = file.rules.indices.filter { number in
        guard idle[place][number] != nil, let types = reach[place][number].types else { return true }
        return !document.hasOnlyOthers(than: types)
      }
      let results = open.isEmpty ? [] : file.evaluate(document, rules: open, now: now)
      var next = 0
      for (number, rule) in file.rules.enumerated() {
        guard next < open.count, open[next] == number else {
          if let status = idle[place][number] {
            result.results.append(
              CheckResult.RuleOnInput(rule: rule.name, ruleFile: file.name, input: input.path, status: status)
            )
          }
          continue
        }
        next += 1
        switch results[next - 1] {
        case .failure(let fault):
          let text = "\(input.path): \(fault)"
          if told.insert(text).inserted { faults.append(text) }
        case .success(let rule):
          result.results.append(
            CheckResult.RuleOnInput(
              rule: rule.name, ruleFile: file.name, input: input.path, status: rule.status,
              hasUnknown: rule.hasUnknown, isLacking: !rule.lacks.isEmpty))
          guard !rule.failures.isEmpty else { continue }
          let known = index ?? ResourceIndex(input.document)
          index = known
          result.findings += rule.failures.map { Finding($0, file, input, known) }
        }
      }
    }
    result.faults += faults
    catalogue?.look(
      at: input.withoutSecrets, region: context.pseudo["AWS::Region"], now: now,
      evaluated: result.results[first...], &result)
    result.findings += input.shapeless.map { Finding(shapeless: $0, in: input) }
  }
}

/// Names that are gathered from several threads.
private final class DeclaredNames: Sendable {
  private let names = Mutex<Set<String>>([])

  func add(_ more: [String]) { names.withLock { $0.formUnion(more) } }

  var all: Set<String> { names.withLock { $0 } }
}
