// Rules on a plan or on configuration items, a few resources at a time. Rules that look at resources one by one are evaluated
// on each few and their verdicts put together (GuardRules, Distribution.swift); what the other rules can look at is kept,
// by type, and they are evaluated at the end. So memory is bounded by `CheckLimits`, whatever the size of the input, and a
// rule that would need more is told as a fault. Resources that no rule can look at aren't read, only passed over.
//
// Findings are in the order of the resources, each resource's in the order of the rules; then those of rules that look at
// several resources. How many resources are looked at together changes nothing.

import GuardRules
import Resources

struct StreamedCheck {
  /// What is known of a rule so far.
  private struct Progress {
    var status = RuleStatus.skip
    /// Clauses of it can't be told, whatever it came to.
    var hasUnknown = false
    /// It looked for something outermost that isn't there.
    var isLacking = false
    /// It couldn't be evaluated: nothing more is said of it.
    var isFaulty = false
  }

  private let rules: RuleSet
  private let reach: [[RuleReach]]
  private let parameters: InputParameters
  private let limits: CheckLimits
  private let now: Int64
  private let path: String
  private let kind: InputFile.Kind

  private var progress: [[Progress]]
  private var faults: [String] = []
  private var toldFaults: Set<String> = []
  private var batch: [ShapedResource] = []
  private var batchBytes = 0
  private var batches = 0
  /// What rules that don't distribute look at; `keptTypes`: nil = any.
  private var kept: [ShapedResource] = []
  private var keptBytes = 0
  private let keptTypes: Set<String>?
  private let keeps: Bool
  private var hasKeptTooMuch = false

  init(
    _ rules: RuleSet, _ reach: [[RuleReach]], _ parameters: InputParameters, _ limits: CheckLimits,
    now: Int64,
    path: String, kind: InputFile.Kind
  ) {
    (self.rules, self.reach, self.parameters, self.limits) = (rules, reach, parameters, limits)
    (self.now, self.path, self.kind) = (now, path, kind)
    progress = rules.files.map { [Progress](repeating: Progress(), count: $0.rules.count) }
    let whole = reach.joined().filter { !$0.distributes }
    keptTypes = whole.map(\.types).union
    keeps = !whole.isEmpty
  }

  /// - Parameter bound: where findings go when there are too many.
  mutating func run(_ file: MappedFile, _ result: inout CheckResult, _ bound: FindingBound) {
    do throws(DocumentFault) { _ = try parameters.added(to: Self.document([])) } catch {
      result.faults.append("\(path):\(error)")
      return
    }
    result.inputs += 1
    let wanted = reach.joined().map(\.types).union
    let reading = ReadingLimits(mostBytes: limits.partBytes, passed: { file.forget(before: $0) })
    do throws(DocumentFault) {
      let count: Int
      if kind == .plan {
        count = try TerraformPlan.shape(file.bytes, wanted: wanted, limits: reading) {
          (resource) throws(DocumentFault) in take(resource, &result, bound)
        }
      } else {
        count = try ConfigurationItems.read(file.bytes, wanted: wanted, limits: reading) {
          (resource) throws(DocumentFault) in take(resource, &result, bound)
        }
      }
      finish(count, &result, bound)
    } catch {
      // What was found before is true, and so is that a rule is broken; what all others come to isn't known.
      evaluateBatch(&result, bound)
      result.faults.append("\(path):\(error)")
      settle(isWhole: false, &result)
    }
    result.faults += faults
  }

  private mutating func take(_ resource: ShapedResource, _ result: inout CheckResult, _ bound: FindingBound) {
    let bytes = resource.properties.estimatedBytes
    batch.append(resource)
    batchBytes += bytes
    if keeps, !hasKeptTooMuch, let type = resource.type, keptTypes?.contains(type) ?? true {
      kept.append(resource)
      keptBytes += bytes + 300 + resource.name.utf8.count
      if keptBytes > limits.keptBytes { keptTooMuch() }
    }
    if batch.count >= limits.batchCount || batchBytes >= limits.batchBytes { evaluateBatch(&result, bound) }
  }

  /// Rules that need everything at once can't be evaluated; all others go on.
  private mutating func keptTooMuch() {
    (kept, hasKeptTooMuch) = ([], true)
    for (place, file) in rules.files.enumerated() {
      for (number, rule) in file.rules.enumerated() where !reach[place][number].distributes {
        progress[place][number].isFaulty = true
        let types = reach[place][number].types?.sorted().joined(separator: ", ") ?? "any type"
        faults.append(
          "\(path): \(file.name):\(rule.place.line): rule \(rule.name) looks at several resources at once, of "
            + "\(types), and these take more than \(limits.keptBytes >> 20) MiB; wanted more memory (--memory), or a "
            + "rule about each resource by itself")
      }
    }
  }

  private mutating func finish(_ count: Int, _ result: inout CheckResult, _ bound: FindingBound) {
    // Rules are also asked about nothing.
    if !batch.isEmpty || batches == 0 { evaluateBatch(&result, bound, isAll: count == 0) }
    if keeps, !hasKeptTooMuch {
      let document = self.document(kept, isAll: count == 0)
      kept = []
      let (files, input) = (rules.files, self.input(document))
      evaluate(document, distributing: false) { failures, index in
        for told in failures {
          result.findings.append(Finding(told.failure, files[told.file], input, index))
          bound.hold(&result)
        }
      }
    }
    settle(isWhole: true, &result)
  }

  /// What rules came to.
  /// - Parameter isWhole: whether they saw all there is.
  private func settle(isWhole: Bool, _ result: inout CheckResult) {
    for (place, file) in rules.files.enumerated() {
      for (number, rule) in file.rules.enumerated() where !progress[place][number].isFaulty {
        let known = progress[place][number]
        let status = isWhole || known.status == .fail ? known.status : .unknown
        result.results.append(
          CheckResult.RuleOnInput(
            rule: rule.name, ruleFile: file.name, input: path, status: status,
            hasUnknown: status == .fail && (known.hasUnknown || !isWhole), isLacking: known.isLacking))
      }
    }
  }

  // MARK: - Evaluation

  private typealias Told = (file: Int, failure: Failure)

  private mutating func evaluateBatch(
    _ result: inout CheckResult, _ bound: FindingBound, isAll: Bool = false
  ) {
    batches += 1
    let (resources, files, input) = (batch, rules.files, self.input(Value(.null)))
    (batch, batchBytes) = ([], 0)
    var found: [(place: Int, finding: Finding)] = []
    var places: [Int] = []
    for (place, resource) in resources.enumerated() {
      if resource.type != nil { places.append(place) }
      if resource.isToBeTold { found.append((place, Finding(shapeless: resource, in: input))) }
    }
    let document = self.document(resources, isAll: isAll)
    evaluate(document, distributing: true) { failures, index in
      for told in failures {
        let own = index.place(of: told.failure)
        let place = own.flatMap { places.indices.contains($0) ? places[$0] : nil } ?? resources.count
        found.append((place, Finding(told.failure, files[told.file], input, index)))
      }
    }
    // By resource; what is equal stays as it is.
    let order = found.indices.sorted { (found[$0].place, $0) < (found[$1].place, $1) }
    result.findings += order.map { found[$0].finding }
    bound.hold(&result)
  }

  /// Evaluates the rules of one kind; `tell` gets what failed, of all of them.
  private mutating func evaluate(
    _ document: Value, distributing: Bool, _ tell: ([Told], ResourceIndex) -> Void
  ) {
    var told: [Told] = []
    let prepared = PreparedDocument(document)
    for (place, file) in rules.files.enumerated() {
      let wanted = file.rules.indices.filter {
        reach[place][$0].distributes == distributing && !progress[place][$0].isFaulty
      }
      guard !wanted.isEmpty else { continue }
      for (number, each) in zip(wanted, file.evaluate(prepared, rules: wanted, now: now)) {
        switch each {
        case .failure(let fault):
          progress[place][number].isFaulty = true
          let text = "\(path): \(fault)"
          if toldFaults.insert(text).inserted { faults.append(text) }
        case .success(let rule):
          progress[place][number].status = [progress[place][number].status, rule.status].worst
          if rule.hasUnknown || rule.status == .unknown { progress[place][number].hasUnknown = true }
          if !rule.lacks.isEmpty { progress[place][number].isLacking = true }
          told += rule.failures.map { (place, $0) }
        }
      }
    }
    if !told.isEmpty { tell(told, ResourceIndex(document)) }
  }

  // MARK: - Documents

  /// - Parameter isAll: whether there really is nothing where there is nothing here.
  private func document(_ resources: [ShapedResource], isAll: Bool) -> Value {
    var members = resources.filter { $0.type != nil }.map { (name: $0.name, value: $0.value) }
    // Resources that no rule looks at aren't here, but there are some.
    if members.isEmpty, !isAll { members = [(ShapedResource.nothing.name, ShapedResource.nothing.value)] }
    let document = Self.document(members)
    return (try? parameters.added(to: document)) ?? document
  }

  private static func document(_ members: [(name: String, value: Value)]) -> Value {
    Value(.map(Members([("Resources", Value(.map(Members(walked: members))))])))
  }

  private func input(_ document: Value) -> InputFile { InputFile(path: path, kind: kind, document: document) }
}

extension ShapedResource {
  /// Stands for resources that no rule can look at, where there is nothing else: "none of this type" isn't "none at all".
  static let nothing = ShapedResource(
    name: "kabuto_nothing", type: "Kabuto::Nothing::Nothing", foundType: "Kabuto::Nothing::Nothing",
    properties: Value(.map(Members([]))), place: .none)
}

extension [Set<String>?] {
  /// All types of any; nil = any type.
  var union: Set<String>? {
    reduce(Optional(Set<String>())) { all, types in
      all.flatMap { all in types.map { all.union($0) } }
    }
  }
}

extension [RuleStatus] {
  /// What counts most: any failure, any that can't be told, any that passed.
  fileprivate var worst: RuleStatus {
    for status in [RuleStatus.fail, .unknown, .pass] where contains(status) { return status }
    return .skip
  }
}
