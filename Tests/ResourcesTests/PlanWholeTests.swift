// Plans that aren't whole are faults, states are read like plans that keep everything, and both say regions.

import Foundation
import GuardRules
import Testing

@testable import Resources

@Suite struct PlanWholeTests {
  @Test(arguments: [
    "\"errored\": true, \"complete\": false, \"resource_changes\": []", "\"resource_changes\": {}",
    "\"resource_changes\": null", "\"resource_changes\": [], \"complete\": false",
    "\"resource_changes\": [], \"deferred_changes\": [{\"reason\": \"x\"}]", "\"terraform_version\": \"1.9\"",
    "\"values\": []", "\"values\": {\"root_module\": {\"resources\": {}}}",
    "\"resource_changes\": [], \"planned_values\": {\"root_module\": {\"resources\": [{\"address\": \"aws_sqs_queue.q\", \"type\": \"aws_sqs_queue\"}]}}",
    "\"planned_values\": {\"root_module\": {\"child_modules\": [{\"resources\": [{\"address\": \"aws_sqs_queue.q\", \"type\": \"aws_sqs_queue\"}]}]}}",
  ])
  func whatIsNotWholeIsAFault(_ members: String) {
    #expect(throws: DocumentFault.self) { _ = try plan("{\"format_version\": \"1.2\", \(members)}") }
  }

  @Test(arguments: [
    "\"errored\": false, \"complete\": true, \"resource_changes\": [], \"deferred_changes\": []",
    "\"planned_values\": {\"root_module\": {}}",
    "\"resource_changes\": [{\"address\": \"x\", \"type\": \"x\", \"change\": {\"actions\": [\"delete\"]}}], \"planned_values\": {\"root_module\": {\"resources\": [{\"address\": \"random_id.q\", \"type\": \"random_id\"}]}}",
    "\"resource_changes\": [], \"deferred_changes\": null",
  ])
  func whatIsWholeMayHaveNothing(_ members: String) throws {
    #expect(try plan("{\"format_version\": \"1.2\", \(members)}").isEmpty)
  }

  /// What a plan says before it turns out not to be whole is true, and is told.
  @Test func whatWasFoundBeforeIsTold() {
    let text =
      "{\"resource_changes\": [\(PlanTests.change("aws_sqs_queue.q", "{\"name\": \"q\"}"))], \"errored\": true}"
    var names: [String] = []
    #expect(throws: DocumentFault.self) {
      try Data(text.utf8).withUnsafeBytes { bytes in
        _ = try TerraformPlan.shape(bytes) { (resource) throws(DocumentFault) in names.append(resource.name) }
      }
    }
    #expect(names == ["aws_sqs_queue.q"])
  }

  @Test func aStateIsReadLikeAPlanThatKeepsEverything() throws {
    let state = """
      {"format_version": "1.0", "terraform_version": "1.9", "values": {"root_module": {
        "resources": [
          {"address": "aws_s3_bucket.b", "mode": "managed", "type": "aws_s3_bucket", "values": {"bucket": "x", "acl": "public-read"}},
          {"address": "data.aws_ami.a", "mode": "data", "type": "aws_ami", "values": {}}],
        "child_modules": [{"address": "module.m", "resources": [
          {"address": "module.m.aws_db_instance.d", "mode": "managed", "type": "aws_db_instance",
           "values": {"password": "geheim"}, "sensitive_values": {"password": true}}]}]}}}
      """
    let all = try plan(state)
    #expect(all.map(\.name) == ["aws_s3_bucket.b", "module.m.aws_db_instance.d"])
    #expect(
      try status(
        "Resources.*[ Type == 'AWS::S3::Bucket' ].Properties.AccessControl == 'Private'", all.document)
        == .fail)
    let password = all[1].properties["MasterUserPassword"]
    #expect(password?.isSecret == true && password?.string == "geheim")
  }

  @Test func regionsAreCarried() throws {
    let all = try plan(
      PlanTests.text([
        PlanTests.change("aws_s3_bucket.a", "{\"bucket\": \"b\", \"region\": \"us-east-1\"}"),
        PlanTests.change("aws_sqs_queue.q", "{\"arn\": \"arn:aws:sqs:eu-west-1:1:q\"}"),
        PlanTests.change("aws_sns_topic.t", "{\"arn\": \"arn:aws:sns::1:t\"}"),
        PlanTests.change("aws_nothing_shaped.n", "{\"region\": \"us-east-2\"}"),
      ]))
    #expect(all.map(\.region) == ["us-east-1", "eu-west-1", nil, "us-east-2"])
    let found = try items(
      """
      [{"resourceType": "AWS::S3::Bucket", "arn": "arn:aws:s3:::b", "awsRegion": "us-east-1", "configuration": {}},
       {"resourceType": "AWS::IAM::User", "resourceId": "u", "awsRegion": "global", "configuration": {}},
       {"resourceType": "AWS::SageMaker::Endpoint", "resourceId": "e", "awsRegion": "us-east-2", "configuration": {}}]
      """)
    #expect(found.map(\.region) == ["us-east-1", "us-east-1", nil, "us-east-2"])
  }

  /// What is kept of a configuration counts towards the memory that is allowed.
  @Test func referencesHaveABound() throws {
    let resources = (0..<2_000).map { number in
      "{\"address\": \"aws_instance.i\(number)\", \"type\": \"aws_instance\", \"expressions\": {\"subnet_id\": {\"references\": [\"aws_subnet.s.id\", \"aws_subnet.s\"]}}}"
    }
    let text = PlanTests.text([], configuration: "{\"resources\": [\(resources.joined(separator: ","))]}")
    try Data(text.utf8).withUnsafeBytes { bytes in
      _ = try PlanReferences(bytes)
      #expect(throws: DocumentFault.self) { _ = try PlanReferences(bytes, ReadingLimits(mostBytes: 200_000)) }
    }
  }
}
