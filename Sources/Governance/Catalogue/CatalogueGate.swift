// A catalogue read from its file, and what it finds in inputs told as findings beside those of rules.

public import Controls
import Foundation
import GuardRules
import Resources

/// See the head of this file.
public struct CatalogueGate: Sendable {
  /// Its file.
  public let path: String
  /// What it says.
  public let catalogue: Catalogue
  /// Language of what findings say; titles and how to mend are told in both.
  public var language = ReportLanguage.english

  /// Reads a file.
  /// - Parameter now: seconds since 1970 UTC: nobody has assessed anything later. nil = the clock's.
  /// - Throws: `GovernanceFaults` with all faults and their places.
  public init(_ path: String, now: Int64? = nil) throws(GovernanceFaults) {
    let text: String
    do throws(FileFault) { text = try FileList.text(path) } catch {
      throw GovernanceFaults([error.description])
    }
    let today = CalendarDay(of: now ?? Int64(Date().timeIntervalSince1970))
    do throws(DocumentFaults) { catalogue = try Catalogue(yaml: text, today: today) } catch {
      throw GovernanceFaults(error.all.map { "\(path):\($0)" })
    }
    self.path = path
  }

  /// Files and folders of rules that services may be used by; they are relative to the catalogue's own folder.
  public var ruleFiles: [String] {
    var seen: Set<String> = []
    let folder = (path as NSString).deletingLastPathComponent
    return catalogue.allowedServices.flatMap(\.rules).compactMap { rule in
      guard case .file(let name) = rule, seen.insert(name).inserted else { return nil }
      return name.hasPrefix("/") ? name : (folder as NSString).appendingPathComponent(name)
    }
  }

  /// Looks at an input of which rules have been evaluated.
  /// - Parameters:
  ///   - region: where it will be deployed; nil = it isn't known.
  ///   - evaluated: what came of the rules on this input.
  func look(
    at input: InputFile, region: String?, now: Int64, evaluated: ArraySlice<CheckResult.RuleOnInput>,
    _ result: inout CheckResult
  ) {
    var statuses: [String: [RuleStatus]] = [:]
    for each in evaluated { statuses[each.rule, default: []].append(each.status) }
    var inspection = CatalogueInspection(catalogue, today: CalendarDay(of: now))
    // A scan says where it looked; what it found without a region has none.
    let home = input.document["Region"]?.string ?? region
    inspection.look(
      at: input.document, region: home,
      // Those of a template stand in its document.
      typed: input.shapeless.filter { input.kind != .template && $0.foundType.hasPrefix("AWS::") }.map {
        TypedResource(name: $0.name, type: $0.foundType, place: $0.place, region: $0.region)
      }, regions: input.regions, statuses: statuses)
    for rule in CatalogueRule.allCases {
      let issues = inspection.issues.filter { $0.rule == rule }
      let status: RuleStatus =
        issues.contains { !$0.isUnknown }
        ? .fail : !issues.isEmpty ? .unknown : inspection.asked.contains(rule) ? .pass : .skip
      result.results.append(
        CheckResult.RuleOnInput(
          rule: rule.rawValue, ruleFile: path, input: input.path, status: status,
          hasUnknown: issues.contains(where: \.isUnknown)))
    }
    result.findings += inspection.issues.map { Finding($0, catalogue: path, input: input.path, language) }
  }
}

extension Finding {
  init(_ issue: CatalogueIssue, catalogue: String, input: String, _ language: ReportLanguage) {
    self.init(
      status: issue.isUnknown ? "UNKNOWN" : "FAIL", rule: issue.rule.rawValue, ruleFile: catalogue,
      ruleLine: 0,
      input: input, line: Int(issue.place.line), column: Int(issue.place.column), resource: issue.resource,
      resourceType: issue.type, path: issue.path, clause: issue.clause.text(language),
      found: issue.found.text(language), wanted: "", message: issue.message.text(language),
      severity: issue.rule.severity, title: issue.rule.title.en,
      titleJa: issue.rule.title.ja, mend: issue.rule.mend.en, mendJa: issue.rule.mend.ja)
  }
}
