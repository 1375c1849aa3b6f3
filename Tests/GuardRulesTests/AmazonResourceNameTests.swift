// Names of AWS's resources: parts as they are written, and what is none.

import GuardRules
import Testing

@Suite struct AmazonResourceNameTests {
  @Test func partsAreAsWritten() throws {
    let log = try #require(
      AmazonResourceName("arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/f:*"))
    #expect(
      [log.partition, log.service, log.region, log.account]
        == ["aws", "logs", "eu-west-1", "111122223333"])
    #expect(log.resource == "log-group:/aws/lambda/f:*")
    let bucket = try #require(AmazonResourceName("arn:aws-cn:s3:::b"))
    #expect([bucket.partition, bucket.region, bucket.account, bucket.resource] == ["aws-cn", "", "", "b"])
  }

  @Test(arguments: ["", "arn", "arn:aws:s3::b", "aws:arn:s3:::b", "ARN:aws:s3:::b", " arn:aws:s3:::b"])
  func whatIsNone(text: String) { #expect(AmazonResourceName(text) == nil) }
}
