// What others found in an account, taken in beside our own so that there is one list: rules of AWS Config
// (DescribeComplianceByConfigRule, GetComplianceDetailsByConfigRule) and GuardDuty (ListFindings, GetFindings), by the API
// references of both. A call that fails makes unknown what it would have told, and no more.

import GuardRules
import Resources

/// What one place of others' findings says: a rule of Config, a detector.
struct TakenPart: Sendable {
  /// A rule and what it says of the region.
  var statuses: [(rule: String, status: RuleStatus)] = []
  var findings: [Finding] = []
  var failed: [FailedCall] = []

  /// Adds what others say of a region to a result.
  /// - Parameter parts: by where they came from; none = nobody was asked.
  static func add(_ parts: [String: TakenPart], to result: inout CheckResult, of input: String) {
    guard !parts.isEmpty else { return }
    // A service whose every call answered has no finding beside these.
    for service in ["config", "guardduty"] {
      let own = parts.filter { $0.key == service || $0.key.hasPrefix(service + ":") }
      if own[service] != nil, own.values.allSatisfy(\.failed.isEmpty) {
        result.answered[input, default: []].insert(service)
      }
    }
    var statuses: [String: RuleStatus] = [:]
    for part in parts.sorted(by: { $0.key < $1.key }).map(\.value) {
      for each in part.statuses where statuses[each.rule] != .fail { statuses[each.rule] = each.status }
      result.findings += part.findings
    }
    for (rule, status) in statuses.sorted(by: { $0.key < $1.key }) {
      result.results.append(CheckResult.RuleOnInput(rule: rule, ruleFile: "", input: input, status: status))
    }
  }
}

/// See the head of this file.
struct TakenFindings: Sendable {
  let client: ServiceClient
  let account: String
  let partition: String
  let region: String

  private var scope: CallScope { CallScope(region: region, account: account, partition: partition) }
  private var input: String { "aws:\(account)/\(region)" }
  private static let config = AccountService.named("config")
  private static let guardDuty = AccountService.named("guardduty")
  /// As many as GetFindings takes.
  private static let findingsAtOnce = 50

  /// Everything, by where it came from.
  func all() async -> [String: TakenPart] {
    async let config = allOfConfig()
    async let guardDuty = allOfGuardDuty()
    return await config.merging(await guardDuty) { first, _ in first }
  }

  // MARK: - AWS Config

  /// All rules of Config.
  func allOfConfig() async -> [String: TakenPart] {
    var out: [String: TakenPart] = [:]
    let (rules, failure) = await compliance(of: nil)
    out["config"] = TakenPart(failed: failure.map { [$0] } ?? [])
    for (name, part) in await boundedMap(rules, atOnce: 4, { [self] in ($0.name, await self.part(of: $0)) }) {
      out["config:\(name)"] = part
    }
    return out
  }

  /// One rule of Config; nil = there is no such rule.
  func config(rule name: String) async -> TakenPart? {
    let (rules, failure) = await compliance(of: name)
    if let failure {
      return ["NoSuchConfigRuleException"].contains(failure.failure.code) ? nil : TakenPart(failed: [failure])
    }
    guard let rule = rules.first(where: { $0.name == name }) else { return nil }
    return await part(of: rule)
  }

  private typealias Compliance = (name: String, type: String)

  private func compliance(of name: String?) async -> ([Compliance], FailedCall?) {
    let action = "DescribeComplianceByConfigRule"
    guard let service = Self.config else { return ([], nil) }
    var parameters: CallField = [:]
    if let name { parameters = ["ConfigRuleNames": [.text(name)]] }
    do throws(CallFailure) {
      let items = try await client.read(
        service, ServiceAction(action, parameters), scope,
        items: ["ComplianceByConfigRules"], page: ("NextToken", ["NextToken"]))
      let rules: [Compliance] = items.compactMap { item in
        guard let name = item["ConfigRuleName"]?.string else { return nil }
        return (name: name, type: item["Compliance"]?["ComplianceType"]?.string ?? "INSUFFICIENT_DATA")
      }
      guard rules.count == items.count else {
        throw CallFailure(code: "Unreadable", message: "a rule in the answer has no ConfigRuleName")
      }
      return (rules, nil)
    } catch { return ([], failed("config \(action)", error, name.map { "config:\($0)" } ?? "config")) }
  }

  private func part(of rule: Compliance) async -> TakenPart {
    let own = "config:\(rule.name)"
    switch rule.type {
    case "COMPLIANT": return TakenPart(statuses: [(own, .pass)])
    case "NOT_APPLICABLE": return TakenPart(statuses: [(own, .skip)])
    case "NON_COMPLIANT": break
    default:
      return TakenPart(
        statuses: [(own, .unknown)], findings: [finding(rule.name, rule.type, "UNKNOWN", "", "", nil)])
    }
    let action = "GetComplianceDetailsByConfigRule"
    guard let service = Self.config else { return TakenPart() }
    do throws(CallFailure) {
      let items = try await client.read(
        service,
        ServiceAction(
          action,
          ["ConfigRuleName": .text(rule.name), "ComplianceTypes": ["NON_COMPLIANT"], "Limit": 100]),
        scope, items: ["EvaluationResults"], page: ("NextToken", ["NextToken"]))
      let findings = items.map { item in
        let qualifier = item["EvaluationResultIdentifier"]?["EvaluationResultQualifier"]
        let type = item["ComplianceType"]?.string ?? rule.type
        return finding(
          rule.name, type, type == "NON_COMPLIANT" ? "FAIL" : "UNKNOWN",
          qualifier?["ResourceType"]?.string ?? "", qualifier?["ResourceId"]?.string ?? "",
          item["Annotation"]?.string)
      }
      // It says that something is wrong, and not what.
      return TakenPart(
        statuses: [(own, .fail)],
        findings: findings.isEmpty ? [finding(rule.name, rule.type, "FAIL", "", "", nil)] : findings)
    } catch {
      return TakenPart(
        statuses: [(own, .fail)], findings: [finding(rule.name, rule.type, "FAIL", "", "", nil)],
        failed: [failed("config \(action)", error, own)])
    }
  }

  private func finding(
    _ rule: String, _ found: String, _ status: String, _ type: String, _ id: String, _ annotation: String?
  ) -> Finding {
    Finding(
      status: status, rule: "config:\(rule)", ruleFile: "", ruleLine: 0, input: input, line: 0, column: 0,
      resource: arn(type, id), resourceType: type, path: "", clause: "AWS Config's rule \(rule)",
      found: found, wanted: "COMPLIANT", message: annotation ?? "", severity: .medium,
      title: "AWS Config: \(rule)", titleJa: "AWS Config: \(rule)",
      mend: status == "FAIL"
        ? "Mend the resource as the rule \(rule) of AWS Config asks."
        : "See in AWS Config why the rule \(rule) has no data: its recorder, its role, its scope.",
      mendJa: status == "FAIL"
        ? "AWS Configのルール \(rule) の要求どおりにリソースを修正してください。"
        : "AWS Configのルール \(rule) にデータがない理由(レコーダー、ロール、対象範囲)を確認してください。")
  }

  /// A resource's ARN, by what Config calls it; where that doesn't say enough, what Config calls it.
  private func arn(_ type: String, _ id: String) -> String {
    guard !id.hasPrefix("arn:"), !id.isEmpty else { return id }
    let template: String? =
      switch type {
      case "AWS::EC2::SecurityGroup": "ec2:{region}:{account}:security-group/"
      case "AWS::EC2::Instance": "ec2:{region}:{account}:instance/"
      case "AWS::EC2::Volume": "ec2:{region}:{account}:volume/"
      case "AWS::EC2::VPC": "ec2:{region}:{account}:vpc/"
      case "AWS::EC2::Subnet": "ec2:{region}:{account}:subnet/"
      case "AWS::S3::Bucket": "s3:::"
      case "AWS::Lambda::Function": "lambda:{region}:{account}:function:"
      case "AWS::KMS::Key": "kms:{region}:{account}:key/"
      default: nil
      }
    return template.map { scope.filled("arn:{partition}:\($0)", nil) + id } ?? id
  }

  // MARK: - GuardDuty

  /// All findings of all detectors that aren't archived.
  func allOfGuardDuty() async -> [String: TakenPart] {
    guard let service = Self.guardDuty else { return [:] }
    let detectors: [String]
    do throws(CallFailure) {
      detectors = try Self.texts(
        try await client.read(
          service, ServiceAction("ListDetectors", "GET", path: ["detector"]), scope, items: ["detectorIds"],
          page: ("nextToken", ["nextToken"])))
    } catch {
      return ["guardduty": TakenPart(failed: [failed("guardduty ListDetectors", error, "guardduty")])]
    }
    var out = ["guardduty": TakenPart()]
    for detector in detectors { out["guardduty:\(detector)"] = await part(ofDetector: detector) }
    return out
  }

  private func part(ofDetector detector: String) async -> TakenPart {
    var part = TakenPart()
    var ids: [String] = []
    do throws(CallFailure) { ids = try await list(detector) } catch {
      part.failed.append(failed("guardduty ListFindings", error, "guardduty:\(detector)"))
    }
    let groups = stride(from: 0, to: ids.count, by: Self.findingsAtOnce).map {
      Array(ids[$0..<min($0 + Self.findingsAtOnce, ids.count)])
    }
    for found in await boundedMap(groups, atOnce: 4, { [self] in await findings(detector, $0) }) {
      part.findings += found.findings
      part.failed += found.failed
    }
    part.findings.sort { ($0.rule, $0.path) < ($1.rule, $1.path) }
    part.statuses = Set(part.findings.map(\.rule)).sorted().map { ($0, .fail) }
    return part
  }

  private func list(_ detector: String) async throws(CallFailure) -> [String] {
    guard let service = Self.guardDuty else { return [] }
    var ids: [String] = []
    var token: String?
    var tokens: Set<String> = []
    for _ in 0..<RegionScan.mostPages {
      var parameters: [CallField.Member] = [
        CallField.Member(
          name: "findingCriteria", value: ["criterion": ["service.archived": ["eq": ["false"]]]]),
        CallField.Member(name: "maxResults", value: 50),
      ]
      if let token { parameters.append(CallField.Member(name: "nextToken", value: .text(token))) }
      var action = ServiceAction(
        "ListFindings", "POST", path: ["detector", detector, "findings"], .map(parameters), isRepeatable: true
      )
      action.answer.mayBeEmpty = false
      action.answer.member = "findingIds"
      let answer = try await client.act(service, action, scope)
      ids += try Self.texts(answer["findingIds"]?.list)
      guard let next = try answer.nextPage(at: ["nextToken"]) else { return ids }
      guard tokens.insert(next).inserted else { throw .endless("the same page again and again") }
      token = next
    }
    throw .endless("more than \(RegionScan.mostPages) pages")
  }

  /// A list of names, and of nothing else.
  private static func texts(_ values: [Value]?) throws(CallFailure) -> [String] {
    let texts = (values ?? []).compactMap(\.string).filter { !$0.isEmpty }
    guard let values, texts.count == values.count else {
      throw CallFailure(code: "Unreadable", message: "the answer's list isn't one of names")
    }
    return texts
  }

  private func findings(_ detector: String, _ ids: [String]) async -> TakenPart {
    guard let service = Self.guardDuty else { return TakenPart() }
    var action = ServiceAction(
      "GetFindings", "POST", path: ["detector", detector, "findings", "get"],
      ["findingIds": .list(ids.map { .text($0) })], isRepeatable: true)
    action.answer.mayBeEmpty = false
    action.answer.member = "findings"
    do throws(CallFailure) {
      let answer = try await client.act(service, action, scope)
      let told = Set(answer.all(at: ["findings"]).compactMap { $0["id"]?.string })
      let missing = ids.filter { !told.contains($0) }
      // Between the two calls one may have been archived.
      let found = answer.all(at: ["findings"]).filter {
        if case .bool(true)? = $0["service"]?["archived"]?.content { return false }
        return true
      }
      var part = TakenPart(findings: found.map { finding(ofGuardDuty: $0) })
      if !missing.isEmpty {
        let failure = CallFailure(
          code: "Unreadable",
          message: "\(missing.count) of \(ids.count) findings that were asked for aren't told")
        part.failed = [failed("guardduty GetFindings", failure, "guardduty:\(detector)")]
      }
      return part
    } catch {
      return TakenPart(failed: [failed("guardduty GetFindings", error, "guardduty:\(detector)")])
    }
  }

  private func finding(ofGuardDuty found: Value) -> Finding {
    let type = found["type"]?.string ?? "unknown"
    let severity = Self.number(found["severity"])
    let resource = found["resource"]
    let title = found["title"]?.string ?? type
    let count = Self.number(found["service"]?["count"]).map { ", seen \(Int(max(0, min($0, 1e9))))×" } ?? ""
    return Finding(
      status: "FAIL", rule: "guardduty:\(type)", ruleFile: "", ruleLine: 0, input: input, line: 0, column: 0,
      resource: resource.flatMap { name(of: $0) } ?? found["arn"]?.string ?? "",
      resourceType: resource?["resourceType"]?.string ?? "", path: found["id"]?.string ?? "",
      clause: "GuardDuty finds nothing", found: "\(title)\(count)", wanted: "",
      message: found["description"]?.string ?? "", severity: Self.severity(severity ?? 0), title: title,
      titleJa: "GuardDuty: \(type)",
      mend: "Look into the finding in GuardDuty; archive it there when it is settled.",
      mendJa: "GuardDutyで検出結果を調査し、解決後にアーカイブしてください。")
  }

  /// GuardDuty's user guide, "Severity levels of GuardDuty findings".
  static func severity(_ number: Double) -> Severity {
    switch number {
    case 9...: .critical
    case 7..<9: .high
    case 4..<7: .medium
    case 1..<4: .low
    default: .info
    }
  }

  /// The ARN of what a finding is about.
  private func name(of resource: Value) -> String? {
    let words = scope.filled("arn:{partition}:", nil)
    if let id = resource["instanceDetails"]?["instanceId"]?.string, !id.isEmpty {
      return words + "ec2:\(region):\(account):instance/\(id)"
    }
    if let bucket = resource.all(at: ["s3BucketDetails"]).first {
      return bucket["arn"]?.string ?? bucket["name"]?.string.map { words + "s3:::\($0)" }
    }
    if let user = resource["accessKeyDetails"], let name = user["userName"]?.string, !name.isEmpty {
      switch user["userType"]?.string {
      case "IAMUser": return words + "iam::\(account):user/\(name)"
      case "Root": return words + "iam::\(account):root"
      default: return words + "iam::\(account):role/\(name)"
      }
    }
    for (member, inner) in [
      ("lambdaDetails", "functionArn"), ("eksClusterDetails", "arn"), ("ecsClusterDetails", "arn"),
      ("rdsDbInstanceDetails", "dbInstanceArn"),
    ] {
      if let arn = resource[member]?[inner]?.string, !arn.isEmpty { return arn }
    }
    return nil
  }

  private static func number(_ value: Value?) -> Double? {
    switch value?.content {
    case .int(let number): Double(number)
    case .float(let number): number
    default: nil
    }
  }

  private func failed(_ call: String, _ failure: CallFailure, _ resource: String) -> FailedCall {
    FailedCall(call: call, failure: failure, type: "", resource: resource)
  }
}
