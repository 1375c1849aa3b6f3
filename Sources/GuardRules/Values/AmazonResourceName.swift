// Names of AWS's resources, taken apart.
// Source: AWS Identity and Access Management, User Guide, "Identify AWS resources with Amazon Resource Names (ARNs)".

/// `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`. What a part says isn't judged: patterns have `*` in them, and some services
/// leave region or account empty.
public struct AmazonResourceName: Sendable, Equatable {
  /// `aws`, `aws-cn`, `aws-us-gov`.
  public let partition: String
  /// `s3`.
  public let service: String
  /// `eu-west-1`; often empty.
  public let region: String
  /// Twelve digits, `aws`, or nothing.
  public let account: String
  /// What is left, colons included.
  public let resource: String

  /// - Returns: nil where it is no ARN.
  public init?(_ text: String) {
    guard text.utf8.starts(with: "arn:".utf8) else { return nil }
    let words = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
    guard words.count == 6 else { return nil }
    partition = String(words[1])
    service = String(words[2])
    region = String(words[3])
    account = String(words[4])
    resource = String(words[5])
  }
}
