// Regions that aren't meant to be used → a service control policy that closes them. It is the organization's to attach; an
// account can't do it for itself, so no step does.

extension Baseline {
  /// What has no region, and is asked for in one all the same.
  private static let global = [
    "account", "aws-portal", "billing", "budgets", "ce", "cloudfront", "consolidatedbilling", "cur",
    "freetier",
    "globalaccelerator", "health", "iam", "invoicing", "networkmanager", "organizations", "payments",
    "pricing",
    "route53", "route53-recovery-cluster", "route53-recovery-control-config", "route53-recovery-readiness",
    "route53domains", "shield", "sso", "sts", "support", "tax", "trustedadvisor", "waf",
  ]
  private static let globalCalls = [
    "ec2:DescribeRegions", "s3:GetAccountPublicAccessBlock", "s3:ListAllMyBuckets",
    "s3:PutAccountPublicAccessBlock",
  ]

  /// A service control policy that denies all but `regions: used`, as JSON; nil = the baseline says none.
  /// - Parameter role: the role that sets baselines up in all regions, and isn't denied it.
  public func regionPolicy(exceptRole role: String) -> String? {
    guard let usedRegions else { return nil }
    let actions = (Self.global.map { "\($0):*" } + Self.globalCalls).map {
      "        \(CanonicalJSON.quoted($0))"
    }
    let regions = usedRegions.sorted().map(CanonicalJSON.quoted).joined(separator: ", ")
    return """
      {
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "KabutoOnlyUsedRegions",
            "Effect": "Deny",
            "NotAction": [
      \(actions.joined(separator: ",\n"))
            ],
            "Resource": "*",
            "Condition": {
              "StringNotEquals": {"aws:RequestedRegion": [\(regions)]},
              "ArnNotLike": {"aws:PrincipalARN": \(CanonicalJSON.quoted("arn:*:iam::*:role/\(role)"))}
            }
        }]
      }

      """
  }
}
