// A region as rules see it: the resources of some types, beside the account's number, the region's name and the input
// parameters.

import GuardRules
import Resources

struct RegionView {
  /// A document, and the same that has resources at all: a region without any isn't one without `Resources`.
  struct Document {
    let plain: PreparedDocument
    let marked: PreparedDocument?

    init(_ region: RegionState, _ resources: [ShapedResource], _ parameters: InputParameters) {
      plain = PreparedDocument(RegionView.document(region, resources, parameters))
      guard !resources.contains(where: { $0.type != nil }) else {
        marked = nil
        return
      }
      marked = PreparedDocument(RegionView.document(region, [.nothing], parameters))
    }

    /// Rules of one file.
    /// - Parameter reaches: what each of them can look at.
    func evaluate(
      _ group: AccountCheck.Group, _ reaches: [RuleReach], _ now: Int64
    ) -> [Result<RuleResult, EvaluationFault>] {
      guard let marked else { return group.file.evaluate(plain, rules: group.places, now: now) }
      // What isn't by type sees that there is nothing.
      return zip(group.places, reaches).map { place, reach in
        group.file.evaluate(reach.types == nil ? plain : marked, rules: [place], now: now)[0]
      }
    }
  }

  let input: InputFile
  let all: Document
  /// Without what stands for lists that failed; nil = none did.
  let known: Document?
  let failed: [FailedCall]

  init(_ region: RegionState, _ types: Set<String>?, _ parameters: InputParameters) {
    let resources = region.resources(of: types)
    failed = region.failed.filter { types?.contains($0.type) ?? true }
    let unlisted = failed.isEmpty ? [] : Self.unlisted(failed, beside: resources)
    all = Document(region, resources + unlisted, parameters)
    known = unlisted.isEmpty ? nil : Document(region, resources, parameters)
    input = InputFile(account: region.input, document: all.plain.root)
  }

  static func document(
    _ region: RegionState, _ resources: [ShapedResource], _ parameters: InputParameters
  ) -> Value {
    let document = resources.document.adding("Account", Value(.string(region.account)))
      .adding("Region", Value(.string(region.region)))
    // That no name is there twice was looked at before the scan.
    return (try? parameters.added(to: document)) ?? document
  }

  /// What stands for lists that failed, one a type; each by a name of its own, since one call may fail for several types.
  static func unlisted(_ failed: [FailedCall], beside resources: [ShapedResource]) -> [ShapedResource] {
    let seen = Set(resources.map { "\($0.type ?? "") \($0.name)" })
    var unlisted: [String: ShapedResource] = [:]
    for failed in failed
    where failed.type.contains("::") && !seen.contains("\(failed.type) \(failed.resource)") {
      unlisted[failed.type] = ShapedResource(
        name: "(\(failed.call): \(failed.type))", type: failed.type, foundType: failed.type,
        properties: Value(
          .map(Members([], rest: Members.Rest(Unknown("\(failed.call): \(failed.failure.text)"), absent: [])))
        ),
        place: .none)
    }
    return unlisted.keys.sorted().compactMap { unlisted[$0] }
  }
}

extension InputFile {
  /// What a scan found, as rules see it.
  init(account path: String, document: Value) {
    self.init(path: path, kind: .document, document: document)
  }
}
