// The ARN of a topic (SNS), taken apart. Its region becomes part of a host's name, so nothing else gets through.

import GuardRules

/// See the head of this file.
public struct TopicARN: Sendable, Equatable, CustomStringConvertible {
  /// As it is written.
  public let description: String
  /// `aws`, `aws-cn`, `aws-us-gov`.
  let partition: String
  let region: String
  let account: String
  let name: String

  /// What is wanted, for messages.
  static let wanted = "arn:aws:sns:REGION:ACCOUNT:NAME"

  /// nil = it is none.
  public init?(_ text: String) {
    guard let arn = AmazonResourceName(text), arn.service == "sns",
      ["aws", "aws-cn", "aws-us-gov"].contains(arn.partition), Self.isRegion(arn.region),
      arn.account.utf8.count == 12, arn.account.utf8.allSatisfy(Self.isDigit), Self.isName(arn.resource)
    else { return nil }
    description = text
    (partition, region, account, name) = (arn.partition, arn.region, arn.account, arn.resource)
  }

  /// Whether messages keep their order and SNS itself drops one that comes twice within five minutes.
  var isOrdered: Bool { name.hasSuffix(".fifo") }

  private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
  private static func isSmall(_ byte: UInt8) -> Bool { (97...122).contains(byte) }

  /// `ap-northeast-1`, `us-gov-west-1`.
  private static func isRegion(_ text: String) -> Bool {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard (3...5).contains(parts.count), text.utf8.count <= 32, let last = parts.last, !last.isEmpty,
      last.utf8.allSatisfy(isDigit)
    else { return false }
    return parts.dropLast().allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(isSmall) }
  }

  private static func isName(_ text: String) -> Bool {
    let plain = text.hasSuffix(".fifo") ? text.dropLast(5) : text[...]
    return !plain.isEmpty && text.utf8.count <= 256
      && plain.utf8.allSatisfy {
        isDigit($0) || isSmall($0) || (65...90).contains($0) || $0 == 45 || $0 == 95
      }
  }
}
