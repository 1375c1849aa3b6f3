// Open Cybersecurity Schema Framework 1.3.0, Compliance Finding (class 2003, category Findings), profile cloud: a list of
// events. What can't be told is `Warning`; what an exception covers is suppressed.

import Foundation
import GuardRules

/// See the head of this file.
public struct OCSF: Encodable, Sendable {
  let events: [Event]

  /// A report of a check.
  public init(_ result: CheckResult, _ context: ReportContext) {
    events = FindingGroup.all(of: result.findings).map { Event($0, context) }
  }

  /// As a list.
  public func encode(to encoder: any Encoder) throws { try events.encode(to: encoder) }

  struct Event: Encodable, Sendable {
    struct Product: Encodable, Sendable {
      let name = "Kabuto"
      let vendor = "Kabuto"
      let version: String
      enum CodingKeys: String, CodingKey {
        case name, version
        case vendor = "vendor_name"
      }
    }
    struct Metadata: Encodable, Sendable {
      let version = "1.3.0"
      let product: Product
      let profiles = ["cloud"]
      let uid: String
    }
    struct Info: Encodable, Sendable {
      let uid: String
      let title: String
      let desc: String
      let types: [String]
      let firstSeen: Int64
      let lastSeen: Int64
      enum CodingKeys: String, CodingKey {
        case uid, title, desc, types
        case firstSeen = "first_seen_time"
        case lastSeen = "last_seen_time"
      }
    }
    struct Compliance: Encodable, Sendable {
      let control: String
      let standards: [String]
      let requirements: [String]
      let status: String
      let statusID: Int
      let statusDetail: String
      enum CodingKeys: String, CodingKey {
        case control, standards, requirements, status
        case statusID = "status_id"
        case statusDetail = "status_detail"
      }
    }
    struct Remediation: Encodable, Sendable { let desc: String }
    struct Resource: Encodable, Sendable {
      let uid: String
      let type: String
      let region: String
      let partition: String
      enum CodingKeys: String, CodingKey {
        case uid, type, region
        case partition = "cloud_partition"
      }
    }
    struct Account: Encodable, Sendable {
      let uid: String
      let type = "AWS Account"
      let typeID = 10
      enum CodingKeys: String, CodingKey {
        case uid, type
        case typeID = "type_id"
      }
    }
    struct Cloud: Encodable, Sendable {
      let provider = "AWS"
      let region: String
      let account: Account
    }

    let activityID = 1
    let activityName = "Create"
    let categoryUID = 2
    let categoryName = "Findings"
    let classUID = 2003
    let className = "Compliance Finding"
    let typeUID = 200_301
    let typeName = "Compliance Finding: Create"
    let severityID: Int
    let severity: String
    let statusID: Int
    let status: String
    let time: Int64
    let message: String
    let metadata: Metadata
    let info: Info
    let compliance: Compliance
    let remediation: Remediation?
    let resources: [Resource]
    let cloud: Cloud
    let unmapped: [String: String]

    enum CodingKeys: String, CodingKey {
      case severity, status, time, message, metadata, compliance, remediation, resources, cloud, unmapped
      case activityID = "activity_id"
      case activityName = "activity_name"
      case categoryUID = "category_uid"
      case categoryName = "category_name"
      case classUID = "class_uid"
      case className = "class_name"
      case typeUID = "type_uid"
      case typeName = "type_name"
      case severityID = "severity_id"
      case statusID = "status_id"
      case info = "finding_info"
    }

    init(_ group: FindingGroup, _ context: ReportContext) {
      let finding = group.first
      let place = context.place(of: finding)
      let isJapanese = context.language == .japanese
      let mend = isJapanese && !finding.mendJa.isEmpty ? finding.mendJa : finding.mend
      severityID = finding.severity.rank + 1
      severity =
        ["Informational", "Low", "Medium", "High", "Critical"][finding.severity.rank]
      let isExcepted = finding.status == "EXCEPTED"
      statusID = isExcepted ? 3 : 1
      status = isExcepted ? "Suppressed" : "New"
      time = context.at * 1_000
      message = finding.sentence(in: context.language)
      metadata = Metadata(
        product: Product(version: context.version), uid: HexText.hash("\(group.key) \(context.at)"))
      info = Info(
        uid: group.key,
        title: isJapanese && !finding.titleJa.isEmpty ? finding.titleJa : finding.title,
        desc: finding.sentence(in: context.language), types: ["Configuration"],
        firstSeen: context.firstSeen(finding) * 1_000,
        lastSeen: context.at * 1_000)
      let isUnknown = finding.status == "UNKNOWN"
      compliance = Compliance(
        control: finding.rule, standards: finding.controls.isEmpty ? ["Kabuto rules"] : finding.controls,
        requirements: [finding.requirement(in: context.language)], status: isUnknown ? "Warning" : "Fail",
        statusID: isUnknown ? 2 : 3,
        statusDetail: finding.found)
      remediation = mend.isEmpty ? nil : Remediation(desc: mend)
      resources = [
        Resource(
          uid: finding.resource.isEmpty ? place.account : finding.resource,
          type: finding.resourceType.isEmpty ? "AWS::::Account" : finding.resourceType, region: place.region,
          partition: place.partition)
      ]
      cloud = Cloud(region: place.region, account: Account(uid: place.account))
      var rest = ["input": finding.input, "path": finding.path, "wanted": finding.wanted]
      if finding.line > 0 { rest["line"] = "\(finding.line):\(finding.column)" }
      if let exception = finding.exception { rest["exception"] = exception }
      unmapped = rest.filter { !$0.value.isEmpty }
    }
  }
}
