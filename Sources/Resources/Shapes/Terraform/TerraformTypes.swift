// Terraform's types (provider hashicorp/aws) in CloudFormation's shape, by area; the form is explained in ShapeTable.
//
// Types that CloudFormation doesn't have are named as those of live accounts are: `AWS::IAM::AccountPasswordPolicy`,
// `AWS::IAM::PolicyAttachment` (a policy and who has it), `AWS::ElasticLoadBalancingV2::TargetGroupAttachment`. So are
// members: `LoadBalancer.WebACLArn`, `ConfigurationRecorder.Recording`, `RouteTable.Routes`. A member whose left name no
// resource of Terraform has (`age_days`, `days_left`, `key_origin`, …) is one that a plan never tells, and is absent.

enum TerraformTypes {
  static let text = [compute, network, delivery, storage, governing].joined(separator: "\n")
}
