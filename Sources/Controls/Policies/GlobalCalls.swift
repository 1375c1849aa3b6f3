// Calls without a region: they go to one place in the world, or are about the account as a whole, so that a limit on regions
// would shut them off wherever their endpoint isn't within it. One list, for all policies that are made here: the boundary
// and the organisation's policies of a catalogue, and the policy for a baseline's unused regions.
// Sources: AWS General Reference, "Service endpoints"; IAM User Guide, "Global condition keys", aws:RequestedRegion;
// Organizations User Guide, "General examples"; Control Tower, "Deny access to AWS based on the requested AWS Region".

/// See the head of this file.
public enum GlobalCalls {
  /// IAM's prefixes of services all of whose calls are meant.
  public static let prefixes: Set<String> = [
    "account", "aws-marketplace", "aws-marketplace-management", "aws-portal", "billing", "budgets", "ce",
    "cloudfront", "consolidatedbilling", "cur", "freetier", "globalaccelerator", "health", "iam",
    "importexport", "invoicing", "networkmanager", "notifications", "organizations", "payments", "pricing",
    "route53", "route53-recovery-cluster", "route53-recovery-control-config", "route53-recovery-readiness",
    "route53domains", "shield", "sso", "sts", "support", "supportapp", "supportplans", "sustainability",
    "tax", "trustedadvisor", "waf",
  ]

  /// Single calls of services that have regions. Each is written out: policies take them from patterns one by one.
  public static let calls = [
    "ec2:DescribeRegions", "s3:GetAccountPublicAccessBlock", "s3:ListAllMyBuckets",
    "s3:ListMultiRegionAccessPoints", "s3:PutAccountPublicAccessBlock",
  ]

  /// All of them, as policies write them.
  public static let patterns = prefixes.sorted().map { "\($0):*" } + calls

  /// Whether an action is one of them; letter case doesn't matter.
  public static func contains(_ action: String) -> Bool {
    isOfGlobalService(action) || folded.contains(action.lowercased())
  }

  /// Whether a pattern, or an action, means calls of one global service only.
  static func isOfGlobalService(_ action: String) -> Bool {
    action.firstIndex(of: ":").map { prefixes.contains(action[..<$0].lowercased()) } ?? false
  }

  private static let folded = Set(calls.map { $0.lowercased() })
}
