// AWS Security Finding Format, schema version 2018-10-08: what Security Hub's BatchImportFindings takes. A list of batches,
// each with at most 100 findings, in the shape of that call's input. Lengths are bounded as the format says.

import Foundation
import GuardRules

/// See the head of this file.
public struct ASFF: Encodable, Sendable {
  /// Findings of a batch: what one call takes.
  public static let batchCount = 100

  struct Batch: Encodable, Sendable {
    let findings: [Item]

    enum CodingKeys: String, CodingKey { case findings = "Findings" }
  }

  let batches: [Batch]

  /// A report of a check.
  public init(_ result: CheckResult, _ context: ReportContext) {
    // A finding is told once: Security Hub knows it by its id.
    let items = FindingGroup.all(of: result.findings).map { Item($0, context) }
    batches = stride(from: 0, to: items.count, by: Self.batchCount).map {
      Batch(findings: Array(items[$0..<min($0 + Self.batchCount, items.count)]))
    }
  }

  /// As a list.
  public func encode(to encoder: any Encoder) throws { try batches.encode(to: encoder) }

  struct Item: Encodable, Sendable {
    struct SeverityLabel: Encodable, Sendable {
      let label: String
      let original: String
      enum CodingKeys: String, CodingKey {
        case label = "Label"
        case original = "Original"
      }
    }
    struct Recommendation: Encodable, Sendable {
      let text: String
      enum CodingKeys: String, CodingKey { case text = "Text" }
    }
    struct Remediation: Encodable, Sendable {
      let recommendation: Recommendation
      enum CodingKeys: String, CodingKey { case recommendation = "Recommendation" }
    }
    struct Resource: Encodable, Sendable {
      let type: String
      let id: String
      let partition: String
      let region: String
      enum CodingKeys: String, CodingKey {
        case type = "Type"
        case id = "Id"
        case partition = "Partition"
        case region = "Region"
      }
    }
    struct Compliance: Encodable, Sendable {
      let status: String
      let relatedRequirements: [String]?
      enum CodingKeys: String, CodingKey {
        case status = "Status"
        case relatedRequirements = "RelatedRequirements"
      }
    }
    struct Workflow: Encodable, Sendable {
      let status: String
      enum CodingKeys: String, CodingKey { case status = "Status" }
    }

    let schemaVersion = "2018-10-08"
    let id: String
    let productArn: String
    let generatorID: String
    let accountID: String
    let types = ["Software and Configuration Checks/AWS Security Best Practices"]
    let createdAt: String
    let updatedAt: String
    let severity: SeverityLabel
    let title: String
    let description: String
    let remediation: Remediation?
    let productFields: [String: String]
    let resources: [Resource]
    let compliance: Compliance
    let workflow: Workflow
    let recordState = "ACTIVE"

    enum CodingKeys: String, CodingKey {
      case schemaVersion = "SchemaVersion"
      case id = "Id"
      case productArn = "ProductArn"
      case generatorID = "GeneratorId"
      case accountID = "AwsAccountId"
      case types = "Types"
      case createdAt = "CreatedAt"
      case updatedAt = "UpdatedAt"
      case severity = "Severity"
      case title = "Title"
      case description = "Description"
      case remediation = "Remediation"
      case productFields = "ProductFields"
      case resources = "Resources"
      case compliance = "Compliance"
      case workflow = "Workflow"
      case recordState = "RecordState"
    }

    init(_ group: FindingGroup, _ context: ReportContext) {
      let finding = group.first
      let place = context.place(of: finding)
      id = "kabuto/\(group.key)"
      productArn =
        "arn:\(place.partition):securityhub:\(place.region):\(place.account):product/\(place.account)/default"
      generatorID = bounded("kabuto/\(finding.rule)", 512)
      accountID = place.account
      createdAt = Timestamp.text(context.firstSeen(finding))
      updatedAt = Timestamp.text(context.at)
      severity = SeverityLabel(
        label: finding.severity == .info ? "INFORMATIONAL" : finding.severity.rawValue.uppercased(),
        original: finding.severity.rawValue)
      title = bounded(
        context.language == .japanese && !finding.titleJa.isEmpty ? finding.titleJa : finding.title, 256)
      description = bounded(finding.sentence(in: context.language), 1024)
      let mend = context.language == .japanese && !finding.mendJa.isEmpty ? finding.mendJa : finding.mend
      remediation =
        mend.isEmpty ? nil : Remediation(recommendation: Recommendation(text: bounded(mend, 512)))
      var fields = [
        "kabuto/Status": finding.status, "kabuto/Input": bounded(finding.input, 1024),
        "kabuto/Path": bounded(finding.path, 1024), "kabuto/Found": bounded(finding.found, 1024),
        "kabuto/Wanted": bounded(finding.requirement(in: context.language), 1024),
      ]
      if finding.line > 0 { fields["kabuto/Line"] = "\(finding.line):\(finding.column)" }
      if let exception = finding.exception { fields["kabuto/Exception"] = bounded(exception, 1024) }
      productFields = fields.filter { !$0.value.isEmpty }
      let isAccount = finding.resource.isEmpty
      resources = [
        Resource(
          type: isAccount ? "AwsAccount" : Self.types[finding.resourceType] ?? "Other",
          id: bounded(
            isAccount ? "AWS::::Account:\(place.account)" : "\(finding.resource)", 512),
          partition: place.partition, region: place.region)
      ]
      compliance = Compliance(
        // What can't be told is neither passed nor failed: "some information is missing".
        status: finding.status == "UNKNOWN" ? "WARNING" : "FAILED",
        relatedRequirements: finding.controls.isEmpty
          ? nil : finding.controls.prefix(32).map { bounded($0, 64) })
      workflow = Workflow(status: finding.status == "EXCEPTED" ? "SUPPRESSED" : "NEW")
    }

    /// CloudFormation's names and the format's; others are `Other`.
    static let types: [String: String] = [
      "AWS::AutoScaling::AutoScalingGroup": "AwsAutoScalingAutoScalingGroup",
      "AWS::CertificateManager::Certificate": "AwsCertificateManagerCertificate",
      "AWS::CloudFront::Distribution": "AwsCloudFrontDistribution",
      "AWS::CloudTrail::Trail": "AwsCloudTrailTrail", "AWS::DynamoDB::Table": "AwsDynamoDbTable",
      "AWS::EC2::EIP": "AwsEc2Eip", "AWS::EC2::Instance": "AwsEc2Instance",
      "AWS::EC2::SecurityGroup": "AwsEc2SecurityGroup", "AWS::EC2::Subnet": "AwsEc2Subnet",
      "AWS::EC2::Volume": "AwsEc2Volume", "AWS::EC2::VPC": "AwsEc2Vpc",
      "AWS::ECR::Repository": "AwsEcrRepository",
      "AWS::ECS::Cluster": "AwsEcsCluster", "AWS::ECS::Service": "AwsEcsService",
      "AWS::EFS::FileSystem": "AwsEfsFileSystem", "AWS::EKS::Cluster": "AwsEksCluster",
      "AWS::ElasticLoadBalancing::LoadBalancer": "AwsElbLoadBalancer",
      "AWS::ElasticLoadBalancingV2::LoadBalancer": "AwsElbv2LoadBalancer",
      "AWS::GuardDuty::Detector": "AwsGuardDutyDetector", "AWS::IAM::AccessKey": "AwsIamAccessKey",
      "AWS::IAM::Group": "AwsIamGroup", "AWS::IAM::ManagedPolicy": "AwsIamPolicy",
      "AWS::IAM::Role": "AwsIamRole", "AWS::IAM::User": "AwsIamUser",
      "AWS::Kinesis::Stream": "AwsKinesisStream",
      "AWS::KMS::Key": "AwsKmsKey", "AWS::Lambda::Function": "AwsLambdaFunction",
      "AWS::RDS::DBCluster": "AwsRdsDbCluster", "AWS::RDS::DBInstance": "AwsRdsDbInstance",
      "AWS::Redshift::Cluster": "AwsRedshiftCluster", "AWS::S3::Bucket": "AwsS3Bucket",
      "AWS::SageMaker::NotebookInstance": "AwsSageMakerNotebookInstance",
      "AWS::SecretsManager::Secret": "AwsSecretsManagerSecret", "AWS::SNS::Topic": "AwsSnsTopic",
      "AWS::SQS::Queue": "AwsSqsQueue", "AWS::WAFv2::WebACL": "AwsWafv2WebAcl",
    ]
  }
}
